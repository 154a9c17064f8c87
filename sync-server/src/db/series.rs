//! What researchers read of sensor readings and of sampling effort.

use super::reading::{Bounds, Cursor, Window, of_trap};
use super::{Db, parse, traps};
use crate::problem::Failure;
use rusqlite::{Row, named_params};
use trapline_wire::ReadingId;
use trapline_wire::read::{EffortRow, ReadingRow, TimelineReading};
use trapline_wire::v1::{EffortRecord, ReadingRecord};

impl Db {
    /// One set of readings.
    pub(crate) fn reading(&self, trap: i64, id: ReadingId) -> Result<Option<ReadingRow>, Failure> {
        let mut statement = self.connection.prepare_cached(
            "SELECT readings.number, traps.id, traps.name, readings.record
             FROM readings JOIN traps ON traps.number = readings.trap
             WHERE readings.trap = :trap AND readings.id = :id",
        )?;
        let mut rows = statement.query_and_then(
            named_params! { ":trap": trap, ":id": id.to_string() },
            |row| Ok(reading_row(row)?.2),
        )?;
        rows.next().transpose()
    }

    /// At most `limit` readings, oldest first, each with its cursor and its trap's name.
    pub(crate) fn readings(
        &self,
        trap: Option<i64>,
        window: Window,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Vec<(Cursor, String, ReadingRow)>, Failure> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT readings.number, traps.id, traps.name, readings.record
             FROM readings INDEXED BY {} CROSS JOIN traps ON traps.number = readings.trap
             WHERE {} AND (readings.taken_ms, readings.number) >= (:low_ms, :low)
               AND (readings.taken_ms, readings.number) < (:high_ms, :high)
             ORDER BY readings.taken_ms, readings.number LIMIT :limit",
            trap.map_or("readings_by_time", |_| "readings_by_trap"),
            of_trap("readings", trap),
        ))?;
        let bounds = Bounds::of(window, after, false);
        let rows = statement.query_and_then(&bounds.params(&trap, &limit)[..], reading_row)?;
        rows.collect()
    }

    /// At most `limit` rows of effort, oldest first, each with its cursor and its trap's name.
    pub(crate) fn effort(
        &self,
        trap: Option<i64>,
        window: Window,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Vec<(Cursor, String, EffortRow)>, Failure> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT effort.number, traps.id, traps.name, effort.record
             FROM effort INDEXED BY {} CROSS JOIN traps ON traps.number = effort.trap
             WHERE {} AND (effort.due_ms, effort.number) >= (:low_ms, :low)
               AND (effort.due_ms, effort.number) < (:high_ms, :high)
             ORDER BY effort.due_ms, effort.number LIMIT :limit",
            trap.map_or("effort_by_time", |_| "effort_by_trap"),
            of_trap("effort", trap),
        ))?;
        let bounds = Bounds::of(window, after, false);
        let rows = statement.query_and_then(&bounds.params(&trap, &limit)[..], effort_row)?;
        rows.collect()
    }

    /// Missed shots that reach into the window, oldest first.
    pub(crate) fn missed(
        &self,
        trap: i64,
        window: Window,
        limit: u32,
    ) -> Result<Vec<EffortRow>, Failure> {
        let mut statement = self.connection.prepare_cached(
            "SELECT effort.number, traps.id, traps.name, effort.record
             FROM effort CROSS JOIN traps ON traps.number = effort.trap
             WHERE effort.trap = :trap AND effort.missed = 1
               AND effort.last_due_ms >= :from AND effort.due_ms < :until
             ORDER BY effort.due_ms, effort.number LIMIT :limit",
        )?;
        let rows = statement.query_and_then(
            named_params! {
                ":trap": trap,
                ":from": window.from_ms,
                ":until": window.until_ms,
                ":limit": limit,
            },
            |row| Ok(effort_row(row)?.2),
        )?;
        rows.collect()
    }
}

/// The part of a set of readings that the strips draw.
pub(crate) fn timeline_reading(row: &ReadingRow) -> TimelineReading {
    TimelineReading {
        taken_ms: row.taken_ms,
        temperature_c: row.temperature_c,
        humidity_percent: row.humidity_percent,
        light_lux: row.light_lux,
    }
}

fn reading_row(row: &Row<'_>) -> Result<(Cursor, String, ReadingRow), Failure> {
    let record: ReadingRecord = parse(&row.get::<_, String>(3)?)?;
    let cursor = Cursor {
        time_ms: record.stamp.unix_ms,
        number: row.get(0)?,
    };
    let reading = ReadingRow {
        trap: traps::trap_id(&row.get::<_, String>(1)?)?,
        id: record.id.to_string(),
        taken_ms: record.stamp.unix_ms,
        clock: record.stamp.quality,
        temperature_c: record.temperature_c,
        humidity_percent: record.humidity_percent,
        light_lux: record.light_lux,
        battery_v: record.battery_v,
    };
    Ok((cursor, row.get(2)?, reading))
}

fn effort_row(row: &Row<'_>) -> Result<(Cursor, String, EffortRow), Failure> {
    let record: EffortRecord = parse(&row.get::<_, String>(3)?)?;
    let cursor = Cursor {
        time_ms: record.due_ms,
        number: row.get(0)?,
    };
    let effort = EffortRow {
        trap: traps::trap_id(&row.get::<_, String>(1)?)?,
        id: record.id.to_string(),
        due_ms: record.due_ms,
        last_due_ms: record.last_due_ms,
        shots: record.shots,
        outcome: record.outcome,
    };
    Ok((cursor, row.get(2)?, effort))
}
