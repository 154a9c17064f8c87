//! The service manager's side: readiness, watchdog, and the file of live facts
//! that `trapline-agent status` reads.

use crate::agent::Outside;
use crate::config::worked;
use crate::health::Facts;
use sd_notify::NotifyState;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Live facts beside the ledger; lost in a power cut, and nothing is lost with them.
pub const FACTS_FILE: &str = "live.json";
/// So often the trap says that it is well before its settings count as good: five minutes with the unit's watchdog.
const PROVED_AFTER: u32 = 5;

/// `systemd`, if it started us, and the file of live facts.
#[derive(Debug)]
pub struct Service {
    facts_file: PathBuf,
    unproved: Option<Unproved>,
}

/// Settings that have not worked for long enough to be kept for bad days.
#[derive(Debug)]
struct Unproved {
    text: String,
    alive: u32,
}

impl Service {
    /// Writes live facts into the ledger's folder.
    #[must_use]
    pub fn new(ledger_dir: &Path) -> Self {
        Self {
            facts_file: ledger_dir.join(FACTS_FILE),
            unproved: None,
        }
    }

    /// Keeps these settings beside the ledger once the trap has been well with them for a while.
    #[must_use]
    pub fn keeping(mut self, text: String) -> Self {
        self.unproved = Some(Unproved { text, alive: 0 });
        self
    }

    fn prove(&mut self) {
        let Some(unproved) = &mut self.unproved else {
            return;
        };
        unproved.alive += 1;
        if unproved.alive < PROVED_AFTER {
            return;
        }
        let kept = self
            .facts_file
            .parent()
            .map(|dir| worked::keep(dir, &unproved.text));
        if let Some(Err(error)) = kept {
            log::warn!("the settings that work cannot be kept: {error}");
        }
        self.unproved = None;
    }
}

impl Outside for Service {
    fn ready(&mut self) {
        notify(&[NotifyState::Ready]);
    }

    fn alive(&mut self) {
        notify(&[NotifyState::Watchdog]);
        self.prove();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_kept_when_they_have_worked_for_a_while() {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join(worked::WORKED_FILE);
        let mut service = Service::new(folder.path()).keeping("trap.name = \"a\"\n".to_owned());
        for _ in 1..PROVED_AFTER {
            service.alive();
        }
        assert!(!kept.exists());
        service.alive();
        assert_eq!(
            std::fs::read_to_string(kept).unwrap(),
            "trap.name = \"a\"\n"
        );
    }
}
