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
    /// A record of so many bytes of JSON, or more, waits on.
    pub record_bytes_max: usize,
}

impl Default for BatchLimits {
    /// What the wire allows, with room for the heartbeat.
    fn default() -> Self {
        Self {
            records_max: BATCH_RECORDS_MAX,
            bytes_max: BATCH_BYTES_MAX - HEARTBEAT_BYTES,
            record_bytes_max: usize::MAX,
        }
    }
}

/// A batch of records that wait, and which rows they are.
#[derive(Debug, Default)]
pub struct Outgoing {
    batch: SyncBatch,
    /// Row numbers of `batch.inspections`, in the same order.
    inspections: Vec<u64>,
    bytes: usize,
    too_large: usize,
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

    /// Bytes of JSON of its records.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Records that were passed over because each alone is too large.
    #[must_use]
    pub fn too_large(&self) -> usize {
        self.too_large
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
    /// A record that alone is too large by `limits` waits on, and so does what
    /// speaks of it.
    ///
    /// Newest first, because after a week without signal the researcher wants
    /// to know how the trap is today; the server sorts by id.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) or [`Corrupt`](StoreError::Corrupt).
    pub fn outgoing(&self, limits: BatchLimits) -> Result<Outgoing, StoreError> {
        self.read(|connection| {
            let mut room = Room::of(limits);
            let outcome_bytes_max = room.leave_unread(connection)?;
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
                     WHERE record = 'waiting' AND is_measured = 1 ORDER BY seq DESC"
                ),
                |row| self.capture_record(row),
            )?;
            let sent: Vec<_> = captures.iter().map(|it| it.id.seq.to_string()).collect();
            let sent = sent.join(", ");
            let numbered = room.fill(
                connection,
                &format!(
                    "SELECT {INSPECTION_COLUMNS}, seq FROM inspections AS waiting
                     WHERE record = 'waiting' AND EXISTS (
                         SELECT 1 FROM captures
                         WHERE captures.seq = waiting.capture
                           AND (captures.record = 'stored' OR captures.seq IN ({sent})))
                       AND octet_length(outcome) < {outcome_bytes_max}
                     ORDER BY seq DESC"
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
                           AND captures.seq NOT IN ({sent}))
                     ORDER BY seq DESC"
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
                bytes: room.bytes,
                too_large: room.too_large,
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
    record_bytes_max: usize,
    bytes_left: usize,
    /// Bytes that were taken.
    bytes: usize,
    /// Records that were passed over.
    too_large: usize,
}

impl Room {
    fn of(limits: BatchLimits) -> Self {
        Self {
            records_max: limits.records_max.min(BATCH_RECORDS_MAX),
            record_bytes_max: limits.record_bytes_max,
            bytes_left: limits.bytes_max,
            bytes: 0,
            too_large: 0,
        }
    }

    /// Passes over the waiting inspections whose outcome alone is too large,
    /// without reading it; gives the bytes from which that is so.
    fn leave_unread(&mut self, connection: &Connection) -> Result<i64, Halt> {
        let outcome_bytes_max = i64::try_from(self.record_bytes_max).unwrap_or(i64::MAX);
        if outcome_bytes_max < i64::MAX {
            let sql = "SELECT count(*) FROM inspections
                       WHERE record = 'waiting' AND octet_length(outcome) >= ?1";
            self.too_large = connection.query_row(sql, [outcome_bytes_max], |row| row.get(0))?;
        }
        Ok(outcome_bytes_max)
    }

    /// Takes rows from the start of a query while they fit. One record is
    /// taken into an empty batch whatever else there is room for, so that none
    /// can block the rest.
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
            if bytes >= self.record_bytes_max {
                self.too_large = self.too_large.saturating_add(1);
                continue;
            }
            if bytes > self.bytes_left && self.bytes > 0 {
                break;
            }
            self.bytes_left = self.bytes_left.saturating_sub(bytes);
            self.bytes = self.bytes.saturating_add(bytes);
            taken.push(next);
        }
        Ok(taken)
    }
}
