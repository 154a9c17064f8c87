//! The ledger in numbers, for heartbeat, status and screen.

use crate::error::{Halt, StoreError};
use crate::ledger::View;
use crate::ledger::rows::{CAPTURE_COLUMNS, parse_word};
use rusqlite::Connection;
use std::collections::BTreeMap;
use trapline_wire::CaptureId;
use trapline_wire::v1::{MissReason, Stamp};

/// The ledger in numbers; "since" means since the moment that the caller named.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Summary {
    /// Captures ever admitted.
    pub captures: u64,
    /// Captures taken since.
    pub captures_since: u64,
    /// Shots ever missed.
    pub missed: u64,
    /// Shots missed since, by reason.
    pub missed_since: BTreeMap<MissReason, u64>,
    /// Captures that the detector has looked at.
    pub inspected: u64,
    /// Captures that it gave up.
    pub gave_up: u64,
    /// Captures that wait for it.
    pub inspections_waiting: u64,
    /// Records of all kinds that the server does not have yet.
    pub records_waiting: u64,
    /// Records of all kinds that the server will never take.
    pub records_refused: u64,
    /// Pictures that are on the card alone.
    pub pictures_waiting: u64,
    /// Their bytes.
    pub pictures_waiting_bytes: u64,
    /// Pictures on the card that the server has too.
    pub pictures_safe: u64,
    /// Pictures that the card has spoilt before the server had them.
    pub pictures_damaged: u64,
    /// Pictures that were removed from the card after the server had them.
    pub pictures_pruned: u64,
    /// The newest capture.
    pub last_capture: Option<LastCapture>,
}

/// The newest capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastCapture {
    /// Which one.
    pub id: CaptureId,
    /// When it was taken.
    pub stamp: Stamp,
    /// Boxes at or over the model's threshold in it; `None` when it was not (or not yet) looked at.
    pub insects: Option<u64>,
}

/// Tables whose rows are sent.
const SENT_TABLES: [&str; 5] = ["effort", "readings", "captures", "inspections", "tracks"];

impl View {
    /// The ledger in numbers. `since_ms` is compared with the trap's own believed time.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) or [`Corrupt`](StoreError::Corrupt).
    pub fn summary(&self, since_ms: i64) -> Result<Summary, StoreError> {
        self.read(|connection| {
            let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, u64>(0));
            let mut summary = Summary {
                captures: count("SELECT coalesce(max(seq), 0) FROM captures")?,
                captures_since: connection.query_row(
                    "SELECT count(*) FROM captures WHERE unix_ms >= ?1",
                    [since_ms],
                    |row| row.get(0),
                )?,
                missed: count(
                    "SELECT coalesce(sum(shots), 0) FROM effort WHERE outcome = 'missed'",
                )?,
                missed_since: missed_since(connection, since_ms)?,
                gave_up: count("SELECT count(*) FROM inspections WHERE insects IS NULL")?,
                inspections_waiting: count(
                    "SELECT count(*) FROM captures WHERE inspection = 'fresh'",
                )?,
                last_capture: self.last_capture(connection)?,
                ..Summary::default()
            };
            summary.inspected = summary
                .captures
                .saturating_sub(summary.inspections_waiting)
                .saturating_sub(summary.gave_up);
            for table in SENT_TABLES {
                summary.records_waiting += count(&format!(
                    "SELECT count(*) FROM {table} WHERE record = 'waiting'"
                ))?;
                summary.records_refused += count(&format!(
                    "SELECT count(*) FROM {table} WHERE record = 'refused'"
                ))?;
            }
            count_pictures(connection, &mut summary)?;
            Ok(summary)
        })
    }

    fn last_capture(&self, connection: &Connection) -> Result<Option<LastCapture>, Halt> {
        let mut statement = connection.prepare(&format!(
            "SELECT {CAPTURE_COLUMNS},
                    (SELECT insects FROM inspections
                     WHERE capture = captures.seq ORDER BY inspections.seq DESC LIMIT 1)
             FROM captures ORDER BY seq DESC LIMIT 1"
        ))?;
        let mut rows = statement.query([])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let record = self.capture_record(row)?;
        Ok(Some(LastCapture {
            id: record.id,
            stamp: record.stamp,
            insects: row.get(15)?,
        }))
    }
}

fn missed_since(connection: &Connection, since_ms: i64) -> Result<BTreeMap<MissReason, u64>, Halt> {
    let mut statement = connection.prepare(
        "SELECT reason, sum(shots) FROM effort
         WHERE outcome = 'missed' AND last_due_ms >= ?1 GROUP BY reason",
    )?;
    let mut rows = statement.query([since_ms])?;
    let mut missed = BTreeMap::new();
    while let Some(row) = rows.next()? {
        missed.insert(parse_word(row, 0, MissReason::from_word)?, row.get(1)?);
    }
    Ok(missed)
}

fn count_pictures(connection: &Connection, summary: &mut Summary) -> Result<(), Halt> {
    let mut statement = connection.prepare(
        "SELECT picture, count(*), sum(size_bytes) FROM captures
         WHERE picture <> 'pruned' GROUP BY picture",
    )?;
    let mut rows = statement.query([])?;
    let mut kept = 0;
    while let Some(row) = rows.next()? {
        let state: String = row.get(0)?;
        let pictures: u64 = row.get(1)?;
        kept += pictures;
        match state.as_str() {
            "on_card" => {
                summary.pictures_waiting = pictures;
                summary.pictures_waiting_bytes = row.get(2)?;
            }
            "damaged" => summary.pictures_damaged = pictures,
            _ => summary.pictures_safe = pictures,
        }
    }
    summary.pictures_pruned = summary.captures.saturating_sub(kept);
    Ok(())
}
