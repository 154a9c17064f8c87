//! Records on their way to the server. A record counts as sent only after the
//! reply to it was read.

use crate::error::{Halt, StoreError};
use crate::ledger::rows::{
    CAPTURE_COLUMNS, EFFORT_COLUMNS, INSPECTION_COLUMNS, READING_COLUMNS, TRACK_COLUMNS,
};
use crate::ledger::text::clip;
use crate::ledger::{Ledger, View};
use rusqlite::{Connection, Row, Transaction};
use serde::Serialize;
use trapline_wire::limits::{BATCH_BYTES_MAX, BATCH_RECORDS_MAX};
use trapline_wire::v1::{Heartbeat, RecordKind, Refusal, SyncBatch};

/// Bytes of a batch that stay free for the heartbeat and the JSON around the lists.
const HEARTBEAT_BYTES: usize = 64 * 1024;

/// How much one batch may hold. A smaller batch gets through a worse link, and
/// a batch of one finds the record that a server cannot digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// Records of each kind.
    pub records_max: usize,
    /// Bytes of JSON of all records together.
    pub bytes_max: usize,
}

impl Default for BatchLimits {
    /// What the wire allows, with room for the heartbeat.
    fn default() -> Self {
        Self {
            records_max: BATCH_RECORDS_MAX,
            bytes_max: BATCH_BYTES_MAX - HEARTBEAT_BYTES,
        }
    }
}

/// A batch of records that wait, and which rows they are.
#[derive(Debug)]
pub struct Outgoing {
    batch: SyncBatch,
    /// Row numbers of `batch.inspections`, in the same order.
    inspections: Vec<u64>,
}

impl Outgoing {
    /// What to send.
    #[must_use]
    pub fn batch(&self) -> &SyncBatch {
        &self.batch
    }

    /// Whether no record waits; a heartbeat alone may still be worth sending.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.batch.records() == 0
    }

    /// Puts the heartbeat into the batch.
    #[must_use]
    pub fn with_heartbeat(mut self, heartbeat: Heartbeat) -> Self {
        self.batch.heartbeat = Some(heartbeat);
        self
    }
}

impl View {
    /// The records that the server does not have yet, as many as fit: effort
    /// first, then captures, inspections and tracks of captures that the server
    /// has or gets with them, and readings, each list newest first.
    ///
    /// Newest first, because after a week without signal the researcher wants
    /// to know how the trap is today; the server sorts by id.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) or [`Corrupt`](StoreError::Corrupt).
    pub fn outgoing(&self, limits: BatchLimits) -> Result<Outgoing, StoreError> {
        self.read(|connection| {
            let mut room = Room::of(limits);
            let effort = room.fill(
                connection,
                &format!(
                    "SELECT {EFFORT_COLUMNS} FROM effort
                     WHERE record = 'waiting' AND outcome <> 'open' ORDER BY seq DESC"
                ),
                |row| self.effort_record(row),
            )?;
            let captures = room.fill(
                connection,
                &format!(
                    "SELECT {CAPTURE_COLUMNS} FROM captures
                     WHERE record = 'waiting' ORDER BY seq DESC"
                ),
                |row| self.capture_record(row),
            )?;
            let oldest_sent = captures.last().map_or(u64::MAX, |capture| capture.id.seq);
            // Captures go newest first, so those of this batch are all from `oldest_sent` on.
            let numbered = room.fill(
                connection,
                &format!(
                    "SELECT {INSPECTION_COLUMNS}, seq FROM inspections AS waiting
                     WHERE record = 'waiting' AND EXISTS (
                         SELECT 1 FROM captures
                         WHERE captures.seq = waiting.capture
                           AND (captures.record = 'stored' OR (captures.record = 'waiting'
                                AND captures.seq >= {})))
                     ORDER BY seq DESC",
                    i64::try_from(oldest_sent).unwrap_or(i64::MAX)
                ),
                |row| Ok((self.inspection_record(row)?, row.get::<_, u64>(10)?)),
            )?;
            let tracks = room.fill(
                connection,
                &format!(
                    "SELECT {TRACK_COLUMNS} FROM tracks
                     WHERE record = 'waiting' AND NOT EXISTS (
                         SELECT 1 FROM captures
                         WHERE captures.seq IN (tracks.first, tracks.last, tracks.best)
                           AND captures.record <> 'stored'
                           AND NOT (captures.record = 'waiting' AND captures.seq >= {}))
                     ORDER BY seq DESC",
                    i64::try_from(oldest_sent).unwrap_or(i64::MAX)
                ),
                |row| self.track_record(row),
            )?;
            let readings = room.fill(
                connection,
                &format!(
                    "SELECT {READING_COLUMNS} FROM readings
                     WHERE record = 'waiting' ORDER BY seq DESC"
                ),
                |row| self.reading_record(row),
            )?;
            let (inspections, numbers) = numbered.into_iter().unzip();
            Ok(Outgoing {
                batch: SyncBatch {
                    heartbeat: None,
                    effort,
                    readings,
                    captures,
                    inspections,
                    tracks,
                },
                inspections: numbers,
            })
        })
    }
}

