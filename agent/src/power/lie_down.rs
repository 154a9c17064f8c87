//! Lying down: the wake is armed and read back first, and only then the system
//! is told to shut down. Whatever goes wrong on the way is undone, said, and
//! tried again later; until the system's own shutdown stops the agent, it takes
//! pictures as if nothing had been said. So a power cut between any two of the
//! steps leaves a trap that starts like any other.

use super::cut::Orders;
use crate::desk::Desk;
use crate::lent::{Lent, NotBack};
use crate::stage::{StageError, device_words};
use std::time::Duration;
use tokio::time::sleep;
use trapline_hal::wake::{Armed, WakeAbility, WakeWhen};
use trapline_hal::{DeviceError, Stamp, SwitchOff, WakeSource, wall};

/// Opens what wakes the trap; the argument is when the trap was switched on,
/// seconds since 1970.
pub type OpenWake = Box<dyn FnMut(i64) -> Result<Box<dyn WakeSource>, DeviceError> + Send>;

/// Parts of its faults.
const WAKE: &str = "wake";
const POWER: &str = "power";
/// When the armed wake rings, kept so that the next start knows it from a hand at the switch.
pub(super) const META_WAKES: &str = "wakes_unix_s";
/// An alarm that knows only minutes may ring so much later.
const LATE_S_MAX: i64 = 60;
const WAKE_DEADLINE: Duration = Duration::from_secs(20);
const OFF_DEADLINE: Duration = Duration::from_secs(20);
/// A shutdown that was ordered stops the agent within this.
const STOPPED_WITHIN: Duration = Duration::from_secs(90);
pub(super) const DEADLINES: Duration = Duration::from_secs(20 + 20 + 20 + 90);
/// After a failure the trap stays awake so long, twice as long after the next.
const RETRY_MS: u64 = 10 * 60_000;
const RETRY_MS_MAX: u64 = 4 * 3_600_000;

pub(super) struct LyingDown {
    desk: Desk,
    open_wake: Lent<OpenWake>,
    off: Lent<Box<dyn SwitchOff>>,
    orders: Orders,
    failures: u32,
    not_before_ms: u64,
}

/// Why the trap stays awake after all, and the part that is at fault.
struct Refused {
    part: &'static str,
    why: String,
}

impl LyingDown {
    pub(super) fn new(
        desk: Desk,
        open_wake: Option<OpenWake>,
        off: Option<Box<dyn SwitchOff>>,
    ) -> Self {
        let orders = Orders::in_folder(&desk.config.power.run_dir);
        Self {
            desk,
            open_wake: open_wake.map_or_else(Lent::empty, Lent::of),
            off: off.map_or_else(Lent::empty, Lent::of),
            orders,
            failures: 0,
            not_before_ms: 0,
        }
    }

    /// Forgets an order that a lying down before this start left behind.
    pub(super) fn begin(&self) {
        if let Err(error) = self.orders.forget() {
            log::warn!("an old order to cut the power stays: {error}");
        }
    }

    /// Whether somebody asked the trap to stay awake, or the last try failed lately.
    pub(super) fn must_wait(&self, now: &Stamp) -> bool {
        now.uptime_ms < self.not_before_ms || self.orders.stay_awake()
    }

    /// What can wake the trap; one that is named but not there is a fault.
    pub(super) async fn ability(&mut self, now: &Stamp) -> Option<WakeAbility> {
        if !self.open_wake.is_here() {
            return None;
        }
        let on_unix_s = on_unix_s(now);
        let asked = self
            .open_wake
            .job(self.desk.hands, WAKE_DEADLINE, move |open| {
                open(on_unix_s).map(|source| source.ability())
            })
            .await;
        let why = match asked {
            Ok(Ok(ability)) => {
                if self.failures == 0 {
                    self.desk.health.clear(WAKE);
                }
                return Some(ability);
            }
            Ok(Err(fault)) => device_words(&fault),
            Err(_) => HANGS.to_owned(),
        };
        self.desk.health.raise(WAKE, &why, now.unix_ms);
        None
    }

    /// Lies down until `until_s`, or until somebody comes. When this returns the
    /// trap is to stop, or stays awake and says why.
    ///
    /// # Errors
    /// When the ledger does not keep when the trap wakes; nothing was ordered then.
    pub(super) async fn go(&mut self, until_s: Option<i64>, now: &Stamp) -> Result<(), StageError> {
        let armed = match until_s {
            None => None,
            Some(until_s) => match self.arm(until_s, now).await {
                Ok(armed) => Some(armed),
                Err(refused) => {
                    self.stay(refused, now);
                    return Ok(());
                }
            },
        };
        let wakes_s = armed.as_ref().map(|armed| armed.wakes_unix_s);
        let kept = self.keep(wakes_s).await;
        if kept.is_err() {
            self.undo(armed.is_some()).await;
            return kept;
        }
        match self.order(armed.as_ref()).await {
            Ok(()) => self.failures = 0,
            Err(refused) => {
                self.undo(armed.is_some()).await;
                self.stay(refused, now);
            }
        }
        Ok(())
    }

