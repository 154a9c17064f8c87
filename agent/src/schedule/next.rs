//! `trapline-agent schedule next`: the next pictures in words, from the settings and
//! the ledger; it touches no device and changes nothing.

use super::{Burst, Schedule};
use crate::moment::utc_text;
use crate::sun::{Crossing, Daylight, Place};
use serde::Serialize;
use std::fmt;
use trapline_hal::{ClockQuality, Stamp};

/// Who said where the trap stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaceFrom {
    /// `trap.latitude` and `trap.longitude`.
    Settings,
    /// Somebody on the technician's page.
    Page,
}

/// The next pictures and what they come from. Times are UTC in milliseconds since 1970;
/// the JSON only ever gains fields.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NextReport {
    /// From when on.
    pub from_ms: i64,
    /// Milliseconds from slot to slot.
    pub every_ms: i64,
    /// Pictures of each slot.
    pub burst: u32,
    /// Milliseconds from one to the next within a slot; 0 without a burst.
    pub burst_gap_ms: i64,
    /// As in the settings; empty means day and night.
    pub windows: Vec<String>,
    /// Local time minus UTC.
    pub utc_offset_ms: i64,
    /// Degrees north; `null` while nobody said where the trap stands.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
    /// Who said so.
    pub place_from: Option<PlaceFrom>,
    /// The sunrise before the noon of the day of `from_ms`; `null` where there is none.
    pub sunrise_ms: Option<i64>,
    /// The sunset after it.
    pub sunset_ms: Option<i64>,
    /// What keeps the windows from being what they say, and what is done meanwhile.
    pub remarks: Vec<String>,
    /// The next pictures, soonest first.
    pub next: Vec<NextShot>,
    #[serde(skip)]
    schedule: Schedule,
}

/// One picture to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NextShot {
    /// When.
    pub due_ms: i64,
    /// The same as `2026-06-21T19:40:00.000Z`.
    pub utc: String,
    /// The same in local time, as `2026-06-21T21:40:00+02:00`.
    pub local: String,
}

impl NextReport {
    /// The next `count` pictures of a schedule at its place.
    #[must_use]
    pub fn of(
        schedule: Schedule,
        place_from: Option<PlaceFrom>,
        from: &Stamp,
        count: usize,
    ) -> Self {
        let from_ms = from.unix_ms;
        let mut remarks = Vec::new();
        let in_force = if from.quality == ClockQuality::Unset {
            remarks.push(
                "the clock was never set: until it is, pictures are taken day and night and \
                 dated by uptime"
                    .to_owned(),
            );
            schedule.day_and_night()
        } else {
            remarks.extend(schedule.trouble(from_ms));
            schedule.clone()
        };
        let next: Vec<NextShot> = in_force
            .dues(from_ms)
            .take(count)
            .map(|due_ms| NextShot {
                due_ms,
                utc: utc_text(due_ms),
                local: schedule.local_text(due_ms, "%Y-%m-%dT%H:%M:%S%:z"),
            })
            .collect();
        let place = schedule.place();
        let sun = place.and_then(|place| sun_of(&place, from_ms));
        Self {
            from_ms,
            every_ms: schedule.every_ms(),
            burst: schedule.burst().shots,
            burst_gap_ms: match schedule.burst() {
                Burst { shots: 1, .. } => 0,
                Burst { gap_ms, .. } => gap_ms,
            },
            windows: schedule
                .openings()
                .iter()
                .map(ToString::to_string)
                .collect(),
            utc_offset_ms: schedule.utc_offset_ms(),
            latitude: place.map(|place| place.latitude),
            longitude: place.map(|place| place.longitude),
            place_from: place.and(place_from),
            sunrise_ms: sun.map(|(rises, _)| rises),
            sunset_ms: sun.map(|(_, sets)| sets),
            remarks,
            next,
            schedule,
        }
    }

    fn write_place(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(latitude), Some(longitude)) = (self.latitude, self.longitude) else {
            return writeln!(f, "Place       not known");
        };
        let from = match self.place_from {
            Some(PlaceFrom::Page) => "told on the technician's page",
            Some(PlaceFrom::Settings) | None => "from the settings",
        };
        let (north, east) = (
            if latitude < 0.0 { 'S' } else { 'N' },
            if longitude < 0.0 { 'W' } else { 'E' },
        );
        let (latitude, longitude) = (latitude.abs(), longitude.abs());
        writeln!(
            f,
            "Place       {latitude:.4}° {north}, {longitude:.4}° {east}, {from}"
        )
    }

    fn write_sun(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(rises_ms), Some(sets_ms)) = (self.sunrise_ms, self.sunset_ms) else {
            return Ok(());
        };
        let at = |ms| self.schedule.local_text(ms, "%-d %b %H:%M");
        writeln!(
            f,
            "Sun         rises {}, sets {} ({})",
            at(rises_ms),
            at(sets_ms),
            self.schedule.offset_words()
        )
    }
}

fn sun_of(place: &Place, at_ms: i64) -> Option<(i64, i64)> {
    let day = place.day_of(at_ms);
    let at = |crossing| place.crossing_ms(day, crossing);
    (place.daylight(day) == Daylight::DayAndNight)
        .then(|| (at(Crossing::Sunrise), at(Crossing::Sunset)))
}

impl fmt::Display for NextReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let burst = match self.burst {
            0 | 1 => String::new(),
            shots => format!("{shots} at a time {} apart, ", words(self.burst_gap_ms)),
        };
        let windows = self.schedule.windows_words();
        writeln!(
            f,
            "Pictures    every {}, {burst}{windows}",
            words(self.every_ms)
        )?;
        if self.schedule.follows_the_sun() {
            self.write_place(f)?;
            self.write_sun(f)?;
        }
        for remark in &self.remarks {
            writeln!(f, "NOTE        {remark}")?;
        }
        if self.next.is_empty() {
            return writeln!(f, "Next        none: no picture falls into the windows");
        }
        for (place, shot) in self.next.iter().enumerate() {
            let title = if place == 0 { "Next" } else { "" };
            let local = self
                .schedule
                .local_text(shot.due_ms, "%a %Y-%m-%d %H:%M:%S");
            let utc = shot.utc.get(11..19).unwrap_or(&shot.utc);
            let wait = words(shot.due_ms.saturating_sub(self.from_ms));
            writeln!(f, "{title:<12}{local} ({utc} UTC), in {wait}")?;
        }
        Ok(())
    }
}

/// A span of time as people say it, cut to its two largest parts: `3 h 12 min`.
fn words(ms: i64) -> String {
    let parts = [
        (ms / 86_400_000, "days"),
        (ms / 3_600_000 % 24, "h"),
        (ms / 60_000 % 60, "min"),
        (ms / 1_000 % 60, "s"),
    ];
    let begun = parts.iter().skip_while(|(count, _)| *count == 0).take(2);
    let said: Vec<String> = begun
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| match (count, *unit) {
            (1, "days") => "1 day".to_owned(),
            (count, unit) => format!("{count} {unit}"),
        })
        .collect();
    if said.is_empty() {
        return format!("{ms} ms");
    }
    said.join(" ")
}
