//! A disk in memory that behaves like a card: what was not synced may be gone
//! after a power cut, and any operation can fail or be the last.
//!
//! The pictures live in memory. SQLite's files lie in a real folder, which must
//! exist; there a cut falls before or after a commit, never inside one, which is
//! what SQLite promises.

mod card;
mod loss;

use super::{CommitPoint, Disk, DiskFile, Entry, LockGuard};
use card::{Content, FileNumber, Named, State, as_u64, file_name};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use loss::{Loss, Lost};

/// What Linux says of a block that cannot be read.
const EIO: i32 = 5;

/// A card in memory, with faults on command. Clones are the same card.
#[derive(Clone, Default)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}
impl SimDisk {
    /// An empty card without faults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many operations were begun, commit points counted in.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// What the last thousand operations were, one line each: `write FILE`,
    /// `commit before`, ….
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.state().log.iter().cloned().collect()
    }

    /// Another card with the same content, faults and locks left out.
    #[must_use]
    pub fn copy(&self) -> Self {
        let state = self.state();
        Self {
            state: Arc::new(Mutex::new(State {
                files: state.files.clone(),
                names: state.names.clone(),
                durable: state.durable.clone(),
                free_bytes: state.free_bytes,
                next_file: state.next_file,
                ..State::default()
            })),
        }
    }

    /// The power fails when operation `number`, counted from 1, is about to
    /// begin; that one and all after it fail until [`power_on`](Self::power_on).
    pub fn cut_at(&self, number: u64) {
        self.state().cut_at = Some(number);
    }

    /// Operation `number`, counted from 1, fails once with `kind`.
    pub fn fail_at(&self, number: u64, kind: io::ErrorKind) {
        self.state().fail_at = Some((number, kind));
    }

    /// From now on this many bytes are free; writing takes them, removing gives
    /// them back. `None` is a card without end.
    pub fn set_free_bytes(&self, free_bytes: Option<u64>) {
        self.state().free_bytes = free_bytes;
    }

    /// From now on the card gives no byte of this file back, as if one of its
    /// blocks were worn out; or it does so again. A power cut does not mend it.
    pub fn set_readable(&self, file: &Path, is_readable: bool) {
        let mut state = self.state();
        if is_readable {
            state.unreadable.remove(file);
        } else {
            state.unreadable.insert(file.to_owned());
        }
    }

    /// Whether the power is off.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.state().is_off
    }

    /// Changes the bytes of a file behind everyone's back; says whether it exists.
    pub fn spoil(&self, file: &Path, change: impl FnOnce(&mut Vec<u8>)) -> bool {
        let mut state = self.state();
        let Some(Named::File(number)) = state.named(file) else {
            return false;
        };
        let Some(content) = state.files.get_mut(&number) else {
            return false;
        };
        change(&mut content.bytes);
        content.durable = content.bytes.clone();
        true
    }

    /// The power fails now, if it has not yet, and comes back: what was not
    /// synced suffers `loss`, faults are forgotten, operations count from 0.
    pub fn power_on(&self, loss: Loss) {
        let mut state = self.state();
        state.lose(loss);
        state.locks.clear();
        state.is_off = false;
        state.cut_at = None;
        state.fail_at = None;
        state.operations = 0;
        state.log.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, what: &str, path: &Path) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        state.begin(what, path)?;
        Ok(state)
    }
}

struct OpenFile {
    disk: SimDisk,
    number: FileNumber,
    path: PathBuf,
}

impl DiskFile for OpenFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.begin("write", &self.path)?;
        let wanted = as_u64(bytes.len());
        let taken = match state.free_bytes {
            Some(free_bytes) if free_bytes < wanted => {
                state.free_bytes = Some(0);
                usize::try_from(free_bytes).unwrap_or(usize::MAX)
            }
            Some(free_bytes) => {
                state.free_bytes = Some(free_bytes - wanted);
                bytes.len()
            }
            None => bytes.len(),
        };
        let content = state.files.entry(self.number).or_default();
        content.bytes.extend(bytes.iter().take(taken));
        if taken < bytes.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.disk.begin("sync", &self.path)?;
        let content = state.files.entry(self.number).or_default();
        content.durable = content.bytes.clone();
        Ok(())
    }
}

