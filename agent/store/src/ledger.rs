//! The open ledger: who may read it, who may write it, and the one path of
//! every transaction.

use crate::disk::{CommitPoint, Disk, LockGuard};
use crate::error::{Halt, StoreError};
use crate::image_files::{self, Layout};
use crate::recover::{self, Recovery};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::fmt;
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use trapline_wire::v1::Stamp;
use trapline_wire::{CaptureId, EffortId, LedgerId, ReadingId, TrackId};

mod arrivals;
mod copy;
mod database;
mod deployments;
mod follow;
mod forecast;
mod inspect;
mod models;
mod names;
mod outbox;
mod pages;
mod pictures;
mod quality;
mod retain;
mod rows;
mod shots;
mod summary;
mod text;

pub use copy::Held;
pub use database::{Upgrade, set_database_aside};
pub use deployments::{Deployment, DeploymentFacts, Place, PlaceSource, SPOT_BYTES_MAX};
pub use follow::{Followed, Following, TrackNow};
pub use inspect::{Found, NewInspection};
pub use models::{ModelRow, ModelStage, ModelStep};
pub use outbox::{BatchLimits, Outgoing};
pub use pages::{
    CaptureRow, EffortRow, InspectionRow, InspectionState, PictureState, ReadingRow, RecordState,
    TrackRow,
};
pub use pictures::{PassOver, PictureOrder};
pub use quality::Worth;
pub use retain::{Prunable, Usage};
pub use shots::{NewCapture, NewReading, Span};
pub use summary::{LastCapture, Summary};

use names::Names;

/// More than what the detector remembers of the largest picture.
const MEMORY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A ledger that can be read. Any number of views may be open beside the one
/// [`Ledger`], in the same or in another process.
pub struct View {
    connection: Connection,
    disk: Arc<dyn Disk>,
    layout: Layout,
    names: Names,
}

/// The ledger in the hands of its one owner, who may write.
///
/// It reads like a [`View`].
pub struct Ledger {
    view: View,
    /// A picture file whose row was not committed for certain; see [`Ledger::write`].
    leftover: Option<PathBuf>,
    _lock: LockGuard,
}

impl Ledger {
    /// Opens the ledger in `folder`, or starts one there, and repairs what the
    /// last power cut left behind.
    ///
    /// `draw` is asked for a random id only when a ledger is started. `now` is
    /// the time at which shots that were cut off count as missed.
    ///
    /// # Errors
    /// [`Locked`](StoreError::Locked) when another agent has it open,
    /// [`NewerSchema`](StoreError::NewerSchema), [`Corrupt`](StoreError::Corrupt),
    /// and [`Full`](StoreError::Full) or [`Io`](StoreError::Io) when the card refuses.
    pub fn open(
        folder: &Path,
        disk: Arc<dyn Disk>,
        draw: impl FnOnce() -> LedgerId,
        now: &Stamp,
    ) -> Result<(Self, Recovery), StoreError> {
        Self::open_with(folder, disk, draw, now, Upgrade::Allowed)
    }

    /// The same; `upgrade` says whether the schema of an older version may be changed.
    ///
    /// # Errors
    /// [`OlderSchema`](StoreError::OlderSchema) when it would have to be and may not, and as
    /// for [`open`](Self::open).
    pub fn open_with(
        folder: &Path,
        disk: Arc<dyn Disk>,
        draw: impl FnOnce() -> LedgerId,
        now: &Stamp,
        upgrade: Upgrade,
    ) -> Result<(Self, Recovery), StoreError> {
        let layout = Layout::new(folder);
        let lock = lock(disk.as_ref(), &layout)?;
        image_files::make_folders(disk.as_ref(), &layout)?;
        let mut connection = database::connect(disk.as_ref(), &layout)?;
        database::allow(&connection, &layout, upgrade)?;
        let (names, created) =
            database::prepare(&mut connection, disk.as_ref(), &layout, draw, now)?;
        let mut ledger = Self {
            view: View {
                connection,
                disk,
                layout,
                names,
            },
            leftover: None,
            _lock: lock,
        };
        let recovery = recover::recover(&mut ledger, now, created)?;
        Ok((ledger, recovery))
    }

    /// Keeps a small fact over power cuts, replacing the old value of `key`.
    ///
    /// # Errors
    /// [`Full`](StoreError::Full) or [`Io`](StoreError::Io) when the card refuses.
    pub fn set_meta(&mut self, key: &str, value: &str) -> Result<(), StoreError> {
        self.write(|transaction| {
            transaction.execute(
                "INSERT INTO meta (key, value) VALUES (?1, ?2)
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (key, value),
            )?;
            Ok(())
        })
    }

    /// Keeps what the detector remembers of the last picture, for the next
    /// start; only worth its bytes at an orderly stop.
    ///
    /// # Errors
    /// [`Full`](StoreError::Full) or [`Io`](StoreError::Io) when the card refuses.
    pub fn keep_memory(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        if bytes.len() > MEMORY_BYTES_MAX {
            return Ok(());
        }
        image_files::write_memory(self.disk(), &self.layout, bytes)
    }

