//! Pictures in the sync stage: which one goes, its next piece, and what becomes
//! of it when the server has it or does not take it.

use super::courier::{Current, Place};
use super::uplink::UplinkError;
use super::{Sync, plan};
use crate::stage::{Next, StageError, in_full};
use std::time::Duration;
use tokio::time::Instant;
use trapline_store::{NextPicture, PictureOrder, Sendable};
use trapline_wire::CaptureId;
use trapline_wire::v1::Receipt;

/// Part of the fault of pictures that the card does not give back now.
const UNREADABLE: &str = "pictures";
/// Part of the fault of pictures whose bytes are not those that were taken.
const DAMAGED: &str = "pictures_damaged";
/// An upload that loses its place this often in a row is a failure of the picture.
const RESTARTS_MAX: u32 = 3;

impl Sync {
    /// Sends one piece, after taking up the next picture if none is on its way.
    pub(super) async fn send_piece(&mut self) -> Result<Next, StageError> {
        let taken = match self.current.take() {
            Some(current) => Some(current),
            None => self.take_up().await?,
        };
        let Some(current) = taken else {
            return Ok(Next::Again);
        };
        let Some((mut current, bytes)) = self.load(current).await? else {
            return Ok(Next::Again);
        };
        let Some(uplink) = self.uplink.as_mut() else {
            return Ok(Next::RestUntilWoken);
        };
        let has_bytes = !bytes.is_empty();
        let began = Instant::now();
        let done = current.transmit(uplink.as_mut(), bytes).await;
        if has_bytes && done.is_ok() {
            self.adapt(began.elapsed());
        }
        match done {
            Ok(None) => self.current = Some(current),
            Ok(Some(receipt)) => self.received(current, receipt).await?,
            Err(error) => return self.piece_failed(current, error).await,
        }
        Ok(Next::Again)
    }

    /// The next picture of the line. One at most is looked at, because a worn
    /// card takes long over each, and news goes first again afterwards.
    async fn take_up(&mut self) -> Result<Option<Current>, StageError> {
        let pass_over = self.aside.now();
        let next = self
            .desk
            .books
            .with(move |ledger| ledger.next_picture(PictureOrder::NewestFirst, &pass_over))
            .await?;
        match next {
            NextPicture::Ready(picture) => {
                self.is_readable(picture.capture());
                Ok(Some(Current {
                    picture,
                    place: Place::Unknown,
                    restarts: 0,
                }))
            }
            NextPicture::Damaged { capture, reason } => {
                self.is_readable(capture);
                let text = format!("the picture of capture {capture} is damaged: {reason}");
                self.raise(DAMAGED, &text);
                Ok(None)
            }
            NextPicture::Unreadable {
                capture,
                reason,
                attempts,
            } => {
                self.is_unreadable(capture, attempts, &reason);
                Ok(None)
            }
            NextPicture::Nothing => Ok(None),
        }
    }

    fn is_readable(&mut self, capture: CaptureId) {
        if self.aside.readable(capture) {
            self.desk.health.clear(UNREADABLE);
        }
    }

    fn is_unreadable(&mut self, capture: CaptureId, attempts: u32, reason: &str) {
        self.aside.unreadable(capture, attempts);
        let others = match self.aside.unreadables() {
            0 | 1 => String::new(),
            all => format!(", and {} others neither", all - 1),
        };
        let text = format!(
            "the card does not give back the picture of capture {capture}{others}: {reason}; \
             it stays on the card and is tried again, the card may be worn out"
        );
        self.raise(UNREADABLE, &text);
    }

    fn raise(&self, part: &str, text: &str) {
        let now_ms = self.desk.clock.stamp().unix_ms;
        self.desk.health.raise(part, text, now_ms);
    }

    /// The bytes that the next request carries, none while the place is
    /// unknown; `None` when the card does not give them back.
    async fn load(&mut self, current: Current) -> Result<Option<(Current, Vec<u8>)>, StageError> {
        let offset_bytes = match &current.place {
            Place::Unknown => return Ok(Some((current, Vec::new()))),
            Place::New => 0,
            Place::At { offset_bytes, .. } => *offset_bytes,
        };
        let len_bytes = usize::try_from(self.piece_bytes).unwrap_or(usize::MAX);
        let (capture, attempts) = (current.picture.capture(), current.picture.attempts());
        let loaded = self
            .desk
            .books
            .with(move |ledger| {
                match ledger.read_picture(&current.picture, offset_bytes, len_bytes) {
                    Ok(bytes) => Ok(Ok((current, bytes))),
                    Err(error) => {
                        let reason = in_full(&error);
                        ledger.picture_failed(current.picture, &reason)?;
                        Ok(Err(reason))
                    }
                }
            })
            .await?;
        match loaded {
            Ok(loaded) => Ok(Some(loaded)),
            Err(reason) => {
                self.is_unreadable(capture, attempts, &reason);
                Ok(None)
            }
        }
    }

    fn adapt(&mut self, took: Duration) {
        let max_bytes = self.desk.config.sync.piece_bytes_max;
        self.piece_bytes = plan::next_piece_bytes(self.piece_bytes, took, max_bytes);
    }

    async fn received(&mut self, current: Current, receipt: Receipt) -> Result<(), StageError> {
        let picture = current.picture;
        let capture = picture.capture();
        let marked = self
            .desk
            .books
            .with(move |ledger| Ok(ledger.mark_received(picture, &receipt)))
            .await?;
        match marked {
            Ok(()) => {
                log::debug!(capture = capture.to_string(); "picture of {capture} is safe");
                self.heartbeat_is_stale = true;
                self.desk.wakes.retain.notify_one();
                Ok(())
            }
            Err(returned) => {
                let text = returned.error.to_string();
                self.set_aside(returned.token, &text).await
            }
        }
    }

    async fn piece_failed(
        &mut self,
        mut current: Current,
        error: UplinkError,
    ) -> Result<Next, StageError> {
        match &error {
            UplinkError::OutOfStep(_) | UplinkError::Gone(_) if current.restarts < RESTARTS_MAX => {
                current.place = Place::Unknown;
                current.restarts += 1;
                self.current = Some(current);
                Ok(Next::Again)
            }
            UplinkError::OutOfStep(_)
            | UplinkError::Gone(_)
            | UplinkError::TooLarge(_)
            | UplinkError::Mismatch(_)
            | UplinkError::Rejected { .. } => {
                self.set_aside(current.picture, &error.to_string()).await?;
                Ok(Next::Again)
            }
            UplinkError::Unreachable(_)
            | UplinkError::Unwell { .. }
            | UplinkError::BadKey(_)
            | UplinkError::NotEnrolled(_)
            | UplinkError::Parked(_)
            | UplinkError::Nonsense(_) => {
                // What arrived before the cut is asked for when the link is back.
                self.piece_bytes = plan::next_piece_bytes(
                    self.piece_bytes,
                    Duration::MAX,
                    self.desk.config.sync.piece_bytes_max,
                );
                current.place = Place::Unknown;
                self.current = Some(current);
                Err(self.not_heard(error))
            }
        }
    }

    async fn set_aside(&mut self, picture: Sendable, why: &str) -> Result<(), StageError> {
        let capture = picture.capture();
        log::warn!(
            capture = capture.to_string();
            "the picture of {capture} did not get through and lets the others go first: {why}"
        );
        self.aside.refused(capture);
        let why = why.to_owned();
        self.desk
            .books
            .with(move |ledger| ledger.picture_failed(picture, &why))
            .await
    }
}