    /// Arms the wake, and believes it only when it was read back in time.
    async fn arm(&mut self, until_s: i64, now: &Stamp) -> Result<Armed, Refused> {
        let refused = |why: String| Refused { part: WAKE, why };
        let on_unix_s = on_unix_s(now);
        let now_s = now.unix_ms.div_euclid(1_000);
        let armed = self
            .open_wake
            .job(self.desk.hands, WAKE_DEADLINE, move |open| {
                let mut source = open(on_unix_s)?;
                let at_s = match source.ability().when {
                    WakeWhen::At { ahead_s_max } => until_s.min(now_s.saturating_add(ahead_s_max)),
                    WakeWhen::Every { .. } => until_s,
                };
                source.arm(at_s, now_s)
            })
            .await;
        let armed = match armed {
            Ok(Ok(armed)) => armed,
            Ok(Err(fault)) => return Err(refused(device_words(&fault))),
            Err(NotBack::Away | NotBack::Hung | NotBack::Panicked(_)) => {
                return Err(refused(HANGS.to_owned()));
            }
        };
        let (by, wakes_s) = (&armed.by, armed.wakes_unix_s);
        if (now_s + 1..=until_s.saturating_add(LATE_S_MAX)).contains(&wakes_s) {
            return Ok(armed);
        }
        let why = format!(
            "the {by} was told to wake the trap at {} and says {}; check it before you rely on it",
            wall::date_time(until_s),
            wall::date_time(wakes_s)
        );
        self.undo(true).await;
        Err(refused(why))
    }

    async fn keep(&mut self, wakes_s: Option<i64>) -> Result<(), StageError> {
        let text = wakes_s.map_or_else(String::new, |wakes_s| wakes_s.to_string());
        let keep = move |ledger: &mut trapline_store::Ledger| ledger.set_meta(META_WAKES, &text);
        self.desk.books.with(keep).await
    }

    /// Orders the shutdown and waits for it to reach the agent.
    async fn order(&mut self, armed: Option<&Armed>) -> Result<(), Refused> {
        let refused = |why: String| Refused { part: POWER, why };
        if let Some(armed) = armed {
            let left = self
                .orders
                .leave(&self.desk.config.power, armed.wakes_unix_s);
            let folder = self.desk.config.power.run_dir.display();
            left.map_err(|error| {
                refused(format!(
                    "no order to cut the power can be left in {folder}: {error}"
                ))
            })?;
            let (by, at) = (&armed.by, wall::date_time(armed.wakes_unix_s));
            log::info!("lies down; the {by} wakes the trap at {at} UTC");
        } else {
            log::warn!("the battery is empty and nothing wakes the trap: shuts down for good");
        }
        let wakes_ms = armed.map(|armed| armed.wakes_unix_s.saturating_mul(1_000));
        self.desk.health.note(|facts| facts.wakes_ms = wakes_ms);
        let ordered = self
            .off
            .job(self.desk.hands, OFF_DEADLINE, |off| off.order())
            .await;
        match ordered {
            Ok(Ok(())) => {}
            Ok(Err(fault)) => return Err(refused(device_words(&fault))),
            Err(NotBack::Away) => {
                return Err(refused("nothing can shut this trap down".to_owned()));
            }
            Err(NotBack::Hung | NotBack::Panicked(_)) => {
                return Err(refused("the order to shut down got no answer".to_owned()));
            }
        }
        tokio::select! {
            biased;
            () = self.desk.stop.over(Duration::ZERO) => Ok(()),
            () = sleep(STOPPED_WITHIN) => Err(refused(format!(
                "the system was told to shut down and did not in {STOPPED_WITHIN:?}; \
                 `systemctl list-jobs` may say what it waits for"
            ))),
        }
    }

    /// Takes back what was prepared, so that nothing wakes or cuts a trap that is awake.
    async fn undo(&mut self, was_armed: bool) {
        self.desk.health.note(|facts| facts.wakes_ms = None);
        self.begin();
        if !was_armed {
            return;
        }
        let now = self.desk.clock.stamp();
        let on_unix_s = on_unix_s(&now);
        let disarmed = self
            .open_wake
            .job(self.desk.hands, WAKE_DEADLINE, move |open| {
                open(on_unix_s)?.disarm()
            })
            .await;
        if let Ok(Err(fault)) = disarmed {
            log::warn!("the alarm stays armed: {fault}");
        }
    }

    fn stay(&mut self, Refused { part, why }: Refused, now: &Stamp) {
        let wait_ms = RETRY_MS
            .saturating_mul(1 << self.failures.min(8))
            .min(RETRY_MS_MAX);
        self.failures = self.failures.saturating_add(1);
        self.not_before_ms = self.desk.clock.stamp().uptime_ms.saturating_add(wait_ms);
        let why = format!("{why}; the trap stays awake");
        self.desk.health.raise(part, &why, now.unix_ms);
    }
}

const HANGS: &str = "what wakes the trap does not answer; check its wires";

/// About when the trap was switched on.
fn on_unix_s(now: &Stamp) -> i64 {
    let uptime_s = i64::try_from(now.uptime_ms / 1_000).unwrap_or(i64::MAX);
    now.unix_ms.div_euclid(1_000).saturating_sub(uptime_s)
}
