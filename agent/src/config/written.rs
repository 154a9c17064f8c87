//! Durations, times of day and offsets as people write them.

use crate::schedule::{Edge, OFFSET_MAX_MS, Opening, Window};
use crate::sun::Crossing;
use std::time::Duration;

/// `"1h30m"`; units `ms`, `s`, `m`, `h`, `d`. `None` when it is something else.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits_end = rest.find(|c: char| !c.is_ascii_digit())?;
        let (digits, after) = rest.split_at_checked(digits_end)?;
        let unit_end = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, next) = after.split_at_checked(unit_end)?;
        let unit_ms: u64 = match unit.trim() {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        let ms = digits.parse::<u64>().ok()?.checked_mul(unit_ms)?;
        total = total.checked_add(Duration::from_millis(ms))?;
        rest = next;
    }
    Some(total)
}

pub(super) fn parse_offset(text: &str) -> Option<i64> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let ms = parse_time_of_day(rest)?;
    (ms <= 14 * 3_600_000).then_some(sign * ms)
}

pub(super) fn parse_window(text: &str) -> Option<Window> {
    let (from, until) = text.split_once("..")?;
    let (from_ms, until_ms) = (parse_time_of_day(from)?, parse_time_of_day(until)?);
    (from_ms != until_ms && from_ms < crate::schedule::DAY_MS)
        .then_some(Window { from_ms, until_ms })
}

/// `05:00..22:00`, `sunset-30m..sunrise`, or one edge of each.
pub(super) fn parse_opening(text: &str) -> Option<Opening> {
    if let Some(window) = parse_window(text) {
        return Some(window.into());
    }
    let (from, until) = text.split_once("..")?;
    let opening = Opening {
        from: parse_edge(from)?,
        until: parse_edge(until)?,
    };
    let is_open = opening.follows_the_sun() && opening.from != opening.until;
    is_open.then_some(opening)
}

fn parse_edge(text: &str) -> Option<Edge> {
    let text = text.trim();
    let (crossing, offset) = if let Some(rest) = text.strip_prefix("sunrise") {
        (Crossing::Sunrise, rest.trim_start())
    } else if let Some(rest) = text.strip_prefix("sunset") {
        (Crossing::Sunset, rest.trim_start())
    } else {
        return parse_time_of_day(text).map(Edge::Clock);
    };
    if offset.is_empty() {
        return Some(Edge::Sun(crossing, 0));
    }
    let (sign, length) = match offset.split_at_checked(1)? {
        ("+", length) => (1, length),
        ("-", length) => (-1, length),
        _ => return None,
    };
    let length_ms = i64::try_from(parse_duration(length)?.as_millis()).ok()?;
    (length_ms <= OFFSET_MAX_MS).then_some(Edge::Sun(crossing, sign * length_ms))
}

/// `HH:MM`, up to `24:00`, in milliseconds from midnight.
fn parse_time_of_day(text: &str) -> Option<i64> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    if !two_digits(hours) || !two_digits(minutes) {
        return None;
    }
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    let ms = (hours * 60 + minutes) * 60_000;
    (minutes < 60 && ms <= crate::schedule::DAY_MS).then_some(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        let read = |text| parse_duration(text).map(|d| d.as_millis());
        assert_eq!(read("500ms"), Some(500));
        assert_eq!(read("1h30m"), Some(5_400_000));
        assert_eq!(read("2d"), Some(172_800_000));
        for wrong in ["", "20", "m", "20 x", "-5s", "99999999999999999999d"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_of_day_and_offsets_keep_their_range() {
        assert_eq!(parse_time_of_day("24:00"), Some(crate::schedule::DAY_MS));
        assert_eq!(parse_time_of_day("24:01"), None);
        assert_eq!(parse_time_of_day("7:00"), None);
        assert_eq!(parse_offset("-03:30"), Some(-12_600_000));
        assert_eq!(parse_offset("02:00"), None);
        assert_eq!(
            parse_window("22:00..04:00").map(|w| w.until_ms),
            Some(14_400_000)
        );
        assert!(parse_window("05:00..05:00").is_none());
    }
}
