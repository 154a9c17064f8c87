//! What a stage may expect of each step.

use crate::trap::{
    Trap, detection, jpeg, new_capture, new_inspection, new_reading, receipt, stamp,
};
use std::fs;
use std::sync::Arc;
use trapline_store::{
    BatchLimits, Found, InspectionState, Ledger, NextPicture, PassOver, PictureOrder, PictureState,
    RecordState, Sendable, Span, StoreError, View,
};
use trapline_wire::limits::{BATCH_BYTES_MAX, DETECTIONS_MAX, PICTURE_BYTES_MAX, TEXT_BYTES_MAX};
use trapline_wire::v1::{
    CaptureSource, ClockQuality, EffortOutcome, InspectionOutcome, MissReason, RecordKind, Refusal,
    RefusalReason,
};
use trapline_wire::{CaptureId, Sha256};

fn opened() -> (Trap, Ledger) {
    let mut trap = Trap::new();
    let (ledger, recovery) = trap.open().unwrap();
    assert!(recovery.created);
    (trap, ledger)
}

fn shoot(ledger: &mut Ledger, minute: i64) -> CaptureId {
    let bytes = jpeg(minute.unsigned_abs());
    let planned = ledger
        .open_shot(stamp(minute).unix_ms, &stamp(minute))
        .unwrap();
    ledger.admit(planned, new_capture(minute), &bytes).unwrap()
}

fn store_records(ledger: &mut Ledger) {
    let outgoing = ledger.outgoing(BatchLimits::default()).unwrap();
    ledger.mark_records_stored(&outgoing, &[]).unwrap();
}

fn ready(ledger: &mut Ledger, order: PictureOrder, skip: &[CaptureId]) -> Sendable {
    let pass_over = PassOver {
        captures: skip.iter().copied().collect(),
        all_failed: false,
    };
    match ledger.next_picture(order, &pass_over).unwrap() {
        NextPicture::Ready(picture) => picture,
        other @ (NextPicture::Damaged { .. }
        | NextPicture::Unreadable { .. }
        | NextPicture::Nothing) => {
            panic!("a picture waits, yet {other:?}")
        }
    }
}

fn picture_state(ledger: &Ledger, id: CaptureId) -> PictureState {
    ledger.capture(id).unwrap().unwrap().picture
}

#[test]
fn a_capture_keeps_all_that_was_said_of_it() {
    let (_trap, mut ledger) = opened();
    let id = shoot(&mut ledger, 2);
    assert_eq!(id.to_string(), "7f3a9c21-00000001");
    let row = ledger.capture(id).unwrap().unwrap();
    let new = new_capture(2);
    assert_eq!(row.record.stamp, new.stamp);
    assert_eq!(row.record.source, new.source);
    assert_eq!(row.record.picture.sha256, Sha256::of(&jpeg(2)));
    assert_eq!(row.record.picture.width_px, Some(64));
    let readings = ledger.readings(None, 10).unwrap();
    assert_eq!(row.record.reading, Some(readings[0].record.id));
    assert_eq!(readings[0].record.humidity_percent, Some(60.25));
    assert_eq!(readings[0].record.light_lux, None);
    let efforts = ledger.efforts(None, 10).unwrap();
    assert_eq!(
        efforts[0].record.outcome,
        EffortOutcome::Done { capture: id }
    );
    assert_eq!(
        ledger.last_replayed().unwrap().as_deref(),
        Some("card-2.jpg")
    );
    assert_eq!(ledger.replayed().unwrap(), 1);
    assert_eq!(ledger.last_due_ms().unwrap(), Some(stamp(2).unix_ms));
}

