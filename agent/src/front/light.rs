//! The status LED of the front: what of all that is known it says, and when it
//! stays dark.

use super::board::{PartState, Shown};
use super::press;
use crate::config::front::LedConfig;
use crate::desk::Desk;
use crate::hands::Hands;
use crate::health::Facts;
use crate::lent::{AWAY_MAX, Lent, NotBack};
use crate::schedule::{DAY_MS, Window};
use crate::screen::{Check, Verdict};
use crate::stage::device_words;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use trapline_hal::lines::{Level, Output};
use trapline_hal::status_led::Signal;
use trapline_hal::{ClockQuality, DeviceError, Stamp};

/// Opens the LED's line.
pub type OpenOutput = Box<dyn FnMut() -> Result<Box<dyn Output>, DeviceError> + Send>;

/// Its name in faults and in the wiring table.
pub(super) const PART: &str = "led";
const DEADLINE: Duration = Duration::from_secs(2);
/// Facts are looked at this often, whatever is shown.
const LOOK_EVERY: Duration = Duration::from_secs(5);
const RETRY: Duration = Duration::from_mins(1);
/// Somebody is still there for so long after a press, a check or the start.
const VISIT: Duration = Duration::from_mins(10);
/// A verdict is shown for so long.
const VERDICT: Duration = Duration::from_mins(1);
/// Nothing sent for so long is said.
const SILENT_MS: i64 = 6 * 3_600_000;

/// Lights the LED until the agent stops.
pub(super) async fn shine(desk: &Desk, open: OpenOutput, config: &LedConfig) {
    let began = Instant::now();
    let mut led = Led {
        desk: desk.clone(),
        open: Lent::of(open),
        line: Lent::empty(),
        lit: None,
    };
    let mut board = desk.board.follow();
    let mut said = (Signal::Starting, began);
    loop {
        let now = Instant::now();
        let shown = board.borrow_and_update().clone();
        let signal = signal(desk, &shown, now);
        if signal != said.0 {
            said = (signal, now);
        }
        let is_visited = is_visited(&shown, began, now);
        let stamp = desk.clock.stamp();
        let is_dark = !is_visited
            && (config.only_visits
                || is_within(&config.dark, desk.config.schedule.utc_offset_ms(), &stamp));
        let moment = signal
            .pattern()
            .at(crate::moment::millis(now.saturating_duration_since(said.1)));
        let is_set = led.set(moment.lit && !is_dark).await;
        let rest = match (is_set, is_dark, moment.for_ms) {
            (false, ..) => RETRY,
            (true, false, Some(for_ms)) => Duration::from_millis(for_ms.into()).min(LOOK_EVERY),
            (true, true, _) | (true, false, None) => LOOK_EVERY,
        };
        tokio::select! {
            biased;
            () = sleep(rest) => {}
            _ = board.changed(), if is_set => {}
        }
    }
}

/// What is shown of all that is to be said.
pub(super) fn signal(desk: &Desk, shown: &Shown, now: Instant) -> Signal {
    let facts = desk.health.facts();
    let now_ms = desk.clock.stamp().unix_ms;
    let mut signals = of_facts(&facts, desk.config.server.is_some(), now_ms);
    if desk.stop.is_asked() {
        signals.push(Signal::GoingOff);
    }
    if desk.card_full.load(Ordering::Relaxed) {
        signals.push(Signal::CardFull);
    }
    if desk.page.is_open() && !desk.config.page.always {
        signals.push(Signal::PageOpen);
    }
    let button = shown.parts.get(press::PART).and_then(Option::as_ref);
    if button.is_some_and(|button| button.is_active == Some(true) && button.said.is_ok()) {
        signals.push(Signal::ButtonFelt);
    }
    let is_fresh = |at: Instant| now.saturating_duration_since(at) < VERDICT;
    match &shown.check {
        Some(Check::Running { .. }) => signals.push(Signal::Checking),
        Some(Check::Over { verdict, .. }) if shown.check_at.is_some_and(is_fresh) => {
            signals.push(match verdict {
                Verdict::Ready => Signal::CheckPassed,
                Verdict::Care | Verdict::NotReady => Signal::CheckFailed,
            });
        }
        Some(Check::Over { .. }) | None => {}
    }
    Signal::shown(signals)
}

fn of_facts(facts: &Facts, has_server: bool, now_ms: i64) -> Vec<Signal> {
    let of_part = |part: &str| match part {
        "camera" => Some(Signal::NoCamera),
        "disk" | "card" => Some(Signal::CardFull),
        "charge" | "supply" => Some(Signal::BatteryLow),
        "clock" => Some(Signal::ClockUnset),
        "lamp" | "flash" => Some(Signal::LampFault),
        "climate" | "light" | "battery" | "sensors" => Some(Signal::SensorFault),
        "button" | "trigger" => Some(Signal::InputStuck),
        "server" | "enrol" => Some(Signal::NotSending),
        "card settings" | "config" => Some(Signal::WrongSettings),
        _ => None,
    };
    let mut signals: Vec<Signal> = facts
        .faults
        .keys()
        .filter_map(|part| of_part(part))
        .collect();
    let last_ms = facts.last_sync_ms.unwrap_or(facts.started_ms);
    if has_server && facts.sync_error.is_some() && now_ms.saturating_sub(last_ms) > SILENT_MS {
        signals.push(Signal::NotSending);
    }
    if facts.next_due_ms.is_none() && facts.idle.is_none() {
        signals.push(Signal::Starting);
    }
    signals
}

