//! The agent: five stages side by side under one supervisor. They are one
//! future, so that dropping it is a power cut at that very moment; a panic in
//! a stage ends its step and nothing else.

use crate::asks::ShotCause;
use crate::capture::{Capture, Devices};
use crate::config::Config;
use crate::desk::Desk;
use crate::enrol::ask::Enrol;
use crate::enrol::{EnrolFacts, Order};
use crate::front::{Front, FrontDevices};
use crate::hands::Hands;
use crate::health::Facts;
use crate::inspect::{Inspect, LoadDetector};
use crate::page::Tend;
use crate::power::{PowerCare, PowerDevices};
use crate::probes::Probes;
use crate::retain::Retain;
use crate::stage::{Stage, StageError, drive};
use crate::sync::Sync;
use crate::sync::backoff::{Backoff, Chance};
use crate::sync::uplink::Uplink;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::timeout;
use trapline_hal::{Clock, Thermal};
use trapline_store::Ledger;

/// How long a stage other than sync waits after a failure.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));
/// A display may take this long to go dark at the end; the service manager waits not much longer.
const FRONT_GRACE: Duration = Duration::from_secs(4);
/// Live facts are written down at most this often.
const FACTS_EVERY: Duration = Duration::from_secs(1);

/// Everything an agent is made of. The simulation brings its own.
pub struct Parts {
    /// The settings; which camera and server they name is boot's matter alone.
    pub config: Arc<Config>,
    /// Wall time.
    pub clock: Arc<dyn Clock>,
    /// The open ledger.
    pub ledger: Ledger,
    /// Who does blocking work.
    pub hands: Hands,
    /// Camera and sensors.
    pub devices: Devices,
    /// Loads the detector.
    pub load_detector: LoadDetector,
    /// How hot the processor is, if something tells it.
    pub thermal: Option<Box<dyn Thermal>>,
    /// Supply, battery-backed clock, and what wakes and switches off the trap.
    pub power: PowerDevices,
    /// Display, button, LED and trigger.
    pub front: FrontDevices,
    /// What checks touch beside the stages.
    pub probes: Probes,
    /// The server, if there is one.
    pub uplink: Option<Box<dyn Uplink>>,
    /// Random numbers, 0 to 1, 1 excluded.
    pub chance: Chance,
    /// The service manager and whoever reads live facts.
    pub outside: Box<dyn Outside>,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").finish_non_exhaustive()
    }
}

/// What the agent tells the world outside its ledger and its server.
pub trait Outside: Send {
    /// The ledger is open and the stages start.
    fn ready(&mut self) {}
    /// Every stage keeps its promises.
    fn alive(&mut self) {}
    /// How often [`alive`](Self::alive) is due; `None`: never.
    fn alive_every(&self) -> Option<Duration> {
        None
    }
    /// The agent stops.
    fn stopping(&mut self) {}
    /// Live facts have changed; `None` when the agent ends.
    fn facts(&mut self, facts: Option<&Facts>) {
        let _nobody_reads = facts;
    }
}

/// Nobody listens.
#[derive(Debug, Default)]
pub struct Nobody;

impl Outside for Nobody {}

/// A trap's day.
#[derive(Debug)]
pub struct Agent {
    desk: Desk,
    capture: Capture,
    inspect: Inspect,
    sync: Sync,
    power: PowerCare,
    front: Front,
    chances: Chances,
    outside: Outsider,
}

struct Outsider(Box<dyn Outside>);

impl fmt::Debug for Outsider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outsider")
    }
}

