//! Windows of the day, by the clock or by the sun, and what they come to on one day.

use super::DAY_MS;
use crate::sun::{Crossing, Place};
use std::borrow::Cow;
use std::fmt;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
/// An edge lies at most this far from its sunrise or sunset.
pub const OFFSET_MAX_MS: i64 = 6 * HOUR_MS;
/// How far a window of the sun may reach from the noon that it belongs to: half a day, the
/// equation of time, an offset, and on to the other side.
const REACH_MS: i64 = 44 * HOUR_MS;
/// A window by sun and clock that would be longer at an equinox is meant the short way round.
const MIXED_MAX_MS: i64 = 20 * HOUR_MS;

/// A window in local time of day; over midnight when `until_ms <= from_ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Milliseconds from midnight, inside.
    pub from_ms: i64,
    /// Milliseconds from midnight, outside.
    pub until_ms: i64,
}

/// Where a window begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// At a local time of day, milliseconds from midnight.
    Clock(i64),
    /// So many milliseconds after a sunrise or sunset, or before it.
    Sun(Crossing, i64),
}

/// A window whose edges may follow the sun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// Inside.
    pub from: Edge,
    /// Outside.
    pub until: Edge,
}

impl From<Window> for Opening {
    fn from(window: Window) -> Self {
        Self {
            from: Edge::Clock(window.from_ms),
            until: Edge::Clock(window.until_ms),
        }
    }
}

impl Opening {
    /// Whether the sun has a say in it.
    #[must_use]
    pub fn follows_the_sun(&self) -> bool {
        !matches!((self.from, self.until), (Edge::Clock(_), Edge::Clock(_)))
    }

    /// From when until when it is open around the sun's noon of a day, UTC in
    /// milliseconds; `None` when it would end before it begins.
    fn around_noon(&self, place: &Place, day: i64, utc_offset_ms: i64) -> Option<(i64, i64)> {
        let at = |crossing, day, offset_ms| place.crossing_ms(day, crossing) + offset_ms;
        // At an equinox the sun is up from six to six; what the clock means is told by that.
        let usual = |crossing, offset_ms| {
            let noon_ms = place.mean_noon_ms(day) + offset_ms;
            match crossing {
                Crossing::Sunrise => noon_ms - DAY_MS / 4,
                Crossing::Sunset => noon_ms + DAY_MS / 4,
            }
        };
        let (from_ms, until_ms) = match (self.from, self.until) {
            (Edge::Clock(_), Edge::Clock(_)) => return None,
            (Edge::Sun(first, before), Edge::Sun(second, after)) => {
                let is_next_day = match (first, second) {
                    (Crossing::Sunrise, Crossing::Sunset) => false,
                    (Crossing::Sunset, Crossing::Sunrise) => true,
                    _ => after <= before,
                };
                let last_day = day + i64::from(is_next_day);
                (at(first, day, before), at(second, last_day, after))
            }
            (Edge::Sun(crossing, offset_ms), Edge::Clock(time_ms)) => {
                let usual_ms = usual(crossing, offset_ms);
                let long_ms = (time_ms - utc_offset_ms - usual_ms).rem_euclid(DAY_MS);
                let long_ms = if long_ms == 0 { DAY_MS } else { long_ms };
                let is_short_way = long_ms > MIXED_MAX_MS;
                let until_ms = usual_ms + long_ms - DAY_MS * i64::from(is_short_way);
                (at(crossing, day, offset_ms), until_ms)
            }
            (Edge::Clock(time_ms), Edge::Sun(crossing, offset_ms)) => {
                let usual_ms = usual(crossing, offset_ms);
                let long_ms = (usual_ms - (time_ms - utc_offset_ms)).rem_euclid(DAY_MS);
                let long_ms = if long_ms == 0 { DAY_MS } else { long_ms };
                let is_short_way = long_ms > MIXED_MAX_MS;
                let from_ms = usual_ms - long_ms + DAY_MS * i64::from(is_short_way);
                (from_ms, at(crossing, day, offset_ms))
            }
        };
        (from_ms < until_ms).then_some((from_ms, until_ms))
    }
}

