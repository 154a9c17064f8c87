//! When a battery is too low: to stay silent about, to start a night with, to
//! go on at all. One low reading under a lamp is not enough, and a battery that
//! recovers when the load is gone must not make the trap start again at once.

use serde::{Deserialize, Serialize};
use std::fmt;

/// So many readings in a row have to agree before anything changes.
pub const READINGS_MIN: u8 = 3;

/// Charges at which something changes, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Thresholds {
    /// Below this, say so.
    pub warn_percent: f64,
    /// Below this, start no session.
    pub refuse_percent: f64,
    /// Below this, lie down in order while that is possible.
    pub shutdown_percent: f64,
    /// How far above a threshold the charge has to rise to pass it again.
    pub recover_percent: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            warn_percent: 30.0,
            refuse_percent: 20.0,
            shutdown_percent: 10.0,
            recover_percent: 5.0,
        }
    }
}

impl Thresholds {
    /// These, if they are in order.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check(self) -> Result<Self, String> {
        let falls = [
            100.0,
            self.warn_percent,
            self.refuse_percent,
            self.shutdown_percent,
        ];
        let in_order = falls.windows(2).all(|two| match two {
            [higher, lower] => higher > lower,
            _ => true,
        });
        if !in_order || self.shutdown_percent < 0.0 {
            return Err(format!(
                "the battery's thresholds have to fall from 100 % on: warn {} %, refuse {} %, shut down {} %",
                self.warn_percent, self.refuse_percent, self.shutdown_percent
            ));
        }
        let room = 100.0 - self.warn_percent;
        if !(0.0 < self.recover_percent && self.recover_percent <= room) {
            return Err(format!(
                "to recover, a battery has to rise by more than 0 and at most {room} %, not by {} %",
                self.recover_percent
            ));
        }
        Ok(self)
    }

    /// The level of `percent` for one that is at `level`: it falls at a
    /// threshold, and rises only above it.
    fn level(&self, percent: f64, level: Level) -> Level {
        let of = |percent: f64| {
            if percent < self.shutdown_percent {
                Level::ShutDown
            } else if percent < self.refuse_percent {
                Level::Refuse
            } else if percent < self.warn_percent {
                Level::Warn
            } else {
                Level::Good
            }
        };
        let (plain, recovered) = (of(percent), of(percent - self.recover_percent));
        if plain >= level {
            plain
        } else {
            recovered.min(level)
        }
    }
}

/// What a battery allows, from all to nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Everything.
    #[default]
    Good,
    /// Everything, with a warning.
    Warn,
    /// To end what runs, not to start.
    Refuse,
    /// To lie down in order.
    ShutDown,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Good => "battery good",
            Self::Warn => "battery low; change or charge it soon",
            Self::Refuse => "battery too low to start; change or charge it",
            Self::ShutDown => "battery empty; change or charge it",
        })
    }
}

/// What the battery allows now, and how many readings speak for another level.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Gate {
    level: Level,
    others: u8,
}

impl Gate {
    /// A trap that starts with a battery at `percent`: its first reading counts.
    #[must_use]
    pub fn start(percent: f64, thresholds: &Thresholds) -> Self {
        Self {
            level: thresholds.level(percent, Level::Good),
            others: 0,
        }
    }

    /// A trap that starts again after `before` held: its first reading counts,
    /// and a battery that only recovered without its load is still too low.
    #[must_use]
    pub fn resume(before: Level, percent: f64, thresholds: &Thresholds) -> Self {
        Self {
            level: thresholds.level(percent, before),
            others: 0,
        }
    }

    /// What the battery allows.
    #[must_use]
    pub fn level(self) -> Level {
        self.level
    }

    /// After another reading. A battery that is being charged only rises.
    #[must_use]
    pub fn after(self, percent: f64, charging: bool, thresholds: &Thresholds) -> Self {
        let wanted = thresholds.level(percent, self.level);
        if wanted == self.level || (charging && wanted > self.level) {
            return Self { others: 0, ..self };
        }
        let others = self.others.saturating_add(1);
        if others < READINGS_MIN {
            return Self { others, ..self };
        }
        Self {
            level: wanted,
            others: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn through(readings: &[f64]) -> Vec<Level> {
        let thresholds = Thresholds::default();
        let mut gate = Gate::start(80.0, &thresholds);
        let step = |percent: &f64| {
            gate = gate.after(*percent, false, &thresholds);
            gate.level()
        };
        readings.iter().map(step).collect()
    }

    #[test]
    fn one_low_reading_changes_nothing_and_three_do() {
        assert_eq!(through(&[5.0, 5.0, 80.0, 5.0, 5.0]), [Level::Good; 5]);
        assert_eq!(through(&[5.0, 5.0, 5.0])[2], Level::ShutDown);
    }

    #[test]
    fn a_battery_that_recovers_a_little_stays_refused() {
        let levels = through(&[19.0, 19.0, 19.0, 24.0, 24.0, 24.0, 25.5, 25.5, 25.5]);
        assert_eq!(levels[2], Level::Refuse);
        assert_eq!(levels[5], Level::Refuse, "24 % is not 5 % above 20 %");
        assert_eq!(levels[8], Level::Warn);
    }

    #[test]
    fn the_first_reading_counts_at_a_start() {
        let thresholds = Thresholds::default();
        assert_eq!(Gate::start(15.0, &thresholds).level(), Level::Refuse);
        let charging = (0..9).fold(Gate::start(50.0, &thresholds), |gate, _| {
            gate.after(5.0, true, &thresholds)
        });
        assert_eq!(charging.level(), Level::Good, "it is being charged");
    }

    #[test]
    fn a_restart_is_no_recovery() {
        let thresholds = Thresholds::default();
        let after = |before, percent| Gate::resume(before, percent, &thresholds).level();
        assert_eq!(after(Level::Refuse, 23.0), Level::Refuse);
        assert_eq!(after(Level::Refuse, 26.0), Level::Warn);
        assert_eq!(after(Level::Refuse, 80.0), Level::Good, "another battery");
        assert_eq!(after(Level::Good, 8.0), Level::ShutDown);
    }

    #[test]
    fn thresholds_out_of_order_are_refused_in_words() {
        assert!(Thresholds::default().check().is_ok());
        let swapped = Thresholds {
            refuse_percent: 40.0,
            ..Thresholds::default()
        };
        assert!(
            swapped
                .check()
                .unwrap_err()
                .contains("warn 30 %, refuse 40 %")
        );
        let jumpy = Thresholds {
            recover_percent: 0.0,
            ..Thresholds::default()
        };
        assert!(jumpy.check().is_err());
    }

    proptest! {
        #[test]
        fn noise_below_the_hysteresis_never_flaps(
            base in 12.0..90.0_f64,
            noise in proptest::collection::vec(-2.0..2.0_f64, 60),
        ) {
            let thresholds = Thresholds::default();
            let mut gate = Gate::start(base, &thresholds);
            let mut changes = 0;
            for noise in noise {
                let next = gate.after(base + noise, false, &thresholds);
                changes += u32::from(next.level() != gate.level());
                gate = next;
            }
            prop_assert!(changes <= 1, "{changes} changes around {base}");
        }
    }
}
