//! Pictures as a phone can take them: whole and smaller, or the middle as sharp
//! as it is.

use jpeg_encoder::{ColorType, Encoder};
use trapline_detect::jpeg::{self, Limits, Picture};
use trapline_detect::look::Quality;

/// A larger picture is not decoded for the page; each pixel takes three bytes of memory.
const LIMITS: Limits = Limits {
    pixels_max: 26_000_000,
};
const JPEG_QUALITY: u8 = 80;
/// Side of the middle that is shown in its own pixels, and in which sharpness is measured.
pub(super) const MIDDLE_PX: u32 = 720;

/// A picture for a phone.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Small {
    /// The file.
    pub(super) jpeg: Vec<u8>,
    /// Size of the large picture that it comes from.
    pub(super) of_px: (u32, u32),
}

/// What the focus view shows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Focused {
    pub(super) small: Small,
    /// Of the middle, in its own pixels.
    pub(super) middle: Quality,
    /// Of the whole picture, as the ledger measures it.
    pub(super) whole: Quality,
}

/// The whole picture with no side longer than `side_px`.
pub(super) fn whole(file: &[u8], side_px: u32) -> Result<Small, String> {
    let picture = decode(file)?;
    small(&shrunk(&picture, side_px), &picture)
}

/// The picture or its middle, with what it is worth.
pub(super) fn focused(file: &[u8], is_zoomed: bool, side_px: u32) -> Result<Focused, String> {
    let picture = decode(file)?;
    let middle = picture.middle(MIDDLE_PX);
    let shown = if is_zoomed {
        small(&middle, &picture)?
    } else {
        small(&shrunk(&picture, side_px), &picture)?
    };
    Ok(Focused {
        small: shown,
        middle: Quality::in_own_pixels(&middle),
        whole: Quality::of(&picture),
    })
}

/// Whether these bytes are a picture of at most so many pixels, from its first byte to its last.
pub(super) fn is_picture(file: &[u8], pixels_max: u64) -> Result<(), String> {
    let limits = Limits { pixels_max };
    match jpeg::decode(file, &limits) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

fn decode(file: &[u8]) -> Result<Picture, String> {
    jpeg::decode(file, &LIMITS).map_err(|error| error.to_string())
}

fn small(shown: &Picture, of: &Picture) -> Result<Small, String> {
    let mut file = Vec::new();
    let side = |px: u32| u16::try_from(px).map_err(|_| "the picture is too large".to_owned());
    Encoder::new(&mut file, JPEG_QUALITY)
        .encode(
            &shown.rgb,
            side(shown.width_px)?,
            side(shown.height_px)?,
            ColorType::Rgb,
        )
        .map_err(|error| error.to_string())?;
    Ok(Small {
        jpeg: file,
        of_px: (of.width_px, of.height_px),
    })
}

/// Each pixel is the mean of a square of the large picture; what does not fill a square at the
/// right and the bottom is left out.
fn shrunk(picture: &Picture, side_px: u32) -> Picture {
    let longer_px = picture.width_px.max(picture.height_px);
    let factor = longer_px.div_ceil(side_px.max(1)).max(1);
    let width_px = (picture.width_px / factor).max(1);
    let height_px = (picture.height_px / factor).max(1);
    let line_bytes = (picture.width_px as usize * 3).max(1);
    let (columns, step) = (width_px as usize, factor as usize);
    let mut sums = vec![[0_u32; 3]; columns];
    let mut rgb = Vec::with_capacity(columns * height_px as usize * 3);
    for lines in picture
        .rgb
        .chunks(line_bytes * step)
        .take(height_px as usize)
    {
        sums.fill([0; 3]);
        for line in lines.chunks_exact(line_bytes) {
            for (square, sum) in line.chunks(3 * step).zip(&mut sums) {
                for pixel in square.chunks_exact(3) {
                    for (value, sum) in pixel.iter().zip(sum.iter_mut()) {
                        *sum += u32::from(*value);
                    }
                }
            }
        }
        let rows = lines.len() / line_bytes;
        let count = u32::try_from(rows * step.min(picture.width_px as usize)).unwrap_or(1);
        let mean = |sum: &u32| u8::try_from(sum / count.max(1)).unwrap_or(u8::MAX);
        rgb.extend(sums.iter().flat_map(|sum| sum.iter().map(mean)));
    }
    Picture {
        width_px,
        height_px,
        rgb,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width_px: u32, height_px: u32, value: impl Fn(u32, u32) -> u8) -> Picture {
        let rgb = (0..height_px)
            .flat_map(|y| (0..width_px).map(move |x| (x, y)))
            .flat_map(|(x, y)| [value(x, y), 10, 200])
            .collect();
        Picture {
            width_px,
            height_px,
            rgb,
        }
    }

    #[test]
    fn a_small_picture_has_the_means_of_the_large_one() {
        let large = picture(10, 7, |x, _| if x < 4 { 100 } else { 50 });
        let small = shrunk(&large, 3);
        assert_eq!((small.width_px, small.height_px), (2, 1));
        assert_eq!(small.rgb, [100, 10, 200, 50, 10, 200]);
        let same = shrunk(&large, 10);
        assert_eq!(same, large);
    }

    #[test]
    fn a_file_becomes_a_smaller_file() {
        let large = picture(600, 300, |x, y| u8::try_from((x ^ y) % 251).unwrap());
        let file = small(&large, &large).unwrap().jpeg;
        let whole = whole(&file, 200).unwrap();
        assert_eq!(whole.of_px, (600, 300));
        assert_eq!(jpeg::dimensions(&whole.jpeg).unwrap(), (200, 100));
        let zoomed = focused(&file, true, 200).unwrap();
        assert_eq!(jpeg::dimensions(&zoomed.small.jpeg).unwrap(), (600, 300));
        assert!(zoomed.middle.sharpness > 0.0);
        let why = super::whole(b"GIF89a", 200).unwrap_err();
        assert!(why.contains("not a JPEG"), "{why}");
        assert!(is_picture(&file, 600 * 300).is_ok());
        assert!(is_picture(&file, 600 * 300 - 1).is_err());
        assert!(is_picture(&file[..file.len() / 2], 1_000_000).is_err());
    }
}
