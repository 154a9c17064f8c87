//! Fetching an offered update: one piece at a time, after every record and in turn with
//! pictures, kept over restarts. What is done with it is not the agent's to say.

use super::incoming::{self, Finished};
use crate::desk::Desk;
use crate::hands::Panicked;
use crate::stage::StageError;
use crate::sync::offered::{Rests, Step, believable};
use crate::sync::uplink::{Shelf, Uplink, UplinkError};
use std::io;
use std::path::{Path, PathBuf};
use trapline_hal::battery::gate::Level;
use trapline_store::{Disk as _, OsDisk};
use trapline_wire::limits::BUNDLE_BYTES_MAX;
use trapline_wire::v1::{UpdateAnswer, UpdateOffer, UpdateState, is_version};

/// The part under which trouble with updates is filed.
pub const PART: &str = "update";
/// So long an update that did not come about is a fault; then it is history.
const TOLD_MS: i64 = 7 * 24 * 3_600_000;

/// How the fetch of this run goes; how far it is, the card says.
#[derive(Debug, Default)]
pub struct Fetch {
    offer: Option<UpdateOffer>,
    heard_ms: i64,
    rests: Rests,
}

impl Fetch {
    /// A sync reply came, with or without an offer.
    pub fn heard(&mut self, desk: &Desk, offer: Option<&UpdateOffer>) {
        let now_ms = desk.clock.stamp().unix_ms;
        if self.offer.as_ref() != offer {
            self.offer = offer.cloned();
            self.heard_ms = now_ms;
            self.rests = Rests::default();
            if let Some(offer) = offer {
                let version = offer.version.as_str();
                log::info!(version = version; "the server offers the update {version}");
            }
            if let Some(dir) = &desk.config.update.dir
                && let Err(error) = incoming::forget_others(dir, offer)
            {
                log::debug!("pieces of other updates stay: {error}");
            }
            desk.health.announce();
        }
        self.note(desk);
    }

    /// Whether a piece is to be asked for now.
    #[must_use]
    pub fn waits(&self, desk: &Desk) -> bool {
        let is_full = desk.card_full.load(std::sync::atomic::Ordering::Relaxed);
        let facts = desk.health.facts();
        let is_weak = facts
            .battery
            .is_some_and(|battery| battery.level >= Level::Refuse);
        let is_coming = facts
            .update
            .is_some_and(|update| matches!(update.state, UpdateState::Fetching { .. }));
        self.offer.is_some() && is_coming && !is_full && !is_weak && !self.rests.rests()
    }

    /// One request, or the proof of the whole.
    ///
    /// # Errors
    /// When a thread panicked.
    pub async fn step(
        &mut self,
        desk: &Desk,
        uplink: &mut dyn Uplink,
        piece_bytes: u64,
    ) -> Result<Step, StageError> {
        let (Some(dir), Some(offer)) = (desk.config.update.dir.clone(), self.offer.clone()) else {
            return Ok(Step::Done);
        };
        let done_bytes = match room(desk, &dir, &offer) {
            Ok(done_bytes) => done_bytes,
            Err(why) => {
                self.rests.failed();
                self.complain(desk, &why);
                return Ok(Step::Done);
            }
        };
        if done_bytes >= offer.size_bytes {
            return self.finish(desk, dir, offer).await;
        }
        let len_bytes = piece_bytes.min(offer.size_bytes - done_bytes);
        let piece = uplink
            .fetch(Shelf::Updates, &offer.sha256, done_bytes, len_bytes)
            .await;
        match piece.and_then(|bytes| believable(bytes, len_bytes)) {
            Ok(bytes) => {
                self.rests.went_well();
                let keep = move || incoming::keep_piece(&dir, &offer, done_bytes, &bytes);
                match on_hands(desk, keep).await? {
                    Ok(()) => self.note(desk),
                    Err(error) => {
                        self.rests.failed();
                        self.complain(desk, &format!("a piece cannot be kept: {error}"));
                    }
                }
                Ok(Step::Done)
            }
            Err(error) => Ok(self.failed(desk, error)),
        }
    }

    async fn finish(
        &mut self,
        desk: &Desk,
        dir: PathBuf,
        offer: UpdateOffer,
    ) -> Result<Step, StageError> {
        let version = offer.version.clone();
        match on_hands(desk, move || incoming::finish(&dir, &offer)).await? {
            Ok(Finished::Ready) => {
                let version = version.as_str();
                log::info!(version = version; "the update {version} is here and waits to be installed");
            }
            Ok(Finished::WrongOnce(why)) => {
                log::warn!("the update {version} is fetched once more: {why}");
                self.rests.anew();
            }
            Ok(Finished::Wrong(why)) => log::warn!("the update {version} is refused: {why}"),
            Err(error) => {
                self.rests.failed();
                self.complain(desk, &format!("the bundle cannot be laid ready: {error}"));
            }
        }
        self.note(desk);
        desk.health.announce();
        Ok(Step::Done)
    }

