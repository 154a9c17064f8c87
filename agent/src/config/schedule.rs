//! `[schedule]`: when pictures are taken.

use super::check::{Checker, MINUTE, SECOND};
use super::place::Place;
use super::written::{parse_offset, parse_opening};
use crate::schedule::{Burst, Schedule};
use std::time::Duration;

/// A slot is never more pictures than that.
const BURST_MAX: i64 = 20;

impl Checker<'_> {
    /// The schedule at the place of the settings, which may be unknown.
    pub(super) fn schedule(&mut self, place: Option<Place>) -> Schedule {
        let every = self.duration(
            "schedule.every",
            Duration::from_millis(100)..=Duration::from_hours(24),
        );
        let offset_text = self.text("schedule.utc_offset");
        let utc_offset_ms = parse_offset(&offset_text).unwrap_or_else(|| {
            let message = format!(
                "`schedule.utc_offset` needs an offset like \"+02:00\", not {offset_text:?}"
            );
            self.complain("schedule.utc_offset", message);
            0
        });
        let mut windows = Vec::new();
        for text in self.list("schedule.windows") {
            match parse_opening(&text) {
                Some(window) => windows.push(window),
                None => self.complain(
                    "schedule.windows",
                    format!(
                        "`schedule.windows` needs windows like \"05:00..22:00\" or \
                         \"sunset-30m..sunrise\", not {text:?}"
                    ),
                ),
            }
        }
        let every_ms = i64::try_from(every.as_millis()).unwrap_or(i64::MAX);
        let burst = self.burst(every);
        let schedule = Schedule::of(every_ms, windows, utc_offset_ms)
            .in_bursts(burst)
            .at(place);
        if schedule.next_due(0).is_none() {
            let message = "no multiple of `schedule.every` falls into `schedule.windows`; widen a \
                           window or take pictures more often";
            self.complain("schedule.windows", message.to_owned());
        }
        schedule
    }

    fn burst(&mut self, every: Duration) -> Burst {
        let shots = u32::try_from(self.whole("schedule.burst", 1, BURST_MAX)).unwrap_or(1);
        let gap = self.duration("schedule.burst_gap", SECOND..=10 * MINUTE);
        if gap * (shots - shots.min(1)) > every / 2 {
            let message = "`schedule.burst` pictures `schedule.burst_gap` apart take more than \
                           half of `schedule.every`; take fewer, or closer to each other";
            self.complain("schedule.burst", message.to_owned());
        }
        Burst {
            shots,
            gap_ms: i64::try_from(gap.as_millis()).unwrap_or(i64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    fn read(text: &str) -> Result<Config, String> {
        let text = format!("[camera]\nkind = \"none\"\n{text}");
        Config::from_text("test", &text).map_err(|problems| problems.to_string())
    }

    #[test]
    fn windows_of_clock_and_sun_stand_side_by_side() {
        let text = "[schedule]\nwindows = [\"05:00..07:30\", \"sunset - 30m..sunrise+1h15m\"]\n";
        let schedule = read(text).unwrap().schedule;
        assert_eq!(
            schedule.windows_words(),
            "05:00..07:30, sunset-30m..sunrise+1h15m"
        );
        assert!(schedule.follows_the_sun() && schedule.place().is_none());
        let place = "[trap]\nlatitude = \"47.4\"\nlongitude = \"8.5\"\n";
        let schedule = read(&format!("{place}{text}")).unwrap().schedule;
        assert!(schedule.place().is_some());
    }

    #[test]
    fn a_burst_fits_into_half_an_interval() {
        let read = |text: &str| read(&format!("[schedule]\nevery = \"1m\"\n{text}"));
        assert_eq!(read("burst = 4\n").unwrap().schedule.burst().shots, 4);
        let why = read("burst = 5\n").unwrap_err();
        assert!(why.contains("take fewer"), "{why}");
        let why = read("burst = 0\n").unwrap_err();
        assert!(why.contains("1 to 20"), "{why}");
    }

    #[test]
    fn what_is_no_window_is_said_with_what_is_one() {
        for text in [
            "sunset",
            "sunset..sunset",
            "sunset-7h..sunrise",
            "dusk..dawn",
            "sunset*2..06:00",
        ] {
            let why = read(&format!("[schedule]\nwindows = [\"{text}\"]\n")).unwrap_err();
            assert!(why.contains("\"sunset-30m..sunrise\""), "{text}: {why}");
        }
    }
}
