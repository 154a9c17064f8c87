//! Slots: tables for the cases that people ask about, and laws for all others.

use proptest::prelude::*;
use trapline_agent::schedule::{Burst, DAY_MS, Edge, Opening, Schedule, Window};
use trapline_agent::sun::{Crossing, Place};

const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;
/// 2026-06-01T00:00:00Z.
const JUNE_MS: i64 = 1_780_272_000_000;

fn window(from_hour: i64, until_hour: i64) -> Window {
    Window {
        from_ms: from_hour * HOUR_MS,
        until_ms: until_hour * HOUR_MS,
    }
}

/// `from` and the result in minutes after midnight of the first of June.
fn check_next(schedule: &Schedule, from_minutes: i64, expected_minutes: i64) {
    let next = schedule.next_due(JUNE_MS + from_minutes * MINUTE_MS);
    let minutes = next.map(|due| (due - JUNE_MS) / MINUTE_MS);
    assert_eq!(minutes, Some(expected_minutes), "after {from_minutes} min");
}

#[test]
fn slots_lie_on_whole_multiples_from_midnight() {
    let schedule = Schedule::new(20 * MINUTE_MS, Vec::new(), 0);
    check_next(&schedule, 0, 20);
    check_next(&schedule, 7, 20);
    check_next(&schedule, 19, 20);
    check_next(&schedule, 24 * 60 - 1, 24 * 60);
    let odd = Schedule::new(7 * HOUR_MS, Vec::new(), 0);
    check_next(&odd, 21 * 60, 24 * 60);
}

#[test]
fn windows_begin_inside_and_end_outside() {
    let schedule = Schedule::new(20 * MINUTE_MS, vec![window(5, 22)], 0);
    check_next(&schedule, 0, 5 * 60);
    check_next(&schedule, 5 * 60, 5 * 60 + 20);
    check_next(&schedule, 21 * 60 + 40, 24 * 60 + 5 * 60);
    let night = Schedule::new(60 * MINUTE_MS, vec![window(22, 4)], 0);
    check_next(&night, 12 * 60, 22 * 60);
    check_next(&night, 23 * 60 + 30, 24 * 60);
    check_next(&night, 3 * 60, 22 * 60);
}

#[test]
fn windows_are_in_local_time() {
    let schedule = Schedule::new(60 * MINUTE_MS, vec![window(5, 22)], 2 * HOUR_MS);
    check_next(&schedule, 0, 3 * 60);
    let half_hour = Schedule::new(60 * MINUTE_MS, Vec::new(), 5 * HOUR_MS + HOUR_MS / 2);
    check_next(&half_hour, 0, 30);
}

#[test]
fn a_window_without_a_slot_plans_nothing() {
    let ten_past = Window {
        from_ms: 10 * MINUTE_MS,
        until_ms: 50 * MINUTE_MS,
    };
    let schedule = Schedule::new(HOUR_MS, vec![ten_past], 0);
    assert_eq!(schedule.next_due(JUNE_MS), None);
    assert_eq!(schedule.latest_due(JUNE_MS), None);
    assert_eq!(schedule.slots(JUNE_MS, JUNE_MS + DAY_MS), None);
}

const WAGENINGEN: Place = Place {
    latitude: 51.97,
    longitude: 5.67,
};
const TROMSO: Place = Place {
    latitude: 69.649,
    longitude: 18.955,
};
const SYDNEY: Place = Place {
    latitude: -33.869,
    longitude: 151.209,
};

fn by_sun(text: &str, every_ms: i64, offset_hours: i64) -> Schedule {
    let settings = format!("[camera]\nkind = \"none\"\n[schedule]\nwindows = [{text}]\n");
    let config = trapline_agent::config::Config::from_text("test", &settings).unwrap();
    let openings = config.schedule.openings().to_vec();
    Schedule::of(every_ms, openings, offset_hours * HOUR_MS)
}

/// The first and the last picture of the 24 hours after noon UTC, as `HH:MM` UTC, and how many.
fn check_night(schedule: &Schedule, date: &str, expected: (&str, &str, u32)) {
    let noon: jiff::Timestamp = format!("{date}T12:00:00Z").parse().unwrap();
    let noon_ms = noon.as_millisecond();
    let slots = schedule.slots(noon_ms - 1, noon_ms + DAY_MS - 1).unwrap();
    let clock = |ms: i64| {
        let minutes = ms.rem_euclid(DAY_MS) / MINUTE_MS;
        format!("{:02}:{:02}", minutes / 60, minutes % 60)
    };
    let found = (clock(slots.first_ms), clock(slots.last_ms), slots.shots);
    let (first, last, shots) = expected;
    assert_eq!(found, (first.to_owned(), last.to_owned(), shots), "{date}");
}

