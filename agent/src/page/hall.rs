//! What the requests of an open page share. It is made when the page opens and
//! gone when it closes.

use super::answer::Refused;
use super::checks::Checks;
use super::door::Door;
use super::password::Password;
use super::pictures::Kept;
use super::smaller::{self, Done, Wish};
use crate::desk::Desk;
use crate::hands::Hands;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use trapline_store::{OsDisk, StoreError, View};

/// Whoever waits longer for the one bench is told to come back.
const BENCH_WAIT: Duration = Duration::from_secs(30);

/// The hall behind the door.
#[derive(Debug)]
pub(super) struct Hall {
    pub(super) desk: Desk,
    pub(super) door: Door,
    /// The ledger's folder.
    pub(super) folder: PathBuf,
    /// The check that was asked for last.
    pub(super) checks: Checks,
    /// Pictures that were made smaller.
    pub(super) kept: Kept,
    /// One camera, one phone that focuses.
    pub(super) focus: Semaphore,
    /// Work that takes time or memory is done one at a time, so that the trap has threads left.
    bench: Arc<Semaphore>,
}

impl Hall {
    pub(super) fn new(desk: Desk, folder: PathBuf, password: Password) -> Self {
        Self {
            desk,
            door: Door::new(password),
            folder,
            checks: Checks::default(),
            kept: Kept::default(),
            focus: Semaphore::new(1),
            bench: Arc::new(Semaphore::new(1)),
        }
    }

    /// Does `work` on a thread, after what others wanted.
    pub(super) async fn work<T, F>(&self, work: F) -> Result<T, Refused>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let turn = tokio::time::timeout(BENCH_WAIT, Arc::clone(&self.bench).acquire_owned());
        let Ok(Ok(turn)) = turn.await else {
            return Err(Refused::trouble("the trap is busy; try again in a moment"));
        };
        let work = move || {
            // Held by the thread: who asked may be gone before it is done.
            let _turn = turn;
            work()
        };
        Ok(self.desk.hands.run(work).await?)
    }

    /// Has a picture made smaller, or checked.
    pub(super) async fn smaller(&self, wish: Wish, file: Vec<u8>) -> Result<Done, Refused> {
        let made = match self.desk.hands {
            Hands::Threads => self.work(move || smaller::apart(wish, &file)).await?,
            // Without threads nobody waits for a process.
            Hands::Inline => smaller::here(wish, &file),
        };
        made.map_err(Refused::trouble)
    }

    /// Reads the ledger beside the agent's own connection, which never waits for it.
    pub(super) async fn read<T, F>(&self, read: F) -> Result<T, Refused>
    where
        T: Send + 'static,
        F: FnOnce(&View) -> Result<T, StoreError> + Send + 'static,
    {
        let folder = self.folder.clone();
        let done = self
            .work(move || View::open(&folder, Arc::new(OsDisk)).and_then(|view| read(&view)))
            .await?;
        done.map_err(|error| Refused::trouble(crate::stage::in_full(&error)))
    }
}
