//! The inspect stage: takes the oldest capture that was not looked at, finds
//! the insects, and writes them down. A picture that kills the detector is
//! given up after a few tries; a model that is missing makes pictures wait.
//!
//! What the detector remembers of the last picture lives in memory, and on the
//! card only between an orderly stop and the next start: a look that remembers
//! nothing is a whole one, which costs time and never insects.

use crate::desk::Desk;
use crate::follow::Follower;
use crate::lent::{Lent, NotBack};
use crate::moment::{millis, wire_stamp};
use crate::stage::{Next, Stage, StageError, in_full};
use std::fmt;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use trapline_detect::arrivals::Settings;
use trapline_detect::look::LookSettings;
use trapline_store::{Fresh, NewInspection, StoreError};
use trapline_wire::CaptureId;
use trapline_wire::v1::ModelRef;

mod seen;

pub use seen::{Asked, Detect, Seen, SeenBox, load_model};

/// A model that could not be loaded is tried again after this time.
const LOAD_AGAIN_AFTER: Duration = Duration::from_mins(10);
/// An inspection may take this much longer than its limit until its thread notices.
const LIMIT_SLACK: Duration = Duration::from_mins(1);

/// Looks at one picture that may be started in all. More than tries that may
/// fail, because a power cut in the middle of a look is not the picture's fault;
/// not endless, because a picture that kills the agent must have an end.
const LOOKS_MAX: u32 = 10;

/// Why there are no boxes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookError {
    /// It is no picture that anybody could look at; trying again helps in no case.
    #[error("{0}")]
    Unreadable(String),
    /// It took too long.
    #[error("it took longer than {limit_s} s")]
    TooSlow {
        /// The limit in seconds.
        limit_s: u64,
    },
    /// The detector failed.
    #[error("{0}")]
    Failed(String),
}

/// Loads the detector; called again later when it fails, with the reason in words.
pub type LoadDetector = Box<dyn FnMut() -> Result<Box<dyn Detect>, String> + Send>;

/// The stage.
pub struct Inspect {
    desk: Desk,
    load: Lent<LoadDetector>,
    detector: Lent<Box<dyn Detect>>,
    model: Option<ModelRef>,
    /// What the detector remembers of the last picture that was recorded.
    memory: Memory,
    /// `None` until it is read from the ledger.
    follower: Option<Follower>,
    /// The capture whose tries failed last, and how often they did.
    failed: Option<(CaptureId, u32)>,
}

/// Where the detector's memory is.
enum Memory {
    /// Perhaps on the card, from the last orderly stop.
    OnCard,
    Nothing,
    Here(Vec<u8>),
}

impl fmt::Debug for Inspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inspect").finish_non_exhaustive()
    }
}

impl Inspect {
    /// The stage; the model is loaded by its first step, after the first shot could start.
    #[must_use]
    pub fn new(desk: Desk, load: LoadDetector) -> Self {
        Self {
            desk,
            load: Lent::of(load),
            detector: Lent::empty(),
            model: None,
            memory: Memory::OnCard,
            follower: None,
            failed: None,
        }
    }

    /// Whether a detector is here, loading it if need be.
    async fn ready_model(&mut self) -> Option<ModelRef> {
        if self.detector.is_here() {
            return self.model.clone();
        }
        if self.detector.hanging() > 0 {
            log::error!("the detector hangs for good; only a restart of the agent ends its thread");
            // The promise to the watchdog is broken on purpose: it restarts the agent.
            return std::future::pending().await;
        }
        let limit = self.desk.config.detector.time_limit;
        let loaded = self.load.job(self.desk.hands, limit, |load| load()).await;
        let why = match loaded {
            Ok(Ok(detector)) => {
                let model = detector.model();
                self.detector.put(detector);
                self.model = Some(model.clone());
                let id = model.id.clone();
                log::info!(model = id.as_str(); "pictures are inspected by the model {id}");
                self.desk.health.clear("detector");
                self.desk.health.note(|facts| facts.model = Some(id));
                return Some(model);
            }
            Ok(Err(why)) => why,
            Err(NotBack::Panicked(words)) => format!("loading it failed: {words}"),
            Err(NotBack::Hung | NotBack::Away) => "loading it takes too long".to_owned(),
        };
        let message = format!(
            "no model, pictures wait on the card: {why}; mend `detector.manifest`, or leave it \
             out for the built-in model"
        );
        let now_ms = self.desk.clock.stamp().unix_ms;
        self.desk.health.raise("detector", &message, now_ms);
        None
    }

