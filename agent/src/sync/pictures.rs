//! Pictures in the sync stage: which one goes, its next piece, and what becomes
//! of it when the server has it or does not take it.

use super::flights::Landed;
use super::transit::{Place, Transit};
use super::uplink::UplinkError;
use super::{Sync, plan};
use crate::stage::{Next, StageError, in_full};
use std::time::Duration;
use tokio::time::sleep;
use trapline_store::{NextPicture, PassOver, PictureOrder, Sendable};
use trapline_wire::CaptureId;
use trapline_wire::v1::Receipt;

/// Part of the fault of pictures that the card does not give back now.
const UNREADABLE: &str = "pictures";
/// Part of the fault of pictures whose bytes are not those that were taken.
const DAMAGED: &str = "pictures_damaged";
/// An upload that loses its place this often in a row is a failure of the picture.
const RESTARTS_MAX: u32 = 3;

impl Sync {
    /// Sends one piece beside what is under way; with nothing to send, waits for what is under way, or
    /// for news, or until `news_in` is over.
    pub(super) async fn send_piece(&mut self, news_in: Duration) -> Result<Next, StageError> {
        if self.flights.has_room() {
            let taken = match self.held.pop() {
                Some(transit) => Some(transit),
                None => self.take_up().await?,
            };
            if let Some(transit) = taken {
                return self.start(transit).await;
            }
        }
        if self.flights.is_empty() {
            return Ok(Next::Again);
        }
        tokio::select! {
            biased;
            landed = self.flights.landing() => self.landed(landed).await,
            () = self.desk.wakes.sync.notified() => Ok(Next::Again),
            () = sleep(news_in) => Ok(Next::Again),
        }
    }

    async fn start(&mut self, transit: Transit) -> Result<Next, StageError> {
        let Some((transit, bytes)) = self.load(transit).await? else {
            return Ok(Next::Again);
        };
        let Some(uplink) = self.uplink.as_mut() else {
            return Ok(Next::RestUntilWoken);
        };
        let seeks = !self.is_lost;
        match uplink.lane() {
            Some(lane) => {
                self.flights.start(lane, transit, bytes, seeks);
                Ok(Next::Again)
            }
            None => {
                let landed = Landed::by(uplink.as_mut(), transit, bytes, seeks).await;
                self.landed(landed).await
            }
        }
    }

    async fn landed(&mut self, landed: Landed) -> Result<Next, StageError> {
        let Landed {
            transit,
            outcome,
            took,
            had_bytes,
        } = landed;
        if transit.fruitless > 1 {
            // Something on the way passes on whole requests only: smaller ones may get through.
            self.adapt(Duration::MAX);
        } else if had_bytes && !transit.was_cut {
            self.adapt(took);
        }
        match outcome {
            Ok(receipt) => {
                self.is_lost = false;
                match receipt {
                    None => self.held.push(transit),
                    Some(receipt) => self.received(transit.picture, receipt).await?,
                }
                Ok(Next::Again)
            }
            Err(error) => self.piece_failed(transit, error).await,
        }
    }

    /// The next picture of the line. One at most is looked at, because a worn
    /// card takes long over each, and news goes first again afterwards.
    async fn take_up(&mut self) -> Result<Option<Transit>, StageError> {
        let pass_over = self.pass_over();
        let next = self
            .desk
            .books
            .with(move |ledger| ledger.next_picture(PictureOrder::NewestFirst, &pass_over))
            .await?;
        match next {
            NextPicture::Ready(picture) => {
                self.is_readable(picture.capture());
                let place = self.known.place_of(&picture);
                Ok(Some(Transit::new(picture, place)))
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

    /// What is not taken up now: what rests, and what is on its way.
    pub(super) fn pass_over(&mut self) -> PassOver {
        let mut pass_over = self.aside.now();
        let held = self.held.iter().map(|it| it.picture.capture());
        pass_over
            .captures
            .extend(held.chain(self.flights.captures()));
        pass_over
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
    async fn load(&mut self, transit: Transit) -> Result<Option<(Transit, Vec<u8>)>, StageError> {
        let offset_bytes = match &transit.place {
            Place::Unknown => return Ok(Some((transit, Vec::new()))),
            Place::New => 0,
            Place::At { offset_bytes, .. } => *offset_bytes,
        };
        let share = if self.flights.left_just_now() { 2 } else { 1 };
        let len_bytes = usize::try_from(self.piece_bytes / share).unwrap_or(usize::MAX);
        let (capture, attempts) = (transit.picture.capture(), transit.picture.attempts());
        let loaded = self
            .desk
            .books
            .with(move |ledger| {
                match ledger.read_picture(&transit.picture, offset_bytes, len_bytes) {
                    Ok(bytes) => Ok(Ok((transit, bytes))),
                    Err(error) => {
                        let reason = in_full(&error);
                        ledger.picture_failed(transit.picture, &reason)?;
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

    async fn received(&mut self, picture: Sendable, receipt: Receipt) -> Result<(), StageError> {
        let capture = picture.capture();
        self.known.settled(&picture.sha256());
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
        mut transit: Transit,
        error: UplinkError,
    ) -> Result<Next, StageError> {
        self.known.doubt(&transit.picture.sha256());
        match &error {
            UplinkError::OutOfStep(_) | UplinkError::Gone(_) if transit.restarts < RESTARTS_MAX => {
                transit.place = Place::Unknown;
                transit.restarts += 1;
                self.held.push(transit);
                Ok(Next::Again)
            }
            UplinkError::OutOfStep(_)
            | UplinkError::Gone(_)
            | UplinkError::TooLarge(_)
            | UplinkError::Mismatch(_)
            | UplinkError::Rejected { .. } => {
                self.set_aside(transit.picture, &error.to_string()).await?;
                Ok(Next::Again)
            }
            UplinkError::Unreachable(_)
            | UplinkError::Unwell { .. }
            | UplinkError::BadKey(_)
            | UplinkError::NotEnrolled(_)
            | UplinkError::Parked(_)
            | UplinkError::Nonsense(_) => {
                // What arrived before the cut is asked for when the link is back.
                transit.place = Place::Unknown;
                transit.fruitless = 0;
                self.held.push(transit);
                self.lost();
                Err(self.not_heard(error))
            }
        }
    }

    /// The link is gone for a while, and with it all that was under way.
    pub(super) fn lost(&mut self) {
        self.is_lost = true;
        for sha256 in std::mem::take(&mut self.flights).into_pictures() {
            self.known.doubt(&sha256);
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
