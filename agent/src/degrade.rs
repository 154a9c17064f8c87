//! How much care the detector may take, from what the trap has left: battery,
//! temperature of the processor, and pictures that wait. Pure.
//!
//! The order is fixed: first the regular looks at the whole picture go (only
//! what changed is looked at), then half resolution, and at last pictures wait
//! on the card until there is power or cool again. Captures, records and
//! uploads go on at every level. A level is left only when what led to it is
//! better by a margin, so that it does not flicker.

use std::fmt;
use std::time::Duration;
use trapline_detect::{LookSettings, Scale};

/// How much care the detector takes; more is worse.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// All that the settings say.
    #[default]
    Full,
    /// Only what changed since the last picture.
    GatedOnly,
    /// And that at half resolution: small insects are missed.
    HalfScale,
    /// Pictures wait.
    Queue,
}

impl Level {
    /// How a picture is looked at; at [`Level::Queue`] none is.
    #[must_use]
    pub fn settings(self) -> LookSettings {
        let full = LookSettings::default();
        match self {
            Self::Full => full,
            Self::GatedOnly => LookSettings {
                whole_every: u32::MAX,
                ..full
            },
            Self::HalfScale | Self::Queue => LookSettings {
                whole_every: u32::MAX,
                scale: Scale::Half,
                ..full
            },
        }
    }
}

/// Values from which on a level holds; `None`: never for this reason.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Steps<T> {
    /// From here on [`Level::GatedOnly`].
    pub gated: Option<T>,
    /// From here on [`Level::HalfScale`].
    pub half: Option<T>,
    /// From here on [`Level::Queue`].
    pub queue: Option<T>,
}

/// The settings of `[detector.degrade]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Thresholds {
    /// Battery voltages, falling, in millivolts.
    pub battery_mv: Steps<u64>,
    /// Processor temperatures, rising, in degrees Celsius.
    pub soc_c: Steps<u64>,
    /// How long the waiting pictures would take, rising.
    pub backlog: Steps<Duration>,
    /// How much better the battery must be for a better level, in millivolts.
    pub battery_margin_mv: u64,
    /// How much cooler the processor must be for a better level, in degrees.
    pub soc_margin_c: u64,
}

/// What the trap has left now; what is not measured has no say.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Conditions {
    /// Battery voltage, volts.
    pub battery_v: Option<f64>,
    /// Processor temperature, degrees Celsius.
    pub soc_c: Option<f64>,
    /// Pictures that wait for the detector.
    pub waiting: u64,
    /// How long a picture takes, from the last ones.
    pub picture_took: Duration,
}

/// A level and why it holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Care {
    /// The level.
    pub level: Level,
    /// What led to it; empty at [`Level::Full`].
    pub because: String,
}

impl fmt::Display for Care {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.level {
            Level::Full => return f.write_str("pictures are searched with full care"),
            Level::GatedOnly => "only what changed on a picture is searched",
            Level::HalfScale => {
                "only what changed on a picture is searched, at half resolution: \
                 small insects are missed"
            }
            Level::Queue => "pictures wait on the card to be searched later",
        };
        write!(f, "{what}, because {}", self.because)
    }
}

/// The level that holds from now on, after `last`.
#[must_use]
pub fn next(last: Level, now: &Conditions, thresholds: &Thresholds) -> Care {
    let battery_mv = now.battery_v.map(|volts| volts * 1000.0);
    let margin_mv = as_f64(thresholds.battery_margin_mv);
    let margin_c = as_f64(thresholds.soc_margin_c);
    let backlog_s = as_f64(now.waiting) * now.picture_took.as_secs_f64();
    let worse = |level| last >= level;
    let battery = highest(&thresholds.battery_mv, |step_mv, level| {
        let margin = if worse(level) { margin_mv } else { 0.0 };
        battery_mv.is_some_and(|mv| mv < as_f64(step_mv) + margin)
    });
    let soc = highest(&thresholds.soc_c, |step_c, level| {
        let margin = if worse(level) { margin_c } else { 0.0 };
        now.soc_c.is_some_and(|c| c >= as_f64(step_c) - margin)
    });
    let backlog = highest(&thresholds.backlog, |step, level| {
        // Half of the backlog must be gone before more care is taken again.
        let share = if worse(level) { 0.5 } else { 1.0 };
        backlog_s >= step.as_secs_f64() * share
    });
    let level = battery.max(soc).max(backlog);
    let mut because = Vec::new();
    if level > Level::Full {
        if battery == level {
            let volts = now.battery_v.unwrap_or_default();
            because.push(format!("the battery has {volts:.2} V"));
        }
        if soc == level {
            let celsius = now.soc_c.unwrap_or_default();
            because.push(format!("the processor has {celsius:.0} °C"));
        }
        if backlog == level {
            because.push(format!("{} pictures wait", now.waiting));
        }
    }
    Care {
        level,
        because: because.join(" and "),
    }
}

