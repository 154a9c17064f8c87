//! Who does the work that blocks: threads on a trap, nobody but the caller in
//! a simulation, where everything must happen in the same order each time.

use crate::stage::StageError;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use trapline_store::{Ledger, StoreError};

/// Where blocking work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hands {
    /// On a thread beside the runtime.
    Threads,
    /// At once, in the caller's place: no threads, no races, virtual time stands still.
    Inline,
}

/// Blocking work panicked; the words of the panic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panicked(pub String);

impl Hands {
    /// Does `work` to its end. Dropping the future does not stop a thread.
    ///
    /// # Errors
    /// [`Panicked`] when the work panicked.
    pub async fn run<T, F>(self, work: F) -> Result<T, Panicked>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        match self {
            Self::Inline => caught(work),
            Self::Threads => {
                let done = tokio::task::spawn_blocking(move || caught(work)).await;
                done.unwrap_or_else(|error| Err(Panicked(error.to_string())))
            }
        }
    }
}

/// Runs `work` and turns a panic into an error.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| panicked(payload.as_ref()))
}

pub(crate) fn panicked(payload: &(dyn Any + Send)) -> Panicked {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned());
    Panicked(text.unwrap_or_else(|| "no words were left".to_owned()))
}

/// The ledger, one stage at a time, never held while waiting.
#[derive(Debug, Clone)]
pub struct Books {
    hands: Hands,
    ledger: Arc<Mutex<Ledger>>,
}

impl Books {
    /// Takes the ledger over.
    #[must_use]
    pub fn new(hands: Hands, ledger: Ledger) -> Self {
        Self {
            hands,
            ledger: Arc::new(Mutex::new(ledger)),
        }
    }

    /// Does one thing with the ledger.
    ///
    /// # Errors
    /// What the ledger says, or [`StageError::Panicked`].
    pub async fn with<T, F>(&self, work: F) -> Result<T, StageError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Ledger) -> Result<T, StoreError> + Send + 'static,
    {
        let ledger = Arc::clone(&self.ledger);
        let work = move || {
            // A panic between two transactions leaves the ledger as it was.
            let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut ledger)
        };
        match self.hands.run(work).await {
            Ok(done) => done.map_err(StageError::Store),
            Err(Panicked(words)) => Err(StageError::Panicked(words)),
        }
    }
}
