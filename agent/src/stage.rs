//! A stage of the trap's day, the one loop that drives any of them, and what
//! happens on each error: [`verdict`] is the whole answer.

use crate::desk::Desk;
use crate::hands::panicked;
use crate::moment::millis;
use crate::sync::backoff::Backoff;
use crate::sync::uplink::UplinkError;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use trapline_store::StoreError;

/// A stage that does not come back this long after its promise hangs.
const SLACK: Duration = Duration::from_secs(30);
/// More skipped items in a row than this is no matter of single items.
const SKIPS_MAX: u32 = 100;

/// One stage: it takes the next row, works, and writes down the result.
pub trait Stage: Send {
    /// Its name in the log and its part in faults.
    fn name(&self) -> &'static str;

    /// The longest time that one step may take; beyond it the stage hangs.
    fn step_limit(&self) -> Duration;

    /// How long a step may go on when the agent is to stop; then it is dropped.
    fn grace(&self) -> Duration;

    /// What ends a rest early.
    fn wake<'a>(&self, desk: &'a Desk) -> &'a Notify;

    /// Does one unit of work. Must be safe to drop at any await.
    fn step(&mut self) -> impl Future<Output = Result<Next, StageError>> + Send;

    /// Puts away what is worth keeping at an orderly stop; never called at a power cut.
    fn stopped(&mut self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// What a stage wants after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The next step at once.
    Again,
    /// A step after this time, or when woken.
    Rest(Duration),
    /// A step when woken.
    RestUntilWoken,
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The ledger.
    #[error(transparent)]
    Store(StoreError),
    /// The server, or the way to it.
    #[error(transparent)]
    Uplink(UplinkError),
    /// A mistake in the program.
    #[error("a mistake in the program: {0}")]
    Panicked(String),
}

/// What to do about a failed step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Try again after a while; no fault of the trap.
    Retry,
    /// Leave this item and go on with the next.
    Skip,
    /// Try again after a while, and tell the people.
    Degrade,
    /// The agent cannot go on; a restart may help.
    Stop,
}

/// What happens on error X.
#[must_use]
pub fn verdict(error: &StageError) -> Verdict {
    match error {
        StageError::Store(error) => match error {
            StoreError::Full { .. } | StoreError::Io { .. } | StoreError::Database { .. } => {
                Verdict::Degrade
            }
            StoreError::Damaged { .. }
            | StoreError::WrongReceipt { .. }
            | StoreError::Refused { .. } => Verdict::Skip,
            StoreError::Corrupt { .. }
            | StoreError::NewerSchema { .. }
            | StoreError::OlderSchema { .. }
            | StoreError::Locked { .. }
            | StoreError::NoLedger { .. } => Verdict::Stop,
        },
        StageError::Uplink(error) => match error {
            UplinkError::Unreachable(_)
            | UplinkError::Unwell { .. }
            | UplinkError::OutOfStep(_)
            | UplinkError::Gone(_) => Verdict::Retry,
            UplinkError::BadKey(_)
            | UplinkError::NotEnrolled(_)
            | UplinkError::Parked(_)
            | UplinkError::Nonsense(_)
            | UplinkError::TooLarge(_)
            | UplinkError::Mismatch(_)
            | UplinkError::Rejected { .. } => Verdict::Degrade,
        },
        StageError::Panicked(_) => Verdict::Degrade,
    }
}

impl StageError {
    /// The part that a fault of this error is filed under.
    #[must_use]
    pub fn part<'a>(&self, stage: &'a str) -> &'a str {
        match self {
            Self::Store(_) => "disk",
            Self::Uplink(_) => "server",
            Self::Panicked(_) => stage,
        }
    }

    /// The error with its causes, on one line.
    #[must_use]
    pub fn in_full(&self) -> String {
        in_full(self)
    }

    fn not_before(&self) -> Duration {
        match self {
            Self::Uplink(UplinkError::Unwell { retry_after, .. }) => {
                retry_after.unwrap_or_default()
            }
            Self::Uplink(_) | Self::Store(_) | Self::Panicked(_) => Duration::ZERO,
        }
    }
}

