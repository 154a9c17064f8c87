//! Plays a scenario on a fresh machine.

use super::look;
use super::machine::{Machine, Start};
use super::parts::Parts;
use super::scenario::{Deed, Look, Scenario, Step, What};
use super::trap::Trap;
use crate::{process, say};
use anyhow::{Result, bail};
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
    /// Where its logs, tables and pictures of the display lie.
    pub(super) folder: PathBuf,
}

pub(super) fn play(parts: &Parts, scenario: &Scenario) -> Result<Outcome> {
    let started = Instant::now();
    let folder = parts.folder.join("runs").join(&scenario.name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let start = Start {
        clock: scenario.clock.clone(),
        interactive: false,
    };
    let machine = Machine::start(parts, &folder, &start)?;
    let mut trap = Trap::set_up(parts, machine, &folder, &scenario.settings)?;
    let mut outcome = Outcome {
        scenario: scenario.name.clone(),
        steps: 0,
        took_s: 0.0,
        guest_s: 0.0,
        failure: None,
        folder: folder.clone(),
    };
    for step in &scenario.steps {
        let done = take(&mut trap, step, &folder, outcome.steps);
        let now_s = trap.machine.uptime_s().unwrap_or(outcome.guest_s);
        let what = match &step.what {
            What::Deed(deed) => format!("{deed:?}"),
            What::Look(look) => format!("{look:?}"),
        };
        if let Err(error) = done {
            outcome.failure = Some(format!("{what}: {error:#}"));
            break;
        }
        say::step_done(&format!("  {now_s:6.1} s  {what}"));
        outcome.steps += 1;
        outcome.guest_s = now_s;
    }
    if let Err(error) = trap.keep_logs(&folder) {
        outcome
            .failure
            .get_or_insert(format!("the logs could not be kept: {error:#}"));
    }
    outcome.took_s = started.elapsed().as_secs_f64();
    Ok(outcome)
}

/// Does or awaits one step.
fn take(trap: &mut Trap, step: &Step, folder: &Path, number: usize) -> Result<()> {
    let look = match &step.what {
        What::Deed(deed) => return act(trap, deed),
        What::Look(look) => look,
    };
    let so = until(trap, look, step.within_s());
    if matches!(look, Look::Display(_) | Look::DisplayDark(_)) {
        let picture = folder.join(format!("display-{number}.png"));
        trap.machine
            .bus(&format!("display png {}", picture.display()))?;
    }
    so
}

fn act(trap: &mut Trap, deed: &Deed) -> Result<()> {
    match deed {
        Deed::Bus(line) => trap.machine.bus(line).map(drop),
        Deed::Line { gpio, pull } => trap.line(*gpio, pull),
        Deed::Camera(order) => trap.camera(order),
        Deed::Link(order) => trap.link(order),
        Deed::Clock(seconds) => {
            let line = format!("date -s @$(($(date +%s) + {seconds}))");
            trap.machine.tell(&line).map(drop)
        }
        Deed::Agent(order) => trap.agent(order),
        Deed::Guest(line) => {
            let said = trap.machine.tell(line)?;
            for line in said.trim().lines() {
                say::step_done(&format!("           {line}"));
            }
            Ok(())
        }
        Deed::Pass(seconds) => trap.machine.tell(&format!("sleep {seconds}")).map(drop),
    }
}

/// Looks until it is so.
fn until(trap: &mut Trap, look: &Look, within_s: f64) -> Result<()> {
    let begun = Instant::now();
    let begun_s = trap.machine.uptime_s()?;
    let captures = if matches!(look, Look::Captures(_)) {
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
