//! The supply of a camera or of sensors, behind a line: on for as long as it is
//! needed, and off and on again where a device hangs.

use crate::error::DeviceError;
use crate::lines::{Level, Lines, Output, OutputKind, Wiring};
use embedded_hal::delay::DelayNs;

/// The supply of a device, as whoever uses the device sees it.
pub trait Supply: Send {
    /// Gives power, and waits until the device is up if it was not.
    ///
    /// # Errors
    /// [`DeviceError`] when the line did not take it.
    fn on(&mut self) -> Result<(), DeviceError>;

    /// Takes the power away for a moment: the last thing to try with a device that hangs.
    ///
    /// # Errors
    /// [`DeviceError`] when the line did not take it.
    fn cycle(&mut self) -> Result<(), DeviceError>;
}

/// How a supply is left when nobody holds its switch, and after the trap's program ended.
///
/// That is as good as the board: one that forgets a released line leaves it to
/// the resistor in the wiring, which therefore has to agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// Without power: nothing draws from the battery.
    Off,
    /// With power: for what takes long to come up, or must not lose its settings.
    On,
}

/// A supply that can be switched.
pub struct PowerSwitch {
    output: Box<dyn Output>,
    rest: Rest,
    settle_ms: u32,
    /// Whether what hangs on it had its time to come up.
    is_up: bool,
}

impl PowerSwitch {
    /// Takes the switch of `device`, at rest; what it feeds needs `settle_ms` to come up.
    ///
    /// # Errors
    /// [`DeviceError`] of `device` when its line cannot be had.
    pub fn open(
        lines: &dyn Lines,
        device: &'static str,
        wiring: &Wiring,
        rest: Rest,
        settle_ms: u32,
    ) -> Result<Self, DeviceError> {
        // A line goes off when it is dropped, so for a supply that rests on, off means power.
        let wiring = Wiring {
            active_low: wiring.active_low != (rest == Rest::On),
            ..wiring.clone()
        };
        let output = lines.output(device, &wiring, OutputKind::Switch)?;
        Ok(Self {
            output,
            rest,
            settle_ms,
            is_up: false,
        })
    }

    /// Gives power, and waits until the device is up if it was not.
    ///
    /// # Errors
    /// [`DeviceError`] when the line did not take it.
    pub fn on(&mut self, delay: &mut impl DelayNs) -> Result<(), DeviceError> {
        if self.is_up {
            return Ok(());
        }
        self.set(true)?;
        delay.delay_ms(self.settle_ms);
        self.is_up = true;
        Ok(())
    }

    /// Takes the power away.
    ///
    /// # Errors
    /// [`DeviceError`] when the line did not take it.
    pub fn off(&mut self) -> Result<(), DeviceError> {
        self.is_up = false;
        self.set(false)
    }

    /// Takes the power away for `dark_ms` and gives it again: the last thing to try with a device that hangs.
    ///
    /// # Errors
    /// [`DeviceError`] when the line did not take it.
    pub fn cycle(&mut self, dark_ms: u32, delay: &mut impl DelayNs) -> Result<(), DeviceError> {
        self.off()?;
        delay.delay_ms(dark_ms);
        self.on(delay)
    }

    fn set(&mut self, power: bool) -> Result<(), DeviceError> {
        let is_off = power == (self.rest == Rest::On);
        self.output
            .set(if is_off { Level::OFF } else { Level::FULL })
    }
}

impl std::fmt::Debug for PowerSwitch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PowerSwitch")
            .field("rest", &self.rest)
            .field("settle_ms", &self.settle_ms)
            .field("is_up", &self.is_up)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lines::fake::{FakeLines, FakeOutput};

    /// Adds up what was waited.
    #[derive(Default)]
    struct Waited {
        ms: u64,
    }

    impl DelayNs for Waited {
        fn delay_ns(&mut self, ns: u32) {
            self.ms += u64::from(ns) / 1_000_000;
        }

        fn delay_ms(&mut self, ms: u32) {
            self.ms += u64::from(ms);
        }
    }

    fn switch(rest: Rest) -> (PowerSwitch, FakeLines, FakeOutput) {
        let lines = FakeLines::default();
        let wiring = "GPIO5".parse().unwrap();
        let switch = PowerSwitch::open(&lines, "camera", &wiring, rest, 800).unwrap();
        let line = lines.line();
        (switch, lines, line)
    }

    #[test]
    fn only_a_device_that_was_off_is_waited_for() {
        let (mut switch, lines, line) = switch(Rest::Off);
        assert!(!lines.taken()[0].active_low);
        let mut waited = Waited::default();
        switch.on(&mut waited).unwrap();
        switch.on(&mut waited).unwrap();
        assert_eq!(waited.ms, 800);
        switch.off().unwrap();
        switch.on(&mut waited).unwrap();
        assert_eq!(waited.ms, 1_600);
        drop(switch);
        assert_eq!(line.levels(), [0, 1_000, 0, 1_000, 0], "off at the end");
    }

    #[test]
    fn a_supply_that_rests_on_has_power_before_and_after() {
        let (mut switch, lines, line) = switch(Rest::On);
        assert!(lines.taken()[0].active_low, "off is high is power");
        let mut waited = Waited::default();
        switch.cycle(2_000, &mut waited).unwrap();
        assert_eq!(waited.ms, 2_800);
        drop(switch);
        assert_eq!(line.levels(), [0, 1_000, 0, 0]);
    }

    #[test]
    fn a_line_that_refuses_leaves_the_device_not_up() {
        let (mut switch, _, line) = switch(Rest::Off);
        let mut waited = Waited::default();
        line.fail(1);
        assert!(switch.on(&mut waited).is_err());
        assert_eq!(waited.ms, 0);
        switch.on(&mut waited).unwrap();
        assert_eq!(waited.ms, 800);
    }
}
