//! What a model made of a picture: its boxes, or why there are none.

use super::Stamp;
use super::look::{self, LookFacts};
use crate::digest::Sha256;
use crate::ids::CaptureId;
use serde::{Deserialize, Serialize};

/// What one model made of one capture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InspectionRecord {
    /// The capture.
    pub capture: CaptureId,
    /// The model; a capture has at most one inspection per model.
    pub model: ModelRef,
    /// When the inspection ended.
    pub stamp: Stamp,
    /// How long it took.
    pub took_ms: u64,
    /// What came of it.
    pub outcome: InspectionOutcome,
}

/// A model, so that every detection can be traced to the file that made it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelRef {
    /// The id of its manifest.
    pub id: String,
    /// SHA-256 of the model file.
    pub sha256: Sha256,
    /// Score from which its author calls a box an insect, 0 to 1; weaker boxes are sent too.
    pub threshold: f32,
}

/// What came of an inspection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum InspectionOutcome {
    /// The whole picture was looked at.
    Seen {
        /// The boxes, strongest first; an empty list means that nothing was found.
        detections: Vec<DetectionRecord>,
        /// How the picture was looked at; older traps don't say it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        look: Option<LookFacts>,
    },
    /// The picture could not be looked at; this is not "no insects".
    GaveUp {
        /// Why.
        reason: String,
        /// After how many tries.
        attempts: u32,
    },
}

/// One box, in pixels of the whole picture as a viewer shows it (turned by its
/// Exif orientation), origin at the top left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DetectionRecord {
    /// Left edge.
    pub x_px: f32,
    /// Top edge.
    pub y_px: f32,
    /// Width.
    pub width_px: f32,
    /// Height.
    pub height_px: f32,
    /// Confidence, 0 to 1.
    pub score: f32,
    /// The class's name in the model's manifest.
    pub class: String,
    /// Number of the insect's track in the trap's ledger, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub track: Option<u64>,
    /// Taken over from the picture before, because nothing had changed there.
    #[serde(default, skip_serializing_if = "look::is_false")]
    pub carried: bool,
}
