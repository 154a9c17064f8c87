//! Insects on a sticky card: pixels in, boxes out.
//!
//! The trap photographs a card at full resolution; an insect on it is some 20 to 100 pixels long. So the picture is
//! not shrunk: it is cut into overlapping square tiles, each tile goes through a small int8 network, and the boxes of
//! all tiles become one list.
//!
//! ```text
//! JPEG bytes ─ jpeg ─► Picture ─ tile ─► tiles ─ preprocess ─► planes of bytes ─ net ─► heat and distances per cell
//!                                                                                          │ boxes
//!                        Vec<Detection>, best first ◄─ suppress ◄─ candidates of all tiles ◄─┘
//! ```
//!
//! What the network expects and where its thresholds lie stands in the model's [`manifest`], never in code.
//! The crate knows no clock, no threads and no path but the model's: who calls it decides when, where and how long
//! ([`Detector::detect_with`] asks between tiles whether to go on).

pub mod manifest;

pub mod arrivals;
pub mod boxes;
pub mod change;
pub mod detector;
pub mod jpeg;
pub mod look;
mod net;
mod orientation;
pub mod preprocess;
pub mod quality;
pub mod suppress;
pub mod tile;

pub mod evaluate;

/// The network without tiles and boxes around it, for benches.
pub mod measure {
    pub use crate::net::RunError;
    pub use crate::net::bare::{Bare, Engine};
}

pub use boxes::Detection;
pub use detector::{DetectError, Detector, Progress};
pub use jpeg::{Limits, Picture, PictureError};
pub use look::{CardSeen, Look, LookSettings, Memory, Quality, Scale, WholeBecause};
pub use manifest::{Manifest, ModelError};
