//! What can go wrong in the ledger, one variant per reaction.

use std::io;
use std::path::{Path, PathBuf};
use trapline_wire::CaptureId;

/// The cause below a [`StoreError`]: the system's or SQLite's own words.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why the ledger could not do it; each variant asks for another reaction.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No space is left: make room with [`prune`](crate::Ledger::prune), miss the shot.
    #[error("no space is left on the file system of {}", file.display())]
    Full {
        /// The file that could not grow.
        file: PathBuf,
        /// What the system said.
        source: Cause,
    },
    /// The card does not read or write: try again later, tell the people.
    #[error("{} cannot be read or written", file.display())]
    Io {
        /// The file in question.
        file: PathBuf,
        /// What the system said.
        source: Cause,
    },
    /// The database is damaged: keep it with
    /// [`set_database_aside`](crate::set_database_aside) and start a new ledger.
    #[error("{} is damaged: {detail}", file.display())]
    Corrupt {
        /// The database file.
        file: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// A newer agent wrote this ledger: install that version again.
    #[error(
        "{} was written by a newer version: its schema is {found}, this version knows {known}",
        file.display()
    )]
    NewerSchema {
        /// The database file.
        file: PathBuf,
        /// Schema of the file.
        found: u32,
        /// Newest schema that this version knows.
        known: u32,
    },
    /// An older agent wrote this ledger, and it may not be changed yet.
    #[error(
        "{} was written by an older version: its schema is {found}, this version needs {known} \
         and may not change it before it has proved itself",
        file.display()
    )]
    OlderSchema {
        /// The database file.
        file: PathBuf,
        /// Schema of the file.
        found: u32,
        /// The schema that this version needs.
        known: u32,
    },
    /// Another agent works on this ledger: stop one of the two.
    #[error("another process works on the ledger of {}", file.display())]
    Locked {
        /// The file that the other process holds.
        file: PathBuf,
    },
    /// There is no ledger in the folder.
    #[error("{} does not exist: no ledger was started there", file.display())]
    NoLedger {
        /// The database file that is absent.
        file: PathBuf,
    },
    /// The picture on the card is not the one that was admitted.
    #[error("the picture of capture {capture} is damaged: {reason}")]
    Damaged {
        /// Whose picture.
        capture: CaptureId,
        /// What is wrong with it.
        reason: String,
    },
    /// The receipt is for another content: the picture is not safe.
    #[error("the receipt does not prove the picture of capture {capture}: {reason}")]
    WrongReceipt {
        /// Whose picture.
        capture: CaptureId,
        /// Which field differs.
        reason: String,
    },
    /// The ledger's rules forbid this step now.
    #[error("not allowed for {what}: {reason}")]
    Refused {
        /// The record in question.
        what: String,
        /// Which rule.
        reason: String,
    },
    /// SQLite refused for a reason that no reaction is known for: a mistake in this program.
    #[error("the database {} refused", file.display())]
    Database {
        /// The database file.
        file: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

impl StoreError {
    pub(crate) fn io(file: &Path, source: io::Error) -> Self {
        let file = file.to_owned();
        let is_full = matches!(
            source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        );
        let source = source.into();
        if is_full {
            Self::Full { file, source }
        } else {
            Self::Io { file, source }
        }
    }

    pub(crate) fn sql(file: &Path, source: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        let file = file.to_owned();
        let unreadable = matches!(
            source,
            rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::InvalidColumnType(..)
        );
        if unreadable {
            return Self::Corrupt {
                file,
                detail: source.to_string(),
            };
        }
        match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full {
                file,
                source: source.into(),
            },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt {
                file,
                detail: source.to_string(),
            },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked { file },
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::ReadOnly) => {
                Self::Io {
                    file,
                    source: source.into(),
                }
            }
            _ => Self::Database { file, source },
        }
    }

    /// Whether the reaction is to make room.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full { .. })
    }
}

/// A step that failed and gives its token back, so that the work is not lost.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Returned<T: std::fmt::Debug> {
    /// The token, as good as before.
    pub token: T,
    /// Why the step failed.
    #[source]
    pub error: StoreError,
}

/// What stops a transaction: SQLite, or a rule of the ledger.
#[derive(Debug)]
pub(crate) enum Halt {
    Sql(rusqlite::Error),
    Rule(StoreError),
}

impl From<rusqlite::Error> for Halt {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::Rule(error)
    }
}

impl Halt {
    pub(crate) fn at(self, database: &Path) -> StoreError {
        match self {
            Self::Sql(error) => StoreError::sql(database, error),
            Self::Rule(error) => error,
        }
    }
}
