//! What researchers read of captures: pages of them, and one with everything
//! known of it.
//!
//! A page goes on where the last row of the page before stood, in time and then
//! in the order of arrival, so rows that arrive meanwhile shift nothing.

use super::{Db, parse, traps};
use crate::problem::Failure;
use rusqlite::{OptionalExtension as _, Row, ToSql, named_params};
use std::fmt;
use std::str::FromStr;
use trapline_wire::read::{CaptureSummary, PictureState, TimelineCapture};
use trapline_wire::v1::{CaptureRecord, InspectionRecord};
use trapline_wire::{CaptureId, TrapId};

/// `from_ms` ≤ time < `until_ms`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) from_ms: i64,
    pub(crate) until_ms: i64,
}

/// The place of a row in a list ordered by time; cursors compare as their places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cursor {
    pub(crate) time_ms: i64,
    pub(crate) number: i64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.time_ms, self.number)
    }
}

impl FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (time, number) = text.split_once('_').ok_or(())?;
        Ok(Self {
            time_ms: time.parse().map_err(|_| ())?,
            number: number.parse().map_err(|_| ())?,
        })
    }
}

/// Which rows, and from where on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CaptureFilter {
    pub(crate) trap: Option<i64>,
    pub(crate) window: Window,
    /// At least one insect, none at all, or whatever.
    pub(crate) has_detections: Option<bool>,
    /// Without a flaw, with one, or whatever.
    pub(crate) good: Option<bool>,
    pub(crate) newest_first: bool,
    pub(crate) after: Option<Cursor>,
}

/// A capture with what lists and files say of it.
pub(crate) struct CaptureRow {
    pub(crate) number: i64,
    pub(crate) trap_number: i64,
    pub(crate) trap: TrapId,
    pub(crate) trap_name: String,
    pub(crate) record: CaptureRecord,
    pub(crate) insects: Option<u64>,
    pub(crate) gave_up: Option<String>,
    pub(crate) picture_state: PictureState,
    pub(crate) stored_ms: Option<i64>,
}

impl CaptureRow {
    pub(crate) fn cursor(&self) -> Cursor {
        Cursor {
            time_ms: self.record.stamp.unix_ms,
            number: self.number,
        }
    }

    pub(crate) fn summary(&self) -> CaptureSummary {
        CaptureSummary {
            trap: self.trap.clone(),
            id: self.record.id,
            taken_ms: self.record.stamp.unix_ms,
            clock: self.record.stamp.quality,
            picture_state: self.picture_state,
            width_px: self.record.picture.width_px,
            height_px: self.record.picture.height_px,
            insects: self.insects,
            gave_up: self.gave_up.clone(),
            source: self.record.source.clone(),
            cause: self.record.cause,
            flaws: self.record.flaws().to_vec(),
        }
    }
}

const CAPTURE_COLUMNS: &str = "captures.number, captures.trap, traps.id, traps.name,
    captures.record, captures.insects, captures.gave_up, pictures.readable, pictures.stored_ms";
const CAPTURE_JOINS: &str = "CROSS JOIN traps ON traps.number = captures.trap
    LEFT JOIN pictures ON pictures.trap = captures.trap AND pictures.sha256 = captures.sha256";

impl Db {
    /// The number of a trap, revoked or not.
    pub(crate) fn trap_number(&self, id: &TrapId) -> Result<Option<i64>, Failure> {
        Ok(self
            .connection
            .prepare_cached("SELECT number FROM traps WHERE id = :id")?
            .query_row(named_params! { ":id": id.as_str() }, |row| row.get(0))
            .optional()?)
    }

