//! The board's lines, through whichever way to them works here.
//!
//! On a Raspberry Pi whose registers may be opened, the header's lines go
//! through rppal, which can dim in software. Everywhere else, and for lines
//! that rppal does not know, they go through the kernel's character device.
//! PWM channels go through the kernel in either case.

use super::gpio_cdev::CdevLines;
use super::gpio_rppal::RppalLines;
use super::pwm::PwmOutput;
use crate::error::DeviceError;
use crate::lines::{Input, Lines, Output, OutputKind, Place, Pull, Wiring};
use std::path::Path;

/// Where the firmware says what board this is.
const MODEL: &str = "/proc/device-tree/model";
/// Where the kernel has its PWM chips.
const PWM_CHIPS: &str = "/sys/class/pwm";
const PI: &str = "Raspberry Pi";

/// The lines of this board.
pub struct BoardLines {
    header: Option<RppalLines>,
    chips: CdevLines,
    reason: String,
}

impl BoardLines {
    /// Finds the way; nothing is taken yet.
    #[must_use]
    pub fn open() -> Self {
        let model = model_in(Path::new(MODEL));
        let (header, reason) = choose(model.as_deref(), RppalLines::open);
        Self {
            header,
            chips: CdevLines,
            reason,
        }
    }

    /// Which way was chosen and why, for the log.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// The board's name, if this is one that has a name.
fn model_in(file: &Path) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let name = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
    (!name.is_empty()).then(|| name.to_owned())
}

/// The header's lines where rppal gives them, and the reason in words.
fn choose<L>(model: Option<&str>, open: impl FnOnce() -> Result<L, String>) -> (Option<L>, String) {
    const KERNEL: &str = "lines go through the kernel's character device";
    match model {
        Some(model) if model.starts_with(PI) => match open() {
            Ok(lines) => (
                Some(lines),
                format!("lines go through rppal: this is a {model}"),
            ),
            Err(e) => (
                None,
                format!("{KERNEL}: this is a {model}, but rppal cannot be used ({e})"),
            ),
        },
        Some(model) => (None, format!("{KERNEL}: this is a {model}, no {PI}")),
        None => (
            None,
            format!("{KERNEL}: this board has no name, so it is no {PI}"),
        ),
    }
}

impl Lines for BoardLines {
    fn output(
        &self,
        device: &'static str,
        wiring: &Wiring,
        kind: OutputKind,
    ) -> Result<Box<dyn Output>, DeviceError> {
        if let Place::Pwm { chip, channel } = wiring.place {
            let chips = Path::new(PWM_CHIPS);
            let output = PwmOutput::open(chips, device, (chip, channel), wiring.active_low)?;
            return Ok(Box::new(output));
        }
        let number = header_number(&wiring.place);
        match self.header.as_ref().zip(number) {
            Some((header, number)) => header.output(device, number, wiring.active_low, kind),
            None => self.chips.output(device, wiring, kind),
        }
    }

    fn input(
        &self,
        device: &'static str,
        wiring: &Wiring,
        pull: Pull,
    ) -> Result<Box<dyn Input>, DeviceError> {
        let number = header_number(&wiring.place);
        match self.header.as_ref().zip(number) {
            Some((header, number)) => header.input(device, number, wiring.active_low, pull),
            None => self.chips.input(device, wiring, pull),
        }
    }
}

/// The number of a line of the header, which the kernel and rppal name alike.
fn header_number(place: &Place) -> Option<u8> {
    let Place::Named(name) = place else {
        return None;
    };
    name.strip_prefix("GPIO")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pi_that_opens_goes_through_rppal() {
        let (lines, reason) = choose(Some("Raspberry Pi Zero 2 W Rev 1.0"), || Ok(()));
        assert!(lines.is_some());
        assert_eq!(
            reason,
            "lines go through rppal: this is a Raspberry Pi Zero 2 W Rev 1.0"
        );
    }

    #[test]
    fn all_else_goes_through_the_kernel_and_says_why() {
        let denied = || Err::<(), _>("Permission denied: /dev/mem".to_owned());
        let (lines, reason) = choose(Some("Raspberry Pi 5 Model B"), denied);
        assert!(lines.is_none());
        assert!(
            reason.ends_with("cannot be used (Permission denied: /dev/mem)"),
            "{reason}"
        );
        let untried = || -> Result<(), String> { panic!("rppal is not for other boards") };
        let (_, reason) = choose(Some("Radxa ZERO 3"), untried);
        assert!(
            reason.ends_with("this is a Radxa ZERO 3, no Raspberry Pi"),
            "{reason}"
        );
        let (lines, _) = choose(None, untried);
        assert!(lines.is_none());
    }

    #[test]
    fn the_firmwares_name_ends_with_a_zero() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("model");
        let mut model = std::fs::File::create(&file).unwrap();
        std::io::Write::write_all(&mut model, b"Raspberry Pi 4 Model B Rev 1.1\0").unwrap();
        let name = "Raspberry Pi 4 Model B Rev 1.1";
        assert_eq!(model_in(&file).as_deref(), Some(name));
        assert_eq!(model_in(&folder.path().join("nowhere")), None);
    }

    #[test]
    fn only_the_headers_lines_have_a_number() {
        let number = |text: &str| header_number(&text.parse::<Wiring>().unwrap().place);
        assert_eq!(number("!GPIO17"), Some(17));
        assert_eq!(number("GPIO999"), None);
        assert_eq!(number("EXPANDER3"), None);
        assert_eq!(number("gpiochip0:17"), None);
    }
}
