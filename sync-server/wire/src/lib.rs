//! What a trap and its server say to each other, and what a researcher reads.
//!
//! Pure data: no I/O, no runtime, no clock. The JSON of every type is
//! snapshotted in `tests/it`, and docs/PROTOCOL.md carries the hash of
//! `v1.rs` and its parts, so that the wire never changes without its document.

#![warn(missing_docs)]

pub mod arrivals;
pub mod cell;
pub mod digest;
pub mod identity;
pub mod ids;
pub mod key;
pub mod limits;
pub mod read;
pub mod token;
pub mod v1;

pub use digest::Sha256;
pub use identity::{EnrolCode, Identity, PublicKey};
pub use ids::{CaptureId, EffortId, LedgerId, ReadingId, TrackId, TrapId};
pub use key::TrapKey;
pub use token::EnrolToken;