struct Held {
    disk: SimDisk,
    file: PathBuf,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.disk.state().locks.remove(&self.file);
    }
}

impl Disk for SimDisk {
    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.begin("make folder", folder)?;
        if state.names.contains_key(folder) {
            return Ok(());
        }
        // The ledger's own folder has no parent on this card.
        if let Ok(parent) = state.folder_of(folder) {
            parent.insert(file_name(folder), Named::Folder);
        } else {
            state.durable.insert(folder.to_owned(), BTreeMap::new());
        }
        state.names.insert(folder.to_owned(), BTreeMap::new());
        Ok(())
    }

    fn create(&self, file: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.begin("create", file)?;
        state.next_file += 1;
        let number = state.next_file;
        let replaced = state
            .folder_of(file)?
            .insert(file_name(file), Named::File(number));
        state.files.insert(number, Content::default());
        state.unname(replaced);
        Ok(Box::new(OpenFile {
            disk: self.clone(),
            number,
            path: file.to_owned(),
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.begin("rename to", to)?;
        let Some(named @ Named::File(_)) = state.named(from) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let replaced = state.folder_of(to)?.insert(file_name(to), named);
        state.folder_of(from)?.remove(&file_name(from));
        state.unname(replaced);
        Ok(())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.begin("sync folder", folder)?;
        let entries = state
            .names
            .get(folder)
            .cloned()
            .ok_or(io::ErrorKind::NotFound)?;
        for (name, named) in &entries {
            if *named == Named::Folder {
                state.durable.entry(folder.join(name)).or_default();
            }
        }
        state.durable.insert(folder.to_owned(), entries);
        Ok(())
    }

    fn remove(&self, file: &Path) -> io::Result<()> {
        let mut state = self.begin("remove", file)?;
        let removed = state.folder_of(file)?.remove(&file_name(file));
        state.unname(removed);
        Ok(())
    }

    fn read_at(&self, file: &Path, offset_bytes: u64, len_bytes: usize) -> io::Result<Vec<u8>> {
        let mut state = self.begin("read", file)?;
        if state.unreadable.contains(file) {
            return Err(io::Error::from_raw_os_error(EIO));
        }
        let content = state.file(file)?;
        let offset = usize::try_from(offset_bytes).unwrap_or(usize::MAX);
        let bytes = content.bytes.iter().skip(offset).take(len_bytes);
        Ok(bytes.copied().collect())
    }

    fn size_bytes(&self, file: &Path) -> io::Result<Option<u64>> {
        let mut state = self.begin("look at", file)?;
        Ok(match state.named(file) {
            None => None,
            Some(Named::Folder) => Some(0),
            Some(Named::File(_)) => Some(as_u64(state.file(file)?.bytes.len())),
        })
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        let state = self.begin("list", folder)?;
        let entries = state.names.get(folder).ok_or(io::ErrorKind::NotFound)?;
        Ok(entries
            .iter()
            .map(|(name, named)| Entry {
                name: name.clone(),
                is_folder: *named == Named::Folder,
                size_bytes: match named {
                    Named::Folder => 0,
                    Named::File(number) => state
                        .files
                        .get(number)
                        .map_or(0, |content| as_u64(content.bytes.len())),
                },
            })
            .collect())
    }

    fn free_bytes(&self, folder: &Path) -> io::Result<u64> {
        let state = self.begin("free bytes of", folder)?;
        Ok(state.free_bytes.unwrap_or(u64::MAX))
    }

    fn lock(&self, file: &Path) -> io::Result<LockGuard> {
        let mut state = self.begin("lock", file)?;
        if !state.locks.insert(file.to_owned()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(Held {
            disk: self.clone(),
            file: file.to_owned(),
        }))
    }

    fn commit_point(&self, point: CommitPoint) -> io::Result<()> {
        let path = Path::new(match point {
            CommitPoint::Before => "before",
            CommitPoint::After => "after",
        });
        // An error after the commit can only be a power cut.
        let mut state = self.state();
        if point == CommitPoint::After
            && state.fail_at.map(|(number, _)| number) == Some(state.operations + 1)
        {
            state.fail_at = None;
        }
        if point == CommitPoint::Before && state.free_bytes == Some(0) {
            state.begin("commit", path)?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.begin("commit", path)
    }

    fn commits_must_sync(&self) -> bool {
        false
    }
}
