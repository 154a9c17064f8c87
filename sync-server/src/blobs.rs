//! Pictures as files: `DATA/blobs/ab/<sha256>`, named by what they contain.
//!
//! Nothing outside this module knows a path of the data folder's pictures, so
//! that another store can take its place. The order of an adoption is: sync the
//! file, name it, sync its folder, and only then let the caller commit a row.
//! All changes go through [`Disk`], so that tests can cut the power between two of them and lose what was not synced.
//! Every step may be the last before a power cut: `uploads::finish` finds the
//! file under its first or its second name and goes on.

use crate::disk::Disk;
use crate::problem::Failure;
use sha2::Digest as _;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use trapline_wire::Sha256;

/// The folders of pictures, thumbnails and unfinished uploads.
pub(crate) struct Blobs {
    data: PathBuf,
    disk: Arc<dyn Disk>,
}

impl Blobs {
    /// Makes the folders that are not there.
    pub(crate) fn open(data: &Path, disk: Arc<dyn Disk>) -> Result<Self, Failure> {
        let blobs = Self {
            data: data.to_owned(),
            disk,
        };
        for folder in ["blobs", "thumbnails", "uploads"] {
            blobs.make_folder(&data.join(folder))?;
        }
        blobs.sync_folder(data)?;
        Ok(blobs)
    }

    /// Bytes that the file system still takes.
    pub(crate) fn free_bytes(&self) -> Result<u64, Failure> {
        let stat = rustix::fs::statvfs(&self.data)
            .map_err(io::Error::from)
            .map_err(Failure::file("ask for the free space of", &self.data))?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// Opens the picture for reading, with its size; `None` when it is not here.
    pub(crate) fn picture(&self, sha256: &Sha256) -> Result<Option<(File, u64)>, Failure> {
        open_existing(&self.picture_path(sha256))
    }

    /// The whole picture; `None` when it is not here.
    pub(crate) fn picture_bytes(&self, sha256: &Sha256) -> Result<Option<Vec<u8>>, Failure> {
        read_existing(&self.picture_path(sha256))
    }

    /// The thumbnail's bytes; `None` when there is none.
    pub(crate) fn thumbnail(&self, sha256: &Sha256) -> Result<Option<Vec<u8>>, Failure> {
        read_existing(&self.thumbnail_path(sha256))
    }

    /// Keeps a thumbnail. It can be made again, so it is not synced; it is
    /// named last, so that nobody sees half of it.
    pub(crate) fn keep_thumbnail(&self, sha256: &Sha256, jpeg: &[u8]) -> Result<(), Failure> {
        let path = self.thumbnail_path(sha256);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(Failure::file("make the folder", folder))?;
        }
        let half = path.with_extension("half");
        write_then_name(&half, &path, jpeg).map_err(Failure::file("write", &path))
    }

    /// Makes the upload's file, empty; its name is safe afterwards.
    pub(crate) fn start_upload(&self, id: &str) -> Result<(), Failure> {
        let path = self.upload_path(id);
        self.disk
            .create(&path)
            .map_err(Failure::file("make", &path))?;
        self.sync_folder(&self.data.join("uploads"))
    }

    /// Bytes of the upload that are safe on disk; `None` when its file is not there.
    pub(crate) fn synced_bytes(&self, id: &str) -> Result<Option<u64>, Failure> {
        let path = self.upload_path(id);
        let Some((_, size_bytes)) = open_existing(&path)? else {
            return Ok(None);
        };
        self.disk
            .sync(&path)
            .map_err(Failure::file("sync", &path))?;
        Ok(Some(size_bytes))
    }

    /// Writes bytes of an upload at `offset`; they are safe after [`Self::synced_bytes`].
    /// An upload that ended meanwhile has no file and gets none again.
    pub(crate) fn write_upload(&self, id: &str, offset: u64, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.upload_path(id);
        self.disk
            .write_at(&path, offset, bytes)
            .map_err(Failure::file("write", &path))
    }

    /// Writes bytes that wait for their checksum; the first ones make the file.
    pub(crate) fn write_chunk(&self, id: &str, offset: u64, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.upload_path(&chunk_of(id));
        let is_new = offset == 0 || !path.exists();
        let made = if is_new {
            self.disk.create(&path)
        } else {
            Ok(())
        };
        made.and_then(|()| self.disk.write_at(&path, offset, bytes))
            .map_err(Failure::file("write", &path))
    }

    /// Cuts an upload back to `length` bytes.
    pub(crate) fn cut_upload(&self, id: &str, length: u64) -> Result<(), Failure> {
        let path = self.upload_path(id);
        self.disk
            .cut(&path, length)
            .map_err(Failure::file("cut", &path))
    }

