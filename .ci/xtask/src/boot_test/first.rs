//! The first boot of a fresh card: settings, enrolment, captures, and all of it on the server.

use super::disk::Disk;
use super::power::Powered;
use super::times::{self, Times};
use super::{Bench, card};
use crate::say;
use crate::trap::Server;
use anyhow::{Result, bail};

/// How much slower the first picture may be than the same system without us.
const BOUND: f64 = 1.3;
/// Boots of each kind, in turns: what else this machine does lengthens a boot, and never shortens one.
const TURNS: u32 = 2;

/// Boots a fresh card and the same system without Trapline, and prints the table of times.
pub(super) fn run(bench: &Bench<'_>) -> Result<()> {
    say::step("a fresh card: settings, enrolment, captures, and what arrives");
    let folder = bench.fresh("first")?;
    let server = Server::start(bench.programs, &folder.join("server"), "127.0.0.1:0")?;
    let disk = bench.disk(&folder)?;
    disk.put_on_card("trapline.toml", &card::settings(&server, card::OFTEN)?)?;
    let mut powered = bench.desk.power_on(&disk, &folder)?;
    let fresh = watched(&mut powered, &server)?;
    nothing_failed(&mut powered)?;
    let text = disk_grown(&mut powered)?;
    say::line(&format!("the data partition has grown to {text}"));
    powered.off()?;
    say::step("the same card again, and the same system without Trapline, in turns");
    let mut again = Vec::new();
    let mut plain = Vec::new();
    let bare = bare(bench)?;
    for _ in 0..TURNS {
        let mut powered = bench.desk.power_on(&disk, &folder)?;
        again.push(watched_again(&mut powered)?);
        // A machine that still runs would slow the other down.
        powered.off()?;
        let mut powered = bench.desk.power_on(&bare, &folder)?;
        powered.up()?;
        plain.push(Times::of(&mut powered)?);
        powered.off()?;
    }
    for line in times::HEADING {
        say::line(line);
    }
    say::line(&fresh.row("a fresh card"));
    for times in &again {
        say::line(&times.row("a later boot"));
    }
    for times in &plain {
        say::line(&times.row("Debian without Trapline"));
    }
    let shortest =
        |all: &[Times], of: fn(&Times) -> f64| all.iter().map(of).fold(f64::INFINITY, f64::min);
    let bare_s = shortest(&plain, |times| times.multi_user_s);
    let capture = |times: &Times| times.first_capture_s.unwrap_or(f64::INFINITY);
    let ratio = shortest(&again, capture) / bare_s;
    say::line(&format!(
        "boot to first capture against multi-user without Trapline, the shorter of {TURNS} each: {ratio:.2} \
         (a fresh card {:.2}); at most {BOUND}",
        capture(&fresh) / bare_s
    ));
    if ratio > BOUND {
        bail!(
            "boot to first capture takes {ratio:.2} times the boot without Trapline; at most {BOUND}"
        );
    }
    Ok(())
}

/// Waits until a capture with its reading and its inspection is on the server.
fn watched(powered: &mut Powered, server: &Server) -> Result<Times> {
    powered.up()?;
    crate::process::until(
        "the first capture on the server",
        super::ARRIVAL_MAX,
        || Ok(server.counts()?.pictures > 0),
    )
    .or_else(|error| powered.with_logs(error))?;
    let server_s = Some(powered.on_for_s());
    crate::process::until(
        "an inspected picture on the server",
        super::ARRIVAL_MAX,
        || Ok(server.counts()?.inspected > 0),
    )
    .or_else(|error| powered.with_logs(error))?;
    let counts = server.counts()?;
    say::line(&format!(
        "on the server: {} captures, {} pictures, {} inspected with {} boxes",
        counts.captures, counts.pictures, counts.inspected, counts.detections
    ));
    let mut times = Times::of(powered)?;
    times.server_s = server_s;
    times.first_capture_s = Some(first_capture_s(powered)?);
    let readings = powered.table("readings")?;
    let rows = crate::rig::look::rows(&readings);
    let measured = rows.iter().any(|row| {
        ["temperature_c", "light_lux"].iter().all(|column| {
            row.iter()
                .any(|(name, value)| name == column && !value.is_empty())
        })
    });
    if !measured {
        bail!("no reading has temperature and light: {readings}");
    }
    Ok(times)
}

fn watched_again(powered: &mut Powered) -> Result<Times> {
    powered.up()?;
    let mut times = Times::of(powered)?;
    times.first_capture_s = Some(first_capture_s(powered)?);
    Ok(times)
}

/// The uptime at which this boot's first capture was due to be on the card, as its own stamp has it.
fn first_capture_s(powered: &mut Powered) -> Result<f64> {
    let line =
        "journalctl -b -u trapline-agent -o short-monotonic | grep -m1 'took picture' || true";
    let text = powered.until("a capture of this boot", line, |text| {
        text.contains("took picture")
    })?;
    let found = text
        .trim_start_matches('[')
        .split(']')
        .next()
        .and_then(|number| number.trim().parse().ok());
    match found {
        Some(uptime_s) => Ok(uptime_s),
        None => bail!("the agent's log of this boot names no picture"),
    }
}

/// A card of the same image with Trapline's units switched off.
fn bare(bench: &Bench<'_>) -> Result<Disk> {
    let disk = bench.disk(&bench.fresh("plain")?)?;
    let masked: Vec<(String, &str)> = bench
        .units()?
        .into_iter()
        .map(|unit| (format!("/etc/systemd/system/{unit}"), "/dev/null"))
        .collect();
    let links: Vec<(&str, &str)> = masked
        .iter()
        .map(|(link, target)| (link.as_str(), *target))
        .collect();
    disk.lay(super::SLOT_A, &[], &links)?;
    Ok(disk)
}

fn nothing_failed(powered: &mut Powered) -> Result<()> {
    let failed = powered
        .machine
        .tell("systemctl list-units --failed --plain --no-legend")?;
    if !failed.trim().is_empty() {
        bail!("units that failed: {failed}");
    }
    Ok(())
}

fn disk_grown(powered: &mut Powered) -> Result<String> {
    let text = powered
        .machine
        .tell("df -h --output=size /data | tail -1")?;
    Ok(text.trim().to_owned())
}