#[test]
fn an_empty_or_huge_picture_gives_the_shot_back() {
    let (_trap, mut ledger) = opened();
    let too_large = vec![0; usize::try_from(PICTURE_BYTES_MAX).unwrap() + 1];
    for bytes in [Vec::new(), too_large] {
        let planned = ledger.open_shot(0, &stamp(1)).unwrap();
        let returned = ledger.admit(planned, new_capture(1), &bytes).unwrap_err();
        assert!(matches!(returned.error, StoreError::Refused { .. }));
        let closed = ledger.miss(returned.token, MissReason::Camera, "no picture", &stamp(1));
        closed.unwrap();
    }
    let summary = ledger.summary(0).unwrap();
    assert_eq!((summary.captures, summary.missed), (0, 2));
}

#[test]
fn a_full_card_gives_the_shot_back_and_takes_pictures_again() {
    let (trap, mut ledger) = opened();
    let planned = ledger.open_shot(0, &stamp(1)).unwrap();
    trap.disk.set_free_bytes(Some(100));
    let returned = ledger.admit(planned, new_capture(1), &jpeg(1)).unwrap_err();
    assert!(returned.error.is_full(), "{}", returned.error);
    let reason = MissReason::Disk;
    ledger
        .miss(returned.token, reason, "full", &stamp(1))
        .unwrap();
    assert_eq!(
        ledger.usage().unwrap().free_bytes,
        100,
        "nothing is left behind"
    );
    trap.disk.set_free_bytes(None);
    shoot(&mut ledger, 2);
    let summary = ledger.summary(0).unwrap();
    assert_eq!(summary.missed_since.get(&MissReason::Disk), Some(&1));
    assert_eq!(summary.captures, 1);
}

#[test]
fn a_picture_that_kills_the_agent_ends_after_its_tries() {
    let (mut trap, mut ledger) = opened();
    let id = shoot(&mut ledger, 1);
    for attempt in 1..=3 {
        let fresh = ledger.next_fresh(3).unwrap().unwrap();
        assert_eq!((fresh.attempts(), fresh.exhausted()), (attempt, false));
        drop(ledger);
        ledger = trap.open().unwrap().0;
    }
    let fresh = ledger.next_fresh(3).unwrap().unwrap();
    assert!(fresh.exhausted());
    ledger
        .give_up(fresh, &new_inspection(1), "the detector died of it")
        .unwrap();
    assert!(ledger.next_fresh(3).unwrap().is_none());
    let row = &ledger.inspections(id).unwrap()[0];
    let InspectionOutcome::GaveUp { attempts, .. } = row.record.outcome else {
        panic!("{row:?}");
    };
    assert_eq!((attempts, row.insects), (3, None));
    assert_eq!(
        ledger.capture(id).unwrap().unwrap().inspection,
        InspectionState::GaveUp
    );
}

#[test]
fn what_the_wire_cannot_carry_never_gets_into_the_ledger() {
    let (_trap, mut ledger) = opened();
    let id = shoot(&mut ledger, 1);
    let fresh = ledger.next_fresh(3).unwrap().unwrap();
    let mut found = vec![detection(0.7); DETECTIONS_MAX + 10];
    found[7].score = f32::NAN;
    found[8].x_px = f32::INFINITY;
    found[9].score = 0.9;
    found[10].class = "é".repeat(TEXT_BYTES_MAX);
    ledger
        .record_detections(fresh, &new_inspection(1), Found::boxes(found))
        .unwrap();
    let mut reading = new_reading(1);
    reading.temperature_c = Some(f64::NAN);
    let planned = ledger.open_shot(0, &stamp(1)).unwrap();
    ledger
        .miss(planned, MissReason::Camera, &"x".repeat(10_000), &stamp(1))
        .unwrap();
    ledger.record_reading(&reading).unwrap();
    let outgoing = ledger.outgoing(BatchLimits::default()).unwrap();
    let batch = outgoing.batch();
    assert_eq!(batch.inspections[0].capture, id);
    let InspectionOutcome::Seen { detections, .. } = &batch.inspections[0].outcome else {
        panic!("it was seen");
    };
    assert_eq!(detections.len(), DETECTIONS_MAX);
    assert!(detections[0].score > 0.8, "the strongest comes first");
    assert!(
        detections
            .iter()
            .all(|found| found.class.len() <= TEXT_BYTES_MAX)
    );
    assert_eq!(batch.readings[0].temperature_c, None);
    let json = serde_json::to_string(batch).unwrap();
    assert!(json.len() < BATCH_BYTES_MAX);
    let read: trapline_wire::v1::SyncBatch = serde_json::from_str(&json).unwrap();
    assert_eq!(&read, batch);
}

