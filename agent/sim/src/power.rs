//! How a trap loses its power, and what its card forgets.

use crate::chance::Chance;
use crate::devices::TrueTime;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use trapline_store::disk::{Loss, Lost, SimDisk};

/// How a boot ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// At the planned moment, whatever the trap does.
    AtTime,
    /// After the planned moment, at the n-th time that the agent waits for something.
    AtAwait(u32),
    /// After the planned moment, before the n-th operation of the card.
    AtDisk(u64),
    /// At the planned moment the agent alone is killed; the card keeps everything.
    Kill,
}

impl Cut {
    /// Draws how a boot ends; most end in the middle of something.
    pub fn draw(chance: &mut Chance) -> Self {
        match chance.below(10) {
            0 => Self::AtTime,
            1..4 => Self::AtAwait(u32::try_from(1 + chance.below(60)).unwrap_or(1)),
            4..9 => Self::AtDisk(1 + chance.below(60)),
            _ => Self::Kill,
        }
    }

    /// What the card loses.
    pub fn loss(self, chance: &mut Chance) -> Loss {
        let mut lost = || match chance.below(3) {
            0 => Lost::Nothing,
            1 => Lost::Half,
            _ => Lost::Everything,
        };
        if self == Self::Kill {
            return Loss {
                bytes: Lost::Nothing,
                names: Lost::Nothing,
            };
        }
        Loss {
            bytes: lost(),
            names: lost(),
        }
    }
}

/// How the time with power ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended<T> {
    /// The agent came to an end by itself.
    Itself(T),
    /// The power went.
    Dark,
}

/// A moment that is waited for in the middle of something comes at the latest after this.
const PATIENCE: Duration = Duration::from_hours(3);

/// Runs an agent until its power goes.
pub async fn until_cut<F: Future>(
    agent: F,
    (at_ms, cut): (i64, Cut),
    time: &TrueTime,
    disk: &SimDisk,
) -> Ended<F::Output> {
    let mut agent = Box::pin(Powered {
        agent: Box::pin(agent),
        disk: disk.clone(),
        waits_left: None,
    });
    tokio::select! {
        biased;
        ended = &mut agent => return ended,
        () = tokio::time::sleep_until(time.instant(at_ms)) => {}
    }
    match cut {
        Cut::AtTime | Cut::Kill => return Ended::Dark,
        Cut::AtAwait(waits) => agent.waits_left = Some(waits),
        Cut::AtDisk(operations) => disk.cut_at(disk.operations() + operations),
    }
    tokio::time::timeout(PATIENCE, agent)
        .await
        .unwrap_or(Ended::Dark)
}

/// An agent whose power can go at any await.
struct Powered<F: Future> {
    agent: Pin<Box<F>>,
    disk: SimDisk,
    waits_left: Option<u32>,
}

impl<F: Future> Future for Powered<F> {
    type Output = Ended<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let done = self.agent.as_mut().poll(context);
        if self.disk.is_off() {
            return Poll::Ready(Ended::Dark);
        }
        match done {
            Poll::Ready(output) => Poll::Ready(Ended::Itself(output)),
            Poll::Pending => {
                if let Some(waits) = &mut self.waits_left {
                    *waits = waits.saturating_sub(1);
                    if *waits == 0 {
                        return Poll::Ready(Ended::Dark);
                    }
                }
                Poll::Pending
            }
        }
    }
}
