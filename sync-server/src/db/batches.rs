//! The answers to a trap's last batches, for a trap that did not hear one.

use super::Db;
use crate::problem::Failure;
use rusqlite::{Connection, OptionalExtension as _, named_params};
use trapline_wire::Sha256;
use trapline_wire::v1::SyncReply;

/// So many answers of each trap are kept; a trap asks for the last one at once.
const KEPT: i64 = 4;

/// Keeps the answer in the transaction that stores the batch: either both are there or neither.
pub(super) fn keep(
    transaction: &Connection,
    trap: i64,
    sha256: &Sha256,
    reply: &SyncReply,
) -> Result<(), Failure> {
    let reply = serde_json::to_string(reply)
        .map_err(|error| Failure::Broken(format!("an answer has no JSON: {error}")))?;
    transaction
        .prepare_cached(
            "INSERT INTO batches (trap, sha256, reply) VALUES (:trap, :sha256, :reply)",
        )?
        .execute(named_params! {
            ":trap": trap,
            ":sha256": sha256.as_bytes(),
            ":reply": reply,
        })?;
    transaction
        .prepare_cached(
            "DELETE FROM batches WHERE trap = :trap AND number <= (
                 SELECT number FROM batches WHERE trap = :trap
                 ORDER BY number DESC LIMIT 1 OFFSET :kept)",
        )?
        .execute(named_params! { ":trap": trap, ":kept": KEPT })?;
    Ok(())
}

impl Db {
    /// What this trap was told about a batch, as it was told.
    pub(crate) fn batch_reply(
        &self,
        trap: i64,
        sha256: &Sha256,
    ) -> Result<Option<String>, Failure> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT reply FROM batches WHERE trap = :trap AND sha256 = :sha256
                 ORDER BY number DESC LIMIT 1",
            )?
            .query_row(
                named_params! { ":trap": trap, ":sha256": sha256.as_bytes() },
                |row| row.get(0),
            )
            .optional()?)
    }
}
