//! What others ask of the capture stage between two planned shots: a picture
//! out of turn, a picture only to look at, the sensors now.
//!
//! The stage alone holds camera, lamp and sensors, so a button, a trigger, a
//! self-test or a technician's phone asks here and waits for the answer. A
//! planned shot goes first. An ask is no record: what is kept is in the ledger.

use crate::desk::Wakes;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;
use trapline_hal::Frame;
use trapline_store::NewReading;
use trapline_wire::CaptureId;

pub use trapline_wire::v1::ShotCause;

/// More asks than this do not wait; a person has long pressed enough.
const WAITING_MAX: usize = 8;

/// What a lamp does for a picture that is only looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LampUse {
    /// As for any picture.
    AsUsual,
    /// It stays dark.
    Dark,
}

/// One ask with the way back.
#[derive(Debug)]
pub enum Ask {
    /// A picture for the ledger.
    Shot {
        /// Why.
        cause: ShotCause,
        /// The capture, or why there is none.
        answer: oneshot::Sender<Result<CaptureId, String>>,
    },
    /// A picture that nobody keeps.
    Look {
        /// What the lamp does.
        lamp: LampUse,
        /// The picture, or why there is none.
        answer: oneshot::Sender<Result<Frame, String>>,
    },
    /// The sensors now.
    Sense {
        /// What they say.
        answer: oneshot::Sender<NewReading>,
    },
}

/// The asks that wait.
#[derive(Debug)]
pub struct Asks {
    waiting: Mutex<VecDeque<Ask>>,
    wakes: Arc<Wakes>,
}

impl Asks {
    /// Nothing asked yet; asks ring the bell of the capture stage.
    #[must_use]
    pub fn new(wakes: Arc<Wakes>) -> Self {
        Self {
            waiting: Mutex::default(),
            wakes,
        }
    }

    /// Takes a picture out of turn and keeps it.
    ///
    /// # Errors
    /// Why there is none, in words for people.
    pub async fn shot(&self, cause: ShotCause) -> Result<CaptureId, String> {
        let (answer, back) = oneshot::channel();
        self.ask(Ask::Shot { cause, answer })?;
        back.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Takes a picture that is not kept.
    ///
    /// # Errors
    /// Why there is none, in words for people.
    pub async fn look(&self, lamp: LampUse) -> Result<Frame, String> {
        let (answer, back) = oneshot::channel();
        self.ask(Ask::Look { lamp, answer })?;
        back.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Reads the sensors.
    ///
    /// # Errors
    /// When the trap stops, or too many wait already.
    pub async fn sense(&self) -> Result<NewReading, String> {
        let (answer, back) = oneshot::channel();
        self.ask(Ask::Sense { answer })?;
        back.await.map_err(|_| stopped())
    }

    /// The next ask whose asker still waits.
    pub fn next(&self) -> Option<Ask> {
        let mut waiting = self.lock();
        while let Some(ask) = waiting.pop_front() {
            let is_wanted = match &ask {
                Ask::Shot { answer, .. } => !answer.is_closed(),
                Ask::Look { answer, .. } => !answer.is_closed(),
                Ask::Sense { answer } => !answer.is_closed(),
            };
            if is_wanted {
                return Some(ask);
            }
        }
        None
    }

    fn ask(&self, ask: Ask) -> Result<(), String> {
        let mut waiting = self.lock();
        if waiting.len() >= WAITING_MAX {
            return Err("the camera is busy; try again in a moment".to_owned());
        }
        waiting.push_back(ask);
        drop(waiting);
        self.wakes.capture.notify_one();
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Ask>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stopped() -> String {
    "the trap stops".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_ask_whose_asker_left_is_passed_over() {
        let asks = Arc::new(Asks::new(Arc::default()));
        let mut gone = Box::pin(asks.sense());
        let mut here = Box::pin(asks.look(LampUse::Dark));
        tokio::select! {
            biased;
            _ = &mut gone => unreachable!("nobody answers"),
            _ = &mut here => unreachable!("nobody answers"),
            () = std::future::ready(()) => {}
        }
        drop(gone);
        let Some(Ask::Look { lamp, answer }) = asks.next() else {
            panic!("the look is next");
        };
        assert_eq!(lamp, LampUse::Dark);
        drop(answer);
        assert_eq!(here.await, Err("the trap stops".to_owned()));
        assert!(asks.next().is_none());
    }

    #[tokio::test]
    async fn a_crowd_is_sent_away() {
        let asks = Asks::new(Arc::default());
        for _ in 0..WAITING_MAX {
            let (answer, _back) = oneshot::channel();
            asks.ask(Ask::Sense { answer }).unwrap();
        }
        let why = asks.shot(ShotCause::Visit).await.unwrap_err();
        assert!(why.contains("busy"), "{why}");
    }
}
