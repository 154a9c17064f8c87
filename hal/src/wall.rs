//! Times of day for people, and the parts of a date for registers.

use jiff::Timestamp;
use jiff::civil::{DateTime, date};
use jiff::tz::{Offset, TimeZone};

/// Date and time at so many seconds since 1970, with a clock `offset_s` east of UTC.
///
/// What is outside the years that a calendar knows becomes their first moment.
pub(crate) fn civil(unix_s: i64, offset_s: i32) -> DateTime {
    let timestamp = Timestamp::from_second(unix_s).unwrap_or(Timestamp::MIN);
    let offset = Offset::from_seconds(offset_s).unwrap_or(Offset::UTC);
    timestamp.to_zoned(TimeZone::fixed(offset)).datetime()
}

/// Seconds since 1970 of a UTC date; `None` where there is no such date.
pub(crate) fn unix_s(year: i16, [month, day, hour, minute, second]: [i8; 5]) -> Option<i64> {
    let moment = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    let zoned = moment.to_zoned(TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_second())
}

/// As `2026-11-21 16:39:59`, in UTC.
#[must_use]
pub fn date_time(unix_s: i64) -> String {
    civil(unix_s, 0).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// As `21:40` on the day of `now`, `Thursday 21:40` in the six days after it,
/// with the date otherwise.
#[must_use]
pub fn near(at_unix_s: i64, now_unix_s: i64, offset_s: i32) -> String {
    let (at, now) = (civil(at_unix_s, offset_s), civil(now_unix_s, offset_s));
    let midnight = |moment: DateTime| unix_day(moment);
    let form = match midnight(at) - midnight(now) {
        0 => "%H:%M",
        1..=6 => "%A %H:%M",
        _ => "%A %Y-%m-%d %H:%M",
    };
    at.strftime(form).to_string()
}

fn unix_day(moment: DateTime) -> i32 {
    let first = date(1970, 1, 1);
    moment.date().since(first).map_or(0, |span| span.get_days())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_as_people_do() {
        let now = unix_s(2026, [11, 21, 16, 40, 0]).unwrap();
        assert_eq!(date_time(now), "2026-11-21 16:40:00");
        assert_eq!(near(now + 3_600, now, 3_600), "18:40");
        assert_eq!(near(now + 12 * 3_600, now, 0), "Sunday 04:40");
        assert_eq!(near(now + 6 * 86_400, now, 0), "Friday 16:40");
        assert_eq!(near(now + 7 * 86_400, now, 0), "Saturday 2026-11-28 16:40");
        assert_eq!(near(now - 86_400, now, 0), "Friday 2026-11-20 16:40");
        assert_eq!(unix_s(2026, [2, 30, 0, 0, 0]), None);
    }
}
