//! The ledger to read through, page by page, for exports and for people.

use crate::error::{Halt, StoreError};
use crate::ledger::View;
use crate::ledger::rows::{
    CAPTURE_COLUMNS, EFFORT_COLUMNS, INSPECTION_COLUMNS, READING_COLUMNS, TRACK_COLUMNS, parse_word,
};
use rusqlite::Row;
use trapline_wire::v1::{
    CaptureRecord, EffortOutcome, EffortRecord, InspectionRecord, MissReason, ReadingRecord,
    TrackRecord,
};
use trapline_wire::{CaptureId, EffortId, ReadingId, TrackId};

/// Where a record is on its way to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordState {
    /// It waits for its turn or for the reply.
    Waiting,
    /// The server said that it has it.
    Stored,
    /// The server will never take it, for this reason.
    Refused(String),
}

/// Where a picture is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PictureState {
    /// On the card alone.
    OnCard,
    /// The card no longer holds what was admitted, for this reason, and the
    /// server never had it.
    Damaged(String),
    /// On the card, and the server has proved that it holds it.
    Safe,
    /// On the server; removed from the card.
    Pruned,
}

/// How far the detector is with a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InspectionState {
    /// It waits for the detector.
    Fresh,
    /// The whole picture was looked at.
    Seen,
    /// It cannot be looked at.
    GaveUp,
}

/// A capture with everything that the ledger knows of it.
#[derive(Debug, Clone, PartialEq)]
pub struct CaptureRow {
    /// The capture as it is sent.
    pub record: CaptureRecord,
    /// Whether the server has the record.
    pub record_state: RecordState,
    /// Where the picture is.
    pub picture: PictureState,
    /// How often the upload of the picture failed.
    pub picture_attempts: u32,
    /// When the server stored the picture, in its own time.
    pub received_ms: Option<i64>,
    /// How far the detector is.
    pub inspection: InspectionState,
    /// How many looks were started.
    pub inspection_attempts: u32,
}

/// A closed row of the effort ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffortRow {
    /// The row as it is sent.
    pub record: EffortRecord,
    /// Whether the server has it.
    pub record_state: RecordState,
}

/// A set of readings.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadingRow {
    /// The readings as they are sent.
    pub record: ReadingRecord,
    /// Whether the server has them.
    pub record_state: RecordState,
}

/// What one model made of one capture.
#[derive(Debug, Clone, PartialEq)]
pub struct InspectionRow {
    /// The inspection as it is sent.
    pub record: InspectionRecord,
    /// Boxes at or over the model's threshold; `None` when it was given up.
    pub insects: Option<u64>,
    /// Whether the server has it.
    pub record_state: RecordState,
}

/// One insect, as it was last told.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackRow {
    /// The track as it is sent.
    pub record: TrackRecord,
    /// Whether the server has this revision.
    pub record_state: RecordState,
}

impl View {
    /// Up to `limit` captures after `after` in the order of their numbers;
    /// `None` starts at the first, an empty list is the end.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) or [`Corrupt`](StoreError::Corrupt).
    pub fn captures(
        &self,
        after: Option<CaptureId>,
        limit: u32,
    ) -> Result<Vec<CaptureRow>, StoreError> {
        let sql = format!(
            "SELECT {CAPTURE_COLUMNS}, record, refusal, picture, picture_note,
                    picture_attempts, received_ms, inspection, inspection_attempts
             FROM captures WHERE seq > ?1 ORDER BY seq LIMIT ?2"
        );
        self.page(&sql, after.map_or(0, |id| id.seq), limit, |row| {
            self.capture_row(row)
        })
    }

    /// One capture, `None` when this ledger has none of that id.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) or [`Corrupt`](StoreError::Corrupt).
    pub fn capture(&self, id: CaptureId) -> Result<Option<CaptureRow>, StoreError> {
        if id != self.capture_id(id.seq) || id.seq == 0 {
            return Ok(None);
        }
        let before = CaptureId::new(id.ledger, id.seq.saturating_sub(1));
        let found = self.captures(Some(before), 1)?;
        Ok(found.into_iter().find(|row| row.record.id == id))
    }

    /// What the models made of one capture, the oldest first.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) or [`Corrupt`](StoreError::Corrupt).
    pub fn inspections(&self, capture: CaptureId) -> Result<Vec<InspectionRow>, StoreError> {
        let sql = format!(
            "SELECT {INSPECTION_COLUMNS}, record, refusal, insects
             FROM inspections WHERE capture = ?1 ORDER BY seq LIMIT ?2"
        );
        self.page(&sql, capture.seq, u32::MAX, |row| {
            Ok(InspectionRow {
                record: self.inspection_record(row)?,
                record_state: record_state(row, 10)?,
                insects: row.get(12)?,
            })
        })
    }

