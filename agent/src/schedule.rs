//! When shots are due. Pure: times in, times out.
//!
//! The slots of a day of the trap's local time are whole multiples of the interval
//! from midnight that fall into a window, and where a slot is a burst, the shots
//! that follow it. So a restart does not shift them. Windows may follow the sun:
//! then no two days are alike, and a span is counted day by day.

pub mod next;
mod windows;
mod words;

use crate::sun::Place;
use std::borrow::Cow;
use windows::Windows;

pub use windows::{Edge, OFFSET_MAX_MS, Opening, Window};

/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;
/// A slot that does not come within so many days never comes: the night of a pole is shorter.
const DAYS_AHEAD: i64 = 400;
/// Days of the sun that are counted one by one: more than a century.
const DAYS_COUNTED: i64 = 40_000;

/// Several pictures for each slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Burst {
    /// How many, at least 1.
    pub shots: u32,
    /// Milliseconds from one to the next.
    pub gap_ms: i64,
}

impl Burst {
    /// One picture.
    pub const SINGLE: Self = Self {
        shots: 1,
        gap_ms: 0,
    };
}

/// The daily slots.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    every_ms: i64,
    utc_offset_ms: i64,
    burst: Burst,
    windows: Windows,
}

/// A run of slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slots {
    /// The first, UTC in milliseconds.
    pub first_ms: i64,
    /// The last; equals `first_ms` for a single slot.
    pub last_ms: i64,
    /// How many, at least 1.
    pub shots: u32,
}

impl Schedule {
    /// A slot each `every_ms` (1 ms to a day) in `windows`; none given means the whole day.
    #[must_use]
    pub fn new(every_ms: i64, windows: Vec<Window>, utc_offset_ms: i64) -> Self {
        let windows = windows.into_iter().map(Opening::from);
        Self::of(every_ms, windows.collect(), utc_offset_ms)
    }

    /// The same with windows that may follow the sun, once it is known [where](Self::at).
    #[must_use]
    pub fn of(every_ms: i64, windows: Vec<Opening>, utc_offset_ms: i64) -> Self {
        Self {
            every_ms: every_ms.clamp(1, DAY_MS),
            utc_offset_ms,
            burst: Burst::SINGLE,
            windows: Windows::new(windows, utc_offset_ms),
        }
    }

    /// The same with several shots for each slot, which end within half an interval.
    #[must_use]
    pub fn in_bursts(mut self, burst: Burst) -> Self {
        let fit = self.every_ms / 2 / burst.gap_ms.max(1);
        let fit = u32::try_from(fit).unwrap_or(u32::MAX).saturating_add(1);
        self.burst = Burst {
            shots: burst.shots.clamp(1, fit),
            gap_ms: burst.gap_ms.max(1),
        };
        self
    }

    /// The same at a place, or where nobody knows the place: its windows of the sun are then
    /// open day and night.
    #[must_use]
    pub fn at(mut self, place: Option<Place>) -> Self {
        self.windows = self.windows.at(place);
        self
    }

