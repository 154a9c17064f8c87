//! A device that is lent to a thread for one job at a time. When it does not
//! come back in time the agent goes on without it, and takes it back when the
//! thread ever ends.

use crate::hands::{Hands, Panicked, caught};
use std::time::Duration;
use tokio::sync::oneshot;

/// More hanging threads than this are not started; each keeps its memory.
pub const AWAY_MAX: usize = 3;

/// Something that blocks, and the threads that still have one of its kind.
#[derive(Debug)]
pub struct Lent<T> {
    here: Option<T>,
    away: Vec<oneshot::Receiver<T>>,
}

/// Why a job has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotBack {
    /// It is not here: it was never given, or a thread still has it.
    Away,
    /// It did not come back in time.
    Hung,
    /// Its driver panicked, and it is gone; the words of the panic.
    Panicked(String),
}

impl<T: Send + 'static> Lent<T> {
    /// Nothing here yet.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            here: None,
            away: Vec::new(),
        }
    }

    /// With this one here.
    #[must_use]
    pub fn of(device: T) -> Self {
        Self {
            here: Some(device),
            away: Vec::new(),
        }
    }

    /// Whether a job could start now.
    pub fn is_here(&mut self) -> bool {
        self.take_back();
        self.here.is_some()
    }

    /// How many threads still hang.
    #[must_use]
    pub fn hanging(&self) -> usize {
        self.away.len()
    }

    /// Puts a device here in place of one that hangs.
    pub fn put(&mut self, device: T) {
        self.here = Some(device);
    }

    /// Drops what is here, to put another in its place; threads keep what they have.
    pub fn drop_here(&mut self) {
        self.here = None;
    }

    /// What is here.
    #[must_use]
    pub fn get(&self) -> Option<&T> {
        self.here.as_ref()
    }

    /// Does `work` with the device and waits at most `deadline` for it.
    ///
    /// # Errors
    /// [`NotBack`]; after `Panicked` the device is gone for good.
    pub async fn job<R, F>(
        &mut self,
        hands: Hands,
        deadline: Duration,
        work: F,
    ) -> Result<R, NotBack>
    where
        R: Send + 'static,
        F: FnOnce(&mut T) -> R + Send + 'static,
    {
        self.take_back();
        let mut device = self.here.take().ok_or(NotBack::Away)?;
        if hands == Hands::Inline {
            let result =
                caught(|| work(&mut device)).map_err(|Panicked(w)| NotBack::Panicked(w))?;
            self.here = Some(device);
            return Ok(result);
        }
        let (send_device, device_back) = oneshot::channel();
        let (send_result, result_back) = oneshot::channel();
        self.away.push(device_back);
        // Not the runtime's own threads: a driver that hangs for ever must not take one of those.
        let started = std::thread::Builder::new()
            .name("device".to_owned())
            .spawn(move || {
                let result = caught(|| work(&mut device)).map_err(|Panicked(w)| w);
                if result.is_ok() {
                    // Nobody waits any more when the agent is stopping.
                    let _unwanted = send_device.send(device);
                }
                let _unwanted = send_result.send(result);
            });
        if let Err(error) = started {
            return Err(NotBack::Panicked(format!("no thread for it: {error}")));
        }
        let answer = tokio::time::timeout(deadline, result_back).await;
        self.take_back();
        match answer {
            Ok(Ok(Ok(result))) => Ok(result),
            Ok(Ok(Err(words))) => Err(NotBack::Panicked(words)),
            Ok(Err(_)) => Err(NotBack::Panicked("the thread ended early".to_owned())),
            Err(_) => Err(NotBack::Hung),
        }
    }

    fn take_back(&mut self) {
        let here = &mut self.here;
        self.away.retain_mut(|thread| match thread.try_recv() {
            Ok(device) => {
                if here.is_none() {
                    *here = Some(device);
                }
                false
            }
            Err(oneshot::error::TryRecvError::Closed) => false,
            Err(oneshot::error::TryRecvError::Empty) => true,
        });
    }
}
