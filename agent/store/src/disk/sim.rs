//! A disk in memory that behaves like a card: what was not synced may be gone
//! after a power cut, and any operation can fail or be the last.
//!
//! The pictures live in memory. SQLite's files lie in a real folder, which must
//! exist; there a cut falls before or after a commit, never inside one, which is
//! what SQLite promises.

use super::{CommitPoint, Disk, DiskFile, Entry, LockGuard};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What becomes of something that was not synced when the power failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// All of it is there: it had reached the card by chance.
    Nothing,
    /// Half of what was not synced is there.
    Half,
    /// It is as it was at the last sync.
    Everything,
}

/// What a power cut takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loss {
    /// Of the bytes of files that were not synced.
    pub bytes: Lost,
    /// Of the names of folders that were not synced. With [`Lost::Half`] new
    /// names are kept and removed ones come back.
    pub names: Lost,
}

/// A card in memory, with faults on command. Clones are the same card.
#[derive(Clone, Default)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

/// Lines that the log keeps, so that a simulated season does not fill the memory.
const LOG_LINES_MAX: usize = 1000;

type FileNumber = u64;

#[derive(Default)]
struct State {
    files: BTreeMap<FileNumber, Content>,
    /// Names as programs see them now.
    names: Names,
    /// Names that survive a power cut.
    durable: Names,
    locks: BTreeSet<PathBuf>,
    free_bytes: Option<u64>,
    operations: u64,
    log: VecDeque<String>,
    cut_at: Option<u64>,
    fail_at: Option<(u64, io::ErrorKind)>,
    is_off: bool,
    next_file: FileNumber,
}

/// Folders, each with its entries.
type Names = BTreeMap<PathBuf, BTreeMap<String, Named>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    File(FileNumber),
    Folder,
}

#[derive(Default, Clone)]
struct Content {
    bytes: Vec<u8>,
    durable: Vec<u8>,
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

impl State {
    fn begin(&mut self, what: &str, path: &Path) -> io::Result<()> {
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

    fn lose(&mut self, loss: Loss) {
        match loss.names {
            Lost::Nothing => self.durable = self.names.clone(),
            Lost::Half => {
                let mut both = self.durable.clone();
                for (folder, entries) in &self.names {
                    both.entry(folder.clone())
                        .or_default()
                        .extend(entries.iter().map(|(name, named)| (name.clone(), *named)));
                }
                self.durable = both;
            }
            Lost::Everything => {}
        }
        // A folder whose own name is lost takes its content with it.
        let mut kept = Names::new();
        for (folder, entries) in &self.durable {
            let is_root = folder.parent().is_none_or(|parent| {
                !self.durable.contains_key(parent) && !self.names.contains_key(parent)
            });
            let is_named = folder.parent().is_some_and(|parent| {
                let name = file_name(folder);
                let inside = kept.get(parent).and_then(|entries| entries.get(&name));
                inside == Some(&Named::Folder)
            });
            if is_root || is_named {
                kept.insert(folder.clone(), entries.clone());
            }
        }
        self.names = kept.clone();
        self.durable = kept;
        for content in self.files.values_mut() {
            match loss.bytes {
                Lost::Nothing => {}
                Lost::Half => {
                    let synced = content.durable.len();
                    let half = synced + content.bytes.len().saturating_sub(synced) / 2;
                    content.bytes.truncate(half);
                }
                Lost::Everything => content.bytes = content.durable.clone(),
            }
            content.durable = content.bytes.clone();
        }
        self.forget_unnamed();
    }

    fn forget_unnamed(&mut self) {
        let named: BTreeSet<FileNumber> = self
            .names
            .values()
            .chain(self.durable.values())
            .flat_map(BTreeMap::values)
            .filter_map(|named| match named {
                Named::File(number) => Some(*number),
                Named::Folder => None,
            })
            .collect();
        self.files.retain(|number, _| named.contains(number));
    }

    fn named(&self, path: &Path) -> Option<Named> {
        let folder = self.names.get(path.parent()?)?;
        folder.get(&file_name(path)).copied()
    }

    /// The entries of the folder of `path`, which must exist.
    fn folder_of(&mut self, path: &Path) -> io::Result<&mut BTreeMap<String, Named>> {
        path.parent()
            .and_then(|folder| self.names.get_mut(folder))
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn file(&mut self, path: &Path) -> io::Result<&mut Content> {
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
    fn unname(&mut self, named: Option<Named>) {
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

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn as_u64(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
