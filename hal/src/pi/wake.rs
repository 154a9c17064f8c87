//! The ways to wake this trap, by what the settings say is wired.
//!
//! Opened anew for each use, so that a part that was plugged in meanwhile is
//! found, and no line is held that only the last moment needs.

use super::rtc::KernelClocks;
use crate::error::DeviceError;
use crate::lines::Wiring;
use crate::wake::{DEVICE, WakeSource};

/// What is wired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WakeBy {
    /// A clock of the kernel's, by name; the first that can wake without one.
    Rtc(Option<String>),
    /// A Witty Pi 4 on the bus of this number.
    WittyPi4 {
        /// Number of the I²C bus.
        bus: u32,
    },
    /// A timer that keeps its period, and is told over a line when to cut.
    Timer {
        /// The line.
        line: Wiring,
        /// Its period in seconds.
        period_s: i64,
    },
}

/// Opens it; the timer switched the trap on at about `on_unix_s`.
///
/// # Errors
/// When there is no such clock, or the program was built without buses and lines.
pub fn open(
    by: &WakeBy,
    clocks: &KernelClocks,
    on_unix_s: i64,
) -> Result<Box<dyn WakeSource>, DeviceError> {
    match by {
        WakeBy::Rtc(name) => {
            let found = clocks.find(name.as_deref());
            found
                .map(|clock| Box::new(clock) as Box<dyn WakeSource>)
                .map_err(|fault| DeviceError {
                    device: DEVICE,
                    ..fault
                })
        }
        WakeBy::WittyPi4 { bus } => wired::witty_pi4(*bus),
        WakeBy::Timer { line, period_s } => wired::timer(line, *period_s, on_unix_s),
    }
}

#[cfg(feature = "pi")]
mod wired {
    use crate::bus_sensors::OpenBus as _;
    use crate::done_line::DoneLine;
    use crate::drivers::witty_pi4::{ADDRESS, WittyPi4};
    use crate::error::DeviceError;
    use crate::lines::{Level, Lines as _, Output, OutputKind, Wiring};
    use crate::pi::gpio::BoardLines;
    use crate::pi::i2c::KernelBus;
    use crate::wake::{DEVICE, WakeSource};
    use embedded_hal::digital::{self, ErrorType, OutputPin};
    use linux_embedded_hal::Delay;

    pub(super) fn witty_pi4(bus: u32) -> Result<Box<dyn WakeSource>, DeviceError> {
        let (bus, delay) = KernelBus::numbered(bus).open(DEVICE)?;
        Ok(Box::new(WittyPi4::new(bus, delay, ADDRESS)))
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "the line is taken when it is set, which may fail then"
    )]
    pub(super) fn timer(
        line: &Wiring,
        period_s: i64,
        on_unix_s: i64,
    ) -> Result<Box<dyn WakeSource>, DeviceError> {
        let line = Line {
            wiring: line.clone(),
            output: None,
        };
        Ok(Box::new(DoneLine::new(line, Delay, period_s, on_unix_s)))
    }

    /// A line that is taken when it is first set.
    struct Line {
        wiring: Wiring,
        output: Option<Box<dyn Output>>,
    }

    impl Line {
        fn set(&mut self, level: Level) -> Result<(), LineFailure> {
            let output = match &mut self.output {
                Some(output) => output,
                none => {
                    let lines = BoardLines::open();
                    let output = lines.output(DEVICE, &self.wiring, OutputKind::Switch);
                    none.insert(output.map_err(LineFailure)?)
                }
            };
            output.set(level).map_err(LineFailure)
        }
    }

    #[derive(Debug)]
    #[expect(dead_code, reason = "what it says is shown by `Debug`")]
    struct LineFailure(DeviceError);

    impl digital::Error for LineFailure {
        fn kind(&self) -> digital::ErrorKind {
            digital::ErrorKind::Other
        }
    }

    impl ErrorType for Line {
        type Error = LineFailure;
    }

    impl OutputPin for Line {
        fn set_low(&mut self) -> Result<(), LineFailure> {
            self.set(Level::OFF)
        }

        fn set_high(&mut self) -> Result<(), LineFailure> {
            self.set(Level::FULL)
        }
    }
}

#[cfg(not(feature = "pi"))]
mod wired {
    use super::{DEVICE, DeviceError, WakeSource, Wiring};
    use crate::error::FaultKind;

    const WHY: &str = "this program was built without I²C and lines; build it with `--features pi`";

    pub(super) fn witty_pi4(_bus: u32) -> Result<Box<dyn WakeSource>, DeviceError> {
        Err(DeviceError::new(DEVICE, FaultKind::Absent, WHY))
    }

    pub(super) fn timer(
        _line: &Wiring,
        _period_s: i64,
        _on_unix_s: i64,
    ) -> Result<Box<dyn WakeSource>, DeviceError> {
        Err(DeviceError::new(DEVICE, FaultKind::Absent, WHY))
    }
}
