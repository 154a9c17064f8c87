//! When the card is full, at the rate of the last days.
//!
//! A deletion gives space back and hides what was written meanwhile, so the
//! times in which the free space rose are left out, and what was written is
//! counted only in the others. A trap writes by night, so whole days are
//! compared: the middle one counts, and one day of copying does not.

use crate::robust::median;
use serde::Serialize;
use std::fmt;

const DAY_S: i64 = 86_400;
/// How many days back are looked at.
const DAYS: i64 = 14;
/// A day is known when so much of it is covered by readings.
const COVERED_S_MIN: i64 = DAY_S * 2 / 3;
/// Two readings further apart say too little about the days between.
const GAP_S_MAX: i64 = DAY_S;
/// Less than this each day is the journal, not pictures.
const BYTES_PER_DAY_MIN: f64 = 1_000_000.0;

/// Free space at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FreeAt {
    /// Seconds since 1970.
    pub unix_s: i64,
    /// Free bytes.
    pub free_bytes: u64,
}

/// When the card is full.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CardForecast {
    /// What a middling day writes.
    pub bytes_per_day: f64,
    /// Days left, at that rate.
    pub days_left: f64,
    /// Days left, if each day were like the fullest.
    pub days_from: f64,
}

impl fmt::Display for CardForecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gigabytes = self.bytes_per_day / 1e9;
        write!(
            f,
            "full in about {:.0} days ({:.0} at worst) at {gigabytes:.1} GB a day",
            self.days_left.floor(),
            self.days_from.floor()
        )
    }
}

/// Why there is no forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum NoCardForecast {
    /// Not even one day is known.
    Short,
    /// Hardly anything is written.
    NotFilling,
}

impl fmt::Display for NoCardForecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Short => "not even one day of writing is known yet",
            Self::NotFilling => "hardly anything is written",
        })
    }
}

/// When the card is full, from `readings`, the oldest first.
///
/// # Errors
/// [`NoCardForecast`], when that cannot be told.
pub fn forecast(readings: &[FreeAt], now_unix_s: i64) -> Result<CardForecast, NoCardForecast> {
    let mut days: Vec<f64> = (1..=DAYS)
        .filter_map(|back| written_in(readings, now_unix_s - back * DAY_S))
        .collect();
    let bytes_per_day = median(&mut days).ok_or(NoCardForecast::Short)?;
    let most = days.last().copied().unwrap_or(bytes_per_day);
    if bytes_per_day < BYTES_PER_DAY_MIN {
        return Err(NoCardForecast::NotFilling);
    }
    let free = readings.last().map_or(0.0, |last| last.free_bytes as f64);
    Ok(CardForecast {
        bytes_per_day,
        days_left: free / bytes_per_day,
        days_from: free / most,
    })
}

/// What the day from `start_s` on writes, as far as readings without a deletion
/// tell; `None` when they cover too little of it.
fn written_in(readings: &[FreeAt], start_s: i64) -> Option<f64> {
    let (mut covered_s, mut bytes) = (0, 0.0);
    for two in readings.windows(2) {
        let [before, after] = two else { continue };
        let lasts_s = after.unix_s.saturating_sub(before.unix_s);
        let (from_s, to_s) = (
            before.unix_s.max(start_s),
            after.unix_s.min(start_s + DAY_S),
        );
        let deleted = after.free_bytes > before.free_bytes;
        if deleted || lasts_s > GAP_S_MAX || to_s <= from_s {
            continue;
        }
        let part = (to_s - from_s) as f64 / lasts_s as f64;
        bytes += before.free_bytes.saturating_sub(after.free_bytes) as f64 * part;
        covered_s += to_s - from_s;
    }
    (covered_s >= COVERED_S_MIN).then(|| bytes * DAY_S as f64 / covered_s as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: i64 = 1_795_279_200;
    const GB: u64 = 1_000_000_000;

    /// A reading every half hour for `days`, with 100 MB in each half hour of
    /// the night: 2 GB a day; `free_gb` at the end.
    fn nights(days: i64, free_gb: u64) -> Vec<FreeAt> {
        let mut free_bytes = free_gb * GB;
        let mut readings = Vec::new();
        for half_hours in 0..=days * 48 {
            readings.push(FreeAt {
                unix_s: NOW - half_hours * 1_800,
                free_bytes,
            });
            if half_hours % 48 < 20 {
                free_bytes += GB / 10;
            }
        }
        readings.reverse();
        readings
    }

    fn days_left(readings: &[FreeAt]) -> f64 {
        forecast(readings, NOW).unwrap().days_left
    }

    #[test]
    fn sixty_gigabytes_at_two_a_day_are_thirty_days() {
        let found = forecast(&nights(5, 60), NOW).unwrap();
        assert!((found.days_left - 30.0).abs() < 0.5, "{found:?}");
        assert!(
            found.to_string().starts_with("full in about 30 days"),
            "{found}"
        );
        assert!(
            (days_left(&nights(1, 60)) - 30.0).abs() < 0.5,
            "one day is enough"
        );
    }

    #[test]
    fn deletions_and_one_day_of_copying_change_little() {
        let mut readings = nights(6, 60);
        for reading in &mut readings[..100] {
            reading.free_bytes -= 30 * GB;
        }
        for reading in &mut readings[..200] {
            reading.free_bytes += 20 * GB;
        }
        let found = forecast(&readings, NOW).unwrap();
        assert!((found.days_left - 30.0).abs() < 2.0, "{found:?}");
        assert!(found.days_from < 5.0, "the day of copying: {found:?}");
    }

    #[test]
    fn what_cannot_be_told_is_said() {
        assert_eq!(forecast(&[], NOW), Err(NoCardForecast::Short));
        let hours = &nights(1, 60)[30..];
        assert_eq!(forecast(hours, NOW), Err(NoCardForecast::Short));
        let mut still = nights(3, 60);
        for reading in &mut still {
            reading.free_bytes = 60 * GB;
        }
        assert_eq!(forecast(&still, NOW), Err(NoCardForecast::NotFilling));
        assert_eq!(
            forecast(&still, NOW + 30 * DAY_S),
            Err(NoCardForecast::Short)
        );
    }

    proptest! {
        #[test]
        fn deletions_at_any_times_move_it_little(
            deletions in proptest::collection::vec((0..288_usize, 1..40_u64), 0..8),
        ) {
            let mut readings = nights(6, 400);
            for (at, gb) in deletions {
                for reading in &mut readings[..at] {
                    reading.free_bytes -= gb * GB;
                }
            }
            let left = days_left(&readings);
            prop_assert!((left - 200.0).abs() < 15.0, "{left}");
        }
    }
}
