//! The seam to the card: everything that the ledger does to files, in small
//! steps that can each fail or be the last before a power cut.
//!
//! SQLite writes its own files itself; a disk only learns of its commits
//! through [`Disk::commit_point`], so that a simulated one can cut there too.

use std::fs;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

#[cfg(feature = "simulation")]
mod sim;
#[cfg(feature = "simulation")]
pub use sim::{Loss, Lost, SimDisk};

/// One entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Name in the folder; names that are not UTF-8 are left out of lists.
    pub name: String,
    /// Whether it is a folder itself.
    pub is_folder: bool,
    /// Size of a file.
    pub size_bytes: u64,
}

/// A file that is being written.
pub trait DiskFile: Send {
    /// Appends all of `bytes`; they may be lost until [`sync`](Self::sync) returns.
    ///
    /// # Errors
    /// What the system says, [`io::ErrorKind::StorageFull`] among them.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Returns when the content survives a power cut; the name may not yet.
    ///
    /// # Errors
    /// What the system says; the content is then unknown.
    fn sync(&mut self) -> io::Result<()>;
}

/// Held while a ledger is open; dropping it lets the next one in.
pub type LockGuard = Box<dyn Send>;

/// Where a commit of the database stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitPoint {
    /// Everything is written into the transaction, nothing is promised.
    Before,
    /// The commit is durable, the caller does not know it yet.
    After,
}

/// What the ledger needs of a file system.
///
/// A name made by [`create`](Self::create), [`make_folder`](Self::make_folder),
/// [`rename`](Self::rename) or unmade by [`remove`](Self::remove) survives a
/// power cut only after [`sync_folder`](Self::sync_folder) of its folder.
///
/// # Errors
/// Every method gives what the system says; the ledger adds the file's name.
#[expect(
    clippy::missing_errors_doc,
    reason = "said once for all methods, on the trait"
)]
pub trait Disk: Send + Sync {
    /// Makes one folder; an existing one is fine.
    fn make_folder(&self, folder: &Path) -> io::Result<()>;

    /// Creates a file, or empties an existing one, for writing.
    fn create(&self, file: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Gives the file its new name in one step; an existing file of that name is replaced.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Makes the names in a folder survive a power cut.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;

    /// Removes a file; an absent one is fine.
    fn remove(&self, file: &Path) -> io::Result<()>;

    /// Reads up to `len_bytes` from `offset_bytes`; fewer bytes mean the end of the file.
    fn read_at(&self, file: &Path, offset_bytes: u64, len_bytes: usize) -> io::Result<Vec<u8>>;

    /// The size of a file, `None` when it is absent.
    fn size_bytes(&self, file: &Path) -> io::Result<Option<u64>>;

    /// The entries of a folder in the order of their names.
    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>>;

    /// Bytes that may still be written to the file system of `folder`.
    fn free_bytes(&self, folder: &Path) -> io::Result<u64>;

    /// Takes the advisory lock of a file, or says
    /// [`io::ErrorKind::WouldBlock`] when another process holds it.
    fn lock(&self, file: &Path) -> io::Result<LockGuard>;

    /// Called before and after each commit of the database; an error before it rolls back.
    fn commit_point(&self, _point: CommitPoint) -> io::Result<()> {
        Ok(())
    }

    /// Whether SQLite must wait for the card at each commit; only a disk whose
    /// power cuts fall between commits can say no.
    fn commits_must_sync(&self) -> bool {
        true
    }
}

/// The file system of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsDisk;

impl DiskFile for fs::File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        // The size is part of what must survive, which fdatasync covers as well.
        self.sync_data()
    }
}

impl Disk for OsDisk {
    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        match fs::create_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    }

    fn create(&self, file: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(fs::File::create(file)?))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the file that the ban points to; image_files.rs syncs the folder"
    )]
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        fs::File::open(folder)?.sync_all()
    }

    fn remove(&self, file: &Path) -> io::Result<()> {
        match fs::remove_file(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    fn read_at(&self, file: &Path, offset_bytes: u64, len_bytes: usize) -> io::Result<Vec<u8>> {
        let mut file = fs::File::open(file)?;
        file.seek(io::SeekFrom::Start(offset_bytes))?;
        let limit_bytes = u64::try_from(len_bytes).unwrap_or(u64::MAX);
        let mut bytes = Vec::new();
        file.take(limit_bytes).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn size_bytes(&self, file: &Path) -> io::Result<Option<u64>> {
        match fs::metadata(file) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let metadata = entry.metadata()?;
            entries.push(Entry {
                name,
                is_folder: metadata.is_dir(),
                size_bytes: metadata.len(),
            });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn free_bytes(&self, folder: &Path) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(folder)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    fn lock(&self, file: &Path) -> io::Result<LockGuard> {
        let held = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(file)?;
        match held.try_lock() {
            Ok(()) => Ok(Box::new(held)),
            Err(fs::TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }
}
