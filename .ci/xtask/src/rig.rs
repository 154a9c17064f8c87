//! `cargo xtask rig`: an emulated trap. The real agent, built for arm64, on Debian's own kernel, with chips on a bus,
//! lines, a camera, a network to a real server, and a scenario that breaks them one after the other.
//!
//! Everything comes from Debian by package name and is unpacked under the target folder. What is emulated and what
//! is not stands in docs/RIG.md.

mod archive;
pub(crate) mod look;
mod made;
mod measure;
pub(crate) mod modules;
mod parts;
pub(crate) mod pictures;
mod play;
mod power_on;
mod scenario;
mod trap;

use crate::build::Cast;
use crate::cli::{RigMeasureArgs, RigRunArgs};
use crate::machine::{Console, Machine};
use crate::say;
use anyhow::{Result, bail};

use parts::Parts;
use play::Outcome;
use power_on::{Start, emulator};
use scenario::Scenario;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use trap::Trap;

/// Machines that run at the same time. Most of a scenario is waiting; a third machine on two cores that do other work
/// as well makes traps so slow that they miss slots.
const MACHINES: usize = 2;

pub(crate) fn run(args: &RigRunArgs) -> Result<()> {
    if args.json {
        say::only_results();
    }
    let scenarios = scenario::chosen(&args.scenario)?;
    let failed = play_all(&parts::ready(None)?, &scenarios, args.json);
    if failed > 0 {
        bail!("{failed} of {} scenarios failed", scenarios.len());
    }
    Ok(())
}

/// The short set that `cargo xtask test` plays; how many held and how many did not.
pub(crate) fn short_set() -> Result<(u64, u64)> {
    // Among the tests all programs are built already, and the server alone would be built anew.
    let parts = parts::ready(Some(Cast::All))?;
    let mut scenarios = scenario::all()?;
    scenarios.retain(|scenario| scenario.short);
    let failed = play_all(&parts, &scenarios, false);
    Ok((
        u64::try_from(scenarios.len())?.saturating_sub(failed),
        failed,
    ))
}

/// Plays them, some at a time; how many failed.
fn play_all(parts: &Parts, scenarios: &[Scenario], json: bool) -> u64 {
    say::step(&format!(
        "{} scenarios, {MACHINES} at a time",
        scenarios.len()
    ));
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(0);
    let work = || {
        while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome = play::play(parts, scenario);
            // Held while it is told, so that nobody talks in between.
            let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
            *failed += u64::from(outcome.failure.is_some());
            tell(scenario, &outcome, json);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..MACHINES.min(scenarios.len()) {
            scope.spawn(work);
        }
    });
    failed.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn tell(scenario: &Scenario, outcome: &Outcome, json: bool) {
    if json {
        say::line(&serde_json::to_string(outcome).unwrap_or_default());
        return;
    }
    say::step(&format!("{}: {}", scenario.name, scenario.about.trim()));
    for line in &outcome.done {
        say::line(line);
    }
    match &outcome.failure {
        None => say::line(&format!("  holds, in {:.0} s", outcome.took_s)),
        Some(failure) => {
            say::failure(&format!("{}: {failure}", scenario.name));
            say::failure(&format!("logs and pictures: {}", outcome.folder.display()));
        }
    }
}

pub(crate) fn list() -> Result<()> {
    for scenario in scenario::all()? {
        let short = if scenario.short { "*" } else { " " };
        say::line(&format!(
            "{short} {:16} {}",
            scenario.name,
            scenario.about.trim()
        ));
    }
    say::line("\n* played by `cargo xtask test`");
    Ok(())
}

pub(crate) fn shell() -> Result<()> {
    let parts = parts::ready(None)?;
    let folder = parts.folder.join("runs/shell");
    let start = Start {
        console: Console::Person,
        ..Start::default()
    };
    say::step("the console of the guest; Ctrl-A X ends it");
    say::line(&format!(
        "the bus listens at {}; `echo help | nc -NU …` lists what it takes",
        folder.join("control").display()
    ));
    let machine = Machine::start(&parts.bus, emulator(&parts, &start), &folder, start.console)?;
    let mut trap = Trap::set_up(&parts, machine, &folder, "")?;
    trap.camera("feed")?;
    trap.machine.wait();
    Ok(())
}

pub(crate) fn measure(args: &RigMeasureArgs) -> Result<()> {
    if args.json {
        say::only_results();
    }
    measure::run(&parts::ready(None)?, args)
}
