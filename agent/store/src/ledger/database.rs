//! The database file: how it is opened, which schema it has, how it is set
//! aside when it is damaged.

use crate::disk::{CommitPoint, Disk};
use crate::error::StoreError;
use crate::image_files::Layout;
use crate::ledger::names::Names;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::path::{Path, PathBuf};
use trapline_wire::LedgerId;
use trapline_wire::v1::Stamp;

/// Every schema step ever shipped, in order; `user_version` counts those applied.
const SCHEMAS: [&str; 8] = [
    include_str!("../../schema/0001.sql"),
    include_str!("../../schema/0002.sql"),
    include_str!("../../schema/0003.sql"),
    include_str!("../../schema/0004.sql"),
    include_str!("../../schema/0005.sql"),
    include_str!("../../schema/0006.sql"),
    include_str!("../../schema/0007.sql"),
    include_str!("../../schema/0008.sql"),
];
/// The newest schema.
const SCHEMA_NEWEST: u32 = 8;
/// Marks the file as a ledger for `file(1)` and for us: "Trap" in ASCII.
const APPLICATION_ID: i64 = 0x5472_6170;
/// Databases that are kept after they were set aside.
const SET_ASIDE_MAX: u32 = 100;

/// Whether a ledger of an older version may be brought to the newest schema, after
/// which the older version cannot open it any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upgrade {
    /// It may.
    Allowed,
    /// It may not yet: the older version may have to go on with it.
    Refused,
}

/// Bytes of a page of a new ledger. A record touches a few pages, each is written whole and twice, and most records are
/// a few hundred bytes, so small pages are what keeps the card from wearing; an older ledger keeps the size that it has.
const PAGE_BYTES: u32 = 1024;
/// The log is folded back before it grows beyond this, so that it neither eats the card nor makes the start after a cut
/// slow; a log that stays below its limit is written over in place, which spares the file system its own log.
const LOG_BYTES_MAX: u32 = 2 * 1024 * 1024;
/// Bytes of the log in front of each page.
const FRAME_HEAD_BYTES: u32 = 24;
/// Pages of the log that a single large commit may come on top.
const LOG_PAGES_SPARE: u32 = 64;

/// Opens the database for its one writer.
pub(super) fn connect(disk: &dyn Disk, layout: &Layout) -> Result<Connection, StoreError> {
    let file = layout.database();
    let at = |error| StoreError::sql(&file, error);
    let connection = Connection::open(&file).map_err(at)?;
    // Only a database without a single page takes the size of its pages from here.
    connection
        .execute_batch(&format!("PRAGMA page_size = {PAGE_BYTES};"))
        .map_err(at)?;
    let page_bytes: u32 = connection
        .query_row("PRAGMA page_size", [], |row| row.get(0))
        .map_err(at)?;
    let log_pages = (LOG_BYTES_MAX / (page_bytes + FRAME_HEAD_BYTES))
        .saturating_sub(LOG_PAGES_SPARE)
        .max(LOG_PAGES_SPARE);
    // A commit waits for the card (FULL): what was promised survives the next
    // second. The page cache is small because the agent idles in 20 MB.
    let synchronous = if disk.commits_must_sync() {
        "FULL"
    } else {
        "OFF"
    };
    connection
        .execute_batch(&format!(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = {synchronous};
             PRAGMA wal_autocheckpoint = {log_pages};
             PRAGMA journal_size_limit = {LOG_BYTES_MAX};
             PRAGMA cache_size = -512;
             PRAGMA mmap_size = 0;
             PRAGMA temp_store = MEMORY;
             PRAGMA foreign_keys = ON;
             PRAGMA trusted_schema = OFF;
             PRAGMA cell_size_check = ON;"
        ))
        .map_err(at)?;
    Ok(connection)
}

/// Finds out whether the schema may stay or be brought up to date; nothing is written.
pub(super) fn allow(
    connection: &Connection,
    layout: &Layout,
    upgrade: Upgrade,
) -> Result<(), StoreError> {
    let file = layout.database();
    let found = schema_of(connection, &file)?;
    if upgrade == Upgrade::Refused && (1..SCHEMA_NEWEST).contains(&found) {
        let known = SCHEMA_NEWEST;
        return Err(StoreError::OlderSchema { file, found, known });
    }
    Ok(())
}

/// Brings the schema up to date and finds, or draws, the ledger's names; also
/// says whether the ledger is new.
pub(super) fn prepare(
    connection: &mut Connection,
    disk: &dyn Disk,
    layout: &Layout,
    draw: impl FnOnce() -> LedgerId,
    now: &Stamp,
) -> Result<(Names, bool), StoreError> {
    let file = layout.database();
    let found = schema_of(connection, &file)?;
    if found == SCHEMA_NEWEST {
        let names = Names::read(connection).map_err(|halt| halt.at(&file))?;
        return Ok((names, false));
    }
    let at = |error| StoreError::sql(&file, error);
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(at)?;
    let done = usize::try_from(found).unwrap_or(usize::MAX);
    for schema in SCHEMAS.iter().skip(done) {
        transaction.execute_batch(schema).map_err(at)?;
    }
    let created = found == 0;
    if created {
        insert_ledger(&transaction, draw(), now).map_err(at)?;
    }
    transaction
        .execute_batch(&format!(
            "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_NEWEST};"
        ))
        .map_err(at)?;
    let names = Names::read(&transaction).map_err(|halt| halt.at(&file))?;
    disk.commit_point(CommitPoint::Before)
        .map_err(|error| StoreError::io(&file, error))?;
    transaction.commit().map_err(at)?;
    disk.commit_point(CommitPoint::After)
        .map_err(|error| StoreError::io(&file, error))?;
    disk.sync_folder(&layout.folder)
        .map_err(|error| StoreError::io(&layout.folder, error))?;
    Ok((names, created))
}

