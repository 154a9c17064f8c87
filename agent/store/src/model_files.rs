//! Files of offered models on the card: pieces as they come, then the whole.
//!
//! ```text
//! DIR/models/tmp/<name>.model-000000131072    one piece, named by its first byte
//! DIR/models/<name>/manifest.toml             proved against the offer's hash
//! DIR/models/<name>/<file of the manifest>    proved against the offer's hash
//! ```
//! `<name>` is the beginning of the manifest's SHA-256. A piece is synced before
//! it gets its name and its folder after, so what is named is whole, and after a
//! cut the fetch goes on behind the last piece.

use crate::disk::{Disk, DiskFile};
use crate::error::StoreError;
use crate::image_files::{self, Layout};
use crate::ledger::{Ledger, ModelRow, View};
use sha2::Digest as _;
use std::io;
use std::path::{Path, PathBuf};
use trapline_wire::Sha256;

const MANIFEST_NAME: &str = "manifest.toml";
const CHUNK_BYTES: usize = 256 * 1024;
/// Characters of the manifest's SHA-256 that name a model's folder.
const NAME_CHARS: usize = 16;

/// Which of a model's two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelFile {
    /// Its manifest.
    Manifest,
    /// The network itself.
    Network,
}

impl ModelFile {
    fn word(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::Network => "model",
        }
    }

    /// What the file must be: its SHA-256 and size.
    #[must_use]
    pub fn content(self, model: &ModelRow) -> (Sha256, u64) {
        let offer = &model.offer;
        match self {
            Self::Manifest => (offer.manifest_sha256, offer.manifest_size_bytes),
            Self::Network => (offer.sha256, offer.size_bytes),
        }
    }
}

/// What putting the pieces together came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assembled {
    /// The file is whole, proved and in its place.
    Whole,
    /// The bytes are not those of the offer; the pieces are gone.
    Wrong(String),
}

impl View {
    /// Where the model's manifest lies, or will.
    #[must_use]
    pub fn model_manifest(&self, model: &ModelRow) -> PathBuf {
        self.model_folder(model).join(MANIFEST_NAME)
    }

    /// The bytes of the model's manifest.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) when it is not there or the card refuses.
    pub fn read_model_manifest(&self, model: &ModelRow) -> Result<Vec<u8>, StoreError> {
        let file = self.model_manifest(model);
        let len_bytes = usize::try_from(model.offer.manifest_size_bytes).unwrap_or(usize::MAX);
        self.disk()
            .read_at(&file, 0, len_bytes)
            .map_err(|error| StoreError::io(&file, error))
    }

    /// Bytes of the file that are on the card, in pieces or whole; `name` is the
    /// network's file name, once the manifest has told it.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) when the card refuses.
    pub fn model_bytes(
        &self,
        model: &ModelRow,
        file: ModelFile,
        name: Option<&str>,
    ) -> Result<u64, StoreError> {
        if let Some(place) = self.model_place(model, file, name) {
            let size = self.disk().size_bytes(&place);
            let size = size.map_err(|error| StoreError::io(&place, error))?;
            if size == Some(file.content(model).1) {
                return Ok(file.content(model).1);
            }
        }
        let pieces = self.pieces(model, file)?;
        Ok(pieces.iter().map(|(_, size_bytes)| size_bytes).sum())
    }

    fn model_folder(&self, model: &ModelRow) -> PathBuf {
        self.layout().models().join(short_name(model))
    }

    fn model_place(
        &self,
        model: &ModelRow,
        file: ModelFile,
        name: Option<&str>,
    ) -> Option<PathBuf> {
        match file {
            ModelFile::Manifest => Some(self.model_manifest(model)),
            ModelFile::Network => name.map(|name| self.model_folder(model).join(name)),
        }
    }

    /// The pieces from the first byte on, without a gap, each with its size.
    fn pieces(&self, model: &ModelRow, file: ModelFile) -> Result<Vec<(PathBuf, u64)>, StoreError> {
        let folder = self.layout().model_pieces();
        let at = |error| StoreError::io(&folder, error);
        if self.disk().size_bytes(&folder).map_err(at)?.is_none() {
            return Ok(Vec::new());
        }
        let before = format!("{}.{}-", short_name(model), file.word());
        let mut pieces = Vec::new();
        let mut next_bytes = 0;
        // The list is in the order of names, and names have their bytes in full width.
        for entry in self.disk().list(&folder).map_err(at)? {
            let from = entry.name.strip_prefix(&before);
            let from = from.and_then(|digits| digits.parse::<u64>().ok());
            if from == Some(next_bytes) {
                next_bytes += entry.size_bytes;
                pieces.push((folder.join(&entry.name), entry.size_bytes));
            }
        }
        Ok(pieces)
    }
}

impl Ledger {
    /// Keeps the next piece of a file, over power cuts too.
    ///
    /// # Errors
    /// [`Full`](StoreError::Full) or [`Io`](StoreError::Io) when the card refuses.
    pub fn keep_model_piece(
        &mut self,
        model: &ModelRow,
        file: ModelFile,
        from_bytes: u64,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        let (disk, layout) = (self.disk(), self.layout());
        make_folders(disk, layout)?;
        let folder = layout.model_pieces();
        let name = format!("{}.{}-{from_bytes:012}", short_name(model), file.word());
        let unfinished = folder.join("unfinished");
        let mut open = create(disk, &unfinished)?;
        let written = open.write(bytes).and_then(|()| open.sync());
        written.map_err(|error| StoreError::io(&unfinished, error))?;
        name_durably(disk, &unfinished, &folder.join(name), &folder)
    }