/// An error with its causes, on one line.
#[must_use]
pub fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = error.source();
    }
    text
}

/// What a device says, without its name and with its causes, on one line.
#[must_use]
pub fn device_words(error: &trapline_hal::DeviceError) -> String {
    let text = in_full(error);
    let name = format!("{}: ", error.device);
    text.strip_prefix(&name).unwrap_or(&text).to_owned()
}

/// Drives a stage until the agent stops.
///
/// # Errors
/// The error on which the agent has to stop.
pub async fn drive<S: Stage>(
    mut stage: S,
    desk: Desk,
    mut backoff: Backoff,
) -> Result<(), StageError> {
    let name = stage.name();
    let mut skips = 0_u32;
    let mut raised: Option<String> = None;
    while !desk.stop.is_asked() {
        desk.pulse.promise(name, stage.step_limit() + SLACK);
        let grace = stage.grace();
        let done = tokio::select! {
            biased;
            done = guarded(stage.step()) => done,
            () = desk.stop.over(grace) => break,
        };
        let rest = match done {
            Ok(next) => {
                backoff.succeeded();
                skips = 0;
                if let Some(part) = raised.take() {
                    desk.health.clear(&part);
                }
                next
            }
            Err(error) => {
                let verdict = verdict(&error);
                let text = error.in_full();
                match verdict {
                    Verdict::Skip if skips < SKIPS_MAX => {
                        skips += 1;
                        log::warn!(stage = name; "{name} leaves one item out: {text}");
                        continue;
                    }
                    Verdict::Stop => {
                        desk.pulse.rest(name);
                        return Err(error);
                    }
                    Verdict::Retry | Verdict::Degrade | Verdict::Skip => {}
                }
                if verdict != Verdict::Retry {
                    let part = error.part(name);
                    desk.health.raise(part, &text, desk.clock.stamp().unix_ms);
                    raised = Some(part.to_owned());
                }
                let wait = backoff.failed(error.not_before());
                log::warn!(stage = name, wait_ms = millis(wait); "{name} waits: {text}");
                desk.pulse.promise(name, wait + SLACK);
                tokio::select! {
                    biased;
                    () = desk.stop.over(Duration::ZERO) => break,
                    () = sleep(wait) => {}
                }
                continue;
            }
        };
        rest_for(&stage, &desk, rest).await;
    }
    desk.pulse.promise(name, SLACK);
    stage.stopped().await;
    desk.pulse.rest(name);
    Ok(())
}

async fn rest_for<S: Stage>(stage: &S, desk: &Desk, next: Next) {
    let deadline = match next {
        // Even a busy stage lets the others have their turn.
        Next::Again => return tokio::task::yield_now().await,
        Next::Rest(wait) => {
            desk.pulse.promise(stage.name(), wait + SLACK);
            Some(Instant::now() + wait)
        }
        Next::RestUntilWoken => {
            desk.pulse.rest(stage.name());
            None
        }
    };
    let until = async {
        match deadline {
            Some(deadline) => tokio::time::sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        () = desk.stop.over(Duration::ZERO) => {}
        () = stage.wake(desk).notified() => {}
        () = until => {}
    }
}

/// A step whose panic is an error like any other.
async fn guarded<T>(step: impl Future<Output = Result<T, StageError>>) -> Result<T, StageError> {
    match guarded_whole(step).await {
        Ok(done) => done,
        Err(words) => Err(StageError::Panicked(words)),
    }
}

/// Work whose panic is an error: its words. It must not be polled again then, and is not.
pub(crate) async fn guarded_whole<T>(work: impl Future<Output = T>) -> Result<T, String> {
    let mut work = pin!(work);
    poll_fn(move |context| {
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
        match polled {
            Ok(polled) => polled.map(Ok),
            Err(payload) => std::task::Poll::Ready(Err(panicked(payload.as_ref()).0)),
        }
    })
    .await
}