    /// Up to `limit` closed rows of the effort ledger after `after`; paging as
    /// in [`captures`](Self::captures). A shot that is open now is left out.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) or [`Corrupt`](StoreError::Corrupt).
    pub fn efforts(
        &self,
        after: Option<EffortId>,
        limit: u32,
    ) -> Result<Vec<EffortRow>, StoreError> {
        let sql = format!(
            "SELECT {EFFORT_COLUMNS}, record, refusal FROM effort
             WHERE seq > ?1 AND outcome <> 'open' ORDER BY seq LIMIT ?2"
        );
        self.page(&sql, after.map_or(0, |id| id.seq), limit, |row| {
            Ok(EffortRow {
                record: self.effort_record(row)?,
                record_state: record_state(row, 11)?,
            })
        })
    }

    /// How many shots were missed for this reason since the last picture was taken, as far as
    /// the newest `limit` rows of the effort ledger tell.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) or [`Corrupt`](StoreError::Corrupt).
    pub fn missed_since_picture(&self, reason: MissReason, limit: u32) -> Result<u32, StoreError> {
        let sql = format!(
            "SELECT {EFFORT_COLUMNS} FROM effort
             WHERE seq > ?1 AND outcome <> 'open' ORDER BY seq DESC LIMIT ?2"
        );
        let rows = self.page(&sql, 0, limit, |row| self.effort_record(row))?;
        let no_picture = rows
            .iter()
            .take_while(|record| !matches!(record.outcome, EffortOutcome::Done { .. }));
        let because = no_picture.filter(|record| {
            matches!(&record.outcome, EffortOutcome::Missed { reason: why, .. } if *why == reason)
        });
        Ok(because.map(|record| record.shots).sum())
    }

    /// Up to `limit` sets of readings after `after`; paging as in
    /// [`captures`](Self::captures).
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) or [`Corrupt`](StoreError::Corrupt).
    pub fn readings(
        &self,
        after: Option<ReadingId>,
        limit: u32,
    ) -> Result<Vec<ReadingRow>, StoreError> {
        let sql = format!(
            "SELECT {READING_COLUMNS}, record, refusal FROM readings
             WHERE seq > ?1 ORDER BY seq LIMIT ?2"
        );
        self.page(&sql, after.map_or(0, |id| id.seq), limit, |row| {
            Ok(ReadingRow {
                record: self.reading_record(row)?,
                record_state: record_state(row, 9)?,
            })
        })
    }

    /// Up to `limit` tracks after `after`; paging as in [`captures`](Self::captures).
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) or [`Corrupt`](StoreError::Corrupt).
    pub fn tracks(&self, after: Option<TrackId>, limit: u32) -> Result<Vec<TrackRow>, StoreError> {
        let sql = format!(
            "SELECT {TRACK_COLUMNS}, record, refusal FROM tracks
             WHERE seq > ?1 ORDER BY seq LIMIT ?2"
        );
        self.page(&sql, after.map_or(0, |id| id.seq), limit, |row| {
            Ok(TrackRow {
                record: self.track_record(row)?,
                record_state: record_state(row, 20)?,
            })
        })
    }

    fn page<T>(
        &self,
        sql: &str,
        from: u64,
        limit: u32,
        read: impl Fn(&Row<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<Vec<T>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare(sql)?;
            let rows = statement.query_map((from, limit), |row| read(row))?;
            rows.map(|row| row.map_err(Halt::from)).collect()
        })
    }

    fn capture_row(&self, row: &Row<'_>) -> Result<CaptureRow, rusqlite::Error> {
        let note: String = row.get(18)?;
        let received_ms: i64 = row.get(20)?;
        Ok(CaptureRow {
            record: self.capture_record(row)?,
            record_state: record_state(row, 15)?,
            picture: parse_word(row, 17, |word| match word {
                "on_card" => Some(PictureState::OnCard),
                "damaged" => Some(PictureState::Damaged(note)),
                "safe" => Some(PictureState::Safe),
                "pruned" => Some(PictureState::Pruned),
                _ => None,
            })?,
            picture_attempts: row.get(19)?,
            received_ms: (received_ms != 0).then_some(received_ms),
            inspection: parse_word(row, 21, |word| match word {
                "fresh" => Some(InspectionState::Fresh),
                "seen" => Some(InspectionState::Seen),
                "gave_up" => Some(InspectionState::GaveUp),
                _ => None,
            })?,
            inspection_attempts: row.get(22)?,
        })
    }
}

/// The state in `column`, with its reason in the next.
fn record_state(row: &Row<'_>, column: usize) -> Result<RecordState, rusqlite::Error> {
    let refusal: String = row.get(column + 1)?;
    parse_word(row, column, |word| match word {
        "waiting" => Some(RecordState::Waiting),
        "stored" => Some(RecordState::Stored),
        "refused" => Some(RecordState::Refused(refusal)),
        _ => None,
    })
}
