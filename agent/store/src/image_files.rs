//! Picture files on the card: where they lie, and the one order of steps in
//! which a file becomes one that survives a power cut.

use crate::disk::Disk;
use crate::error::StoreError;
use sha2::Digest as _;
use std::io;
use std::path::{Path, PathBuf};
use trapline_wire::{CaptureId, Sha256};

/// Pictures in one folder, so that no folder grows too slow to list.
pub(crate) const FOLDER_PICTURES: u64 = 1000;
/// Most files that are kept in the folder for set-aside pictures.
pub(crate) const SET_ASIDE_FILES_MAX: usize = 50;
/// Most bytes that are kept there.
pub(crate) const SET_ASIDE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Bytes that are read at once, so that a check of a picture needs little memory.
const CHUNK_BYTES: usize = 256 * 1024;

/// The folders of one ledger.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(crate) folder: PathBuf,
}

impl Layout {
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.join("ledger.sqlite")
    }

    pub(crate) fn memory(&self) -> PathBuf {
        self.folder.join("look-memory.bin")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.folder.join("ledger.lock")
    }

    pub(crate) fn pictures(&self) -> PathBuf {
        self.folder.join("pictures")
    }

    pub(crate) fn unfinished(&self) -> PathBuf {
        self.pictures().join("tmp")
    }

    pub(crate) fn set_aside(&self) -> PathBuf {
        self.folder.join("set_aside")
    }

    pub(crate) fn models(&self) -> PathBuf {
        self.folder.join("models")
    }

    pub(crate) fn model_pieces(&self) -> PathBuf {
        self.models().join("tmp")
    }

    pub(crate) fn picture_folder(&self, folder_number: u64) -> PathBuf {
        self.pictures().join(folder_number.to_string())
    }

    pub(crate) fn picture(&self, capture: CaptureId) -> PathBuf {
        self.picture_folder(capture.seq / FOLDER_PICTURES)
            .join(picture_name(capture))
    }
}

pub(crate) fn picture_name(capture: CaptureId) -> String {
    format!("{capture}.jpg")
}

/// Which capture a file of the pictures folder belongs to, if any.
pub(crate) fn capture_of(name: &str) -> Option<CaptureId> {
    name.strip_suffix(".jpg")?.parse().ok()
}

/// Makes the folders of a ledger and lets them survive a power cut.
pub(crate) fn make_folders(disk: &dyn Disk, layout: &Layout) -> Result<(), StoreError> {
    for folder in [layout.pictures(), layout.unfinished(), layout.set_aside()] {
        disk.make_folder(&folder)
            .map_err(|error| StoreError::io(&folder, error))?;
    }
    for folder in [layout.folder.clone(), layout.pictures()] {
        disk.sync_folder(&folder)
            .map_err(|error| StoreError::io(&folder, error))?;
    }
    Ok(())
}

/// Writes the picture of a capture that is about to be admitted.
///
/// The bytes go to an unfinished file and are synced before the file gets its
/// name, so no name ever stands for half a picture; the folder is synced
/// before the caller commits the row, so no row ever stands for an absent file.
pub(crate) fn write_durably(
    disk: &dyn Disk,
    layout: &Layout,
    capture: CaptureId,
    bytes: &[u8],
) -> Result<(), StoreError> {
    let unfinished = layout
        .unfinished()
        .join(format!("{}.part", picture_name(capture)));
    let written = fill(disk, &unfinished, bytes).and_then(|()| {
        let folder = layout.picture_folder(capture.seq / FOLDER_PICTURES);
        let file = layout.picture(capture);
        make_picture_folder(disk, layout, &folder)?;
        disk.rename(&unfinished, &file)
            .map_err(|error| StoreError::io(&file, error))?;
        disk.sync_folder(&folder)
            .map_err(|error| StoreError::io(&folder, error))
    });
    if written.is_err() {
        // Gives the room back at once; what cannot be removed now, recovery removes.
        for file in [unfinished, layout.picture(capture)] {
            drop(disk.remove(&file));
        }
    }
    written
}

/// Writes what the detector remembers, in the same order as a picture.
pub(crate) fn write_memory(
    disk: &dyn Disk,
    layout: &Layout,
    bytes: &[u8],
) -> Result<(), StoreError> {
    let unfinished = layout.unfinished().join("look-memory.part");
    let file = layout.memory();
    fill(disk, &unfinished, bytes)?;
    disk.rename(&unfinished, &file)
        .and_then(|()| disk.sync_folder(&layout.folder))
        .map_err(|error| StoreError::io(&file, error))
}

