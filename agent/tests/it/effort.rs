//! What becomes of slots that passed, and which one is next.

use trapline_agent::effort::{Account, Known, account};
use trapline_agent::schedule::{DAY_MS, Edge, Opening, Schedule, Slots, Window};
use trapline_agent::sun::{Crossing, Place};
use trapline_hal::{ClockQuality, Stamp};
use trapline_wire::v1::MissReason;

const MINUTE_MS: i64 = 60_000;
/// 2026-06-01T00:00:00Z.
const JUNE_MS: i64 = 1_780_272_000_000;

fn stamp(unix_ms: i64, uptime_ms: i64, quality: ClockQuality) -> Stamp {
    Stamp {
        unix_ms,
        quality,
        boot_id: "boot".to_owned(),
        uptime_ms: u64::try_from(uptime_ms).unwrap(),
    }
}

fn at(minutes: i64) -> i64 {
    JUNE_MS + minutes * MINUTE_MS
}

fn set_clock(minutes: i64) -> Stamp {
    stamp(at(minutes), minutes * MINUTE_MS, ClockQuality::Synced)
}

fn every_20_min() -> Schedule {
    Schedule::new(20 * MINUTE_MS, Vec::new(), 0)
}

fn check(known: Known<'_>, missed: Option<(i64, i64, u32, MissReason)>, due: i64) {
    let missed = missed.map(|(first, last, shots, reason)| {
        let slots = Slots {
            first_ms: first,
            last_ms: last,
            shots,
        };
        (slots, reason)
    });
    let due_ms = Some(due);
    assert_eq!(account(&every_20_min(), known), Account { missed, due_ms });
}

fn known<'a>(last: Option<i64>, before: Option<&'a Stamp>, now: &'a Stamp) -> Known<'a> {
    Known {
        last_due_ms: last,
        last_true_due_ms: last,
        before,
        now,
    }
}

#[test]
fn a_new_trap_takes_its_first_picture_at_once() {
    check(known(None, None, &set_clock(67)), None, at(60));
}

#[test]
fn after_a_shot_the_next_slot_is_awaited() {
    let before = set_clock(60);
    check(
        known(Some(at(60)), Some(&before), &set_clock(61)),
        None,
        at(80),
    );
}

#[test]
fn a_restart_within_the_interval_misses_nothing() {
    check(known(Some(at(60)), None, &set_clock(75)), None, at(80));
}

#[test]
fn slots_while_the_trap_was_off_are_missed_and_a_fresh_one_is_still_taken() {
    let missed = (at(80), at(120), 3, MissReason::Off);
    check(
        known(Some(at(60)), None, &set_clock(149)),
        Some(missed),
        at(140),
    );
    let with_the_stale_one = (at(80), at(140), 4, MissReason::Off);
    check(
        known(Some(at(60)), None, &set_clock(151)),
        Some(with_the_stale_one),
        at(160),
    );
}

#[test]
fn a_slow_shot_overruns_its_successors() {
    let before = set_clock(60);
    let missed = (at(80), at(80), 1, MissReason::Overrun);
    check(
        known(Some(at(60)), Some(&before), &set_clock(101)),
        Some(missed),
        at(100),
    );
}

#[test]
fn a_clock_set_forward_says_so() {
    let before = set_clock(60);
    let now = stamp(at(60 + 24 * 60), 61 * MINUTE_MS, ClockQuality::Synced);
    let missed = (at(80), at(60 + 24 * 60 - 20), 71, MissReason::Clock);
    check(
        known(Some(at(60)), Some(&before), &now),
        Some(missed),
        at(60 + 24 * 60),
    );
}

#[test]
fn a_clock_set_back_does_not_stop_the_trap() {
    let before = set_clock(600);
    let now = stamp(at(63), 601 * MINUTE_MS, ClockQuality::Synced);
    check(known(Some(at(600)), Some(&before), &now), None, at(60));
}

#[test]
fn a_clock_that_was_slewed_back_does_not_repeat_a_slot() {
    let before = set_clock(60);
    let now = stamp(at(60) - 500, 60 * MINUTE_MS + 100, ClockQuality::Synced);
    check(known(Some(at(60)), Some(&before), &now), None, at(80));
}

