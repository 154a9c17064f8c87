//! Tracks: one insect over all the pictures that show it.

use crate::ids::{CaptureId, TrackId};
use crate::v1::ModelRef;
use serde::{Deserialize, Serialize};

/// One insect on one card, over all the pictures that show it.
///
/// A track is told when it is new, when it becomes certain, when it ends, and
/// each time it was seen twice as often as when it was last told; `last`,
/// `best` and `seen` of a track without an `end` may therefore be behind.
/// The newest `revision` holds; an older one that arrives later changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrackRecord {
    /// Its name in the trap's ledger.
    pub id: TrackId,
    /// Counts from 1 how often the track was told.
    pub revision: u32,
    /// The first capture that shows it.
    pub first: CaptureId,
    /// The last capture that shows it.
    pub last: CaptureId,
    /// The capture that shows it best.
    pub best: CaptureId,
    /// Where it is in `best`.
    pub best_box: TrackBox,
    /// Confidence in `best`, 0 to 1.
    pub score: f32,
    /// The class's name in the model's manifest.
    pub class: String,
    /// The model that found it in the capture where it was last told.
    pub model: ModelRef,
    /// Captures that show it.
    pub seen: u32,
    /// Which card of the ledger it sits on, from 1.
    pub card: u32,
    /// Whether it came while the card was watched.
    pub origin: TrackOrigin,
    /// Seen often and surely enough to be counted.
    pub is_confirmed: bool,
    /// The track that this one could be, far away from where that was last
    /// seen: then nothing new came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub could_be: Option<TrackId>,
    /// How it ended; absent while it sits there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<TrackEnd>,
}

/// A box in pixels of the whole picture as a viewer shows it, origin at the top left.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TrackBox {
    /// Left edge.
    pub x_px: f32,
    /// Top edge.
    pub y_px: f32,
    /// Width.
    pub width_px: f32,
    /// Height.
    pub height_px: f32,
}

/// Whether an insect came while the card was watched. Only those that did are arrivals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrackOrigin {
    /// It was not there in an earlier picture of the card.
    Arrived,
    /// It was there at the first look at the card, or at the first with another model.
    Present,
}

/// How a track ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrackEnd {
    /// It is no longer there.
    Gone,
    /// The card was changed.
    CardChanged,
    /// The trap lost count; the insect is met again as another track that is no arrival.
    Lost,
}
