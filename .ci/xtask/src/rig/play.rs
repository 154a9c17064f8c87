//! Plays a scenario on a fresh machine.

use super::look;
use super::parts::Parts;
use super::power_on::{Start, emulator};
use super::scenario::{Deed, Look, Scenario, Step, What};
use super::trap::Trap;
use crate::machine::{Console, Machine};
use crate::process;
use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Between two looks, in milliseconds of the desk.
const LOOK_EVERY_MS: u64 = 300;
/// However slowly the guest's seconds pass: a step that takes longer on the desk is lost.
const STEP_MAX: Duration = Duration::from_secs(480);

/// What came of a scenario.
#[derive(Debug, Serialize)]
pub(super) struct Outcome {
    pub(super) scenario: String,
    /// Steps that were done.
    pub(super) steps: usize,
    /// On the desk.
    pub(super) took_s: f64,
    /// Of the guest, from power-on.
    pub(super) guest_s: f64,
    pub(super) failure: Option<String>,
    /// Each step, with the guest's uptime behind it.
    pub(super) done: Vec<String>,
    /// Where its logs, tables and pictures of the display lie.
    pub(super) folder: PathBuf,
}

/// Plays it; whatever goes wrong is in what comes back.
pub(super) fn play(parts: &Parts, scenario: &Scenario) -> Outcome {
    let started = Instant::now();
    let mut outcome = Outcome {
        scenario: scenario.name.clone(),
        steps: 0,
        took_s: 0.0,
        guest_s: 0.0,
        failure: None,
        done: Vec::new(),
        folder: parts.folder.join("runs").join(&scenario.name),
    };
    if let Err(error) = all_steps(parts, scenario, &mut outcome) {
        outcome.failure = Some(format!("{error:#}"));
    }
    outcome.took_s = started.elapsed().as_secs_f64();
    outcome
}

fn all_steps(parts: &Parts, scenario: &Scenario, outcome: &mut Outcome) -> Result<()> {
    let folder = outcome.folder.clone();
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let start = Start {
        clock: scenario.clock.clone(),
        console: Console::File,
    };
    let machine = Machine::start(&parts.bus, emulator(parts, &start), &folder, start.console)?;
    let mut trap = Trap::set_up(parts, machine, &folder, &scenario.settings)?;
    let mut failure = Ok(());
    for step in &scenario.steps {
        let (what, done) = match &step.what {
            What::Deed(deed) => (format!("{deed:?}"), act(&mut trap, deed)),
            What::Look(look) => {
                let so = look_for(
                    &mut trap,
                    look,
                    step,
                    &folder.join(outcome.steps.to_string()),
                );
                (format!("{look:?}"), so.map(|()| String::new()))
            }
        };
        let now_s = trap.machine.uptime_s().unwrap_or(outcome.guest_s);
        outcome.done.push(format!("  {now_s:6.1} s  {what}"));
        match done {
            Ok(said) => {
                let said = said
                    .trim()
                    .lines()
                    .map(|line| format!("            {line}"));
                outcome.done.extend(said);
            }
            Err(error) => {
                failure = Err(error.context(what));
                break;
            }
        }
        outcome.steps += 1;
        outcome.guest_s = now_s;
    }
    let kept = trap
        .keep_logs(&folder)
        .context("the logs could not be kept");
    failure.and(kept)
}

/// Awaits what is looked for; what the display shows is kept as a picture.
fn look_for(trap: &mut Trap, look: &Look, step: &Step, picture: &Path) -> Result<()> {
    let so = until(trap, look, step.within_s());
    if matches!(look, Look::Display(_) | Look::DisplayDark(_)) {
        let picture = picture.with_extension("png");
        trap.machine
            .bus(&format!("display png {}", picture.display()))?;
    }
    so
}

/// Does it; what the guest says of it, if anything.
fn act(trap: &mut Trap, deed: &Deed) -> Result<String> {
    let silent = |()| String::new();
    match deed {
        Deed::Bus(line) => trap.machine.bus(line),
        Deed::Line { gpio, pull } => trap.line(*gpio, pull).map(silent),
        Deed::Camera(order) => trap.camera(order).map(silent),
        Deed::Link(order) => trap.link(order).map(silent),
        Deed::Clock(seconds) => {
            let line = format!("date -s @$(($(date +%s) + {seconds}))");
            trap.machine.tell(&line)
        }
        Deed::Agent(order) => trap.agent(order).map(silent),
        Deed::Guest(line) => trap.machine.tell(line),
        Deed::Pass(seconds) => trap.machine.tell(&format!("sleep {seconds}")),
    }
}

/// Looks until it is so.
fn until(trap: &mut Trap, look: &Look, within_s: f64) -> Result<()> {
    let begun = Instant::now();
    let begun_s = trap.machine.uptime_s()?;
    let captures = if matches!(look, Look::Captures(_) | Look::Arrived(_)) {
        look::captures(&trap.status()?)
    } else {
        0
    };
    loop {
        let Some(instead) = look::is_so(trap, look, captures)? else {
            return Ok(());
        };
        let waited_s = trap.machine.uptime_s()? - begun_s;
        if waited_s > within_s || begun.elapsed() > STEP_MAX {
            bail!("not within {waited_s:.0} s: {instead}");
        }
        process::pause(LOOK_EVERY_MS);
    }
}
