//! Looking for a link that broke. Most are back within seconds, so it is tried in
//! quick succession for a while; only then does [`backoff`](super::backoff) take over.

use std::time::Duration;
use tokio::time::{Instant, sleep};
use trapline_wire::Sha256;

/// So long.
const WITHIN: Duration = Duration::from_secs(30);
/// The shortest wait between two tries, and what chance adds to it at most.
const EVERY: Duration = Duration::from_millis(100);
const SPREAD: Duration = Duration::from_millis(200);
/// A question without an answer is asked anew after this, because a packet that was lost while the link
/// was down is repeated only after seconds; so often, and then with patience: the link may be just slow.
const HASTE: Duration = Duration::from_millis(1500);
const HASTY_MAX: usize = 8;

/// One search.
pub(super) struct Seek {
    until: Instant,
    chance: [u8; 32],
    tries: usize,
}

impl Seek {
    /// Begins one. What is sought for has a hash that no other trap has, which is chance enough to keep
    /// the traps behind one mast apart.
    pub(super) fn of(sought: &Sha256) -> Self {
        Self {
            until: Instant::now() + WITHIN,
            chance: *sought.as_bytes(),
            tries: 0,
        }
    }

    /// Waits for the next try and says how long it may take; `None` when it is time to give up.
    pub(super) async fn pause(&mut self) -> Option<Duration> {
        let share = self.chance.get(self.tries % self.chance.len());
        let share = f64::from(share.copied().unwrap_or_default()) / 255.0;
        self.tries += 1;
        sleep(EVERY + SPREAD.mul_f64(share)).await;
        if Instant::now() >= self.until {
            return None;
        }
        Some(if self.tries <= HASTY_MAX {
            HASTE
        } else {
            WITHIN
        })
    }
}
