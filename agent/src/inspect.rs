//! The inspect stage: takes the oldest capture that was not looked at, finds
//! the insects, and writes them down. A picture that kills the detector is
//! given up after a few tries; a model that is missing makes pictures wait.
//!
//! What the detector remembers of the last picture lives in memory, and on the
//! card only between an orderly stop and the next start: a look that remembers
//! nothing is a whole one, which costs time and never insects.

use crate::degrade::{self, Care, Conditions, Level};
use crate::desk::Desk;
use crate::follow::Follower;
use crate::lent::{Lent, NotBack};
use crate::models::trial::{self, Trial, Tried};
use crate::models::{self, Choice, Ended};
use crate::moment::{millis, wire_stamp};
use crate::stage::{Next, Stage, StageError};
use std::fmt;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use trapline_detect::arrivals::Settings;
use trapline_hal::Thermal;
use trapline_store::{Fresh, NewInspection};
use trapline_wire::CaptureId;
use trapline_wire::v1::ModelRef;

mod seen;
mod watched;

pub use seen::{Asked, Detect, Seen, SeenBox, load_model};
use watched::End;

/// A model that could not be loaded is tried again after this time.
const LOAD_AGAIN_AFTER: Duration = Duration::from_mins(10);
/// An inspection may take this much longer than its limit until its thread notices.
const LIMIT_SLACK: Duration = Duration::from_mins(1);

/// While pictures wait for power or cool, it is looked after this often.
const LOOK_AROUND_AFTER: Duration = Duration::from_mins(1);
/// The part under which less care is told.
const CARE: &str = "detector_care";

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

