//! Traps and their keys.

use super::Db;
use crate::problem::Failure;
use rusqlite::{OptionalExtension as _, named_params};
use trapline_wire::{Sha256, TrapId, TrapKey};

/// A trap that showed its key.
#[derive(Debug, Clone)]
pub(crate) struct TrapRow {
    pub(crate) number: i64,
    pub(crate) id: TrapId,
    pub(crate) last_contact_ms: Option<i64>,
    /// Card and boot that last spoke with its key; empty when the next request has to be
    /// looked at.
    pub(crate) seen: String,
}

/// A trap as `trap list` shows it.
#[derive(Debug, serde::Serialize)]
pub(crate) struct TrapListed {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) added_ms: i64,
    pub(crate) revoked_ms: Option<i64>,
    pub(crate) last_contact_ms: Option<i64>,
    pub(crate) captures: u64,
}

impl Db {
    /// Adds a trap; false when a trap in use has that name.
    pub(crate) fn add_trap(
        &mut self,
        name: &str,
        key: &TrapKey,
        now_ms: i64,
    ) -> Result<bool, Failure> {
        let added = self.connection.execute(
            "INSERT INTO traps (id, name, key_sha256, added_ms)
             VALUES (:id, :name, :key, :now)
             ON CONFLICT (name) WHERE revoked_ms IS NULL DO NOTHING",
            named_params! {
                ":id": key.trap().as_str(),
                ":name": name,
                ":key": key.fingerprint().as_bytes(),
                ":now": now_ms,
            },
        )?;
        Ok(added == 1)
    }

    /// The trap whose key has this fingerprint and is not revoked.
    pub(crate) fn trap_by_key(&self, fingerprint: &Sha256) -> Result<Option<TrapRow>, Failure> {
        let found = self
            .connection
            .prepare_cached(
                "SELECT number, id, last_contact_ms, seen FROM traps
                 WHERE key_sha256 = :key AND revoked_ms IS NULL",
            )?
            .query_row(named_params! { ":key": fingerprint.as_bytes() }, |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, Option<i64>>(2)?,
                    row.get::<_, String>(3)?,
                ))
            })
            .optional()?;
        let Some((number, id, last_contact_ms, seen)) = found else {
            return Ok(None);
        };
        Ok(Some(TrapRow {
            number,
            id: trap_id(&id)?,
            last_contact_ms,
            seen,
        }))
    }

    /// Every trap, by name.
    pub(crate) fn traps(&self) -> Result<Vec<TrapListed>, Failure> {
        let mut statement = self.connection.prepare(
            "SELECT id, name, added_ms, revoked_ms, last_contact_ms, captures
             FROM traps ORDER BY name, number",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(TrapListed {
                id: row.get(0)?,
                name: row.get(1)?,
                added_ms: row.get(2)?,
                revoked_ms: row.get(3)?,
                last_contact_ms: row.get(4)?,
                captures: super::count(row.get(5)?),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Revokes the key of the trap in use with that name or id; false when there is none.
    pub(crate) fn revoke_trap(&mut self, name_or_id: &str, now_ms: i64) -> Result<bool, Failure> {
        let revoked = self.connection.execute(
            "UPDATE traps SET revoked_ms = :now
             WHERE number = (SELECT number FROM traps
                             WHERE revoked_ms IS NULL AND (id = :which OR name = :which)
                             ORDER BY id = :which DESC LIMIT 1)",
            named_params! { ":now": now_ms, ":which": name_or_id },
        )?;
        Ok(revoked == 1)
    }
}

pub(super) fn trap_id(text: &str) -> Result<TrapId, Failure> {
    text.parse()
        .map_err(|error| Failure::Broken(format!("a stored trap id cannot be read: {error}")))
}
