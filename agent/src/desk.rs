//! What every stage has before it: settings, clock, ledger, and the ways to
//! wake, watch and stop each other. No picture or record passes here.

use crate::asks::Asks;
use crate::config::Config;
use crate::enrol::Orders;
use crate::front::Board;
use crate::hands::{Books, Hands};
use crate::health::Health;
use crate::page::Page;
use crate::power::PowerDesk;
use crate::probes::Probes;
use crate::timetable::Timetable;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use trapline_hal::Clock;
use trapline_store::Ledger;

/// Shared by all stages; cloning it is cheap.
#[derive(Clone)]
pub struct Desk {
    /// The settings.
    pub config: Arc<Config>,
    /// The schedule at the place that is known.
    pub timetable: Arc<Timetable>,
    /// Wall time.
    pub clock: Arc<dyn Clock>,
    /// Who does blocking work.
    pub hands: Hands,
    /// The ledger.
    pub books: Books,
    /// Faults and live facts.
    pub health: Arc<Health>,
    /// Wakes a stage that rests.
    pub wakes: Arc<Wakes>,
    /// Asks all stages to stop.
    pub stop: Stop,
    /// What the stages have promised the watchdog.
    pub pulse: Arc<Pulse>,
    /// What is asked of the capture stage out of turn.
    pub asks: Arc<Asks>,
    /// What the battery allows, and who keeps the trap up.
    pub power: Arc<PowerDesk>,
    /// What a person at the trap decided about its enrolment.
    pub enrol_orders: Arc<Orders>,
    /// The technician's page.
    pub page: Arc<Page>,
    /// What the front shows and knows.
    pub board: Arc<Board>,
    /// What checks touch; who holds it checks alone.
    pub probes: Arc<tokio::sync::Mutex<Probes>>,
    /// The card has no room for pictures; what is left is for the ledger's rows.
    pub card_full: Arc<AtomicBool>,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}

impl Desk {
    /// A desk on which nothing has happened yet.
    #[must_use]
    pub fn new(config: Arc<Config>, clock: Arc<dyn Clock>, hands: Hands, ledger: Ledger) -> Self {
        let wakes = Arc::new(Wakes::default());
        let power = Arc::new(PowerDesk::new(&config.power, &ledger));
        let timetable = Arc::new(Timetable::of(&config, &ledger));
        Self {
            power,
            timetable,
            clock,
            hands,
            books: Books::new(hands, ledger),
            health: Arc::new(Health::default()),
            enrol_orders: Arc::default(),
            asks: Arc::new(Asks::new(Arc::clone(&wakes))),
            page: Arc::new(Page::new(&config, Arc::clone(&wakes))),
            config,
            wakes,
            stop: Stop::default(),
            pulse: Arc::new(Pulse::default()),
            board: Arc::default(),
            probes: Arc::default(),
            card_full: Arc::default(),
        }
    }
}

/// One bell for each stage.
#[derive(Debug, Default)]
pub struct Wakes {
    /// The capture stage; rung by [`Asks`].
    pub capture: Notify,
    /// A capture waits for the detector.
    pub inspect: Notify,
    /// Something waits for the server.
    pub sync: Notify,
    /// A picture became safe or the card filled up.
    pub retain: Notify,
    /// The battery was read.
    pub power: Notify,
    /// The technician's page was asked for, or told to close.
    pub page: Notify,
}

/// Asks all stages to stop, and says since when.
#[derive(Debug, Clone)]
pub struct Stop {
    asked: Arc<watch::Sender<Option<Instant>>>,
}

impl Default for Stop {
    fn default() -> Self {
        Self {
            asked: Arc::new(watch::Sender::new(None)),
        }
    }
}

impl Stop {
    /// Asks for the stop; asking again changes nothing.
    pub fn ask(&self) {
        self.asked.send_if_modified(|since| {
            let is_new = since.is_none();
            since.get_or_insert_with(Instant::now);
            is_new
        });
    }

    /// Whether the stop was asked for.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.asked.borrow().is_some()
    }

    /// Returns when the stop was asked for `grace` ago; never, while nobody asks.
    pub async fn over(&self, grace: Duration) {
        let mut asked = self.asked.subscribe();
        let since = match asked.wait_for(Option::is_some).await {
            Ok(since) => *since,
            Err(_) => None,
        };
        match since {
            Some(since) => tokio::time::sleep_until(since + grace).await,
            None => std::future::pending().await,
        }
    }
}

/// When each stage has promised to be back. The watchdog is fed only while
/// every promise is kept.
#[derive(Debug, Default)]
pub struct Pulse {
    due: Mutex<BTreeMap<&'static str, Instant>>,
}

impl Pulse {
    /// The stage is back within this time.
    pub fn promise(&self, stage: &'static str, within: Duration) {
        self.lock().insert(stage, Instant::now() + within);
    }

    /// The stage rests and is not expected.
    pub fn rest(&self, stage: &'static str) {
        self.lock().remove(stage);
    }

    /// The stages that have broken their promise.
    #[must_use]
    pub fn late(&self) -> Vec<&'static str> {
        let now = Instant::now();
        let due = self.lock();
        let late = due.iter().filter(|(_, due)| **due < now);
        late.map(|(stage, _)| *stage).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, Instant>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
