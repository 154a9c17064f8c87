//! A camera, whatever is behind it: one call gives one JPEG file.

use crate::error::DeviceError;

/// What a shot asks of the camera.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShotSettings {
    /// Milliseconds after which the agent stops waiting.
    pub deadline_ms: u64,
    /// The picture is looked at and not kept: a folder does not go on.
    pub only_to_look: bool,
}

/// One picture as it came from the camera.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// The whole JPEG file.
    pub jpeg: Vec<u8>,
    /// Where it comes from.
    pub source: FrameSource,
    /// How it was taken, as far as the camera says.
    pub facts: ShotFacts,
}

/// How a picture was taken; what a camera does not say is `None`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ShotFacts {
    /// How long the sensor was exposed, in microseconds.
    pub exposure_us: Option<u64>,
    /// Amplification before and after digitizing, as one factor.
    pub gain: Option<f64>,
    /// Where the lens stood, in dioptres: 0 is infinity, 10 is 10 cm.
    pub lens_dioptres: Option<f64>,
    /// What white was taken to be, in kelvin.
    pub white_balance_k: Option<u32>,
    /// The image sensor's own temperature, in degrees Celsius.
    pub sensor_c: Option<f64>,
    /// The image sensor, as `imx708`.
    pub sensor_model: Option<String>,
}

/// Where a picture comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrameSource {
    /// A camera of the trap.
    Camera {
        /// Model or driver name.
        model: String,
    },
    /// A file of a folder.
    Replayed {
        /// The file's name without its folder.
        file_name: String,
    },
    /// A drawn picture; only the simulation says this.
    Simulated,
}

/// A camera. `shoot` may block for as long as the hardware does.
pub trait Camera: Send {
    /// Takes one picture.
    ///
    /// # Errors
    /// [`DeviceError`] when there is no picture; the kind says whether to try again.
    fn shoot(&mut self, settings: &ShotSettings) -> Result<Frame, DeviceError>;

    /// Whether the camera will never give another picture: a folder played to its end.
    fn is_exhausted(&self) -> bool {
        false
    }

    /// What the camera did not do as it was told at its last picture, each in a clause about it.
    fn remarks(&self) -> &[String] {
        &[]
    }
}
