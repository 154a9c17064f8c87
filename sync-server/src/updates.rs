//! Updates of whole traps: RAUC bundles, stored by content and handed out piece by
//! piece. The server cannot sign one and does not judge a signature: each trap does,
//! with the key that is on its card.

use crate::db::{Db, UpdateRow};
use crate::offered_files::{Shelf, keep};
use crate::problem::Failure;
use anyhow::{Context as _, bail};
use sha2::Digest as _;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use trapline_wire::Sha256;
use trapline_wire::limits::BUNDLE_BYTES_MAX;
use trapline_wire::v1::is_version;

/// More than any signature of a bundle.
const SIGNATURE_BYTES_MAX: u64 = 64 * 1024;
const CHUNK_BYTES: usize = 1024 * 1024;

/// What adding a bundle came to.
#[derive(Debug)]
pub(crate) enum Added {
    /// It is new here.
    New(UpdateRow),
    /// The very same bundle was here already.
    Known(UpdateRow),
}

/// Stores a bundle; its version is read from it unless it is given.
///
/// # Errors
/// What is wrong with the bundle, or with the disk.
pub(crate) fn add(
    db: &mut Db,
    data: &Path,
    path: &Path,
    version: Option<&str>,
    now_ms: i64,
) -> anyhow::Result<Added> {
    let cannot = || format!("cannot read {}", path.display());
    let mut file = File::open(path).with_context(cannot)?;
    let size_bytes = file.metadata().with_context(cannot)?.len();
    if size_bytes == 0 || size_bytes > BUNDLE_BYTES_MAX {
        bail!(
            "{} has {size_bytes} bytes; a bundle has 1 to {BUNDLE_BYTES_MAX}",
            path.display()
        );
    }
    let version = match version {
        Some(version) => version.to_owned(),
        None => said_version(&mut file, size_bytes).with_context(|| {
            format!(
                "{} does not say its version; is it a RAUC bundle of the format `verity`? \
                 Otherwise name it with `--version`",
                path.display()
            )
        })?,
    };
    if !is_version(&version) {
        bail!(
            "`{version}` cannot be a version: it needs 1 to 64 letters, digits, `.`, `-`, `_`, \
             `+` or `~`"
        );
    }
    file.seek(SeekFrom::Start(0)).with_context(cannot)?;
    let row = UpdateRow {
        version,
        sha256: hash(&mut file).with_context(cannot)?,
        size_bytes,
        added_ms: now_ms,
    };
    if let Some(known) = db.update(&row.version)? {
        if known.sha256 == row.sha256 {
            return Ok(Added::Known(known));
        }
        bail!(
            "there is an update `{}` already, and this is another bundle: give each build a \
             version of its own, or traps that refused one would not try the other",
            row.version
        );
    }
    file.seek(SeekFrom::Start(0)).with_context(cannot)?;
    keep(data, Shelf::Updates, &row.sha256, &mut file)?;
    if !db.add_update(&row)? {
        bail!("the same bundle is here under another version");
    }
    Ok(Added::New(row))
}

fn hash(file: &mut File) -> std::io::Result<Sha256> {
    let mut hasher = sha2::Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = file.read(&mut chunk)?;
        match chunk.get(..read) {
            Some([]) | None => break,
            Some(bytes) => hasher.update(bytes),
        }
    }
    Ok(Sha256::from_bytes(hasher.finalize().into()))
}

/// The version that a bundle says of itself. Its manifest stands as text in the signed part
/// at its end, whose length the last eight bytes tell.
fn said_version(file: &mut File, size_bytes: u64) -> Result<String, Failure> {
    let broken = |error: std::io::Error| Failure::Broken(format!("it cannot be read: {error}"));
    let none = || Failure::Broken("it names none".to_owned());
    let last = size_bytes.checked_sub(8).ok_or_else(none)?;
    file.seek(SeekFrom::Start(last)).map_err(broken)?;
    let mut len = [0; 8];
    file.read_exact(&mut len).map_err(broken)?;
    let len_bytes = u64::from_be_bytes(len);
    if len_bytes > SIGNATURE_BYTES_MAX {
        return Err(none());
    }
    let from = last.checked_sub(len_bytes).ok_or_else(none)?;
    file.seek(SeekFrom::Start(from)).map_err(broken)?;
    let mut signed = Vec::new();
    file.take(len_bytes)
        .read_to_end(&mut signed)
        .map_err(broken)?;
    version_of(&String::from_utf8_lossy(&signed)).ok_or_else(none)
}

fn version_of(signed: &str) -> Option<String> {
    let (_, manifest) = signed.split_once("[update]")?;
    let section = manifest.split_once("\n[").map_or(manifest, |(own, _)| own);
    let version = section
        .lines()
        .find_map(|line| line.trim().strip_prefix("version="))?;
    let version = version.trim().to_owned();
    is_version(&version).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn a_bundle_says_its_version() {
        let mut file = tempfile::tempfile().unwrap();
        let signed =
            b"\x30\x82[update]\ncompatible=trapline\nversion=0.2.0\n\n[bundle]\nversion=9\n\x00";
        file.write_all(b"a squashfs").unwrap();
        file.write_all(signed).unwrap();
        file.write_all(&u64::try_from(signed.len()).unwrap().to_be_bytes())
            .unwrap();
        let size_bytes = file.metadata().unwrap().len();
        assert_eq!(said_version(&mut file, size_bytes).unwrap(), "0.2.0");
    }

    #[test]
    fn what_is_no_bundle_says_none() {
        for bytes in [&b"short"[..], &[0xff; 64], &[0; 64]] {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(bytes).unwrap();
            let size_bytes = u64::try_from(bytes.len()).unwrap();
            assert!(said_version(&mut file, size_bytes).is_err(), "{bytes:?}");
        }
        assert_eq!(version_of("[update]\nversion=a/b\n"), None);
    }
}
