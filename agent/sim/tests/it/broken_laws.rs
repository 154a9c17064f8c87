//! Each law catches a violation that is planted into the evidence of a good season.

use crate::seasons::play;
use std::sync::OnceLock;
use trapline_sim::evidence::TrapEvidence;
use trapline_sim::laws::{Law, judge};
use trapline_store::{PictureState, RecordState};
use trapline_wire::Sha256;
use trapline_wire::v1::{EffortOutcome, TrackEnd};

/// Two traps, two days.
fn good() -> &'static [TrapEvidence] {
    static GOOD: OnceLock<Vec<TrapEvidence>> = OnceLock::new();
    GOOD.get_or_init(|| play(2, 2, 3).evidence)
}

/// Plants a violation on the first trap and looks who finds it.
fn check(law: Law, plant: impl FnOnce(&mut TrapEvidence)) {
    let mut traps = good().to_vec();
    plant(traps.first_mut().expect("a trap"));
    let broken = judge(&traps);
    assert!(
        broken.iter().any(|broken| broken.law == law),
        "{law:?} does not see it; {} others do",
        broken.len()
    );
    assert!(broken.iter().all(|broken| broken.trap == "trap-01"));
}

#[test]
fn a_good_season_breaks_nothing() {
    assert_eq!(judge(good()), []);
}

#[test]
fn a_capture_that_is_gone_from_the_server() {
    check(Law::NothingLost, |trap| {
        drop(trap.server.captures.remove(5))
    });
}

#[test]
fn a_capture_that_is_on_the_server_twice() {
    check(Law::NothingLost, |trap| {
        let again = trap.server.captures[5].clone();
        trap.server.captures.push(again);
    });
}

#[test]
fn a_picture_with_another_byte() {
    check(Law::NothingLost, |trap| {
        let (id, (_, size_bytes)) = trap.server.pictures.iter().next().expect("a picture");
        let (id, other) = (*id, (Sha256::of(b"another"), *size_bytes));
        trap.server.pictures.insert(id, other);
    });
}

#[test]
fn a_waiting_picture_that_the_card_has_spoilt() {
    check(Law::NothingLost, |trap| {
        trap.captures[4].picture = PictureState::OnCard;
        let id = trap.captures[4].record.id;
        trap.card.insert(id, Err("it reads as zeros".to_owned()));
    });
}

#[test]
fn a_capture_that_no_trap_admitted() {
    check(Law::NothingInvented, |trap| drop(trap.captures.pop()));
}

#[test]
fn a_picture_that_no_camera_took() {
    check(Law::NothingInvented, |trap| {
        trap.captures[2].record.picture.sha256 = Sha256::of(b"a dream");
    });
}

#[test]
fn a_shot_that_nobody_answers_for() {
    check(Law::EveryShot, |trap| drop(trap.efforts.remove(9)));
}

#[test]
fn a_shot_that_ended_twice() {
    check(Law::EveryShot, |trap| {
        let again = trap.efforts[9].clone();
        trap.efforts.push(again);
    });
}

#[test]
fn a_span_that_counts_wrong() {
    check(Law::EveryShot, |trap| trap.efforts[3].record.shots += 1);
}

#[test]
fn a_last_shot_that_is_missing() {
    check(Law::EveryShot, |trap| drop(trap.efforts.pop()));
}

#[test]
fn a_done_shot_without_its_capture() {
    check(Law::EveryShot, |trap| {
        let done = |row: &&mut trapline_store::EffortRow| {
            matches!(row.record.outcome, EffortOutcome::Done { .. })
        };
        let mut rows = trap.efforts.iter_mut().filter(done);
        let (one, other) = (rows.next().expect("a shot"), rows.next().expect("another"));
        other.record.outcome = one.record.outcome.clone();
    });
}

#[test]
fn a_picture_removed_without_a_receipt() {
    check(Law::NoBlindDeletion, |trap| {
        trap.captures[1].picture = PictureState::Pruned;
        trap.captures[1].received_ms = None;
    });
}

#[test]
fn a_record_that_differs_on_the_server() {
    check(Law::Agreement, |trap| trap.server.efforts[7].shots += 1);
    check(Law::Agreement, |trap| drop(trap.server.readings.pop()));
    check(Law::Agreement, |trap| {
        trap.server.captures[3].inspections.clear()
    });
    check(Law::Agreement, |trap| {
        trap.readings[1].record_state = RecordState::Refused("conflict".to_owned());
    });
}

#[test]
fn a_number_that_is_left_out() {
    check(Law::NoGaps, |trap| drop(trap.readings.remove(3)));
}

#[test]
fn a_receipt_that_the_server_never_gave() {
    check(Law::TrueReceipts, |trap| {
        trap.captures[6].received_ms = trap.captures[6].received_ms.map(|ms| ms + 1);
    });
}

#[test]
fn a_record_that_never_gets_through() {
    check(Law::GetsThrough, |trap| {
        trap.efforts[2].record_state = RecordState::Waiting;
    });
}

#[test]
fn a_track_that_is_not_on_the_server() {
    check(Law::Agreement, |trap| drop(trap.server.tracks.remove(0)));
}

#[test]
fn a_track_that_the_server_tells_differently() {
    check(Law::Agreement, |trap| trap.server.tracks[0].track.seen += 1);
}

#[test]
fn a_track_that_nobody_followed() {
    check(Law::Agreement, |trap| drop(trap.tracks.remove(0)));
}

/// The detector of a season knows the truth, so its tracks are the insects.
#[test]
fn a_season_follows_its_insects() {
    for trap in good() {
        let confirmed = trap.tracks.iter().filter(|row| row.record.is_confirmed);
        assert!(confirmed.count() > 5, "{} followed nothing", trap.name);
        for row in &trap.tracks {
            let track = &row.record;
            assert!(track.end != Some(TrackEnd::Lost), "{} was lost", track.id);
        }
    }
}