    /// Appends the whole of one upload file to another at `offset`, and removes it.
    pub(crate) fn append_chunk(&self, id: &str, offset: u64) -> Result<(), Failure> {
        let chunk = chunk_of(id);
        let from = self.upload_path(&chunk);
        let Some((mut file, _)) = open_existing(&from)? else {
            return Ok(());
        };
        let mut at = offset;
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let read = file
                .read(&mut buffer)
                .map_err(Failure::file("read", &from))?;
            let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
                break;
            };
            self.write_upload(id, at, bytes)?;
            at += bytes.len() as u64;
        }
        self.remove_upload(&chunk)
    }

    /// Removes an upload's file, if it is there.
    pub(crate) fn remove_upload(&self, id: &str) -> Result<(), Failure> {
        let path = self.upload_path(id);
        self.disk
            .remove(&path)
            .map_err(Failure::file("remove", &path))
    }

    /// Names of all upload files.
    pub(crate) fn upload_files(&self) -> Result<Vec<String>, Failure> {
        let folder = self.data.join("uploads");
        let mut names = Vec::new();
        for entry in fs::read_dir(&folder).map_err(Failure::file("list", &folder))? {
            let entry = entry.map_err(Failure::file("list", &folder))?;
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    /// SHA-256 of an upload's file as it is read back now; `None` when it is not there.
    pub(crate) fn hash_upload(&self, id: &str) -> Result<Option<Sha256>, Failure> {
        hash(&self.upload_path(id))
    }

    /// SHA-256 of a stored picture as it is read back now; `None` when it is not there.
    pub(crate) fn hash_picture(&self, sha256: &Sha256) -> Result<Option<Sha256>, Failure> {
        hash(&self.picture_path(sha256))
    }

    /// Turns an upload's synced file into the picture `sha256`, durably. A picture
    /// of that name is replaced: it holds the same bytes, or was damaged.
    pub(crate) fn adopt(&self, id: &str, sha256: &Sha256) -> Result<(), Failure> {
        let (from, to) = (self.upload_path(id), self.picture_path(sha256));
        let blobs = self.data.join("blobs");
        let folder = to.parent().unwrap_or(&blobs);
        if !folder.is_dir() {
            self.make_folder(folder)?;
            self.sync_folder(&blobs)?;
        }
        self.disk
            .rename(&from, &to)
            .map_err(Failure::file("name", &to))?;
        self.sync_folder(folder)
    }

    fn make_folder(&self, folder: &Path) -> Result<(), Failure> {
        self.disk
            .make_folder(folder)
            .map_err(Failure::file("make the folder", folder))
    }

    fn sync_folder(&self, folder: &Path) -> Result<(), Failure> {
        self.disk
            .sync_folder(folder)
            .map_err(Failure::file("sync the folder", folder))
    }

    fn picture_path(&self, sha256: &Sha256) -> PathBuf {
        let name = sha256.to_string();
        let shelf: String = name.chars().take(2).collect();
        self.data.join("blobs").join(shelf).join(name)
    }

    fn thumbnail_path(&self, sha256: &Sha256) -> PathBuf {
        let name = sha256.to_string();
        let shelf: String = name.chars().take(2).collect();
        let file = format!("{name}.jpg");
        self.data.join("thumbnails").join(shelf).join(file)
    }

    /// `id` comes from a row or from [`chunk_of`], never from a request.
    fn upload_path(&self, id: &str) -> PathBuf {
        self.data.join("uploads").join(id)
    }
}

/// The file that holds the bytes of one request until its checksum is known to fit.
pub(crate) fn chunk_of(id: &str) -> String {
    format!("{id}.chunk")
}

fn open_existing(path: &Path) -> Result<Option<(File, u64)>, Failure> {
    match File::open(path) {
        Ok(file) => {
            let metadata = file.metadata().map_err(Failure::file("read", path))?;
            Ok(Some((file, metadata.len())))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::file("open", path)(error)),
    }
}

fn read_existing(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::file("read", path)(error)),
    }
}

fn hash(path: &Path) -> Result<Option<Sha256>, Failure> {
    let Some((mut file, _)) = open_existing(path)? else {
        return Ok(None);
    };
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = file
            .read(&mut buffer)
            .map_err(Failure::file("read", path))?;
        match buffer.get(..read) {
            Some(bytes) if !bytes.is_empty() => hasher.update(bytes),
            _ => return Ok(Some(Sha256::from_bytes(hasher.finalize().into()))),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "only for what can be made again: a thumbnail needs no durability"
)]
fn write_then_name(half: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::write(half, bytes)?;
    fs::rename(half, path)
}
