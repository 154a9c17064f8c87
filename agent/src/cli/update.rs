//! `trial` and `update`: what a technician asks, and what the service manager calls.

use super::print::{report, say};
use super::run::runtime;
use super::words::{TrialArgs, UpdateCommand, UpdatePlace};
use super::{EXIT_RUNTIME, now_ms};
use crate::boot::trial;
use crate::config::{Loaded, Problems};
use crate::logging;
use crate::update::install::{self, Again, Outcome};
use crate::update::known::Known;
use crate::update::rauc::Rauc;
use crate::update::restart::Wish;
use crate::update::settle::{self, Place, Settled};
use crate::update::{permission, record, restart};
use anyhow::Context as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// RAUC's settings; an image that was made without a certificate has none.
const RAUC_SETTINGS: &str = "/etc/rauc/system.conf";

/// Whether there is anything to try; without settings, which a trial may show to be wrong.
pub(super) fn is_trial_wanted(args: &TrialArgs) -> bool {
    !args.when_wanted || permission::is_trial_wanted(&args.run_dir)
}

pub(super) fn trial(loaded: Loaded, args: &TrialArgs) -> anyhow::Result<ExitCode> {
    logging::start(loaded.config.log_level);
    let runtime = runtime()?;
    let dir = args.dir.clone();
    let found = runtime.block_on(trial::trial(loaded, args.within));
    // A thread that hangs in a driver must not keep the process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    if let Some(dir) = dir
        && let Err(error) = record::leave_trial(&dir, &found)
    {
        log::warn!("the report of the trial cannot be kept: {error}");
    }
    report(&found, args.json)?;
    Ok(if found.passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(EXIT_RUNTIME)
    })
}

/// `load` reads the settings, which only a good moment for a restart depends on.
pub(super) fn update(
    command: UpdateCommand,
    load: impl FnOnce() -> Result<Loaded, Problems>,
) -> anyhow::Result<ExitCode> {
    match command {
        UpdateCommand::Status { of, json } => report(&Known::read(&of.dir)?, json)?,
        UpdateCommand::Check { of, file } => {
            let version = Rauc::new(&of.rauc).version_of(&file)?;
            say(&format!(
                "{version}: the signature is of a key that this trap knows\n"
            ))?;
        }
        UpdateCommand::Install { of, file, json } => {
            let outcome = install::brought(&slotted(of)?, &file, Again::Yes, now_ms())?;
            report(&outcome, json)?;
            return Ok(code(&outcome));
        }
        UpdateCommand::Take(of) => {
            let outcome = install::waiting(&slotted(of)?, now_ms())?;
            return taken(&outcome, load);
        }
        UpdateCommand::Stick { of, folder } => {
            let outcome = install::brought(&slotted(of)?, &folder, Again::No, now_ms())?;
            return taken(&outcome, load);
        }
        UpdateCommand::Settle(of) => return settle(of),
        UpdateCommand::Confirm(of) => {
            if let Some(place) = place(of) {
                let confirmed = settle::confirm(&place, now_ms());
                confirmed.with_context(|| format!("slot {} cannot be confirmed", place.slot))?;
            }
        }
        UpdateCommand::TrialEnded { of, result } => {
            if let Some(place) = place(of) {
                settle::trial_ended(&place, &result)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn settle(of: UpdatePlace) -> anyhow::Result<ExitCode> {
    let Some(place) = place(of) else {
        say("this card has no slots\n")?;
        return Ok(ExitCode::SUCCESS);
    };
    let settled = settle::settle(&place, now_ms())?;
    let words = match settled {
        Settled::Good => "is good",
        Settled::Trial => "has to prove itself",
        Settled::Restart => "is not the right one",
    };
    say(&format!("slot {} {words}\n", place.slot))?;
    if settled == Settled::Restart {
        restart::restart()?;
        // Nothing that follows may take this slot for settled.
        return Ok(ExitCode::from(EXIT_RUNTIME));
    }
    Ok(ExitCode::SUCCESS)
}

/// Says what came of an installation, and starts the trap anew where something did.
fn taken(
    outcome: &Outcome,
    load: impl FnOnce() -> Result<Loaded, Problems>,
) -> anyhow::Result<ExitCode> {
    report(outcome, false)?;
    if matches!(outcome, Outcome::Installed { .. }) {
        let config = load().ok().map(|loaded| loaded.config);
        let runtime = runtime()?;
        runtime.block_on(async {
            if let Some(config) = &config {
                let wish = Wish::of(&config.update, &config.schedule);
                let clock = trapline_hal::pi::clock::SystemClock::new();
                restart::moment(wish, &clock, &config.ledger.dir).await;
            }
        });
        restart::restart()?;
    }
    // A bundle that is refused is no failure of the service: it is written down.
    Ok(ExitCode::SUCCESS)
}

fn code(outcome: &Outcome) -> ExitCode {
    match outcome {
        Outcome::Installed { .. } | Outcome::Known { .. } => ExitCode::SUCCESS,
        Outcome::Nothing | Outcome::Refused { .. } => ExitCode::from(EXIT_RUNTIME),
    }
}

fn slotted(of: UpdatePlace) -> anyhow::Result<Place> {
    place(of).context("this card has one system only; updates need a card with two")
}

fn place(of: UpdatePlace) -> Option<Place> {
    let slot = of.slot.or_else(trapline_hal::pi::boot_slot::booted_slot)?;
    Some(Place {
        dir: of.dir,
        run_dir: of.run_dir,
        slot,
        is_counted: trapline_hal::pi::boot_slot::is_counted(),
        takes_updates: Path::new(RAUC_SETTINGS).exists(),
        rauc: Rauc::new(&of.rauc),
    })
}
