//! Whether the agent may bring a ledger to its own schema, which an older agent could
//! not open any more.
//!
//! It is given, never assumed: on a card with two systems [`settle`](super::settle)
//! leaves a file once the running one is confirmed. So nothing that starts too early,
//! or after a trial that failed, can take the old system's ledger from it.

use std::io;
use std::path::Path;
use trapline_store::Upgrade;

/// The name of the slot that is confirmed.
const CONFIRMED: &str = "confirmed";
/// A trial is wanted before this slot is.
const TRIAL: &str = "trial";

/// What an agent in this slot may do; one without slots has nothing to go back to.
#[must_use]
pub fn upgrade(slot: Option<&str>, run_dir: &Path) -> Upgrade {
    let Some(slot) = slot else {
        return Upgrade::Allowed;
    };
    match std::fs::read_to_string(run_dir.join(CONFIRMED)) {
        Ok(confirmed) if confirmed == slot => Upgrade::Allowed,
        _ => Upgrade::Refused,
    }
}

/// Whether a trial is wanted in this boot.
#[must_use]
pub fn is_trial_wanted(run_dir: &Path) -> bool {
    run_dir.join(TRIAL).exists()
}

/// The slot is confirmed.
///
/// # Errors
/// When that cannot be written.
pub fn confirm(slot: &str, run_dir: &Path) -> io::Result<()> {
    leave(run_dir, CONFIRMED, slot)?;
    match std::fs::remove_file(run_dir.join(TRIAL)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The slot has to prove itself first.
///
/// # Errors
/// When that cannot be written.
pub fn want_trial(slot: &str, run_dir: &Path) -> io::Result<()> {
    leave(run_dir, TRIAL, slot)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a folder in memory has nothing to sync"
)]
fn leave(run_dir: &Path, name: &str, slot: &str) -> io::Result<()> {
    std::fs::create_dir_all(run_dir)?;
    std::fs::write(run_dir.join(name), slot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_that_nobody_confirmed_changes_no_ledger() {
        let folder = tempfile::tempdir().unwrap();
        let run_dir = folder.path().join("run");
        assert_eq!(upgrade(None, &run_dir), Upgrade::Allowed);
        assert_eq!(upgrade(Some("B"), &run_dir), Upgrade::Refused);
        want_trial("B", &run_dir).unwrap();
        assert!(is_trial_wanted(&run_dir));
        assert_eq!(upgrade(Some("B"), &run_dir), Upgrade::Refused);
        confirm("A", &run_dir).unwrap();
        assert_eq!(upgrade(Some("B"), &run_dir), Upgrade::Refused);
        confirm("B", &run_dir).unwrap();
        assert_eq!(upgrade(Some("B"), &run_dir), Upgrade::Allowed);
        assert!(!is_trial_wanted(&run_dir));
    }
}
