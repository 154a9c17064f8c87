//! How fast a clock runs, from pairs of what it said and what a trusted clock
//! said at that moment.
//!
//! A clock that is set starts a new life: only the pairs since the last step
//! count. The kernel itself sets its clock every eleven minutes while network
//! time holds, so pairs taken then are all at zero and say so. A step that a
//! clock of 500 ppm could have gone by itself is not seen as one.

use super::{RATE_ERROR_MAX, READING_ERROR_S};
use crate::robust::Line;
use std::fmt;

/// A rate over less than this is mostly the rounding of its seconds.
const SPAN_S_MIN: f64 = 6.0 * 3_600.0;
const PAIRS_MIN: usize = 4;
/// Two readings in whole seconds, each off by up to one, side by side.
const STEPS_S: f64 = 2.0;
const MILLION: f64 = 1e6;

/// What a clock said, and what was true then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockPair {
    /// The clock's time, whole seconds since 1970.
    pub rtc_unix_s: i64,
    /// Trusted time, milliseconds since 1970.
    pub trusted_unix_ms: i64,
}

impl ClockPair {
    /// How far the clock is ahead; a whole second stands for its middle.
    fn ahead_s(&self) -> f64 {
        let rtc_ms = self.rtc_unix_s.saturating_mul(1_000).saturating_add(500);
        rtc_ms.saturating_sub(self.trusted_unix_ms) as f64 / 1_000.0
    }

    fn trusted_s(&self) -> f64 {
        self.trusted_unix_ms as f64 / 1_000.0
    }
}

/// How fast a clock runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drift {
    /// Millionths that it is too fast; negative is too slow.
    pub ppm: f64,
    /// By how many millionths that may be wrong either way, 95 of 100 times.
    pub uncertain_ppm: f64,
    /// How far it was ahead at the last pair, in seconds.
    pub ahead_s: f64,
    /// Over how long this was seen.
    pub span_s: f64,
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day_s = self.ppm * 86_400.0 / MILLION;
        write!(
            f,
            "{:+.1} ± {:.1} ppm ({day_s:+.2} s a day)",
            self.ppm, self.uncertain_ppm
        )
    }
}

/// Why a drift cannot be told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NoDrift {
    /// Too few pairs since the clock was last set.
    Few {
        /// How many there are.
        pairs: usize,
    },
    /// The pairs are too close together.
    Short {
        /// Hours between the first and the last.
        hours: f64,
    },
}

impl fmt::Display for NoDrift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Few { pairs } => write!(
                f,
                "compared {pairs} times since it was set; {PAIRS_MIN} are needed"
            ),
            Self::Short { hours } => write!(
                f,
                "compared over {hours:.1} h; {:.0} h are needed",
                SPAN_S_MIN / 3_600.0
            ),
        }
    }
}

/// The drift of a clock from `pairs`, the oldest first.
///
/// # Errors
/// [`NoDrift`] when the pairs since the clock was last set are too few, or too
/// close together.
pub fn drift(pairs: &[ClockPair]) -> Result<Drift, NoDrift> {
    let pairs = since_last_step(pairs);
    let few = NoDrift::Few { pairs: pairs.len() };
    let (Some(first), Some(last)) = (pairs.first(), pairs.last()) else {
        return Err(few);
    };
    if pairs.len() < PAIRS_MIN {
        return Err(few);
    }
    let start_s = first.trusted_s();
    let span_s = last.trusted_s() - start_s;
    if span_s < SPAN_S_MIN {
        let hours = span_s / 3_600.0;
        return Err(NoDrift::Short { hours });
    }
    let points: Vec<(f64, f64)> = pairs
        .iter()
        .map(|pair| (pair.trusted_s() - start_s, pair.ahead_s()))
        .collect();
    let line = Line::through(&points).ok_or(few)?;
    let scatter = (line.slope_to - line.slope).max(line.slope - line.slope_from);
    // However well they agree, the seconds of the readings are whole.
    let uncertain = scatter.max(STEPS_S / span_s);
    Ok(Drift {
        ppm: line.slope * MILLION,
        uncertain_ppm: uncertain * MILLION,
        ahead_s: line.at(span_s),
        span_s,
    })
}

