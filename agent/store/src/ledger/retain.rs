//! Room on the card: what the pictures take, and the removal of those that the
//! server has.

use crate::error::{Halt, StoreError};
use crate::ledger::pictures::unknown;
use crate::ledger::{Ledger, View};
use rusqlite::params;
use trapline_wire::CaptureId;

/// What the ledger takes of the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Pictures on the card.
    pub pictures: u64,
    /// Their bytes.
    pub pictures_bytes: u64,
    /// Those of them that may be removed, because the server has them.
    pub prunable: u64,
    /// Their bytes.
    pub prunable_bytes: u64,
    /// Set-aside files; the ledger keeps them within bounds of its own.
    pub set_aside: u64,
    /// Their bytes.
    pub set_aside_bytes: u64,
    /// Size of the database with its log.
    pub database_bytes: u64,
    /// Bytes that may still be written to the file system.
    pub free_bytes: u64,
}

/// A picture that may be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prunable {
    /// Whose picture.
    pub capture: CaptureId,
    /// Room that its removal makes.
    pub size_bytes: u64,
    /// When its shutter closed, as the trap believed.
    pub taken_ms: i64,
}

impl View {
    /// What the ledger takes of the card.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) or [`Corrupt`](StoreError::Corrupt).
    pub fn usage(&self) -> Result<Usage, StoreError> {
        let mut usage = self.read(|connection| {
            Ok(connection.query_row(
                "SELECT count(*), coalesce(sum(size_bytes), 0),
                        count(*) FILTER (WHERE picture = 'safe' AND record = 'stored'),
                        coalesce(sum(size_bytes)
                            FILTER (WHERE picture = 'safe' AND record = 'stored'), 0)
                 FROM captures WHERE picture <> 'pruned'",
                [],
                |row| {
                    Ok(Usage {
                        pictures: row.get(0)?,
                        pictures_bytes: row.get(1)?,
                        prunable: row.get(2)?,
                        prunable_bytes: row.get(3)?,
                        ..Usage::default()
                    })
                },
            )?)
        })?;
        let layout = self.layout();
        let set_aside = layout.set_aside();
        let entries = self
            .disk()
            .list(&set_aside)
            .map_err(|error| StoreError::io(&set_aside, error))?;
        usage.set_aside = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        usage.set_aside_bytes = entries.iter().map(|entry| entry.size_bytes).sum();
        usage.database_bytes = self.database_bytes()?;
        usage.free_bytes = self
            .disk()
            .free_bytes(&layout.folder)
            .map_err(|error| StoreError::io(&layout.folder, error))?;
        Ok(usage)
    }

    /// Up to `limit` pictures that may be removed, the oldest first: the server
    /// has the picture, by its own hash, and the record.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) or [`Corrupt`](StoreError::Corrupt).
    pub fn prunable(&self, limit: u32) -> Result<Vec<Prunable>, StoreError> {
        self.read(|connection| {
            // Safe pictures have no attempts, so the index gives them in order.
            let mut statement = connection.prepare(
                "SELECT seq, size_bytes, unix_ms FROM captures
                 WHERE picture = 'safe' AND record = 'stored'
                 ORDER BY picture_attempts, seq LIMIT ?1",
            )?;
            let mut rows = statement.query([limit])?;
            let mut prunable = Vec::new();
            while let Some(row) = rows.next()? {
                prunable.push(Prunable {
                    capture: self.capture_id(row.get(0)?),
                    size_bytes: row.get(1)?,
                    taken_ms: row.get(2)?,
                });
            }
            Ok(prunable)
        })
    }

    fn database_bytes(&self) -> Result<u64, StoreError> {
        self.read(|connection| {
            Ok(connection.query_row(
                "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
                [],
                |row| row.get(0),
            )?)
        })
    }
}

impl Ledger {
    /// Removes a picture that the server has from the card; record, readings
    /// and detections stay. The row first, then the file: a cut between the two
    /// leaves a file that the next start removes.
    ///
    /// # Errors
    /// [`Refused`](StoreError::Refused) when the server's receipt for the
    /// picture or its answer to the record is missing, [`Full`](StoreError::Full)
    /// or [`Io`](StoreError::Io) when the card refuses.
    pub fn prune(&mut self, capture: CaptureId) -> Result<(), StoreError> {
        let ours = capture == self.capture_id(capture.seq);
        self.write(|transaction| {
            let pruned = transaction.execute(
                "UPDATE captures SET picture = 'pruned'
                 WHERE seq = ?1 AND ?2 AND picture = 'safe' AND record = 'stored'",
                params![capture.seq, ours],
            )?;
            if pruned == 1 {
                return Ok(());
            }
            let state = transaction.query_row(
                "SELECT picture, record FROM captures WHERE seq = ?1 AND ?2",
                params![capture.seq, ours],
                |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)),
            );
            match state {
                Ok((picture, record)) => Err(Halt::Rule(StoreError::Refused {
                    what: format!("the picture of capture {capture}"),
                    reason: format!(
                        "it is `{picture}` and its record `{record}`; \
                         only a `safe` picture with a `stored` record is removed"
                    ),
                })),
                Err(rusqlite::Error::QueryReturnedNoRows) => Err(Halt::Rule(unknown(capture))),
                Err(error) => Err(error.into()),
            }
        })?;
        let file = self.layout().picture(capture);
        self.disk()
            .remove(&file)
            .map_err(|error| StoreError::io(&file, error))
    }
}
