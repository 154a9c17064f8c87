//! How a picture was taken and what it is worth: measured on the trap, so that a
//! researcher can leave poor pictures out, and see which ones.

use serde::{Deserialize, Serialize};

/// Why a picture was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShotCause {
    /// The schedule said so.
    Schedule,
    /// A motion sensor or a light barrier.
    Trigger,
    /// Somebody at the trap: the button, or the technician's page.
    Visit,
    /// A cause that only a newer version knows.
    #[serde(other)]
    Other,
}

/// How a picture was taken; what the camera did not say is absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ShotFacts {
    /// How long the sensor was exposed, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposure_us: Option<u64>,
    /// Amplification before and after digitizing, as one factor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gain: Option<f64>,
    /// Where the lens stood, in dioptres: 0 is infinity, 10 is 10 cm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lens_dioptres: Option<f64>,
    /// What white was taken to be, in kelvin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub white_balance_k: Option<u32>,
    /// The image sensor's own temperature, in degrees Celsius.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensor_c: Option<f64>,
    /// The image sensor, as `imx708`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensor_model: Option<String>,
}

impl ShotFacts {
    /// Whether the camera said nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a picture is worth, measured on a small copy of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PictureQuality {
    /// How much of an edge lies within two pixels at the steepest edges, 0 (fog)
    /// to 1; comparable between pictures of one camera only.
    pub sharpness: f32,
    /// Mean brightness, from 0 (black) to 255 (white).
    pub mean_luma: f32,
    /// How far the brightness spreads around its mean (standard deviation), 0 to 128.
    pub contrast: f32,
    /// Share of the picture that is quite black, 0 to 1.
    pub dark_share: f32,
    /// Share of the picture that is burnt out, 0 to 1.
    pub bright_share: f32,
    /// How far the light parts of the picture, the background, are from grey: 0
    /// (grey) to 1 (one pure colour). A yellow card has about 0.5.
    pub cast: f32,
    /// The colour of the light parts, as an angle in degrees from red (0) over
    /// yellow (60), green (120) and blue (240).
    pub hue_degrees: f32,
    /// What is wrong with the picture; empty for a good one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flaws: Vec<PictureFlaw>,
}

/// What is wrong with a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PictureFlaw {
    /// Nothing can be seen: a cover on the lens, a lamp that failed, thick fog.
    Covered,
    /// Too dark to find small insects.
    Dark,
    /// Large parts are burnt out.
    Overexposed,
    /// Much less sharp than the trap's own recent pictures, or than any card in focus.
    Blurred,
    /// Another colour of light than the trap's recent pictures, or than daylight and lamps have.
    Cast,
    /// A flaw that only a newer version knows.
    #[serde(other)]
    Other,
}
