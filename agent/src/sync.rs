//! The sync stage: hands records and pictures to the server and believes only
//! what is proved. One step sends one batch or one piece of one picture, so
//! that news never waits for a large picture.

mod answers;
mod aside;
pub mod backoff;
mod batches;
mod fit;
mod flights;
mod heartbeat;
pub mod http;
mod known;
pub mod offered;
mod pictures;
pub mod plan;
mod seek;
mod transit;
pub mod uplink;

use crate::desk::Desk;
use crate::enrol::ask::Enrol;
use crate::models::fetch::Fetch;
use crate::stage::{Next, Stage, StageError};
use crate::update;
use answers::Unanswered;
use aside::Aside;
use fit::Fit;
use flights::Flights;
use known::Known;
use offered::Step;
use plan::{BATCH_BYTES_FIRST, PIECE_BYTES_FIRST, Plan, Situation};
use seek::Seek;
use std::fmt;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use transit::Transit;
use trapline_store::Outgoing;
use trapline_wire::limits::BATCH_BYTES_MAX;
use trapline_wire::v1::SyncReply;
use uplink::{Uplink, UplinkError};

/// While a model is fetched, a heartbeat says at least this often how far it is.
const PROGRESS_EVERY: Duration = Duration::from_mins(1);

/// Part of the fault of records that are too large alone.
const TOO_LARGE: &str = "records";

/// The stage.
pub struct Sync {
    desk: Desk,
    uplink: Option<Box<dyn Uplink>>,
    heard_at: Option<Instant>,
    heartbeat_at: Option<Instant>,
    heartbeat_is_stale: bool,
    /// The next heartbeat has something to say that should not wait.
    has_news: bool,
    fit: Fit,
    piece_bytes: u64,
    /// What a batch should come to on this link, in bytes of JSON.
    batch_bytes: usize,
    /// Pieces of pictures that are under way.
    flights: Flights,
    /// Pictures between two pieces.
    held: Vec<Transit>,
    known: Known,
    /// The batch whose answer was lost.
    unanswered: Option<Unanswered>,
    /// The link is looked for.
    seek: Option<Seek>,
    /// The link was looked for in vain; until it is back, the backoff says when it is tried.
    is_lost: bool,
    aside: Aside,
    fetch: Fetch,
    update: update::fetch::Fetch,
    /// The last piece was one of a picture, so the next is one of an update that waits.
    is_updates_turn: bool,
    enrol: Option<Enrol>,
}

impl fmt::Debug for Sync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sync").finish_non_exhaustive()
    }
}

impl Sync {
    /// A stage that sends to `uplink`; without one everything stays on the card.
    #[must_use]
    pub fn new(desk: Desk, uplink: Option<Box<dyn Uplink>>) -> Self {
        Self {
            desk,
            uplink,
            heard_at: None,
            heartbeat_at: None,
            heartbeat_is_stale: false,
            has_news: false,
            fit: Fit::default(),
            piece_bytes: PIECE_BYTES_FIRST,
            batch_bytes: BATCH_BYTES_FIRST,
            flights: Flights::default(),
            held: Vec::new(),
            known: Known::default(),
            unanswered: None,
            seek: None,
            is_lost: false,
            aside: Aside::default(),
            fetch: Fetch::default(),
            update: update::fetch::Fetch::default(),
            is_updates_turn: true,
            enrol: None,
        }
    }

    /// A stage that asks the server before it delivers.
    #[must_use]
    pub(crate) fn enrolling(mut self, enrol: Enrol) -> Self {
        self.enrol = Some(enrol);
        self
    }

    /// Asks until the server has nothing new to say.
    pub(crate) async fn enrol_to_the_end(&mut self) -> Result<(), StageError> {
        while self.enrol().await? == Some(Next::Again) {}
        Ok(())
    }

    /// What enrolment wants first; `None` when the trap may deliver.
    async fn enrol(&mut self) -> Result<Option<Next>, StageError> {
        let (Some(enrol), Some(uplink)) = (self.enrol.as_mut(), self.uplink.as_mut()) else {
            return Ok(None);
        };
        let done = enrol.step(&self.desk, uplink.as_mut()).await;
        done.map_err(|error| self.not_heard(error))
    }

    /// An answer that puts the enrolment in doubt is asked about with the next step.
    async fn doubt(&mut self, error: &StageError) {
        let Some(enrol) = self.enrol.as_mut() else {
            return;
        };
        match error {
            StageError::Uplink(UplinkError::BadKey(_)) => enrol.doubt(),
            StageError::Uplink(UplinkError::Parked(why)) => {
                enrol.park(&self.desk, why.clone()).await;
            }
            StageError::Uplink(_) | StageError::Store(_) | StageError::Panicked(_) => {}
        }
    }

