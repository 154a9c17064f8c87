//! An open disk: written in large pieces, read back from the medium itself.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// Disks are written and read in pieces of this size.
pub const PIECE_BYTES: usize = 4 * 1024 * 1024;
/// What disks without a cache in between want buffers and lengths to be multiples of.
const ALIGNED_BYTES: usize = 4096;

/// What is written to.
pub trait Target {
    /// Writes all of `bytes` from `at_bytes` on.
    ///
    /// # Errors
    /// What the system says.
    fn write(&mut self, at_bytes: u64, bytes: &[u8]) -> io::Result<()>;

    /// Reads up to `bytes.len()`; through caches, for what was just written by small steps.
    ///
    /// # Errors
    /// What the system says.
    fn read(&mut self, at_bytes: u64, bytes: &mut [u8]) -> io::Result<usize>;

    /// Returns when everything is on the medium.
    ///
    /// # Errors
    /// What the system says; what is there is then unknown.
    fn sync(&mut self) -> io::Result<()>;

    /// Reads a piece, fewer bytes only at the end, from the medium itself where the system can.
    ///
    /// # Errors
    /// What the system says.
    fn read_back(&mut self, at_bytes: u64, len_bytes: usize) -> io::Result<Vec<u8>>;

    /// Its size, where it has one before anything is written.
    fn size_bytes(&self) -> Option<u64>;
}

/// A disk or a file of this machine.
#[derive(Debug)]
pub struct OpenDisk {
    /// Through the system's cache.
    plain: File,
    /// Past it, where that can be had.
    direct: Option<File>,
    size_bytes: Option<u64>,
}

impl OpenDisk {
    /// Opens a whole disk, so that nobody else can while it is written.
    ///
    /// # Errors
    /// What the system says; that it is busy when something of it is mounted.
    pub fn disk(path: &Path, raw: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        let mut plain = exclusively(&mut options).open(path)?;
        let size_bytes = plain.seek(SeekFrom::End(0))?;
        Ok(Self {
            plain,
            direct: past_cache(raw).ok(),
            size_bytes: Some(size_bytes).filter(|size| *size > 0),
        })
    }

    /// Makes a new file.
    ///
    /// # Errors
    /// What the system says; that it is there already, if it is.
    pub fn file(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let plain = options.read(true).write(true).create_new(true).open(path)?;
        Ok(Self {
            plain,
            direct: past_cache(path).ok(),
            size_bytes: None,
        })
    }
}

impl Target for OpenDisk {
    fn write(&mut self, at_bytes: u64, bytes: &[u8]) -> io::Result<()> {
        self.plain.seek(SeekFrom::Start(at_bytes))?;
        self.plain.write_all(bytes)
    }

    fn read(&mut self, at_bytes: u64, bytes: &mut [u8]) -> io::Result<usize> {
        self.plain.seek(SeekFrom::Start(at_bytes))?;
        self.plain.read(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.plain.sync_all()?;
        forget(&self.plain);
        Ok(())
    }

    fn read_back(&mut self, at_bytes: u64, len_bytes: usize) -> io::Result<Vec<u8>> {
        if let Some(direct) = &self.direct
            && let Ok(bytes) = read_aligned(direct, at_bytes, len_bytes)
        {
            return Ok(bytes);
        }
        // Some file systems have no way past their cache; what it holds was dropped after the
        // last sync, as far as the system does what it is asked.
        self.direct = None;
        forget(&self.plain);
        let mut bytes = vec![0; len_bytes];
        let read = read_fully(&self.plain, at_bytes, &mut bytes)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    fn size_bytes(&self) -> Option<u64> {
        self.size_bytes
    }
}

fn read_aligned(file: &File, at_bytes: u64, len_bytes: usize) -> io::Result<Vec<u8>> {
    let whole_bytes = len_bytes.next_multiple_of(ALIGNED_BYTES);
    let mut room = vec![0_u8; whole_bytes + ALIGNED_BYTES];
    let skip = room.as_ptr().align_offset(ALIGNED_BYTES);
    let range = skip..skip + whole_bytes;
    let aligned = room.get_mut(range).ok_or(io::ErrorKind::OutOfMemory)?;
    let read = read_fully(file, at_bytes, aligned)?.min(len_bytes);
    Ok(aligned.get(..read).unwrap_or_default().to_vec())
}

fn read_fully(file: &File, at_bytes: u64, bytes: &mut [u8]) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
        let offset = u64::try_from(done).unwrap_or(0);
        match file.read_at(rest, at_bytes + offset) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // The last piece of a file is not whole, and a read past the cache may say so.
            Err(_) if done > 0 => break,
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

#[cfg(target_os = "linux")]
fn exclusively(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = rustix::fs::OFlags::EXCL.bits();
    options.custom_flags(i32::try_from(flags).unwrap_or(0))
}

#[cfg(not(target_os = "linux"))]
fn exclusively(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(target_os = "linux")]
fn past_cache(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = rustix::fs::OFlags::DIRECT.bits();
    let mut options = OpenOptions::new();
    options
        .read(true)
        .custom_flags(i32::try_from(flags).unwrap_or(0));
    options.open(path)
}

#[cfg(target_os = "macos")]
fn past_cache(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    rustix::fs::fcntl_nocache(&file, true)?;
    Ok(file)
}

#[cfg(target_os = "linux")]
fn forget(file: &File) {
    // Advice; a system that does not take it only makes the comparison weaker.
    let _kept = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed);
}

#[cfg(not(target_os = "linux"))]
fn forget(_file: &File) {}
