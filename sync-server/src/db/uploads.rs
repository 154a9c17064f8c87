//! The rows of uploads; their bytes are files.

use super::{Db, count, digest, int};
use crate::problem::Failure;
use rusqlite::{OptionalExtension as _, Row, named_params};
use trapline_wire::Sha256;

/// One upload.
#[derive(Debug, Clone)]
pub(crate) struct UploadRow {
    pub(crate) id: String,
    pub(crate) trap: i64,
    pub(crate) length_bytes: u64,
    pub(crate) sha256: Option<Sha256>,
    pub(crate) state: UploadState,
    pub(crate) touched_ms: i64,
}

/// Where an upload stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UploadState {
    /// Bytes may come.
    Open,
    /// The picture is stored; its `sha256` is the one computed here.
    Done,
    /// Ended, expired or thrown away; the row remains for a while to say so.
    Gone,
}

const COLUMNS: &str = "id, trap, length_bytes, sha256, state, touched_ms";

impl Db {
    pub(crate) fn add_upload(&mut self, upload: &UploadRow) -> Result<(), Failure> {
        self.connection.execute(
            "INSERT INTO uploads (id, trap, length_bytes, sha256, state, touched_ms)
             VALUES (:id, :trap, :length, :sha256, 'open', :touched)",
            named_params! {
                ":id": upload.id,
                ":trap": upload.trap,
                ":length": int(upload.length_bytes),
                ":sha256": upload.sha256.as_ref().map(Sha256::as_bytes),
                ":touched": upload.touched_ms,
            },
        )?;
        Ok(())
    }

    /// An upload of this trap; another trap's is not found.
    pub(crate) fn upload(&self, trap: i64, id: &str) -> Result<Option<UploadRow>, Failure> {
        Ok(self
            .connection
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM uploads WHERE id = :id AND trap = :trap"
            ))?
            .query_row(named_params! { ":id": id, ":trap": trap }, upload_row)
            .optional()?)
    }

    /// Open uploads of this trap, the longest untouched first.
    pub(crate) fn open_uploads(&self, trap: i64) -> Result<Vec<UploadRow>, Failure> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM uploads
             WHERE trap = :trap AND state = 'open' ORDER BY touched_ms, number"
        ))?;
        let rows = statement.query_map(named_params! { ":trap": trap }, upload_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Open uploads of all traps that nobody touched since `before_ms`.
    pub(crate) fn uploads_untouched(&self, before_ms: i64) -> Result<Vec<UploadRow>, Failure> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM uploads
             WHERE state = 'open' AND touched_ms < :before ORDER BY number"
        ))?;
        let rows = statement.query_map(named_params! { ":before": before_ms }, upload_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whether an open upload has this id, whichever trap's it is.
    pub(crate) fn is_open_upload(&self, id: &str) -> Result<bool, Failure> {
        Ok(self.connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM uploads WHERE id = :id AND state = 'open')",
            named_params! { ":id": id },
            |row| row.get(0),
        )?)
    }

    pub(crate) fn touch_upload(&mut self, id: &str, now_ms: i64) -> Result<(), Failure> {
        self.connection
            .prepare_cached("UPDATE uploads SET touched_ms = :now WHERE id = :id")?
            .execute(named_params! { ":now": now_ms, ":id": id })?;
        Ok(())
    }

    /// Notes which blob the upload's file is about to become.
    pub(crate) fn name_upload(&mut self, id: &str, sha256: &Sha256) -> Result<(), Failure> {
        self.connection
            .prepare_cached("UPDATE uploads SET sha256 = :sha256 WHERE id = :id")?
            .execute(named_params! { ":sha256": sha256.as_bytes(), ":id": id })?;
        Ok(())
    }

    pub(crate) fn forget_upload(&mut self, id: &str, now_ms: i64) -> Result<(), Failure> {
        self.connection.execute(
            "UPDATE uploads SET state = 'gone', touched_ms = :now WHERE id = :id",
            named_params! { ":now": now_ms, ":id": id },
        )?;
        Ok(())
    }

    /// Deletes rows of ended uploads that nobody asked for since `before_ms`.
    pub(crate) fn delete_ended_uploads(&mut self, before_ms: i64) -> Result<(), Failure> {
        self.connection.execute(
            "DELETE FROM uploads WHERE state IN ('done', 'gone') AND touched_ms < :before",
            named_params! { ":before": before_ms },
        )?;
        Ok(())
    }
}

fn upload_row(row: &Row<'_>) -> rusqlite::Result<UploadRow> {
    Ok(UploadRow {
        id: row.get(0)?,
        trap: row.get(1)?,
        length_bytes: count(row.get(2)?),
        sha256: row.get::<_, Option<[u8; 32]>>(3)?.map(digest),
        state: match row.get::<_, String>(4)?.as_str() {
            "open" => UploadState::Open,
            "done" => UploadState::Done,
            _ => UploadState::Gone,
        },
        touched_ms: row.get(5)?,
    })
}
