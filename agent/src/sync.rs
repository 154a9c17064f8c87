//! The sync stage: hands records and pictures to the server and believes only
//! what is proved. One step sends one batch or one piece of one picture, so
//! that news never waits for a large picture.

mod aside;
pub mod backoff;
mod courier;
mod fit;
mod heartbeat;
pub mod http;
pub mod offered;
mod pictures;
pub mod plan;
pub mod uplink;

use crate::desk::Desk;
use crate::enrol::ask::Enrol;
use crate::models;
use crate::models::fetch::Fetch;
use crate::stage::{Next, Stage, StageError};
use crate::update;
use aside::Aside;
use courier::{Current, Place};
use fit::{Fit, Sent};
use offered::Step;
use plan::{PIECE_BYTES_FIRST, Plan, Situation};
use std::fmt;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use trapline_store::Outgoing;
use trapline_wire::limits::BATCH_BYTES_MAX;
use trapline_wire::v1::SyncReply;
use uplink::{Uplink, UplinkError};

/// Batches in quick succession carry a heartbeat this often.
const HEARTBEAT_MIN: Duration = Duration::from_secs(10);
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
    current: Option<Current>,
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
            current: None,
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
        let limits = self.fit.limits();
        let pass_over = self.aside.now();
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
            records_wait: !outgoing.is_empty(),
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
            picture_waits: picture_waits || self.current.is_some(),
            heartbeat_is_stale: self.heartbeat_is_stale,
        };
        Ok((situation, outgoing))
    }

    async fn send_batch(&mut self, outgoing: Outgoing) -> Result<Next, StageError> {
        let began = Instant::now();
        let sent = self.compose(outgoing).await?;
        let with_heartbeat = sent.batch().heartbeat.is_some();
        let records = sent.batch().records();
        let Some(uplink) = self.uplink.as_mut() else {
            return Ok(Next::RestUntilWoken);
        };
        let reply = match uplink.post(sent.batch()).await {
            Ok(reply) => reply,
            Err(error) => return self.batch_failed(&sent, error),
        };
        let refused = u64::try_from(reply.refused.len()).unwrap_or(u64::MAX);
        let accounted = reply.stored.saturating_add(refused);
        if accounted != u64::try_from(records).unwrap_or(u64::MAX) {
            let error =
                UplinkError::Nonsense(format!("it accounts for {accounted} of {records} records"));
            return Err(self.not_heard(error));
        }
        for refusal in &reply.refused {
            log::warn!(
                id = refusal.id.as_str();
                "the server will never take record {}: {}", refusal.id, refusal.message
            );
        }
        self.heard(&reply);
        if with_heartbeat {
            self.heartbeat_at = Some(began);
            self.heartbeat_is_stale = false;
            self.has_news = false;
        }
        models::heard(&self.desk, reply.model.as_ref()).await?;
        self.update.heard(&self.desk, reply.update.as_ref());
        self.desk
            .books
            .with(move |ledger| {
                ledger.mark_records_stored(&sent, &reply.refused)?;
                for receipt in &reply.receipts {
                    ledger.mark_safe_by_receipt(receipt)?;
                }
                Ok(())
            })
            .await?;
        // A receipt of the reply may be for the picture that is about to go.
        if matches!(&self.current, Some(current) if matches!(current.place, Place::Unknown)) {
            self.current = None;
        }
        Ok(Next::Again)
    }

    /// What goes in one request: the records, with a heartbeat if one is due.
    async fn compose(&mut self, outgoing: Outgoing) -> Result<Outgoing, StageError> {
        let is_recent = |at: Instant| !outgoing.is_empty() && at.elapsed() < HEARTBEAT_MIN;
        if !self.has_news && self.heartbeat_at.is_some_and(is_recent) {
            return Ok(outgoing);
        }
        let mut heartbeat = heartbeat::now(&self.desk).await?;
        heartbeat.faults.truncate(self.fit.faults_max());
        let beside = if self.fit.is_narrow() {
            Outgoing::default()
        } else {
            outgoing
        };
        Ok(beside.with_heartbeat(heartbeat))
    }

    fn batch_failed(&mut self, sent: &Outgoing, error: UplinkError) -> Result<Next, StageError> {
        if matches!(error, UplinkError::TooLarge(_)) {
            let held = Sent::of(sent);
            if self.fit.was_too_large(held, &error) {
                log::info!(
                    records = held.records, bytes = held.bytes;
                    "{} records of {} bytes were too large, and less goes at a time from now on",
                    held.records, held.bytes
                );
                return Ok(Next::Again);
            }
        }
        Err(self.not_heard(error))
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
                self.send_piece().await
            }
            Plan::Rest(wait) => Ok(Next::Rest(wait)),
        };
        if let Err(error) = &done {
            self.doubt(error).await;
        }
        done
    }
}
