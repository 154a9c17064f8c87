//! The care of the power, beside the captures and never in their way: battery
//! and supply, the battery-backed clock, how long battery and card last, and
//! lying down between pictures where the settings let it.
//!
//! It takes no pictures and holds no sensor: the battery is read by the capture
//! stage, with each shot and when asked. What it finds goes into the facts and
//! faults of [`Health`](crate::health::Health); why a shot is refused is asked
//! of [`BatteryWatch::refusal`](battery::BatteryWatch::refusal).

mod backup_clock;
pub mod battery;
pub mod cut;
mod decide;
pub mod forecast;
mod hold;
mod lie_down;
pub mod outlook;
pub mod report;
mod shared;

use crate::config::CameraKind;
use crate::desk::Desk;
use crate::hands::Panicked;
use crate::health::BatteryFacts;
use crate::lent::Lent;
use crate::stage::{Next, Stage, StageError, device_words};
use backup_clock::BackupClockCare;
use decide::{Decision, Situation, decide};
use forecast::{Basis, Forecasts};
use lie_down::LyingDown;
use outlook::Known;
use shared::META_LEVEL;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;
use trapline_hal::battery::gate::Level;
use trapline_hal::throttle::{Strain, Supply};
use trapline_hal::{ClockQuality, FaultKind, PowerPlan, Stamp};
use trapline_store::Ledger;

pub use backup_clock::OpenRtc;
pub use hold::Hold;
pub use lie_down::OpenWake;
pub use shared::{PowerDesk, PowerDevices, level_before};

/// How often the care looks when nobody rings.
const LOOK_EVERY: Duration = Duration::from_mins(2);
/// How often while the trap is about to lie down.
const LOOK_SOON: Duration = Duration::from_secs(10);
/// A battery that nobody read for so long is asked for.
const ASK_MS: u64 = 5 * 60_000;
const ASK_DEADLINE: Duration = Duration::from_secs(10);
/// Nobody asks for the battery when a shot is this near: it is read then anyway.
const SHOT_NEAR_MS: i64 = 30_000;
const SUPPLY_DEADLINE: Duration = Duration::from_secs(5);
/// Forecasts of hours and days need no more.
const FORECAST_MS: u64 = 30 * 60_000;
/// A start that no alarm explains was somebody's hand; it may want to look around.
const VISIT_MS: u64 = 15 * 60_000;
/// So far from its alarm a start may be.
const ALARM_WITHIN_S: i64 = 5 * 60;
/// A card that lasts less is said before it is full.
const CARD_DAYS_MIN: f64 = 3.0;

/// Part of the fault of a low battery; `battery` is its sensor.
const CHARGE: &str = "charge";
const SUPPLY: &str = "supply";
const CARD: &str = "card";

/// The stage.
pub struct PowerCare {
    desk: Desk,
    supply: Lent<Box<dyn Supply>>,
    clock: BackupClockCare,
    lying: LyingDown,
    forecasts: Option<(u64, Forecasts)>,
    kept_level: Option<Level>,
    asked_ms: Option<u64>,
    /// The shot that is waited for, and since when.
    due: (Option<i64>, u64),
    is_settled: bool,
}

impl fmt::Debug for PowerCare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PowerCare").finish_non_exhaustive()
    }
}

impl PowerCare {
    /// The stage with its devices; none is touched yet.
    #[must_use]
    pub fn new(desk: Desk, devices: PowerDevices) -> Self {
        Self {
            supply: devices.supply.map_or_else(Lent::empty, Lent::of),
            clock: BackupClockCare::new(desk.clone(), devices.open_rtc),
            lying: LyingDown::new(desk.clone(), devices.open_wake, devices.off),
            desk,
            forecasts: None,
            kept_level: None,
            asked_ms: None,
            due: (None, 0),
            is_settled: false,
        }
    }

    /// What became of the last lying down, and whether somebody is at the trap.
    async fn settle(&mut self, now: &Stamp) -> Result<(), StageError> {
        self.lying.begin();
        let rung = self
            .desk
            .books
            .with(|ledger| ledger.get_meta(lie_down::META_WAKES))
            .await?;
        let rung_s = rung.and_then(|text| text.parse::<i64>().ok());
        let uptime_s = i64::try_from(now.uptime_ms / 1_000).unwrap_or(i64::MAX);
        let on_s = now.unix_ms.div_euclid(1_000).saturating_sub(uptime_s);
        let is_alarm = rung_s.is_some_and(|rung_s| {
            now.quality < ClockQuality::Rtc
                || rung_s.abs_diff(on_s) <= ALARM_WITHIN_S.unsigned_abs()
        });
        if !is_alarm {
            self.desk.power.hold.until(VISIT_MS);
        }
        self.due.1 = now.uptime_ms;
        self.is_settled = true;
        Ok(())
    }

