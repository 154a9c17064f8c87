//! Pictures on their way: what the server knows of one, and its proof that it has it.

use crate::digest::Sha256;
use serde::{Deserialize, Serialize};

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
