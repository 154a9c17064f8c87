//! Tokens that enrol traps.

use super::Db;
use crate::problem::Failure;
use rusqlite::{OptionalExtension as _, Transaction, named_params};
use trapline_wire::{EnrolToken, Sha256};

/// A token that is to be made.
#[derive(Debug)]
pub(crate) struct NewToken<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) uses_max: u32,
    pub(crate) expires_ms: i64,
    pub(crate) made_by: &'a str,
}

/// A token as people are shown it.
#[derive(Debug, serde::Serialize)]
pub(crate) struct TokenListed {
    pub(crate) id: String,
    pub(crate) prefix: String,
    pub(crate) uses_max: u32,
    pub(crate) uses: u32,
    pub(crate) made_by: String,
    pub(crate) added_ms: i64,
    pub(crate) expires_ms: i64,
    pub(crate) revoked_ms: Option<i64>,
    /// `good`, `expired`, `used_up` or `revoked`.
    pub(crate) state: &'static str,
}

/// Why a token enrols nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Useless {
    Unknown,
    Revoked,
    Expired,
    UsedUp,
}

impl Db {
    /// Keeps a new token, as its hash.
    pub(crate) fn add_token(
        &mut self,
        token: &EnrolToken,
        new: &NewToken<'_>,
        now_ms: i64,
    ) -> Result<(), Failure> {
        self.connection.execute(
            "INSERT INTO enrol_tokens
                 (id, token_sha256, prefix, uses_max, made_by, added_ms, expires_ms)
             VALUES (:id, :sha256, :prefix, :uses, :by, :now, :expires)",
            named_params! {
                ":id": token.id(), ":sha256": token.fingerprint().as_bytes(),
                ":prefix": new.prefix, ":uses": new.uses_max, ":by": new.made_by,
                ":now": now_ms, ":expires": new.expires_ms,
            },
        )?;
        Ok(())
    }

    /// Every token, the newest first.
    pub(crate) fn tokens(&self, now_ms: i64) -> Result<Vec<TokenListed>, Failure> {
        let mut statement = self.connection.prepare(
            "SELECT id, prefix, uses_max, uses, made_by, added_ms, expires_ms, revoked_ms
             FROM enrol_tokens ORDER BY number DESC LIMIT 1000",
        )?;
        let rows = statement.query_map([], |row| {
            let mut token = TokenListed {
                id: row.get(0)?,
                prefix: row.get(1)?,
                uses_max: row.get(2)?,
                uses: row.get(3)?,
                made_by: row.get(4)?,
                added_ms: row.get(5)?,
                expires_ms: row.get(6)?,
                revoked_ms: row.get(7)?,
                state: "good",
            };
            token.state = if token.revoked_ms.is_some() {
                "revoked"
            } else if token.uses >= token.uses_max {
                "used_up"
            } else if token.expires_ms <= now_ms {
                "expired"
            } else {
                "good"
            };
            Ok(token)
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Revokes the token of this id; false when none can be. Traps that it enrolled stay.
    pub(crate) fn revoke_token(&mut self, id: &str, now_ms: i64) -> Result<bool, Failure> {
        let revoked = self.connection.execute(
            "UPDATE enrol_tokens SET revoked_ms = :now WHERE id = :id AND revoked_ms IS NULL",
            named_params! { ":now": now_ms, ":id": id },
        )?;
        Ok(revoked == 1)
    }
}

/// Counts one use; gives the token's number and prefix.
pub(super) fn use_up(
    transaction: &Transaction<'_>,
    fingerprint: &Sha256,
    now_ms: i64,
) -> Result<Result<(i64, String), Useless>, Failure> {
    let found = transaction
        .query_row(
            "SELECT number, prefix, revoked_ms IS NOT NULL, expires_ms <= :now, uses >= uses_max
             FROM enrol_tokens WHERE token_sha256 = :sha256",
            named_params! { ":now": now_ms, ":sha256": fingerprint.as_bytes() },
            |row| {
                let flags: (bool, bool, bool) = (row.get(2)?, row.get(3)?, row.get(4)?);
                Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, flags))
            },
        )
        .optional()?;
    let (number, prefix) = match found {
        None => return Ok(Err(Useless::Unknown)),
        Some((_, _, (true, _, _))) => return Ok(Err(Useless::Revoked)),
        Some((_, _, (_, true, _))) => return Ok(Err(Useless::Expired)),
        Some((_, _, (_, _, true))) => return Ok(Err(Useless::UsedUp)),
        Some((number, prefix, _)) => (number, prefix),
    };
    transaction.execute(
        "UPDATE enrol_tokens SET uses = uses + 1 WHERE number = :number",
        named_params! { ":number": number },
    )?;
    Ok(Ok((number, prefix)))
}
