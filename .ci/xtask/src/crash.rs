//! `cargo xtask crash`: the real programs under SIGKILL at random moments, then
//! an audit of every picture by its hash.

use crate::build::{self, Cast, Profile, Programs};
use crate::chance::Chance;
use crate::cli::CrashArgs;
use crate::process::{self, Running};
use crate::say;
use crate::trap::{self, Server, Trap, TrapPlan};
use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Longest life of a program between two kills.
const LIFE_MS_MAX: u64 = 1_500;

pub(crate) fn run(args: &CrashArgs) -> Result<()> {
    let profile = if args.release {
        Profile::Release
    } else {
        Profile::Debug
    };
    let programs = build::programs(profile, Cast::All)?;
    let folder = build::target_folder()?.join("crash");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let images = folder.join("images");
    draw(&programs, &images, args)?;
    let mut server = Server::start(&programs, &folder.join("server"), "127.0.0.1:0")?;
    let listen = server.url.trim_start_matches("http://").to_owned();
    let key = server.add_trap("crash")?;
    let lives_ms = u64::from(args.agent_kills) * LIFE_MS_MAX / 2;
    let every_ms = (lives_ms / u64::from(args.pictures.max(1))).clamp(20, 2_000);
    let plan = TrapPlan {
        folder: &folder.join("trap"),
        images: &images,
        playback: "once",
        every_ms,
        url: &server.url,
        key: &key,
    };
    let trap = Trap::set_up(&programs, &plan)?;
    torment(args, &programs, &trap, &mut server, &listen)?;
    let mut agent = trap.start()?;
    settle(&server, &trap, args.pictures)?;
    agent.stop(Duration::from_secs(20))?;
    audit(&images, &trap, &server, &folder)
}

/// Kills both programs at moments drawn from the seed.
fn torment(
    args: &CrashArgs,
    programs: &Programs,
    trap: &Trap,
    server: &mut Server,
    listen: &str,
) -> Result<()> {
    let mut chance = Chance::of(args.seed);
    let data = server.data.clone();
    let server_every = args
        .agent_kills
        .checked_div(args.server_kills)
        .unwrap_or(u32::MAX)
        .max(1);
    for kill in 1..=args.agent_kills {
        let mut agent: Running = trap.start()?;
        process::pause(20 + chance.below(LIFE_MS_MAX));
        if kill % server_every == 0 && kill / server_every <= args.server_kills {
            server.process.kill()?;
            process::pause(chance.below(200));
            *server = Server::start(programs, &data, listen)?;
            process::pause(chance.below(LIFE_MS_MAX));
        }
        agent.kill()?;
        say::progress(&format!("  agent killed {kill}/{} times", args.agent_kills));
    }
    say::progress_done();
    Ok(())
}

fn settle(server: &Server, trap: &Trap, pictures: u32) -> Result<()> {
    let pictures = u64::from(pictures);
    process::until("the rest to arrive", Duration::from_secs(300), || {
        let (here, there) = (trap.counts()?, server.counts()?);
        let sent = here.records_waiting == 0 && here.pictures_waiting == 0;
        Ok(here.captures >= pictures
            && sent
            && there.pictures >= pictures
            && there.inspected >= pictures)
    })
}

/// Each picture of the folder is on the server exactly once, byte for byte, and both books agree.
fn audit(images: &Path, trap: &Trap, server: &Server, folder: &Path) -> Result<()> {
    let export = folder.join("export");
    process::output(trap.command(&["export"]).arg(&export))?;
    let captures = std::fs::read_to_string(export.join("captures.csv"))?;
    let mut taken: BTreeMap<String, u32> = BTreeMap::new();
    for hash in column(&captures, "sha256")? {
        *taken.entry(hash).or_default() += 1;
    }
    let mut problems = Vec::new();
    let files = trap::jpegs(images)?;
    for file in &files {
        let bytes = std::fs::read(file)?;
        let hash = sha256(&bytes);
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        match taken.remove(&hash) {
            Some(1) => {}
            Some(times) => problems.push(format!("{name} was captured {times} times")),
            None => problems.push(format!("{name} was never captured")),
        }
        match std::fs::read(server.blob(&hash)) {
            Ok(stored) if stored == bytes => {}
            Ok(_) => problems.push(format!("{name} differs on the server")),
            Err(_) => problems.push(format!("{name} is not on the server")),
        }
    }
    problems.extend(
        taken
            .keys()
            .map(|hash| format!("a capture of no picture: {hash}")),
    );
    let (here, there) = (trap.counts()?, server.counts()?);
    if (here.captures, here.captures) != (there.captures, there.pictures) {
        problems.push(format!(
            "the trap counts {} captures, the server {there:?}",
            here.captures
        ));
    }
    say::line(&format!(
        "crash: {} pictures, on the server {}, missed shots {}, problems {}",
        files.len(),
        there.pictures,
        here.missed,
        problems.len()
    ));
    if let Some(first) = problems.first() {
        bail!("{} problem(s); the first: {first}", problems.len());
    }
    Ok(())
}

fn draw(programs: &Programs, images: &Path, args: &CrashArgs) -> Result<()> {
    let (count, seed) = (args.pictures.to_string(), args.seed.to_string());
    let mut command = Command::new(&programs.sim);
    command
        .arg("plates")
        .arg(images)
        .args(["--count", &count, "--size", "640x480", "--seed", &seed]);
    process::run(&mut command)
}

/// The cells under a heading; the names and hashes in our tables hold no comma.
fn column(table: &str, heading: &str) -> Result<Vec<String>> {
    let mut lines = table.lines();
    let headings = lines.next().unwrap_or_default();
    let place = headings.split(',').position(|h| h == heading);
    let place =
        place.with_context(|| format!("the table has no column `{heading}`: {headings}"))?;
    Ok(lines
        .filter_map(|line| line.split(',').nth(place))
        .map(str::to_owned)
        .collect())
}

/// The hash of a picture as tables have it.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_found_by_its_heading() {
        let table = "id,sha256,size_bytes\na,00ff,3\nb,11ee,4\n";
        assert_eq!(column(table, "sha256").unwrap(), ["00ff", "11ee"]);
        assert!(column(table, "colour").is_err());
    }
}