    /// Has the battery read, when nobody did for a while and no shot is near.
    async fn ask_battery(&mut self, now: &Stamp) {
        let config = &self.desk.config;
        let is_replayed =
            matches!(config.camera.kind, CameraKind::Folder { .. }) && config.sensors.is_empty();
        let is_old = |at: u64| now.uptime_ms.saturating_sub(at) >= ASK_MS;
        let seen_ms = self.desk.power.battery.seen(now).map(|seen| seen.uptime_ms);
        let next_due_ms = self.desk.health.facts().next_due_ms;
        // Before the first shot is planned the capture stage is about to read it anyway.
        let is_free = next_due_ms.is_some_and(|due| due - now.unix_ms > SHOT_NEAR_MS);
        let is_wanted = config.power.battery.is_some() && !is_replayed && is_free;
        if is_wanted && seen_ms.is_none_or(is_old) && self.asked_ms.is_none_or(is_old) {
            self.asked_ms = Some(now.uptime_ms);
            let asks = Arc::clone(&self.desk.asks);
            let asked = timeout(ASK_DEADLINE, asks.sense()).await;
            log::debug!("asked for the battery: {asked:?}");
        }
    }

    /// Says what the battery allows, and keeps it for the next start.
    async fn tell_battery(&mut self, now: &Stamp) -> Result<(), StageError> {
        let watch = &self.desk.power.battery;
        let health = &self.desk.health;
        let level = watch.level();
        let words = watch.seen(now).and_then(|seen| watch.words(seen.level));
        match words {
            Some(words) => health.raise(CHARGE, &words, now.unix_ms),
            None => health.clear(CHARGE),
        }
        if self.kept_level != Some(level) {
            if level >= Level::Refuse {
                health.announce();
                self.desk.wakes.sync.notify_one();
            }
            let text = serde_json::to_string(&level).unwrap_or_default();
            let keep = move |ledger: &mut Ledger| {
                if ledger.get_meta(META_LEVEL)?.as_deref() == Some(text.as_str()) {
                    return Ok(());
                }
                ledger.set_meta(META_LEVEL, &text)
            };
            self.desk.books.with(keep).await?;
            self.kept_level = Some(level);
        }
        Ok(())
    }

    /// Whether the processor gets enough power and stays cool enough.
    async fn look_at_supply(&mut self, now: &Stamp) {
        if !self.supply.is_here() {
            return;
        }
        let asked = self
            .supply
            .job(self.desk.hands, SUPPLY_DEADLINE, |s| s.strains());
        let health = &self.desk.health;
        match asked.await {
            Ok(Ok(strains)) => {
                let words = strains.words();
                let all = [
                    Strain::Undervoltage,
                    Strain::Capped,
                    Strain::Throttled,
                    Strain::Hot,
                ];
                let is_strained = all.into_iter().any(|strain| strains.now(strain));
                if is_strained {
                    health.raise(SUPPLY, &words.join("; "), now.unix_ms);
                } else {
                    health.clear(SUPPLY);
                }
                health.note(|facts| facts.strains = words);
            }
            // Not a Pi: nobody there to ask again.
            Ok(Err(fault)) if fault.kind == FaultKind::Absent => self.supply = Lent::empty(),
            Ok(Err(fault)) => log::debug!("the supply: {}", device_words(&fault)),
            Err(_) => log::debug!("whatever tells of the supply does not answer"),
        }
    }

    async fn forecast(&mut self, now: &Stamp) -> Result<(), StageError> {
        let is_old = |(at, _): &(u64, Forecasts)| now.uptime_ms.saturating_sub(*at) >= FORECAST_MS;
        if self.forecasts.as_ref().is_none_or(is_old) {
            let config = Arc::clone(&self.desk.config);
            let now_ms = now.unix_ms;
            let empty_percent = config.power.thresholds.shutdown_percent;
            let read = move |ledger: &mut Ledger| Basis::read(ledger, &config, now_ms);
            let basis = self.desk.books.with(read).await?;
            let forecast = move || basis.forecasts(empty_percent, now_ms);
            let forecasts = self.desk.hands.run(forecast).await;
            let forecasts = forecasts.map_err(|Panicked(words)| StageError::Panicked(words))?;
            self.tell_card(&forecasts, now);
            self.forecasts = Some((now.uptime_ms, forecasts));
        }
        Ok(())
    }

    fn tell_card(&self, forecasts: &Forecasts, now: &Stamp) {
        let health = &self.desk.health;
        let card = forecasts.card.as_ref().ok();
        match card.filter(|card| card.days_left < CARD_DAYS_MIN) {
            Some(card) => {
                let why = format!(
                    "the card is {card}; connect the trap to its server, or bring a larger card"
                );
                health.raise(CARD, &why, now.unix_ms);
            }
            None => health.clear(CARD),
        }
        let hours_left = card.map(|card| hours(card.days_left * 24.0));
        health.note(|facts| {
            facts.card_free_bytes = Some(forecasts.free_bytes);
            facts.card_hours_left = hours_left;
        });
    }

