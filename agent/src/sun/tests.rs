//! The sun against what almanacs print.

use super::*;
use jiff::Timestamp;

fn ms(utc: &str) -> i64 {
    let text = format!("{utc}:00Z");
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

/// Meeus, examples 25.a and 28.b: 1992 October 13 at 0h, δ = −7.785°, E = 13 min 42.7 s.
#[test]
fn the_worked_examples_of_the_book() {
    let sun = Sun::at(ms("1992-10-13T00:00"));
    let declination_deg = sun.declination_rad.to_degrees();
    assert!((declination_deg + 7.785).abs() < 0.001, "{declination_deg}");
    let seconds = sun.equation_of_time_min * 60.0;
    assert!((seconds - 822.7).abs() < 1.0, "{seconds}");
}

/// Published times are whole minutes of a city somewhere around these coordinates: two minutes.
#[test]
fn sunrise_and_sunset_of_almanacs() {
    let places = [
        // London, 51.5° N: the longest and the shortest day.
        (51.507, -0.128, "2024-06-20T03:43", "2024-06-20T20:21"),
        (51.507, -0.128, "2024-12-21T08:04", "2024-12-21T15:53"),
        // New York, 40.7° N: an equinox and the shortest day.
        (40.713, -74.006, "2024-03-20T10:59", "2024-03-20T23:08"),
        (40.713, -74.006, "2024-12-21T12:17", "2024-12-21T21:32"),
        // 40° N 105° W, the place that NOAA's own sheet comes with: 05:32 and 20:32 at UTC−6.
        (40.0, -105.0, "2010-06-21T11:32", "2010-06-22T02:32"),
        // Quito, on the equator.
        (-0.18, -78.47, "2024-03-20T11:18", "2024-03-20T23:24"),
        // Sydney, 33.9° S, on its longest day, whose sunrise is the evening before in UTC.
        (-33.869, 151.209, "2024-12-20T18:41", "2024-12-21T09:05"),
        // Reykjavik, 64.1° N: in June the sun sets after midnight.
        (64.147, -21.943, "2024-06-21T02:55", "2024-06-22T00:03"),
        (64.147, -21.943, "2024-12-21T11:22", "2024-12-21T15:29"),
    ];
    for (latitude, longitude, rises, sets) in places {
        let place = Place {
            latitude,
            longitude,
        };
        let day = place.day_of(ms(rises));
        for (crossing, expected) in [(Crossing::Sunrise, rises), (Crossing::Sunset, sets)] {
            let off_ms = place.crossing_ms(day, crossing) - ms(expected);
            assert!(
                off_ms.abs() <= 2 * MINUTE_MS,
                "{latitude} {longitude} {crossing:?} {expected}: {} min off",
                off_ms / MINUTE_MS
            );
        }
    }
}

/// Tromsø: the sun does not set from about 20 May to 22 July, nor rise from about 28 November
/// to 14 January; mountains and the air move these dates by a day or two.
#[test]
fn beyond_the_polar_circle_days_and_nights_do_not_end() {
    let place = Place {
        latitude: 69.649,
        longitude: 18.955,
    };
    let kind = |date: &str| place.daylight(place.day_of(ms(&format!("{date}T12:00"))));
    for (date, expected) in [
        ("2024-05-15", Daylight::DayAndNight),
        ("2024-05-23", Daylight::PolarDay),
        ("2024-07-20", Daylight::PolarDay),
        ("2024-07-30", Daylight::DayAndNight),
        ("2024-11-22", Daylight::DayAndNight),
        ("2024-12-02", Daylight::PolarNight),
        ("2025-01-10", Daylight::PolarNight),
        ("2025-01-20", Daylight::DayAndNight),
    ] {
        assert_eq!(kind(date), expected, "{date}");
    }
}

/// Into the polar day and out of it the crossings go without a leap.
#[test]
fn the_night_shrinks_to_the_midnight_of_the_sun() {
    let place = Place {
        latitude: 69.649,
        longitude: 18.955,
    };
    let june = place.day_of(ms("2024-06-21T12:00"));
    let sets = place.crossing_ms(june, Crossing::Sunset);
    let rises = place.crossing_ms(june + 1, Crossing::Sunrise);
    assert!((rises - sets).abs() <= MINUTE_MS, "{sets} {rises}");
    let off_ms = sets - ms("2024-06-21T22:46");
    assert!(off_ms.abs() <= 2 * MINUTE_MS, "{off_ms}");
    let december = place.day_of(ms("2024-12-21T12:00"));
    let sets = place.crossing_ms(december, Crossing::Sunset);
    assert_eq!(place.crossing_ms(december, Crossing::Sunrise), sets);
    for day in june - 60..june + 60 {
        let of = |day| place.crossing_ms(day, Crossing::Sunset);
        assert!(
            (of(day + 1) - of(day) - DAY_MS).abs() < 60 * MINUTE_MS,
            "{day}"
        );
    }
}

#[test]
fn the_poles_have_a_sun_too() {
    for latitude in [90.0, -90.0] {
        let pole = Place {
            latitude,
            longitude: 0.0,
        };
        let june = pole.daylight(pole.day_of(ms("2024-06-21T12:00")));
        let expected = if latitude > 0.0 {
            Daylight::PolarDay
        } else {
            Daylight::PolarNight
        };
        assert_eq!(june, expected);
    }
}