fn highest<T: Copy>(steps: &Steps<T>, holds: impl Fn(T, Level) -> bool) -> Level {
    let mut found = Level::Full;
    for (step, level) in [
        (steps.gated, Level::GatedOnly),
        (steps.half, Level::HalfScale),
        (steps.queue, Level::Queue),
    ] {
        if step.is_some_and(|step| holds(step, level)) {
            found = level;
        }
    }
    found
}

#[expect(
    clippy::cast_precision_loss,
    reason = "millivolts, degrees and picture counts are far below 2^53"
)]
fn as_f64(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thresholds() -> Thresholds {
        let hours = |hours| Some(Duration::from_hours(hours));
        Thresholds {
            battery_mv: Steps {
                gated: Some(3600),
                half: Some(3500),
                queue: Some(3400),
            },
            soc_c: Steps {
                gated: Some(70),
                half: Some(75),
                queue: Some(80),
            },
            backlog: Steps {
                gated: hours(2),
                half: hours(6),
                queue: None,
            },
            battery_margin_mv: 100,
            soc_margin_c: 5,
        }
    }

    #[test]
    fn each_reason_leads_through_the_levels_in_order() {
        let level = |now: Conditions| next(Level::Full, &now, &thresholds()).level;
        let battery = |volts| Conditions {
            battery_v: Some(volts),
            ..Conditions::default()
        };
        let levels = [4.1, 3.6, 3.59, 3.45, 3.2, 12.4].map(|volts| level(battery(volts)));
        use Level::{Full, GatedOnly, HalfScale, Queue};
        assert_eq!(levels, [Full, Full, GatedOnly, HalfScale, Queue, Full]);
        let soc = |celsius| Conditions {
            soc_c: Some(celsius),
            ..Conditions::default()
        };
        let levels = [45.0, 70.0, 76.0, 85.0].map(|celsius| level(soc(celsius)));
        assert_eq!(levels, [Full, GatedOnly, HalfScale, Queue]);
        let backlog = |waiting| Conditions {
            waiting,
            picture_took: Duration::from_secs(10),
            ..Conditions::default()
        };
        let levels = [1, 720, 2160, 1_000_000].map(|waiting| level(backlog(waiting)));
        assert_eq!(levels, [Full, GatedOnly, HalfScale, HalfScale]);
        assert_eq!(
            level(Conditions::default()),
            Full,
            "what is not measured has no say"
        );
    }

    #[test]
    fn a_level_is_left_only_by_a_margin() {
        let at = |last, volts| {
            let now = Conditions {
                battery_v: Some(volts),
                ..Conditions::default()
            };
            next(last, &now, &thresholds()).level
        };
        assert_eq!(at(Level::Full, 3.45), Level::HalfScale);
        assert_eq!(
            at(Level::HalfScale, 3.55),
            Level::HalfScale,
            "not yet 0.1 V better"
        );
        assert_eq!(at(Level::HalfScale, 3.65), Level::GatedOnly);
        assert_eq!(at(Level::GatedOnly, 3.65), Level::GatedOnly);
        assert_eq!(at(Level::GatedOnly, 3.71), Level::Full);
        let hot = |last, celsius| {
            let now = Conditions {
                soc_c: Some(celsius),
                ..Conditions::default()
            };
            next(last, &now, &thresholds()).level
        };
        assert_eq!(hot(Level::Queue, 76.0), Level::Queue);
        assert_eq!(hot(Level::Queue, 74.0), Level::HalfScale);
        assert_eq!(hot(Level::Full, 74.0), Level::GatedOnly);
    }

    #[test]
    fn the_worst_reason_decides_and_is_named() {
        let now = Conditions {
            battery_v: Some(3.55),
            soc_c: Some(81.0),
            waiting: 3,
            picture_took: Duration::from_secs(2),
        };
        let care = next(Level::Full, &now, &thresholds());
        assert_eq!(
            care.to_string(),
            "pictures wait on the card to be searched later, because the processor has 81 °C"
        );
        assert_eq!(
            next(Level::Full, &Conditions::default(), &thresholds()).to_string(),
            "pictures are searched with full care"
        );
    }
}
