//! The partition that every computer reads: found in the disk's table, and one
//! file of it written and proved.

use crate::target::Target;
use anyhow::{Context as _, Result, bail, ensure};
use fatfs::{Date, DateTime, FileSystem, FsOptions, Time, TimeProvider};
use std::io::{self, Read, Seek, SeekFrom, Write};

const SECTOR_BYTES: u64 = 512;
/// FAT in its kinds, as partition tables number them.
const FAT_KINDS: [u8; 6] = [0x01, 0x04, 0x06, 0x0b, 0x0c, 0x0e];
const FILE_BYTES_MAX: u64 = 65_536;

/// Where a partition lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// From the disk's beginning.
    pub start_bytes: u64,
    /// How long it is.
    pub len_bytes: u64,
}

/// The first FAT partition of the disk.
///
/// # Errors
/// When the disk has none, or no table.
pub fn find(target: &mut dyn Target) -> Result<Extent> {
    let table = target
        .read_back(0, 512)
        .context("cannot read the disk's partition table")?;
    ensure!(
        table.get(510..512) == Some(&[0x55, 0xaa]),
        "the image has no partition table"
    );
    for entry in table.get(446..510).unwrap_or_default().chunks_exact(16) {
        let [_, _, _, _, kind, _, _, _, a, b, c, d, e, f, g, h] = entry else {
            continue;
        };
        if FAT_KINDS.contains(kind) {
            let start = u32::from_le_bytes([*a, *b, *c, *d]);
            let sectors = u32::from_le_bytes([*e, *f, *g, *h]);
            return Ok(Extent {
                start_bytes: u64::from(start) * SECTOR_BYTES,
                len_bytes: u64::from(sectors) * SECTOR_BYTES,
            });
        }
    }
    bail!("the image has no partition that a technician's computer could read (FAT)")
}

/// A text file of the partition, `None` where it is not there.
///
/// # Errors
/// When the partition cannot be read.
pub fn read_file(target: &mut dyn Target, extent: Extent, name: &str) -> Result<Option<Vec<u8>>> {
    let volume = FileSystem::new(Window::new(target, extent), options())
        .context("the first partition cannot be read")?;
    let root = volume.root_dir();
    let file = match root.open_file(name) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {name} on the card")),
    };
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    ensure!(
        u64::try_from(bytes.len())? <= FILE_BYTES_MAX,
        "{name} on the card is too long"
    );
    Ok(Some(bytes))
}

/// Puts a file there in place of an older one, and proves it by reading the medium.
///
/// # Errors
/// When the partition cannot be written, or gives back something else.
pub fn write_file(target: &mut dyn Target, extent: Extent, name: &str, bytes: &[u8]) -> Result<()> {
    {
        let volume = FileSystem::new(Window::new(target, extent), options())
            .context("the first partition cannot be read")?;
        let root = volume.root_dir();
        let mut file = root
            .create_file(name)
            .with_context(|| format!("cannot write {name} on the card"))?;
        file.truncate()?;
        file.write_all(bytes)?;
        file.flush()?;
        drop(file);
        drop(root);
        volume.unmount()?;
    }
    target.sync()?;
    let proved = {
        let mut fresh = Past(target);
        read_file(&mut fresh, extent, name)?
    };
    ensure!(
        proved.as_deref() == Some(bytes),
        "{name} was written, and the card gives back something else"
    );
    Ok(())
}

fn options() -> FsOptions {
    FsOptions::new().time_provider(&FirstDay)
}

/// The first day that FAT knows: without it files would be of a day that no calendar has, and
/// with the computer's time no two cards of a trap would be alike.
#[derive(Debug)]
struct FirstDay;

impl TimeProvider for FirstDay {
    fn get_current_date(&self) -> Date {
        Date {
            year: 1980,
            month: 1,
            day: 1,
        }
    }

    fn get_current_date_time(&self) -> DateTime {
        DateTime {
            date: self.get_current_date(),
            time: Time {
                hour: 0,
                min: 0,
                sec: 0,
                millis: 0,
            },
        }
    }
}

/// Reads of the medium, for the proof.
struct Past<'a>(&'a mut dyn Target);

impl Target for Past<'_> {
    fn write(&mut self, _at_bytes: u64, _bytes: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn read(&mut self, at_bytes: u64, bytes: &mut [u8]) -> io::Result<usize> {
        let from = at_bytes - at_bytes % 4096;
        let skip = usize::try_from(at_bytes - from).unwrap_or(0);
        let piece = self
            .0
            .read_back(from, (skip + bytes.len()).next_multiple_of(4096))?;
        let piece = piece.get(skip..).unwrap_or_default();
        let len = piece.len().min(bytes.len());
        if let (Some(to), Some(from)) = (bytes.get_mut(..len), piece.get(..len)) {
            to.copy_from_slice(from);
        }
        Ok(len)
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn read_back(&mut self, at_bytes: u64, len_bytes: usize) -> io::Result<Vec<u8>> {
        self.0.read_back(at_bytes, len_bytes)
    }

    fn size_bytes(&self) -> Option<u64> {
        self.0.size_bytes()
    }
}

/// A partition of a disk as a file of its own.
struct Window<'a> {
    target: &'a mut dyn Target,
    extent: Extent,
    at_bytes: u64,
}

impl<'a> Window<'a> {
    fn new(target: &'a mut dyn Target, extent: Extent) -> Self {
        Self {
            target,
            extent,
            at_bytes: 0,
        }
    }

    /// How many of `wanted` bytes lie inside from here on.
    fn room(&self, wanted: usize) -> usize {
        let left = self.extent.len_bytes.saturating_sub(self.at_bytes);
        wanted.min(usize::try_from(left).unwrap_or(usize::MAX))
    }
}

impl Read for Window<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let room = self.room(bytes.len());
        let at_bytes = self.extent.start_bytes + self.at_bytes;
        let read = self
            .target
            .read(at_bytes, bytes.get_mut(..room).unwrap_or_default())?;
        self.at_bytes += u64::try_from(read).unwrap_or(0);
        Ok(read)
    }
}

impl Write for Window<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.room(bytes.len());
        let at_bytes = self.extent.start_bytes + self.at_bytes;
        self.target
            .write(at_bytes, bytes.get(..room).unwrap_or_default())?;
        self.at_bytes += u64::try_from(room).unwrap_or(0);
        Ok(room)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Window<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.extent.len_bytes.checked_add_signed(by),
            SeekFrom::Current(by) => self.at_bytes.checked_add_signed(by),
        };
        self.at_bytes = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at_bytes)
    }
}
