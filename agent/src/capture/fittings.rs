//! What may be wired to a trap beside its camera and sensors. Nothing of it
//! has to be: without it pictures are taken all the same.

use std::fmt;
use trapline_hal::lamp::Light;
use trapline_hal::switch::Supply;

/// Lamps and supplies.
#[derive(Default)]
pub struct Fittings {
    /// The light for the pictures.
    pub flash: Option<Box<dyn Light>>,
    /// The light that attracts.
    pub attract: Option<Box<dyn Light>>,
    /// The camera's supply.
    pub camera_supply: Option<Box<dyn Supply>>,
    /// The sensors' supply.
    pub sensor_supply: Option<Box<dyn Supply>>,
    /// Whether more than one try may help a camera that gives no picture.
    pub camera_recovers: bool,
}

impl fmt::Debug for Fittings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fittings")
            .field("flash", &self.flash.is_some())
            .field("attract", &self.attract.is_some())
            .field("camera_supply", &self.camera_supply.is_some())
            .field("sensor_supply", &self.sensor_supply.is_some())
            .field("camera_recovers", &self.camera_recovers)
            .finish()
    }
}