#[test]
fn batches_stay_within_their_limits_and_carry_everything_once() {
    let (_trap, mut ledger) = opened();
    for minute in 1..=20 {
        shoot(&mut ledger, minute);
        let fresh = ledger.next_fresh(3).unwrap().unwrap();
        let found = vec![detection(0.9); 100];
        ledger
            .record_detections(fresh, &new_inspection(minute), Found::boxes(found))
            .unwrap();
    }
    for limits in [
        BatchLimits {
            records_max: 7,
            ..BatchLimits::default()
        },
        BatchLimits {
            bytes_max: 40_000,
            ..BatchLimits::default()
        },
    ] {
        let batch = ledger.outgoing(limits).unwrap();
        let json = serde_json::to_string(batch.batch()).unwrap();
        assert!(json.len() <= limits.bytes_max + 200);
        assert!(batch.batch().captures.len() <= limits.records_max);
        assert!(!batch.is_empty());
    }
    let mut sent = 0;
    let limits = BatchLimits {
        records_max: 7,
        bytes_max: 1,
        ..BatchLimits::default()
    };
    while ledger.summary(0).unwrap().records_waiting > 0 {
        let outgoing = ledger.outgoing(limits).unwrap();
        for inspection in &outgoing.batch().inspections {
            let row = ledger.capture(inspection.capture).unwrap().unwrap();
            let beside = outgoing.batch().captures.contains(&row.record);
            assert!(beside || row.record_state == RecordState::Stored);
        }
        sent += outgoing.batch().records();
        ledger.mark_records_stored(&outgoing, &[]).unwrap();
    }
    assert_eq!(sent, 20 + 20 + 10 + 20);
}

#[test]
fn a_record_that_alone_is_too_large_waits_and_no_other_does() {
    let (_trap, mut ledger) = opened();
    for (minute, insects) in [(1, 1), (2, 200), (3, 1)] {
        shoot(&mut ledger, minute);
        let fresh = ledger.next_fresh(3).unwrap().unwrap();
        let found = Found::boxes(vec![detection(0.9); insects]);
        ledger
            .record_detections(fresh, &new_inspection(minute), found)
            .unwrap();
    }
    let limits = BatchLimits {
        record_bytes_max: 2000,
        ..BatchLimits::default()
    };
    let outgoing = ledger.outgoing(limits).unwrap();
    let batch = outgoing.batch();
    assert_eq!((batch.captures.len(), batch.inspections.len()), (3, 2));
    assert_eq!(outgoing.too_large(), 1);
    let json = serde_json::to_string(batch).unwrap();
    assert!((json.len() - 200..=json.len()).contains(&outgoing.bytes()));
    ledger.mark_records_stored(&outgoing, &[]).unwrap();
    let outgoing = ledger.outgoing(limits).unwrap();
    assert!(outgoing.is_empty());
    assert_eq!(outgoing.too_large(), 1);
    assert_eq!(
        ledger
            .outgoing(BatchLimits::default())
            .unwrap()
            .batch()
            .inspections
            .len(),
        1
    );
}

