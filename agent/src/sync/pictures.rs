//! Pictures in the sync stage: which one goes, its next piece, and what becomes
//! of it when the server has it or does not take it.

use super::courier::{Current, Place};
use super::uplink::UplinkError;
use super::{Sync, plan};
use crate::stage::{Next, StageError};
use std::time::Duration;
use tokio::time::Instant;
use trapline_store::{NextPicture, PictureOrder, Sendable};
use trapline_wire::v1::Receipt;

/// More refused pictures than this are not passed over at a time.
const REFUSED_MAX: usize = 1000;
/// An upload that loses its place this often in a row is a failure of the picture.
const RESTARTS_MAX: u32 = 3;

impl Sync {
    pub(super) async fn next_picture(&mut self) -> Result<Option<Current>, StageError> {
        loop {
            let skip = self.refused.clone();
            let next = self
                .desk
                .books
                .with(move |ledger| ledger.next_picture(PictureOrder::NewestFirst, &skip))
                .await?;
            match next {
                NextPicture::Ready(picture) => {
                    return Ok(Some(Current {
                        picture,
                        place: Place::Unknown,
                        restarts: 0,
                    }));
                }
                NextPicture::Damaged { capture, reason } => {
                    let text = format!("the picture of capture {capture} is damaged: {reason}");
                    let now_ms = self.desk.clock.stamp().unix_ms;
                    self.desk.health.raise("disk", &text, now_ms);
                }
                NextPicture::Nothing => return Ok(None),
            }
        }
    }

    pub(super) async fn send_piece(&mut self) -> Result<Next, StageError> {
        let Some(current) = self.current.take() else {
            return Ok(Next::Again);
        };
        let (mut current, bytes) = self.load(current).await?;
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

    /// The bytes that the next request carries; none while the place is unknown.
    async fn load(&mut self, current: Current) -> Result<(Current, Vec<u8>), StageError> {
        let offset_bytes = match &current.place {
            Place::Unknown => return Ok((current, Vec::new())),
            Place::New => 0,
            Place::At { offset_bytes, .. } => *offset_bytes,
        };
        let len_bytes = usize::try_from(self.piece_bytes).unwrap_or(usize::MAX);
        self.desk
            .books
            .with(move |ledger| {
                let bytes = ledger.read_picture(&current.picture, offset_bytes, len_bytes)?;
                Ok((current, bytes))
            })
            .await
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
        if self.refused.len() < REFUSED_MAX {
            self.refused.push(capture);
        }
        self.refused_since.get_or_insert_with(Instant::now);
        let why = why.to_owned();
        self.desk
            .books
            .with(move |ledger| ledger.picture_failed(picture, &why))
            .await
    }
}
