//! Planned shots and how they ended: the effort behind every count of insects.

use super::Stamp;
use crate::ids::{CaptureId, EffortId};
use serde::{Deserialize, Serialize};

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
