//! Arrivals per interval, counted from the rows by the rule of the wire.

use crate::error::{Halt, StoreError};
use crate::ledger::View;
use crate::ledger::rows::parse_word;
use rusqlite::Connection;
use trapline_wire::arrivals::{self, Arrival, Interval, Look};
use trapline_wire::v1::ClockQuality;

impl View {
    /// Arrivals of `length` intervals of `step_ms` from `from_ms` on, in the
    /// trap's own believed time.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) or [`Corrupt`](StoreError::Corrupt).
    pub fn arrivals(
        &self,
        from_ms: i64,
        step_ms: i64,
        length: u32,
    ) -> Result<Vec<Interval>, StoreError> {
        let until_ms = from_ms.saturating_add(step_ms.saturating_mul(i64::from(length)));
        self.read(|connection| {
            let good = "SELECT captures.unix_ms FROM captures JOIN inspections
                            ON inspections.capture = captures.seq
                        WHERE inspections.insects IS NOT NULL AND inspections.is_poor = 0";
            let edge = |sql: &str, at_ms: i64, otherwise: i64| {
                let mut statement = connection.prepare(sql)?;
                let mut rows = statement.query([at_ms])?;
                let found = rows.next()?.map(|row| row.get::<_, i64>(0)).transpose()?;
                Ok::<_, Halt>(found.unwrap_or(otherwise))
            };
            // From the last good look before to the first one after, because
            // an arrival there may have come here.
            let begin_ms = edge(
                &format!("{good} AND captures.unix_ms < ?1 ORDER BY captures.unix_ms DESC LIMIT 1"),
                from_ms,
                from_ms,
            )?;
            let end_ms = edge(
                &format!("{good} AND captures.unix_ms >= ?1 ORDER BY captures.unix_ms LIMIT 1"),
                until_ms,
                until_ms,
            )?;
            let looks = looks(connection, begin_ms, end_ms)?;
            let came = came(connection, begin_ms, end_ms)?;
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            Ok(arrivals::count(from_ms, step_ms, length, &looks, &came))
        })
    }
}

fn looks(connection: &Connection, begin_ms: i64, end_ms: i64) -> Result<Vec<Look>, Halt> {
    let mut statement = connection.prepare(
        "SELECT captures.unix_ms,
                inspections.insects IS NOT NULL AND inspections.is_poor = 0
         FROM captures JOIN inspections ON inspections.capture = captures.seq
         WHERE captures.unix_ms BETWEEN ?1 AND ?2",
    )?;
    let rows = statement.query_map((begin_ms, end_ms), |row| {
        Ok(Look {
            at_ms: row.get(0)?,
            is_good: row.get(1)?,
        })
    })?;
    let mut looks: Vec<Look> = rows.collect::<Result<_, _>>()?;
    let mut statement = connection.prepare(
        "SELECT due_ms, last_due_ms, shots FROM effort
         WHERE outcome = 'missed' AND last_due_ms >= ?1 AND due_ms <= ?2",
    )?;
    let mut rows = statement.query((begin_ms, end_ms))?;
    while let Some(row) = rows.next()? {
        looks.extend(arrivals::missed(row.get(0)?, row.get(1)?, row.get(2)?));
    }
    looks.sort_by_key(|look| look.at_ms);
    Ok(looks)
}

fn came(connection: &Connection, begin_ms: i64, end_ms: i64) -> Result<Vec<Arrival>, Halt> {
    let mut statement = connection.prepare(
        "SELECT captures.unix_ms, captures.clock, tracks.is_confirmed,
                tracks.could_be IS NOT NULL
         FROM captures CROSS JOIN tracks ON tracks.first = captures.seq
         WHERE captures.unix_ms BETWEEN ?1 AND ?2 AND tracks.origin = 'arrived'
           AND (tracks.is_confirmed = 1 OR tracks.end IS NULL)
         ORDER BY captures.unix_ms",
    )?;
    let rows = statement.query_map((begin_ms, end_ms), |row| {
        Ok(Arrival {
            first_ms: row.get(0)?,
            clock: parse_word(row, 1, ClockQuality::from_word)?,
            is_confirmed: row.get(2)?,
            may_be_known: row.get(3)?,
        })
    })?;
    rows.map(|row| row.map_err(Halt::from)).collect()
}
