//! How long the battery lasts, from how its charge went lately.
//!
//! A trap sleeps by day and lights its lamp by night, so a forecast is that of
//! the stretch since the battery was last at its highest; one that does not
//! clearly fall gives no forecast but the reason.

use crate::robust::Line;
use serde::Serialize;
use std::fmt;

/// What is older says little about tonight.
const RECENT_S: i64 = 24 * 3_600;
const SPAN_S_MIN: i64 = 2 * 3_600;
const POINTS_MIN: usize = 6;
/// A rise is charging after this time and by this much.
const CHARGING_S_MIN: i64 = 30 * 60;
const CHARGING_PERCENT_MIN: f64 = 1.0;
const HOUR_S: f64 = 3_600.0;
/// Beyond this a forecast is a guess.
const HOURS_MAX: f64 = 60.0 * 24.0;

/// A charge at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChargeAt {
    /// Seconds since 1970.
    pub unix_s: i64,
    /// 0 to 100.
    pub percent: f64,
}

/// Where the charge is going.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "trend", rename_all = "snake_case")]
pub enum Trend {
    /// It falls, and reaches the level asked for.
    Falling {
        /// Percent an hour.
        percent_per_hour: f64,
        /// Hours left, most likely.
        hours_left: f64,
        /// At least so many, 95 of 100 times if the trap goes on like this.
        hours_from: f64,
        /// At most so many; `None` where the fall is that slight.
        hours_to: Option<f64>,
    },
    /// It rises.
    Charging {
        /// Percent an hour.
        percent_per_hour: f64,
    },
}

/// Why there is no forecast.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum NoForecast {
    /// Too few readings lately.
    Few {
        /// How many there are.
        readings: usize,
    },
    /// Too short since the battery was charged, or since the trap was set up.
    Short {
        /// Minutes known.
        minutes: i64,
    },
    /// It neither falls nor rises clearly.
    Steady,
    /// It is already at the level asked for, or below.
    Reached,
}

impl fmt::Display for NoForecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Few { readings } => write!(
                f,
                "{readings} readings in the last day; {POINTS_MIN} are needed"
            ),
            Self::Short { minutes } => write!(
                f,
                "known for {minutes} min; {} min are needed",
                SPAN_S_MIN / 60
            ),
            Self::Steady => f.write_str("the charge neither falls nor rises clearly"),
            Self::Reached => f.write_str("the battery is there already"),
        }
    }
}

/// Where the charge is going, and when it reaches `empty_percent`, from
/// `readings`, the oldest first.
///
/// # Errors
/// [`NoForecast`], when that cannot be told.
pub fn forecast(
    readings: &[ChargeAt],
    empty_percent: f64,
    now_unix_s: i64,
) -> Result<Trend, NoForecast> {
    let recent: Vec<ChargeAt> = readings
        .iter()
        .filter(|reading| (now_unix_s - RECENT_S..=now_unix_s).contains(&reading.unix_s))
        .filter(|reading| reading.percent.is_finite())
        .copied()
        .collect();
    let readings = recent.len();
    if readings < POINTS_MIN {
        return Err(NoForecast::Few { readings });
    }
    let since_highest = since_last(&recent, |one, other| one > other);
    let since_lowest = since_last(&recent, |one, other| one < other);
    // A rise that ended is not one.
    let peaks_now = span_s(since_last(since_lowest, |one, other| one > other)) < CHARGING_S_MIN;
    if let Some(percent_per_hour) = rise(since_lowest).filter(|_| peaks_now) {
        return Ok(Trend::Charging { percent_per_hour });
    }
    fall(since_highest, empty_percent, now_unix_s).map_err(|reason| {
        let is_short = matches!(reason, NoForecast::Short { .. });
        if is_short && is_steady(&recent) {
            NoForecast::Steady
        } else {
            reason
        }
    })
}

/// Whether the charge was known for long enough, and went nowhere.
fn is_steady(readings: &[ChargeAt]) -> bool {
    let flat = line(readings).is_some_and(|line| line.slope_from <= 0.0 && line.slope_to >= 0.0);
    flat && span_s(readings) >= SPAN_S_MIN
}