#[test]
fn what_speaks_of_a_capture_that_is_too_large_waits_with_it() {
    let (_trap, mut ledger) = opened();
    let mut long = new_capture(2);
    long.source = CaptureSource::Replayed {
        file_name: "x".repeat(TEXT_BYTES_MAX),
    };
    for (minute, new) in [(1, new_capture(1)), (2, long), (3, new_capture(3))] {
        let planned = ledger.open_shot(0, &stamp(minute)).unwrap();
        let bytes = jpeg(minute.unsigned_abs());
        ledger.admit(planned, new, &bytes).unwrap();
        let fresh = ledger.next_fresh(3).unwrap().unwrap();
        ledger
            .record_detections(fresh, &new_inspection(minute), Found::default())
            .unwrap();
    }
    let limits = BatchLimits {
        record_bytes_max: 2 * TEXT_BYTES_MAX,
        ..BatchLimits::default()
    };
    let all = ledger.outgoing(limits).unwrap();
    let largest = all
        .batch()
        .captures
        .iter()
        .map(|it| serde_json::to_string(it).unwrap().len());
    let limits = BatchLimits {
        record_bytes_max: largest.max().unwrap(),
        ..limits
    };
    let outgoing = ledger.outgoing(limits).unwrap();
    let batch = outgoing.batch();
    assert_eq!((batch.captures.len(), batch.inspections.len()), (2, 2));
    assert!(batch.inspections.iter().all(|it| it.capture.seq != 2));
}

#[test]
fn a_refused_record_is_set_aside_with_its_reason() {
    let (_trap, mut ledger) = opened();
    let id = shoot(&mut ledger, 1);
    let fresh = ledger.next_fresh(3).unwrap().unwrap();
    ledger
        .record_detections(fresh, &new_inspection(1), Found::default())
        .unwrap();
    let outgoing = ledger
        .outgoing(BatchLimits {
            records_max: 1,
            bytes_max: 1,
            ..BatchLimits::default()
        })
        .unwrap();
    ledger.mark_records_stored(&outgoing, &[]).unwrap();
    let outgoing = ledger.outgoing(BatchLimits::default()).unwrap();
    let refusal = Refusal {
        id: id.to_string(),
        kind: RecordKind::Capture,
        reason: RefusalReason::Conflict,
        message: "another picture has this id".to_owned(),
    };
    ledger.mark_records_stored(&outgoing, &[refusal]).unwrap();
    let row = ledger.capture(id).unwrap().unwrap();
    let reason = "another picture has this id".to_owned();
    assert_eq!(row.record_state, RecordState::Refused(reason));
    assert!(ledger.outgoing(BatchLimits::default()).unwrap().is_empty());
    let summary = ledger.summary(0).unwrap();
    assert_eq!((summary.records_waiting, summary.records_refused), (0, 2));
    let next = ledger
        .next_picture(PictureOrder::OldestFirst, &PassOver::default())
        .unwrap();
    assert!(matches!(next, NextPicture::Nothing));
}

#[test]
fn only_a_receipt_for_the_same_bytes_makes_a_picture_safe() {
    let (_trap, mut ledger) = opened();
    let id = shoot(&mut ledger, 1);
    store_records(&mut ledger);
    let mut picture = ready(&mut ledger, PictureOrder::OldestFirst, &[]);
    let (sha256, size_bytes) = (picture.sha256(), picture.size_bytes());
    for wrong in [
        receipt(Sha256::of(b"other"), size_bytes),
        receipt(sha256, size_bytes + 1),
    ] {
        let returned = ledger.mark_received(picture, &wrong).unwrap_err();
        assert!(matches!(returned.error, StoreError::WrongReceipt { .. }));
        picture = returned.token;
        assert_eq!(ledger.mark_safe_by_receipt(&wrong).unwrap(), 0);
        assert_eq!(picture_state(&ledger, id), PictureState::OnCard);
        assert!(matches!(ledger.prune(id), Err(StoreError::Refused { .. })));
    }
    ledger
        .mark_received(picture, &receipt(sha256, size_bytes))
        .unwrap();
    assert_eq!(picture_state(&ledger, id), PictureState::Safe);
    assert_eq!(ledger.usage().unwrap().prunable, 1);
    ledger.prune(id).unwrap();
    assert_eq!(picture_state(&ledger, id), PictureState::Pruned);
    assert_eq!(ledger.usage().unwrap().pictures, 0);
    assert!(matches!(
        ledger.picture(id),
        Err(StoreError::Refused { .. })
    ));
}