    /// Puts the pieces of a file together, proves it and gives it its place.
    /// A file that is in its place already is proved again.
    ///
    /// # Errors
    /// [`Full`](StoreError::Full) or [`Io`](StoreError::Io) when the card refuses.
    pub fn assemble_model(
        &mut self,
        model: &ModelRow,
        file: ModelFile,
        name: Option<&str>,
    ) -> Result<Assembled, StoreError> {
        let Some(place) = self.model_place(model, file, name) else {
            return Ok(Assembled::Wrong("its file has no name".to_owned()));
        };
        let (disk, layout) = (self.disk(), self.layout());
        let (sha256, size_bytes) = file.content(model);
        let difference = image_files::difference(disk, &place, sha256, size_bytes);
        if difference
            .map_err(|error| StoreError::io(&place, error))?
            .is_none()
        {
            return Ok(Assembled::Whole);
        }
        make_folders(disk, layout)?;
        let folder = self.model_folder(model);
        let at = |error| StoreError::io(&folder, error);
        disk.make_folder(&folder).map_err(at)?;
        disk.sync_folder(&layout.models()).map_err(at)?;
        let pieces = self.pieces(model, file)?;
        let unfinished = folder.join(".unfinished");
        let mut open = create(disk, &unfinished)?;
        let found = copy(disk, &pieces, open.as_mut(), &unfinished)?;
        drop(open);
        let right = found == (sha256, size_bytes);
        if right {
            name_durably(disk, &unfinished, &place, &folder)?;
        } else {
            remove(disk, &unfinished)?;
        }
        for (piece, _) in &pieces {
            remove(disk, piece)?;
        }
        Ok(if right {
            Assembled::Whole
        } else {
            Assembled::Wrong(format!(
                "its {} has {} bytes with the SHA-256 {}, but {size_bytes} bytes with {sha256} \
                 were offered",
                file.word(),
                found.1,
                found.0
            ))
        })
    }

    /// Removes the files of every model that is neither in use, nor ready to be
    /// again, nor on its way.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) when the card refuses.
    pub fn sweep_models(&mut self, keep: &[ModelRow]) -> Result<(), StoreError> {
        let (disk, layout) = (self.disk(), self.layout());
        let kept: Vec<String> = keep.iter().map(short_name).collect();
        let is_kept = |name: &str| kept.iter().any(|kept| name.starts_with(kept.as_str()));
        let list = |folder: &Path| -> Result<Vec<String>, StoreError> {
            let at = |error| StoreError::io(folder, error);
            if disk.size_bytes(folder).map_err(at)?.is_none() {
                return Ok(Vec::new());
            }
            let entries = disk.list(folder).map_err(at)?;
            Ok(entries.into_iter().map(|entry| entry.name).collect())
        };
        let pieces = layout.model_pieces();
        for name in list(&pieces)?.iter().filter(|name| !is_kept(name)) {
            remove(disk, &pieces.join(name))?;
        }
        for name in list(&layout.models())? {
            let folder = layout.models().join(&name);
            if is_kept(&name) || folder == pieces {
                continue;
            }
            for file in list(&folder)? {
                remove(disk, &folder.join(file))?;
            }
        }
        Ok(())
    }
}

fn short_name(model: &ModelRow) -> String {
    let name = model.offer.manifest_sha256.to_string();
    name.chars().take(NAME_CHARS).collect()
}

fn make_folders(disk: &dyn Disk, layout: &Layout) -> Result<(), StoreError> {
    let (models, pieces) = (layout.models(), layout.model_pieces());
    let at = |error| StoreError::io(&models, error);
    if disk.size_bytes(&pieces).map_err(at)?.is_some() {
        return Ok(());
    }
    disk.make_folder(&models).map_err(at)?;
    disk.sync_folder(&layout.folder).map_err(at)?;
    disk.make_folder(&pieces).map_err(at)?;
    disk.sync_folder(&models).map_err(at)
}

/// Copies the pieces one after the other; gives the hash and size of it all.
fn copy(
    disk: &dyn Disk,
    pieces: &[(PathBuf, u64)],
    into: &mut dyn DiskFile,
    name: &Path,
) -> Result<(Sha256, u64), StoreError> {
    let mut hasher = sha2::Sha256::new();
    let mut size_bytes = 0;
    for (piece, piece_bytes) in pieces {
        let mut at_bytes = 0;
        while at_bytes < *piece_bytes {
            let read = disk.read_at(piece, at_bytes, CHUNK_BYTES);
            let bytes = read.map_err(|error| StoreError::io(piece, error))?;
            if bytes.is_empty() {
                break;
            }
            hasher.update(&bytes);
            into.write(&bytes)
                .map_err(|error| StoreError::io(name, error))?;
            at_bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        }
        size_bytes += at_bytes;
    }
    into.sync().map_err(|error| StoreError::io(name, error))?;
    Ok((Sha256::from_bytes(hasher.finalize().into()), size_bytes))
}

fn create(disk: &dyn Disk, file: &Path) -> Result<Box<dyn DiskFile>, StoreError> {
    disk.create(file)
        .map_err(|error| StoreError::io(file, error))
}

fn name_durably(disk: &dyn Disk, from: &Path, to: &Path, folder: &Path) -> Result<(), StoreError> {
    let named: io::Result<()> = disk
        .rename(from, to)
        .and_then(|()| disk.sync_folder(folder));
    named.map_err(|error| StoreError::io(to, error))
}

fn remove(disk: &dyn Disk, file: &Path) -> Result<(), StoreError> {
    disk.remove(file)
        .map_err(|error| StoreError::io(file, error))
}