/// Loads the chosen model; called again later when it fails, with the reason in words.
pub type LoadDetector = Box<dyn FnMut(&Choice) -> Result<Box<dyn Detect>, String> + Send>;

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
    /// Which model that is, and whether it is on probation.
    choice: Choice,
    trial: Option<Trial>,
    thermal: Option<Box<dyn Thermal>>,
    care: Care,
    /// How long the last picture took.
    took: Duration,
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
            choice: Choice::default(),
            trial: None,
            thermal: None,
            care: Care::default(),
            took: Duration::ZERO,
            failed: None,
        }
    }

    /// The stage with something that knows how hot the processor is.
    #[must_use]
    pub fn with_thermal(mut self, thermal: Option<Box<dyn Thermal>>) -> Self {
        self.thermal = thermal;
        self
    }

    /// Another model is chosen from now on.
    fn forget_model(&mut self) {
        self.detector = Lent::empty();
        self.model = None;
    }

    /// Whether a detector is here, loading it if need be.
    async fn ready_model(&mut self) -> Result<Option<ModelRef>, StageError> {
        if self.model.is_some() && self.detector.is_here() {
            return Ok(self.model.clone());
        }
        if self.detector.hanging() > 0 {
            log::error!("the detector hangs for good; only a restart of the agent ends its thread");
            // The promise to the watchdog is broken on purpose: it restarts the agent.
            return std::future::pending().await;
        }
        models::note(&self.desk).await?;
        loop {
            let choice = models::choice(&self.desk).await?;
            match self.load_model(&choice).await {
                Ok(model) => {
                    self.choice = choice;
                    return Ok(Some(model));
                }
                Err(why) if models::cannot_load(&self.desk, &choice, &why).await? => {}
                Err(why) => {
                    let message = format!(
                        "no model, pictures wait on the card: {why}; mend `detector.manifest`, \
                         or leave it out for the built-in model"
                    );
                    let now_ms = self.desk.clock.stamp().unix_ms;
                    self.desk.health.raise("detector", &message, now_ms);
                    return Ok(None);
                }
            }
        }
    }

    async fn load_model(&mut self, choice: &Choice) -> Result<ModelRef, String> {
        let limit = self.desk.config.detector.time_limit;
        let of = choice.clone();
        let load = move |load: &mut LoadDetector| match &of.trouble {
            Some(why) => Err(why.clone()),
            None => load(&of),
        };
        let loaded = self.load.job(self.desk.hands, limit, load).await;
        let why = match loaded {
            Ok(Ok(detector)) => {
                let model = detector.model();
                let arithmetic = detector.arithmetic();
                self.detector.put(detector);
                self.model = Some(model.clone());
                let id = model.id.clone();
                let with = arithmetic.map_or_else(String::new, |with| format!(" ({with})"));
                log::info!(model = id.as_str(); "pictures are inspected by the model {id}{with}");
                self.desk.health.clear("detector");
                self.desk.health.note(|facts| facts.model = Some(id));
                return Ok(model);
            }
            Ok(Err(why)) => why,
            Err(NotBack::Panicked(words)) => format!("loading it failed: {words}"),
            Err(NotBack::Hung | NotBack::Away) => "loading it takes too long".to_owned(),
        };
        Err(why)
    }

    /// How much care the detector may take now, said when it changes.
    async fn take_care(&mut self) -> Result<Level, StageError> {
        let waiting = self
            .desk
            .books
            .with(|ledger| ledger.fresh_waiting())
            .await?;
        let soc_c = self.thermal.as_mut().and_then(|thermal| thermal.soc());
        let soc_c = soc_c.map(trapline_hal::ChipCelsius::celsius);
        let now = Conditions {
            battery_v: self.desk.health.facts().battery_v,
            soc_c,
            waiting,
            picture_took: self.took,
        };
        let last = self.care.level;
        self.care = degrade::next(last, &now, &self.desk.config.detector.degrade);
        let level = self.care.level;
        self.desk.health.note(|facts| facts.soc_c = soc_c);
        if level == last {
            return Ok(level);
        }
        let words = self.care.to_string();
        if level == Level::Full {
            self.desk.health.clear(CARE);
        } else {
            let now_ms = self.desk.clock.stamp().unix_ms;
            self.desk.health.raise(CARE, &words, now_ms);
        }
        let less_care = (level > Level::Full).then_some(words);
        self.desk.health.note(|facts| facts.less_care = less_care);
        Ok(level)
    }

    async fn inspect(&mut self, fresh: Fresh, model: ModelRef) -> Result<(), StageError> {
        let capture = fresh.capture();
        let began = Instant::now();
        let end = if fresh.exhausted() {
            End::GiveUp("the agent ended during each look".to_owned())
        } else {
            match self.watched_look(capture).await? {
                Some(end) => end,
                None => return Ok(()),
            }
        };
        let took = self
            .detector
            .get()
            .and_then(|detector| detector.last_took());
        self.took = took.unwrap_or_else(|| began.elapsed());
        let inspection = NewInspection {
            model,
            stamp: wire_stamp(&self.desk.clock.stamp()),
            took_ms: millis(self.took),
        };
        let ended = match &end {
            End::Seen(_) => Some(Ended::Well),
            // A failure was counted above.
            End::GiveUp(_) if self.failed.is_some_and(|(of, _)| of == capture) => None,
            End::GiveUp(_) => Some(Ended::NoPicture),
            End::TryAgain(_) => None,
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
        if let Some(ended) = ended
            && models::look_ended(&self.desk, &self.choice, ended).await?
        {
            self.forget_model();
        }
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
        let Some(model) = self.ready_model().await? else {
            return Ok(Next::Rest(LOAD_AGAIN_AFTER));
        };
        let level = self.take_care().await?;
        if level <= Level::GatedOnly {
            let (load, detector) = (&mut self.load, &mut self.detector);
            match trial::step(&mut self.trial, &self.desk, load, detector).await? {
                Tried::Nothing => {}
                Tried::Step => return Ok(Next::Again),
                Tried::Switched => {
                    self.forget_model();
                    return Ok(Next::Again);
                }
            }
        }
        if level == Level::Queue {
            return Ok(Next::Rest(LOOK_AROUND_AFTER));
        }
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
