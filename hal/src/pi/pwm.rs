//! A channel of a PWM chip as a dimmed output, through the kernel's files.
//!
//! The kernel leaves a channel as it is when a program ends, so it is darkened
//! whenever it is opened and dropped. An active-low one is never disabled: a
//! disabled channel is low, which would be full light.

use crate::error::{DeviceError, FaultKind};
use crate::lines::{Level, Output};
use rustix::event::{Timespec, poll};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// 10 kHz: at a rolling shutter of 10 ms, bands are fainter than a hundredth.
const PERIOD_NS: u32 = 100_000;
/// After a channel is exported its files change hands, which takes the system some 30 ms.
const HANDED_OVER_TRIES: u32 = 50;
const HANDED_OVER_WAIT_NS: i64 = 20_000_000;

/// A channel that is ours.
#[derive(Debug)]
pub(super) struct PwmOutput {
    device: &'static str,
    folder: PathBuf,
    active_low: bool,
}

impl PwmOutput {
    /// Takes the channel `(chip, channel)` of those in `chips`; it is dark then.
    pub(super) fn open(
        chips: &Path,
        device: &'static str,
        (chip, channel): (u32, u32),
        active_low: bool,
    ) -> Result<Self, DeviceError> {
        let chip = chips.join(format!("pwmchip{chip}"));
        if !chip.exists() {
            let message = format!(
                "there is no {}; switch it on with the overlay `pwm` or `pwm-2chan` in config.txt",
                chip.display()
            );
            return Err(DeviceError::new(device, FaultKind::Absent, message));
        }
        let mut output = Self {
            device,
            folder: chip.join(format!("pwm{channel}")),
            active_low,
        };
        output
            .export(&chip, channel)
            .and_then(|()| output.begin())
            .map_err(|e| output.fault(e))?;
        Ok(output)
    }

    fn export(&self, chip: &Path, channel: u32) -> io::Result<()> {
        if !self.folder.exists() {
            put(&chip.join("export"), channel)?;
        }
        for _ in 1..HANDED_OVER_TRIES {
            if std::fs::OpenOptions::new()
                .write(true)
                .open(self.folder.join("duty_cycle"))
                .is_ok()
            {
                return Ok(());
            }
            let wait = Timespec {
                tv_sec: 0,
                tv_nsec: HANDED_OVER_WAIT_NS,
            };
            // Waiting for nothing but time; a signal only makes the next look come earlier.
            poll(&mut [], Some(&wait)).ok();
        }
        Ok(())
    }

    fn begin(&mut self) -> io::Result<()> {
        // A time that is lit may not be longer than the period; a channel without one refuses both.
        self.put("duty_cycle", 0).ok();
        self.put("period", PERIOD_NS)?;
        self.put("duty_cycle", self.high_ns(Level::OFF))?;
        self.put("enable", 1)
    }

    fn high_ns(&self, level: Level) -> u32 {
        let lit_ns = PERIOD_NS / u32::from(Level::FULL.permille()) * u32::from(level.permille());
        if self.active_low {
            PERIOD_NS - lit_ns
        } else {
            lit_ns
        }
    }

    fn put(&self, name: &str, value: u32) -> io::Result<()> {
        put(&self.folder.join(name), value)
    }

    fn fault(&self, error: io::Error) -> DeviceError {
        let kind = error.kind();
        let (kind, words) = if kind == io::ErrorKind::PermissionDenied {
            let words = "may not be written; the agent's user must be in the group `gpio`";
            (FaultKind::Absent, words)
        } else if kind == io::ErrorKind::ResourceBusy {
            (FaultKind::Busy, "is in use by the kernel")
        } else {
            (FaultKind::Transient, "cannot be set")
        };
        let message = format!("{} {words}", self.folder.display());
        DeviceError::new(self.device, kind, message).caused_by(error)
    }
}

impl Output for PwmOutput {
    fn set(&mut self, level: Level) -> Result<(), DeviceError> {
        self.put("duty_cycle", self.high_ns(level))
            .map_err(|e| self.fault(e))
    }

    fn dims(&self) -> bool {
        true
    }
}

impl Drop for PwmOutput {
    fn drop(&mut self) {
        self.set(Level::OFF).ok();
    }
}

/// Writes a number as the kernel's files take it: in one piece, into a file that is there.
fn put(file: &Path, value: u32) -> io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).open(file)?;
    file.write_all(value.to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A folder like the kernel's, with channel 1 exported and bright from before.
    fn chips() -> tempfile::TempDir {
        let chips = tempfile::tempdir().unwrap();
        let channel = chips.path().join("pwmchip0/pwm1");
        fs::create_dir_all(&channel).unwrap();
        for name in ["duty_cycle", "period", "enable"] {
            fs::File::create(channel.join(name)).unwrap();
        }
        chips
    }

    /// What was written last; a plain file keeps the tail of a longer number before it.
    fn said(chips: &tempfile::TempDir, name: &str) -> String {
        let file = chips.path().join("pwmchip0/pwm1").join(name);
        let text = fs::read_to_string(&file).unwrap();
        fs::File::create(&file).unwrap();
        text
    }

    #[test]
    fn a_channel_is_dark_then_dimmed_then_dark() {
        let chips = chips();
        let mut output = PwmOutput::open(chips.path(), "flash", (0, 1), false).unwrap();
        assert_eq!(said(&chips, "period"), "100000");
        assert_eq!(said(&chips, "enable"), "1");
        assert_eq!(said(&chips, "duty_cycle"), "0");
        assert!(output.dims());
        output.set(Level::new(250).unwrap()).unwrap();
        assert_eq!(said(&chips, "duty_cycle"), "25000");
        drop(output);
        assert_eq!(said(&chips, "duty_cycle"), "0");
    }

    #[test]
    fn a_lamp_that_is_lit_when_low_is_dark_when_high() {
        let chips = chips();
        let mut output = PwmOutput::open(chips.path(), "flash", (0, 1), true).unwrap();
        assert_eq!(said(&chips, "duty_cycle"), "100000");
        output.set(Level::FULL).unwrap();
        assert_eq!(said(&chips, "duty_cycle"), "0");
        drop(output);
        assert_eq!(said(&chips, "duty_cycle"), "100000");
        assert_eq!(said(&chips, "enable"), "1", "never disabled");
    }

    #[test]
    fn a_chip_that_is_not_there_comes_with_the_remedy() {
        let chips = chips();
        let error = PwmOutput::open(chips.path(), "flash", (3, 0), false).unwrap_err();
        assert_eq!(error.kind, FaultKind::Absent);
        assert!(error.message.contains("`pwm-2chan`"), "{error}");
    }

    #[test]
    fn a_channel_that_cannot_be_set_is_a_fault() {
        let chips = chips();
        let mut output = PwmOutput::open(chips.path(), "flash", (0, 1), false).unwrap();
        fs::remove_dir_all(chips.path().join("pwmchip0")).unwrap();
        assert!(output.set(Level::FULL).is_err());
    }
}
