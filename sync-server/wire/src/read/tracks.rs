//! Tracks and arrivals as researchers read them.

use crate::arrivals::{Count, Interval};
use crate::ids::{CaptureId, TrapId};
use crate::read::PictureState;
use crate::v1::{ClockQuality, TrackBox, TrackRecord};
use serde::{Deserialize, Serialize};

/// One insect in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrackRow {
    /// Its trap.
    pub trap: TrapId,
    /// When the first picture that shows it was taken, as the trap believed.
    pub first_ms: i64,
    /// How far to trust that.
    pub first_clock: ClockQuality,
    /// When the last picture that shows it was taken.
    pub last_ms: i64,
    /// Whether a crop of it can be shown.
    pub best_picture: PictureState,
    /// What the trap said of it.
    #[serde(flatten)]
    pub track: TrackRecord,
}

/// One insect with some of the pictures that show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrackDetail {
    /// As in lists.
    #[serde(flatten)]
    pub row: TrackRow,
    /// Its trap's name.
    pub trap_name: String,
    /// Pictures that show it, oldest first: the first, the best, the last, and some between.
    pub moments: Vec<TrackMoment>,
}

/// An insect in one picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrackMoment {
    /// The capture.
    pub capture: CaptureId,
    /// When it was taken.
    pub taken_ms: i64,
    /// Whether a crop of it can be shown.
    pub picture_state: PictureState,
    /// Where the insect is in it.
    #[serde(rename = "box")]
    pub place: TrackBox,
}

/// Arrivals of one trap, interval by interval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrivals {
    /// Start of the first interval.
    pub from_ms: i64,
    /// End of the last interval.
    pub until_ms: i64,
    /// Length of an interval.
    pub step_ms: i64,
    /// The intervals, in order and without gaps.
    pub intervals: Vec<Interval>,
    /// All of it as one interval: narrower than the sum of the intervals, because an
    /// arrival that may belong to two of them is still one.
    #[serde(default)]
    pub total: Option<Count>,
    /// Ids of the models that found the insects.
    pub models: Vec<String>,
}
