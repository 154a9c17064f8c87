//! The pages of the database: small ones in a new ledger, and an older ledger goes on with its own.

use crate::trap::{Trap, stamp};
use rusqlite::Connection;
use trapline_store::{BatchLimits, Span};
use trapline_wire::v1::MissReason;

fn number(trap: &Trap, sql: &str) -> u64 {
    let connection = Connection::open(trap.path().join("ledger.sqlite")).unwrap();
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn slot(minute: i64) -> Span {
    Span {
        due_ms: stamp(minute).unix_ms,
        last_due_ms: stamp(minute).unix_ms,
        shots: 1,
    }
}

#[test]
fn a_new_ledger_has_small_pages() {
    let mut trap = Trap::new();
    drop(trap.open().unwrap());
    assert_eq!(number(&trap, "PRAGMA page_size"), 1024);
    drop(trap.open().unwrap());
    assert_eq!(number(&trap, "PRAGMA page_size"), 1024);
}

#[test]
fn an_older_ledger_keeps_its_pages_and_its_effort() {
    let mut trap = Trap::new();
    let connection = Connection::open(trap.path().join("ledger.sqlite")).unwrap();
    connection
        .execute_batch("PRAGMA page_size = 4096; PRAGMA journal_mode = WAL;")
        .unwrap();
    for schema in [
        include_str!("../../schema/0001.sql"),
        include_str!("../../schema/0002.sql"),
        include_str!("../../schema/0003.sql"),
        include_str!("../../schema/0004.sql"),
        include_str!("../../schema/0005.sql"),
        include_str!("../../schema/0006.sql"),
        include_str!("../../schema/0007.sql"),
        "INSERT INTO ledger VALUES (1, '7f3a9c21', 1, 'rtc', 'boot', 1);
         INSERT INTO captures (unix_ms, clock, boot_id, uptime_ms, source, source_name,
                               sha256, size_bytes, picture)
         VALUES (1000, 'rtc', 'boot', 1, 'simulated', '', zeroblob(32), 3, 'pruned');
         INSERT INTO effort (due_ms, last_due_ms, shots, outcome, capture, reason, detail,
                             unix_ms, clock, boot_id, uptime_ms, record)
         VALUES (1, 1, 1, 'done', 1, '', '', 1, 'rtc', 'boot', 1, 'stored'),
                (2, 2, 1, 'missed', NULL, 'camera', 'no answer', 2, 'rtc', 'boot', 2, 'waiting');
         PRAGMA application_id = 1416782192; PRAGMA user_version = 7;",
    ] {
        connection.execute_batch(schema).unwrap();
    }
    drop(connection);
    let (mut ledger, _) = trap.open().unwrap();
    let next = ledger
        .miss_span(slot(1), MissReason::Camera, "no answer", &stamp(1))
        .unwrap();
    assert_eq!(next.seq, 3);
    let outgoing = ledger.outgoing(BatchLimits::default()).unwrap();
    let waiting: Vec<_> = outgoing.batch().effort.iter().map(|it| it.id.seq).collect();
    assert_eq!(waiting, [3, 2]);
    assert_eq!(ledger.efforts(None, 10).unwrap().len(), 3);
    drop(ledger);
    assert_eq!(number(&trap, "PRAGMA page_size"), 4096);
    let broken = number(&trap, "SELECT count(*) FROM pragma_foreign_key_check");
    assert_eq!(broken, 0);
}