fn fill(disk: &dyn Disk, file: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut open = disk
        .create(file)
        .map_err(|error| StoreError::io(file, error))?;
    open.write(bytes)
        .and_then(|()| open.sync())
        .map_err(|error| StoreError::io(file, error))
}

fn make_picture_folder(disk: &dyn Disk, layout: &Layout, folder: &Path) -> Result<(), StoreError> {
    let at = |error| StoreError::io(folder, error);
    if disk.size_bytes(folder).map_err(at)?.is_some() {
        return Ok(());
    }
    disk.make_folder(folder).map_err(at)?;
    disk.sync_folder(&layout.pictures()).map_err(at)
}

/// What a picture file has other than its admitted content, if anything; it is
/// read whole but in pieces. An error is the card's, and says nothing of the content.
pub(crate) fn difference(
    disk: &dyn Disk,
    file: &Path,
    sha256: Sha256,
    size_bytes: u64,
) -> io::Result<Option<String>> {
    match disk.size_bytes(file)? {
        None => return Ok(Some("the file is missing".to_owned())),
        Some(found) if found != size_bytes => return Ok(Some(wrong_size(found, size_bytes))),
        Some(_) => {}
    }
    let mut hasher = sha2::Sha256::new();
    let mut offset_bytes = 0;
    while offset_bytes < size_bytes {
        let piece = disk.read_at(file, offset_bytes, CHUNK_BYTES)?;
        if piece.is_empty() {
            break;
        }
        offset_bytes += u64::try_from(piece.len()).unwrap_or(u64::MAX);
        hasher.update(&piece);
    }
    let is_whole = Sha256::from_bytes(hasher.finalize().into()) == sha256;
    let other = "the file's bytes are not those that were admitted";
    Ok((!is_whole).then(|| other.to_owned()))
}

pub(crate) fn wrong_size(found_bytes: u64, size_bytes: u64) -> String {
    format!("the file has {found_bytes} bytes, {size_bytes} were admitted")
}

/// Moves a picture that no row stands for out of the pictures folder.
pub(crate) fn set_aside(disk: &dyn Disk, layout: &Layout, file: &Path) -> Result<(), StoreError> {
    let folder = layout.set_aside();
    let at = |error| StoreError::io(file, error);
    let entries = disk.list(&folder).map_err(at)?;
    let number = entries
        .iter()
        .filter_map(|entry| entry.name.split_once('-')?.0.parse::<u64>().ok())
        .max()
        .map_or(1, |last| last.saturating_add(1));
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let target = folder.join(format!("{number:06}-{name}"));
    disk.rename(file, &target).map_err(at)?;
    disk.sync_folder(&folder).map_err(at)
}

/// Removes the oldest set-aside pictures until the rest is within its bounds; returns how many.
pub(crate) fn bound_set_aside(disk: &dyn Disk, layout: &Layout) -> Result<u64, StoreError> {
    let folder = layout.set_aside();
    let at = |error| StoreError::io(&folder, error);
    let entries = disk.list(&folder).map_err(at)?;
    let mut files = entries.len();
    let mut bytes: u64 = entries.iter().map(|entry| entry.size_bytes).sum();
    let mut removed = 0;
    for entry in entries.iter().filter(|entry| !entry.is_folder) {
        if files <= SET_ASIDE_FILES_MAX && bytes <= SET_ASIDE_BYTES_MAX {
            break;
        }
        disk.remove(&folder.join(&entry.name)).map_err(at)?;
        files = files.saturating_sub(1);
        bytes = bytes.saturating_sub(entry.size_bytes);
        removed += 1;
    }
    Ok(removed)
}

/// Removes what a power cut left unfinished; returns how many files.
pub(crate) fn clear_unfinished(disk: &dyn Disk, layout: &Layout) -> Result<u64, StoreError> {
    let folder = layout.unfinished();
    let at = |error| StoreError::io(&folder, error);
    let mut removed = 0;
    for entry in disk.list(&folder).map_err(at)? {
        disk.remove(&folder.join(&entry.name)).map_err(at)?;
        removed += 1;
    }
    Ok(removed)
}

/// The folders of pictures that exist, by number.
pub(crate) fn picture_folders(disk: &dyn Disk, layout: &Layout) -> Result<Vec<u64>, StoreError> {
    let pictures = layout.pictures();
    let entries = disk
        .list(&pictures)
        .map_err(|error| StoreError::io(&pictures, error))?;
    Ok(entries
        .iter()
        .filter(|entry| entry.is_folder)
        .filter_map(|entry| entry.name.parse().ok())
        .collect())
}
