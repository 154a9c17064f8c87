//! From image to disk, and the proof: every byte is read back from the medium
//! and its hash compared with the image's.

use crate::image::{Image, hex};
use crate::progress::{Progress, Step};
use crate::target::{PIECE_BYTES, Target};
use anyhow::{Context as _, Result, bail, ensure};
use sha2::{Digest as _, Sha256};
use std::io::{self, Read};
use std::sync::atomic::Ordering;
use std::sync::mpsc::sync_channel;
use std::thread;

/// Pieces that wait between unpacking and writing: memory stays bounded.
const WAITING_MAX: usize = 4;
/// After so many pieces the disk has to have them, so that progress is not the cache's.
const SYNC_EVERY: u64 = 8;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The image's size.
    pub size_bytes: u64,
    /// Its SHA-256.
    pub sha256: String,
}

/// Writes the image from the disk's beginning on.
///
/// # Errors
/// When the image cannot be read or is damaged, or the disk is too small or fails.
pub fn write(
    image: &Image,
    target: &mut dyn Target,
    progress: &mut Progress<'_>,
) -> Result<Written> {
    let (size, room) = (image.content_bytes(), target.size_bytes());
    if let (Some(size), Some(room)) = (size, room) {
        ensure!(
            size <= room,
            "the image has {size} bytes, the disk only {room}"
        );
    }
    let reading = image.read()?;
    let (taken, mut bytes) = (reading.taken, reading.bytes);
    let (pieces, arriving) = sync_channel::<io::Result<Vec<u8>>>(WAITING_MAX);
    thread::scope(|scope| {
        scope.spawn(move || {
            loop {
                let piece = next_piece(&mut bytes);
                let is_last = !matches!(&piece, Ok(piece) if !piece.is_empty());
                if pieces.send(piece).is_err() || is_last {
                    return;
                }
            }
        });
        let mut hash = Sha256::new();
        let (mut at_bytes, mut count) = (0_u64, 0_u64);
        progress.begin(Step::Writing);
        for piece in arriving {
            let piece = piece.context("the image is damaged or cannot be read")?;
            if piece.is_empty() {
                break;
            }
            let end_bytes = at_bytes + u64::try_from(piece.len()).unwrap_or(0);
            if room.is_some_and(|room| end_bytes > room) {
                bail!(
                    "the image is larger than the disk ({} bytes)",
                    room.unwrap_or(0)
                );
            }
            hash.update(&piece);
            target
                .write(at_bytes, &piece)
                .with_context(|| format!("cannot write at byte {at_bytes}"))?;
            at_bytes = end_bytes;
            count += 1;
            if count.is_multiple_of(SYNC_EVERY) {
                target
                    .sync()
                    .context("the disk did not take what was written")?;
            }
            progress.at(at_bytes, taken.load(Ordering::Relaxed), image.file_bytes);
        }
        target
            .sync()
            .context("the disk did not take what was written")?;
        progress.end(at_bytes);
        ensure!(at_bytes > 0, "the image is empty");
        Ok(Written {
            size_bytes: at_bytes,
            sha256: hex(&hash.finalize()),
        })
    })
}

/// Reads everything back and compares.
///
/// # Errors
/// When the disk does not give back what was written to it.
pub fn verify(
    target: &mut dyn Target,
    written: &Written,
    progress: &mut Progress<'_>,
) -> Result<()> {
    let mut hash = Sha256::new();
    let mut at_bytes = 0;
    progress.begin(Step::Comparing);
    while at_bytes < written.size_bytes {
        let left = usize::try_from(written.size_bytes - at_bytes).unwrap_or(usize::MAX);
        let piece = target
            .read_back(at_bytes, left.min(PIECE_BYTES))
            .with_context(|| format!("cannot read back at byte {at_bytes}"))?;
        ensure!(
            !piece.is_empty(),
            "the disk ends at byte {at_bytes}: it is smaller than it says"
        );
        hash.update(&piece);
        at_bytes += u64::try_from(piece.len()).unwrap_or(0);
        progress.at(at_bytes, at_bytes, written.size_bytes);
    }
    progress.end(at_bytes);
    let found = hex(&hash.finalize());
    ensure!(
        found == written.sha256,
        "the disk gives back other bytes than were written to it (SHA-256 {found}, not {}); \
         try again, and if it happens twice, throw the card away",
        written.sha256
    );
    Ok(())
}

fn next_piece(bytes: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut piece = Vec::with_capacity(PIECE_BYTES);
    let limit = u64::try_from(PIECE_BYTES).unwrap_or(0);
    bytes.take(limit).read_to_end(&mut piece)?;
    Ok(piece)
}
