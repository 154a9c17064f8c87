//! The law of the sampling effort: nobody may ever wonder whether a trap saw
//! no insects or did not look.

use crate::evidence::TrapEvidence;
use std::collections::{BTreeMap, BTreeSet};
use trapline_agent::effort::is_true_time;
use trapline_agent::schedule::Schedule;
use trapline_wire::CaptureId;
use trapline_wire::v1::{EffortOutcome, EffortRecord};

/// Every planned shot ended exactly once.
pub(super) fn every_shot(trap: &TrapEvidence) -> Vec<String> {
    let mut found = Vec::new();
    let day_and_night = trap.schedule.day_and_night();
    let mut covered: BTreeMap<i64, u32> = BTreeMap::new();
    for row in &trap.efforts {
        let record = &row.record;
        let is_true = is_true_time(record.due_ms);
        let schedule = if is_true {
            &trap.schedule
        } else {
            &day_and_night
        };
        check_row(schedule, record, &mut found);
        if is_true {
            let last_ms = record.last_due_ms;
            let mut due_ms = schedule.next_due(record.due_ms - 1);
            while let Some(due) = due_ms.filter(|&due| due <= last_ms) {
                *covered.entry(due).or_default() += 1;
                due_ms = schedule.next_due(due);
            }
        }
    }
    for (due_ms, times) in covered.iter().filter(|(_, times)| **times > 1) {
        found.push(format!("the shot of {due_ms} ended {times} times"));
    }
    uncovered(trap, &covered, &mut found);
    one_shot_each(trap, &mut found);
    found
}

/// A row stands for as many slots as it says.
fn check_row(schedule: &Schedule, record: &EffortRecord, found: &mut Vec<String>) {
    let slots = schedule.slots(record.due_ms - 1, record.last_due_ms);
    let fits = slots.is_some_and(|slots| {
        slots.first_ms == record.due_ms
            && slots.last_ms == record.last_due_ms
            && slots.shots == record.shots
    });
    if !fits {
        found.push(format!(
            "effort {} says {} shots from {} to {}, the schedule has {slots:?}",
            record.id, record.shots, record.due_ms, record.last_due_ms
        ));
    }
}

/// Slots that nobody answers for, from the ledger's first shot on a set clock
/// until the trap was stopped, but for spans in which its clock knew nothing.
/// Slots before the first shot are nobody's fault: the trap may have been off.
fn uncovered(trap: &TrapEvidence, covered: &BTreeMap<i64, u32>, found: &mut Vec<String>) {
    let every_ms = trap.schedule.every_ms();
    let is_excused = |due_ms: i64| {
        trap.unset.iter().any(|span| {
            // A slot counts as seen up to half an interval late, so its span reaches over.
            (span.from_ms - every_ms..span.until_ms + every_ms).contains(&due_ms)
        })
    };
    let first_ms = covered.keys().next().copied().unwrap_or(i64::MIN);
    let from_ms = first_ms.max(trap.known_from_ms + every_ms / 2);
    let mut due_ms = trap.schedule.next_due(from_ms);
    while let Some(due) = due_ms.filter(|&due| due <= trap.ended_ms - every_ms / 4) {
        if !covered.contains_key(&due) && !is_excused(due) {
            found.push(format!("nobody answers for the shot of {due}"));
        }
        due_ms = trap.schedule.next_due(due);
    }
}

/// Each capture closes one shot, and each shot that is done has its capture.
fn one_shot_each(trap: &TrapEvidence, found: &mut Vec<String>) {
    let mut captures: BTreeSet<CaptureId> = trap.captures.iter().map(|row| row.record.id).collect();
    for row in &trap.efforts {
        if let EffortOutcome::Done { capture } = row.record.outcome
            && !captures.remove(&capture)
        {
            let id = row.record.id;
            found.push(format!(
                "effort {id} is done by {capture}, which is not there or taken"
            ));
        }
    }
    for id in captures {
        found.push(format!("no shot is done by capture {id}"));
    }
}
