//! The battery behind the trap.

use crate::error::DeviceError;
use crate::units::Volts;

/// What the power supply says now.
#[derive(Debug, Default)]
pub struct PowerReading {
    /// Battery voltage, if something measures it.
    pub battery: Option<Volts>,
    /// Why nothing was measured.
    pub fault: Option<DeviceError>,
}

/// Whatever measures the battery.
pub trait Power: Send {
    /// Reads it; never fails as a whole.
    fn read(&mut self) -> PowerReading;
}