fn rise(readings: &[ChargeAt]) -> Option<f64> {
    let hours = span_s(readings) as f64 / HOUR_S;
    let line = line(readings)?;
    let rises = line.slope_from > 0.0 && line.slope * hours >= CHARGING_PERCENT_MIN;
    (span_s(readings) >= CHARGING_S_MIN && rises).then_some(line.slope)
}

fn fall(readings: &[ChargeAt], empty_percent: f64, now_unix_s: i64) -> Result<Trend, NoForecast> {
    let span_s = span_s(readings);
    if span_s < SPAN_S_MIN || readings.len() < POINTS_MIN {
        let minutes = span_s / 60;
        return Err(NoForecast::Short { minutes });
    }
    let line = line(readings).ok_or(NoForecast::Steady)?;
    let start_s = readings.first().map_or(now_unix_s, |first| first.unix_s);
    let left = line.at(hours_since(start_s, now_unix_s)) - empty_percent;
    if left <= 0.0 {
        return Err(NoForecast::Reached);
    }
    let hours_left = left / -line.slope;
    if line.slope_to >= 0.0 || hours_left > HOURS_MAX {
        return Err(NoForecast::Steady);
    }
    Ok(Trend::Falling {
        percent_per_hour: -line.slope,
        hours_left,
        hours_from: left / -line.slope_from,
        hours_to: Some(left / -line.slope_to).filter(|hours| *hours <= HOURS_MAX),
    })
}

/// A line of percent over hours since the first reading.
fn line(readings: &[ChargeAt]) -> Option<Line> {
    let start_s = readings.first()?.unix_s;
    let points: Vec<(f64, f64)> = readings
        .iter()
        .map(|reading| (hours_since(start_s, reading.unix_s), reading.percent))
        .collect();
    Line::through(&points)
}

fn hours_since(start_s: i64, unix_s: i64) -> f64 {
    unix_s.saturating_sub(start_s) as f64 / HOUR_S
}

fn span_s(readings: &[ChargeAt]) -> i64 {
    match (readings.first(), readings.last()) {
        (Some(first), Some(last)) => last.unix_s.saturating_sub(first.unix_s),
        _ => 0,
    }
}

/// The middle of each reading and its two neighbours: a single wrong one is
/// neither the highest nor the lowest.
fn smoothed(readings: &[ChargeAt]) -> Vec<f64> {
    let middle = |three: &[ChargeAt]| match three {
        [a, b, c] => {
            let (a, b, c) = (a.percent, b.percent, c.percent);
            a.max(b).min(a.min(b).max(c))
        }
        _ => 0.0,
    };
    readings.windows(3).map(middle).collect()
}

