//! `cargo xtask rig`: an emulated trap. The real agent, built for arm64, on Debian's own kernel, with chips on a bus,
//! lines, a camera, a network to a real server, and a scenario that breaks them one after the other.
//!
//! Everything comes from Debian by package name and is unpacked under the target folder. What is emulated and what
//! is not stands in docs/RIG.md.

mod archive;
mod look;
mod machine;
mod made;
mod measure;
mod modules;
mod packages;
mod parts;
mod play;
mod scenario;
mod trap;

use crate::cli::{RigMeasureArgs, RigRunArgs};
use crate::say;
use anyhow::{Result, bail};
use machine::{Machine, Start};
use parts::Parts;
use play::Outcome;
use scenario::Scenario;
use trap::Trap;

pub(crate) fn run(args: &RigRunArgs) -> Result<()> {
    if args.json {
        say::only_results();
    }
    let scenarios = scenario::chosen(&args.scenario)?;
    let parts = parts::ready()?;
    let mut failed = 0;
    for scenario in &scenarios {
        let outcome = play(&parts, scenario)?;
        if args.json {
            say::line(&serde_json::to_string(&outcome)?);
        }
        failed += u32::from(outcome.failure.is_some());
    }
    if failed > 0 {
        bail!("{failed} of {} scenarios failed", scenarios.len());
    }
    Ok(())
}

fn play(parts: &Parts, scenario: &Scenario) -> Result<Outcome> {
    say::step(&format!("{}: {}", scenario.name, scenario.about.trim()));
    let outcome = play::play(parts, scenario)?;
    if let Some(failure) = &outcome.failure {
        say::failure(&format!("{}: {failure}", scenario.name));
        say::failure(&format!("logs and pictures: {}", outcome.folder.display()));
    }
    Ok(outcome)
}

/// The short set that `cargo xtask test` plays; how many held and how many did not.
pub(crate) fn short_set() -> Result<(u64, u64)> {
    let parts = parts::ready()?;
    let (mut passed, mut failed) = (0, 0);
    for scenario in scenario::all()?.iter().filter(|scenario| scenario.short) {
        if play(&parts, scenario)?.failure.is_none() {
            passed += 1;
        } else {
            failed += 1;
        }
    }
    Ok((passed, failed))
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
    let parts = parts::ready()?;
    let folder = parts.folder.join("runs/shell");
    let start = Start {
        interactive: true,
        ..Start::default()
    };
    say::step("the console of the guest; Ctrl-A X ends it");
    say::line(&format!(
        "the bus listens at {}; `echo help | nc -NU …` lists what it takes",
        folder.join("control").display()
    ));
    let machine = Machine::start(&parts, &folder, &start)?;
    let mut trap = Trap::set_up(&parts, machine, &folder, "")?;
    trap.camera("feed")?;
    trap.machine.wait();
    Ok(())
}

pub(crate) fn measure(args: &RigMeasureArgs) -> Result<()> {
    if args.json {
        say::only_results();
    }
    measure::run(&parts::ready()?, args)
}
