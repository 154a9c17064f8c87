//! Tokens: the permission to make one transition, used up by making it.
//!
//! Only the ledger makes them and none can be copied, so a stage cannot
//! inspect a picture that was never admitted or admit two pictures for one
//! shot. A token that is lost in a power cut does no harm: it stands for a row
//! whose state has not changed.

use trapline_wire::{CaptureId, EffortId, Sha256};

/// A shot that was opened and must be closed:
/// [`admit`](crate::Ledger::admit) or [`miss`](crate::Ledger::miss) it.
#[derive(Debug)]
#[must_use = "an open shot must be admitted or missed"]
pub struct Planned {
    pub(crate) id: EffortId,
    pub(crate) due_ms: i64,
}

impl Planned {
    /// Its row in the effort ledger.
    #[must_use]
    pub fn id(&self) -> EffortId {
        self.id
    }

    /// When the shot was due, believed UTC in milliseconds.
    #[must_use]
    pub fn due_ms(&self) -> i64 {
        self.due_ms
    }
}

/// A capture that waits for the detector, handed out for one try:
/// [`record_detections`](crate::Ledger::record_detections) or
/// [`give_up`](crate::Ledger::give_up). Dropping it leaves the capture waiting.
#[derive(Debug)]
#[must_use = "a picture that is taken up and dropped has lost one of its tries"]
pub struct Fresh {
    pub(crate) capture: CaptureId,
    pub(crate) attempts: u32,
    pub(crate) exhausted: bool,
}

impl Fresh {
    /// The capture to look at.
    #[must_use]
    pub fn capture(&self) -> CaptureId {
        self.capture
    }

    /// How many tries were started, this one counted in.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// All tries are used up: don't look at the picture again, give up.
    #[must_use]
    pub fn exhausted(&self) -> bool {
        self.exhausted
    }
}

/// A picture whose record the server has and whose bytes it lacks, checked
/// against its hash when it was handed out:
/// [`mark_received`](crate::Ledger::mark_received) or
/// [`picture_failed`](crate::Ledger::picture_failed). Dropping it leaves the picture waiting.
#[derive(Debug)]
#[must_use = "a picture that is taken up should be sent"]
pub struct Sendable {
    pub(crate) capture: CaptureId,
    pub(crate) sha256: Sha256,
    pub(crate) size_bytes: u64,
    pub(crate) attempts: u32,
}

impl Sendable {
    /// Whose picture it is.
    #[must_use]
    pub fn capture(&self) -> CaptureId {
        self.capture
    }

    /// SHA-256 of the file.
    #[must_use]
    pub fn sha256(&self) -> Sha256 {
        self.sha256
    }

    /// Size of the file.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// How often its upload failed before.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }
}

/// What [`next_picture`](crate::Ledger::next_picture) found.
#[derive(Debug)]
#[must_use]
pub enum NextPicture {
    /// Send this one.
    Ready(Sendable),
    /// This one was to be sent, but the card no longer holds what was
    /// admitted. It is set aside as damaged; ask again for the next.
    Damaged {
        /// Whose picture.
        capture: CaptureId,
        /// What is wrong with it.
        reason: String,
    },
    /// This one was to be sent, but the card does not give it back now. It
    /// waits on behind those that failed less often; ask again for the next.
    Unreadable {
        /// Whose picture.
        capture: CaptureId,
        /// What the card says.
        reason: String,
        /// How often it failed before.
        attempts: u32,
    },
    /// No picture waits that the server could take now.
    Nothing,
}
