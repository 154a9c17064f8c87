//! Version 1 of the wire: what a trap posts and what the server answers.
//!
//! `POST /api/v1/sync` carries a [`SyncBatch`] and answers a [`SyncReply`].
//! Pictures travel by tus under `/api/v1/uploads`; `GET
//! /api/v1/uploads?sha256=…` answers a [`PictureStatus`]. The files of a
//! [`ModelOffer`] come by `GET /api/v1/models/<sha256>`. Every request may
//! arrive twice and its answer never: records are keyed by id, pictures by
//! content, and the same request gives the same answer.

use crate::digest::Sha256;
use crate::ids::{CaptureId, EffortId, ReadingId};
use serde::{Deserialize, Serialize};

mod look;
mod model;
mod track;

pub use look::{CardSeen, LookFacts, WholeBecause};
pub use model::{ModelAnswer, ModelOffer, ModelState};
pub use track::{TrackBox, TrackEnd, TrackOrigin, TrackRecord};

/// When something happened, as the trap's own clock believes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Believed UTC, milliseconds since 1970.
    pub unix_ms: i64,
    /// How far `unix_ms` can be trusted.
    pub quality: ClockQuality,
    /// The boot in which `uptime_ms` counts.
    pub boot_id: String,
    /// Milliseconds since that boot; never jumps.
    pub uptime_ms: u64,
}

/// How far a trap's clock can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockQuality {
    /// Nothing has ever set it: the year may be 1970.
    Unset,
    /// Carried on from the last time that the trap knew; at least that late.
    Restored,
    /// Read from a battery-backed clock.
    Rtc,
    /// Confirmed by network time or the server in this boot.
    Synced,
}

/// Everything small that a trap has to say, at most
/// [`BATCH_RECORDS_MAX`](crate::limits::BATCH_RECORDS_MAX) of each kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SyncBatch {
    /// How the trap is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<Heartbeat>,
    /// Planned shots and how they ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effort: Vec<EffortRecord>,
    /// Sensor readings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub readings: Vec<ReadingRecord>,
    /// Captures, each naming the SHA-256 of its picture.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub captures: Vec<CaptureRecord>,
    /// What the detector found in captures of this or an earlier batch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inspections: Vec<InspectionRecord>,
    /// Insects over all the pictures that show them, of captures of this or an earlier batch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tracks: Vec<TrackRecord>,
}

impl SyncBatch {
    /// How many records the batch holds, the heartbeat not counted.
    #[must_use]
    pub fn records(&self) -> usize {
        self.effort.len()
            + self.readings.len()
            + self.captures.len()
            + self.inspections.len()
            + self.tracks.len()
    }
}

/// The server's answer to a [`SyncBatch`], given after the records are committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncReply {
    /// The server's own time, milliseconds since 1970.
    pub server_time_ms: i64,
    /// How many records of the batch the server now has, those it had before
    /// counted in; `stored + refused.len()` is [`SyncBatch::records`].
    pub stored: u64,
    /// Records that the server will never take, each with the reason.
    #[serde(default)]
    pub refused: Vec<Refusal>,
    /// Receipts for those pictures of the batch's captures that are stored already.
    #[serde(default)]
    pub receipts: Vec<Receipt>,
    /// A model that the trap is to fetch and try; absent while it has what it shall have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelOffer>,
}

/// A planned shot, or a run of planned shots with the same fate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffortRecord {
    /// Its name in the trap's ledger.
    pub id: EffortId,
    /// When the first shot was due, believed UTC in milliseconds.
    pub due_ms: i64,
    /// When the last shot was due; equals `due_ms` for a single shot.
    pub last_due_ms: i64,
    /// How many shots the row stands for, at least 1.
    pub shots: u32,
    /// How the shots ended.
    pub outcome: EffortOutcome,
    /// When that was known.
    pub closed: Stamp,
}

/// How a planned shot ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EffortOutcome {
    /// A capture was admitted to the ledger.
    Done {
        /// Which one.
        capture: CaptureId,
    },
    /// No picture exists.
    Missed {
        /// Why, in one of a few words that can be counted.
        reason: MissReason,
        /// Why, in the words of the device or the system.
        detail: String,
    },
}

/// Why a planned shot gave no picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissReason {
    /// The camera failed, hung or gave something that is no picture.
    Camera,
    /// The card is full or cannot be written.
    Disk,
    /// The agent was cut off between the start of the shot and its commit.
    Cut,
    /// The trap was without power, or the agent was not running.
    Off,
    /// The shot before took longer than the interval.
    Overrun,
    /// The battery is below its limit.
    Battery,
    /// The clock jumped over the shot.
    Clock,
}

