//! When shots are due. Pure: times in, times out.
//!
//! Every day of the trap's local time has the same slots: whole multiples of
//! the interval from midnight that fall into a window. So a restart does not
//! shift them, and the slots of any span can be counted without walking it.

/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;

/// A window in local time of day; over midnight when `until_ms <= from_ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Milliseconds from midnight, inside.
    pub from_ms: i64,
    /// Milliseconds from midnight, outside.
    pub until_ms: i64,
}

/// The daily slots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    every_ms: i64,
    utc_offset_ms: i64,
    /// Disjoint ranges of the day in order, each `from..until`.
    ranges: Vec<(i64, i64)>,
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
        Self {
            every_ms: every_ms.clamp(1, DAY_MS),
            utc_offset_ms,
            ranges: ranges_of(&windows),
        }
    }

    /// Milliseconds between two slots.
    #[must_use]
    pub fn every_ms(&self) -> i64 {
        self.every_ms
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
        Self::new(self.every_ms, Vec::new(), self.utc_offset_ms)
    }

    /// The first slot after `after_ms`; `None` when no slot falls into any window.
    #[must_use]
    pub fn next_due(&self, after_ms: i64) -> Option<i64> {
        let (day, time) = self.day_and_time(after_ms);
        let today = self.ranges.iter().find_map(|&(from, until)| {
            let slot = ceil_to(from, self.every_ms).max((time / self.every_ms + 1) * self.every_ms);
            (slot < until).then_some(slot)
        });
        match today {
            Some(slot) => Some(self.utc(day, slot)),
            None => self.daily_slots().next().map(|s| self.utc(day + 1, s)),
        }
    }

    /// The last slot at or before `at_ms`; `None` when no slot falls into any window.
    #[must_use]
    pub fn latest_due(&self, at_ms: i64) -> Option<i64> {
        let (day, time) = self.day_and_time(at_ms);
        let last_of = |until_time: i64| {
            self.ranges.iter().rev().find_map(|&(from, until)| {
                let slot = until_time.min(until - 1) / self.every_ms * self.every_ms;
                (slot >= from && slot <= until_time).then_some(slot)
            })
        };
        match last_of(time) {
            Some(slot) => Some(self.utc(day, slot)),
            None => last_of(DAY_MS - 1).map(|slot| self.utc(day - 1, slot)),
        }
    }

    /// The slots after `after_ms` up to and with `until_ms`.
    #[must_use]
    pub fn slots(&self, after_ms: i64, until_ms: i64) -> Option<Slots> {
        let first_ms = self.next_due(after_ms)?;
        let last_ms = self.latest_due(until_ms)?;
        let shots = self.count_until(until_ms) - self.count_until(after_ms);
        (first_ms <= last_ms && shots > 0).then(|| Slots {
            first_ms,
            last_ms,
            shots: u32::try_from(shots).unwrap_or(u32::MAX),
        })
    }

    /// Slots from the first day of the calendar up to and with `ms`.
    fn count_until(&self, ms: i64) -> i64 {
        let (day, time) = self.day_and_time(ms);
        let upto = |limit: i64| -> i64 {
            let count = |&(from, until): &(i64, i64)| {
                let end = until.min(limit + 1);
                let slots_before = |t: i64| ceil_to(t, self.every_ms) / self.every_ms;
                (slots_before(end) - slots_before(from)).max(0)
            };
            self.ranges.iter().map(count).sum()
        };
        day * upto(DAY_MS - 1) + upto(time)
    }

    fn daily_slots(&self) -> impl Iterator<Item = i64> {
        self.ranges.iter().filter_map(|&(from, until)| {
            let slot = ceil_to(from, self.every_ms);
            (slot < until).then_some(slot)
        })
    }

    fn day_and_time(&self, utc_ms: i64) -> (i64, i64) {
        let local = utc_ms.saturating_add(self.utc_offset_ms);
        (local.div_euclid(DAY_MS), local.rem_euclid(DAY_MS))
    }

    fn utc(&self, day: i64, time: i64) -> i64 {
        day * DAY_MS + time - self.utc_offset_ms
    }
}

fn ceil_to(value: i64, step: i64) -> i64 {
    (value + step - 1) / step * step
}

/// Windows as disjoint ranges of one day, in order.
fn ranges_of(windows: &[Window]) -> Vec<(i64, i64)> {
    if windows.is_empty() {
        return vec![(0, DAY_MS)];
    }
    let mut pieces = Vec::new();
    for &Window { from_ms, until_ms } in windows {
        if from_ms < until_ms {
            pieces.push((from_ms, until_ms));
        } else {
            pieces.push((from_ms, DAY_MS));
            pieces.push((0, until_ms));
        }
    }
    pieces.sort_unstable();
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for (from, until) in pieces.into_iter().filter(|(from, until)| from < until) {
        match ranges.last_mut() {
            Some((_, end)) if from <= *end => *end = until.max(*end),
            _ => ranges.push((from, until)),
        }
    }
    ranges
}