/// The newest pairs between which the clock was not set.
fn since_last_step(pairs: &[ClockPair]) -> &[ClockPair] {
    let stepped = |two: &[ClockPair]| {
        let [before, after] = two else {
            return false;
        };
        let passed_s = after.trusted_s() - before.trusted_s();
        let moved_s = (after.ahead_s() - before.ahead_s()).abs();
        passed_s < 0.0 || moved_s > READING_ERROR_S + RATE_ERROR_MAX * passed_s
    };
    let last_step = pairs.windows(2).rposition(stepped);
    let start = last_step.map_or(0, |step| step + 1);
    pairs.get(start..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY_MS: i64 = 86_400_000;
    const START_MS: i64 = 1_780_000_000_000;

    /// A clock `ahead_ms` ahead that runs `ppm` too fast, compared every six hours.
    fn pairs(ppm: i64, ahead_ms: i64, count: i64) -> Vec<ClockPair> {
        let pair = |nth: i64| {
            // Not on the second, else all readings are rounded alike.
            let passed_ms = nth * (DAY_MS / 4 + 137);
            let rtc_ms = START_MS + ahead_ms + passed_ms + passed_ms * ppm / 1_000_000;
            ClockPair {
                rtc_unix_s: rtc_ms.div_euclid(1_000),
                trusted_unix_ms: START_MS + passed_ms,
            }
        };
        (0..count).map(pair).collect()
    }

    #[test]
    fn five_seconds_a_day_is_58_ppm() {
        let found = drift(&pairs(58, 1_000, 40)).unwrap();
        assert!((found.ppm - 58.0).abs() < found.uncertain_ppm, "{found}");
        assert!(found.uncertain_ppm < 4.0, "{found}");
        assert!((found.ahead_s - 50.0).abs() < 1.5, "{found:?}");
        assert!(found.to_string().contains("+5.0"), "{found}");
    }

    #[test]
    fn a_clock_that_was_set_starts_again() {
        let mut both = pairs(-300, 0, 20);
        let later: Vec<ClockPair> = pairs(20, 400, 20)
            .iter()
            .map(|pair| ClockPair {
                rtc_unix_s: pair.rtc_unix_s + 5 * 86_400,
                trusted_unix_ms: pair.trusted_unix_ms + 5 * DAY_MS,
            })
            .collect();
        both.extend(&later);
        assert_eq!(drift(&both), drift(&later));
        assert!(drift(&both).unwrap().ppm > 0.0);
    }

    #[test]
    fn what_cannot_be_told_is_said() {
        assert_eq!(drift(&[]), Err(NoDrift::Few { pairs: 0 }));
        assert_eq!(drift(&pairs(5, 0, 3)), Err(NoDrift::Few { pairs: 3 }));
        let close: Vec<ClockPair> = (0..10)
            .map(|nth| ClockPair {
                rtc_unix_s: 1_780_000_000 + nth * 600,
                trusted_unix_ms: START_MS + nth * 600_000,
            })
            .collect();
        let words = drift(&close).unwrap_err().to_string();
        assert_eq!(words, "compared over 1.5 h; 6 h are needed");
    }

    proptest! {
        #[test]
        fn the_truth_is_inside_the_bounds(ppm in -400_i64..400, ahead_ms in -900_000_i64..900_000) {
            let found = drift(&pairs(ppm, ahead_ms, 30)).unwrap();
            prop_assert!((found.ppm - ppm as f64).abs() <= found.uncertain_ppm, "{found}, not {ppm}");
        }

        #[test]
        fn wrong_pairs_do_not_turn_it(ppm in -100_i64..100, at in 1_usize..29, off_s in -2_i64..=2) {
            let mut pairs = pairs(ppm, 0, 30);
            pairs[at].rtc_unix_s += off_s;
            if let Ok(found) = drift(&pairs) {
                prop_assert!((found.ppm - ppm as f64).abs() <= 2.0 * found.uncertain_ppm, "{found}, not {ppm}");
            }
        }
    }
}
