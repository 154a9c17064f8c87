//! One request at a time works on an upload, and the newest one gets its turn.
//!
//! A trap whose link broke comes again while the server still waits for bytes
//! of the dead connection. The old request hears that it is waited for, keeps
//! what it has and ends.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, OwnedMutexGuard};

/// An older request that does not end in this time is stuck on the disk.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// The uploads that requests work on now.
#[derive(Default)]
pub(crate) struct Turns {
    busy: Arc<Mutex<BTreeMap<String, Arc<Desk>>>>,
}

#[derive(Default)]
struct Desk {
    seat: Arc<tokio::sync::Mutex<()>>,
    waiting: AtomicUsize,
    bell: Notify,
}

/// Holds an upload for one request; jobs that write hold a clone, so that the
/// upload stays taken until they end, even when their request is gone.
#[derive(Clone)]
pub(crate) struct Turn(Arc<Held>);

struct Held {
    desk: Arc<Desk>,
    // Dropped before `_entry`, which then sees whether the desk is left.
    _seat: OwnedMutexGuard<()>,
    _entry: Entry,
}

struct Entry {
    id: String,
    desk: Arc<Desk>,
    busy: Arc<Mutex<BTreeMap<String, Arc<Desk>>>>,
}

impl Turns {
    /// Waits for the upload, making an older request for it stop; `None` when
    /// that one does not.
    pub(crate) async fn take(&self, id: &str) -> Option<Turn> {
        let desk = {
            let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(busy.entry(id.to_owned()).or_default())
        };
        let entry = Entry {
            id: id.to_owned(),
            desk: Arc::clone(&desk),
            busy: Arc::clone(&self.busy),
        };
        let waiting = Waiting::at(&desk);
        desk.bell.notify_one();
        let seat = tokio::time::timeout(WAIT_MAX, Arc::clone(&desk.seat).lock_owned())
            .await
            .ok()?;
        drop(waiting);
        Some(Turn(Arc::new(Held {
            desk,
            _seat: seat,
            _entry: entry,
        })))
    }
}

impl Turn {
    /// Whether a newer request waits for this upload.
    pub(crate) fn is_wanted(&self) -> bool {
        self.0.desk.waiting.load(Ordering::SeqCst) > 0
    }

    /// Ends when a newer request waits for this upload.
    pub(crate) async fn wanted(&self) {
        while !self.is_wanted() {
            self.0.desk.bell.notified().await;
        }
    }
}

struct Waiting<'a>(&'a Desk);

impl<'a> Waiting<'a> {
    fn at(desk: &'a Desk) -> Self {
        desk.waiting.fetch_add(1, Ordering::SeqCst);
        Self(desk)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        // The map's own and this entry's: nobody else is at the desk.
        if Arc::strong_count(&self.desk) <= 2 {
            busy.remove(&self.id);
        }
    }
}
