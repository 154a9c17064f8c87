//! Files that never wait for the card: the demo's traps live for minutes, and
//! two weeks of their syncing would keep the card busy for longer than that.

use std::io;
use std::path::Path;
use trapline_store::disk::{Disk, DiskFile, Entry, LockGuard, OsDisk};

/// The file system of the machine, without a promise to survive a power cut.
#[derive(Debug, Clone, Copy, Default)]
pub struct QuickDisk;

struct Unsynced(Box<dyn DiskFile>);

impl DiskFile for Unsynced {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Disk for QuickDisk {
    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        OsDisk.make_folder(folder)
    }

    fn create(&self, file: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(Unsynced(OsDisk.create(file)?)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        OsDisk.rename(from, to)
    }

    fn sync_folder(&self, _folder: &Path) -> io::Result<()> {
        Ok(())
    }

    fn remove(&self, file: &Path) -> io::Result<()> {
        OsDisk.remove(file)
    }

    fn read_at(&self, file: &Path, offset_bytes: u64, len_bytes: usize) -> io::Result<Vec<u8>> {
        OsDisk.read_at(file, offset_bytes, len_bytes)
    }

    fn size_bytes(&self, file: &Path) -> io::Result<Option<u64>> {
        OsDisk.size_bytes(file)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        OsDisk.list(folder)
    }

    fn free_bytes(&self, folder: &Path) -> io::Result<u64> {
        OsDisk.free_bytes(folder)
    }

    fn lock(&self, file: &Path) -> io::Result<LockGuard> {
        OsDisk.lock(file)
    }

    fn commits_must_sync(&self) -> bool {
        false
    }
}
