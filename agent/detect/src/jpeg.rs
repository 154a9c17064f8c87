//! From a JPEG file's bytes to a picture, strictly: a file that is cut off, torn or absurdly large is an error with
//! its reason, not half a picture that would be counted as a card with few insects.

use crate::orientation::Orientation;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// A decoded picture: `width_px` × `height_px` pixels of three bytes, red, green, blue, row by row.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels in a row.
    pub width_px: u32,
    /// Rows.
    pub height_px: u32,
    /// 3 × width × height bytes.
    pub rgb: Vec<u8>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "Picture({} x {} pixels)",
            self.width_px, self.height_px
        )
    }
}

/// What a picture may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most pixels that are decoded; each costs three bytes of memory.
    pub pixels_max: u64,
}

impl Default for Limits {
    /// 64 megapixels, the largest sensor that is put on a trap.
    fn default() -> Self {
        Self {
            pixels_max: 64_000_000,
        }
    }
}

/// Why a file gives no picture. Trying again helps in no case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// The bytes are something else.
    #[error("not a JPEG: the file begins with {begins_with}")]
    NotAJpeg {
        /// The first bytes, readable.
        begins_with: String,
    },
    /// The file ends too early: a cut transfer, a full disk, a camera that lost power.
    #[error("the JPEG is cut off: it ends after {size_bytes} bytes {before}")]
    Truncated {
        /// Length of what is there.
        size_bytes: usize,
        /// What should have come, as in `before its end mark`.
        before: &'static str,
    },
    /// The file has a beginning and an end, and nonsense between.
    #[error("the JPEG is damaged: {problem}")]
    Damaged {
        /// What does not fit.
        problem: String,
    },
    /// More pixels than the limit; refused by the header, before any memory is taken.
    #[error("the picture has {width_px} x {height_px} pixels, more than the limit of {pixels_max}")]
    TooLarge {
        /// Pixels in a row.
        width_px: u32,
        /// Rows.
        height_px: u32,
        /// The limit.
        pixels_max: u64,
    },
}

/// Width and height in pixels as a viewer shows the picture, from the header alone.
///
/// # Errors
/// [`PictureError`], without `TooLarge`.
pub fn dimensions(bytes: &[u8]) -> Result<(u32, u32), PictureError> {
    let header = Header::read(bytes)?;
    Ok(header
        .orientation
        .turned_px(header.width_px, header.height_px))
}

/// Decodes a whole picture and turns it as its Exif block says, as every viewer does; greyscale becomes RGB with
/// three equal bytes.
///
/// # Errors
/// [`PictureError`].
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Picture, PictureError> {
    let Header {
        width_px,
        height_px,
        orientation,
        scan_start,
    } = Header::read(bytes)?;
    if u64::from(width_px) * u64::from(height_px) > limits.pixels_max {
        return Err(PictureError::TooLarge {
            width_px,
            height_px,
            pixels_max: limits.pixels_max,
        });
    }
    // Inside the scans 0xFF is always followed by 0x00 or a restart number, so the first end mark is the real one.
    let scans = bytes.get(scan_start..).unwrap_or_default();
    if !scans.windows(2).any(|pair| pair == [0xFF, marker::END]) {
        return Err(PictureError::Truncated {
            size_bytes: bytes.len(),
            before: "before its end mark",
        });
    }
    let options = DecoderOptions::default()
        .set_max_width(u16::MAX.into())
        .set_max_height(u16::MAX.into())
        .set_strict_mode(true)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let rgb = decoder.decode().map_err(|error| PictureError::Damaged {
        problem: error.to_string(),
    })?;
    let size_bytes = u64::from(width_px) * u64::from(height_px) * 3;
    if rgb.len() as u64 != size_bytes {
        let problem = format!("{} bytes came out where {size_bytes} were due", rgb.len());
        return Err(PictureError::Damaged { problem });
    }
    Ok(orientation.turn(Picture {
        width_px,
        height_px,
        rgb,
    }))
}

