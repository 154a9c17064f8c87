//! A copy of the rows, on which something may be tried that must not go wrong
//! with the ledger itself: new software, and the schema that it brings.

use crate::disk::{Disk, LockGuard};
use crate::error::StoreError;
use crate::image_files::Layout;
use crate::ledger::{database, lock};
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// What stays free beside the copy: its log while the schema is brought up to date, and a picture.
const SPARE_BYTES: u64 = 64 * 1024 * 1024;

/// A ledger that no agent works on while this is held. It is not opened, so its
/// schema stays what it is.
pub struct Held {
    disk: Arc<dyn Disk>,
    layout: Layout,
    _lock: LockGuard,
}

impl Held {
    /// Holds the ledger of `folder`, whether there is one yet or not.
    ///
    /// # Errors
    /// [`Locked`](StoreError::Locked) when an agent works on it, [`Io`](StoreError::Io).
    pub fn take(folder: &Path, disk: Arc<dyn Disk>) -> Result<Self, StoreError> {
        let layout = Layout::new(folder);
        let lock = lock(disk.as_ref(), &layout)?;
        Ok(Self {
            disk,
            layout,
            _lock: lock,
        })
    }

    /// Copies every row into a database in the folder `into`, where none is; pictures stay
    /// where they are. False when there is no ledger to copy.
    ///
    /// # Errors
    /// [`NewerSchema`](StoreError::NewerSchema) or [`Corrupt`](StoreError::Corrupt) as for
    /// opening it, [`Full`](StoreError::Full) when there is no room for a copy.
    pub fn copy_rows(&self, into: &Path) -> Result<bool, StoreError> {
        let (from, into) = (self.layout.database(), Layout::new(into));
        let size_bytes = self.disk.size_bytes(&from);
        let size_bytes = size_bytes.map_err(|error| StoreError::io(&from, error))?;
        let Some(size_bytes) = size_bytes else {
            return Ok(false);
        };
        // The copy, and the log that a new schema may write of all of it.
        let wanted = size_bytes.saturating_mul(2).saturating_add(SPARE_BYTES);
        let free = self.disk.free_bytes(&into.folder);
        let free = free.map_err(|error| StoreError::io(&into.folder, error))?;
        if free < wanted {
            let why = format!("a copy of the ledger needs {wanted} bytes, {free} are free");
            let error = io::Error::new(io::ErrorKind::StorageFull, why);
            return Err(StoreError::io(&into.database(), error));
        }
        database::copy(&self.layout, &into)
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held")
            .field("folder", &self.layout.folder)
            .finish_non_exhaustive()
    }
}
