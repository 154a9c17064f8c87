//! What keeps a trap from lying down although its plan says so: somebody is there.

use std::sync::atomic::{AtomicU64, Ordering};

/// Until when the trap stays up for people.
#[derive(Debug, Default)]
pub struct Hold {
    until_ms: AtomicU64,
}

impl Hold {
    /// Stays up until so many milliseconds since boot at least.
    pub fn until(&self, uptime_ms: u64) {
        self.until_ms.fetch_max(uptime_ms, Ordering::Relaxed);
    }

    /// Whether it holds now.
    #[must_use]
    pub fn holds(&self, uptime_ms: u64) -> bool {
        uptime_ms < self.until_ms.load(Ordering::Relaxed)
    }
}
