//! Arrivals: the same insect over frames is one individual.
//!
//! An ecologist wants to know how many insects came between two hours, not how many boxes a picture has. A sticky
//! card keeps what lands on it, so a box where one was before is the same insect, and a box where none was is a new
//! one. The [`Tracker`] decides that, frame by frame, from boxes alone:
//!
//! ```text
//! Frame ─ pose ─► boxes in card coordinates ─ assign ─► sightings of known tracks, walkers, and what is left
//!                 (drift, a bump, a turn)      (one to one)                    │ track
//!                                                     Change::New, Updated, Ended ─ count ─► Count { counted, low, high }
//! ```
//!
//! - **Place.** Tracks live in card coordinates: those of the first picture of this card. `Frame::shift_px` moves
//!   them along; what the boxes themselves say about shift and turn ([`pose`]) corrects it, so that drift does not
//!   add up and a bump costs nothing.
//! - **Two thresholds.** A weak box continues a track, but only boxes of which the best has nearly
//!   [`Settings::score`] confirm one. What flickers once is no arrival, and what is always weak is none either, unless
//!   the card's first picture ([`Scene`]) shows that nothing was there.
//! - **Patience.** A track that is not seen stays remembered, for [`Settings::gone_after`] good frames as present and
//!   then as gone; if it shows up again in its place it is the same individual with the same number. What another
//!   insect covers is not missed at all.
//! - **Poor frames** (a lamp that failed, fog, a picture out of focus) prove no absence and start nothing.
//! - **A new card** ends all tracks, and counts what only the last look at the old one showed, if it showed it well.
//!   What is on a card at its first look is [`Origin::Present`], not arrived.
//! - **Walking.** A box that is gone and a like box a few lengths beside it are one insect; close by it may look quite
//!   different. A like box far away is a new track that says which one it could be ([`TrackView::maybe_number`]).
//! - **Overlooked.** A box where the card's first picture was dark already ([`Scene`]) did not come: the detector
//!   only sees it in today's light. It is `Present`, too.
//!
//! What it cannot know: an insect that came and was washed off between two pictures, and a wet insect that the
//! detector never saw. [`arrivals_between`] says how sure a count is, with what a detector gets wrong on the average.
//!
//! The outcome depends on the frames alone: not on the order of sightings in a frame, and on no clock.

use serde::{Deserialize, Serialize};

use crate::boxes::Detection;
use crate::look::{CardSeen, Quality};

mod appearance;
mod assign;
mod count;
mod first_look;
mod matching;
mod pose;
mod scene;
mod spotting;
mod state;
mod track;
mod tracker;

pub use appearance::{Appearance, appearance};
pub use count::{Count, LookNote, arrivals_between};
pub use first_look::FirstLook;
pub use scene::{Scene, scene};
pub use tracker::Tracker;

/// Most tracks of one card that are remembered, seen or gone.
pub const TRACKS_MAX: usize = 5000;

/// Most sightings of one frame; weaker ones beyond are left out.
pub const SIGHTINGS_MAX: usize = 5000;

/// One box of a frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Sighting {
    /// The box, in picture pixels.
    pub detection: Detection,
    /// What is in it.
    pub appearance: Appearance,
    /// Taken over from the last picture because nothing changed there, not looked for again.
    pub is_carried: bool,
}

/// What one look gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// All boxes down to the model's low threshold.
    pub sightings: Vec<Sighting>,
    /// Where the last picture's middle lies now, right and down; `None` if it cannot be told.
    pub shift_px: Option<(f32, f32)>,
    /// Whether the last frame's card still hangs there.
    pub card: CardSeen,
    /// The picture is too poor to prove that something is not there.
    pub is_poor: bool,
}

/// Whether a picture of this quality proves no absence: black, or nearly all of it burnt out. What is merely worse than
/// usual, the tracker notices by its insects.
#[must_use]
pub fn is_poor(quality: &Quality) -> bool {
    quality.mean_luma < 16.0 || quality.clipped_share > 0.8
}

/// How strict the tracker is. The numbers of frames are meant for a picture every 10 to 60 minutes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The score that starts a track: the manifest's shown threshold. Weaker boxes continue tracks.
    pub score: f32,
    /// After this many good frames without a sighting a confirmed track is gone.
    pub gone_after: u32,
    /// Strong boxes are `Present` in the first frame of a card alone, weak ones until this many good frames are seen,
    /// unless the card's first scene shows that nothing was there.
    pub settling_frames: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            score: 0.43,
            gone_after: 6,
            settling_frames: 3,
        }
    }
}

/// One individual. Frame numbers count the frames given to the tracker, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TrackView {
    /// Counts up within a tracker, from 1, over all its cards; never reused.
    pub number: u64,
    /// Frame of the first sighting.
    pub first: u64,
    /// Frame of the last sighting.
    pub last: u64,
    /// Frame of the sighting with the best score.
    pub best: u64,
    /// Its box there, in pixels of that picture.
    pub best_box: Detection,
    /// Best score so far.
    pub score: f32,
    /// Class at the best sighting.
    pub class: u16,
    /// Frames with a sighting.
    pub seen: u32,
    /// Where it came from.
    pub origin: Origin,
    /// Seen well or often enough to be counted; stays so.
    pub is_confirmed: bool,
    /// The track that this one could be, far away from where it was last seen: then nothing new came.
    pub maybe_number: Option<u64>,
    /// `None` while it is on the card. A track that is `Gone` can come back, with the same number.
    pub end: Option<End>,
}

/// Where a track came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// It was not there when the card was last looked at.
    Arrived,
    /// It was there at the first look at this card, seen then or overlooked.
    Present,
}

/// Why a track is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Washed off, walked away, or never an insect.
    Gone,
    /// The card was changed.
    CardChanged,
}

/// What a frame changed in the list of tracks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Seen for the first time.
    New(TrackView),
    /// Seen again, or back from being gone.
    Updated(TrackView),
    /// No longer there.
    Ended(TrackView),
}

impl Change {
    /// The track after the change.
    #[must_use]
    pub fn track(&self) -> &TrackView {
        match self {
            Self::New(track) | Self::Updated(track) | Self::Ended(track) => track,
        }
    }
}

/// The outcome of one frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The frame's number.
    pub frame: u64,
    /// One entry per track that was seen or ended, in the order of their numbers.
    pub changes: Vec<Change>,
    /// As long as the frame's sightings: the number of the track that each belongs to. `None` for a box that starts
    /// nothing, because the frame is poor or the tracker is full.
    pub numbers: Vec<Option<u64>>,
    /// The tracker itself holds the frame for poor, because almost nothing known was seen in it.
    pub is_doubtful: bool,
}
