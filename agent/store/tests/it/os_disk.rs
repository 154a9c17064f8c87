//! The same ledger on the machine's own file system.

use crate::trap::{jpeg, new_capture, stamp};
use std::sync::Arc;
use trapline_store::{
    BatchLimits, Ledger, NextPicture, OsDisk, PassOver, PictureOrder, StoreError, View,
};
use trapline_store::{Recovery, set_database_aside};
use trapline_wire::LedgerId;
use trapline_wire::v1::Receipt;

fn open(folder: &std::path::Path) -> Result<(Ledger, Recovery), StoreError> {
    Ledger::open(folder, Arc::new(OsDisk), || LedgerId(1), &stamp(0))
}

#[test]
fn a_picture_goes_all_its_way() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("made by the ledger");
    let (mut ledger, recovery) = open(&folder).unwrap();
    assert!(recovery.created);
    let planned = ledger.open_shot(0, &stamp(1)).unwrap();
    let id = ledger.admit(planned, new_capture(1), &jpeg(1)).unwrap();
    assert_eq!(ledger.picture(id).unwrap(), jpeg(1));
    let outgoing = ledger.outgoing(BatchLimits::default()).unwrap();
    ledger.mark_records_stored(&outgoing, &[]).unwrap();
    let NextPicture::Ready(picture) = ledger
        .next_picture(PictureOrder::OldestFirst, &PassOver::default())
        .unwrap()
    else {
        panic!("the picture waits");
    };
    assert_eq!(ledger.read_picture(&picture, 3, 4).unwrap(), jpeg(1)[3..7]);
    let receipt = Receipt {
        sha256: picture.sha256(),
        size_bytes: picture.size_bytes(),
        stored_ms: 1,
    };
    ledger.mark_received(picture, &receipt).unwrap();
    let usage = ledger.usage().unwrap();
    assert!(usage.free_bytes > 0 && usage.database_bytes > 0);
    ledger.prune(id).unwrap();
    assert!(!folder.join(format!("pictures/0/{id}.jpg")).exists());
    assert!(matches!(open(&folder), Err(StoreError::Locked { .. })));
    assert_eq!(
        View::open(&folder, Arc::new(OsDisk)).unwrap().id(),
        ledger.id()
    );
    drop(ledger);
    let (ledger, recovery) = open(&folder).unwrap();
    assert!(recovery.is_quiet(), "{recovery:?}");
    assert_eq!(ledger.summary(0).unwrap().pictures_pruned, 1);
}

#[test]
fn a_database_set_aside_makes_room_for_a_new_ledger() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()).unwrap());
    let kept = set_database_aside(folder.path(), &OsDisk).unwrap();
    assert!(kept.exists());
    let (_ledger, recovery) = open(folder.path()).unwrap();
    assert!(recovery.created);
}
