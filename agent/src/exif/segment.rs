//! Where an Exif block stands in a JPEG file.

use super::tiff::Block;
use std::ops::Range;

const EXIF: &[u8] = b"Exif\0\0";
const JFIF: &[u8] = b"JFIF\0";

const START: u8 = 0xD8;
const END: u8 = 0xD9;
const SCAN: u8 = 0xDA;
const APP0: u8 = 0xE0;
const APP1: u8 = 0xE1;

/// The file with its Exif block, or a new one, as `write` leaves it; `None` when
/// the file is no whole JPEG up to its image, or the block cannot be understood or
/// gets too long. All other bytes stay.
pub(super) fn with_exif(
    jpeg: &[u8],
    write: impl FnOnce(&mut Block) -> Option<()>,
) -> Option<Vec<u8>> {
    let (place, mut block) = match find(jpeg)? {
        Spot::Here(segment) => {
            let payload = jpeg.get(segment.start + 4..segment.end)?;
            (segment, Block::read(payload.strip_prefix(EXIF)?)?)
        }
        Spot::Insert(at) => (at..at, Block::empty()),
    };
    write(&mut block)?;
    let block = block.finish()?;
    let length = u16::try_from(2 + EXIF.len() + block.len()).ok()?;
    let header = [0xFF, APP1];
    let (before, after) = (jpeg.get(..place.start)?, jpeg.get(place.end..)?);
    Some([before, &header, &length.to_be_bytes(), EXIF, &block, after].concat())
}

enum Spot {
    /// The whole segment with the block.
    Here(Range<usize>),
    /// There is none; it belongs here.
    Insert(usize),
}

/// Walks from segment to segment up to the image.
fn find(jpeg: &[u8]) -> Option<Spot> {
    if jpeg.get(..2)? != [0xFF, START] {
        return None;
    }
    let mut at = 2;
    // Behind the start, or behind the segment that a JFIF file begins with.
    let mut insert = at;
    loop {
        if *jpeg.get(at)? != 0xFF {
            return None;
        }
        match *jpeg.get(at + 1)? {
            0xFF => at += 1,
            SCAN => return Some(Spot::Insert(insert)),
            END => return None,
            0x01 | 0xD0..=0xD7 => at += 2,
            number => {
                let length = jpeg.get(at + 2..at + 4)?.try_into().ok()?;
                let length = usize::from(u16::from_be_bytes(length));
                let end = at + 2 + length;
                let payload = jpeg.get(at + 4..end)?;
                if number == APP1 && payload.starts_with(EXIF) {
                    return Some(Spot::Here(at..end));
                }
                if number == APP0 && at == 2 && payload.starts_with(JFIF) {
                    insert = end;
                }
                at = end;
            }
        }
    }
}
