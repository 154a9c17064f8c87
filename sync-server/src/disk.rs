//! The seam to the disk of pictures and uploads: everything that `blobs` changes there, in small steps that can each be
//! the last before a power cut. Reading goes past it, so a simulated disk keeps real files.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

#[cfg(feature = "simulation")]
mod lossy;
#[cfg(feature = "simulation")]
pub use lossy::LossyDisk;

/// What the server needs of a file system to keep pictures.
///
/// Bytes survive a power cut after [`sync`](Self::sync) of their file, names after [`sync_folder`](Self::sync_folder) of
/// their folder.
///
/// # Errors
/// Every method gives what the system says; `blobs` adds the file's name.
#[expect(
    clippy::missing_errors_doc,
    reason = "said once for all methods, on the trait"
)]
pub trait Disk: Send + Sync {
    /// Makes a folder and those above it; an existing one is fine.
    fn make_folder(&self, folder: &Path) -> io::Result<()>;

    /// Creates a file, or empties an existing one.
    fn create(&self, file: &Path) -> io::Result<()>;

    /// Writes `bytes` into an existing file from `offset_bytes` on.
    fn write_at(&self, file: &Path, offset_bytes: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts an existing file back to `len_bytes`.
    fn cut(&self, file: &Path, len_bytes: u64) -> io::Result<()>;

    /// Returns when the content of an existing file survives a power cut.
    fn sync(&self, file: &Path) -> io::Result<()>;

    /// Gives the file its new name in one step; an existing file of that name is replaced.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file; an absent one is fine.
    fn remove(&self, file: &Path) -> io::Result<()>;

    /// Returns when the names in a folder survive a power cut.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
}

/// The file system of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsDisk;

impl Disk for OsDisk {
    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)
    }

    fn create(&self, file: &Path) -> io::Result<()> {
        File::create(file).map(drop)
    }

    fn write_at(&self, file: &Path, offset_bytes: u64, bytes: &[u8]) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(file)?;
        file.write_all_at(bytes, offset_bytes)
    }

    fn cut(&self, file: &Path, len_bytes: u64) -> io::Result<()> {
        OpenOptions::new()
            .write(true)
            .open(file)?
            .set_len(len_bytes)
    }

    fn sync(&self, file: &Path) -> io::Result<()> {
        File::open(file)?.sync_all()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the seam that the ban points to; blobs.rs syncs file and folder"
    )]
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, file: &Path) -> io::Result<()> {
        match fs::remove_file(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }
}
