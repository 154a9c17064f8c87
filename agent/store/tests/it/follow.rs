//! Insects over pictures: told when it matters, counted once, never mixed up.

use crate::trap::{Trap, detection, following, jpeg, new_capture, new_inspection, stamp};
use std::sync::Arc;
use trapline_store::{BatchLimits, Following, Found, Ledger, RecordState, StoreError, View};
use trapline_wire::arrivals::Count;
use trapline_wire::v1::{
    CardSeen, InspectionOutcome, LookFacts, MissReason, RecordKind, Refusal, RefusalReason,
    TrackEnd, TrackOrigin, TrackRecord,
};
use trapline_wire::{CaptureId, TrackId};

fn opened() -> (Trap, Ledger) {
    let mut trap = Trap::new();
    let ledger = trap.open().unwrap().0;
    (trap, ledger)
}

fn shoot(ledger: &mut Ledger, minute: i64) -> CaptureId {
    let planned = ledger
        .open_shot(stamp(minute).unix_ms, &stamp(minute))
        .unwrap();
    let bytes = jpeg(minute.unsigned_abs());
    ledger.admit(planned, new_capture(minute), &bytes).unwrap()
}

fn facts(is_poor: bool) -> LookFacts {
    LookFacts {
        tiles: 4,
        tiles_run: 1,
        whole: None,
        is_half: false,
        shift_x_px: None,
        shift_y_px: None,
        card: CardSeen::Same,
        sharpness: 1.0,
        mean_luma: 100.0,
        clipped_share: 0.0,
        is_poor,
    }
}

/// A picture that the follower makes `following` of.
fn look(
    ledger: &mut Ledger,
    minute: i64,
    following: Following,
    is_poor: bool,
) -> Result<CaptureId, StoreError> {
    let capture = shoot(ledger, minute);
    let fresh = ledger.next_fresh(3)?.unwrap();
    let mut found = Found::boxes(vec![detection(0.9)]);
    found.detections[0].track = following.tracks.first().map(|track| track.number);
    found.following = Some(following);
    found.look = Some(facts(is_poor));
    ledger.record_detections(fresh, &new_inspection(minute), found)?;
    Ok(capture)
}

fn tracks(ledger: &Ledger) -> Vec<TrackRecord> {
    let rows = ledger.tracks(None, 1000).unwrap();
    rows.into_iter().map(|row| row.record).collect()
}

#[test]
fn a_track_is_told_when_it_matters() {
    let (_trap, mut ledger) = opened();
    let mut revisions = Vec::new();
    for frame in 0..9 {
        look(
            &mut ledger,
            i64::try_from(frame).unwrap(),
            following(frame, 1),
            false,
        )
        .unwrap();
        let track = tracks(&ledger).remove(0);
        revisions.push((track.revision, track.seen));
    }
    // New; confirmed and seen twice; four times; eight times.
    let expected = [1, 2, 2, 3, 3, 3, 3, 4, 4];
    assert_eq!(
        revisions.iter().map(|(r, _)| *r).collect::<Vec<_>>(),
        expected
    );
    let mut gone = following(9, 1);
    gone.tracks[0].end = Some(TrackEnd::Gone);
    look(&mut ledger, 9, gone, false).unwrap();
    let track = tracks(&ledger).remove(0);
    assert_eq!((track.revision, track.seen), (5, 10));
    assert_eq!(track.end, Some(TrackEnd::Gone));
    assert_eq!((track.first.seq, track.last.seq), (1, 10));
    // What is back is told again.
    look(&mut ledger, 10, following(10, 1), false).unwrap();
    assert_eq!(tracks(&ledger)[0].end, None);
    assert_eq!(ledger.track(track.id).unwrap().unwrap().revision, 6);
}

#[test]
fn a_reply_to_an_older_revision_does_not_count() {
    let (_trap, mut ledger) = opened();
    look(&mut ledger, 0, following(0, 1), false).unwrap();
    let sent = ledger.outgoing(BatchLimits::default()).unwrap();
    assert_eq!(sent.batch().tracks[0].revision, 1);
    look(&mut ledger, 1, following(1, 1), false).unwrap();
    ledger.mark_records_stored(&sent, &[]).unwrap();
    let row = ledger.tracks(None, 1).unwrap().remove(0);
    assert_eq!(
        (row.record.revision, row.record_state),
        (2, RecordState::Waiting)
    );
    let sent = ledger.outgoing(BatchLimits::default()).unwrap();
    assert_eq!(sent.batch().tracks, [row.record]);
    ledger.mark_records_stored(&sent, &[]).unwrap();
    assert!(ledger.outgoing(BatchLimits::default()).unwrap().is_empty());
}

