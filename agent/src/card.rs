//! The technician's card at work: what `trapline.toml` becomes on a booted trap.
//!
//! `apply` runs as root before network and agent. Right settings replace the
//! ones before them, file by file, each in one step that survives a power cut;
//! wrong ones change nothing, for a trap with yesterday's settings takes
//! pictures and one with half of today's may not. It never fails the boot:
//! what is wrong is told to the technician in `trapline-status.txt`, and to the
//! agent, which shows it wherever it shows faults.

pub mod apply;
pub mod durable;
pub mod hotspot;
pub mod network;
pub mod status_file;
pub mod system;
pub mod understood;

use std::path::PathBuf;

/// Where things lie.
#[derive(Debug, Clone)]
pub struct Places {
    /// The folder of the card's own partition.
    pub card: PathBuf,
    /// Where the settings of the system are kept, on the data partition.
    pub data: PathBuf,
    /// In memory, for what lasts until the next boot.
    pub run: PathBuf,
    /// A board's own settings, if the file exists.
    pub board: PathBuf,
}

/// The settings that the agent runs with.
pub const AGENT_FILE: &str = "agent.toml";
/// The ones before, which passed too.
pub const LAST_GOOD_AGENT_FILE: &str = "agent.last-good.toml";
/// The card's file when it was right last.
pub const LAST_GOOD_CARD_FILE: &str = "card.last-good.toml";
