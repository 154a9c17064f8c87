//! A capture's time against the camera's own, with sensors and display, in the emulated trap.
//!
//! Seconds mean nothing there, but both are seconds of the same slow machine: their ratio says what everything
//! beside the camera costs.

use super::look;
use super::parts::Parts;
use super::power_on::{Start, emulator};
use super::trap::Trap;
use crate::cli::RigMeasureArgs;
use crate::machine::Machine;
use crate::{process, say};
use anyhow::{Result, bail};
use std::time::{Duration, Instant};

/// A trap with everything that a shot may wait for. Each shot of its camera throws away as many pictures as the
/// settings do by themselves.
const SETTINGS: &str = r#"
[schedule]
every = "10s"
[camera]
kind = "uvc"
device = "Rig_camera"
[display]
kind = "ssd1306"
bus = 0
sleep_after = "10m"
[server]
url = ""
key = ""
"#;
/// What a capture may take of the camera's own time.
const BOUND: f64 = 1.15;
const PATIENCE: Duration = Duration::from_secs(1_800);

/// Milliseconds of one shot.
struct Shot {
    all_ms: f64,
    camera_ms: f64,
}

pub(super) fn run(parts: &Parts, args: &RigMeasureArgs) -> Result<()> {
    let folder = parts.folder.join("runs/measure");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    say::step(&format!(
        "{} captures with sensors and display",
        args.captures
    ));
    let start = Start::default();
    let machine = Machine::start(&parts.bus, emulator(parts, &start), &folder, start.console)?;
    let mut trap = Trap::set_up(parts, machine, &folder, SETTINGS)?;
    trap.camera("feed")?;
    trap.agent("start")?;
    let begun = Instant::now();
    // The first opens the ledger's pages and the program's own, which no later one does.
    while look::captures(&trap.status()?) <= args.captures {
        if begun.elapsed() > PATIENCE {
            bail!("the captures do not come; see {}", folder.display());
        }
        process::pause(5_000);
    }
    trap.keep_logs(&folder)?;
    let log = std::fs::read_to_string(folder.join("agent.log"))?;
    let shots: Vec<Shot> = shots(&log).into_iter().skip(1).collect();
    if shots.is_empty() {
        bail!(
            "the agent's log names no shot's time; see {}",
            folder.display()
        );
    }
    report(&shots, args.json)
}

fn report(shots: &[Shot], json: bool) -> Result<()> {
    let all_ms = median(shots.iter().map(|shot| shot.all_ms));
    let camera_ms = median(shots.iter().map(|shot| shot.camera_ms));
    let ratio = median(shots.iter().map(|shot| shot.all_ms / shot.camera_ms));
    let worst = shots
        .iter()
        .map(|shot| shot.all_ms / shot.camera_ms)
        .fold(0.0, f64::max);
    if json {
        let object = serde_json::json!({
            "captures": shots.len(),
            "all_ms": all_ms,
            "camera_ms": camera_ms,
            "ratio": ratio,
            "ratio_worst": worst,
            "bound": BOUND,
        });
        say::line(&object.to_string());
    } else {
        say::line("\n| captures | a capture | the camera alone | ratio | worst | bound |");
        say::line("|---|---|---|---|---|---|");
        say::line(&format!(
            "| {} | {all_ms:.0} ms | {camera_ms:.0} ms | {ratio:.3} | {worst:.3} | {BOUND} |",
            shots.len()
        ));
    }
    if ratio > BOUND {
        bail!("a capture takes {ratio:.3} times the camera's own time; at most {BOUND}");
    }
    Ok(())
}

/// The agent's own words on its shots: the camera's part, then the whole up to a picture that is safe on the card.
fn shots(log: &str) -> Vec<Shot> {
    let number = |line: &str, before: &str, after: &str| -> Option<f64> {
        let (_, rest) = line.split_once(before)?;
        rest.split_once(after)?.0.parse().ok()
    };
    let mut found = Vec::new();
    let mut camera = None;
    for line in log.lines() {
        camera = number(line, "the camera took ", " ms").or(camera);
        let all = number(line, "it was on the card ", " ms after");
        if let (Some(all_ms), Some(camera_ms)) = (all, camera) {
            found.push(Shot { all_ms, camera_ms });
            camera = None;
        }
    }
    found
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shots_time_is_read_from_the_log() {
        let log = "DEBUG the camera took 2105 ms\nINFO  took picture 1\n\
                   DEBUG it was on the card 2310 ms after the shot began\n\
                   DEBUG the camera took 99 ms\n";
        let found = shots(log);
        assert_eq!(found.len(), 1, "the second was a miss");
        assert!((found[0].all_ms - 2310.0).abs() < 0.1);
        assert!((found[0].camera_ms - 2105.0).abs() < 0.1);
    }
}
