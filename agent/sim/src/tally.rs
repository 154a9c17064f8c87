//! Counts of what went wrong in a season, so that a quiet season is not taken for a good one.

use serde::Serialize;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Starts of an agent.
    pub boots: u64,
    /// Power cuts at a planned moment.
    pub cuts_idle: u64,
    /// Power cuts in the middle of something, at one of its awaits.
    pub cuts_at_await: u64,
    /// Power cuts in the middle of an operation of the card.
    pub cuts_at_disk: u64,
    /// Times that the agent alone was killed, its card left as it was.
    pub kills: u64,
    /// Files and names that power cuts took away, because they were not synced.
    pub unsynced_lost: u64,
    /// Requests that traps made.
    pub requests: u64,
    /// Of these: nobody in reach.
    pub no_signal: u64,
    /// Of these: lost before the server.
    pub lost_requests: u64,
    /// Of these: broken off in the middle of the body.
    pub cut_bodies: u64,
    /// Of these: done by the server, the answer lost.
    pub lost_answers: u64,
    /// Of these: delivered twice.
    pub twice: u64,
    /// Of these: answered with a 5xx by something in front of the server.
    pub unwell: u64,
    /// Of these: found no server, or lost it while it restarted.
    pub server_down: u64,
    /// Of these: took longer than the trap waits.
    pub timeouts: u64,
    /// Restarts of the server.
    pub server_restarts: u64,
    /// Shots on which the camera failed.
    pub camera_faults: u64,
    /// Pictures that broke off.
    pub torn_pictures: u64,
    /// Black pictures, all with the same bytes.
    pub black_pictures: u64,
    /// Looks on which the detector failed.
    pub detector_faults: u64,
    /// Jumps of a clock when it heard the time.
    pub clock_jumps: u64,
}

impl Counts {
    /// Power cuts of all kinds.
    #[must_use]
    pub fn power_cuts(&self) -> u64 {
        self.cuts_idle + self.cuts_at_await + self.cuts_at_disk
    }
}

/// The counts, shared by everything that can go wrong.
#[derive(Debug, Default)]
pub struct Tally(Mutex<Counts>);

impl Tally {
    /// Counts something.
    pub fn add(&self, count: impl FnOnce(&mut Counts)) {
        count(&mut self.lock());
    }

    /// The counts now.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