    /// Where it holds, if that is known.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        self.windows.place()
    }

    /// Its windows; none means day and night.
    #[must_use]
    pub fn openings(&self) -> &[Opening] {
        self.windows.openings()
    }

    /// Whether sunrise or sunset have a say in it.
    #[must_use]
    pub fn follows_the_sun(&self) -> bool {
        self.windows.follow_the_sun()
    }

    /// Milliseconds between two slots.
    #[must_use]
    pub fn every_ms(&self) -> i64 {
        self.every_ms
    }

    /// The shots of each slot.
    #[must_use]
    pub fn burst(&self) -> Burst {
        self.burst
    }

    /// How late a shot may still be taken, in milliseconds: half the way to the next.
    #[must_use]
    pub fn late_max_ms(&self) -> i64 {
        if self.burst.shots > 1 {
            self.burst.gap_ms / 2
        } else {
            self.every_ms / 2
        }
    }

    /// How far the local time of the slots is east of UTC, in milliseconds.
    #[must_use]
    pub fn utc_offset_ms(&self) -> i64 {
        self.utc_offset_ms
    }

    /// The last local midnight at or before `at_ms`.
    #[must_use]
    pub fn midnight_before(&self, at_ms: i64) -> i64 {
        let (day, _) = self.day_and_time(at_ms);
        self.utc(day, 0)
    }

    /// The same slots without windows, for a trap that does not know the time of day.
    #[must_use]
    pub fn day_and_night(&self) -> Self {
        Self {
            windows: Windows::new(Vec::new(), self.utc_offset_ms),
            ..self.clone()
        }
    }

    /// The first slot after `after_ms`; `None` when no slot falls into any window.
    #[must_use]
    pub fn next_due(&self, after_ms: i64) -> Option<i64> {
        self.dues(after_ms).next()
    }

    /// The slots after `after_ms`, one after the other.
    #[must_use]
    pub fn dues(&self, after_ms: i64) -> Dues<'_> {
        let (day, time) = self.day_and_time(after_ms);
        Dues {
            schedule: self,
            day,
            time,
            ranges: self.windows.of_day(day),
        }
    }

    /// The last slot at or before `at_ms`; `None` when no slot falls into any window.
    #[must_use]
    pub fn latest_due(&self, at_ms: i64) -> Option<i64> {
        let (today, time) = self.day_and_time(at_ms);
        (0..=self.days_ahead()).find_map(|back| {
            let day = today - back;
            let until = if back == 0 { time } else { DAY_MS - 1 };
            let slot = self.last_of(&self.windows.of_day(day), until)?;
            Some(self.utc(day, slot))
        })
    }

    /// The slots after `after_ms` up to and with `until_ms`.
    #[must_use]
    pub fn slots(&self, after_ms: i64, until_ms: i64) -> Option<Slots> {
        let first_ms = self.next_due(after_ms)?;
        let last_ms = self.latest_due(until_ms)?;
        if first_ms > last_ms {
            return None;
        }
        let shots = self.count(after_ms, until_ms);
        (shots > 0).then(|| Slots {
            first_ms,
            last_ms,
            shots: u32::try_from(shots).unwrap_or(u32::MAX),
        })
    }

    /// How many slots lie after `after_ms`, up to and with `until_ms`.
    fn count(&self, after_ms: i64, until_ms: i64) -> i64 {
        let (first, after) = self.day_and_time(after_ms);
        let (last, until) = self.day_and_time(until_ms);
        let of = |day: i64, until: i64| self.count_of(&self.windows.of_day(day), until);
        let days = last - first;
        let between = if self.windows.are_alike() {
            days * of(first, DAY_MS - 1)
        } else {
            let counted = days.min(DAYS_COUNTED);
            let sum: i64 = (first..first + counted)
                .map(|day| of(day, DAY_MS - 1))
                .sum();
            // A clock that is centuries off is mended by no count: the others are like these.
            match days - counted {
                0 => sum,
                more => sum.saturating_add(sum.saturating_mul(more) / counted.max(1)),
            }
        };
        between - of(first, after) + of(last, until)
    }

    /// The first slot of a day after a time of it.
    fn first_of(&self, ranges: &[(i64, i64)], after: i64) -> Option<i64> {
        let in_range = |&(from, until): &(i64, i64)| {
            let shots = self.delays().filter_map(move |delay| {
                let next = ((after - delay).div_euclid(self.every_ms) + 1) * self.every_ms;
                let slot = next.max(ceil_to(from, self.every_ms));
                (slot < until && slot + delay < DAY_MS).then_some(slot + delay)
            });
            shots.min()
        };
        ranges.iter().filter_map(in_range).min()
    }

    /// The last slot of a day up to and with a time of it.
    fn last_of(&self, ranges: &[(i64, i64)], at: i64) -> Option<i64> {
        let in_range = |&(from, until): &(i64, i64)| {
            let shots = self.delays().filter_map(move |delay| {
                let before = (at - delay).min(until - 1);
                let slot = before.div_euclid(self.every_ms) * self.every_ms;
                (slot >= from).then_some(slot + delay)
            });
            shots.max()
        };
        ranges.iter().filter_map(in_range).max()
    }

    /// How many slots a day has up to and with a time of it.
    fn count_of(&self, ranges: &[(i64, i64)], at: i64) -> i64 {
        let slots_before = |time: i64| ceil_to(time.max(0), self.every_ms) / self.every_ms;
        let in_range = |&(from, until): &(i64, i64)| -> i64 {
            let shots = self.delays().map(|delay| {
                let end = until.min(at - delay + 1);
                (slots_before(end) - slots_before(from)).max(0)
            });
            shots.sum()
        };
        ranges.iter().map(in_range).sum()
    }

    /// How long after its slot each shot comes.
    fn delays(&self) -> impl Iterator<Item = i64> + use<> {
        let gap_ms = self.burst.gap_ms;
        (0..self.burst.shots).map(move |shot| i64::from(shot) * gap_ms)
    }

    fn days_ahead(&self) -> i64 {
        if self.windows.are_alike() {
            1
        } else {
            DAYS_AHEAD
        }
    }

    fn day_and_time(&self, utc_ms: i64) -> (i64, i64) {
        let local = utc_ms.saturating_add(self.utc_offset_ms);
        (local.div_euclid(DAY_MS), local.rem_euclid(DAY_MS))
    }

    fn utc(&self, day: i64, time: i64) -> i64 {
        day * DAY_MS + time - self.utc_offset_ms
    }
}

/// Slots in the order of time.
#[derive(Debug)]
pub struct Dues<'a> {
    schedule: &'a Schedule,
    day: i64,
    time: i64,
    ranges: Cow<'a, [(i64, i64)]>,
}

impl Iterator for Dues<'_> {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        for _ in 0..=self.schedule.days_ahead() {
            if let Some(slot) = self.schedule.first_of(&self.ranges, self.time) {
                self.time = slot;
                return Some(self.schedule.utc(self.day, slot));
            }
            self.day += 1;
            self.time = -1;
            self.ranges = self.schedule.windows.of_day(self.day);
        }
        None
    }
}

fn ceil_to(value: i64, step: i64) -> i64 {
    (value + step - 1) / step * step
}
