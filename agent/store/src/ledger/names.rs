//! What a ledger's records are called.
//!
//! A ledger draws its name when it is started. A copied card has the name of its
//! original; from the moment that this is noticed it takes a new one, and its
//! records before that keep theirs, which are the original's as well. So no two
//! cards ever give one name to two records.

use crate::error::{Halt, StoreError};
use crate::ledger::Ledger;
use crate::ledger::rows::parse_word;
use rusqlite::{Connection, Transaction};
use trapline_wire::LedgerId;

/// Why the server never gets what a copy brought along.
const NOT_OURS: &str = "it belongs to the trap that this card was copied from";

/// The ledger's names, and from which numbers on each holds.
#[derive(Debug, Clone)]
pub(super) struct Names {
    first: LedgerId,
    /// The newest last.
    later: Vec<Later>,
}

#[derive(Debug, Clone)]
pub(super) struct Later {
    id: LedgerId,
    captures_from: u64,
    effort_from: u64,
    readings_from: u64,
    tracks_from: u64,
}

impl Names {
    /// Reads them.
    pub(super) fn read(connection: &Connection) -> Result<Self, Halt> {
        let mut statement = connection.prepare("SELECT id FROM ledger WHERE only = 1")?;
        let first = statement.query_row([], |row| parse_word(row, 0, |text| text.parse().ok()))?;
        // Beside a writer that has not started yet, the card may have the shape of an older version.
        let sql =
            "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'names')";
        let has_later: bool = connection.query_row(sql, [], |row| row.get(0))?;
        let mut later = Vec::new();
        if has_later {
            let mut statement = connection.prepare(
                "SELECT id, captures_from, effort_from, readings_from, tracks_from
                 FROM names ORDER BY number",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(Later {
                    id: parse_word(row, 0, |text| text.parse().ok())?,
                    captures_from: row.get(1)?,
                    effort_from: row.get(2)?,
                    readings_from: row.get(3)?,
                    tracks_from: row.get(4)?,
                })
            })?;
            later = rows.collect::<Result<_, _>>()?;
        }
        Ok(Self { first, later })
    }

    /// The name of what comes next.
    pub(super) fn newest(&self) -> LedgerId {
        self.later.last().map_or(self.first, |later| later.id)
    }

    pub(super) fn of_capture(&self, seq: u64) -> LedgerId {
        self.of(seq, |later| later.captures_from)
    }

    pub(super) fn of_effort(&self, seq: u64) -> LedgerId {
        self.of(seq, |later| later.effort_from)
    }

    pub(super) fn of_reading(&self, seq: u64) -> LedgerId {
        self.of(seq, |later| later.readings_from)
    }

    pub(super) fn of_track(&self, seq: u64) -> LedgerId {
        self.of(seq, |later| later.tracks_from)
    }

    fn of(&self, seq: u64, from: impl Fn(&Later) -> u64) -> LedgerId {
        let later = self.later.iter().rev().find(|later| seq >= from(later));
        later.map_or(self.first, |later| later.id)
    }
}

impl Ledger {
    /// Calls every record from the next one on by this name, because another card may
    /// be writing under the name that the ledger has.
    ///
    /// # Errors
    /// [`Full`](StoreError::Full) or [`Io`](StoreError::Io) when the card refuses.
    pub fn take_name(&mut self, id: LedgerId, now_ms: i64) -> Result<(), StoreError> {
        let names = self.write(|transaction| {
            let effort = next(transaction, "effort")?;
            let readings = next(transaction, "readings")?;
            transaction.execute(
                "INSERT INTO names
                     (id, captures_from, effort_from, readings_from, tracks_from, taken_unix_ms)
                 VALUES (?1, (SELECT coalesce(max(seq), 0) + 1 FROM captures), ?2, ?3,
                     (SELECT coalesce(max(seq), 0) + 1 FROM tracks), ?4)",
                (id.to_string(), effort, readings, now_ms),
            )?;
            Names::read(transaction)
        })?;
        self.view.names = names;
        Ok(())
    }

    /// Sends nothing any more of what was recorded before the newest name was taken: it
    /// belongs to the trap whose card was copied. It stays on the card. Does nothing to a
    /// ledger that has only one name.
    ///
    /// # Errors
    /// [`Full`](StoreError::Full) or [`Io`](StoreError::Io) when the card refuses.
    pub fn disown(&mut self) -> Result<(), StoreError> {
        let Some(later) = self.view.names.later.last().cloned() else {
            return Ok(());
        };
        self.write(|transaction| {
            let refuse = |table: &str, which: &str, from: u64| {
                transaction.execute(
                    &format!(
                        "UPDATE {table} SET record = 'refused', refusal = ?1 WHERE {which} < ?2"
                    ),
                    (NOT_OURS, from),
                )
            };
            refuse("effort", "record = 'waiting' AND seq", later.effort_from)?;
            refuse(
                "readings",
                "record = 'waiting' AND seq",
                later.readings_from,
            )?;
            refuse(
                "inspections",
                "record = 'waiting' AND capture",
                later.captures_from,
            )?;
            refuse("tracks", "record = 'waiting' AND seq", later.tracks_from)?;
            // A picture goes on its way only while its record is stored.
            let which = "(record = 'waiting' OR picture = 'on_card') AND seq";
            refuse("captures", which, later.captures_from)?;
            // A track of later captures may have begun before.
            transaction.execute(
                "UPDATE tracks SET record = 'refused', refusal = ?1
                 WHERE record = 'waiting' AND min(first, last, best) < ?2",
                (NOT_OURS, later.captures_from),
            )?;
            Ok(())
        })
    }
}

/// The number that the next row gets; rows are never deleted.
fn next(transaction: &Transaction<'_>, table: &str) -> Result<u64, Halt> {
    let sql = format!("SELECT coalesce(max(seq), 0) + 1 FROM {table}");
    Ok(transaction.query_row(&sql, [], |row| row.get(0))?)
}
