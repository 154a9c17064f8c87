//! The battery behind the trap, the heat of its processor, and its switch.

use crate::error::DeviceError;
use crate::units::{Amperes, ChipCelsius, Volts};

/// What the power supply says now.
#[derive(Debug, Default)]
pub struct PowerReading {
    /// Battery voltage, if something measures it.
    pub battery: Option<Volts>,
    /// Current out of the battery, if something measures it too.
    pub current: Option<Amperes>,
    /// Why nothing was measured.
    pub fault: Option<DeviceError>,
}

/// Whatever measures the battery.
pub trait Power: Send {
    /// Reads it; never fails as a whole.
    fn read(&mut self) -> PowerReading;
}

/// Whatever knows how hot the processor is.
pub trait Thermal: Send {
    /// Its temperature now; `None` when nothing tells it.
    fn soc(&mut self) -> Option<ChipCelsius>;
}

/// Whatever shuts the whole trap down in order.
pub trait SwitchOff: Send {
    /// Orders it; the system then stops everything, this program too, and the
    /// power goes some seconds later.
    ///
    /// # Errors
    /// When the order was refused: everything goes on.
    fn order(&mut self) -> Result<(), DeviceError>;
}
