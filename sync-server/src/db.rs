//! The database: opened, brought up to date, and asked in one place per matter.
//!
//! SQLite in WAL mode with `synchronous=FULL`: what a trap was told is stored
//! survives a power cut. The command line uses the same file while the server
//! runs; both wait for each other instead of failing.

mod batches;
mod cards;
mod enrolments;
mod models;
mod pictures;
mod reading;
mod records;
mod researchers;
mod series;
mod summaries;
mod tokens;
mod tracks;
mod traps;
mod updates;
mod uploads;

pub(crate) use cards::{CardListed, Decision, Device, ParkedListed};
pub(crate) use enrolments::{Decided, PendingListed};
pub(crate) use models::{ModelRow, OfferRow, Which};
pub(crate) use pictures::StoredPicture;
pub(crate) use reading::{CaptureFilter, CaptureRow, Cursor, Window};
pub(crate) use researchers::{Session, User};
pub(crate) use series::timeline_reading;
pub(crate) use summaries::Counts;
pub(crate) use tokens::{NewToken, TokenListed};
pub(crate) use tracks::{TrackFilter, TrackListed, card_name};
pub(crate) use traps::TrapListed;
pub(crate) use updates::{UpdateOfferRow, UpdateRow};
pub(crate) use uploads::{UploadRow, UploadState};

use crate::problem::Failure;
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;
use std::time::Duration;

/// Shipped shapes of the database, oldest first; `user_version` counts them.
const MIGRATIONS: &[&str] = &[
    include_str!("../schema/0001.sql"),
    include_str!("../schema/0002.sql"),
    include_str!("../schema/0003.sql"),
    include_str!("../schema/0004.sql"),
    include_str!("../schema/0005.sql"),
    include_str!("../schema/0006.sql"),
    include_str!("../schema/0007.sql"),
];

/// One connection to the database.
pub(crate) struct Db {
    connection: Connection,
}

impl Db {
    /// Opens `data/trapline.db`, makes it if it is not there, migrates it.
    pub(crate) fn open(data: &Path) -> Result<Self, Failure> {
        std::fs::create_dir_all(data).map_err(Failure::file("make the folder", data))?;
        let path = data.join("trapline.db");
        let cannot = |error: rusqlite::Error| {
            Failure::Broken(format!("cannot open {}: {error}", path.display()))
        };
        let mut connection = Connection::open(&path).map_err(cannot)?;
        connection
            .busy_timeout(Duration::from_secs(15))
            .map_err(cannot)?;
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL;
                 PRAGMA synchronous = FULL;
                 PRAGMA foreign_keys = ON;
                 PRAGMA journal_size_limit = 67108864;",
            )
            .map_err(cannot)?;
        connection.set_prepared_statement_cache_capacity(64);
        migrate(&mut connection, &path)?;
        Ok(Self { connection })
    }

    /// Whether the database answers.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        self.connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| {
                row.get::<_, i64>(0)
            })?;
        Ok(())
    }

    fn write(&mut self) -> Result<rusqlite::Transaction<'_>, Failure> {
        Ok(self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?)
    }
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: usize =
        transaction.query_row("PRAGMA user_version", [], |row| row.get::<_, u32>(0))? as usize;
    if version > MIGRATIONS.len() {
        return Err(Failure::Broken(format!(
            "{} was made by a newer trapline-server (its shape is {version}, this program knows \
             {}): install that version again, or name another --data folder",
            path.display(),
            MIGRATIONS.len(),
        )));
    }
    for (sql, shape) in MIGRATIONS.iter().zip(1_u32..).skip(version) {
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", shape)?;
    }
    transaction.commit()?;
    Ok(())
}

/// A count of SQLite as the wire says it; never negative by construction.
fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// A size of the wire as SQLite holds it; `ingest` refuses what does not fit.
fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn digest(bytes: [u8; 32]) -> trapline_wire::Sha256 {
    trapline_wire::Sha256::from_bytes(bytes)
}

/// Reads a `record` column; text that this program wrote itself always fits.
fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Failure> {
    serde_json::from_str(text)
        .map_err(|error| Failure::Broken(format!("a stored record cannot be read: {error}")))
}

fn text_of<T: serde::Serialize>(record: &T) -> Result<String, Failure> {
    serde_json::to_string(record)
        .map_err(|error| Failure::Broken(format!("a record cannot be written: {error}")))
}
