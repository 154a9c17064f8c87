//! Bundles on their way to the card: one growing file for each, synced piece by piece,
//! proved by its hash, and laid where root takes it from.
//!
//! ```text
//! DIR/incoming/<sha256>.part        what came so far
//! DIR/incoming/<sha256>.wrong       all of it came twice and was something else
//! DIR/incoming/ready/<version>.raucb  whole and proved; its signature is RAUC's to prove
//! ```
//! A cut leaves a file that is as long as what was written, so the fetch goes on
//! there. Whatever else a cut may leave, the hash at the end tells.

use super::record::{Record, incoming_dir, record_dir};
use sha2::Digest as _;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use trapline_store::{Disk as _, OsDisk};
use trapline_wire::Sha256;
use trapline_wire::v1::{UpdateAnswer, UpdateOffer, UpdateState};

const CHUNK_BYTES: usize = 1024 * 1024;
/// The end of a bundle's name.
pub const BUNDLE: &str = "raucb";

/// What a whole file turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finished {
    /// The bundle that was offered; it lies ready.
    Ready,
    /// Something else, for the first time; it is gone.
    WrongOnce(String),
    /// Something else again.
    Wrong(String),
}

/// How far the offered bundle is, as the files and the record say.
///
/// # Errors
/// When the folder cannot be read.
pub fn state(dir: &Path, offer: &UpdateOffer) -> io::Result<UpdateState> {
    let record = Record::read_or_none(dir);
    let sha256 = offer.sha256.to_string();
    let known = record.update.as_ref();
    if let Some(update) = known.filter(|update| update.sha256 == sha256) {
        return Ok(update.state.clone());
    }
    if let Some(refused) = record.refusal(&sha256) {
        let reason = refused.reason.clone();
        return Ok(UpdateState::Refused { reason });
    }
    if wrong(dir, offer).exists() {
        let reason = "its bytes were not those of the offer, twice".to_owned();
        return Ok(UpdateState::Refused { reason });
    }
    if ready(dir, offer).exists() || !bundles(&record_dir(dir))?.is_empty() {
        return Ok(UpdateState::Ready);
    }
    Ok(UpdateState::Fetching {
        done_bytes: done_bytes(dir, offer)?,
        size_bytes: offer.size_bytes,
    })
}

/// The last update, whoever brought it.
#[must_use]
pub fn last(dir: &Path) -> Option<UpdateAnswer> {
    let update = Record::read_or_none(dir).update?;
    Some(UpdateAnswer {
        version: update.version,
        sha256: update.sha256.parse().ok(),
        state: update.state,
        since_ms: update.since_ms,
    })
}

/// Bytes of the offered bundle that are on the card.
///
/// # Errors
/// When the card refuses.
pub fn done_bytes(dir: &Path, offer: &UpdateOffer) -> io::Result<u64> {
    let size = OsDisk.size_bytes(&part(dir, offer))?;
    Ok(size.unwrap_or(0))
}

/// Keeps the next piece, over power cuts.
///
/// # Errors
/// When the card refuses.
pub fn keep_piece(
    dir: &Path,
    offer: &UpdateOffer,
    from_bytes: u64,
    bytes: &[u8],
) -> io::Result<()> {
    let file = part(dir, offer);
    let mut open = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&file)?;
    open.set_len(from_bytes)?;
    open.write_all(bytes)?;
    open.sync_all()?;
    if from_bytes == 0 {
        OsDisk.sync_folder(&incoming_dir(dir))?;
    }
    Ok(())
}

/// Proves the whole file and lays it ready.
///
/// # Errors
/// When the card refuses.
pub fn finish(dir: &Path, offer: &UpdateOffer) -> io::Result<Finished> {
    let file = part(dir, offer);
    let found = hash(&file)?;
    if found == offer.sha256 {
        let place = ready(dir, offer);
        if let Some(folder) = place.parent() {
            OsDisk.make_folder(folder)?;
            OsDisk.rename(&file, &place)?;
            OsDisk.sync_folder(folder)?;
        }
        OsDisk.sync_folder(&incoming_dir(dir))?;
        return Ok(Finished::Ready);
    }
    OsDisk.remove(&file)?;
    let why = format!(
        "its bytes have the SHA-256 {found}, {} were offered",
        offer.sha256
    );
    let once = part(dir, offer).with_extension("once");
    if !once.exists() {
        OsDisk.create(&once)?.sync()?;
        return Ok(Finished::WrongOnce(why));
    }
    OsDisk.create(&wrong(dir, offer))?.sync()?;
    Ok(Finished::Wrong(why))
}

/// Removes what came of other bundles, or of all.
///
/// # Errors
/// When the card refuses.
pub fn forget_others(dir: &Path, keep: Option<&UpdateOffer>) -> io::Result<()> {
    let folder = incoming_dir(dir);
    let kept = keep.map(|offer| offer.sha256.to_string());
    for entry in OsDisk.list(&folder)? {
        let (stem, end) = entry.name.rsplit_once('.').unwrap_or_default();
        if end == "part" && Some(stem) != kept.as_deref() {
            OsDisk.remove(&folder.join(&entry.name))?;
        }
    }
    Ok(())
}

/// The bundles of a folder, by name; none where there is no folder.
///
/// # Errors
/// When it cannot be read.
pub fn bundles(folder: &Path) -> io::Result<Vec<PathBuf>> {
    if OsDisk.size_bytes(folder)?.is_none() {
        return Ok(Vec::new());
    }
    let is_bundle = |path: &PathBuf| path.extension().is_some_and(|end| end == BUNDLE);
    let entries = OsDisk.list(folder)?.into_iter();
    let paths = entries.map(|entry| folder.join(entry.name));
    Ok(paths.filter(is_bundle).collect())
}

/// SHA-256 of a file.
///
/// # Errors
/// When it cannot be read.
pub fn hash(file: &Path) -> io::Result<Sha256> {
    let mut open = std::fs::File::open(file)?;
    let mut hasher = sha2::Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = open.read(&mut chunk)?;
        match chunk.get(..read) {
            Some([]) | None => break,
            Some(bytes) => hasher.update(bytes),
        }
    }
    Ok(Sha256::from_bytes(hasher.finalize().into()))
}

fn part(dir: &Path, offer: &UpdateOffer) -> PathBuf {
    incoming_dir(dir).join(format!("{}.part", offer.sha256))
}

fn wrong(dir: &Path, offer: &UpdateOffer) -> PathBuf {
    part(dir, offer).with_extension("wrong")
}

fn ready(dir: &Path, offer: &UpdateOffer) -> PathBuf {
    ready_dir(dir).join(format!("{}.{BUNDLE}", offer.version))
}

/// Where whole bundles lie for root to take.
#[must_use]
pub fn ready_dir(dir: &Path) -> PathBuf {
    incoming_dir(dir).join("ready")
}
