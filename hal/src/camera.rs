//! A camera, whatever is behind it: one call gives one JPEG file.

use crate::error::DeviceError;

/// What a shot asks of the camera.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShotSettings {
    /// Milliseconds after which the agent stops waiting.
    pub deadline_ms: u64,
}

/// One picture as it came from the camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The whole JPEG file.
    pub jpeg: Vec<u8>,
    /// Where it comes from.
    pub source: FrameSource,
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
}
