//! What a schedule says to people: its windows, and where the sun leaves it in the lurch.

use super::{DAY_MS, Schedule};
use crate::sun::Daylight;
use jiff::fmt::strtime;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};

impl Schedule {
    /// Its windows as they are written in the settings: `22:00..04:00, sunset..23:30`.
    #[must_use]
    pub fn windows_words(&self) -> String {
        let windows: Vec<String> = self.openings().iter().map(ToString::to_string).collect();
        if windows.is_empty() {
            "day and night".to_owned()
        } else {
            windows.join(", ")
        }
    }

    /// What keeps its windows of the sun from being what they say, and what is done meanwhile.
    #[must_use]
    pub fn trouble(&self, now_ms: i64) -> Option<String> {
        if !self.follows_the_sun() {
            return None;
        }
        let Some(place) = self.place() else {
            return Some(
                "nobody has said where the trap stands, so sunrise and sunset are not known: \
                 pictures are taken day and night; set `trap.latitude` and `trap.longitude`, or \
                 tell the place on the technician's page"
                    .to_owned(),
            );
        };
        let so = match place.daylight(place.day_of(now_ms)) {
            Daylight::DayAndNight => return None,
            Daylight::PolarDay => {
                "the sun does not set here these days: `sunset` and `sunrise` both mean the sun's \
                 midnight"
            }
            Daylight::PolarNight => {
                "the sun does not rise here these days: `sunrise` and `sunset` both mean the sun's \
                 noon"
            }
        };
        let next_ms = self.next_due(now_ms);
        let then = match next_ms {
            Some(due_ms) if due_ms - now_ms <= DAY_MS => {
                "pictures are still due each day".to_owned()
            }
            Some(due_ms) => {
                let date = self.local_text(due_ms, "%-d %B %Y");
                format!("no picture is due before {date}")
            }
            None => "no picture is ever due".to_owned(),
        };
        Some(format!("{so}; {then}"))
    }

    /// A time in the schedule's local time, in the words of `strftime`.
    #[must_use]
    pub fn local_text(&self, unix_ms: i64, format: &str) -> String {
        let text = self
            .local(unix_ms)
            .map(|time| strtime::format(format, &time));
        match text {
            Some(Ok(text)) => text,
            Some(Err(_)) | None => unix_ms.to_string(),
        }
    }

    /// Its local time as it differs from UTC: `UTC+02:00`.
    #[must_use]
    pub fn offset_words(&self) -> String {
        let minutes = self.utc_offset_ms() / 60_000;
        let sign = if minutes < 0 { '-' } else { '+' };
        let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
        format!("UTC{sign}{hours:02}:{rest:02}")
    }

    fn local(&self, unix_ms: i64) -> Option<Zoned> {
        let seconds = i32::try_from(self.utc_offset_ms() / 1_000).ok()?;
        let offset = Offset::from_seconds(seconds).ok()?;
        let time = Timestamp::from_millisecond(unix_ms).ok()?;
        Some(time.to_zoned(TimeZone::fixed(offset)))
    }
}