/// The readings since the last one that no other beats, smoothed.
fn since_last(readings: &[ChargeAt], beats: impl Fn(f64, f64) -> bool) -> &[ChargeAt] {
    let mut best: Option<(usize, f64)> = None;
    for (at, percent) in smoothed(readings).into_iter().enumerate() {
        if best.is_none_or(|(_, held)| !beats(held, percent)) {
            best = Some((at, percent));
        }
    }
    // The middle of three has one before it.
    let start = best.map_or(0, |(at, _)| at + 1);
    readings.get(start..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: i64 = 1_795_279_200;

    /// A reading every ten minutes up to now; `percent` of the hours before now.
    fn readings(hours: i64, percent: impl Fn(f64) -> f64) -> Vec<ChargeAt> {
        (0..=hours * 6)
            .rev()
            .map(|back| ChargeAt {
                unix_s: NOW - back * 600,
                percent: percent(back as f64 / 6.0),
            })
            .collect()
    }

    fn hours_left(readings: &[ChargeAt]) -> (f64, f64, Option<f64>) {
        match forecast(readings, 10.0, NOW) {
            Ok(Trend::Falling {
                hours_left,
                hours_from,
                hours_to,
                ..
            }) => (hours_left, hours_from, hours_to),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_steady_fall_ends_when_it_should() {
        let (left, from, to) = hours_left(&readings(8, |before| 50.0 + 4.0 * before));
        assert!((left - 10.0).abs() < 1e-6, "{left}");
        assert!(from <= left && to.unwrap() >= left);
    }

    #[test]
    fn a_lamp_that_pulls_the_voltage_down_now_and_then_changes_little() {
        let dips = readings(8, |before| {
            let dip = if (before * 6.0).round() % 5.0 < 0.5 {
                20.0
            } else {
                0.0
            };
            50.0 + 4.0 * before - dip
        });
        let (left, from, to) = hours_left(&dips);
        assert!((left - 10.0).abs() < 1.5, "{left}");
        assert!(from < 10.0 && to.unwrap() > 9.0);
    }

    #[test]
    fn after_a_day_in_the_sun_only_the_evening_counts() {
        // Rose until three hours ago, falls by 5 % an hour since.
        let evening = readings(20, |before| {
            if before > 3.0 {
                75.0 - 2.0 * (before - 3.0)
            } else {
                60.0 + 5.0 * before
            }
        });
        let (left, ..) = hours_left(&evening);
        assert!((left - 10.0).abs() < 1e-6, "{left}");
    }

    #[test]
    fn charging_is_seen() {
        let morning = readings(10, |before| {
            if before > 1.0 {
                30.0 + before
            } else {
                31.0 + 8.0 * (1.0 - before)
            }
        });
        let trend = forecast(&morning, 10.0, NOW).unwrap();
        let Trend::Charging { percent_per_hour } = trend else {
            panic!("{trend:?}");
        };
        assert!((percent_per_hour - 8.0).abs() < 0.5, "{percent_per_hour}");
    }

    #[test]
    fn what_is_not_clear_is_not_told() {
        let none = |readings: &[ChargeAt]| forecast(readings, 10.0, NOW).unwrap_err();
        assert_eq!(none(&[]), NoForecast::Few { readings: 0 });
        let minute = none(&readings(1, |before| 50.0 + before));
        assert_eq!(minute.to_string(), "known for 50 min; 120 min are needed");
        assert_eq!(none(&readings(8, |_| 50.0)), NoForecast::Steady);
        let wavy = readings(8, |before| 50.0 + (before * 9.0).sin());
        assert_eq!(none(&wavy), NoForecast::Steady);
        assert_eq!(
            none(&readings(8, |before| 5.0 + before)),
            NoForecast::Reached
        );
        let old = readings(8, |before| 50.0 + before);
        assert_eq!(
            forecast(&old, 10.0, NOW + 2 * RECENT_S),
            Err(NoForecast::Few { readings: 0 })
        );
    }

    proptest! {
        #[test]
        fn noise_stays_inside_the_bounds_mostly(
            rate in 1.0..8.0_f64,
            noise in proptest::collection::vec(-0.5..0.5_f64, 61),
        ) {
            let noisy: Vec<ChargeAt> = readings(10, |before| 20.0 + rate * before)
                .into_iter()
                .zip(noise)
                .map(|(reading, noise)| ChargeAt { percent: reading.percent + noise, ..reading })
                .collect();
            let (left, from, to) = hours_left(&noisy);
            let truth = 10.0 / rate;
            prop_assert!((left - truth).abs() < 0.3 * truth, "{left} for {truth}");
            prop_assert!(from <= left && to.is_none_or(|to| to >= left));
        }

        #[test]
        fn anything_gives_a_forecast_or_a_reason(
            points in proptest::collection::vec((0..90_000_i64, -1e3..1e3_f64), 0..80),
        ) {
            let readings: Vec<ChargeAt> = points
                .iter()
                .map(|(back_s, percent)| ChargeAt { unix_s: NOW - back_s, percent: *percent })
                .collect();
            if let Ok(Trend::Falling { hours_left, .. }) = forecast(&readings, 10.0, NOW) {
                prop_assert!((0.0..=HOURS_MAX).contains(&hours_left));
            }
        }
    }
}
