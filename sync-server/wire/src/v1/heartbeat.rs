//! How a trap is, in its own words: what it has, what waits and what does not work.

use super::{ModelAnswer, Stamp, UpdateAnswer};
use serde::{Deserialize, Serialize};

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
    /// What became of the last update of the whole system; absent if there never was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<UpdateAnswer>,
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
