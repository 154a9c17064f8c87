//! What the firmware says of the processor's supply and heat: `rpi_volt` under
//! hwmon, and `vcgencmd get_throttled` where that program exists.
//!
//! The kernel looks every two seconds whether the voltage was too low since it
//! looked before, and that is all it tells; the program knows of heat too, and
//! of the time since boot. What was seen is kept here as long as the agent runs,
//! because the kernel's looking empties the firmware's memory.

use super::child::{self, ChildFailure};
use crate::error::{DeviceError, FaultKind};
use crate::throttle::{Strains, Supply};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const SENSORS: &str = "sys/class/hwmon";
const SENSOR: &str = "rpi_volt";
const TOO_LOW: &str = "in0_lcrit_alarm";
const PROGRAM: &str = "vcgencmd";
const DEADLINE_MS: u64 = 2_000;

/// Whatever tells how the processor is supplied.
#[derive(Debug)]
pub struct ProcessorSupply {
    root: PathBuf,
    program: OsString,
    seen: Strains,
}

impl Default for ProcessorSupply {
    fn default() -> Self {
        Self::under(Path::new("/"), PROGRAM)
    }
}

impl ProcessorSupply {
    /// Below another root than `/`, and with another program than `vcgencmd`.
    #[must_use]
    pub fn under(root: &Path, program: impl Into<OsString>) -> Self {
        Self {
            root: root.to_owned(),
            program: program.into(),
            seen: Strains::default(),
        }
    }

    fn read(&mut self) -> Result<Strains, DeviceError> {
        let now = match (self.ask_program(), self.ask_kernel()) {
            (Ok(strains), Some(true)) => strains.with_undervoltage_now(),
            (Ok(strains), Some(false) | None) => strains,
            (Err(_), Some(true)) => Strains::default().with_undervoltage_now(),
            (Err(_), Some(false)) => Strains::default(),
            (Err(fault), None) => return Err(fault),
        };
        self.seen = now.since(self.seen);
        Ok(self.seen)
    }

    /// Whether the kernel saw too little voltage; `None` where it does not look.
    fn ask_kernel(&self) -> Option<bool> {
        let sensors = fs::read_dir(self.root.join(SENSORS)).ok()?.flatten();
        let mut folders = sensors.map(|entry| entry.path());
        let folder = folders.find(|folder| {
            let name = fs::read_to_string(folder.join("name"));
            name.is_ok_and(|name| name.trim() == SENSOR)
        })?;
        let said = fs::read_to_string(folder.join(TOO_LOW)).ok()?;
        match said.trim() {
            "0" => Some(false),
            "1" => Some(true),
            _ => None,
        }
    }

    fn ask_program(&self) -> Result<Strains, DeviceError> {
        let mut command = Command::new(&self.program);
        let said = child::output(command.arg("get_throttled"), DEADLINE_MS);
        let program = self.program.display();
        let said = said.map_err(|failure| match failure {
            ChildFailure::NotInstalled => {
                let message = "neither the kernel's `rpi_volt` nor `vcgencmd` is here; this is no Raspberry Pi, or its system lacks raspi-utils";
                fault(FaultKind::Absent, message.to_owned())
            }
            ChildFailure::TooLate => {
                let message = format!("`{program}` hung for {DEADLINE_MS} ms and was stopped");
                fault(FaultKind::Transient, message)
            }
            ChildFailure::Failed(complaint) => {
                let message = format!("`{program}` ended with {complaint}; is the agent in the group `video`?");
                fault(FaultKind::Transient, message)
            }
            ChildFailure::Lost(e) => {
                fault(FaultKind::Transient, format!("`{program}` did not run")).caused_by(e)
            }
        })?;
        Strains::parse(&said).ok_or_else(|| {
            let message = format!("`{program}` said `{}`", said.trim());
            fault(FaultKind::Transient, message)
        })
    }
}

impl Supply for ProcessorSupply {
    fn strains(&mut self) -> Result<Strains, DeviceError> {
        self.read()
    }
}

fn fault(kind: FaultKind, message: String) -> DeviceError {
    DeviceError::new("supply", kind, message)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "test files need no durability")]

    use super::*;
    use crate::throttle::Strain;
    use tempfile::TempDir;

    fn program(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/firmware")
            .join(name)
    }

    fn kernel_says(root: &TempDir, text: &str) {
        let folder = root.path().join("sys/class/hwmon/hwmon3");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("name"), "rpi_volt\n").unwrap();
        fs::write(folder.join(TOO_LOW), text).unwrap();
    }

    #[test]
    fn a_dip_is_remembered() {
        let root = tempfile::tempdir().unwrap();
        let mut supply = ProcessorSupply::under(root.path(), program("not-installed"));
        let fault = supply.read().unwrap_err();
        assert_eq!(fault.kind, FaultKind::Absent);
        for (text, now, since_boot) in [
            ("0\n", false, false),
            ("1\n", true, true),
            ("0\n", false, true),
        ] {
            kernel_says(&root, text);
            let strains = supply.read().unwrap();
            assert_eq!(strains.now(Strain::Undervoltage), now);
            assert_eq!(strains.since_boot(Strain::Undervoltage), since_boot);
        }
    }

    #[test]
    fn the_program_is_asked_and_may_fail() {
        let root = tempfile::tempdir().unwrap();
        let read = |name: &str| ProcessorSupply::under(root.path(), program(name)).read();
        let strains = read("hot-before").unwrap();
        assert!(strains.since_boot(Strain::Hot) && !strains.now(Strain::Hot));
        let refused = read("refuses").unwrap_err();
        assert!(
            refused.message.contains("VCHI initialization failed"),
            "{refused}"
        );
        assert!(read("says-nonsense").is_err());
        kernel_says(&root, "1\n");
        let strains = read("refuses").unwrap();
        assert!(
            strains.now(Strain::Undervoltage),
            "the kernel tells all the same"
        );
        let strains = read("hot-before").unwrap();
        assert!(strains.now(Strain::Undervoltage) && strains.since_boot(Strain::Hot));
    }
}