    async fn inspect(&mut self, fresh: Fresh, model: ModelRef) -> Result<(), StageError> {
        let capture = fresh.capture();
        let began = Instant::now();
        let end = if fresh.exhausted() {
            End::GiveUp("the agent ended during each look".to_owned())
        } else {
            let end = self.look(capture).await?;
            self.count_failures(capture, end)
        };
        let inspection = NewInspection {
            model,
            stamp: wire_stamp(&self.desk.clock.stamp()),
            took_ms: millis(began.elapsed()),
        };
        match end {
            End::Seen(seen) => {
                let boxes = seen.boxes.len();
                log::info!(
                    capture = capture.to_string(), boxes = boxes, tiles_run = seen.facts.tiles_run, took_ms = inspection.took_ms;
                    "inspected {capture}"
                );
                self.record(fresh, inspection, *seen).await?;
            }
            End::GiveUp(why) => {
                log::warn!(capture = capture.to_string(); "gave up inspecting {capture}: {why}");
                let write = move |ledger: &mut trapline_store::Ledger| {
                    ledger.give_up(fresh, &inspection, &why)
                };
                self.desk.books.with(write).await?;
            }
            End::TryAgain(why) => {
                let tries = fresh.attempts();
                log::warn!(
                    capture = capture.to_string(), tries = tries;
                    "look {tries} at {capture} failed: {why}"
                );
                return Ok(());
            }
        }
        self.desk.wakes.sync.notify_one();
        Ok(())
    }

    /// Writes down what was seen, and what the follower makes of it.
    async fn record(
        &mut self,
        fresh: Fresh,
        inspection: NewInspection,
        mut seen: Seen,
    ) -> Result<(), StageError> {
        let memory = std::mem::take(&mut seen.memory);
        // Both hold again only when this look is recorded: a commit that failed
        // may be on the card all the same, so the ledger is asked next time.
        self.memory = Memory::Nothing;
        let follower = self.follower.take();
        let settings = Settings {
            score: inspection.model.threshold,
            ..Settings::default()
        };
        let write = move |ledger: &mut trapline_store::Ledger| {
            let follower = match follower {
                Some(follower) => follower,
                None => Follower::resume(ledger.followed()?.as_ref(), settings),
            };
            let (found, next) = follower.after(fresh.capture(), &inspection.model, &seen);
            ledger.record_detections(fresh, &inspection, found)?;
            Ok(next)
        };
        self.follower = Some(self.desk.books.with(write).await?);
        self.memory = Memory::Here(memory);
        Ok(())
    }

    /// What is remembered of the picture before. What the card kept is taken
    /// from it, because it is worth nothing after this look.
    async fn remembered(&mut self) -> Option<Vec<u8>> {
        if matches!(self.memory, Memory::OnCard) {
            let kept = self.desk.books.with(|ledger| ledger.take_memory()).await;
            self.memory = match kept {
                Ok(Some(bytes)) => Memory::Here(bytes),
                Ok(None) => Memory::Nothing,
                Err(error) => {
                    let why = error.in_full();
                    log::warn!("what the detector remembered cannot be read: {why}");
                    Memory::Nothing
                }
            };
        }
        match &self.memory {
            Memory::Here(bytes) => Some(bytes.clone()),
            Memory::OnCard | Memory::Nothing => None,
        }
    }