fn is_visited(shown: &Shown, began: Instant, now: Instant) -> bool {
    let times = [Some(began), shown.pressed_at, shown.check_at];
    let mut times = times.into_iter().flatten();
    times.any(|at| now.saturating_duration_since(at) < VISIT)
}

/// Whether it is the time of day of a window; never, where nobody knows the time.
fn is_within(windows: &[Window], utc_offset_ms: i64, stamp: &Stamp) -> bool {
    if stamp.quality < ClockQuality::Restored {
        return false;
    }
    let time_ms = stamp
        .unix_ms
        .saturating_add(utc_offset_ms)
        .rem_euclid(DAY_MS);
    windows.iter().any(|window| {
        let Window { from_ms, until_ms } = *window;
        if from_ms < until_ms {
            (from_ms..until_ms).contains(&time_ms)
        } else {
            time_ms >= from_ms || time_ms < until_ms
        }
    })
}

/// The LED's line, opened when needed.
struct Led {
    desk: Desk,
    open: Lent<OpenOutput>,
    line: Lent<Box<dyn Output>>,
    lit: Option<bool>,
}

impl Led {
    /// Lights or darkens it; whether that worked.
    async fn set(&mut self, lit: bool) -> bool {
        if self.lit == Some(lit) {
            return true;
        }
        let began = Instant::now();
        let done = self.try_set(lit).await;
        let state = PartState {
            said: match &done {
                Ok(()) => Ok("it can be lit".to_owned()),
                Err(why) => Err(why.clone()),
            },
            // A time that differs at each blink would be news each time.
            took: if began.elapsed() > DEADLINE / 2 {
                DEADLINE
            } else {
                Duration::ZERO
            },
            is_active: None,
        };
        self.desk.board.saw(PART, state);
        match done {
            Ok(()) => {
                self.lit = Some(lit);
                self.desk.health.clear(PART);
                true
            }
            Err(why) => {
                self.lit = None;
                self.line.drop_here();
                let now_ms = self.desk.clock.stamp().unix_ms;
                self.desk.health.raise(PART, &why, now_ms);
                false
            }
        }
    }

    async fn try_set(&mut self, lit: bool) -> Result<(), String> {
        let hands: Hands = self.desk.hands;
        if !self.line.is_here() {
            if self.open.hanging() + self.line.hanging() >= AWAY_MAX {
                return Err("its line hangs; restart the trap".to_owned());
            }
            let opened = self.open.job(hands, DEADLINE, |open| open()).await;
            self.line.put(flat(opened)?);
        }
        let level = if lit { Level::FULL } else { Level::OFF };
        let set = self.line.job(hands, DEADLINE, move |line| line.set(level));
        flat(set.await)
    }
}

/// What a lent device said, in words where it failed.
pub(super) fn flat<T>(done: Result<Result<T, DeviceError>, NotBack>) -> Result<T, String> {
    match done {
        Ok(said) => said.map_err(|error| device_words(&error)),
        Err(NotBack::Panicked(words)) => Err(format!("its driver failed: {words}")),
        Err(NotBack::Hung) => Err("it does not answer in time; check its wires".to_owned()),
        Err(NotBack::Away) => Err("its driver still hangs; check its wires".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64, quality: ClockQuality) -> Stamp {
        Stamp {
            unix_ms: hours * 3_600_000,
            quality,
            boot_id: String::new(),
            uptime_ms: 0,
        }
    }

    #[test]
    fn the_dark_hours_are_those_of_the_place() {
        let hour_ms = 3_600_000;
        let night = [Window {
            from_ms: 21 * hour_ms,
            until_ms: 5 * hour_ms,
        }];
        let dark = |hours| is_within(&night, 2 * hour_ms, &at(hours, ClockQuality::Synced));
        assert!(dark(19) && dark(24) && dark(2), "21:00, 02:00, 04:00 there");
        assert!(!dark(18) && !dark(3) && !dark(12));
        assert!(!is_within(&night, 0, &at(23, ClockQuality::Unset)));
        assert!(!is_within(&[], 0, &at(23, ClockQuality::Synced)));
    }

    #[test]
    fn of_several_faults_the_worst_is_blinked() {
        let mut facts = Facts {
            next_due_ms: Some(1),
            ..Facts::default()
        };
        assert_eq!(Signal::shown(of_facts(&facts, true, 0)), Signal::Well);
        for part in ["display", "light", "clock"] {
            let fault = trapline_wire::v1::Fault {
                part: part.to_owned(),
                message: String::new(),
                since_ms: 0,
            };
            facts.faults.insert(part.to_owned(), fault);
        }
        assert_eq!(Signal::shown(of_facts(&facts, true, 0)), Signal::ClockUnset);
        facts.faults.clear();
        facts.sync_error = Some("no signal".to_owned());
        assert_eq!(
            Signal::shown(of_facts(&facts, true, SILENT_MS)),
            Signal::Well
        );
        let silent = of_facts(&facts, true, SILENT_MS + 1);
        assert_eq!(Signal::shown(silent), Signal::NotSending);
    }
}
