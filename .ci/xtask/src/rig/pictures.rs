//! What an emulated camera is shown.

use crate::build::{Cast, Programs};
use crate::{process, trap};
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How many photographs or drawings there are at most.
const PICTURES_MAX: usize = 3;

/// Photographs of real cards, where they are at hand.
pub(crate) fn photographs() -> Vec<PathBuf> {
    let folder = process::root().join("../shared/data/sticky-traps/images/val");
    let mut found = trap::jpegs(&folder).unwrap_or_default();
    found.retain(|path| size_px(path) == Some((1536, 2048)));
    found.truncate(PICTURES_MAX);
    found
}

/// The programs that a machine with a camera takes: only who has no photographs needs somebody to draw.
pub(crate) fn cast() -> Cast {
    if photographs().is_empty() {
        Cast::Simulated
    } else {
        Cast::Server
    }
}

/// Drawn cards.
pub(crate) fn drawings(programs: &Programs, folder: &Path) -> Result<Vec<PathBuf>> {
    let drawn = folder.join("drawn");
    let mut command = Command::new(&programs.sim);
    command.arg("plates").arg(&drawn);
    let count = PICTURES_MAX.to_string();
    command.args(["--count", &count, "--size", "1280x720", "--seed", "3"]);
    process::output(&mut command)?;
    trap::jpegs(&drawn)
}

/// Width and height of a JPEG file.
pub(crate) fn size_px(path: &Path) -> Option<(u32, u32)> {
    jpeg_size(&std::fs::read(path).ok()?)
}

/// Width and height of a JPEG, from the head of its frame.
fn jpeg_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        let &[marker, kind, high, low] = bytes.get(at..)?.first_chunk::<4>()?;
        if marker != 0xff {
            return None;
        }
        if let 0xc0..=0xc2 = kind {
            let &[_, height_high, height_low, width_high, width_low] =
                bytes.get(at + 4..)?.first_chunk::<5>()?;
            let side = |high, low| u32::from(u16::from_be_bytes([high, low]));
            return Some((side(width_high, width_low), side(height_high, height_low)));
        }
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jpeg_says_its_size() {
        let head = [
            0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xc0, 0, 11, 8, 0x02, 0xd0, 0x05, 0x00,
        ];
        assert_eq!(jpeg_size(&head), Some((1280, 720)));
        assert_eq!(jpeg_size(b"no picture at all"), None);
    }
}
