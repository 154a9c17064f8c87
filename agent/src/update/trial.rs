//! The trial of new software: the real stages, with the trap's own devices, over a copy
//! of the ledger. It passes when they came up and one picture out of turn became a row
//! and a file that can be read back.
//!
//! A trap whose camera had failed before cannot pass, and so keeps the system that it has:
//! a picture is the one thing that proves that a trap still takes pictures. The report
//! then says that the camera was at fault before.

use crate::agent::Agent;
use crate::desk::Desk;
use crate::stage::in_full;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};
use trapline_store::{Ledger, PictureState, StoreError};
use trapline_wire::CaptureId;
use trapline_wire::v1::{MissReason, ShotCause};

/// A picture that failed is tried again after this time: a camera may come up late.
const AGAIN: Duration = Duration::from_secs(15);
/// Rows of the effort ledger that tell whether the camera failed before.
const LOOK_BACK: u32 = 50;
/// Misses before the update that are no accident.
const FAILED_BEFORE_MIN: u32 = 2;

/// What a trial came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Whether the software proved itself.
    pub passed: bool,
    /// Version of the agent that was tried.
    pub version: String,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// The capture that was admitted to the copy.
    pub capture: Option<String>,
    /// Why it failed, in a sentence.
    pub reason: Option<String>,
}

impl Report {
    /// The report of a trial that ended so.
    #[must_use]
    pub fn of(proof: Result<CaptureId, String>, took: Duration) -> Self {
        let (capture, reason) = match proof {
            Ok(capture) => (Some(capture.to_string()), None),
            Err(reason) => (None, Some(reason)),
        };
        Self {
            passed: reason.is_none(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            capture,
            reason,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (version, seconds) = (&self.version, self.took_ms / 1000);
        match (&self.reason, &self.capture) {
            (Some(reason), _) => {
                writeln!(
                    f,
                    "{version} did not prove itself within {seconds} s: {reason}"
                )
            }
            (None, Some(capture)) => writeln!(
                f,
                "{version} proved itself in {seconds} s: it took a picture ({capture} of the \
                 ledger's copy, which is thrown away)"
            ),
            (None, None) => writeln!(f, "{version} proved itself in {seconds} s"),
        }
    }
}

/// How many planned pictures the camera missed before the update, one after the other.
///
/// # Errors
/// What the ledger says.
pub fn camera_failed_before(ledger: &Ledger) -> Result<u32, StoreError> {
    ledger.missed_since_picture(MissReason::Camera, LOOK_BACK)
}

/// Runs an agent over the copy until it has proved itself; gives its capture.
///
/// # Errors
/// Why it did not within this time, in words for people.
pub async fn prove(
    agent: Agent,
    within: Duration,
    failed_before: u32,
) -> Result<CaptureId, String> {
    let desk = agent.desk().clone();
    let over = Notify::new();
    let mut day = Box::pin(agent.run(over.notified()));
    let proof = tokio::select! {
        biased;
        ended = &mut day => {
            let why = ended.err().map_or_else(|| "it ended by itself".to_owned(), |e| in_full(&e));
            return Err(format!("the agent had to stop: {why}"));
        }
        proof = one_capture(&desk, within) => proof,
    };
    over.notify_one();
    let ended = day.await;
    match (proof, ended) {
        (Ok(_), Err(error)) => Err(format!("the agent had to stop: {}", in_full(&error))),
        (Ok(capture), Ok(())) => Ok(capture),
        (Err(why), _) if failed_before >= FAILED_BEFORE_MIN => Err(format!(
            "{why} (the camera had failed before the update, too: {failed_before} planned \
             pictures were missed; mend the camera, then offer the update again)"
        )),
        (Err(why), _) => Err(why),
    }
}

async fn one_capture(desk: &Desk, within: Duration) -> Result<CaptureId, String> {
    let until = Instant::now() + within;
    let limit = format!("no capture within {} s", within.as_secs());
    let mut why = None;
    loop {
        match timeout_at(until, desk.asks.shot(ShotCause::Visit)).await {
            Ok(Ok(capture)) => return stands(desk, capture).await,
            Ok(Err(said)) => {
                log::warn!("the trial's picture was not taken: {said}");
                why = Some(said);
            }
            Err(_) => break,
        }
        if Instant::now() + AGAIN >= until {
            break;
        }
        sleep(AGAIN).await;
    }
    Err(match why {
        Some(said) => format!("{limit}: {said}"),
        None => limit,
    })
}

/// The capture's row and file are there, and no stage hangs.
async fn stands(desk: &Desk, id: CaptureId) -> Result<CaptureId, String> {
    let row = desk
        .books
        .with(move |ledger| {
            let row = ledger.capture(id)?;
            // Reading it compares it with its hash.
            ledger.picture(id)?;
            Ok(row)
        })
        .await;
    let row =
        row.map_err(|error| format!("the capture {id} cannot be read: {}", in_full(&error)))?;
    if !row.is_some_and(|row| row.picture == PictureState::OnCard) {
        return Err(format!("the capture {id} has no row"));
    }
    let late = desk.pulse.late();
    if !late.is_empty() {
        return Err(format!("{} hangs", late.join(", ")));
    }
    Ok(id)
}
