//! Lines through the kernel's character device: any board, any chip, no
//! registers, and nobody else has a line that we have.
//!
//! There is no dimming here: a line is on or off, and says so. What a line is
//! after it was released is the board's affair; Raspberry Pi kernels leave it
//! as it was, others make it an input, so it is switched off first.

use crate::error::{DeviceError, FaultKind};
use crate::lines::{Edge, Input, Level, Lines, Output, OutputKind, Place, Pull, Wiring};
use gpiocdev::line::{Bias, EdgeDetection, EdgeKind, Value};
use gpiocdev::request::{Builder, Request};
use gpiocdev::{Chip, Error};
use rustix::io::Errno;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the kernel has its chips.
const DEVICES: &str = "/dev";
/// What is said of us to others who want the line, before the device's name.
const CONSUMER: &str = "trapline";

/// The kernel's chips.
#[derive(Debug, Clone, Copy)]
pub(super) struct CdevLines;

impl Lines for CdevLines {
    fn output(
        &self,
        device: &'static str,
        wiring: &Wiring,
        _kind: OutputKind,
    ) -> Result<Box<dyn Output>, DeviceError> {
        let line = take(device, wiring, |builder| {
            builder.as_output(Value::Inactive);
        })?;
        Ok(Box::new(CdevOutput { line }))
    }

    fn input(
        &self,
        device: &'static str,
        wiring: &Wiring,
        pull: Pull,
    ) -> Result<Box<dyn Input>, DeviceError> {
        let line = take(device, wiring, |builder| {
            builder.as_input();
            builder.with_edge_detection(EdgeDetection::BothEdges);
            match pull {
                Pull::Not => {}
                Pull::Up => {
                    builder.with_bias(Bias::PullUp);
                }
                Pull::Down => {
                    builder.with_bias(Bias::PullDown);
                }
            }
        })?;
        Ok(Box::new(CdevInput { line }))
    }
}

/// A line that is ours.
struct Taken {
    device: &'static str,
    wiring: Wiring,
    request: Request,
}

impl Taken {
    fn fault(&self, error: Error) -> DeviceError {
        fault(self.device, &self.wiring, error)
    }
}

fn take(
    device: &'static str,
    wiring: &Wiring,
    wish: impl FnOnce(&mut Builder),
) -> Result<Taken, DeviceError> {
    let (chip, offset) = find(device, wiring)?;
    let mut builder = Request::builder();
    builder
        .with_consumer(format!("{CONSUMER} {device}"))
        .on_chip(&chip)
        .with_line(offset);
    if wiring.active_low {
        builder.as_active_low();
    }
    wish(&mut builder);
    let request = builder.request().map_err(|e| {
        let held = holder(&chip, offset);
        match held {
            Some(holder) if errno(&e) == Some(Errno::BUSY) => {
                let message = format!("line {wiring} is in use by `{holder}`");
                DeviceError::new(device, FaultKind::Busy, message).caused_by(e)
            }
            _ => fault(device, wiring, e),
        }
    })?;
    Ok(Taken {
        device,
        wiring: wiring.clone(),
        request,
    })
}

/// The chip and the number of a line.
fn find(device: &'static str, wiring: &Wiring) -> Result<(PathBuf, u32), DeviceError> {
    let name = match &wiring.place {
        Place::Numbered { chip, offset } => return Ok((Path::new(DEVICES).join(chip), *offset)),
        Place::Named(name) => name,
        Place::Pwm { .. } => {
            let message = format!("{wiring} is no line to watch or to switch");
            return Err(DeviceError::new(device, FaultKind::Broken, message));
        }
    };
    if let Some(found) = gpiocdev::find_named_line(name) {
        return Ok((found.chip, found.info.offset));
    }
    let chips = gpiocdev::chip::chips().unwrap_or_default();
    let may_open = chips.iter().any(|chip| Chip::from_path(chip).is_ok());
    let message = if chips.is_empty() {
        format!("there is no {name}: the kernel offers no lines at all")
    } else if may_open {
        format!("no chip has a line {name}; `gpioinfo` lists those that there are")
    } else {
        "no line may be opened; the agent's user must be in the group `gpio`".to_owned()
    };
    Err(DeviceError::new(device, FaultKind::Absent, message))
}

