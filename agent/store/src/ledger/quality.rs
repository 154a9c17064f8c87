//! What pictures are worth: measured after they are safe on the card, so that
//! measuring costs a shot no time, and before their records are sent.

use crate::error::{Halt, StoreError};
use crate::ledger::text::keep_quality;
use crate::ledger::{Ledger, View};
use rusqlite::params;
use trapline_wire::CaptureId;
use trapline_wire::v1::PictureQuality;

/// Whether a picture's worth is known when it is admitted.
#[derive(Debug, Clone, PartialEq)]
pub enum Worth {
    /// It is measured next: the record waits for [`Ledger::record_quality`], or
    /// for the next start.
    Later,
    /// It is this; `None` when it cannot be measured.
    Known(Option<PictureQuality>),
}

impl Ledger {
    /// Writes down what a picture is worth, `None` when that cannot be measured;
    /// its record may be sent from now on, and so may older ones that were
    /// admitted to be measured later and never were.
    ///
    /// # Errors
    /// [`Full`](StoreError::Full) or [`Io`](StoreError::Io) when the card
    /// refuses; the record then waits for the next picture or the next start.
    pub fn record_quality(
        &mut self,
        capture: CaptureId,
        quality: Option<&PictureQuality>,
    ) -> Result<(), StoreError> {
        let json = quality.map(keep_quality).transpose();
        let json = json.map_err(|error| StoreError::Refused {
            what: format!("the quality of capture {capture}"),
            reason: error.to_string(),
        })?;
        self.write(|transaction| {
            transaction.execute(
                "UPDATE captures SET quality = ?2 WHERE seq = ?1 AND is_measured = 0",
                params![capture.seq, json],
            )?;
            transaction.execute(
                "UPDATE captures SET is_measured = 1 WHERE is_measured = 0 AND seq <= ?1",
                [capture.seq],
            )?;
            Ok(())
        })
    }

    /// Lets the records go whose pictures a power cut kept from being measured.
    pub(crate) fn release_unmeasured(&mut self) -> Result<(), StoreError> {
        let waiting: u64 = self.read(|connection| {
            let sql = "SELECT count(*) FROM captures WHERE is_measured = 0";
            Ok(connection.query_row(sql, [], |row| row.get(0))?)
        })?;
        if waiting == 0 {
            return Ok(());
        }
        self.write(|transaction| {
            transaction.execute(
                "UPDATE captures SET is_measured = 1 WHERE is_measured = 0",
                [],
            )?;
            Ok(())
        })
    }
}

impl View {
    /// What the newest `limit` pictures are worth, the newest first; `None` where
    /// one was not measured.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) or [`Corrupt`](StoreError::Corrupt).
    pub fn recent_quality(&self, limit: u32) -> Result<Vec<Option<PictureQuality>>, StoreError> {
        self.read(|connection| {
            let mut statement =
                connection.prepare("SELECT quality FROM captures ORDER BY seq DESC LIMIT ?1")?;
            let rows = statement.query_map([limit], |row| row.get::<_, Option<String>>(0))?;
            rows.map(|json| {
                let json = json.map_err(Halt::from)?;
                Ok(json.and_then(|json| serde_json::from_str(&json).ok()))
            })
            .collect()
        })
    }
}
