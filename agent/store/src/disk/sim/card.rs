//! What a simulated card holds: files, and the names that stand for them, as
//! programs see them and as they were synced; with the faults that wait for it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};

/// Lines that the log keeps, so that a simulated season does not fill the memory.
const LOG_LINES_MAX: usize = 1000;

pub(super) type FileNumber = u64;

#[derive(Default)]
pub(super) struct State {
    pub(super) files: BTreeMap<FileNumber, Content>,
    /// Names as programs see them now.
    pub(super) names: Names,
    /// Names that survive a power cut.
    pub(super) durable: Names,
    pub(super) locks: BTreeSet<PathBuf>,
    pub(super) free_bytes: Option<u64>,
    pub(super) operations: u64,
    pub(super) log: VecDeque<String>,
    pub(super) cut_at: Option<u64>,
    pub(super) fail_at: Option<(u64, io::ErrorKind)>,
    /// Files of which no byte comes back.
    pub(super) unreadable: BTreeSet<PathBuf>,
    pub(super) is_off: bool,
    pub(super) next_file: FileNumber,
}

/// Folders, each with its entries.
pub(super) type Names = BTreeMap<PathBuf, BTreeMap<String, Named>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    File(FileNumber),
    Folder,
}

#[derive(Default, Clone)]
pub(super) struct Content {
    pub(super) bytes: Vec<u8>,
    pub(super) durable: Vec<u8>,
}

impl State {
    /// Counts and logs an operation, which meets its fault here.
    pub(super) fn begin(&mut self, what: &str, path: &Path) -> io::Result<()> {
        if self.is_off {
            return Err(io::Error::other("the power is off"));
        }
        self.operations += 1;
        if self.log.len() == LOG_LINES_MAX {
            self.log.pop_front();
        }
        self.log.push_back(format!("{what} {}", path.display()));
        if self.cut_at == Some(self.operations) {
            self.is_off = true;
            return Err(io::Error::other("the power fails"));
        }
        if let Some((number, kind)) = self.fail_at
            && number == self.operations
        {
            self.fail_at = None;
            return Err(kind.into());
        }
        Ok(())
    }

    pub(super) fn named(&self, path: &Path) -> Option<Named> {
        let folder = self.names.get(path.parent()?)?;
        folder.get(&file_name(path)).copied()
    }

    /// The entries of the folder of `path`, which must exist.
    pub(super) fn folder_of(&mut self, path: &Path) -> io::Result<&mut BTreeMap<String, Named>> {
        path.parent()
            .and_then(|folder| self.names.get_mut(folder))
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(super) fn file(&mut self, path: &Path) -> io::Result<&mut Content> {
        let Some(Named::File(number)) = self.named(path) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        self.files
            .get_mut(&number)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn give_back(&mut self, bytes: usize) {
        if let Some(free_bytes) = &mut self.free_bytes {
            *free_bytes = free_bytes.saturating_add(as_u64(bytes));
        }
    }

    /// Takes the bytes of a file that no name stands for any more off the card.
    pub(super) fn unname(&mut self, named: Option<Named>) {
        if let Some(Named::File(number)) = named {
            let bytes = self.files.get(&number).map_or(0, |file| file.bytes.len());
            self.give_back(bytes);
            let survives = self
                .durable
                .values()
                .any(|entries| entries.values().any(|other| *other == Named::File(number)));
            if !survives {
                self.files.remove(&number);
            }
        }
    }
}

pub(super) fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

pub(super) fn as_u64(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