#[test]
fn a_track_waits_for_all_its_captures() {
    let (_trap, mut ledger) = opened();
    for frame in 0..3 {
        look(
            &mut ledger,
            i64::try_from(frame).unwrap(),
            following(frame, 1),
            false,
        )
        .unwrap();
    }
    let one = BatchLimits {
        records_max: 1,
        ..BatchLimits::default()
    };
    let mut batches = 0;
    loop {
        let sent = ledger.outgoing(one).unwrap();
        if !sent.batch().tracks.is_empty() {
            assert_eq!(sent.batch().captures.first().map(|c| c.id.seq), Some(1));
        }
        if sent.is_empty() {
            break;
        }
        batches += 1;
        ledger.mark_records_stored(&sent, &[]).unwrap();
    }
    assert_eq!(batches, 3);
}

#[test]
fn a_track_of_a_refused_capture_is_not_sent() {
    let (_trap, mut ledger) = opened();
    let capture = look(&mut ledger, 0, following(0, 1), false).unwrap();
    let sent = ledger.outgoing(BatchLimits::default()).unwrap();
    let refusal = Refusal {
        id: capture.to_string(),
        kind: RecordKind::Capture,
        reason: RefusalReason::Conflict,
        message: "known with another content".to_owned(),
    };
    ledger.mark_records_stored(&sent, &[refusal]).unwrap();
    let state = |ledger: &Ledger| ledger.tracks(None, 1).unwrap().remove(0).record_state;
    assert!(matches!(state(&ledger), RecordState::Refused(_)));
    look(&mut ledger, 1, following(1, 1), false).unwrap();
    assert!(matches!(state(&ledger), RecordState::Refused(_)));
    assert!(
        ledger
            .outgoing(BatchLimits::default())
            .unwrap()
            .batch()
            .tracks
            .is_empty()
    );
}

#[test]
fn a_picture_that_was_followed_past_counts_no_second_time() {
    let (_trap, mut ledger) = opened();
    look(&mut ledger, 0, following(0, 1), false).unwrap();
    let older = shoot(&mut ledger, 1);
    let older_fresh = ledger.next_fresh(3).unwrap().unwrap();
    assert_eq!(older_fresh.capture(), older);
    let followed = ledger.followed().unwrap().unwrap();
    assert_eq!(followed.capture.seq, 1);
    assert_eq!(followed.state, 0_u64.to_le_bytes());
    assert_eq!(followed.of_card, 1_u64.to_le_bytes());
    // The same picture again, as a re-inspection would be.
    let again = Found {
        following: Some(following(1, 1)),
        ..Found::default()
    };
    ledger
        .record_detections(older_fresh, &new_inspection(1), again)
        .unwrap();
    let before = tracks(&ledger);
    let next = shoot(&mut ledger, 2);
    let fresh = ledger.next_fresh(3).unwrap().unwrap();
    assert_eq!(fresh.capture(), next);
    // A look without following leaves tracks and follower as they are.
    ledger
        .record_detections(
            fresh,
            &new_inspection(2),
            Found::boxes(vec![detection(0.9)]),
        )
        .unwrap();
    assert_eq!(tracks(&ledger), before);
    assert_eq!(ledger.followed().unwrap().unwrap().capture.seq, 2);
}

#[test]
fn a_follower_that_starts_anew_takes_no_old_numbers() {
    let (_trap, mut ledger) = opened();
    look(&mut ledger, 0, following(0, 7), false).unwrap();
    look(&mut ledger, 1, following(0, 1), false).unwrap();
    let tracks = tracks(&ledger);
    let ids: Vec<u64> = tracks.iter().map(|track| track.id.seq).collect();
    assert_eq!(ids, [7, 8]);
    assert_eq!(tracks[0].end, Some(TrackEnd::Lost));
    assert_eq!((tracks[1].first.seq, tracks[1].end), (2, None));
    let rows = ledger.inspections(tracks[1].first).unwrap();
    let InspectionOutcome::Seen { detections, .. } = &rows[0].record.outcome else {
        panic!("it was seen");
    };
    assert_eq!(detections[0].track, Some(8));
    let id = TrackId::new(ledger.id(), 9);
    assert_eq!(ledger.track(id).unwrap(), None);
}