    fn failed(&mut self, desk: &Desk, error: UplinkError) -> Step {
        self.rests.failed();
        if error.is_of_the_way() {
            return Step::NotHeard(error);
        }
        self.complain(desk, &error.to_string());
        Step::Done
    }

    fn complain(&self, desk: &Desk, why: &str) {
        let version = self.offer.as_ref().map_or("", |offer| &offer.version);
        let text = format!("the update {version} cannot be fetched: {why}");
        desk.health.raise(PART, &text, desk.clock.stamp().unix_ms);
    }

    /// Writes down how far it is, for heartbeat and status.
    fn note(&self, desk: &Desk) {
        note(desk, self.offer.as_ref(), self.heard_ms);
    }
}

/// What is known of updates, for status, display and server; also at a start, before the
/// server was heard.
pub fn note(desk: &Desk, offer: Option<&UpdateOffer>, heard_ms: i64) {
    let now_ms = desk.clock.stamp().unix_ms;
    let answer = match (&desk.config.update.dir, offer) {
        (Some(dir), Some(offer)) => Some(answer(dir, offer, heard_ms)),
        (Some(dir), None) => incoming::last(dir),
        (None, Some(offer)) => Some(UpdateAnswer {
            version: offer.version.clone(),
            sha256: Some(offer.sha256),
            state: UpdateState::Refused {
                reason: "this trap has one system only, or `update.dir` is not set".to_owned(),
            },
            since_ms: heard_ms,
        }),
        (None, None) => None,
    };
    match &answer {
        Some(update) if desk.config.update.dir.is_some() => tell(desk, update, now_ms),
        _ => {}
    }
    desk.health.note(|facts| facts.update = answer);
}

fn answer(dir: &Path, offer: &UpdateOffer, heard_ms: i64) -> UpdateAnswer {
    let state = if !is_version(&offer.version) || offer.size_bytes > BUNDLE_BYTES_MAX {
        let reason = "its version or its size is none that a trap takes".to_owned();
        UpdateState::Refused { reason }
    } else {
        incoming::state(dir, offer).unwrap_or_else(|error| UpdateState::Refused {
            reason: format!("{} cannot be read: {error}", dir.display()),
        })
    };
    let known = incoming::last(dir).filter(|last| last.sha256 == Some(offer.sha256));
    UpdateAnswer {
        version: offer.version.clone(),
        sha256: Some(offer.sha256),
        state,
        since_ms: known.map_or(heard_ms, |last| last.since_ms),
    }
}

fn tell(desk: &Desk, update: &UpdateAnswer, now_ms: i64) {
    let version = &update.version;
    let is_news = now_ms.saturating_sub(update.since_ms) < TOLD_MS;
    match &update.state {
        UpdateState::Refused { reason } if is_news => {
            let text = format!("the update {version} is refused: {reason}");
            desk.health.raise(PART, &text, update.since_ms);
        }
        UpdateState::Returned { reason } if is_news => {
            let text = format!(
                "the update {version} did not prove itself, the system before it runs: {reason}"
            );
            desk.health.raise(PART, &text, update.since_ms);
        }
        UpdateState::Fetching { .. } => {}
        UpdateState::Refused { .. }
        | UpdateState::Returned { .. }
        | UpdateState::Ready
        | UpdateState::Installed
        | UpdateState::Confirmed => desk.health.clear(PART),
    }
}

/// Bytes that are here already, if there is room for the rest.
fn room(desk: &Desk, dir: &Path, offer: &UpdateOffer) -> Result<u64, String> {
    let io = |error: io::Error| format!("{} cannot be read: {error}", dir.display());
    let done_bytes = incoming::done_bytes(dir, offer).map_err(io)?;
    let rest_bytes = offer.size_bytes.saturating_sub(done_bytes);
    let spare_bytes = desk.config.ledger.free_bytes_min;
    let free_bytes = OsDisk.free_bytes(dir).map_err(io)?;
    if free_bytes < rest_bytes.saturating_add(spare_bytes) {
        return Err(format!(
            "{rest_bytes} bytes are still to come, {free_bytes} are free, and {spare_bytes} stay \
             free (`ledger.free_bytes_min`)"
        ));
    }
    Ok(done_bytes)
}

async fn on_hands<T: Send + 'static>(
    desk: &Desk,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<io::Result<T>, StageError> {
    let done = desk.hands.run(work).await;
    done.map_err(|Panicked(words)| StageError::Panicked(words))
}
