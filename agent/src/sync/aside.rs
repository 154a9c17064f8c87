//! Pictures that did not get through and rest for a while. How many are named
//! has a limit; beyond it all pictures that ever failed rest with them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;
use trapline_store::PassOver;
use trapline_wire::CaptureId;

/// So many pictures are named.
const NAMED_MAX: usize = 1000;
/// A server may be mended at any time.
const REFUSED_FOR: Duration = Duration::from_mins(30);
/// A bad block stays bad, and each try at one costs the card seconds.
const UNREADABLE_FOR_MIN: Duration = Duration::from_mins(30);
const UNREADABLE_FOR_MAX: Duration = Duration::from_hours(24);

/// What rests, and until when.
#[derive(Debug, Default)]
pub(super) struct Aside {
    until: BTreeMap<CaptureId, Instant>,
    /// Those that the card did not give back when it was last asked.
    unreadable: BTreeSet<CaptureId>,
}

impl Aside {
    /// The server did not take it.
    pub(super) fn refused(&mut self, capture: CaptureId) {
        self.rest(capture, REFUSED_FOR);
    }

    /// The card did not give it back, and `attempts` to send it failed before.
    pub(super) fn unreadable(&mut self, capture: CaptureId, attempts: u32) {
        let doubled = 2_u32.saturating_pow(attempts);
        let rest = UNREADABLE_FOR_MIN.saturating_mul(doubled);
        self.rest(capture, rest.min(UNREADABLE_FOR_MAX));
        if self.unreadable.len() < NAMED_MAX {
            self.unreadable.insert(capture);
        }
    }

    /// Its bytes are known again, right or wrong; says whether that was the last one.
    pub(super) fn readable(&mut self, capture: CaptureId) -> bool {
        self.unreadable.remove(&capture) && self.unreadable.is_empty()
    }

    /// How many cannot be read.
    pub(super) fn unreadables(&self) -> usize {
        self.unreadable.len()
    }

    /// What to pass over now.
    pub(super) fn now(&mut self) -> PassOver {
        let now = Instant::now();
        self.until.retain(|_, until| *until > now);
        PassOver {
            captures: self.until.keys().copied().collect(),
            all_failed: self.until.len() >= NAMED_MAX,
        }
    }

    fn rest(&mut self, capture: CaptureId, rest: Duration) {
        if self.until.len() < NAMED_MAX {
            self.until.insert(capture, Instant::now() + rest);
        }
    }
}
