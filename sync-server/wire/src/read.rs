//! What a researcher reads: the JSON of the traps, captures and time lines.
//!
//! Times are milliseconds since 1970 in UTC, as the trap believed them; the
//! `clock` beside them says how far to trust that.

use crate::ids::{CaptureId, TrapId};
use crate::v1::{
    CaptureSource, ClockQuality, EffortOutcome, Fault, InspectionRecord, ModelState, PictureFlaw,
    PictureQuality, PictureRef, ShotCause, ShotFacts, Stamp, UpdateAnswer, UpdateState,
};
use serde::{Deserialize, Serialize};

mod tracks;

pub use tracks::{Arrivals, TrackDetail, TrackMoment, TrackRow};

/// One page of a longer list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The items, in the order the call documents.
    pub items: Vec<T>,
    /// Give it back as `after` to read on; `null` on the last page.
    pub next: Option<String>,
}

/// Who is logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    /// The user's name.
    pub name: String,
}

/// One trap at a glance. "Today" starts at the `since_ms` that the caller names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrapSummary {
    /// The trap.
    pub id: TrapId,
    /// The name its people gave it.
    pub name: String,
    /// Whether its key was revoked.
    pub revoked: bool,
    /// When the server last heard from it, the server's time.
    pub last_contact_ms: Option<i64>,
    /// When its newest known capture was taken.
    pub last_capture_ms: Option<i64>,
    /// Its newest known capture.
    pub last_capture: Option<CaptureId>,
    /// Captures known to the server.
    pub captures: u64,
    /// Captures since `since_ms`.
    pub captures_today: u64,
    /// Boxes at or over the model's threshold in the newest inspected capture.
    pub insects_latest: Option<u64>,
    /// How many more that is than in the first inspected capture since `since_ms`; never negative.
    pub insects_today: Option<u64>,
    /// Shots missed since `since_ms`.
    pub missed_today: u64,
    /// Battery voltage of the last heartbeat, volts.
    pub battery_v: Option<f64>,
    /// Clock quality of the last heartbeat.
    pub clock: Option<ClockQuality>,
    /// Server's time minus the trap's time at the last heartbeat.
    pub clock_behind_ms: Option<i64>,
    /// Pictures that the trap still holds alone.
    pub pictures_waiting: Option<u64>,
    /// When its next shot is due.
    pub next_due_ms: Option<i64>,
    /// Version of its agent.
    pub agent_version: Option<String>,
    /// What does not work on it.
    pub faults: Vec<Fault>,
    /// The model that looks at its pictures, as it says.
    #[serde(default)]
    pub model: Option<String>,
    /// The model that is offered to it, if one is.
    #[serde(default)]
    pub offer: Option<OfferView>,
    /// The last update of its system, as it says.
    #[serde(default)]
    pub update: Option<UpdateAnswer>,
    /// The update that is offered to it, if one is.
    #[serde(default)]
    pub update_offer: Option<UpdateView>,
}

/// An update that is offered to a trap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateView {
    /// Its version.
    pub version: String,
    /// Since when it is offered, the server's time.
    pub offered_ms: i64,
    /// What the trap said of it; `null` while it has not heard of the offer.
    pub state: Option<UpdateState>,
}

/// A model that is offered to a trap, and how far the trap is with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferView {
    /// The model's id.
    pub id: String,
    /// Since when it is offered, the server's time.
    pub offered_ms: i64,
    /// What the trap said of it; `null` while it has not heard of the offer.
    pub state: Option<ModelState>,
}

/// Where the picture of a capture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PictureState {
    /// Still on the trap's card.
    OnTrap,
    /// Stored here, with a thumbnail.
    Stored,
    /// Stored here byte for byte, but no viewer can open it.
    Unreadable,
}

