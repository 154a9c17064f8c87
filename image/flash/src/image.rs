//! The image as it was downloaded: plain or xz, with its published hash if that lies beside it.

use anyhow::{Context as _, Result, bail, ensure};
use lzma_rust2::XzReader;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Memory that unpacking may take; xz at its highest setting takes 65 MiB.
const UNPACK_KIB_MAX: u32 = 256 * 1024;
const XZ_MAGIC: [u8; 6] = [0xfd, b'7', b'z', b'X', b'Z', 0];

/// An image on this machine.
#[derive(Debug, Clone)]
pub struct Image {
    path: PathBuf,
    is_packed: bool,
    /// Of the file as it lies here.
    pub file_bytes: u64,
}

/// An image that is being read.
pub struct Reading {
    /// Its bytes, unpacked.
    pub bytes: Box<dyn Read + Send>,
    /// How many of the file's bytes were taken so far.
    pub taken: Arc<AtomicU64>,
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").finish_non_exhaustive()
    }
}

impl Image {
    /// Looks at the file, and compares it with `FILE.sha256` where that exists.
    ///
    /// # Errors
    /// When it cannot be read, is no image, or is not what was published.
    pub fn open(path: &Path) -> Result<Self> {
        let mut file =
            File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        let file_bytes = file.metadata()?.len();
        let mut start = [0; 6];
        let is_packed = file.read_exact(&mut start).is_ok() && start == XZ_MAGIC;
        ensure!(file_bytes > 0, "{} is empty", path.display());
        ensure!(
            is_packed || file_bytes % 512 == 0,
            "{} is no image: neither .img nor .img.xz (unpack .zip and .gz first)",
            path.display()
        );
        check_published(path)?;
        Ok(Self {
            path: path.to_owned(),
            is_packed,
            file_bytes,
        })
    }

    /// The size of its content, where that is known before it was read.
    #[must_use]
    pub fn content_bytes(&self) -> Option<u64> {
        (!self.is_packed).then_some(self.file_bytes)
    }

    /// Reads it from the start.
    ///
    /// # Errors
    /// When it cannot be opened any more.
    pub fn read(&self) -> Result<Reading> {
        let file = File::open(&self.path)
            .with_context(|| format!("cannot read {}", self.path.display()))?;
        let taken = Arc::new(AtomicU64::new(0));
        let counted = Counted {
            inner: BufReader::with_capacity(1024 * 1024, file),
            taken: Arc::clone(&taken),
        };
        let bytes: Box<dyn Read + Send> = if self.is_packed {
            Box::new(XzReader::new_mem_limit(counted, true, UNPACK_KIB_MAX))
        } else {
            Box::new(counted)
        };
        Ok(Reading { bytes, taken })
    }
}

struct Counted<R> {
    inner: R,
    taken: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(bytes)?;
        let more = u64::try_from(read).unwrap_or(0);
        self.taken.fetch_add(more, Ordering::Relaxed);
        Ok(read)
    }
}

fn check_published(path: &Path) -> Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".sha256");
    let Ok(text) = std::fs::read_to_string(&name) else {
        return Ok(());
    };
    let published = text
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let found = hash_of(path)?;
    if published != found {
        bail!(
            "{} is not what was published: its SHA-256 is {found}, {} says {published}; download it again",
            path.display(),
            PathBuf::from(name).display()
        );
    }
    Ok(())
}

fn hash_of(path: &Path) -> Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut bytes = vec![0; 1024 * 1024];
    loop {
        let read = file.read(&mut bytes)?;
        match bytes.get(..read) {
            Some([]) | None => return Ok(hex(&hash.finalize())),
            Some(piece) => hash.update(piece),
        }
    }
}

/// As hashes are written.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