    async fn look(&mut self) -> Result<(Situation, Outgoing), StageError> {
        let mut limits = self.fit.limits();
        limits.bytes_max = limits.bytes_max.min(self.batch_bytes);
        let pass_over = self.pass_over();
        // The pictures' files are not touched here: a bad one must not hold up news.
        let (outgoing, picture_waits) = self
            .desk
            .books
            .with(move |ledger| Ok((ledger.outgoing(limits)?, ledger.picture_waits(&pass_over)?)))
            .await?;
        self.tell_of_too_large(&outgoing);
        let model_waits = self.fetch.waiting(&self.desk).await?.is_some();
        let update_waits = self.update.waits(&self.desk);
        let heartbeat_every = self.desk.config.sync.heartbeat_every;
        self.has_news |= self.desk.health.take_news();
        let situation = Situation {
            records_wait: !outgoing.is_empty() || self.unanswered.is_some(),
            silent_for: self.heard_at.map(|at| at.elapsed()),
            // While something comes, people want to see how far it is.
            heartbeat_every: if model_waits || update_waits {
                heartbeat_every.min(PROGRESS_EVERY)
            } else {
                heartbeat_every
            },
            model_waits,
            update_waits,
            is_updates_turn: self.is_updates_turn,
            has_news: self.has_news,
            picture_waits: picture_waits || !self.held.is_empty() || !self.flights.is_empty(),
            heartbeat_is_stale: self.heartbeat_is_stale,
        };
        Ok((situation, outgoing))
    }

    /// Records that never fit hold up no other; people have to know of them.
    fn tell_of_too_large(&self, outgoing: &Outgoing) {
        let count = outgoing.too_large();
        if count > 0 {
            let text = format!(
                "{count} of the records are too large alone: {}; they stay on the card and are \
                 tried again every few hours; a proxy before the server must let requests of \
                 {BATCH_BYTES_MAX} bytes through",
                self.fit.why()
            );
            let now_ms = self.desk.clock.stamp().unix_ms;
            self.desk.health.raise(TOO_LARGE, &text, now_ms);
        } else if outgoing.is_empty() {
            self.desk.health.clear(TOO_LARGE);
        }
    }

    async fn fetch_piece(&mut self) -> Result<Next, StageError> {
        let (Some(uplink), Some(model)) =
            (self.uplink.as_mut(), self.fetch.waiting(&self.desk).await?)
        else {
            return Ok(Next::Again);
        };
        let max_bytes = self.desk.config.sync.piece_bytes_max;
        let began = Instant::now();
        let step = self
            .fetch
            .step(&self.desk, uplink.as_mut(), model, self.piece_bytes)
            .await?;
        self.fetched(step, began, max_bytes)
    }

    async fn fetch_update(&mut self) -> Result<Next, StageError> {
        let Some(uplink) = self.uplink.as_mut() else {
            return Ok(Next::Again);
        };
        self.is_updates_turn = false;
        let max_bytes = self.desk.config.sync.piece_bytes_max;
        let began = Instant::now();
        let step = self
            .update
            .step(&self.desk, uplink.as_mut(), self.piece_bytes)
            .await?;
        self.fetched(step, began, max_bytes)
    }

    fn fetched(&mut self, step: Step, began: Instant, max_bytes: u64) -> Result<Next, StageError> {
        match step {
            Step::Done => {
                let took = began.elapsed();
                self.piece_bytes = plan::next_piece_bytes(self.piece_bytes, took, max_bytes);
                Ok(Next::Again)
            }
            Step::NotHeard(error) => {
                self.piece_bytes =
                    plan::next_piece_bytes(self.piece_bytes, Duration::MAX, max_bytes);
                Err(self.not_heard(error))
            }
        }
    }

    fn heard(&mut self, reply: &SyncReply) {
        self.heard_at = Some(Instant::now());
        self.known.heard(reply.unfinished.as_deref());
        self.seek = None;
        self.is_lost = false;
        let now_ms = self.desk.clock.stamp().unix_ms;
        let offset_ms = reply.server_time_ms.saturating_sub(now_ms);
        self.desk.health.note(|facts| {
            facts.last_sync_ms = Some(now_ms);
            facts.server_offset_ms = Some(offset_ms);
            facts.sync_error = None;
        });
        self.desk.health.clear("server");
    }

    fn not_heard(&mut self, error: UplinkError) -> StageError {
        let text = error.to_string();
        self.desk.health.note(|facts| facts.sync_error = Some(text));
        StageError::Uplink(error)
    }
}

impl Stage for Sync {
    fn name(&self) -> &'static str {
        "sync"
    }

    fn step_limit(&self) -> Duration {
        // A picture needs a question and a piece, and the ledger's own time.
        2 * self.desk.config.sync.request_timeout + Duration::from_mins(2)
    }

    fn grace(&self) -> Duration {
        // Every request may be cut off and sent again.
        Duration::from_secs(1)
    }

    fn wake<'a>(&self, desk: &'a Desk) -> &'a Notify {
        &desk.wakes.sync
    }

    async fn step(&mut self) -> Result<Next, StageError> {
        if self.uplink.is_none() {
            return Ok(Next::RestUntilWoken);
        }
        if let Some(next) = self.enrol().await? {
            return Ok(next);
        }
        let (situation, outgoing) = self.look().await?;
        let done = match plan::next(situation) {
            Plan::Batch => self.send_batch(outgoing).await,
            Plan::Model => self.fetch_piece().await,
            Plan::Update => self.fetch_update().await,
            Plan::Piece => {
                self.is_updates_turn = true;
                let silent_for = situation.silent_for.unwrap_or_default();
                self.send_piece(situation.heartbeat_every.saturating_sub(silent_for))
                    .await
            }
            Plan::Rest(wait) => Ok(Next::Rest(wait)),
        };
        if let Err(error) = &done {
            self.doubt(error).await;
        }
        done
    }
}