/// One capture in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaptureSummary {
    /// Its trap.
    pub trap: TrapId,
    /// The capture.
    pub id: CaptureId,
    /// When it was taken, as the trap believed.
    pub taken_ms: i64,
    /// How far to trust that.
    pub clock: ClockQuality,
    /// Where the picture is.
    pub picture_state: PictureState,
    /// Width of the picture.
    pub width_px: Option<u32>,
    /// Height of the picture.
    pub height_px: Option<u32>,
    /// Boxes at or over the model's threshold; `null` when not (or not yet) inspected.
    pub insects: Option<u64>,
    /// Why the inspection was given up, if it was.
    pub gave_up: Option<String>,
    /// Where the picture comes from.
    pub source: CaptureSource,
    /// Why it was taken; `null` from older traps.
    #[serde(default)]
    pub cause: Option<ShotCause>,
    /// What is wrong with the picture; empty for a good one and for one that was not measured.
    #[serde(default)]
    pub flaws: Vec<PictureFlaw>,
}

/// One capture with everything known of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaptureDetail {
    /// As in lists.
    #[serde(flatten)]
    pub summary: CaptureSummary,
    /// Its trap's name.
    pub trap_name: String,
    /// Its whole time stamp.
    pub stamp: Stamp,
    /// Its picture file.
    pub picture: PictureRef,
    /// How it was taken; `null` where the camera said nothing.
    #[serde(default)]
    pub shot: Option<ShotFacts>,
    /// What the picture is worth; `null` where it was not measured.
    #[serde(default)]
    pub quality: Option<PictureQuality>,
    /// When the picture was stored here, the server's time.
    pub stored_ms: Option<i64>,
    /// The readings taken with it.
    pub reading: Option<ReadingRow>,
    /// What each model made of it, the newest first.
    pub inspections: Vec<InspectionRecord>,
    /// Numbers of the tracks that arrived between the picture before and this one.
    #[serde(default)]
    pub arrivals: Vec<u64>,
    /// The capture before it on the same trap, by time.
    pub previous: Option<CaptureId>,
    /// The capture after it on the same trap, by time.
    pub next: Option<CaptureId>,
}

/// One set of readings in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReadingRow {
    /// Its trap.
    pub trap: TrapId,
    /// Its name in the trap's ledger.
    pub id: String,
    /// When, as the trap believed.
    pub taken_ms: i64,
    /// How far to trust that.
    pub clock: ClockQuality,
    /// Degrees Celsius.
    pub temperature_c: Option<f64>,
    /// Percent.
    pub humidity_percent: Option<f64>,
    /// Lux.
    pub light_lux: Option<f64>,
    /// Volts.
    pub battery_v: Option<f64>,
}

/// One row of the sampling-effort ledger in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffortRow {
    /// Its trap.
    pub trap: TrapId,
    /// Its name in the trap's ledger.
    pub id: String,
    /// When the first shot was due.
    pub due_ms: i64,
    /// When the last shot was due.
    pub last_due_ms: i64,
    /// How many shots it stands for.
    pub shots: u32,
    /// How they ended.
    pub outcome: EffortOutcome,
}

/// What the strips of a trap's page are drawn from; all lists ascend in time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    /// Start of the window.
    pub from_ms: i64,
    /// End of the window.
    pub until_ms: i64,
    /// Readings in the window.
    pub readings: Vec<TimelineReading>,
    /// Captures in the window.
    pub captures: Vec<TimelineCapture>,
    /// Missed shots in the window.
    pub missed: Vec<EffortRow>,
    /// True when a list was cut at
    /// [`TIMELINE_POINTS_MAX`](crate::limits::TIMELINE_POINTS_MAX): ask for a shorter window.
    pub truncated: bool,
}

/// One moment of the climate strips.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimelineReading {
    /// When.
    pub taken_ms: i64,
    /// Degrees Celsius.
    pub temperature_c: Option<f64>,
    /// Percent.
    pub humidity_percent: Option<f64>,
    /// Lux.
    pub light_lux: Option<f64>,
}

/// One moment of the insect strip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineCapture {
    /// When.
    pub taken_ms: i64,
    /// The capture, to open its picture.
    pub id: CaptureId,
    /// Insects at the model's threshold; `null` when not inspected.
    pub insects: Option<u64>,
    /// Whether a thumbnail can be shown.
    pub picture_state: PictureState,
    /// What is wrong with the picture; empty for a good one and for one that was not measured.
    #[serde(default)]
    pub flaws: Vec<PictureFlaw>,
}