    fn note_battery(&self, plan: &PowerPlan, now: &Stamp) {
        let seen = self.desk.power.battery.seen(now);
        let facts = seen.map(|seen| BatteryFacts {
            percent: seen.charge.percent,
            from_percent: seen.charge.from_percent,
            to_percent: seen.charge.to_percent,
            hours_left: outlook::lasts_until_s(plan)
                .map(|until_s| until_s.saturating_sub(plan.now_unix_s).max(0) as f64 / 3_600.0),
            charging: seen.charging,
            level: seen.level,
        });
        self.desk.health.note(|all| all.battery = facts);
    }

    /// Lies down if that is right now.
    async fn consider(&mut self, plan: &PowerPlan, now: &Stamp) -> Result<Next, StageError> {
        let facts = self.desk.health.facts();
        if facts.next_due_ms != self.due.0 {
            self.due = (facts.next_due_ms, now.uptime_ms);
        }
        let waited_ms = now.uptime_ms.saturating_sub(self.due.1);
        let linger_ms = crate::moment::millis(self.desk.config.power.linger);
        let mut situation = Situation {
            plan,
            clock: now.quality,
            now_ms: now.unix_ms,
            next_due_ms: facts.next_due_ms,
            is_empty: facts.battery.is_some_and(|b| b.level == Level::ShutDown),
            is_held: self.desk.power.hold.holds(now.uptime_ms),
            lingers: waited_ms < linger_ms,
            work: None,
        };
        if !matches!(decide(&situation), Decision::LieDown { .. } | Decision::Off) {
            return Ok(Next::Rest(self.rest(&decide(&situation))));
        }
        situation.work = self.work(facts.sync_error.is_some()).await?;
        let decision = decide(&situation);
        log::debug!("to lie down or not: {decision:?}");
        if self.lying.must_wait(now) {
            return Ok(Next::Rest(LOOK_EVERY));
        }
        match decision {
            Decision::LieDown { until_s } => self.lying.go(Some(until_s), now).await?,
            Decision::Off => self.lying.go(None, now).await?,
            Decision::StayAwake | Decision::Wait(_) => {}
        }
        Ok(Next::Rest(self.rest(&decision)))
    }

    fn rest(&self, decision: &Decision) -> Duration {
        match decision {
            Decision::Wait(_) => LOOK_SOON,
            Decision::StayAwake | Decision::LieDown { .. } | Decision::Off => LOOK_EVERY,
        }
    }

    /// What waits to be looked at, or to be sent over a link that works.
    async fn work(&mut self, is_offline: bool) -> Result<Option<&'static str>, StageError> {
        let config = &self.desk.config;
        let (looks, sends) = (
            config.detector.enabled,
            config.server.is_some() && !is_offline,
        );
        let waits = move |ledger: &mut Ledger| {
            if looks && ledger.fresh_waiting()? > 0 {
                return Ok(Some("pictures wait to be looked at"));
            }
            if !sends {
                return Ok(None);
            }
            let summary = ledger.summary(i64::MAX)?;
            let is_any = summary.records_waiting > 0 || summary.pictures_waiting > 0;
            Ok(is_any.then_some("records or pictures wait to be sent"))
        };
        self.desk.books.with(waits).await
    }
}

impl Stage for PowerCare {
    fn name(&self) -> &'static str {
        "power"
    }

    fn step_limit(&self) -> Duration {
        let devices = ASK_DEADLINE + SUPPLY_DEADLINE + backup_clock::DEADLINES;
        devices + lie_down::DEADLINES + Duration::from_mins(2)
    }

    fn grace(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn wake<'a>(&self, desk: &'a Desk) -> &'a Notify {
        &desk.wakes.power
    }

    async fn step(&mut self) -> Result<Next, StageError> {
        let now = self.desk.clock.stamp();
        if !self.is_settled {
            self.settle(&now).await?;
        }
        self.ask_battery(&now).await;
        let now = self.desk.clock.stamp();
        self.tell_battery(&now).await?;
        self.look_at_supply(&now).await;
        self.clock.look(&now).await?;
        self.forecast(&now).await?;
        let now = self.desk.clock.stamp();
        let known = Known {
            battery: self.desk.power.battery.seen(&now),
            trend: self.forecasts.as_ref().and_then(|(_, f)| f.trend.ok()),
            wake: self.lying.ability(&now).await,
        };
        let schedule = self.desk.timetable.now();
        let plan = outlook::plan_from(&self.desk.config, &schedule, &now, &known);
        self.note_battery(&plan, &now);
        self.consider(&plan, &now).await
    }
}

/// Whole hours of a span that may be very long.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to what fits"
)]
fn hours(hours: f64) -> u32 {
    hours.clamp(0.0, 1e9) as u32
}
