//! An update of the whole system on its way to a trap: what the server offers, and
//! what came of it.
//!
//! The offer rides on every [`SyncReply`](super::SyncReply) until the trap says in a
//! heartbeat that it took or refused the update. The bundle is then asked for by
//! content, `GET /api/v1/updates/<sha256>` with a `Range`. Whether a bundle is to be
//! trusted is not the server's to say: it carries a signature that the trap proves.

use crate::digest::Sha256;
use serde::{Deserialize, Serialize};

/// A bundle that the trap is to install.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateOffer {
    /// Its version, which a file may be called: letters, digits, `.`, `-`, `_`, `+` and `~`.
    pub version: String,
    /// SHA-256 of the bundle, which names the update.
    pub sha256: Sha256,
    /// Size of the bundle, at most [`BUNDLE_BYTES_MAX`](crate::limits::BUNDLE_BYTES_MAX).
    pub size_bytes: u64,
}

/// What became of the last update of a trap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateAnswer {
    /// Its version.
    pub version: String,
    /// SHA-256 of its bundle; absent when it was installed by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256>,
    /// How far it is.
    pub state: UpdateState,
    /// Since when, believed UTC in milliseconds.
    pub since_ms: i64,
}

/// How far an update is on a trap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum UpdateState {
    /// Its bundle is being fetched.
    Fetching {
        /// Bytes that are on the card.
        done_bytes: u64,
        /// Bytes of the bundle.
        size_bytes: u64,
    },
    /// It is whole on the card and waits to be installed.
    Ready,
    /// It is in the other slot and proves itself at the next start.
    Installed,
    /// It proved itself and is the trap's system.
    Confirmed,
    /// It was never installed, and is not fetched again.
    Refused {
        /// Why, in a sentence.
        reason: String,
    },
    /// It did not prove itself: the system before it runs again, and it is not fetched again.
    Returned {
        /// Why, in a sentence.
        reason: String,
    },
}

impl UpdateState {
    /// Whether the trap is done with it, so that the offer need not be repeated.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        match self {
            Self::Confirmed | Self::Refused { .. } | Self::Returned { .. } => true,
            Self::Fetching { .. } | Self::Ready | Self::Installed => false,
        }
    }
}

/// Whether a version can name a file on every card.
#[must_use]
pub fn is_version(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-+~".contains(c);
    (1..=64).contains(&text.len()) && text.chars().all(is_plain) && !text.starts_with(['.', '-'])
}
