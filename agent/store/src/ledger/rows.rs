//! Rows to records and back: the words and columns of the schema, once.

use crate::ledger::View;
use rusqlite::types::Type;
use rusqlite::{Error, Row};
use trapline_wire::Sha256;
use trapline_wire::v1::{
    CaptureRecord, CaptureSource, ClockQuality, EffortOutcome, EffortRecord, InspectionRecord,
    MissReason, ModelRef, PictureRef, ReadingRecord, ShotCause, Stamp, TrackBox, TrackEnd,
    TrackOrigin, TrackRecord,
};

/// Columns that [`View::capture_record`] reads, from column 0.
pub(super) const CAPTURE_COLUMNS: &str = "seq, unix_ms, clock, boot_id, uptime_ms, \
     source, source_name, sha256, size_bytes, width_px, height_px, reading, cause, shot, quality";
/// Columns that [`View::effort_record`] reads, from column 0.
pub(super) const EFFORT_COLUMNS: &str = "seq, unix_ms, clock, boot_id, uptime_ms, \
     due_ms, last_due_ms, shots, capture, reason, detail";
/// Columns that [`View::reading_record`] reads, from column 0.
pub(super) const READING_COLUMNS: &str = "seq, unix_ms, clock, boot_id, uptime_ms, \
     temperature_c, humidity_percent, light_lux, battery_v";
/// Columns that [`View::inspection_record`] reads, from column 0.
pub(super) const INSPECTION_COLUMNS: &str = "capture, unix_ms, clock, boot_id, uptime_ms, \
     model, model_sha256, model_threshold, took_ms, outcome";
/// Columns that [`View::track_record`] reads, from column 0.
pub(super) const TRACK_COLUMNS: &str = "seq, revision, first, last, best, x_px, y_px, \
     width_px, height_px, score, class, model, model_sha256, model_threshold, seen, card, \
     origin, is_confirmed, could_be, end";

impl View {
    pub(super) fn capture_record(&self, row: &Row<'_>) -> Result<CaptureRecord, Error> {
        let name: String = row.get(6)?;
        let source = parse_word(row, 5, |word| match word {
            "camera" => Some(CaptureSource::Camera {
                model: name.clone(),
            }),
            "replayed" => Some(CaptureSource::Replayed {
                file_name: name.clone(),
            }),
            "simulated" => Some(CaptureSource::Simulated),
            _ => None,
        })?;
        let reading: Option<u64> = row.get(11)?;
        Ok(CaptureRecord {
            id: self.capture_id(row.get(0)?),
            stamp: stamp(row)?,
            source,
            picture: PictureRef {
                sha256: digest(row, 7)?,
                size_bytes: row.get(8)?,
                width_px: row.get(9)?,
                height_px: row.get(10)?,
            },
            reading: reading.map(|seq| self.reading_id(seq)),
            cause: optional_word(row, 12, ShotCause::from_word)?,
            shot: optional_word(row, 13, |json| serde_json::from_str(json).ok())?,
            quality: optional_word(row, 14, |json| serde_json::from_str(json).ok())?,
        })
    }

    pub(super) fn effort_record(&self, row: &Row<'_>) -> Result<EffortRecord, Error> {
        let capture: Option<u64> = row.get(8)?;
        let outcome = match capture {
            Some(seq) => EffortOutcome::Done {
                capture: self.capture_id(seq),
            },
            None => EffortOutcome::Missed {
                reason: parse_word(row, 9, MissReason::from_word)?,
                detail: row.get(10)?,
            },
        };
        Ok(EffortRecord {
            id: self.effort_id(row.get(0)?),
            due_ms: row.get(5)?,
            last_due_ms: row.get(6)?,
            shots: row.get(7)?,
            outcome,
            closed: stamp(row)?,
        })
    }

    pub(super) fn reading_record(&self, row: &Row<'_>) -> Result<ReadingRecord, Error> {
        Ok(ReadingRecord {
            id: self.reading_id(row.get(0)?),
            stamp: stamp(row)?,
            temperature_c: row.get(5)?,
            humidity_percent: row.get(6)?,
            light_lux: row.get(7)?,
            battery_v: row.get(8)?,
        })
    }

    pub(super) fn inspection_record(&self, row: &Row<'_>) -> Result<InspectionRecord, Error> {
        Ok(InspectionRecord {
            capture: self.capture_id(row.get(0)?),
            model: ModelRef {
                id: row.get(5)?,
                sha256: digest(row, 6)?,
                threshold: row.get(7)?,
            },
            stamp: stamp(row)?,
            took_ms: row.get(8)?,
            outcome: parse_word(row, 9, |json| serde_json::from_str(json).ok())?,
        })
    }

    pub(super) fn track_record(&self, row: &Row<'_>) -> Result<TrackRecord, Error> {
        let could_be: Option<u64> = row.get(18)?;
        Ok(TrackRecord {
            id: self.track_id(row.get(0)?),
            revision: row.get(1)?,
            first: self.capture_id(row.get(2)?),
            last: self.capture_id(row.get(3)?),
            best: self.capture_id(row.get(4)?),
            best_box: TrackBox {
                x_px: row.get(5)?,
                y_px: row.get(6)?,
                width_px: row.get(7)?,
                height_px: row.get(8)?,
            },
            score: row.get(9)?,
            class: row.get(10)?,
            model: ModelRef {
                id: row.get(11)?,
                sha256: digest(row, 12)?,
                threshold: row.get(13)?,
            },
            seen: row.get(14)?,
            card: row.get(15)?,
            origin: parse_word(row, 16, TrackOrigin::from_word)?,
            is_confirmed: row.get(17)?,
            could_be: could_be.map(|seq| self.track_id(seq)),
            end: optional_word(row, 19, TrackEnd::from_word)?,
        })
    }
}

/// The stamp in columns 1 to 4.
fn stamp(row: &Row<'_>) -> Result<Stamp, Error> {
    Ok(Stamp {
        unix_ms: row.get(1)?,
        quality: parse_word(row, 2, ClockQuality::from_word)?,
        boot_id: row.get(3)?,
        uptime_ms: row.get(4)?,
    })
}

pub(super) fn digest(row: &Row<'_>, column: usize) -> Result<Sha256, Error> {
    row.get(column).map(Sha256::from_bytes)
}

/// A text column that is empty or one of the words that `parse` knows.
fn optional_word<T>(
    row: &Row<'_>,
    column: usize,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Error> {
    let word: Option<String> = row.get(column)?;
    word.map(|_| parse_word(row, column, parse)).transpose()
}

/// A text column that must be one of the words that `parse` knows.
pub(super) fn parse_word<T>(
    row: &Row<'_>,
    column: usize,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, Error> {
    let word: String = row.get(column)?;
    parse(&word).ok_or_else(|| {
        let shown: String = word.chars().take(80).collect();
        let cause = format!("`{shown}` is no word of this column");
        Error::FromSqlConversionFailure(column, Type::Text, cause.into())
    })
}
