//! Which pictures the server has to be asked about before they are sent. It names
//! its unfinished uploads with each answer to a batch, so most need no question.

use super::transit::Place;
use std::collections::BTreeSet;
use trapline_store::Sendable;
use trapline_wire::Sha256;

/// A run that was cut off left at most so many pictures whose receipts it did not read.
const ASKED_FIRST: u32 = 2;

/// What is known of the server's uploads.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// What the server named last; `None` while it names nothing, as older ones do.
    unfinished: Option<BTreeSet<Sha256>>,
    /// What this run began and did not see the end of.
    doubtful: BTreeSet<Sha256>,
    taken_up: u32,
}

impl Known {
    /// The server named its unfinished uploads, or did not.
    pub(super) fn heard(&mut self, unfinished: Option<&[Sha256]>) {
        if let Some(named) = unfinished {
            self.unfinished = Some(named.iter().copied().collect());
        }
    }

    /// The server may have more of this one than is known here.
    pub(super) fn doubt(&mut self, sha256: &Sha256) {
        self.doubtful.insert(*sha256);
    }

    /// The server has this one.
    pub(super) fn settled(&mut self, sha256: &Sha256) {
        self.doubtful.remove(sha256);
    }

    /// Where the upload of a picture stands that is taken up now.
    pub(super) fn place_of(&mut self, picture: &Sendable) -> Place {
        self.taken_up = self.taken_up.saturating_add(1);
        let sha256 = picture.sha256();
        let is_new = self.taken_up > ASKED_FIRST
            && picture.attempts() == 0
            && !self.doubtful.contains(&sha256)
            && self
                .unfinished
                .as_ref()
                .is_some_and(|named| !named.contains(&sha256));
        if is_new { Place::New } else { Place::Unknown }
    }
}
