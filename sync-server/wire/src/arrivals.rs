//! How many insects arrived in each interval, and how sure that is: the one
//! rule by which trap and server count. Pure.
//!
//! An arrival belongs to the interval of the first picture that shows it.
//! [`Count::counted`] are the confirmed ones. The bounds say what is not sure:
//!
//! - A track that is not confirmed yet may become an arrival: `high` counts it.
//! - An arrival after a gap (shots missed, pictures that could not be looked at
//!   or were too poor, or nobody looking for longer than an interval) may have
//!   come in any interval since the last good look: `low` of its own interval
//!   leaves it out, `high` of the earlier ones counts it.
//! - An arrival that could be a known insect which walked far may be none: `low` leaves it out.
//! - An arrival under a clock that nothing has set may belong elsewhere: `low` leaves it out.
//!
//! An interval without a single good look has no count at all, which is not zero.

use crate::v1::ClockQuality;
use serde::{Deserialize, Serialize};

/// A row of effort stands for no more failed looks than this.
const MISSED_MAX: u32 = 2_000;

/// A planned look at the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// When, as the trap believed.
    pub at_ms: i64,
    /// Whether it could have shown an arrival: the shot was not missed and the
    /// picture was looked at and not poor.
    pub is_good: bool,
}

/// A track that came while the card was watched and has not ended unconfirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// When the first picture that shows it was taken.
    pub first_ms: i64,
    /// How far to trust that.
    pub clock: ClockQuality,
    /// Whether it counts.
    pub is_confirmed: bool,
    /// It could be an insect that was there before and walked.
    pub may_be_known: bool,
}

/// A count with its bounds; `low` ≤ `counted` ≤ `high`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Count {
    /// Confirmed arrivals.
    pub counted: u32,
    /// At least.
    pub low: u32,
    /// At most.
    pub high: u32,
}

/// One interval, `from_ms` ≤ time < `until_ms`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    /// Its start.
    pub from_ms: i64,
    /// Its end.
    pub until_ms: i64,
    /// Good looks in it.
    pub looks: u32,
    /// Planned looks that were missed, given up or too poor.
    pub failed: u32,
    /// Arrivals; `null` when nobody looked, which is not "none".
    pub arrivals: Option<Count>,
    /// Arrivals whose time is doubtful, because nothing had set the clock.
    pub clock_doubtful: u32,
}

/// Missed shots as looks that failed, evenly over the time in which they were due.
pub fn missed(due_ms: i64, last_due_ms: i64, shots: u32) -> impl Iterator<Item = Look> {
    let looks = i64::from(shots.clamp(1, MISSED_MAX));
    let span_ms = last_due_ms.saturating_sub(due_ms).max(0);
    (0..looks).map(move |index| Look {
        at_ms: due_ms.saturating_add(span_ms / (looks - 1).max(1) * index),
        is_good: false,
    })
}

/// Counts the arrivals of `length` intervals of `step_ms` from `from_ms` on.
///
/// `looks` and `arrivals` ascend in time and reach, where there are any, from
/// the last good look before the first interval to the first good look after the last.
#[must_use]
pub fn count(
    from_ms: i64,
    step_ms: i64,
    length: usize,
    looks: &[Look],
    arrivals: &[Arrival],
) -> Vec<Interval> {
    let step_ms = step_ms.max(1);
    let mut intervals: Vec<Interval> = (0_i64..)
        .take(length)
        .map(|index| {
            let from_ms = from_ms.saturating_add(index.saturating_mul(step_ms));
            Interval {
                from_ms,
                until_ms: from_ms.saturating_add(step_ms),
                looks: 0,
                failed: 0,
                arrivals: None,
                clock_doubtful: 0,
            }
        })
        .collect();
    let place = |at_ms: i64| at_ms.saturating_sub(from_ms).div_euclid(step_ms);
    for look in looks {
        if let Some(interval) = at(&mut intervals, place(look.at_ms)) {
            if look.is_good {
                interval.looks += 1;
                interval.arrivals = Some(Count::default());
            } else {
                interval.failed += 1;
            }
        }
    }
    for arrival in arrivals {
        let own = place(arrival.first_ms);
        let since = possible_since(arrival.first_ms, step_ms, looks);
        let may_be_earlier = since.is_some_and(|since_ms| place(since_ms) < own);
        let is_doubtful = arrival.clock <= ClockQuality::Restored;
        if let Some(interval) = at(&mut intervals, own) {
            interval.clock_doubtful += u32::from(is_doubtful);
            let count = interval.arrivals.get_or_insert_default();
            count.high += 1;
            if arrival.is_confirmed {
                count.counted += 1;
                count.low += u32::from(!may_be_earlier && !is_doubtful && !arrival.may_be_known);
            }
        }
        let earliest = since.filter(|_| may_be_earlier).map_or(own, place).max(0);
        let end = own.min(i64::try_from(length).unwrap_or(i64::MAX));
        for earlier in earliest..end {
            if let Some(count) =
                at(&mut intervals, earlier).and_then(|interval| interval.arrivals.as_mut())
            {
                count.high += 1;
            }
        }
    }
    intervals
}