    /// A picture whose tries have all failed is given up.
    fn count_failures(&mut self, capture: CaptureId, end: End) -> End {
        let End::TryAgain(why) = end else {
            return end;
        };
        let before = self.failed.filter(|(of, _)| *of == capture);
        let failures = before.map_or(1, |(_, failures)| failures + 1);
        self.failed = Some((capture, failures));
        if failures < self.desk.config.detector.attempts_max {
            return End::TryAgain(why);
        }
        End::GiveUp(format!("every try failed, the last because: {why}"))
    }

    async fn look(&mut self, capture: CaptureId) -> Result<End, StageError> {
        let read = self
            .desk
            .books
            .with(move |ledger| Ok(ledger.picture(capture)))
            .await?;
        let jpeg = match read {
            Ok(jpeg) => jpeg,
            Err(error @ (StoreError::Damaged { .. } | StoreError::Refused { .. })) => {
                return Ok(End::GiveUp(in_full(&error)));
            }
            Err(error) => return Err(StageError::Store(error)),
        };
        let memory = self.remembered().await;
        let limit = self.desk.config.detector.time_limit;
        let runtime = tokio::runtime::Handle::current();
        let looked = self
            .detector
            .job(self.desk.hands, limit + LIMIT_SLACK, move |detector| {
                let _clock = runtime.enter();
                let began = Instant::now();
                let mut is_over = false;
                let mut keep_going = || {
                    is_over = began.elapsed() > limit;
                    !is_over
                };
                let asked = Asked {
                    jpeg: &jpeg,
                    memory: memory.as_deref(),
                    settings: LookSettings::default(),
                };
                let found = detector.look(&asked, &mut keep_going);
                match found {
                    Err(_) if is_over => Err(LookError::TooSlow {
                        limit_s: limit.as_secs(),
                    }),
                    found => found,
                }
            })
            .await;
        Ok(match looked {
            Ok(Ok(seen)) => End::Seen(Box::new(seen)),
            Ok(Err(LookError::Unreadable(why))) => End::GiveUp(why),
            Ok(Err(error @ (LookError::TooSlow { .. } | LookError::Failed(_)))) => {
                End::TryAgain(error.to_string())
            }
            Err(NotBack::Panicked(words)) => {
                End::TryAgain(format!("a mistake in the detector: {words}"))
            }
            Err(NotBack::Hung | NotBack::Away) => {
                End::TryAgain("the detector does not come back".to_owned())
            }
        })
    }
}

enum End {
    Seen(Box<Seen>),
    GiveUp(String),
    TryAgain(String),
}

impl Stage for Inspect {
    fn name(&self) -> &'static str {
        "inspect"
    }

    fn step_limit(&self) -> Duration {
        2 * self.desk.config.detector.time_limit + 2 * LIMIT_SLACK
    }

    fn grace(&self) -> Duration {
        Duration::from_secs(8)
    }

    fn wake<'a>(&self, desk: &'a Desk) -> &'a Notify {
        &desk.wakes.inspect
    }

    async fn step(&mut self) -> Result<Next, StageError> {
        if !self.desk.config.detector.enabled {
            return Ok(Next::RestUntilWoken);
        }
        let Some(model) = self.ready_model().await else {
            return Ok(Next::Rest(LOAD_AGAIN_AFTER));
        };
        let looks_max = LOOKS_MAX.max(self.desk.config.detector.attempts_max);
        let fresh = self
            .desk
            .books
            .with(move |ledger| ledger.next_fresh(looks_max))
            .await?;
        let Some(fresh) = fresh else {
            return Ok(Next::RestUntilWoken);
        };
        self.inspect(fresh, model).await?;
        Ok(Next::Again)
    }

    async fn stopped(&mut self) {
        if let Memory::Here(bytes) = std::mem::replace(&mut self.memory, Memory::Nothing) {
            let keep = move |ledger: &mut trapline_store::Ledger| ledger.keep_memory(&bytes);
            if let Err(error) = self.desk.books.with(keep).await {
                let why = error.in_full();
                log::warn!("what the detector remembers cannot be kept: {why}");
            }
        }
    }
}