/// All windows of a schedule.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Windows {
    /// Those of the clock as disjoint ranges of any day, in order.
    by_clock: Vec<(i64, i64)>,
    by_sun: Vec<Opening>,
    all: Vec<Opening>,
    utc_offset_ms: i64,
    place: Option<Place>,
}

impl Windows {
    pub(super) fn new(all: Vec<Opening>, utc_offset_ms: i64) -> Self {
        let mut pieces = Vec::new();
        for opening in &all {
            let (Edge::Clock(from_ms), Edge::Clock(until_ms)) = (opening.from, opening.until)
            else {
                continue;
            };
            if from_ms < until_ms {
                pieces.push((from_ms, until_ms));
            } else {
                pieces.push((from_ms, DAY_MS));
                pieces.push((0, until_ms));
            }
        }
        if all.is_empty() {
            pieces.push((0, DAY_MS));
        }
        let by_sun = all.iter().filter(|opening| opening.follows_the_sun());
        Self {
            by_clock: merged(pieces),
            by_sun: by_sun.copied().collect(),
            all,
            utc_offset_ms,
            place: None,
        }
    }

    pub(super) fn at(mut self, place: Option<Place>) -> Self {
        self.place = place;
        self
    }

    pub(super) fn place(&self) -> Option<Place> {
        self.place
    }

    pub(super) fn openings(&self) -> &[Opening] {
        &self.all
    }

    pub(super) fn follow_the_sun(&self) -> bool {
        !self.by_sun.is_empty()
    }

    /// Whether every day has the same.
    pub(super) fn are_alike(&self) -> bool {
        self.by_sun.is_empty() || self.place.is_none()
    }

    /// What is open on a local day counted from 1970-01-01, as disjoint ranges
    /// `from..until` of its milliseconds, in order.
    ///
    /// Windows of the sun are open all day where nobody knows the place: a picture
    /// too many can be thrown away, one that was not taken is gone.
    pub(super) fn of_day(&self, day: i64) -> Cow<'_, [(i64, i64)]> {
        if self.by_sun.is_empty() {
            return Cow::Borrowed(&self.by_clock);
        }
        let Some(place) = self.place else {
            return Cow::Borrowed(&[(0, DAY_MS)]);
        };
        let midnight_ms = day * DAY_MS - self.utc_offset_ms;
        let first = place.day_of(midnight_ms - REACH_MS);
        let last = place.day_of(midnight_ms + DAY_MS + REACH_MS);
        let mut pieces = self.by_clock.clone();
        for opening in &self.by_sun {
            for noon in first..=last {
                let open = opening.around_noon(&place, noon, self.utc_offset_ms);
                if let Some((from_ms, until_ms)) = open {
                    let within = |ms: i64| (ms - midnight_ms).clamp(0, DAY_MS);
                    pieces.push((within(from_ms), within(until_ms)));
                }
            }
        }
        Cow::Owned(merged(pieces))
    }
}

/// Ranges without the empty ones, disjoint and in order.
fn merged(mut pieces: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
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

impl fmt::Display for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.from, self.until)
    }
}

impl fmt::Display for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (crossing, offset_ms) = match self {
            Self::Clock(ms) => {
                return write!(f, "{:02}:{:02}", ms / HOUR_MS, ms % HOUR_MS / MINUTE_MS);
            }
            Self::Sun(crossing, offset_ms) => (crossing, *offset_ms),
        };
        f.write_str(match crossing {
            Crossing::Sunrise => "sunrise",
            Crossing::Sunset => "sunset",
        })?;
        if offset_ms == 0 {
            return Ok(());
        }
        f.write_str(if offset_ms < 0 { "-" } else { "+" })?;
        let (hours, rest_ms) = (offset_ms.abs() / HOUR_MS, offset_ms.abs() % HOUR_MS);
        match (hours, rest_ms / MINUTE_MS) {
            (0, minutes) => write!(f, "{minutes}m"),
            (hours, 0) => write!(f, "{hours}h"),
            (hours, minutes) => write!(f, "{hours}h{minutes}m"),
        }
    }
}
