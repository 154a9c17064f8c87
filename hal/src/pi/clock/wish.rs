//! Setting the clock through the service manager: the agent's own service may
//! not call the kernel for it, a service that does nothing else may.

use super::milliseconds;
use crate::pi::child::{self, ChildFailure};
use rustix::time::{ClockId, Timespec, clock_settime};
use std::ffi::OsStr;
use std::fmt;
use std::io::{Error, ErrorKind, Result};
use std::process::Command;
use std::str::FromStr;

pub(super) const PROGRAM: &str = "systemctl";
/// The service starts a program that sets the clock and ends; more than this is a manager that hangs.
const DEADLINE_MS: u64 = 10_000;

/// A time of day and the time since the boot at which it was true, so that nothing is lost on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) unix_ms: i64,
    pub(super) since_boot_ms: i64,
}

/// As the name of a service may carry it.
impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.unix_ms, self.since_boot_ms)
    }
}

impl FromStr for Wish {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts = text.split_once(':');
        let parts = parts.and_then(|(unix, boot)| Some((unix.parse().ok()?, boot.parse().ok()?)));
        let (unix_ms, since_boot_ms) = parts.ok_or_else(|| {
            let message =
                format!("`{text}` is no time: milliseconds since 1970 and since the boot");
            Error::new(ErrorKind::InvalidInput, message)
        })?;
        Ok(Self {
            unix_ms,
            since_boot_ms,
        })
    }
}

impl Wish {
    /// That it is now `unix_ms`.
    pub(super) fn now(unix_ms: i64) -> Self {
        Self {
            unix_ms,
            since_boot_ms: milliseconds(ClockId::Boottime),
        }
    }

    /// The time of day when `since_boot_ms` have passed since the boot.
    pub(super) fn at(self, since_boot_ms: i64) -> i64 {
        let passed_ms = since_boot_ms.saturating_sub(self.since_boot_ms);
        self.unix_ms.saturating_add(passed_ms)
    }

    /// Asks the service manager to have it done, and waits until it is.
    pub(super) fn ask(self, program: &OsStr) -> Result<()> {
        let mut command = Command::new(program);
        let unit = format!("trapline-clock@{self}.service");
        // Nobody is there to be asked for a password.
        command.args(["--no-ask-password", "start", &unit]);
        child::output(&mut command, DEADLINE_MS)
            .map(drop)
            .map_err(|failure| {
                let why = match failure {
                    ChildFailure::NotInstalled => "there is no service manager".to_owned(),
                    ChildFailure::TooLate => format!("{unit} took too long"),
                    ChildFailure::Failed(complaint) => format!("{unit}: {complaint}"),
                    ChildFailure::Lost(error) => error.to_string(),
                };
                Error::new(ErrorKind::PermissionDenied, why)
            })
    }
}

/// Sets the clock as `text` wishes it; for the service that may.
///
/// # Errors
/// The text is no wish, or the kernel refuses.
pub fn set_by_wish(text: &str) -> Result<()> {
    let wish: Wish = text.parse()?;
    set(wish.at(milliseconds(ClockId::Boottime)))
}

pub(super) fn set(unix_ms: i64) -> Result<()> {
    let time = Timespec {
        tv_sec: unix_ms.div_euclid(1_000),
        tv_nsec: unix_ms.rem_euclid(1_000) * 1_000_000,
    };
    Ok(clock_settime(ClockId::Realtime, time)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_on_the_way_is_added() {
        let wish = Wish {
            unix_ms: 1_795_279_200_000,
            since_boot_ms: 42_000,
        };
        let read: Wish = wish.to_string().parse().unwrap();
        assert_eq!(read, wish);
        assert_eq!(read.at(42_350), 1_795_279_200_350);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "1", "1:", "a:b", "1:2:3"] {
            let error = text.parse::<Wish>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text}");
        }
    }

    #[test]
    fn without_a_service_manager_the_clock_may_not_be_set() {
        let missing = Wish::now(0).ask(OsStr::new("/nowhere/systemctl"));
        assert_eq!(missing.unwrap_err().kind(), ErrorKind::PermissionDenied);
    }
}
