//! Cards for traps: an image is written to a disk, read back past every cache
//! and compared, then given the settings of one trap and a label to stick on it.
//!
//! All bytes of an image are written, its zeros too: on a card that was used
//! before, what is skipped keeps its old content, and no comparison with the
//! image could tell that from a fault.
//!
//! Disks of the machine are reached through [`disks::Disks`], an open disk
//! through [`target::Target`], so that tests write to files, and spoil them.

pub mod card_file;
pub mod cli;
pub mod disks;
pub mod durable;
pub mod image;
pub mod job;
pub mod label;
pub mod partition;
pub mod progress;
pub mod series;
pub mod target;
pub mod traps;
pub mod write;