    /// At most `limit` captures that pass the filter, in its order.
    pub(crate) fn captures(
        &self,
        filter: &CaptureFilter,
        limit: u32,
    ) -> Result<Vec<CaptureRow>, Failure> {
        let flaw = match filter.good {
            None => "",
            Some(true) => "AND captures.flawed = 0",
            Some(false) => "AND captures.flawed = 1",
        };
        let (index, condition) = match filter.has_detections {
            // Few are flawed, so a list of those alone goes by an index of its own.
            None if filter.good == Some(false) => match filter.trap {
                None => ("captures_flawed", ""),
                Some(_) => ("captures_flawed_by_trap", ""),
            },
            None if filter.trap.is_none() => ("captures_by_time", ""),
            None => ("captures_by_trap", ""),
            Some(true) if filter.trap.is_none() => {
                ("captures_with_insects", "AND captures.insects >= 1")
            }
            Some(true) => ("captures_with_insects_by_trap", "AND captures.insects >= 1"),
            Some(false) if filter.trap.is_none() => {
                ("captures_without_insects", "AND captures.insects = 0")
            }
            Some(false) => (
                "captures_without_insects_by_trap",
                "AND captures.insects = 0",
            ),
        };
        let of_trap = of_trap("captures", filter.trap);
        let order = if filter.newest_first { "DESC" } else { "ASC" };
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {CAPTURE_COLUMNS} FROM captures INDEXED BY {index} {CAPTURE_JOINS}
             WHERE {of_trap} {condition} {flaw}
               AND (captures.taken_ms, captures.number) >= (:low_ms, :low)
               AND (captures.taken_ms, captures.number) < (:high_ms, :high)
             ORDER BY captures.taken_ms {order}, captures.number {order} LIMIT :limit"
        ))?;
        let bounds = Bounds::of(filter.window, filter.after, filter.newest_first);
        let rows = statement.query_and_then(&bounds.params(&filter.trap, &limit)[..], |row| {
            capture_row(row)
        })?;
        rows.collect()
    }

    /// One capture.
    pub(crate) fn capture(
        &self,
        trap: &TrapId,
        id: CaptureId,
    ) -> Result<Option<CaptureRow>, Failure> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {CAPTURE_COLUMNS} FROM captures {CAPTURE_JOINS}
             WHERE traps.id = :trap AND captures.id = :id
               AND captures.trap = (SELECT number FROM traps WHERE id = :trap)"
        ))?;
        let mut rows = statement.query_and_then(
            named_params! { ":trap": trap.as_str(), ":id": id.to_string() },
            capture_row,
        )?;
        rows.next().transpose()
    }

    /// The capture before (`newest_first`) or after the one at `cursor` on the same trap.
    pub(crate) fn neighbour(
        &self,
        trap: i64,
        cursor: Cursor,
        newest_first: bool,
    ) -> Result<Option<CaptureId>, Failure> {
        let (compare, order) = if newest_first {
            ("<", "DESC")
        } else {
            (">", "ASC")
        };
        let id: Option<String> = self
            .connection
            .prepare_cached(&format!(
                "SELECT id FROM captures WHERE trap = :trap
                   AND (taken_ms, number) {compare} (:time, :number)
                 ORDER BY taken_ms {order}, number {order} LIMIT 1"
            ))?
            .query_row(
                named_params! {
                    ":trap": trap, ":time": cursor.time_ms, ":number": cursor.number
                },
                |row| row.get(0),
            )
            .optional()?;
        id.map(|id| capture_id(&id)).transpose()
    }

    /// What each model made of a capture, the newest first.
    pub(crate) fn inspections(&self, capture: i64) -> Result<Vec<InspectionRecord>, Failure> {
        let mut statement = self.connection.prepare_cached(
            "SELECT record FROM inspections WHERE capture = :capture ORDER BY number DESC",
        )?;
        let rows = statement.query_and_then(named_params! { ":capture": capture }, |row| {
            parse(&row.get::<_, String>(0)?)
        })?;
        rows.collect()
    }
}

impl From<&CaptureRow> for TimelineCapture {
    fn from(row: &CaptureRow) -> Self {
        Self {
            taken_ms: row.record.stamp.unix_ms,
            id: row.record.id,
            insects: row.insects,
            picture_state: row.picture_state,
            flaws: row.record.flaws().to_vec(),
        }
    }
}

pub(super) fn of_trap(table: &str, trap: Option<i64>) -> String {
    match trap {
        Some(_) => format!("{table}.trap = :trap"),
        // Names the parameter all the same, so that one list of parameters serves both.
        None => ":trap IS NULL".to_owned(),
    }
}

/// From the first place on, up to and without the second.
pub(super) struct Bounds {
    low: Cursor,
    high: Cursor,
}

impl Bounds {
    pub(super) fn of(window: Window, after: Option<Cursor>, newest_first: bool) -> Self {
        let at = |time_ms| Cursor {
            time_ms,
            number: i64::MIN,
        };
        let mut bounds = Self {
            low: at(window.from_ms),
            high: at(window.until_ms),
        };
        match after {
            None => {}
            Some(cursor) if newest_first => bounds.high = bounds.high.min(cursor),
            Some(cursor) => {
                let next = Cursor {
                    number: cursor.number.saturating_add(1),
                    ..cursor
                };
                bounds.low = bounds.low.max(next);
            }
        }
        bounds
    }

    pub(super) fn params<'a>(
        &'a self,
        trap: &'a Option<i64>,
        limit: &'a u32,
    ) -> [(&'static str, &'a dyn ToSql); 6] {
        [
            (":trap", trap),
            (":low_ms", &self.low.time_ms),
            (":low", &self.low.number),
            (":high_ms", &self.high.time_ms),
            (":high", &self.high.number),
            (":limit", limit),
        ]
    }
}

fn capture_row(row: &Row<'_>) -> Result<CaptureRow, Failure> {
    Ok(CaptureRow {
        number: row.get(0)?,
        trap_number: row.get(1)?,
        trap: traps::trap_id(&row.get::<_, String>(2)?)?,
        trap_name: row.get(3)?,
        record: parse(&row.get::<_, String>(4)?)?,
        insects: row.get::<_, Option<i64>>(5)?.map(super::count),
        gave_up: row.get(6)?,
        picture_state: match row.get::<_, Option<bool>>(7)? {
            None => PictureState::OnTrap,
            Some(true) => PictureState::Stored,
            Some(false) => PictureState::Unreadable,
        },
        stored_ms: row.get(8)?,
    })
}

pub(super) fn capture_id(text: &str) -> Result<CaptureId, Failure> {
    text.parse()
        .map_err(|error| Failure::Broken(format!("a stored capture id cannot be read: {error}")))
}
