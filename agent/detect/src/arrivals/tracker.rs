//! The tracker: what it remembers, and what one frame does to it.

use serde::{Deserialize, Serialize};

use super::{Frame, Observation, Settings, TrackView};

/// All insects of one trap's card, from frame to frame. Save it as JSON between frames; reading checks it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tracker {
    settings: Settings,
    frames: u64,
}

impl Tracker {
    /// A tracker that has seen nothing.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            frames: 0,
        }
    }

    /// How many frames it has seen; the number of the next frame.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// The tracks of this card, in the order of their numbers, with those that are gone.
    #[must_use]
    pub fn tracks(&self) -> Vec<TrackView> {
        Vec::new()
    }

    /// Takes in one frame.
    pub fn observe(&mut self, frame: &Frame) -> Observation {
        let number = self.frames;
        self.frames += 1;
        Observation {
            frame: number,
            changes: Vec::new(),
            numbers: vec![None; frame.sightings.len()],
            is_doubtful: false,
        }
    }
}