/// Sunset 20:01 and sunrise 03:17 UTC in June, 15:29 and 07:45 in December.
#[test]
fn a_night_by_the_sun_is_as_long_as_the_night() {
    let night = by_sun("\"sunset-30m..sunrise\"", 20 * MINUTE_MS, 2).at(Some(WAGENINGEN));
    check_night(&night, "2026-06-21", ("19:40", "03:00", 23));
    check_night(&night, "2026-12-21", ("15:00", "07:40", 51));
    let far = by_sun("\"sunset..sunrise\"", HOUR_MS, 0).at(Some(SYDNEY));
    // In June the sun sets there at 06:54 and rises at 20:52 UTC: a night within one day of UTC.
    check_next(&far, 0, 7 * 60);
    check_next(&far, 19 * 60 + 30, 20 * 60);
    check_next(&far, 20 * 60, 24 * 60 + 7 * 60);
}

#[test]
fn windows_of_clock_and_sun_add_up() {
    let both = "\"12:00..13:00\", \"sunset..sunset+1h\", \"sunset+30m..23:00\"";
    let both = by_sun(both, 20 * MINUTE_MS, 0).at(Some(WAGENINGEN));
    check_night(&both, "2026-06-21", ("12:00", "22:40", 3 + 8));
    // It stays closed on the days on which it would end before it begins.
    let early = by_sun("\"sunset..19:00\", \"12:00..13:00\"", 20 * MINUTE_MS, 0);
    let early = early.at(Some(WAGENINGEN));
    check_night(&early, "2026-06-21", ("12:00", "12:40", 3));
    check_night(&early, "2026-12-21", ("12:00", "18:40", 3 + 10));
    let morning = by_sun("\"05:00..sunrise\"", 20 * MINUTE_MS, 0).at(Some(WAGENINGEN));
    check_night(&morning, "2026-12-21", ("05:00", "07:40", 9));
}

#[test]
fn in_a_polar_day_the_night_is_the_midnight_of_the_sun() {
    let night = by_sun("\"sunset-30m..sunrise\"", 10 * MINUTE_MS, 2).at(Some(TROMSO));
    // The sun's midnight is at 22:46 UTC.
    check_night(&night, "2026-06-21", ("22:20", "22:40", 3));
    // And in the polar night it is night all day, but no day.
    check_night(&night, "2026-12-21", ("12:00", "11:50", 144));
    let day = by_sun("\"sunrise..sunset\"", 10 * MINUTE_MS, 1).at(Some(TROMSO));
    let at = |date: &str| {
        let noon: jiff::Timestamp = format!("{date}T12:00:00Z").parse().unwrap();
        noon.as_millisecond()
    };
    let december = at("2026-12-21");
    let why = day.trouble(december).unwrap();
    assert!(
        why.starts_with("the sun does not rise here these days"),
        "{why}"
    );
    assert!(why.contains("no picture is due before 1"), "{why}");
    let next = day.next_due(december).unwrap();
    assert!(next > at("2027-01-12") && next < at("2027-01-18"), "{next}");
    let last = day.latest_due(december).unwrap();
    assert!(last > at("2026-11-24") && last < at("2026-11-30"), "{last}");
    assert_eq!(day.trouble(at("2026-09-21")), None);
    let why = night.trouble(at("2026-06-21")).unwrap();
    assert!(
        why.contains("does not set") && why.contains("still due"),
        "{why}"
    );
}

#[test]
fn without_a_place_windows_of_the_sun_are_open_day_and_night() {
    let night = by_sun("\"sunset..sunrise\"", 20 * MINUTE_MS, 0);
    check_night(&night, "2026-06-21", ("12:00", "11:40", 72));
    let why = night.trouble(JUNE_MS).unwrap();
    assert!(
        why.contains("day and night") && why.contains("trap.latitude"),
        "{why}"
    );
    assert_eq!(
        Schedule::new(HOUR_MS, vec![window(5, 22)], 0).trouble(JUNE_MS),
        None
    );
}

#[test]
fn a_burst_follows_its_slot() {
    let burst = Burst {
        shots: 3,
        gap_ms: 10_000,
    };
    let schedule = Schedule::new(20 * MINUTE_MS, vec![window(5, 22)], 0).in_bursts(burst);
    let dues: Vec<i64> = schedule
        .dues(JUNE_MS)
        .take(4)
        .map(|due| due - JUNE_MS)
        .collect();
    let five = 5 * HOUR_MS;
    assert_eq!(
        dues,
        [five, five + 10_000, five + 20_000, five + 20 * MINUTE_MS]
    );
    let slots = schedule.slots(JUNE_MS, JUNE_MS + DAY_MS).unwrap();
    assert_eq!(slots.shots, 17 * 3 * 3);
    assert_eq!(
        slots.last_ms - JUNE_MS,
        21 * HOUR_MS + 40 * MINUTE_MS + 20_000
    );
    assert_eq!(schedule.late_max_ms(), 5_000);
}

#[test]
fn ten_years_of_unequal_nights_are_counted() {
    let night = by_sun("\"sunset..sunrise\"", 20 * MINUTE_MS, 0).at(Some(WAGENINGEN));
    let until = JUNE_MS + 3_653 * DAY_MS;
    let shots = night.slots(JUNE_MS, until).unwrap().shots;
    let per_night = f64::from(shots) / 3_653.0;
    // A night at an equinox has twelve hours less the minutes of refraction.
    assert!((35.0..36.0).contains(&per_night), "{per_night}");
}

