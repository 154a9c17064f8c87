//! Users and their sessions.

use super::Db;
use crate::problem::Failure;
use rusqlite::{OptionalExtension as _, named_params};
use trapline_wire::Sha256;

/// A user with the argon2id hash of the password.
pub(crate) struct User {
    pub(crate) number: i64,
    pub(crate) name: String,
    pub(crate) password_hash: String,
}

/// Whose cookie it is.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) user_name: String,
    pub(crate) token: Sha256,
}

impl Db {
    /// Adds a user; false when the name is taken.
    pub(crate) fn add_user(
        &mut self,
        name: &str,
        password_hash: &str,
        now_ms: i64,
    ) -> Result<bool, Failure> {
        let added = self.connection.execute(
            "INSERT INTO users (name, password_hash, added_ms) VALUES (:name, :hash, :now)
             ON CONFLICT (name) DO NOTHING",
            named_params! { ":name": name, ":hash": password_hash, ":now": now_ms },
        )?;
        Ok(added == 1)
    }

    /// Sets a new password and ends all sessions of the user; false when there is no such user.
    pub(crate) fn set_password(
        &mut self,
        name: &str,
        password_hash: &str,
    ) -> Result<bool, Failure> {
        let transaction = self.write()?;
        let changed = transaction.execute(
            "UPDATE users SET password_hash = :hash WHERE name = :name",
            named_params! { ":name": name, ":hash": password_hash },
        )?;
        transaction.execute(
            "DELETE FROM sessions WHERE user = (SELECT number FROM users WHERE name = :name)",
            named_params! { ":name": name },
        )?;
        transaction.commit()?;
        Ok(changed == 1)
    }

    pub(crate) fn user(&self, name: &str) -> Result<Option<User>, Failure> {
        Ok(self
            .connection
            .query_row(
                "SELECT number, name, password_hash FROM users WHERE name = :name",
                named_params! { ":name": name },
                |row| {
                    Ok(User {
                        number: row.get(0)?,
                        name: row.get(1)?,
                        password_hash: row.get(2)?,
                    })
                },
            )
            .optional()?)
    }

    /// Starts a session and forgets the expired ones. False when the password
    /// was changed since `user` was read: that login does not count any more.
    pub(crate) fn start_session(
        &mut self,
        user: &User,
        token: &Sha256,
        expires_ms: i64,
        now_ms: i64,
    ) -> Result<bool, Failure> {
        let transaction = self.write()?;
        transaction.execute(
            "DELETE FROM sessions WHERE expires_ms <= :now",
            named_params! { ":now": now_ms },
        )?;
        let started = transaction.execute(
            "INSERT INTO sessions (token_sha256, user, expires_ms)
             SELECT :token, number, :expires FROM users
             WHERE number = :user AND password_hash = :hash",
            named_params! {
                ":token": token.as_bytes(),
                ":user": user.number,
                ":hash": user.password_hash,
                ":expires": expires_ms,
            },
        )?;
        transaction.commit()?;
        Ok(started == 1)
    }

    pub(crate) fn session(&self, token: Sha256, now_ms: i64) -> Result<Option<Session>, Failure> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT users.name FROM sessions JOIN users ON users.number = sessions.user
                 WHERE token_sha256 = :token AND expires_ms > :now",
            )?
            .query_row(
                named_params! { ":token": token.as_bytes(), ":now": now_ms },
                |row| {
                    Ok(Session {
                        user_name: row.get(0)?,
                        token,
                    })
                },
            )
            .optional()?)
    }

    pub(crate) fn end_session(&mut self, token: &Sha256) -> Result<(), Failure> {
        self.connection.execute(
            "DELETE FROM sessions WHERE token_sha256 = :token",
            named_params! { ":token": token.as_bytes() },
        )?;
        Ok(())
    }
}