fn at(intervals: &mut [Interval], place: i64) -> Option<&mut Interval> {
    intervals.get_mut(usize::try_from(place).ok()?)
}

/// The last good look before a first picture, if there is a gap between them.
fn possible_since(first_ms: i64, step_ms: i64, looks: &[Look]) -> Option<i64> {
    let before = looks.partition_point(|look| look.at_ms < first_ms);
    let mut failed = false;
    for look in looks.get(..before)?.iter().rev() {
        if look.is_good {
            let is_gap = failed || first_ms.saturating_sub(look.at_ms) > step_ms;
            return is_gap.then_some(look.at_ms);
        }
        failed = true;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    const THIRD: i64 = HOUR / 3;

    /// Looks at a third of an hour past each third, from hour 0 to 6.
    fn day(is_good: impl Fn(i64) -> bool) -> Vec<Look> {
        (0..18)
            .map(|index| index * THIRD + 1000)
            .map(|at_ms| Look {
                at_ms,
                is_good: is_good(at_ms),
            })
            .collect()
    }

    fn arrival(first_ms: i64) -> Arrival {
        Arrival {
            first_ms,
            clock: ClockQuality::Synced,
            is_confirmed: true,
            may_be_known: false,
        }
    }

    fn counts(looks: &[Look], arrivals: &[Arrival]) -> Vec<Option<(u32, u32, u32)>> {
        count(0, HOUR, 6, looks, arrivals)
            .iter()
            .map(|interval| interval.arrivals)
            .map(|count| count.map(|count| (count.low, count.counted, count.high)))
            .collect()
    }

    #[test]
    fn an_arrival_counts_in_the_hour_of_its_first_picture() {
        let found = counts(
            &day(|_| true),
            &[arrival(HOUR + 1000), arrival(HOUR + THIRD + 1000)],
        );
        let none = Some((0, 0, 0));
        assert_eq!(found, [none, Some((2, 2, 2)), none, none, none, none]);
    }

    #[test]
    fn an_hour_in_which_nobody_looked_has_no_count() {
        let looks = day(|at_ms| !(2 * HOUR..3 * HOUR).contains(&at_ms));
        assert_eq!(counts(&looks, &[])[2], None);
        assert_eq!(count(0, HOUR, 6, &looks, &[])[2].failed, 3);
    }

    #[test]
    fn after_a_gap_it_may_have_come_earlier() {
        let looks = day(|at_ms| !(2 * HOUR..4 * HOUR).contains(&at_ms));
        let found = counts(&looks, &[arrival(4 * HOUR + 1000)]);
        let expected = [
            Some((0, 0, 0)),
            Some((0, 0, 1)),
            None,
            None,
            Some((0, 1, 1)),
            Some((0, 0, 0)),
        ];
        assert_eq!(found, expected);
        // The first interval that is asked for sees it too, however late the arrival was found.
        let before = count(HOUR, HOUR, 1, &looks, &[arrival(4 * HOUR + 1000)]);
        assert_eq!(before[0].arrivals.unwrap().high, 1);
    }

    #[test]
    fn a_gap_within_one_hour_changes_nothing() {
        let looks = day(|at_ms| at_ms != HOUR + THIRD + 1000);
        let found = counts(&looks, &[arrival(HOUR + 2 * THIRD + 1000)]);
        assert_eq!(found[1], Some((1, 1, 1)));
    }

    #[test]
    fn what_is_not_confirmed_or_has_a_poor_clock_widens_the_bounds() {
        let unsure = Arrival {
            is_confirmed: false,
            ..arrival(2 * HOUR + THIRD + 1000)
        };
        let restored = Arrival {
            clock: ClockQuality::Restored,
            ..arrival(2 * HOUR + THIRD + 1000)
        };
        let walked = Arrival {
            may_be_known: true,
            ..arrival(2 * HOUR + THIRD + 1000)
        };
        let found = count(0, HOUR, 6, &day(|_| true), &[unsure, restored, walked]);
        let expected = Count {
            counted: 2,
            low: 0,
            high: 3,
        };
        assert_eq!(found[2].arrivals, Some(expected));
        assert_eq!(found[2].clock_doubtful, 1);
    }

    #[test]
    fn times_at_the_ends_of_the_world_do_no_harm() {
        let looks = [Look {
            at_ms: i64::MIN,
            is_good: true,
        }];
        let found = count(i64::MAX - 1, i64::MAX, 3, &looks, &[arrival(i64::MAX)]);
        assert_eq!(found.len(), 3);
    }
}