/// Copies the database without changing it; false when nothing was ever written into it.
pub(super) fn copy(from: &Layout, into: &Layout) -> Result<bool, StoreError> {
    let file = from.database();
    let at = |error| StoreError::sql(&file, error);
    // The log of a cut may have to be read, which needs a file that is open for writing.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&file, flags).map_err(at)?;
    // And what the log holds stays there: folding it back is for the ledger's owner.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .map_err(at)?;
    connection
        .execute_batch(
            "PRAGMA cache_size = -512; PRAGMA mmap_size = 0; PRAGMA trusted_schema = OFF;",
        )
        .map_err(at)?;
    if schema_of(&connection, &file)? == 0 {
        return Ok(false);
    }
    let target = into.database();
    let name = target.to_string_lossy();
    connection.execute("VACUUM INTO ?1", [&name]).map_err(at)?;
    Ok(true)
}

/// Opens the database beside its writer, only to read.
pub(super) fn connect_to_read(layout: &Layout) -> Result<(Connection, Names), StoreError> {
    let file = layout.database();
    if !file.exists() {
        return Err(StoreError::NoLedger { file });
    }
    let at = |error| StoreError::sql(&file, error);
    // Reading a log-based database needs to write its shared index, so the
    // file is opened for writing and the connection forbids itself to.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&file, flags).map_err(at)?;
    connection
        .execute_batch(
            "PRAGMA query_only = ON;
             PRAGMA cache_size = -512;
             PRAGMA mmap_size = 0;
             PRAGMA temp_store = MEMORY;
             PRAGMA trusted_schema = OFF;",
        )
        .map_err(at)?;
    if schema_of(&connection, &file)? == 0 {
        return Err(StoreError::NoLedger { file });
    }
    let names = Names::read(&connection).map_err(|halt| halt.at(&file))?;
    Ok((connection, names))
}

/// Renames a damaged database, so that the agent can start a new ledger in the
/// same folder; its pictures stay where they are. Returns the new name.
///
/// Only for a ledger that is not open.
///
/// # Errors
/// [`Io`](StoreError::Io) or [`Full`](StoreError::Full) when the card refuses,
/// [`Refused`](StoreError::Refused) when a hundred were set aside already.
pub fn set_database_aside(folder: &Path, disk: &dyn Disk) -> Result<PathBuf, StoreError> {
    let file = Layout::new(folder).database();
    let at = |error| StoreError::io(&file, error);
    for number in 1..=SET_ASIDE_MAX {
        let target = folder.join(format!("ledger.damaged-{number}.sqlite"));
        if disk.size_bytes(&target).map_err(at)?.is_some() {
            continue;
        }
        // The log first: a database without its log is older, a log without its
        // database would be taken for the log of the new one.
        for suffix in ["-wal", "-shm", ""] {
            let from = with_suffix(&file, suffix);
            if disk.size_bytes(&from).map_err(at)?.is_some() {
                disk.rename(&from, &with_suffix(&target, suffix))
                    .map_err(at)?;
            }
        }
        disk.sync_folder(folder).map_err(at)?;
        return Ok(target);
    }
    Err(StoreError::Refused {
        what: file.display().to_string(),
        reason: format!("{SET_ASIDE_MAX} damaged databases lie beside it already"),
    })
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn schema_of(connection: &Connection, file: &Path) -> Result<u32, StoreError> {
    let at = |error| StoreError::sql(file, error);
    let number = |pragma: &str| connection.query_row(pragma, [], |row| row.get::<_, i64>(0));
    let found = number("PRAGMA user_version").map_err(at)?;
    let application_id = number("PRAGMA application_id").map_err(at)?;
    if found != 0 && application_id != APPLICATION_ID {
        return Err(StoreError::Corrupt {
            file: file.to_owned(),
            detail: "it is a database of another program".to_owned(),
        });
    }
    let found = u32::try_from(found).unwrap_or(u32::MAX);
    if found > SCHEMA_NEWEST {
        return Err(StoreError::NewerSchema {
            file: file.to_owned(),
            found,
            known: SCHEMA_NEWEST,
        });
    }
    Ok(found)
}

fn insert_ledger(
    connection: &Connection,
    id: LedgerId,
    now: &Stamp,
) -> Result<(), rusqlite::Error> {
    connection.execute(
        "INSERT INTO ledger
             (only, id, created_unix_ms, created_clock, created_boot_id, created_uptime_ms)
         VALUES (1, ?1, ?2, ?3, ?4, ?5)",
        (
            id.to_string(),
            now.unix_ms,
            now.quality.word(),
            &now.boot_id,
            now.uptime_ms,
        ),
    )?;
    Ok(())
}