#[test]
fn without_the_time_pictures_are_taken_day_and_night_and_nothing_is_missed() {
    let daytime = Window {
        from_ms: 300 * MINUTE_MS,
        until_ms: 1320 * MINUTE_MS,
    };
    let schedule = Schedule::new(20 * MINUTE_MS, vec![daytime], 0);
    let now = stamp(61 * MINUTE_MS, 61 * MINUTE_MS, ClockQuality::Unset);
    let last = Some(at(600));
    let account = account(&schedule, known(last, None, &now));
    assert_eq!(account.missed, None);
    assert_eq!(account.due_ms, Some(60 * MINUTE_MS));
}

#[test]
fn hearing_the_time_settles_the_days_before_this_boot() {
    // The last true shot at 10:00; off until 12:30; up for 65 minutes without the time.
    let before = stamp(64 * MINUTE_MS, 64 * MINUTE_MS, ClockQuality::Unset);
    let now = stamp(at(815), 65 * MINUTE_MS, ClockQuality::Synced);
    let known = Known {
        last_due_ms: Some(60 * MINUTE_MS),
        last_true_due_ms: Some(at(600)),
        before: Some(&before),
        now: &now,
    };
    check(known, Some((at(620), at(740), 7, MissReason::Off)), at(800));
}

#[test]
fn a_slot_ends_once_when_the_time_is_heard_soon_after_a_cut() {
    let heard = |minutes: i64, last_true: i64| {
        let before = stamp(500, 500, ClockQuality::Unset);
        let now = stamp(at(minutes), MINUTE_MS, ClockQuality::Synced);
        let known = Known {
            last_due_ms: Some(0),
            last_true_due_ms: Some(at(last_true)),
            before: Some(&before),
            now: &now,
        };
        account(&every_20_min(), known)
    };
    // The slot of 10:00 was shot before the cut, and it is 10:03 now.
    let done = Account {
        missed: None,
        due_ms: Some(at(620)),
    };
    assert_eq!(heard(603, 600), done);
    // The slot of 10:20 came while the trap was off, and is taken now at 10:23.
    let taken = Account {
        missed: None,
        due_ms: Some(at(620)),
    };
    assert_eq!(heard(623, 600), taken);
}

#[test]
fn fifty_six_years_are_counted_at_once() {
    let schedule = Schedule::new(100, Vec::new(), 0);
    let now = stamp(JUNE_MS, 0, ClockQuality::Synced);
    let known = known(Some(JUNE_MS - 20_000 * DAY_MS), None, &now);
    let known = Known {
        last_true_due_ms: Some(JUNE_MS - 20_000 * DAY_MS),
        ..known
    };
    let (missed, _) = account(&schedule, known).missed.unwrap();
    assert_eq!(missed.shots, u32::MAX);
}

/// Off over a week around the equinox: each night has as many slots as it is long.
#[test]
fn shots_missed_over_unequal_nights_are_counted_by_each_night() {
    let opening = |crossing| Edge::Sun(crossing, 0);
    let night = Opening {
        from: opening(Crossing::Sunset),
        until: opening(Crossing::Sunrise),
    };
    let place = Place {
        latitude: 64.1,
        longitude: -21.9,
    };
    let schedule = Schedule::of(MINUTE_MS, vec![night], 0).at(Some(place));
    let equinox_ms = JUNE_MS + 113 * DAY_MS;
    let last = schedule.latest_due(equinox_ms);
    let now = stamp(equinox_ms + 7 * DAY_MS, 0, ClockQuality::Synced);
    let account = account(&schedule, known(last, None, &now));
    let (slots, reason) = account.missed.unwrap();
    let walked = schedule.dues(last.unwrap());
    let walked = walked.take_while(|due| *due <= slots.last_ms).count();
    assert_eq!(
        (usize::try_from(slots.shots).unwrap(), reason),
        (walked, MissReason::Off)
    );
    // The nights grow by six minutes each day there.
    let of_night = |day: i64| {
        let noon = equinox_ms + day * DAY_MS + DAY_MS / 2;
        schedule.slots(noon, noon + DAY_MS).unwrap().shots
    };
    let grown = of_night(6) - of_night(0);
    assert!((30..=45).contains(&grown), "{grown}");
}
