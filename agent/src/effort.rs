//! The sampling effort: every planned shot ends as done or missed, with the
//! reason. Pure: what the ledger knows and what the clock says go in, the
//! slots that were missed and the next one come out.

use crate::schedule::{Schedule, Slots};
use trapline_hal::{ClockQuality, Stamp};
use trapline_wire::v1::MissReason;

/// 2024-01-01: a due time before it was planned on a clock that was never set.
const EARLIEST_TRUE_MS: i64 = 1_704_067_200_000;
/// A clock that gains less than this against the uptime is being slewed, not set.
const JUMP_MIN_MS: i64 = 1_000;

/// What is known when the next shot is planned.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// When the last shot in the ledger was due.
    pub last_due_ms: Option<i64>,
    /// When the last shot that was planned on a set clock was due.
    pub last_true_due_ms: Option<i64>,
    /// The stamp of the look before this one; `None` at the first look after a start.
    pub before: Option<&'a Stamp>,
    /// The time now.
    pub now: &'a Stamp,
}

/// What is to be written down and what is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// Slots that passed without a shot.
    pub missed: Option<(Slots, MissReason)>,
    /// The slot to shoot for: now if it is not in the future. `None`: no slot ever.
    pub due_ms: Option<i64>,
}

/// Settles what happened since the last shot and finds the next slot.
///
/// A slot is still taken up to half an interval late, half a gap within a burst. Slots before the
/// ledger's first shot are nobody's fault, and neither are slots that lie
/// between two beliefs of a clock that was never set.
#[must_use]
pub fn account(schedule: &Schedule, known: Known<'_>) -> Account {
    let now_ms = known.now.unix_ms;
    let is_unset = known.now.quality == ClockQuality::Unset;
    let whole_day;
    let schedule = if is_unset {
        whole_day = schedule.day_and_night();
        &whole_day
    } else {
        schedule
    };
    let late_max_ms = schedule.late_max_ms();
    let found_its_time = !is_unset && known.last_due_ms.is_some_and(|due| due < EARLIEST_TRUE_MS);
    let base_ms = known.last_due_ms.filter(|&due| {
        let lies_ahead = due > now_ms.saturating_add(schedule.every_ms());
        !lies_ahead && !found_its_time
    });
    let latest_ms = schedule.latest_due(now_ms);
    let is_in_time = |due: i64| now_ms - due <= late_max_ms;
    let Some(base_ms) = base_ms else {
        // Whoever sets up a trap wants to see it take a picture at once.
        let is_recent = |due: &i64| now_ms - due < schedule.every_ms();
        // The clock may find its time in a slot that was shot before the trap was off.
        let is_over =
            |due: i64| found_its_time && known.last_true_due_ms.is_some_and(|last| due <= last);
        let due_ms = latest_ms
            .filter(is_recent)
            .filter(|&due| !is_over(due))
            .or_else(|| schedule.next_due(now_ms));
        let missed = found_its_time.then(|| off_before_this_boot(schedule, &known, due_ms));
        return Account {
            missed: missed.flatten(),
            due_ms,
        };
    };
    let reason = reason_of_gap(&known);
    let of_reason = |slots: Slots| (slots, reason);
    match latest_ms.filter(|&due| due > base_ms) {
        None => Account {
            missed: None,
            due_ms: schedule.next_due(base_ms.max(now_ms)),
        },
        Some(due) if is_in_time(due) => Account {
            missed: schedule.slots(base_ms, due - 1).map(of_reason),
            due_ms: Some(due),
        },
        Some(_) => Account {
            missed: schedule.slots(base_ms, now_ms).map(of_reason),
            due_ms: schedule.next_due(now_ms),
        },
    }
}

/// The slots between the last shot on a set clock and this boot, which went by
/// while the trap was off or did not know the time; not the one that is shot for now.
fn off_before_this_boot(
    schedule: &Schedule,
    known: &Known<'_>,
    due_ms: Option<i64>,
) -> Option<(Slots, MissReason)> {
    let uptime_ms = i64::try_from(known.now.uptime_ms).unwrap_or(i64::MAX);
    let booted_ms = known.now.unix_ms.saturating_sub(uptime_ms);
    let until_ms = due_ms.map_or(booted_ms, |due| booted_ms.min(due - 1));
    let slots = schedule.slots(known.last_true_due_ms?, until_ms)?;
    Some((slots, MissReason::Off))
}

fn reason_of_gap(known: &Known<'_>) -> MissReason {
    let Some(before) = known.before else {
        return MissReason::Off;
    };
    let ran_ms = known.now.uptime_ms.saturating_sub(before.uptime_ms);
    let believed_ms = known.now.unix_ms.saturating_sub(before.unix_ms);
    let jump_ms = believed_ms.saturating_sub(i64::try_from(ran_ms).unwrap_or(i64::MAX));
    if jump_ms >= JUMP_MIN_MS && jump_ms >= believed_ms / 2 {
        MissReason::Clock
    } else {
        MissReason::Overrun
    }
}

/// Whether a due time was planned on a clock that knew the time.
#[must_use]
pub fn is_true_time(due_ms: i64) -> bool {
    due_ms >= EARLIEST_TRUE_MS
}