impl Agent {
    /// Puts the parts together; nothing is touched before [`run`](Self::run).
    #[must_use]
    pub fn from_parts(parts: Parts) -> Self {
        let mut desk = Desk::new(parts.config, parts.clock, parts.hands, parts.ledger);
        desk.probes = Arc::new(tokio::sync::Mutex::new(parts.probes));
        let started_ms = desk.clock.stamp().unix_ms;
        desk.health.note(|facts| facts.started_ms = started_ms);
        Self {
            capture: Capture::new(desk.clone(), parts.devices),
            inspect: Inspect::new(desk.clone(), parts.load_detector).with_thermal(parts.thermal),
            sync: Sync::new(desk.clone(), parts.uplink),
            power: PowerCare::new(desk.clone(), parts.power),
            front: Front::new(desk.clone(), parts.front),
            chances: Chances::new(parts.chance),
            outside: Outsider(parts.outside),
            desk,
        }
    }

    /// The trap has an identity of its own, and asks its server before it delivers.
    #[must_use]
    pub fn enrolling(mut self, enrol: Enrol) -> Self {
        enrol.introduce(&self.desk);
        self.sync = self.sync.enrolling(enrol);
        self
    }

    /// Settles the enrolment as far as it goes now, without the day of the trap; `None` for a
    /// trap without a server, or with a key in its settings.
    ///
    /// # Errors
    /// Why the server was not heard.
    pub async fn enrol_now(mut self, order: Order) -> Result<Option<EnrolFacts>, StageError> {
        self.desk.enrol_orders.leave(order);
        self.sync.enrol_to_the_end().await?;
        Ok(self.desk.health.facts().enrolment)
    }

    /// What the stages share, for whoever watches the agent.
    #[must_use]
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Runs until `shutdown` returns, then lets each stage finish or cleanly
    /// abandon its step within seconds. Dropping the future is a power cut.
    ///
    /// # Errors
    /// The error on which the agent had to stop; a restart may help.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), StageError> {
        let Self {
            desk,
            capture,
            inspect,
            sync,
            power,
            front,
            chances,
            mut outside,
        } = self;
        let patience = |(min, max)| Backoff::new(min, max, chances.one());
        let to_server = &desk.config.sync;
        let to_server = (to_server.retry_min, to_server.retry_max);
        outside.0.ready();
        let stages = async {
            // Each in a place of its own: together they are more than a thread's stack likes.
            let (capture, inspect, sync, retain, power, page) = tokio::join!(
                Box::pin(stopping_all(capture, &desk, patience(RETRY))),
                Box::pin(stopping_all(inspect, &desk, patience(RETRY))),
                Box::pin(stopping_all(sync, &desk, patience(to_server))),
                Box::pin(stopping_all(
                    Retain::new(desk.clone()),
                    &desk,
                    patience(RETRY)
                )),
                Box::pin(stopping_all(power, &desk, patience(RETRY))),
                Box::pin(stopping_all(
                    Tend::new(desk.clone()),
                    &desk,
                    patience(RETRY)
                )),
            );
            let work = capture.and(inspect).and(sync).and(retain);
            work.and(power).and(page)
        };
        let ask = async {
            shutdown.await;
            desk.stop.ask();
        };
        let told_to_stop = AtomicBool::new(false);
        let done = {
            let watch = watch(&desk, outside.0.as_mut(), &told_to_stop);
            let stages_and_stop = async {
                tokio::pin!(stages);
                tokio::select! {
                    biased;
                    done = &mut stages => done,
                    () = ask => stages.await,
                }
            };
            tokio::select! {
                biased;
                done = beside(&desk, front, stages_and_stop) => done,
                () = watch => Ok(()),
            }
        };
        if !told_to_stop.into_inner() {
            outside.0.stopping();
        }
        outside.0.facts(None);
        done
    }

    /// Does `work`, such as a check, with the devices and without the day of the trap: no
    /// planned shots, no insects, no server.
    pub async fn visit<T>(self, work: impl AsyncFnOnce(&Desk) -> T) -> T {
        let Self {
            desk,
            mut capture,
            front,
            ..
        } = self;
        let answers = async {
            loop {
                match desk.asks.next() {
                    Some(ask) => {
                        if let Err(error) = capture.answer(ask).await {
                            let why = error.in_full();
                            log::warn!("a check could not be done: {why}");
                        }
                    }
                    None => desk.wakes.capture.notified().await,
                }
            }
        };
        let done = async {
            tokio::select! {
                biased;
                done = work(&desk) => done,
                () = answers => std::future::pending().await,
            }
        };
        beside(&desk, front, done).await
    }

    /// One shot now, everything inspected, everything sent that can be sent.
    ///
    /// # Errors
    /// The first error of a stage; what was done until then is in the ledger.
    pub async fn once(mut self) -> Result<(), StageError> {
        let now_ms = self.desk.clock.stamp().unix_ms;
        let taken = self.capture.shoot(now_ms, ShotCause::Visit).await?;
        if let Err(why) = taken {
            log::debug!("no picture was taken: {why}");
        }
        let mut retain = Retain::new(self.desk.clone());
        finish(&mut self.inspect).await?;
        finish(&mut self.sync).await?;
        finish(&mut retain).await
    }
}

