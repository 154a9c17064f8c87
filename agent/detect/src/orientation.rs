//! How a picture is meant to be held: the orientation that a camera or phone notes in the file's Exif block.
//!
//! Every viewer and browser turns a picture by it, so boxes are measured in the turned picture.
//! Source: CIPA DC-008 (Exif 2.32), sections 4.5 (structure) and 4.6.4 (tag 0x0112).

use crate::jpeg::Picture;

/// The Exif number 1 to 8; 1 is as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Orientation(u8);

/// What opens an Exif block.
const SIGNATURE: &[u8] = b"Exif\0\0";
const TAG_ORIENTATION: u16 = 0x0112;
const ENTRY_BYTES: usize = 12;
/// More entries than any camera writes.
const ENTRIES_MAX: u16 = 1_000;

impl Orientation {
    /// As stored: what holds when nothing says otherwise.
    pub(crate) const STORED: Self = Self(1);

    /// Reads the payload of an APP1 segment; anything that is no orientation is none.
    pub(crate) fn read(segment: &[u8]) -> Option<Self> {
        let tiff = segment.strip_prefix(SIGNATURE)?;
        let is_little = match tiff.get(..4)? {
            [b'I', b'I', 42, 0] => true,
            [b'M', b'M', 0, 42] => false,
            _ => return None,
        };
        let short = |at: usize| {
            let bytes = tiff.get(at..at.checked_add(2)?)?.try_into().ok()?;
            Some(if is_little {
                u16::from_le_bytes(bytes)
            } else {
                u16::from_be_bytes(bytes)
            })
        };
        let long = |at: usize| {
            let (first, second) = (u32::from(short(at)?), u32::from(short(at + 2)?));
            Some(if is_little {
                second << 16 | first
            } else {
                first << 16 | second
            })
        };
        let directory = usize::try_from(long(4)?).ok()?;
        let entries = short(directory)?.min(ENTRIES_MAX);
        let entry = |index: u16| directory + 2 + usize::from(index) * ENTRY_BYTES;
        let found = (0..entries)
            .map(entry)
            .find(|at| short(*at) == Some(TAG_ORIENTATION))?;
        let number = u8::try_from(short(found + 8)?).ok()?;
        (1..=8).contains(&number).then_some(Self(number))
    }

    /// The size of the turned picture.
    pub(crate) fn turned_px(self, width_px: u32, height_px: u32) -> (u32, u32) {
        if self.swaps_sides() {
            (height_px, width_px)
        } else {
            (width_px, height_px)
        }
    }

    fn swaps_sides(self) -> bool {
        self.0 >= 5
    }

    /// Turns the picture in its own memory, with one bit per pixel beside it: a second picture would be the largest
    /// thing on a small trap.
    ///
    /// Each pixel is fetched from where it is stored, and the place it leaves fetches the next one, until the circle
    /// closes.
    pub(crate) fn turn(self, mut stored: Picture) -> Picture {
        if self == Self::STORED {
            return stored;
        }
        let (width_px, height_px) = self.turned_px(stored.width_px, stored.height_px);
        let (width, stored_width) = (width_px as usize, stored.width_px as usize);
        let mut pixels = std::mem::take(&mut stored.rgb);
        let source = |at: usize| {
            let (x, y) = self.source(at % width, at / width, &stored);
            y * stored_width + x
        };
        let (rgb, _) = pixels.as_chunks_mut::<3>();
        let mut is_done = vec![0_u64; rgb.len().div_ceil(64)];
        for start in 0..rgb.len() {
            let Some(first) = rgb
                .get(start)
                .copied()
                .filter(|_| mark(&mut is_done, start))
            else {
                continue;
            };
            let (mut at, mut from) = (start, source(start));
            while from != start && mark(&mut is_done, from) {
                let fetched = rgb.get(from).copied().unwrap_or_default();
                if let Some(pixel) = rgb.get_mut(at) {
                    *pixel = fetched;
                }
                (at, from) = (from, source(from));
            }
            if let Some(pixel) = rgb.get_mut(at) {
                *pixel = first;
            }
        }
        Picture {
            width_px,
            height_px,
            rgb: pixels,
        }
    }

    /// Where the pixel of the turned picture is stored.
    fn source(self, x: usize, y: usize, stored: &Picture) -> (usize, usize) {
        let right = |x: usize| stored.width_px as usize - 1 - x;
        let below = |y: usize| stored.height_px as usize - 1 - y;
        match self.0 {
            2 => (right(x), y),
            3 => (right(x), below(y)),
            4 => (x, below(y)),
            5 => (y, x),
            6 => (y, below(x)),
            7 => (right(y), below(x)),
            8 => (right(y), x),
            _ => (x, y),
        }
    }
}

/// Marks a pixel as done; whether it was not yet.
fn mark(is_done: &mut [u64], at: usize) -> bool {
    let Some(bits) = is_done.get_mut(at / 64) else {
        return false;
    };
    let bit = 1 << (at % 64);
    let is_new = *bits & bit == 0;
    *bits |= bit;
    is_new
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An Exif block whose only entry is the orientation.
    fn exif(number: u8, is_little: bool) -> Vec<u8> {
        let mut block = SIGNATURE.to_vec();
        if is_little {
            block.extend([b'I', b'I', 42, 0, 8, 0, 0, 0, 1, 0]);
            block.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0, number, 0, 0, 0]);
        } else {
            block.extend([b'M', b'M', 0, 42, 0, 0, 0, 8, 0, 1]);
            block.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, number, 0, 0]);
        }
        block
    }

    /// Two rows of three pixels, `abc` over `def`, each letter one pixel.
    fn letters() -> Picture {
        let rgb = b"abcdef".iter().flat_map(|&letter| [letter; 3]).collect();
        Picture {
            width_px: 3,
            height_px: 2,
            rgb,
        }
    }

    fn shown(picture: &Picture) -> String {
        let letters: Vec<char> = picture.rgb.chunks(3).map(|pixel| pixel[0].into()).collect();
        let rows = letters.chunks(picture.width_px as usize);
        rows.map(|row| row.iter().collect())
            .collect::<Vec<String>>()
            .join("/")
    }

    #[test]
    fn both_byte_orders_are_read() {
        for number in 1..=8 {
            for is_little in [true, false] {
                assert_eq!(
                    Orientation::read(&exif(number, is_little)),
                    Some(Orientation(number))
                );
            }
        }
    }

    #[test]
    fn what_is_no_orientation_is_none() {
        assert_eq!(Orientation::read(&exif(0, true)), None);
        assert_eq!(Orientation::read(&exif(9, false)), None);
        assert_eq!(Orientation::read(b"http://ns.adobe.com/xap/1.0/"), None);
        let whole = exif(6, true);
        for end in 0..whole.len() - 3 {
            assert_eq!(Orientation::read(&whole[..end]), None, "cut at {end}");
        }
    }

    #[test]
    fn each_number_turns_as_the_standard_draws_it() {
        let turned = |number| shown(&Orientation(number).turn(letters()));
        assert_eq!(turned(1), "abc/def");
        assert_eq!(turned(2), "cba/fed");
        assert_eq!(turned(3), "fed/cba");
        assert_eq!(turned(4), "def/abc");
        assert_eq!(turned(5), "ad/be/cf");
        assert_eq!(turned(6), "da/eb/fc");
        assert_eq!(turned(7), "fc/eb/da");
        assert_eq!(turned(8), "cf/be/ad");
    }
}