/// Who else has the line.
fn holder(chip: &Path, offset: u32) -> Option<String> {
    let info = Chip::from_path(chip).ok()?.line_info(offset).ok()?;
    (info.used && !info.consumer.is_empty()).then_some(info.consumer)
}

struct CdevOutput {
    line: Taken,
}

impl Output for CdevOutput {
    fn set(&mut self, level: Level) -> Result<(), DeviceError> {
        let value = if level.is_on() {
            Value::Active
        } else {
            Value::Inactive
        };
        let set = self.line.request.set_lone_value(value);
        set.map_err(|e| self.line.fault(e))
    }

    fn dims(&self) -> bool {
        false
    }
}

impl Drop for CdevOutput {
    fn drop(&mut self) {
        self.set(Level::OFF).ok();
    }
}

struct CdevInput {
    line: Taken,
}

impl Input for CdevInput {
    fn is_active(&mut self) -> Result<bool, DeviceError> {
        let value = self.line.request.lone_value();
        let value = value.map_err(|e| self.line.fault(e))?;
        Ok(value == Value::Active)
    }

    fn next_edge(&mut self, within_ms: u64) -> Result<Option<Edge>, DeviceError> {
        let request = &self.line.request;
        match request.wait_edge_event(Duration::from_millis(within_ms)) {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(e) if errno(&e) == Some(Errno::INTR) => return Ok(None),
            Err(e) => return Err(self.line.fault(e)),
        }
        let event = request.read_edge_event().map_err(|e| self.line.fault(e))?;
        Ok(Some(Edge {
            active: event.kind == EdgeKind::Rising,
            at_ms: event.timestamp_ns / 1_000_000,
        }))
    }
}

/// The kernel's number of what went wrong, where it was the kernel.
fn errno(error: &Error) -> Option<Errno> {
    // The crate's own type for it says its number only in words.
    let known = [
        Errno::BUSY,
        Errno::INTR,
        Errno::ACCESS,
        Errno::PERM,
        Errno::NOENT,
        Errno::NODEV,
        Errno::INVAL,
    ];
    let words = error.to_string();
    let is_said = |errno: &Errno| words.contains(&format!("(os error {})", errno.raw_os_error()));
    known.into_iter().find(is_said)
}

fn fault(device: &'static str, wiring: &Wiring, error: Error) -> DeviceError {
    let (kind, words) = match errno(&error) {
        Some(Errno::BUSY) => (
            FaultKind::Busy,
            "is in use by the kernel or another program",
        ),
        Some(Errno::ACCESS | Errno::PERM) => (
            FaultKind::Absent,
            "may not be opened; the agent's user must be in the group `gpio`",
        ),
        Some(Errno::NOENT | Errno::NODEV) => (FaultKind::Absent, "is on a chip that is not there"),
        Some(Errno::INVAL) => (FaultKind::Broken, "cannot do what is asked of it"),
        _ => (FaultKind::Transient, "cannot be used"),
    };
    DeviceError::new(device, kind, format!("line {wiring} {words}")).caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_not_there_is_absent() {
        let wiring: Wiring = "gpiochip987:3".parse().unwrap();
        let error = CdevLines.input("button", &wiring, Pull::Up).err().unwrap();
        assert_eq!(error.kind, FaultKind::Absent);
        assert_eq!(
            error.to_string(),
            "button: line gpiochip987:3 is on a chip that is not there"
        );
        let wiring: Wiring = "NOSUCHLINE".parse().unwrap();
        let error = CdevLines.output("flash", &wiring, OutputKind::Switch).err();
        assert_eq!(error.unwrap().kind, FaultKind::Absent);
    }

    #[test]
    fn a_channel_is_no_line() {
        let wiring: Wiring = "pwmchip0:1".parse().unwrap();
        let error = CdevLines.input("button", &wiring, Pull::Up).err().unwrap();
        assert_eq!(error.kind, FaultKind::Broken);
    }
}
