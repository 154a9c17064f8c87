//! What only a check touches: each sensor by itself, the battery-backed clock,
//! the detector, the way to the server. Boot gives it; between checks it rests.

use crate::lent::Lent;
use crate::power::OpenWake;
use crate::sync::uplink::Uplink;
use std::fmt;
use trapline_hal::{DeviceError, Power};

/// Looks at one part and says in words how it is.
pub type ReadPart = Box<dyn FnMut() -> Result<String, DeviceError> + Send>;

/// Looks for insects on a picture, or only loads the model, and says in words how it is.
pub type LookOnce = Box<dyn FnMut(Option<&[u8]>) -> Result<String, String> + Send>;

/// Prepares another way to the server than the one that the sync stage uses.
pub type OpenUplink = Box<dyn FnMut() -> Result<Box<dyn Uplink>, String> + Send>;

/// One part that can be asked.
pub struct Probe {
    /// Its name, as `climate sht3x`.
    pub part: String,
    /// What to do when it does not work and says no remedy itself.
    pub remedy: String,
    /// Asks it.
    pub(crate) read: Lent<ReadPart>,
}

impl Probe {
    /// A part and who asks it.
    #[must_use]
    pub fn new(part: impl Into<String>, remedy: impl Into<String>, read: ReadPart) -> Self {
        Self {
            part: part.into(),
            remedy: remedy.into(),
            read: Lent::of(read),
        }
    }
}

/// Everything that checks touch beside the stages.
#[derive(Default)]
pub struct Probes {
    /// What is wrong with the settings.
    pub settings: Vec<String>,
    /// Sensors and clock, each by itself.
    pub parts: Vec<Probe>,
    /// The battery, to be read while the camera works.
    pub battery: Option<Lent<Box<dyn Power>>>,
    /// The detector.
    pub look: Option<Lent<LookOnce>>,
    /// What wakes the trap.
    pub open_wake: Option<Lent<OpenWake>>,
    /// The way to the server.
    pub open_uplink: Option<OpenUplink>,
}

impl fmt::Debug for Probes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probes").finish_non_exhaustive()
    }
}
