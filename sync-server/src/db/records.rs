//! Records of a batch, each stored once: a second arrival with the same
//! content counts as stored, one with another content is a conflict.

use super::{Db, batches, models, parse, pictures, text_of, tracks, updates};
use crate::ingest::{Batch, Incoming};
use crate::problem::Failure;
use rusqlite::{Connection, OptionalExtension as _, Transaction, named_params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use trapline_wire::Sha256;
use trapline_wire::v1::{
    CaptureRecord, EffortOutcome, EffortRecord, Heartbeat, InspectionOutcome, InspectionRecord,
    ReadingRecord, Receipt, RecordKind, Refusal, RefusalReason, SyncReply, TrackRecord,
};

/// Heartbeats kept of each trap.
const HEARTBEATS_MAX: i64 = 1_000;

impl Db {
    /// Stores a batch in one transaction and answers for every record of it.
    pub(crate) fn store_batch(
        &mut self,
        trap: i64,
        batch: &Batch,
        name: &Sha256,
        now_ms: i64,
    ) -> Result<SyncReply, Failure> {
        let transaction = self.write()?;
        let mut tally = Tally::default();
        transaction
            .prepare_cached("UPDATE traps SET last_contact_ms = :now WHERE number = :trap")?
            .execute(named_params! { ":now": now_ms, ":trap": trap })?;
        if let Some(heartbeat) = &batch.heartbeat {
            store_heartbeat(&transaction, trap, heartbeat, now_ms)?;
        }
        store_all(&transaction, trap, &batch.effort, &mut tally)?;
        store_all(&transaction, trap, &batch.readings, &mut tally)?;
        store_all(&transaction, trap, &batch.captures, &mut tally)?;
        store_all(&transaction, trap, &batch.inspections, &mut tally)?;
        store_tracks(&transaction, trap, &batch.tracks, &mut tally)?;
        let receipts = receipts(&transaction, trap, &batch.captures)?;
        let model = models::offer_for(&transaction, trap, batch.heartbeat.as_ref())?;
        let update = updates::offer_for(&transaction, trap, batch.heartbeat.as_ref())?;
        let unfinished = unfinished(&transaction, trap)?;
        let reply = SyncReply {
            server_time_ms: now_ms,
            stored: tally.stored,
            refused: tally.refused,
            receipts,
            model,
            update,
            unfinished: Some(unfinished),
        };
        if batch.has_records() {
            batches::keep(&transaction, trap, name, &reply)?;
        }
        transaction.commit()?;
        Ok(reply)
    }
}

#[derive(Default)]
struct Tally {
    stored: u64,
    refused: Vec<Refusal>,
}

/// A kind of record that is stored once under its name.
trait Record: Serialize + DeserializeOwned + PartialEq {
    const KIND: RecordKind;
    fn id(&self) -> String;
    /// What is stored under this record's name, as text, or that it has no place.
    fn known(&self, connection: &Connection, trap: i64) -> Result<Known, Failure>;
    fn insert(&self, connection: &Connection, place: i64, text: &str) -> Result<(), Failure>;
    /// Whether `known` is this record, perhaps as a version heard it that knew less of it.
    fn is(&self, known: &Self) -> bool {
        self == known
    }
}

enum Known {
    /// Nothing is stored under the name; insert it under this number.
    Nothing {
        place: i64,
    },
    Stored(String),
    NoSuchCapture,
}

fn store_all<R: Record>(
    transaction: &Transaction<'_>,
    trap: i64,
    records: &[Incoming<R>],
    tally: &mut Tally,
) -> Result<(), Failure> {
    for incoming in records {
        match incoming {
            Incoming::Refused(refusal) => tally.refused.push(refusal.clone()),
            Incoming::Fits(record) => match store(transaction, trap, record)? {
                None => tally.stored += 1,
                Some((reason, message)) => tally.refused.push(Refusal {
                    id: record.id(),
                    kind: R::KIND,
                    reason,
                    message: message.to_owned(),
                }),
            },
        }
    }
    Ok(())
}

/// Tracks are told again and again, so their newest revision is kept.
fn store_tracks(
    transaction: &Transaction<'_>,
    trap: i64,
    records: &[Incoming<TrackRecord>],
    tally: &mut Tally,
) -> Result<(), Failure> {
    for incoming in records {
        match incoming {
            Incoming::Refused(refusal) => tally.refused.push(refusal.clone()),
            Incoming::Fits(record) => match tracks::store(transaction, trap, record)? {
                None => tally.stored += 1,
                Some((reason, message)) => tally.refused.push(Refusal {
                    id: record.id.to_string(),
                    kind: RecordKind::Track,
                    reason,
                    message: message.to_owned(),
                }),
            },
        }
    }
    Ok(())
}

/// Stores one record once; `Some` is why not.
fn store<R: Record>(
    connection: &Connection,
    trap: i64,
    record: &R,
) -> Result<Option<(RefusalReason, &'static str)>, Failure> {
    let text = text_of(record)?;
    match record.known(connection, trap)? {
        Known::Nothing { place } => {
            record.insert(connection, place, &text)?;
            Ok(None)
        }
        // Compared as values when the texts differ, because a later version may write
        // the same record with one more field.
        Known::Stored(known) if known == text || record.is(&parse(&known)?) => Ok(None),
        Known::Stored(_) => Ok(Some((
            RefusalReason::Conflict,
            "this name is taken by a record with another content",
        ))),
        Known::NoSuchCapture => Ok(Some((
            RefusalReason::UnknownCapture,
            "send the capture first, in this batch or an earlier one",
        ))),
    }
}

fn known_by_id(connection: &Connection, sql: &str, trap: i64, id: &str) -> Result<Known, Failure> {
    let known: Option<String> = connection
        .prepare_cached(sql)?
        .query_row(named_params! { ":trap": trap, ":id": id }, |row| row.get(0))
        .optional()?;
    Ok(known.map_or(Known::Nothing { place: trap }, Known::Stored))
}

impl Record for EffortRecord {
    const KIND: RecordKind = RecordKind::Effort;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn known(&self, connection: &Connection, trap: i64) -> Result<Known, Failure> {
        let sql = "SELECT record FROM effort WHERE trap = :trap AND id = :id";
        known_by_id(connection, sql, trap, &self.id())
    }

    fn insert(&self, connection: &Connection, place: i64, text: &str) -> Result<(), Failure> {
        connection
            .prepare_cached(
                "INSERT INTO effort (trap, id, due_ms, last_due_ms, missed, record)
                 VALUES (:trap, :id, :due, :last_due, :missed, :record)",
            )?
            .execute(named_params! {
                ":trap": place,
                ":id": self.id(),
                ":due": self.due_ms,
                ":last_due": self.last_due_ms,
                ":missed": matches!(self.outcome, EffortOutcome::Missed { .. }),
                ":record": text,
            })?;
        Ok(())
    }
}

impl Record for ReadingRecord {
    const KIND: RecordKind = RecordKind::Reading;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn known(&self, connection: &Connection, trap: i64) -> Result<Known, Failure> {
        let sql = "SELECT record FROM readings WHERE trap = :trap AND id = :id";
        known_by_id(connection, sql, trap, &self.id())
    }

    fn insert(&self, connection: &Connection, place: i64, text: &str) -> Result<(), Failure> {
        connection
            .prepare_cached(
                "INSERT INTO readings (trap, id, taken_ms, record)
                 VALUES (:trap, :id, :taken, :record)",
            )?
            .execute(named_params! {
                ":trap": place,
                ":id": self.id(),
                ":taken": self.stamp.unix_ms,
                ":record": text,
            })?;
        Ok(())
    }
}

impl Record for CaptureRecord {
    const KIND: RecordKind = RecordKind::Capture;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn known(&self, connection: &Connection, trap: i64) -> Result<Known, Failure> {
        let sql = "SELECT record FROM captures WHERE trap = :trap AND id = :id";
        known_by_id(connection, sql, trap, &self.id())
    }

    fn insert(&self, connection: &Connection, place: i64, text: &str) -> Result<(), Failure> {
        connection
            .prepare_cached(
                "INSERT INTO captures (trap, id, taken_ms, sha256, flawed, record)
                 VALUES (:trap, :id, :taken, :sha256, :flawed, :record)",
            )?
            .execute(named_params! {
                ":trap": place,
                ":id": self.id(),
                ":taken": self.stamp.unix_ms,
                ":sha256": self.picture.sha256.as_bytes(),
                ":flawed": !self.flaws().is_empty(),
                ":record": text,
            })?;
        connection
            .prepare_cached("UPDATE traps SET captures = captures + 1 WHERE number = :trap")?
            .execute(named_params! { ":trap": place })?;
        Ok(())
    }

    /// A trap tells a capture again when the answer got lost, perhaps after this
    /// server learned to keep more of it: what was not kept then is no conflict.
    fn is(&self, known: &Self) -> bool {
        let mut known = known.clone();
        if known.cause.is_none() {
            known.cause = self.cause;
        }
        if known.shot.is_none() {
            known.shot.clone_from(&self.shot);
        }
        if known.quality.is_none() {
            known.quality.clone_from(&self.quality);
        }
        known == *self
    }
}

impl Record for InspectionRecord {
    const KIND: RecordKind = RecordKind::Inspection;

    fn id(&self) -> String {
        self.capture.to_string()
    }

    fn known(&self, connection: &Connection, trap: i64) -> Result<Known, Failure> {
        let capture: Option<i64> = connection
            .prepare_cached("SELECT number FROM captures WHERE trap = :trap AND id = :id")?
            .query_row(named_params! { ":trap": trap, ":id": self.id() }, |row| {
                row.get(0)
            })
            .optional()?;
        let Some(capture) = capture else {
            return Ok(Known::NoSuchCapture);
        };
        let known: Option<String> = connection
            .prepare_cached(
                "SELECT record FROM inspections
                 WHERE capture = :capture AND model_id = :model AND model_sha256 = :sha256",
            )?
            .query_row(
                named_params! {
                    ":capture": capture,
                    ":model": self.model.id,
                    ":sha256": self.model.sha256.as_bytes(),
                },
                |row| row.get(0),
            )
            .optional()?;
        Ok(known.map_or(Known::Nothing { place: capture }, Known::Stored))
    }

    fn insert(&self, connection: &Connection, place: i64, text: &str) -> Result<(), Failure> {
        connection
            .prepare_cached(
                "INSERT INTO inspections (capture, model_id, model_sha256, record)
                 VALUES (:capture, :model, :sha256, :record)",
            )?
            .execute(named_params! {
                ":capture": place,
                ":model": self.model.id,
                ":sha256": self.model.sha256.as_bytes(),
                ":record": text,
            })?;
        let (gave_up, is_poor) = match &self.outcome {
            InspectionOutcome::Seen { look, .. } => {
                (None, look.as_ref().is_some_and(|look| look.is_poor))
            }
            InspectionOutcome::GaveUp { reason, .. } => (Some(reason), false),
        };
        connection
            .prepare_cached(
                "UPDATE captures SET insects = :insects, gave_up = :gave_up, poor = :poor
                 WHERE number = :capture",
            )?
            .execute(named_params! {
                ":insects": insects(self),
                ":gave_up": gave_up,
                ":poor": is_poor,
                ":capture": place,
            })?;
        Ok(())
    }
}

/// Boxes at or over the model's threshold; `None` when it gave up.
fn insects(record: &InspectionRecord) -> Option<i64> {
    let InspectionOutcome::Seen { detections, .. } = &record.outcome else {
        return None;
    };
    let sure = detections
        .iter()
        .filter(|detection| detection.score >= record.model.threshold);
    i64::try_from(sure.count()).ok()
}

fn store_heartbeat(
    transaction: &Transaction<'_>,
    trap: i64,
    heartbeat: &Heartbeat,
    now_ms: i64,
) -> Result<(), Failure> {
    transaction
        .prepare_cached(
            "INSERT INTO heartbeats (trap, received_ms, record) VALUES (:trap, :now, :record)",
        )?
        .execute(named_params! {
            ":trap": trap,
            ":now": now_ms,
            ":record": text_of(heartbeat)?,
        })?;
    transaction
        .prepare_cached(
            "DELETE FROM heartbeats WHERE trap = :trap AND number <=
                 (SELECT number FROM heartbeats WHERE trap = :trap
                  ORDER BY number DESC LIMIT 1 OFFSET :kept)",
        )?
        .execute(named_params! { ":trap": trap, ":kept": HEARTBEATS_MAX })?;
    Ok(())
}

/// Receipts for those pictures of the captures that are stored as the captures say.
/// The pictures of which unfinished uploads of the trap lie here.
fn unfinished(connection: &Connection, trap: i64) -> Result<Vec<Sha256>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT sha256 FROM uploads
         WHERE trap = :trap AND state = 'open' AND sha256 IS NOT NULL",
    )?;
    let rows = statement.query_map(named_params! { ":trap": trap }, |row| {
        row.get(0).map(Sha256::from_bytes)
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn receipts(
    connection: &Connection,
    trap: i64,
    captures: &[Incoming<CaptureRecord>],
) -> Result<Vec<Receipt>, Failure> {
    let mut found = Vec::new();
    for incoming in captures {
        if let Incoming::Fits(capture) = incoming
            && let Some(receipt) = pictures::receipt(connection, trap, &capture.picture.sha256)?
            && receipt.size_bytes == capture.picture.size_bytes
            && !found.contains(&receipt)
        {
            found.push(receipt);
        }
    }
    Ok(found)
}