#[test]
fn what_was_told_of_the_origin_holds_and_cards_are_counted() {
    let (_trap, mut ledger) = opened();
    let mut present = following(0, 1);
    present.tracks[0].origin = TrackOrigin::Present;
    look(&mut ledger, 0, present, false).unwrap();
    look(&mut ledger, 1, following(1, 1), false).unwrap();
    let mut changed = following(2, 2);
    changed.is_new_card = true;
    look(&mut ledger, 2, changed, false).unwrap();
    let tracks = tracks(&ledger);
    assert_eq!(tracks[0].origin, TrackOrigin::Present);
    assert_eq!((tracks[0].card, tracks[1].card), (1, 2));
}

#[test]
fn arrivals_are_counted_from_the_rows() {
    let (trap, mut ledger) = opened();
    for frame in 0..2 {
        look(
            &mut ledger,
            i64::try_from(frame).unwrap(),
            following(frame, 1),
            false,
        )
        .unwrap();
    }
    let planned = ledger.open_shot(stamp(70).unix_ms, &stamp(70)).unwrap();
    ledger
        .miss(planned, MissReason::Camera, "no answer", &stamp(70))
        .unwrap();
    let mut second = following(2, 2);
    second.tracks[0].first = 2;
    second.tracks[0].seen = 2;
    look(&mut ledger, 130, second, false).unwrap();
    let mut third = following(3, 3);
    third.tracks[0].first = 3;
    third.tracks[0].is_confirmed = false;
    look(&mut ledger, 131, third, true).unwrap();
    let hour_ms = 3_600_000;
    let view = View::open(trap.path(), Arc::new(trap.disk.clone())).unwrap();
    let counted = view.arrivals(stamp(0).unix_ms, hour_ms, 3).unwrap();
    let count = |counted, low, high| Some(Count { counted, low, high });
    // The second insect came after a gap.
    let arrivals: Vec<Option<Count>> = counted.iter().map(|i| i.arrivals).collect();
    assert_eq!(arrivals, [count(1, 1, 2), None, count(1, 0, 2)]);
    let looks: Vec<(u32, u32)> = counted.iter().map(|i| (i.looks, i.failed)).collect();
    assert_eq!(looks, [(2, 0), (0, 1), (1, 1)]);
}

#[test]
fn what_the_detector_remembers_is_taken_once() {
    let (mut trap, mut ledger) = opened();
    assert_eq!(ledger.take_memory().unwrap(), None);
    ledger.keep_memory(&[1, 2, 3]).unwrap();
    drop(ledger);
    let mut ledger = trap.open().unwrap().0;
    assert_eq!(ledger.take_memory().unwrap(), Some(vec![1, 2, 3]));
    assert_eq!(ledger.take_memory().unwrap(), None);
    ledger.keep_memory(&vec![0; 5 * 1024 * 1024]).unwrap();
    assert_eq!(ledger.take_memory().unwrap(), None);
}

#[test]
fn a_ledger_of_the_first_schema_is_carried_on() {
    let mut trap = Trap::new();
    let file = trap.path().join("ledger.sqlite");
    let first = include_str!("../../schema/0001.sql");
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection.execute_batch(first).unwrap();
    connection
        .execute_batch(
            "INSERT INTO ledger VALUES (1, '7f3a9c21', 1, 'rtc', 'boot', 1);
             INSERT INTO captures (unix_ms, clock, boot_id, uptime_ms, source, source_name,
                                   sha256, size_bytes, picture)
             VALUES (1000, 'rtc', 'boot', 1, 'simulated', '', zeroblob(32), 3, 'pruned');
             PRAGMA application_id = 1416782192; PRAGMA user_version = 1;",
        )
        .unwrap();
    drop(connection);
    let (mut ledger, _) = trap.open().unwrap();
    assert_eq!(ledger.summary(0).unwrap().captures, 1);
    assert_eq!(ledger.followed().unwrap(), None);
    let fresh = ledger.next_fresh(3).unwrap().unwrap();
    ledger
        .give_up(fresh, &new_inspection(1), "it is gone")
        .unwrap();
    look(&mut ledger, 2, following(0, 1), false).unwrap();
    assert_eq!(tracks(&ledger).len(), 1);
}
