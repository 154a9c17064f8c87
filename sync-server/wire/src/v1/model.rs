//! A model on its way to a trap: what the server offers, and what came of it.
//!
//! The offer rides on every [`SyncReply`](super::SyncReply) until the trap says
//! in a heartbeat that it uses or refuses the model. Both files are then asked
//! for by content, `GET /api/v1/models/<sha256>` with a `Range`.

use crate::digest::Sha256;
use serde::{Deserialize, Serialize};

/// A model that the trap is to use instead of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelOffer {
    /// The id in its manifest.
    pub id: String,
    /// SHA-256 of the model file.
    pub sha256: Sha256,
    /// Size of the model file, at most
    /// [`MODEL_BYTES_MAX`](crate::limits::MODEL_BYTES_MAX).
    pub size_bytes: u64,
    /// SHA-256 of the manifest. The same file with other thresholds is another model.
    pub manifest_sha256: Sha256,
    /// Size of the manifest, at most
    /// [`MANIFEST_BYTES_MAX`](crate::limits::MANIFEST_BYTES_MAX).
    pub manifest_size_bytes: u64,
}

/// What became of the last model that was offered to a trap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelAnswer {
    /// The id of the offer.
    pub id: String,
    /// SHA-256 of the manifest, which names the model.
    pub manifest_sha256: Sha256,
    /// How far it is.
    pub state: ModelState,
    /// Since when, believed UTC in milliseconds.
    pub since_ms: i64,
}

/// How far an offered model is on a trap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ModelState {
    /// Its files are being fetched.
    Fetching {
        /// Bytes of both files that are on the card.
        done_bytes: u64,
        /// Bytes of both files.
        size_bytes: u64,
    },
    /// It is whole and proved, and looks at stored pictures beside the model in use.
    Trying,
    /// It looks at new pictures, and the model before it stands ready.
    Probation {
        /// Pictures that it still has to look at without trouble.
        pictures_left: u32,
    },
    /// It is the trap's model.
    InUse,
    /// The trap will not use it, or went back to the model before it. It is not
    /// fetched again.
    Refused {
        /// Why, in a sentence.
        reason: String,
    },
}

impl ModelState {
    /// Whether the trap has made up its mind, so that the offer need not be repeated.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        match self {
            Self::InUse | Self::Refused { .. } => true,
            Self::Fetching { .. } | Self::Trying | Self::Probation { .. } => false,
        }
    }
}