/// Sensor readings of one moment; a sensor that failed or is absent is `null`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReadingRecord {
    /// Its name in the trap's ledger.
    pub id: ReadingId,
    /// When it was read.
    pub stamp: Stamp,
    /// Air temperature, degrees Celsius.
    pub temperature_c: Option<f64>,
    /// Relative humidity, percent.
    pub humidity_percent: Option<f64>,
    /// Illuminance, lux.
    pub light_lux: Option<f64>,
    /// Battery voltage, volts.
    pub battery_v: Option<f64>,
}

/// One picture of the card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaptureRecord {
    /// Its name in the trap's ledger.
    pub id: CaptureId,
    /// When the shutter closed.
    pub stamp: Stamp,
    /// Where the picture comes from.
    pub source: CaptureSource,
    /// The picture file.
    pub picture: PictureRef,
    /// The readings taken with it.
    pub reading: Option<ReadingId>,
}

/// Where a picture comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CaptureSource {
    /// A camera of the trap.
    Camera {
        /// Its model or driver name.
        model: String,
    },
    /// A file that the folder camera replayed; the time is that of the replay.
    Replayed {
        /// The file's name without its folder.
        file_name: String,
    },
    /// A simulated trap drew it; only `trapline-sim` says this.
    Simulated,
}

/// A picture by its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureRef {
    /// SHA-256 of the file, computed by the trap before it was admitted.
    pub sha256: Sha256,
    /// Size of the file.
    pub size_bytes: u64,
    /// Width as a viewer shows it, or `null` when the header cannot be read.
    pub width_px: Option<u32>,
    /// Height as a viewer shows it, or `null` when the header cannot be read.
    pub height_px: Option<u32>,
}

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

/// How the trap is: small, first in every sync.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// When this was written.
    pub stamp: Stamp,
    /// Version of the agent.
    pub agent_version: String,
    /// The model in use, if one is loaded.
    pub model: Option<String>,
    /// What became of the last model that was offered; absent if none ever was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_offer: Option<ModelAnswer>,
    /// Captures ever admitted to this ledger.
    pub captures: u64,
    /// Shots ever missed in this ledger.
    pub missed: u64,
    /// Records not yet on the server.
    pub records_waiting: u64,
    /// Pictures not yet safe on the server.
    pub pictures_waiting: u64,
    /// Their bytes.
    pub pictures_waiting_bytes: u64,
    /// Free bytes on the ledger's file system.
    pub disk_free_bytes: Option<u64>,
    /// When the next shot is due, believed UTC in milliseconds; `null` when none is planned.
    pub next_due_ms: Option<i64>,
    /// Battery voltage, volts.
    pub battery_v: Option<f64>,
    /// What does not work now, each in words.
    #[serde(default)]
    pub faults: Vec<Fault>,
}

/// Something on the trap that does not work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The part: `camera`, `climate`, `light`, `disk`, `detector`, `config`, `clock`.
    pub part: String,
    /// What is wrong and what to do, in one sentence.
    pub message: String,
    /// Since when, believed UTC in milliseconds.
    pub since_ms: i64,
}

/// The server has this picture: it computed the hash from what it stored and
/// synced file and folder to disk before it said so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// SHA-256 computed by the server from its stored file.
    pub sha256: Sha256,
    /// Size of the stored file.
    pub size_bytes: u64,
    /// When it was stored, the server's time in milliseconds.
    pub stored_ms: i64,
}

/// A record that the server will never take as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Which record: its id; for an inspection the capture's id.
    pub id: String,
    /// Which list of the batch it was in.
    pub kind: RecordKind,
    /// Why, in one of a few words.
    pub reason: RefusalReason,
    /// Why, in a sentence.
    pub message: String,
}

/// The lists of a [`SyncBatch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    /// [`SyncBatch::effort`].
    Effort,
    /// [`SyncBatch::readings`].
    Reading,
    /// [`SyncBatch::captures`].
    Capture,
    /// [`SyncBatch::inspections`].
    Inspection,
    /// [`SyncBatch::tracks`].
    Track,
}

/// Why the server refuses a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
    /// The id is known with another content.
    Conflict,
    /// The capture that the record speaks of is not known.
    UnknownCapture,
    /// A field is out of its range.
    Invalid,
}

/// What the server knows of a picture of the asking trap.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureStatus {
    /// The receipt, once the picture is stored.
    pub receipt: Option<Receipt>,
    /// An upload of it that can be resumed.
    pub upload: Option<UnfinishedUpload>,
}

/// An upload that stopped on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnfinishedUpload {
    /// Path of the upload's URL.
    pub location: String,
    /// Bytes that the server has on disk.
    pub offset_bytes: u64,
}

/// The body of every answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A word for scripts: `bad_key`, `too_large`, `not_found`, ….
    pub error: String,
    /// What is wrong and what to do, in a sentence.
    pub message: String,
}