#[test]
fn one_receipt_covers_every_capture_of_the_same_bytes() {
    let (_trap, mut ledger) = opened();
    for minute in [1, 2] {
        let planned = ledger.open_shot(0, &stamp(minute)).unwrap();
        ledger
            .admit(planned, new_capture(minute), &jpeg(1))
            .unwrap();
    }
    store_records(&mut ledger);
    let picture = ready(&mut ledger, PictureOrder::OldestFirst, &[]);
    let proof = receipt(picture.sha256(), picture.size_bytes());
    ledger.mark_received(picture, &proof).unwrap();
    assert_eq!(ledger.summary(0).unwrap().pictures_safe, 2);
}

#[test]
fn pictures_wait_in_a_fair_line() {
    let (_trap, mut ledger) = opened();
    let ids: Vec<_> = (1..=3).map(|minute| shoot(&mut ledger, minute)).collect();
    let next = ledger
        .next_picture(PictureOrder::OldestFirst, &PassOver::default())
        .unwrap();
    assert!(
        matches!(next, NextPicture::Nothing),
        "no record is stored yet"
    );
    store_records(&mut ledger);
    assert_eq!(
        ready(&mut ledger, PictureOrder::NewestFirst, &[]).capture(),
        ids[2]
    );
    let skipped = ready(&mut ledger, PictureOrder::OldestFirst, &ids[..1]);
    assert_eq!(skipped.capture(), ids[1]);
    let poison = ready(&mut ledger, PictureOrder::OldestFirst, &[]);
    ledger
        .picture_failed(poison, "the server cannot take it")
        .unwrap();
    let after = ready(&mut ledger, PictureOrder::OldestFirst, &[]);
    assert_eq!(after.capture(), ids[1], "the others go first now");
    let all_failed = PassOver {
        all_failed: true,
        ..PassOver::default()
    };
    assert!(ledger.picture_waits(&all_failed).unwrap());
    for _ in 0..2 {
        let next = ready(&mut ledger, PictureOrder::OldestFirst, &[]);
        ledger.picture_failed(next, "not this one either").unwrap();
    }
    assert!(
        !ledger.picture_waits(&all_failed).unwrap(),
        "all have failed"
    );
    assert!(ledger.picture_waits(&PassOver::default()).unwrap());
    let tail = ledger
        .read_picture(&after, after.size_bytes() - 3, 100)
        .unwrap();
    assert_eq!(tail.len(), 3);
}

#[test]
fn what_the_card_has_spoilt_is_said_and_not_sent_in_circles() {
    let (trap, mut ledger) = opened();
    let id = shoot(&mut ledger, 1);
    store_records(&mut ledger);
    let file = trap.picture_file(id);
    assert!(trap.disk.spoil(&file, |bytes| bytes[5] ^= 1));
    assert!(matches!(
        ledger.picture(id),
        Err(StoreError::Damaged { .. })
    ));
    let next = ledger
        .next_picture(PictureOrder::OldestFirst, &PassOver::default())
        .unwrap();
    assert!(matches!(next, NextPicture::Damaged { capture, .. } if capture == id));
    let next = ledger
        .next_picture(PictureOrder::OldestFirst, &PassOver::default())
        .unwrap();
    assert!(matches!(next, NextPicture::Nothing));
    assert!(matches!(
        picture_state(&ledger, id),
        PictureState::Damaged(_)
    ));
    assert_eq!(ledger.summary(0).unwrap().pictures_damaged, 1);
    // The server had it after all: nothing is lost.
    let bytes = jpeg(1);
    let proof = receipt(Sha256::of(&bytes), bytes.len().try_into().unwrap());
    assert_eq!(ledger.mark_safe_by_receipt(&proof).unwrap(), 1);
    assert_eq!(picture_state(&ledger, id), PictureState::Safe);
}

