//! Shuts the system down through the service manager, which stops every
//! service in order and leaves the file systems at rest.

use super::child::{self, ChildFailure};
use crate::error::{DeviceError, FaultKind};
use crate::power::SwitchOff;
use std::ffi::OsString;
use std::process::Command;

const PROGRAM: &str = "systemctl";
const DEVICE: &str = "power";
/// The program only puts the order in; a login manager that thinks longer hangs.
const DEADLINE_MS: u64 = 15_000;

/// The service manager.
#[derive(Debug)]
pub struct ServiceManager {
    program: OsString,
}

impl Default for ServiceManager {
    fn default() -> Self {
        Self::with(PROGRAM)
    }
}

impl ServiceManager {
    /// With another program than `systemctl`.
    #[must_use]
    pub fn with(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
        }
    }
}

impl SwitchOff for ServiceManager {
    fn order(&mut self) -> Result<(), DeviceError> {
        let mut command = Command::new(&self.program);
        // Nobody is there to be asked for a password.
        command.args(["--no-ask-password", "poweroff"]);
        let program = self.program.display().to_string();
        let done = child::output(&mut command, DEADLINE_MS);
        done.map(drop).map_err(|failure| {
            let (kind, message) = match failure {
                ChildFailure::NotInstalled => (
                    FaultKind::Absent,
                    format!("`{program}` is not here, so the trap cannot switch itself off"),
                ),
                ChildFailure::TooLate => (
                    FaultKind::Transient,
                    format!("`{program} poweroff` hung for {DEADLINE_MS} ms and was stopped"),
                ),
                ChildFailure::Failed(complaint) => (
                    FaultKind::Broken,
                    format!(
                        "`{program} poweroff` ended with {complaint}; the agent's user needs the \
                         rule that comes with its unit"
                    ),
                ),
                ChildFailure::Lost(e) => {
                    let message = format!("`{program} poweroff` did not run");
                    return DeviceError::new(DEVICE, FaultKind::Transient, message).caused_by(e);
                }
            };
            DeviceError::new(DEVICE, kind, message)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_taken_or_refused_in_words() {
        assert!(ServiceManager::with("true").order().is_ok());
        let refused = ServiceManager::with("false").order().unwrap_err();
        assert!(refused.message.contains("`false poweroff`"), "{refused}");
        let absent = ServiceManager::with("/nowhere/systemctl").order();
        assert_eq!(absent.unwrap_err().kind, FaultKind::Absent);
    }
}
