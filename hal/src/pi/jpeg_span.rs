//! Where the JPEG stands in what a camera gave: its program writes the metadata
//! beside it, and a driver hands out a buffer that is longer than the picture.

use std::ops::Range;

const MARK: u8 = 0xff;
const START: u8 = 0xd8;
const END: u8 = 0xd9;
/// After this one come the pixels, which have no length.
const SCAN: u8 = 0xda;

/// The first whole JPEG of `bytes`; `None` where there is none, or only a torn one.
pub(super) fn jpeg_span(bytes: &[u8]) -> Option<Range<usize>> {
    let start = bytes
        .windows(3)
        .position(|window| window == [MARK, START, MARK])?;
    let mut rest = Rest {
        bytes,
        at: start + 2,
    };
    loop {
        let marker = rest.marker()?;
        match marker {
            END => return Some(start..rest.at),
            // Markers without anything: restarts of the scan, and fill.
            0x01 | 0xd0..=0xd7 => {}
            _ => rest.skip_segment()?,
        }
        if marker == SCAN {
            rest.skip_pixels()?;
        }
    }
}

struct Rest<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Rest<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = self.bytes.get(self.at).copied()?;
        self.at += 1;
        Some(byte)
    }

    fn marker(&mut self) -> Option<u8> {
        if self.byte()? != MARK {
            return None;
        }
        loop {
            let marker = self.byte()?;
            if marker != MARK {
                return Some(marker);
            }
        }
    }

    fn skip_segment(&mut self) -> Option<()> {
        let length = u16::from_be_bytes([self.byte()?, self.byte()?]);
        self.at = self.at.checked_add(usize::from(length.checked_sub(2)?))?;
        (self.at <= self.bytes.len()).then_some(())
    }

    /// To the next marker that ends the pixels.
    fn skip_pixels(&mut self) -> Option<()> {
        loop {
            if self.byte()? != MARK {
                continue;
            }
            // 0 says that the byte before was a pixel's.
            let next = self.bytes.get(self.at).copied()?;
            if next != 0 && next != MARK && !(0xd0..=0xd7).contains(&next) {
                self.at -= 1;
                return Some(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A start, a segment with an end marker inside, a scan with a stuffed byte, the end.
    const JPEG: &[u8] = &[
        0xff, 0xd8, 0xff, 0xe1, 0, 4, 0xff, 0xd9, 0xff, 0xda, 0, 2, 1, 0xff, 0, 2, 0xff, 0xd0, 3,
        0xff, 0xd9,
    ];

    #[test]
    fn the_end_is_the_pictures_and_not_a_thumbnails() {
        assert_eq!(jpeg_span(JPEG), Some(0..JPEG.len()));
    }

    #[test]
    fn what_stands_before_and_after_is_left_out() {
        let given = [b"{}\n", JPEG, &[0, 0, 0xff, 0xd9]].concat();
        assert_eq!(jpeg_span(&given), Some(3..3 + JPEG.len()));
    }

    #[test]
    fn a_torn_picture_is_none_at_any_length() {
        for length in 0..JPEG.len() {
            assert_eq!(jpeg_span(&JPEG[..length]), None, "{length} bytes");
        }
        assert_eq!(jpeg_span(b"hello"), None);
    }
}