impl Ledger {
    /// Writes down that the server has the records of a batch, all in one
    /// transaction. Those it `refused` are set aside with the reason and not
    /// sent again; refusals of records that were not in the batch are ignored.
    ///
    /// # Errors
    /// [`Full`](StoreError::Full) or [`Io`](StoreError::Io) when the card
    /// refuses; the records are then sent again, which does no harm.
    pub fn mark_records_stored(
        &mut self,
        sent: &Outgoing,
        refused: &[Refusal],
    ) -> Result<(), StoreError> {
        if sent.is_empty() {
            return Ok(());
        }
        self.write(|transaction| {
            let mark = |table: &str, seq: u64, refusal: Option<&Refusal>| {
                mark_record(transaction, table, seq, refusal)
            };
            let refusal_of = |kind: RecordKind, id: String| {
                refused
                    .iter()
                    .find(|refusal| refusal.kind == kind && refusal.id == id)
            };
            for record in &sent.batch.effort {
                let refusal = refusal_of(RecordKind::Effort, record.id.to_string());
                mark("effort", record.id.seq, refusal)?;
            }
            for record in &sent.batch.readings {
                let refusal = refusal_of(RecordKind::Reading, record.id.to_string());
                mark("readings", record.id.seq, refusal)?;
            }
            for record in &sent.batch.captures {
                let refusal = refusal_of(RecordKind::Capture, record.id.to_string());
                mark("captures", record.id.seq, refusal)?;
                if refusal.is_some() {
                    refuse_inspections(transaction, record.id.seq)?;
                    refuse_tracks(transaction, record.id.seq)?;
                }
            }
            for (record, seq) in sent.batch.inspections.iter().zip(&sent.inspections) {
                let refusal = refusal_of(RecordKind::Inspection, record.capture.to_string());
                mark("inspections", *seq, refusal)?;
            }
            for record in &sent.batch.tracks {
                let refusal = refusal_of(RecordKind::Track, record.id.to_string());
                // A track that was told anew since the batch was made still waits.
                if is_revision(transaction, record.id.seq, record.revision)? {
                    mark("tracks", record.id.seq, refusal)?;
                }
            }
            Ok(())
        })
    }
}

fn mark_record(
    transaction: &Transaction<'_>,
    table: &str,
    seq: u64,
    refusal: Option<&Refusal>,
) -> Result<(), Halt> {
    let (state, reason) = match refusal {
        None => ("stored", String::new()),
        Some(refusal) => ("refused", clip(&refusal.message)),
    };
    transaction.execute(
        &format!(
            "UPDATE {table} SET record = ?2, refusal = ?3 WHERE seq = ?1 AND record = 'waiting'"
        ),
        (seq, state, reason),
    )?;
    Ok(())
}

/// The server takes no inspection of a capture that it refused.
fn refuse_inspections(transaction: &Transaction<'_>, capture: u64) -> Result<(), Halt> {
    transaction.execute(
        "UPDATE inspections SET record = 'refused', refusal = 'its capture was refused'
         WHERE capture = ?1 AND record = 'waiting'",
        [capture],
    )?;
    Ok(())
}

/// The server takes no track of a capture that it refused.
fn refuse_tracks(transaction: &Transaction<'_>, capture: u64) -> Result<(), Halt> {
    transaction.execute(
        "UPDATE tracks SET record = 'refused', refusal = 'one of its captures was refused'
         WHERE ?1 IN (first, last, best) AND record = 'waiting'",
        [capture],
    )?;
    Ok(())
}

fn is_revision(transaction: &Transaction<'_>, seq: u64, revision: u32) -> Result<bool, Halt> {
    let mut statement =
        transaction.prepare("SELECT count(*) FROM tracks WHERE seq = ?1 AND revision = ?2")?;
    let found: u64 = statement.query_row((seq, revision), |row| row.get(0))?;
    Ok(found == 1)
}

/// What is left of a batch while it is filled.
struct Room {
    records_max: usize,
    bytes_left: usize,
    is_empty: bool,
}

impl Room {
    fn of(limits: BatchLimits) -> Self {
        Self {
            records_max: limits.records_max.min(BATCH_RECORDS_MAX),
            bytes_left: limits.bytes_max,
            is_empty: true,
        }
    }

    /// Takes rows from the start of a query while they fit. One record is
    /// taken into an empty batch whatever its size, so that none can block the rest.
    fn fill<T: Serialize>(
        &mut self,
        connection: &Connection,
        sql: &str,
        record: impl Fn(&Row<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<Vec<T>, Halt> {
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        let mut taken = Vec::new();
        while taken.len() < self.records_max
            && let Some(row) = rows.next()?
        {
            let next = record(row)?;
            let bytes = serde_json::to_string(&next).map_or(usize::MAX, |json| json.len() + 1);
            if bytes > self.bytes_left && !self.is_empty {
                break;
            }
            self.bytes_left = self.bytes_left.saturating_sub(bytes);
            self.is_empty = false;
            taken.push(next);
        }
        Ok(taken)
    }
}
