//! The battery as the trap knows it: the last reading, what it allows, and why
//! a shot is refused. Fed with every reading, whoever asked for it.

use crate::config::power::{BatteryConfig, PowerConfig};
use std::sync::{Mutex, MutexGuard, PoisonError};
use trapline_hal::battery::gate::{Gate, Level, Thresholds};
use trapline_hal::battery::{Charge, Load};
use trapline_hal::{PowerReading, Stamp};

/// Readings that follow closer are one: a lamp's dip must not count three times.
const APART_MS: u64 = 20_000;
/// What is older says nothing of now: a sensor that broke refuses no shot.
const FRESH_MS: u64 = 30 * 60_000;

/// What was seen of the battery.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// How full it is.
    pub charge: Charge,
    /// Whether it is being charged.
    pub charging: bool,
    /// What it allows.
    pub level: Level,
    /// When, in milliseconds since boot.
    pub uptime_ms: u64,
}

/// The battery, shared by those who read it and those who go by it.
#[derive(Debug)]
pub struct BatteryWatch {
    config: Option<BatteryConfig>,
    thresholds: Thresholds,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// What it allowed before this start.
    before: Level,
    gate: Option<Gate>,
    counted_ms: Option<u64>,
    seen: Option<Seen>,
}

impl BatteryWatch {
    /// A battery that allowed `before` when the trap was last awake.
    #[must_use]
    pub fn new(config: &PowerConfig, before: Level) -> Self {
        Self {
            config: config.battery,
            thresholds: config.thresholds,
            state: Mutex::new(State {
                before,
                gate: None,
                counted_ms: None,
                seen: None,
            }),
        }
    }

    /// Takes note of a reading at `now`; a reading without a voltage changes nothing.
    pub fn take(&self, reading: &PowerReading, now: &Stamp) {
        let (Some(config), Some(voltage)) = (self.config, reading.battery) else {
            return;
        };
        let load = reading.current.map(|current| Load {
            current,
            resistance: config.resistance,
        });
        let charge = config.chemistry.charge(voltage, load);
        let charging = config.chemistry.is_charging(voltage, reading.current);
        let mut state = self.lock();
        let is_apart = |at: u64| now.uptime_ms.saturating_sub(at) >= APART_MS;
        let gate = match state.gate {
            None => Gate::resume(state.before, charge.percent, &self.thresholds),
            Some(gate) if state.counted_ms.is_none_or(is_apart) => {
                gate.after(charge.percent, charging, &self.thresholds)
            }
            Some(gate) => gate,
        };
        if state.counted_ms.is_none_or(is_apart) {
            state.counted_ms = Some(now.uptime_ms);
        }
        state.gate = Some(gate);
        state.seen = Some(Seen {
            charge,
            charging,
            level: gate.level(),
            uptime_ms: now.uptime_ms,
        });
    }

    /// What is known of the battery now; `None` when nothing measured it lately.
    #[must_use]
    pub fn seen(&self, now: &Stamp) -> Option<Seen> {
        let is_fresh = |seen: &Seen| now.uptime_ms.saturating_sub(seen.uptime_ms) <= FRESH_MS;
        self.lock().seen.filter(is_fresh)
    }

    /// What it allowed last, in this run or before: what the next start goes on from.
    #[must_use]
    pub fn level(&self) -> Level {
        let state = self.lock();
        state.gate.map_or(state.before, Gate::level)
    }

    /// Why no picture is to be taken now, if none is.
    #[must_use]
    pub fn refusal(&self, now: &Stamp) -> Option<String> {
        let seen = self.seen(now)?;
        let limit = self.limit(seen.level)?;
        Some(format!(
            "the battery is at {:.0} %, and below {limit:.0} % no pictures are taken until it is \
             at {:.0} %: change or charge it",
            seen.charge.percent,
            self.thresholds.refuse_percent + self.thresholds.recover_percent
        ))
    }

    /// What to say of a level, with the remedy; `None` of a good one.
    #[must_use]
    pub fn words(&self, level: Level) -> Option<String> {
        let Thresholds {
            warn_percent,
            refuse_percent,
            recover_percent,
            ..
        } = self.thresholds;
        let again = refuse_percent + recover_percent;
        match level {
            Level::Good => None,
            Level::Warn => Some(format!(
                "the battery is below {warn_percent:.0} %; change or charge it soon"
            )),
            Level::Refuse | Level::ShutDown => {
                let limit = self.limit(level)?;
                Some(format!(
                    "the battery is below {limit:.0} %: no pictures are taken until it is at \
                     {again:.0} %; change or charge it"
                ))
            }
        }
    }

    /// Below what a battery of this level is, where that ends the pictures.
    fn limit(&self, level: Level) -> Option<f64> {
        match level {
            Level::Good | Level::Warn => None,
            Level::Refuse => Some(self.thresholds.refuse_percent),
            Level::ShutDown => Some(self.thresholds.shutdown_percent),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use trapline_hal::{ClockQuality, Volts};

    fn watch(before: Level) -> BatteryWatch {
        let text = "[camera]\nkind = \"none\"\n[power]\nbattery = \"lead-acid-12v\"\n";
        BatteryWatch::new(&Config::from_text("test", text).unwrap().power, before)
    }

    fn at(minutes: u64) -> Stamp {
        Stamp {
            unix_ms: 1_780_272_000_000,
            quality: ClockQuality::Rtc,
            boot_id: "boot".to_owned(),
            uptime_ms: minutes * 60_000,
        }
    }

    fn volts(volts: f64) -> PowerReading {
        PowerReading {
            battery: Volts::new(volts),
            ..PowerReading::default()
        }
    }

    #[test]
    fn three_low_readings_refuse_and_one_does_not() {
        let watch = watch(Level::Good);
        watch.take(&volts(12.4), &at(0));
        for minute in 1..=3 {
            assert_eq!(watch.refusal(&at(minute)), None, "minute {minute}");
            watch.take(&volts(11.58), &at(minute));
        }
        let why = watch.refusal(&at(3)).unwrap();
        assert!(why.contains("below 20 %") && why.contains("25 %"), "{why}");
    }

    #[test]
    fn readings_in_one_breath_are_one() {
        let watch = watch(Level::Good);
        watch.take(&volts(12.4), &at(0));
        for _ in 0..9 {
            watch.take(&volts(11.4), &at(5));
        }
        assert_eq!(watch.level(), Level::Good);
    }

    #[test]
    fn a_restart_does_not_forget_and_does_not_believe_a_rest() {
        let refused = watch(Level::Refuse);
        refused.take(&volts(11.7), &at(0));
        assert!(refused.refusal(&at(0)).is_some(), "22 % is no recovery");
        let changed = watch(Level::Refuse);
        changed.take(&volts(12.6), &at(0));
        assert_eq!(changed.refusal(&at(0)), None, "another battery");
    }

    #[test]
    fn a_sensor_that_breaks_refuses_nothing() {
        let watch = watch(Level::Refuse);
        assert_eq!(watch.refusal(&at(0)), None, "nothing was read yet");
        watch.take(&volts(11.0), &at(0));
        watch.take(&PowerReading::default(), &at(1));
        assert!(watch.refusal(&at(29)).is_some());
        assert_eq!(watch.refusal(&at(31)), None);
        assert_eq!(watch.level(), Level::ShutDown, "but it is kept");
    }
}
