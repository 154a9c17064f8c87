//! What forecasts are made of: how the battery went, and what pictures took.

use crate::error::StoreError;
use crate::ledger::View;

impl View {
    /// Battery voltages since `since_ms` with their times, the oldest first,
    /// the newest `limit` at most; those of a clock that knew nothing are left out.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) or [`Corrupt`](StoreError::Corrupt).
    pub fn battery_since(&self, since_ms: i64, limit: u32) -> Result<Vec<(i64, f64)>, StoreError> {
        self.read(|connection| {
            // Rows come in the order of time but for a clock that was set, so the
            // newest are read and those of another time left out.
            let mut statement = connection.prepare(
                "SELECT unix_ms, battery_v FROM
                     (SELECT seq, unix_ms, clock, battery_v FROM readings
                      ORDER BY seq DESC LIMIT ?2)
                 WHERE unix_ms >= ?1 AND clock <> 'unset' AND battery_v IS NOT NULL
                 ORDER BY unix_ms, seq",
            )?;
            let rows =
                statement.query_map((since_ms, limit), |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Bytes of pictures taken since `since_ms`, added up in steps of `step_ms`:
    /// the start of each step in which any were taken, and their bytes, pruned
    /// ones counted in.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) or [`Corrupt`](StoreError::Corrupt).
    pub fn taken_since(&self, since_ms: i64, step_ms: i64) -> Result<Vec<(i64, u64)>, StoreError> {
        let step_ms = step_ms.max(1);
        self.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT (unix_ms - ?1) / ?2, sum(size_bytes) FROM captures
                 WHERE unix_ms >= ?1 GROUP BY 1 ORDER BY 1",
            )?;
            let rows = statement.query_map((since_ms, step_ms), |row| {
                let step: i64 = row.get(0)?;
                Ok((
                    since_ms.saturating_add(step.saturating_mul(step_ms)),
                    row.get(1)?,
                ))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}
