//! Light and climate around the card.

use crate::error::DeviceError;
use crate::units::{Celsius, Lux, RelativeHumidity};

/// What the sensors say now; a sensor that is absent or failed is `None`.
#[derive(Debug, Default)]
pub struct AmbientReading {
    /// Air temperature.
    pub temperature: Option<Celsius>,
    /// Relative humidity.
    pub humidity: Option<RelativeHumidity>,
    /// Illuminance.
    pub light: Option<Lux>,
    /// Why something is `None`, one for each sensor that failed.
    pub faults: Vec<DeviceError>,
}

/// The sensors around the card, read together.
pub trait Ambient: Send {
    /// Reads all of them; never fails as a whole.
    fn read(&mut self) -> AmbientReading;
}