/// The second byte of the JPEG markers this file looks at.
mod marker {
    pub(super) const START: u8 = 0xD8;
    pub(super) const END: u8 = 0xD9;
    pub(super) const SCAN: u8 = 0xDA;
    /// Where Exif blocks are.
    pub(super) const APP1: u8 = 0xE1;
    pub(super) const FILL: u8 = 0xFF;
    /// Start of frame, in all its codings; three of the sixteen numbers mean something else.
    pub(super) fn is_frame(number: u8) -> bool {
        (0xC0..=0xCF).contains(&number) && !matches!(number, 0xC4 | 0xC8 | 0xCC)
    }
    /// Markers that stand alone, without a length.
    pub(super) fn is_bare(number: u8) -> bool {
        matches!(number, 0x01 | 0xD0..=0xD7)
    }
}

/// What stands before the first scan.
struct Header {
    width_px: u32,
    height_px: u32,
    orientation: Orientation,
    /// Where the first scan's segment begins.
    scan_start: usize,
}

impl Header {
    /// Walks from segment to segment until the first scan; takes no memory.
    fn read(bytes: &[u8]) -> Result<Self, PictureError> {
        let cut = |before| PictureError::Truncated {
            size_bytes: bytes.len(),
            before,
        };
        let mut at = match bytes {
            [0xFF, marker::START, ..] => 2,
            [] => return Err(cut("before its first byte")),
            _ => {
                return Err(PictureError::NotAJpeg {
                    begins_with: readable(bytes),
                });
            }
        };
        let cut_in_header = || cut("in its header");
        let mut size_px = None;
        let mut orientation = Orientation::STORED;
        loop {
            let lead = *bytes.get(at).ok_or_else(cut_in_header)?;
            let number = *bytes.get(at + 1).ok_or_else(cut_in_header)?;
            if lead != 0xFF {
                return Err(damaged(format!(
                    "no segment begins at byte {at} of its header"
                )));
            }
            if number == marker::FILL {
                at += 1;
                continue;
            }
            if marker::is_bare(number) {
                at += 2;
                continue;
            }
            if number == marker::END {
                return Err(damaged("it ends before any picture data".to_owned()));
            }
            let length = two_bytes(bytes, at + 2).ok_or_else(cut_in_header)?;
            if marker::is_frame(number) {
                let height_px = two_bytes(bytes, at + 5).ok_or_else(cut_in_header)?;
                let width_px = two_bytes(bytes, at + 7).ok_or_else(cut_in_header)?;
                size_px = Some((width_px.into(), height_px.into()));
            }
            if number == marker::APP1 {
                let payload = bytes
                    .get(at + 4..at + 2 + usize::from(length))
                    .unwrap_or_default();
                orientation = Orientation::read(payload).unwrap_or(orientation);
            }
            if number == marker::SCAN {
                return match size_px {
                    Some((width_px, height_px)) if width_px > 0 && height_px > 0 => Ok(Self {
                        width_px,
                        height_px,
                        orientation,
                        scan_start: at,
                    }),
                    _ => Err(damaged("its header names no picture size".to_owned())),
                };
            }
            at += 2 + usize::from(length.max(2));
        }
    }
}

fn damaged(problem: String) -> PictureError {
    PictureError::Damaged { problem }
}

/// The number in two bytes, high byte first, as everywhere in a JPEG.
fn two_bytes(bytes: &[u8], at: usize) -> Option<u16> {
    bytes
        .get(at..at + 2)?
        .try_into()
        .ok()
        .map(u16::from_be_bytes)
}

/// The first bytes for people: as text if they are text, else as hexadecimal numbers.
fn readable(bytes: &[u8]) -> String {
    let beginning = bytes.get(..bytes.len().min(12)).unwrap_or_default();
    match std::str::from_utf8(beginning) {
        Ok(text)
            if !text
                .chars()
                .any(|letter| letter.is_control() && !letter.is_whitespace()) =>
        {
            format!("{text:?}")
        }
        _ => beginning
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<Vec<_>>()
            .join(" "),
    }
}
