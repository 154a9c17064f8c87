//! The rows that a shot leaves in the ledger: effort, reading and capture.

use super::{NewCapture, NewReading, Span};
use crate::error::{Halt, StoreError};
use crate::ledger::quality::Worth;
use crate::ledger::text::{clip_stamp, keep_quality, keep_shot, measured, source_words};
use rusqlite::{Transaction, params};
use trapline_wire::v1::{ShotCause, Stamp};
use trapline_wire::{CaptureId, Sha256};

/// A new row of the effort ledger.
pub(super) struct Slots {
    pub(super) span: Span,
    pub(super) outcome: &'static str,
    pub(super) reason: &'static str,
}

pub(super) fn insert_effort(
    transaction: &Transaction<'_>,
    slots: &Slots,
    detail: &str,
    now: &Stamp,
) -> Result<u64, Halt> {
    let now = clip_stamp(now);
    transaction
        .prepare_cached(
            "INSERT INTO effort (due_ms, last_due_ms, shots, outcome, reason, detail,
                             unix_ms, clock, boot_id, uptime_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            slots.span.due_ms,
            slots.span.last_due_ms,
            slots.span.shots,
            slots.outcome,
            slots.reason,
            detail,
            now.unix_ms,
            now.quality.word(),
            now.boot_id,
            now.uptime_ms
        ])?;
    last_seq(transaction)
}

pub(super) fn insert_reading(
    transaction: &Transaction<'_>,
    reading: &NewReading,
) -> Result<u64, Halt> {
    let stamp = clip_stamp(&reading.stamp);
    transaction
        .prepare_cached(
            "INSERT INTO readings (unix_ms, clock, boot_id, uptime_ms,
                               temperature_c, humidity_percent, light_lux, battery_v)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            stamp.unix_ms,
            stamp.quality.word(),
            stamp.boot_id,
            stamp.uptime_ms,
            measured(reading.temperature_c),
            measured(reading.humidity_percent),
            measured(reading.light_lux),
            measured(reading.battery_v)
        ])?;
    last_seq(transaction)
}

pub(super) fn insert_capture(
    transaction: &Transaction<'_>,
    id: CaptureId,
    capture: &NewCapture,
    (sha256, size_bytes): (Sha256, u64),
    reading: Option<u64>,
) -> Result<(), Halt> {
    let (source, source_name) = source_words(&capture.source);
    let refused = |error: serde_json::Error| {
        Halt::Rule(StoreError::Refused {
            what: format!("capture {id}"),
            reason: error.to_string(),
        })
    };
    let (quality, is_measured) = match &capture.worth {
        Worth::Later => (None, false),
        Worth::Known(quality) => (quality.as_ref(), true),
    };
    // A word of a newer version is none that this one could have been asked by.
    let cause = (capture.cause != ShotCause::Other).then(|| capture.cause.word());
    let stamp = clip_stamp(&capture.stamp);
    transaction
        .prepare_cached(
            "INSERT INTO captures (seq, unix_ms, clock, boot_id, uptime_ms, source, source_name,
                               sha256, size_bytes, width_px, height_px, reading,
                               cause, shot, quality, is_measured)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        )?
        .execute(params![
            id.seq,
            stamp.unix_ms,
            stamp.quality.word(),
            stamp.boot_id,
            stamp.uptime_ms,
            source,
            source_name,
            sha256.as_bytes(),
            size_bytes,
            capture.width_px,
            capture.height_px,
            reading,
            cause,
            keep_shot(&capture.shot).map_err(refused)?,
            quality.map(keep_quality).transpose().map_err(refused)?,
            is_measured
        ])?;
    Ok(())
}

fn last_seq(transaction: &Transaction<'_>) -> Result<u64, Halt> {
    let seq = transaction.last_insert_rowid();
    u64::try_from(seq).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, seq).into())
}