/// Steps a stage until it wants to rest.
async fn finish<S: Stage>(stage: &mut S) -> Result<(), StageError> {
    while stage.step().await? == crate::stage::Next::Again {}
    Ok(())
}

/// Drives a stage; its fatal error lets the others stop in good order.
async fn stopping_all<S: Stage>(stage: S, desk: &Desk, backoff: Backoff) -> Result<(), StageError> {
    let done = drive(stage, desk.clone(), backoff).await;
    if done.is_err() {
        desk.stop.ask();
    }
    done
}

/// Does `work` with the front beside it, which may put itself out at the end.
async fn beside<T>(desk: &Desk, front: Front, work: impl Future<Output = T>) -> T {
    // A check is a large future; where it is not moved about, the stack stays small.
    let (mut front, mut work) = (Box::pin(front.run()), pin!(work));
    let mut has_ended = false;
    let done = loop {
        tokio::select! {
            biased;
            done = &mut work => break done,
            () = &mut front, if !has_ended => has_ended = true,
        }
    };
    desk.stop.ask();
    let out = async {
        tokio::select! {
            biased;
            () = desk.board.is_out.notified() => {}
            () = front, if !has_ended => {}
        }
    };
    let _still_lit = timeout(FRONT_GRACE, out).await;
    done
}

/// Feeds the watchdog while every promise is kept, and passes facts on. Never returns.
async fn watch(desk: &Desk, outside: &mut dyn Outside, told_to_stop: &AtomicBool) {
    let mut feeding = outside.alive_every().map(tokio::time::interval);
    let mut is_late = false;
    loop {
        let tick = async {
            match feeding.as_mut() {
                Some(feeding) => drop(feeding.tick().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = desk.stop.over(Duration::ZERO), if !told_to_stop.load(Ordering::Relaxed) => {
                told_to_stop.store(true, Ordering::Relaxed);
                outside.stopping();
            }
            () = tick => {
                let late = desk.pulse.late();
                if late.is_empty() {
                    is_late = false;
                    outside.alive();
                } else if !is_late {
                    is_late = true;
                    let late = late.join(", ");
                    log::error!("{late} hangs; the watchdog is not fed any more");
                }
            }
            () = desk.health.changed() => {
                outside.facts(Some(&desk.health.facts()));
                tokio::time::sleep(FACTS_EVERY).await;
            }
        }
    }
}

/// One source of chance for several stages.
#[derive(Clone)]
struct Chances(Arc<Mutex<Chance>>);

impl fmt::Debug for Chances {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Chances")
    }
}

impl Chances {
    fn new(chance: Chance) -> Self {
        Self(Arc::new(Mutex::new(chance)))
    }

    fn one(&self) -> Chance {
        let shared = Arc::clone(&self.0);
        Box::new(move || {
            let mut chance = shared.lock().unwrap_or_else(PoisonError::into_inner);
            chance()
        })
    }
}
