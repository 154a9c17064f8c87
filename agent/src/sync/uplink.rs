//! The seam to the server: what can be asked of it and how it can fail.

use async_trait::async_trait;
use std::time::Duration;
use trapline_wire::v1::{
    EnrolReply, PictureStatus, Receipt, SignedEnrolment, SyncBatch, SyncReply,
};
use trapline_wire::{Sha256, TrapKey};

/// A server, whatever the way to it. Every call may be made twice.
#[async_trait]
pub trait Uplink: Send {
    /// Asks to be enrolled; only a trap with an identity of its own does.
    async fn enrol(&mut self, _asking: &SignedEnrolment) -> Result<EnrolReply, UplinkError> {
        let why = "this way to the server enrols nobody".to_owned();
        Err(UplinkError::NotEnrolled(why))
    }

    /// From now on the trap shows this key.
    fn use_key(&mut self, _key: &TrapKey) {}

    /// Sends records; the answer is checked against the batch by the caller.
    async fn post(&mut self, batch: &SyncBatch) -> Result<SyncReply, UplinkError>;

    /// Asks for the answer to a batch again, by the SHA-256 of its JSON; `None` when the server does not
    /// know that batch, or does not know of such questions.
    async fn batch_reply(&mut self, _batch: &Sha256) -> Result<Option<SyncReply>, UplinkError> {
        Ok(None)
    }

    /// A second way to the same server, on which a picture goes while this one is free; `None` where
    /// there is one way only.
    fn lane(&self) -> Option<Box<dyn Uplink>> {
        None
    }

    /// Asks what the server has of a picture.
    async fn picture_status(&mut self, sha256: &Sha256) -> Result<PictureStatus, UplinkError>;

    /// Starts an upload and sends its first bytes.
    async fn create(
        &mut self,
        picture: &NewUpload,
        first: Vec<u8>,
    ) -> Result<Uploaded, UplinkError>;

    /// Sends more bytes of an upload, from `offset_bytes` on.
    async fn append(
        &mut self,
        location: &str,
        offset_bytes: u64,
        bytes: Vec<u8>,
    ) -> Result<Uploaded, UplinkError>;

    /// Fetches up to `len_bytes` of an offered file, from `offset_bytes` on.
    async fn fetch(
        &mut self,
        shelf: Shelf,
        sha256: &Sha256,
        offset_bytes: u64,
        len_bytes: u64,
    ) -> Result<Vec<u8>, UplinkError>;
}

/// Which kind of file is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shelf {
    /// A file of a model.
    Models,
    /// A bundle, an update of the whole system.
    Updates,
}

impl Shelf {
    /// Where the server has such files.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Models => "/api/v1/models",
            Self::Updates => "/api/v1/updates",
        }
    }
}

/// A picture that is to be uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUpload {
    /// SHA-256 of the file.
    pub sha256: Sha256,
    /// Size of the file.
    pub size_bytes: u64,
    /// A name for people.
    pub file_name: String,
}

/// Where an upload stands after a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// Path of the upload's URL.
    pub location: String,
    /// Bytes that the server has.
    pub offset_bytes: u64,
    /// The receipt, once it has all.
    pub receipt: Option<Receipt>,
}

/// Why the server did not do it; each variant asks for another reaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UplinkError {
    /// No answer: no signal, no such host, a time-out, a cut in the answer.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// The server says that it cannot now.
    #[error("the server is not well ({status}): {message}")]
    Unwell {
        /// HTTP status.
        status: u16,
        /// Its words.
        message: String,
        /// When to ask again, if it says so.
        retry_after: Option<Duration>,
    },
    /// It does not know the key.
    #[error(
        "the server refused the trap's key: {0}; enrol the trap with `trapline-server trap add` \
         and put its key into TRAPLINE_SERVER_KEY or `server.key`"
    )]
    BadKey(String),
    /// It does not take the trap in.
    #[error("the server does not enrol this trap: {0}")]
    NotEnrolled(String),
    /// Another card speaks as this trap.
    #[error("{0}")]
    Parked(String),
    /// The answer is not one that a Trapline server gives.
    #[error("the answer is not from a Trapline server: {0}; check `server.url`")]
    Nonsense(String),
    /// The server is at another byte of the upload.
    #[error("the upload stands elsewhere: {0}")]
    OutOfStep(String),
    /// The server has forgotten the upload.
    #[error("the upload is gone: {0}")]
    Gone(String),
    /// The request is over the server's limit.
    #[error("the request is too large for the server: {0}")]
    TooLarge(String),
    /// The bytes that arrived are not those of the picture.
    #[error("the picture arrived damaged: {0}")]
    Mismatch(String),
    /// Any other refusal.
    #[error("the server refused the request ({status}): {message}")]
    Rejected {
        /// HTTP status.
        status: u16,
        /// Its words.
        message: String,
    },
}

impl UplinkError {
    /// Whether it says something of the way to the server, and nothing of the file that was asked for.
    #[must_use]
    pub fn is_of_the_way(&self) -> bool {
        match self {
            Self::Unreachable(_)
            | Self::Unwell { .. }
            | Self::BadKey(_)
            | Self::NotEnrolled(_)
            | Self::Parked(_) => true,
            Self::Nonsense(_)
            | Self::OutOfStep(_)
            | Self::Gone(_)
            | Self::TooLarge(_)
            | Self::Mismatch(_)
            | Self::Rejected { .. } => false,
        }
    }
}
