//! A disk that loses at a power cut whatever was not synced. Its files are real ones, so that everything that reads them
//! does so as always; it remembers beside them which bytes and which names would survive.
//!
//! Rows of the database are no matter of this disk: SQLite syncs them itself before a commit returns.

use super::{Disk, OsDisk};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type FileNumber = u64;

/// A folder whose unsynced bytes and names are lost on command. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub struct LossyDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Names as programs see them now.
    names: BTreeMap<PathBuf, FileNumber>,
    /// Names that survive a power cut.
    durable_names: BTreeMap<PathBuf, FileNumber>,
    /// Content that survives a power cut, of every file that has a name in one of the two.
    durable: BTreeMap<FileNumber, Vec<u8>>,
    /// Folders that were made and whose own name does not survive yet.
    fresh_folders: BTreeSet<PathBuf>,
    next_file: FileNumber,
    log: Vec<String>,
    cut_at: Option<usize>,
    is_off: bool,
}

impl LossyDisk {
    /// A disk on which everything that lies there survives.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What was done since the last power cut, in order, one line each: `sync uploads/…`.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.state().log.clone()
    }

    /// The power fails when operation `number`, counted from 1 and from the last cut, is about to begin: it and all after
    /// it fail until [`power_on`](Self::power_on).
    pub fn cut_at(&self, number: usize) {
        self.state().cut_at = Some(number);
    }

    /// Whether the power is off.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.state().is_off
    }

    /// The power fails now, if it has not yet, and comes back: the folder holds what was synced and nothing else.
    ///
    /// # Errors
    /// When the real files cannot be changed.
    pub fn power_on(&self) -> io::Result<()> {
        let mut state = self.state();
        for file in state.names.keys() {
            OsDisk.remove(file)?;
        }
        let fresh = std::mem::take(&mut state.fresh_folders);
        for folder in fresh.iter().rev() {
            // One that holds more than this disk knows of stays.
            drop(fs::remove_dir(folder));
        }
        state
            .durable_names
            .retain(|file, _| !fresh.iter().any(|folder| file.starts_with(folder)));
        for (file, number) in &state.durable_names {
            let bytes = state.durable.get(number).cloned().unwrap_or_default();
            OsDisk.create(file)?;
            OsDisk.write_at(file, 0, &bytes)?;
        }
        state.names = state.durable_names.clone();
        state.forget_unnamed();
        state.log.clear();
        state.cut_at = None;
        state.is_off = false;
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, what: &str, path: &Path) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        if state.is_off {
            return Err(io::Error::other("the power is off"));
        }
        if state.cut_at == Some(state.log.len() + 1) {
            state.is_off = true;
            return Err(io::Error::other("the power fails"));
        }
        state.log.push(format!("{what} {}", short(path)));
        Ok(state)
    }
}

/// The last two names of a path, which say what it is.
fn short(path: &Path) -> String {
    let parent = path.parent().and_then(Path::file_name).unwrap_or_default();
    let name = path.file_name().unwrap_or_default();
    format!("{}/{}", parent.to_string_lossy(), name.to_string_lossy())
}

impl State {
    /// The number of a file; one that lay there before is taken as synced.
    fn number(&mut self, file: &Path) -> io::Result<FileNumber> {
        if let Some(number) = self.names.get(file) {
            return Ok(*number);
        }
        let bytes = fs::read(file)?;
        let number = self.new_number();
        self.durable.insert(number, bytes);
        self.names.insert(file.to_owned(), number);
        self.durable_names.insert(file.to_owned(), number);
        Ok(number)
    }

    fn new_number(&mut self) -> FileNumber {
        self.next_file += 1;
        self.next_file
    }

    fn forget_unnamed(&mut self) {
        let named: BTreeSet<FileNumber> = self
            .names
            .values()
            .chain(self.durable_names.values())
            .copied()
            .collect();
        self.durable.retain(|number, _| named.contains(number));
    }
}

impl Disk for LossyDisk {
    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.begin("make folder", folder)?;
        if !folder.exists() {
            state.fresh_folders.insert(folder.to_owned());
        }
        OsDisk.make_folder(folder)
    }

    fn create(&self, file: &Path) -> io::Result<()> {
        let mut state = self.begin("create", file)?;
        if file.exists() {
            state.number(file)?;
        }
        OsDisk.create(file)?;
        let number = state.new_number();
        state.durable.insert(number, Vec::new());
        state.names.insert(file.to_owned(), number);
        Ok(())
    }

    fn write_at(&self, file: &Path, offset_bytes: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.begin("write", file)?;
        state.number(file)?;
        OsDisk.write_at(file, offset_bytes, bytes)
    }

    fn cut(&self, file: &Path, len_bytes: u64) -> io::Result<()> {
        let mut state = self.begin("cut", file)?;
        state.number(file)?;
        OsDisk.cut(file, len_bytes)
    }

    fn sync(&self, file: &Path) -> io::Result<()> {
        let mut state = self.begin("sync", file)?;
        let number = state.number(file)?;
        state.durable.insert(number, fs::read(file)?);
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.begin("rename to", to)?;
        let number = state.number(from)?;
        if to.exists() {
            state.number(to)?;
        }
        OsDisk.rename(from, to)?;
        state.names.remove(from);
        state.names.insert(to.to_owned(), number);
        Ok(())
    }

    fn remove(&self, file: &Path) -> io::Result<()> {
        let mut state = self.begin("remove", file)?;
        if file.exists() {
            state.number(file)?;
        }
        OsDisk.remove(file)?;
        state.names.remove(file);
        Ok(())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.begin("sync folder", folder)?;
        let inside = |file: &Path| file.parent() == Some(folder);
        let now: BTreeMap<_, _> = state
            .names
            .iter()
            .filter(|(file, _)| inside(file))
            .map(|(file, number)| (file.clone(), *number))
            .collect();
        state.durable_names.retain(|file, _| !inside(file));
        state.durable_names.extend(now);
        state.fresh_folders.retain(|fresh| !inside(fresh));
        state.forget_unnamed();
        Ok(())
    }
}