    /// What was kept of the last picture; it is gone from the card afterwards,
    /// because it is worth nothing after the next look.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) when the card does not read or write.
    pub fn take_memory(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        let file = self.layout.memory();
        let at = |error| StoreError::io(&file, error);
        let size_bytes = self.disk().size_bytes(&file).map_err(at)?;
        let Some(size_bytes) = size_bytes else {
            return Ok(None);
        };
        let fits = usize::try_from(size_bytes).is_ok_and(|size| size <= MEMORY_BYTES_MAX);
        let bytes = if fits {
            Some(
                self.disk()
                    .read_at(&file, 0, MEMORY_BYTES_MAX)
                    .map_err(at)?,
            )
        } else {
            None
        };
        self.disk().remove(&file).map_err(at)?;
        self.disk().sync_folder(&self.layout.folder).map_err(at)?;
        Ok(bytes)
    }

    /// Runs one transaction; every write to the database goes through here.
    ///
    /// SQLite may fail a commit whose frames have reached the card all the
    /// same; they would come back to life after a power cut, unless a later
    /// commit overwrites them. So a picture whose row failed keeps its file
    /// until the next commit has succeeded.
    pub(crate) fn write<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Halt>,
    ) -> Result<T, StoreError> {
        let database = self.layout.database();
        let disk = Arc::clone(&self.view.disk);
        let transaction = self
            .view
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| StoreError::sql(&database, error))?;
        let done = work(&transaction).map_err(|halt| halt.at(&database))?;
        disk.commit_point(CommitPoint::Before)
            .map_err(|error| StoreError::io(&database, error))?;
        transaction
            .commit()
            .map_err(|error| StoreError::sql(&database, error))?;
        disk.commit_point(CommitPoint::After)
            .map_err(|error| StoreError::io(&database, error))?;
        if let Some(file) = self.leftover.take() {
            // What cannot be removed now, the next picture or recovery replaces.
            drop(disk.remove(&file));
        }
        Ok(done)
    }

    pub(crate) fn leave_over(&mut self, file: PathBuf) {
        self.leftover = Some(file);
    }

    /// Makes sure that no failed commit can come back to life.
    pub(crate) fn settle(&mut self) -> Result<(), StoreError> {
        if self.leftover.is_some() {
            self.set_meta("ledger.settled", "")?;
        }
        Ok(())
    }
}

/// Makes the ledger's folder and takes its lock.
fn lock(disk: &dyn Disk, layout: &Layout) -> Result<LockGuard, StoreError> {
    let (folder, file) = (&layout.folder, layout.lock());
    disk.make_folder(folder)
        .map_err(|error| StoreError::io(folder, error))?;
    disk.lock(&file).map_err(|error| {
        if error.kind() == io::ErrorKind::WouldBlock {
            StoreError::Locked { file: file.clone() }
        } else {
            StoreError::io(&file, error)
        }
    })
}

impl Deref for Ledger {
    type Target = View;

    fn deref(&self) -> &View {
        &self.view
    }
}

impl View {
    /// Opens the ledger in `folder` for reading, beside the agent that may be writing it.
    ///
    /// # Errors
    /// [`NoLedger`](StoreError::NoLedger) when there is none,
    /// [`NewerSchema`](StoreError::NewerSchema), [`Corrupt`](StoreError::Corrupt),
    /// [`Io`](StoreError::Io).
    pub fn open(folder: &Path, disk: Arc<dyn Disk>) -> Result<Self, StoreError> {
        let layout = Layout::new(folder);
        let (connection, names) = database::connect_to_read(&layout)?;
        Ok(Self {
            connection,
            disk,
            layout,
            names,
        })
    }

    /// The ledger's id, drawn when it was started, or when it was found to be a copy.
    #[must_use]
    pub fn id(&self) -> LedgerId {
        self.names.newest()
    }

    /// The folder that holds it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.layout.folder
    }

    /// A small fact that [`Ledger::set_meta`] kept.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) or [`Corrupt`](StoreError::Corrupt).
    pub fn get_meta(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare("SELECT value FROM meta WHERE key = ?1")?;
            let mut rows = statement.query([key])?;
            match rows.next()? {
                Some(row) => Ok(Some(row.get(0)?)),
                None => Ok(None),
            }
        })
    }

    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Halt>,
    ) -> Result<T, StoreError> {
        work(&self.connection).map_err(|halt| halt.at(&self.layout.database()))
    }

    pub(crate) fn disk(&self) -> &dyn Disk {
        self.disk.as_ref()
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(crate) fn capture_id(&self, seq: u64) -> CaptureId {
        CaptureId::new(self.names.of_capture(seq), seq)
    }

    pub(crate) fn effort_id(&self, seq: u64) -> EffortId {
        EffortId::new(self.names.of_effort(seq), seq)
    }

    pub(crate) fn reading_id(&self, seq: u64) -> ReadingId {
        ReadingId::new(self.names.of_reading(seq), seq)
    }

    pub(crate) fn track_id(&self, seq: u64) -> TrackId {
        TrackId::new(self.names.of_track(seq), seq)
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View")
            .field("folder", &self.layout.folder)
            .field("id", &self.id())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger")
            .field("view", &self.view)
            .finish_non_exhaustive()
    }
}
