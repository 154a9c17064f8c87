//! Which trap's pictures are stored.

use super::{Db, count, digest, int};
use crate::problem::Failure;
use rusqlite::{Connection, OptionalExtension as _, named_params};
use trapline_wire::Sha256;
use trapline_wire::v1::Receipt;

/// A picture that is stored and was verified.
#[derive(Debug, Clone)]
pub(crate) struct StoredPicture {
    pub(crate) receipt: Receipt,
    pub(crate) readable: bool,
}

impl Db {
    /// Notes that the trap's picture is safe, and that its upload is done. A
    /// picture that was stored before keeps its first receipt.
    pub(crate) fn store_picture(
        &mut self,
        trap: i64,
        upload_id: &str,
        picture: &StoredPicture,
    ) -> Result<Receipt, Failure> {
        let transaction = self.write()?;
        transaction.execute(
            "INSERT INTO pictures (trap, sha256, size_bytes, stored_ms, readable)
             VALUES (:trap, :sha256, :size, :stored, :readable)
             ON CONFLICT (trap, sha256) DO UPDATE SET readable = excluded.readable",
            named_params! {
                ":trap": trap,
                ":sha256": picture.receipt.sha256.as_bytes(),
                ":size": int(picture.receipt.size_bytes),
                ":stored": picture.receipt.stored_ms,
                ":readable": picture.readable,
            },
        )?;
        transaction.execute(
            "UPDATE uploads SET state = 'done', sha256 = :sha256, touched_ms = :now
             WHERE id = :id",
            named_params! {
                ":id": upload_id,
                ":sha256": picture.receipt.sha256.as_bytes(),
                ":now": picture.receipt.stored_ms,
            },
        )?;
        let receipt = receipt(&transaction, trap, &picture.receipt.sha256)?;
        transaction.commit()?;
        receipt.ok_or_else(|| Failure::Broken("a picture just stored is not there".to_owned()))
    }

    /// The receipt of the trap's picture, if it is stored.
    pub(crate) fn receipt(&self, trap: i64, sha256: &Sha256) -> Result<Option<Receipt>, Failure> {
        receipt(&self.connection, trap, sha256)
    }
}

pub(super) fn receipt(
    connection: &Connection,
    trap: i64,
    sha256: &Sha256,
) -> Result<Option<Receipt>, Failure> {
    Ok(connection
        .prepare_cached(
            "SELECT sha256, size_bytes, stored_ms FROM pictures
             WHERE trap = :trap AND sha256 = :sha256",
        )?
        .query_row(
            named_params! { ":trap": trap, ":sha256": sha256.as_bytes() },
            |row| {
                Ok(Receipt {
                    sha256: digest(row.get(0)?),
                    size_bytes: count(row.get(1)?),
                    stored_ms: row.get(2)?,
                })
            },
        )
        .optional()?)
}
