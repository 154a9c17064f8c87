//! The copy on which new software is tried: whole, brought to the new schema, and
//! nothing that happens to it happens to the ledger.

use crate::trap::{jpeg, new_capture, stamp};
use std::path::Path;
use std::sync::Arc;
use trapline_store::{Held, Ledger, OsDisk, StoreError, Upgrade, View};
use trapline_wire::LedgerId;
use trapline_wire::v1::MissReason;

fn open(folder: &Path) -> Result<Ledger, StoreError> {
    open_with(folder, Upgrade::Allowed)
}

fn open_with(folder: &Path, upgrade: Upgrade) -> Result<Ledger, StoreError> {
    let draw = || LedgerId(7);
    Ledger::open_with(folder, Arc::new(OsDisk), draw, &stamp(9), upgrade).map(|opened| opened.0)
}

fn hold(folder: &Path) -> Result<Held, StoreError> {
    Held::take(folder, Arc::new(OsDisk))
}

/// A ledger as the version before the measured pictures left it, cut off with a log beside it.
fn old_ledger(folder: &Path) {
    let connection = rusqlite::Connection::open(folder.join("ledger.sqlite")).unwrap();
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;")
        .unwrap();
    for schema in [
        include_str!("../../schema/0001.sql"),
        include_str!("../../schema/0002.sql"),
        include_str!("../../schema/0003.sql"),
        include_str!("../../schema/0004.sql"),
        "INSERT INTO ledger VALUES (1, '7f3a9c21', 1, 'rtc', 'boot', 1);
         INSERT INTO captures (unix_ms, clock, boot_id, uptime_ms, source, source_name,
                               sha256, size_bytes, picture, record)
         VALUES (1000, 'rtc', 'boot', 1, 'camera', 'imx708', zeroblob(32), 3, 'pruned', 'stored');
         PRAGMA application_id = 1416782192; PRAGMA user_version = 4;",
    ] {
        connection.execute_batch(schema).unwrap();
    }
    connection
        .set_db_config(
            rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE,
            true,
        )
        .unwrap();
}

/// The bytes of the ledger's database and of its log.
fn bytes(folder: &Path) -> [Vec<u8>; 2] {
    ["ledger.sqlite", "ledger.sqlite-wal"].map(|name| std::fs::read(folder.join(name)).unwrap())
}

#[test]
fn a_copy_takes_the_new_schema_and_the_ledger_keeps_its_own() {
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    old_ledger(folder.path());
    let before = bytes(folder.path());
    let held = hold(folder.path()).unwrap();
    assert!(held.copy_rows(copy.path()).unwrap());
    let mut ledger = open(copy.path()).unwrap();
    assert_eq!(ledger.id(), LedgerId(0x7f3a_9c21), "it is the same ledger");
    assert_eq!(ledger.captures(None, 10).unwrap().len(), 1);
    let planned = ledger.open_shot(0, &stamp(1)).unwrap();
    let id = ledger.admit(planned, new_capture(1), &jpeg(1)).unwrap();
    assert_eq!(id.seq, 2);
    drop((ledger, held));
    assert_eq!(bytes(folder.path()), before, "not a byte has changed");
}

#[test]
fn an_older_ledger_stays_as_it_is_until_it_may_be_changed() {
    let folder = tempfile::tempdir().unwrap();
    old_ledger(folder.path());
    let refused = open_with(folder.path(), Upgrade::Refused);
    let Err(StoreError::OlderSchema { found, known, .. }) = refused else {
        panic!("it would have been changed: {refused:?}");
    };
    assert!(found == 4 && known > 4, "{found} {known}");
    let connection = rusqlite::Connection::open(folder.path().join("ledger.sqlite")).unwrap();
    let version: u32 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap();
    assert_eq!(version, 4);
    drop(connection);
    drop(open(folder.path()).unwrap());
    drop(open_with(folder.path(), Upgrade::Refused).unwrap());
}

#[test]
fn a_ledger_that_is_not_there_is_started_where_nothing_may_be_changed() {
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let held = hold(folder.path()).unwrap();
    assert!(!held.copy_rows(copy.path()).unwrap());
    assert!(!folder.path().join("ledger.sqlite").exists());
    drop(held);
    drop(open_with(folder.path(), Upgrade::Refused).unwrap());
}

#[test]
fn nobody_works_on_a_ledger_that_is_held() {
    let folder = tempfile::tempdir().unwrap();
    let held = hold(folder.path()).unwrap();
    let refused = open(folder.path());
    assert!(matches!(refused, Err(StoreError::Locked { .. })));
    drop(held);
    let ledger = open(folder.path()).unwrap();
    let refused = hold(folder.path());
    assert!(matches!(refused, Err(StoreError::Locked { .. })));
    drop(ledger);
}

#[test]
fn a_newer_ledger_is_neither_copied_nor_touched() {
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    drop(open(folder.path()).unwrap());
    let file = folder.path().join("ledger.sqlite");
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let before = std::fs::read(&file).unwrap();
    let refused = hold(folder.path()).unwrap().copy_rows(copy.path());
    assert!(matches!(
        refused,
        Err(StoreError::NewerSchema { found: 99, .. })
    ));
    let refused = open(folder.path());
    assert!(matches!(
        refused,
        Err(StoreError::NewerSchema { found: 99, .. })
    ));
    assert_eq!(
        std::fs::read(&file).unwrap(),
        before,
        "not a byte has changed"
    );
}

#[test]
fn misses_are_counted_back_to_the_last_picture() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(folder.path()).unwrap();
    let mut miss = |due_ms: i64, reason: MissReason| {
        let planned = ledger.open_shot(due_ms, &stamp(due_ms)).unwrap();
        ledger
            .miss(planned, reason, "no frame", &stamp(due_ms))
            .unwrap();
        ledger.missed_since_picture(MissReason::Camera, 20).unwrap()
    };
    assert_eq!(miss(1, MissReason::Camera), 1);
    assert_eq!(miss(2, MissReason::Off), 1);
    assert_eq!(miss(3, MissReason::Camera), 2);
    let planned = ledger.open_shot(4, &stamp(4)).unwrap();
    ledger.admit(planned, new_capture(1), &jpeg(1)).unwrap();
    assert_eq!(
        ledger.missed_since_picture(MissReason::Camera, 20).unwrap(),
        0
    );
    assert!(View::open(folder.path(), Arc::new(OsDisk)).is_ok());
}
