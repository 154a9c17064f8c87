//! Small seasons keep every law, and give the same trace again.

use trapline_sim::evidence::TrapEvidence;
use trapline_sim::season::{self, Plan, Season};
use trapline_sim::trace::first_difference;
use trapline_wire::v1::{EffortOutcome, MissReason};

/// A season in a folder of its own.
pub(crate) fn play(traps: u32, days: u32, seed: u64) -> Season {
    let folder = tempfile::tempdir().expect("a folder");
    let mut plan = Plan::new(traps, days, seed);
    // More of everything than in a month, so that a few days meet it all.
    plan.trouble.power.every_hours = 7.0;
    plan.trouble.radio.every_hours = 8.0;
    plan.restarts.every_hours = 12.0;
    season::run(&plan, folder.path(), &mut |_| {}).expect("the season can be run")
}

fn keeps_all_laws(season: &Season) {
    let shown: Vec<String> = season
        .broken
        .iter()
        .take(20)
        .map(ToString::to_string)
        .collect();
    assert!(shown.is_empty(), "{}", shown.join("\n"));
}

#[test]
fn three_traps_for_three_days_keep_all_laws_and_repeat() {
    let first = play(3, 3, 7);
    keeps_all_laws(&first);
    assert!(first.captures > 300, "{}", first.captures);
    let counts = &first.counts;
    for (what, count) in [
        ("power cuts", counts.power_cuts()),
        ("cuts at an await", counts.cuts_at_await),
        ("cuts at the card", counts.cuts_at_disk),
        ("lost requests", counts.lost_requests),
        ("lost answers", counts.lost_answers),
        ("cut bodies", counts.cut_bodies),
        ("server restarts", counts.server_restarts),
    ] {
        assert!(count > 0, "a season without {what} proves nothing");
    }
    let second = play(3, 3, 7);
    assert_eq!(first_difference(&first.trace, &second.trace), None);
    assert_eq!(first.digest, second.digest);
}

#[test]
fn a_trap_whose_card_fills_up_in_a_silent_valley_keeps_all_laws() {
    let season = play(4, 3, 21);
    keeps_all_laws(&season);
}

/// Shots that a trap missed because its battery was too low.
fn refused(trap: &TrapEvidence) -> u32 {
    let missed = trap.efforts.iter().map(|row| &row.record);
    missed
        .filter(|record| {
            let reason = MissReason::Battery;
            matches!(&record.outcome, EffortOutcome::Missed { reason: found, .. } if *found == reason)
        })
        .map(|record| record.shots)
        .sum()
}

#[test]
fn a_battery_that_sinks_in_the_shade_misses_shots_and_says_why() {
    let season = play(3, 6, 7);
    keeps_all_laws(&season);
    let of_each: Vec<u32> = season.evidence.iter().map(refused).collect();
    assert!(of_each[2] > 20, "{of_each:?}: the third hangs in the shade");
    assert_eq!(of_each[..2], [0, 0], "the others have sun");
    assert_eq!(
        season.missed.get(&MissReason::Battery).copied(),
        Some(u64::from(of_each[2]))
    );
}