#[test]
fn what_the_card_does_not_give_back_waits_behind_the_others() {
    let (trap, mut ledger) = opened();
    let ids: Vec<_> = (1..=2).map(|minute| shoot(&mut ledger, minute)).collect();
    store_records(&mut ledger);
    trap.disk.set_readable(&trap.picture_file(ids[1]), false);
    let order = PictureOrder::NewestFirst;
    let next = ledger.next_picture(order, &PassOver::default()).unwrap();
    let NextPicture::Unreadable {
        capture, attempts, ..
    } = next
    else {
        panic!("it cannot be read, yet {next:?}");
    };
    assert_eq!((capture, attempts), (ids[1], 0));
    assert_eq!(ready(&mut ledger, order, &[]).capture(), ids[0]);
    assert_eq!(
        picture_state(&ledger, ids[1]),
        PictureState::OnCard,
        "nobody knows that it is damaged"
    );
    trap.disk.set_readable(&trap.picture_file(ids[1]), true);
    let again = ready(&mut ledger, order, &ids[..1]);
    assert_eq!((again.capture(), again.attempts()), (ids[1], 1));
}

#[test]
fn recovery_says_what_is_missing_cut_short_or_never_admitted() {
    let (mut trap, mut ledger) = opened();
    let ids: Vec<_> = (1..=3).map(|minute| shoot(&mut ledger, minute)).collect();
    drop(ledger);
    assert!(
        trap.disk
            .spoil(&trap.picture_file(ids[0]), |bytes| bytes.truncate(9))
    );
    let gone = trap.picture_file(ids[1]);
    trapline_store::Disk::remove(&trap.disk, &gone).unwrap();
    for name in [
        "7f3a9c21-00000077.jpg",
        "00000000-00000001.jpg",
        "holiday.png",
    ] {
        let file = trap.path().join("pictures/0").join(name);
        trapline_store::Disk::create(&trap.disk, &file).unwrap();
    }
    let (ledger, recovery) = trap.open().unwrap();
    assert_eq!(
        (recovery.damaged, recovery.set_aside, recovery.strangers),
        (2, 1, 2)
    );
    assert!(matches!(
        picture_state(&ledger, ids[0]),
        PictureState::Damaged(_)
    ));
    assert!(matches!(
        picture_state(&ledger, ids[1]),
        PictureState::Damaged(_)
    ));
    assert_eq!(picture_state(&ledger, ids[2]), PictureState::OnCard);
    assert_eq!(ledger.usage().unwrap().set_aside, 1);
    drop(ledger);
    let (_ledger, again) = trap.open().unwrap();
    assert!(again.is_quiet(), "{again:?}");
}

#[test]
fn set_aside_pictures_never_fill_the_card() {
    let (mut trap, ledger) = opened();
    drop(ledger);
    for number in 1..=60 {
        let file = trap
            .path()
            .join(format!("set_aside/{number:06}-7f3a9c21-00000001.jpg"));
        trapline_store::Disk::create(&trap.disk, &file).unwrap();
    }
    let (ledger, recovery) = trap.open().unwrap();
    assert_eq!(recovery.set_aside_removed, 10);
    assert_eq!(ledger.usage().unwrap().set_aside, 50);
}

#[test]
fn two_agents_cannot_work_on_one_ledger_but_anyone_may_read() {
    let (mut trap, mut ledger) = opened();
    assert!(matches!(trap.open(), Err(StoreError::Locked { .. })));
    let view = View::open(trap.path(), Arc::new(trap.disk.clone())).unwrap();
    let id = shoot(&mut ledger, 1);
    assert_eq!(view.summary(0).unwrap().captures, 1);
    assert_eq!(view.picture(id).unwrap(), jpeg(1));
    ledger.set_meta("known_ms", "17").unwrap();
    assert_eq!(view.get_meta("known_ms").unwrap().as_deref(), Some("17"));
    drop(ledger);
    trap.open().unwrap();
}