fn any_edge() -> impl Strategy<Value = Edge> {
    prop_oneof![
        (0..24 * 60_i64).prop_map(|minute| Edge::Clock(minute * MINUTE_MS)),
        (any::<bool>(), -360..=360_i64).prop_map(|(is_rise, minutes)| {
            let crossing = if is_rise {
                Crossing::Sunrise
            } else {
                Crossing::Sunset
            };
            Edge::Sun(crossing, minutes * MINUTE_MS)
        }),
    ]
}

/// Schedules by the sun anywhere on earth, some in bursts.
fn any_sunny() -> impl Strategy<Value = Schedule> {
    let windows = prop::collection::vec((any_edge(), any_edge()), 1..4);
    let place = (-90.0..=90.0_f64, -180.0..=180.0_f64);
    let burst = (1..5_u32, 1_000..100_000_i64);
    (5..600_i64, windows, -14..=14_i64, place, burst).prop_map(
        |(every, windows, offset, (latitude, longitude), (shots, gap_ms))| {
            let windows = windows.into_iter().filter(|(from, until)| from != until);
            let windows = windows.map(|(from, until)| Opening { from, until });
            let place = Place {
                latitude,
                longitude,
            };
            Schedule::of(every * MINUTE_MS, windows.collect(), offset * HOUR_MS)
                .at(Some(place))
                .in_bursts(Burst { shots, gap_ms })
        },
    )
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    let minute = 0..24 * 60_i64;
    let windows = prop::collection::vec((minute.clone(), minute), 0..4);
    (1..1440_i64, windows, -14..=14_i64).prop_map(|(every, windows, offset)| {
        let windows = windows.into_iter().filter(|(from, until)| from != until);
        let windows = windows.map(|(from, until)| Window {
            from_ms: from * MINUTE_MS,
            until_ms: until * MINUTE_MS,
        });
        Schedule::new(every * MINUTE_MS, windows.collect(), offset * HOUR_MS)
    })
}

proptest! {
    #[test]
    fn the_next_slot_is_after_and_the_latest_is_not(
        schedule in any_schedule(),
        at in JUNE_MS..JUNE_MS + 3 * DAY_MS,
    ) {
        if let Some(next) = schedule.next_due(at) {
            prop_assert!(next > at && next <= at + 2 * DAY_MS);
            prop_assert_eq!(schedule.latest_due(next), Some(next));
            prop_assert_eq!(schedule.next_due(next - 1), Some(next));
            let latest = schedule.latest_due(at).expect("slots return every day");
            prop_assert!(latest <= at);
            prop_assert_eq!(schedule.next_due(latest), Some(next));
        }
    }

    #[test]
    fn counting_slots_is_walking_them(
        schedule in any_schedule(),
        from in JUNE_MS..JUNE_MS + DAY_MS,
        minutes in 0..4000_i64,
    ) {
        counts_as_it_walks(&schedule, from, from + minutes * MINUTE_MS)?;
    }

    #[test]
    fn so_it_is_by_the_sun(
        schedule in any_sunny(),
        from in JUNE_MS..JUNE_MS + 366 * DAY_MS,
        minutes in 0..8000_i64,
    ) {
        counts_as_it_walks(&schedule, from, from + minutes * MINUTE_MS)?;
        if let Some(next) = schedule.next_due(from) {
            prop_assert!(next > from);
            prop_assert_eq!(schedule.latest_due(next), Some(next));
            prop_assert_eq!(schedule.next_due(next - 1), Some(next));
            if let Some(latest) = schedule.latest_due(from) {
                prop_assert!(latest <= from);
                prop_assert_eq!(schedule.next_due(latest), Some(next));
            }
        }
    }

    /// However a span is cut, its parts have as many shots as the whole.
    #[test]
    fn missed_shots_add_up(
        schedule in any_sunny(),
        from in JUNE_MS..JUNE_MS + 366 * DAY_MS,
        (first, second) in (0..20_000_i64, 0..20_000_i64),
    ) {
        let middle = from + first * MINUTE_MS;
        let until = middle + second * MINUTE_MS;
        let shots = |from, until| schedule.slots(from, until).map_or(0, |slots| slots.shots);
        prop_assert_eq!(shots(from, until), shots(from, middle) + shots(middle, until));
    }
}

fn counts_as_it_walks(schedule: &Schedule, from: i64, until: i64) -> Result<(), TestCaseError> {
    let walked: Vec<i64> = schedule
        .dues(from)
        .take_while(|due| *due <= until)
        .collect();
    let mut at = from;
    for due in &walked {
        prop_assert_eq!(schedule.next_due(at), Some(*due));
        at = *due;
    }
    let counted = schedule.slots(from, until);
    let expected = walked.first().map(|first| (*first, at, walked.len()));
    let counted = counted.map(|s| (s.first_ms, s.last_ms, usize::try_from(s.shots).unwrap()));
    prop_assert_eq!(counted, expected);
    Ok(())
}
