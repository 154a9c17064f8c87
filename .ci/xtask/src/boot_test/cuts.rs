//! Power cuts: the machine is killed at random moments, and has to come up by itself each time with nothing lost.

use super::{Bench, card};
use crate::chance::Chance;
use crate::say;
use crate::trap::Server;
use anyhow::{Context as _, Result, bail};
use std::collections::BTreeSet;

/// A cut falls within this time of power-on, or of coming up where the boot before was cut.
const LIFE_S_MAX: u64 = 180;
const UP_S_MAX: u64 = 60;

/// Cuts the power `cuts` times, then lets the trap deliver and audits all that its agent said it took.
pub(super) fn run(bench: &Bench<'_>, cuts: u32, seed: u64) -> Result<()> {
    say::step(&format!("{cuts} power cuts at random moments"));
    let folder = bench.fresh("cuts")?;
    let server = Server::start(bench.programs, &folder.join("server"), "127.0.0.1:0")?;
    let disk = bench.disk(&folder)?;
    disk.put_on_card("trapline.toml", &card::settings(&server, card::OFTEN)?)?;
    let mut chance = Chance::of(seed);
    let mut must_come_up = false;
    let mut boots_seen = 0;
    for cut in 1..=cuts {
        let mut powered = bench.desk.power_on(&disk, &folder)?;
        if must_come_up {
            powered
                .up()
                .with_context(|| format!("the boot after cut {}", cut - 1))?;
            crate::process::pause(1_000 * chance.below(UP_S_MAX));
        } else {
            crate::process::pause(1_000 * (2 + chance.below(LIFE_S_MAX)));
        }
        let was_up = must_come_up || powered.is_up();
        boots_seen += u32::from(was_up);
        let after_s = powered.on_for_s();
        let witness = powered.witness();
        powered.cut()?;
        say::line(&format!(
            "  cut {cut}/{cuts} {after_s:.0} s after power-on, {}; pictures said so far: {}",
            if was_up { "up" } else { "on its way" },
            said(&witness).len()
        ));
        must_come_up = !was_up;
    }
    let mut powered = bench.desk.power_on(&disk, &folder)?;
    powered.up().context("the boot after the last cut")?;
    powered.until(
        "a picture after the last cut",
        "journalctl -b -u trapline-agent -o cat | grep -c 'took picture' || true",
        |text| text.trim().parse::<u32>().is_ok_and(|count| count > 0),
    )?;
    let said = said(&powered.witness());
    settle(&mut powered, &server)?;
    let check = powered.table("captures")?;
    say::line(&format!(
        "{} of {} boots were seen up; the agent said that it took {} pictures",
        boots_seen + 1,
        cuts + 1,
        said.len()
    ));
    audit(&said, &check, &server)?;
    powered.off()
}

/// Waits until what the trap has is delivered but for what it has just taken.
fn settle(powered: &mut super::power::Powered, server: &Server) -> Result<()> {
    let text = powered.machine.tell("trapline-agent status --json")?;
    let status: serde_json::Value = serde_json::from_str(&text)?;
    let taken = status
        .get("captures")
        .and_then(serde_json::Value::as_u64)
        .context("a status without captures")?;
    crate::process::until("the rest to arrive", super::ARRIVAL_MAX * 2, || {
        Ok(server.counts()?.pictures >= taken)
    })
}

/// Each picture that the agent said it had taken is in the ledger once, and on the server with its own hash.
fn audit(said: &BTreeSet<String>, captures: &str, server: &Server) -> Result<()> {
    let rows = crate::rig::look::rows(captures);
    let cell = |row: &[(String, String)], column: &str| {
        row.iter()
            .find(|(name, _)| name == column)
            .map(|(_, value)| value.clone())
            .unwrap_or_default()
    };
    let mut problems = Vec::new();
    for id in said {
        let found: Vec<_> = rows
            .iter()
            .filter(|row| cell(row, "capture") == *id)
            .collect();
        match found.as_slice() {
            [row] => {
                let sha256 = cell(row, "sha256");
                match std::fs::read(server.blob(&sha256)) {
                    Ok(stored) if crate::crash::sha256(&stored) == sha256 => {}
                    Ok(_) => problems.push(format!("{id} differs on the server")),
                    Err(_) => problems.push(format!("{id} is not on the server")),
                }
            }
            [] => problems.push(format!("{id} was said and is not in the ledger")),
            _ => problems.push(format!("{id} is in the ledger twice")),
        }
    }
    say::line(&format!(
        "audit: {} pictures said, {} in the ledger, problems {}",
        said.len(),
        rows.len(),
        problems.len()
    ));
    if said.is_empty() {
        bail!("the agent said nothing of any picture, so nothing was proved");
    }
    match problems.first() {
        Some(first) => bail!("{} problem(s); the first: {first}", problems.len()),
        None => Ok(()),
    }
}

/// The names of the pictures that the agent said were on the card.
fn said(witness: &str) -> BTreeSet<String> {
    let names = witness.lines().filter_map(|line| {
        line.split_once("took picture ")?
            .1
            .split_whitespace()
            .next()
    });
    names.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_heard_once() {
        let witness = "took picture a-1\nsomething\ntook picture a-1\ntook picture a-2\ntook pic";
        let said = said(witness);
        assert_eq!(said.into_iter().collect::<Vec<_>>(), ["a-1", "a-2"]);
    }
}