#[test]
fn a_foreign_newer_or_damaged_database_is_named() {
    let (trap, ledger) = opened();
    let file = trap.path().join("ledger.sqlite");
    drop(ledger);
    let open = || View::open(trap.path(), Arc::new(trap.disk.clone())).map(drop);
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    let error = open().unwrap_err();
    assert!(matches!(error, StoreError::NewerSchema { found: 99, .. }));
    connection.pragma_update(None, "application_id", 1).unwrap();
    assert!(matches!(open(), Err(StoreError::Corrupt { .. })));
    drop(connection);
    let mut bytes = fs::read(&file).unwrap();
    bytes[..100].fill(0x55);
    trap_write(&file, &bytes);
    let error = open().unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
    assert!(error.to_string().contains("ledger.sqlite"));
    fs::remove_file(&file).unwrap();
    assert!(matches!(open(), Err(StoreError::NoLedger { .. })));
}

#[expect(clippy::disallowed_methods, reason = "a test plays the failing card")]
fn trap_write(file: &std::path::Path, bytes: &[u8]) {
    fs::write(file, bytes).unwrap();
}

#[test]
fn a_summary_counts_everything_once() {
    let (_trap, mut ledger) = opened();
    for minute in 1..=4 {
        shoot(&mut ledger, minute);
    }
    let off = Span {
        due_ms: stamp(5).unix_ms,
        last_due_ms: stamp(9).unix_ms,
        shots: 5,
    };
    ledger
        .miss_span(off, MissReason::Off, "no power", &stamp(9))
        .unwrap();
    let none = Span { shots: 0, ..off };
    let refused = ledger.miss_span(none, MissReason::Off, "", &stamp(9));
    assert!(matches!(refused, Err(StoreError::Refused { .. })));
    while let Some(fresh) = ledger.next_fresh(3).unwrap() {
        let found = vec![detection(0.9), detection(0.6), detection(0.1)];
        ledger
            .record_detections(fresh, &new_inspection(9), Found::boxes(found))
            .unwrap();
    }
    let summary = ledger.summary(stamp(3).unix_ms).unwrap();
    assert_eq!((summary.captures, summary.captures_since), (4, 2));
    assert_eq!(summary.missed, 5);
    assert_eq!((summary.inspected, summary.inspections_waiting), (4, 0));
    assert_eq!(summary.last_capture.unwrap().insects, Some(2));
    assert_eq!(summary.records_waiting, 5 + 2 + 4 + 4);
    let bytes: usize = (1..=4).map(|number| jpeg(number).len()).sum();
    assert_eq!(
        summary.pictures_waiting_bytes,
        u64::try_from(bytes).unwrap()
    );
    assert_eq!(
        ledger.usage().unwrap().pictures_bytes,
        u64::try_from(bytes).unwrap()
    );
}

#[test]
fn forecasts_get_what_they_are_made_of() {
    let (_trap, mut ledger) = opened();
    for minute in [0, 1, 2, 70] {
        shoot(&mut ledger, minute);
    }
    let mut unset = new_reading(71);
    unset.stamp.quality = ClockQuality::Unset;
    ledger.record_reading(&unset).unwrap();
    let since_ms = stamp(1).unix_ms;
    let battery = ledger.battery_since(since_ms, 100).unwrap();
    assert_eq!(
        battery,
        [(stamp(2).unix_ms, 3.9), (stamp(70).unix_ms, 3.9)],
        "those with a reading, on a clock that was set"
    );
    assert_eq!(ledger.battery_since(since_ms, 2).unwrap().len(), 1);
    let size = |minute: u64| u64::try_from(jpeg(minute).len()).unwrap();
    let hour_ms = 3_600_000;
    assert_eq!(
        ledger.taken_since(since_ms, hour_ms).unwrap(),
        [
            (since_ms, size(1) + size(2)),
            (since_ms + hour_ms, size(70))
        ]
    );
}
