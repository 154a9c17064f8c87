//! Version 1 of the wire: what a trap posts and what the server answers.
//!
//! `POST /api/v1/sync` carries a [`SyncBatch`], plain or as gzip, and answers a [`SyncReply`];
//! `GET /api/v1/sync/<sha256 of the batch>` answers it again.
//! Pictures travel by tus under `/api/v1/uploads`; `GET
//! /api/v1/uploads?sha256=…` answers a [`PictureStatus`]. The files of a
//! [`ModelOffer`] come by `GET /api/v1/models/<sha256>`, the bundle of an
//! [`UpdateOffer`] by `GET /api/v1/updates/<sha256>`. Every request may arrive
//! twice and its answer never: records are keyed by id, pictures by content, and
//! the same request gives the same answer. `POST /api/v1/enrol` carries a
//! [`SignedEnrolment`] of a trap that is not known yet and answers an
//! [`EnrolReply`].

use crate::Sha256;
use serde::{Deserialize, Serialize};

mod capture;
mod effort;
mod enrol;
mod heartbeat;
mod inspection;
mod look;
mod model;
mod shot;
mod track;
mod update;
mod upload;
mod words;

pub use capture::{CaptureRecord, CaptureSource, PictureRef, ReadingRecord};
pub use effort::{EffortOutcome, EffortRecord, MissReason};
pub use enrol::{EnrolAnswer, EnrolPlace, EnrolReply, EnrolRequest, Hardware, SignedEnrolment};
pub use heartbeat::{Fault, Heartbeat};
pub use inspection::{DetectionRecord, InspectionOutcome, InspectionRecord, ModelRef};
pub use look::{CardSeen, LookFacts, WholeBecause};
pub use model::{ModelAnswer, ModelOffer, ModelState};
pub use shot::{PictureFlaw, PictureQuality, ShotCause, ShotFacts};
pub use track::{TrackBox, TrackEnd, TrackOrigin, TrackRecord};
pub use update::{UpdateAnswer, UpdateOffer, UpdateState, is_version};
pub use upload::{PictureStatus, Receipt, UnfinishedUpload};

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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// An update that the trap is to fetch and install; absent while it has what it shall have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<UpdateOffer>,
    /// The pictures of which the server has unfinished uploads of this trap, by their SHA-256:
    /// only of these has it to be asked. Absent from a server that does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfinished: Option<Vec<Sha256>>,
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

/// The body of every answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A word for scripts: `bad_key`, `too_large`, `not_found`, ….
    pub error: String,
    /// What is wrong and what to do, in a sentence.
    pub message: String,
}
