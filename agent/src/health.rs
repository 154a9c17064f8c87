//! What does not work now, and the few live facts that the ledger does not
//! hold. It is memory only: a fault that still holds after a restart shows again.

use crate::enrol::EnrolFacts;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use trapline_hal::battery::gate::Level;
use trapline_wire::v1::{Fault, ModelAnswer, UpdateAnswer};

/// Live facts of a running agent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// When the agent started, believed UTC in milliseconds.
    pub started_ms: i64,
    /// When the next shot is due; `None` when none is planned.
    pub next_due_ms: Option<i64>,
    /// Why no shot is planned.
    pub idle: Option<String>,
    /// The model in use.
    pub model: Option<String>,
    /// When the server last answered.
    pub last_sync_ms: Option<i64>,
    /// The server's clock minus this one, at that time.
    pub server_offset_ms: Option<i64>,
    /// Why the last try to reach the server failed; `None` when it did not.
    pub sync_error: Option<String>,
    /// Battery voltage at the last shot.
    pub battery_v: Option<f64>,
    /// Processor temperature before the last look, degrees Celsius.
    #[serde(default)]
    pub soc_c: Option<f64>,
    /// Why the detector takes less than full care, if it does.
    #[serde(default)]
    pub less_care: Option<String>,
    /// What became of the last model that the server offered.
    #[serde(default)]
    pub model_offer: Option<ModelAnswer>,
    /// What became of the last update of the whole system.
    #[serde(default)]
    pub update: Option<UpdateAnswer>,
    /// The battery; `None` where none is measured.
    #[serde(default)]
    pub battery: Option<BatteryFacts>,
    /// Room left on the card.
    #[serde(default)]
    pub card_free_bytes: Option<u64>,
    /// How many hours that lasts at the rate of the last days; `None` when that is not known
    /// or hardly anything is written.
    #[serde(default)]
    pub card_hours_left: Option<u32>,
    /// When the trap is woken, if it lies down now: the alarm that is armed and was read back.
    #[serde(default)]
    pub wakes_ms: Option<i64>,
    /// What held the processor back since boot, with the remedy.
    #[serde(default)]
    pub strains: Vec<String>,
    /// The battery-backed clock, if there is one.
    #[serde(default)]
    pub rtc: Option<RtcFacts>,
    /// How the trap stands with its server; `None` without one, or with a key in its settings.
    #[serde(default)]
    pub enrolment: Option<EnrolFacts>,
    /// Faults by part.
    pub faults: BTreeMap<String, Fault>,
}

/// The battery as far as it is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct BatteryFacts {
    /// How full it is, 0 to 100.
    pub percent: f64,
    /// At least this.
    #[serde(default)]
    pub from_percent: f64,
    /// At most this.
    #[serde(default)]
    pub to_percent: f64,
    /// Hours down to the shutdown threshold; `None` when it does not sink or that is not clear.
    #[serde(default)]
    pub hours_left: Option<f64>,
    /// Whether it is being charged.
    #[serde(default)]
    pub charging: bool,
    /// What it allows; from [`Level::Refuse`] on no pictures are taken.
    #[serde(default)]
    pub level: Level,
}

/// The battery-backed clock.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RtcFacts {
    /// Which it is, as `DS3231 (rtc0, rtc-ds1307 1-0068)`.
    pub name: String,
    /// By how many seconds it is ahead of the trap's time.
    pub ahead_s: i64,
    /// How fast it runs, in words; `None` while that is not known.
    #[serde(default)]
    pub drift: Option<String>,
}

/// The facts, shared by all stages.
#[derive(Debug, Default)]
pub struct Health {
    facts: Mutex<Facts>,
    changed: Notify,
    /// The server should hear of it before the next heartbeat is due.
    news: AtomicBool,
}

impl Health {
    /// Something of `part` does not work; the first time is kept while the fault lasts.
    pub fn raise(&self, part: &str, message: &str, now_ms: i64) {
        let mut facts = self.lock();
        let known = facts.faults.get(part);
        if known.is_some_and(|fault| fault.message == message) {
            return;
        }
        let since_ms = known.map_or(now_ms, |fault| fault.since_ms);
        let fault = Fault {
            part: part.to_owned(),
            message: message.to_owned(),
            since_ms,
        };
        facts.faults.insert(part.to_owned(), fault);
        drop(facts);
        log::warn!(part = part; "{part}: {message}");
        self.changed.notify_one();
    }

    /// `part` works.
    pub fn clear(&self, part: &str) {
        if self.lock().faults.remove(part).is_some() {
            log::info!(part = part; "{part} works again");
            self.changed.notify_one();
        }
    }

    /// Changes facts.
    pub fn note(&self, change: impl FnOnce(&mut Facts)) {
        change(&mut self.lock());
        self.changed.notify_one();
    }

    /// The next heartbeat has something to say that should not wait.
    pub fn announce(&self) {
        self.news.store(true, Ordering::Relaxed);
    }

    /// Whether there is something to announce; asking takes note of it.
    pub fn take_news(&self) -> bool {
        self.news.swap(false, Ordering::Relaxed)
    }

    /// The facts now.
    #[must_use]
    pub fn facts(&self) -> Facts {
        self.lock().clone()
    }

    /// Returns when something may have changed since the last call.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
