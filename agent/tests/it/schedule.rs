//! Slots: tables for the cases that people ask about, and laws for all others.

use proptest::prelude::*;
use trapline_agent::schedule::{DAY_MS, Schedule, Window};

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
        let until = from + minutes * MINUTE_MS;
        let mut walked = Vec::new();
        let mut at = from;
        while let Some(next) = schedule.next_due(at).filter(|next| *next <= until) {
            walked.push(next);
            at = next;
        }
        let counted = schedule.slots(from, until);
        let expected = walked.first().map(|first| (*first, at, walked.len()));
        let counted = counted.map(|s| (s.first_ms, s.last_ms, usize::try_from(s.shots).unwrap()));
        prop_assert_eq!(counted, expected);
    }
}
