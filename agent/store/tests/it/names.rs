//! A copied card takes a new name, and what it brought along stays the original's.

use crate::trap::{Trap, jpeg, new_capture, stamp};
use std::sync::Arc;
use trapline_store::{BatchLimits, Ledger, PassOver, RecordState, View};
use trapline_wire::{CaptureId, LedgerId};

const COPY: LedgerId = LedgerId(0xc0b1_e500);

fn shoot(ledger: &mut Ledger, minute: i64) -> CaptureId {
    let bytes = jpeg(minute.unsigned_abs());
    let now = stamp(minute);
    let planned = ledger.open_shot(now.unix_ms, &now).unwrap();
    ledger.admit(planned, new_capture(minute), &bytes).unwrap()
}

#[test]
fn records_keep_the_name_under_which_they_were_written() {
    let mut trap = Trap::new();
    let (mut ledger, _) = trap.open().unwrap();
    let original = ledger.id();
    let before = shoot(&mut ledger, 1);
    ledger.take_name(COPY, stamp(2).unix_ms).unwrap();
    assert_eq!(ledger.id(), COPY);
    let after = shoot(&mut ledger, 3);
    assert_eq!((before.ledger, before.seq), (original, 1));
    assert_eq!((after.ledger, after.seq), (COPY, 2));
    for capture in [before, after] {
        assert!(ledger.capture(capture).unwrap().is_some());
        assert!(ledger.picture(capture).is_ok());
    }
    let never = CaptureId::new(original, 2);
    assert!(ledger.capture(never).unwrap().is_none());
    assert!(ledger.picture(never).is_err());
    drop(ledger);
    // After a restart the pictures are still those of their rows.
    let (ledger, recovery) = trap.open().unwrap();
    assert_eq!((recovery.strangers, recovery.damaged), (0, 0));
    assert_eq!(ledger.id(), COPY);
    let view = View::open(trap.path(), Arc::new(trap.disk.clone())).unwrap();
    let outgoing = view.outgoing(BatchLimits::default()).unwrap();
    let batch = outgoing.batch();
    let names: Vec<CaptureId> = batch.captures.iter().map(|capture| capture.id).collect();
    assert_eq!(names, [after, before]);
    let effort: Vec<LedgerId> = batch.effort.iter().map(|effort| effort.id.ledger).collect();
    assert_eq!(effort, [COPY, original]);
}

#[test]
fn what_a_copy_brought_along_is_never_sent_and_stays_on_the_card() {
    let mut trap = Trap::new();
    let (mut ledger, _) = trap.open().unwrap();
    let waiting = shoot(&mut ledger, 1);
    let outgoing = ledger.outgoing(BatchLimits::default()).unwrap();
    ledger.mark_records_stored(&outgoing, &[]).unwrap();
    assert!(ledger.picture_waits(&PassOver::default()).unwrap());
    shoot(&mut ledger, 2);
    ledger.disown().unwrap();
    assert!(
        ledger.picture_waits(&PassOver::default()).unwrap(),
        "no copy"
    );
    ledger.take_name(COPY, stamp(3).unix_ms).unwrap();
    let own = shoot(&mut ledger, 4);
    ledger.disown().unwrap();
    ledger.disown().unwrap();
    assert!(!ledger.picture_waits(&PassOver::default()).unwrap());
    let outgoing = ledger.outgoing(BatchLimits::default()).unwrap();
    let names: Vec<CaptureId> = outgoing.batch().captures.iter().map(|c| c.id).collect();
    assert_eq!(names, [own]);
    let row = ledger.capture(waiting).unwrap().unwrap();
    let RecordState::Refused(why) = row.record_state else {
        panic!("{:?}", row.record_state);
    };
    assert!(why.contains("copied from"), "{why}");
    assert!(ledger.picture(waiting).is_ok());
}
