//! The service manager's side: readiness, watchdog, and the file of live facts
//! that `trapline-agent status` reads.

use crate::agent::Outside;
use crate::health::Facts;
use sd_notify::NotifyState;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Live facts beside the ledger; lost in a power cut, and nothing is lost with them.
pub const FACTS_FILE: &str = "live.json";

/// `systemd`, if it started us, and the file of live facts.
#[derive(Debug)]
pub struct Service {
    facts_file: PathBuf,
}

impl Service {
    /// Writes live facts into the ledger's folder.
    #[must_use]
    pub fn new(ledger_dir: &Path) -> Self {
        Self {
            facts_file: ledger_dir.join(FACTS_FILE),
        }
    }
}

impl Outside for Service {
    fn ready(&mut self) {
        notify(&[NotifyState::Ready]);
    }

    fn alive(&mut self) {
        notify(&[NotifyState::Watchdog]);
    }

    fn alive_every(&self) -> Option<Duration> {
        // Twice in each period, as the service manager asks for.
        sd_notify::watchdog_enabled().map(|period| period / 2)
    }

    fn stopping(&mut self) {
        notify(&[NotifyState::Stopping]);
    }

    fn facts(&mut self, facts: Option<&Facts>) {
        let written = match facts {
            Some(facts) => write_facts(&self.facts_file, facts),
            None => remove(&self.facts_file),
        };
        if let Err(error) = written {
            log::debug!("live facts cannot be written: {error}");
        }
    }
}

/// The live facts of the agent that works on this ledger; `None` when none runs.
#[must_use]
pub fn read_facts(ledger_dir: &Path) -> Option<Facts> {
    let text = std::fs::read_to_string(ledger_dir.join(FACTS_FILE)).ok()?;
    serde_json::from_str(&text).ok()
}

#[expect(
    clippy::disallowed_methods,
    reason = "live facts are for the moment and must not wear the card with syncs"
)]
fn write_facts(file: &Path, facts: &Facts) -> std::io::Result<()> {
    let part = file.with_extension("json.part");
    std::fs::write(&part, serde_json::to_vec(facts)?)?;
    std::fs::rename(&part, file)
}

fn remove(file: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        log::warn!("the service manager cannot be told: {error}");
    }
}
