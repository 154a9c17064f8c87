//! From what a camera hands out to a JPEG file: one that it made is kept byte
//! for byte, an uncompressed picture is encoded without a detour over RGB.

use super::super::jpeg_span::jpeg_span;
use super::UvcFormat;
use super::formats::Way;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

/// The JPEG of a picture that came in this `way`.
///
/// # Errors
/// Why there is none, in a clause.
pub(super) fn jpeg(given: &[u8], way: Way, quality_percent: u8) -> Result<Vec<u8>, String> {
    match way.format {
        UvcFormat::Mjpeg | UvcFormat::Any => {
            // The buffer is longer than the picture in it.
            let span = jpeg_span(given);
            let jpeg = span
                .filter(|span| span.start == 0)
                .and_then(|s| given.get(s));
            jpeg.map(<[u8]>::to_vec)
                .ok_or_else(|| "the picture is torn: its JPEG has no end".to_owned())
        }
        UvcFormat::Yuyv => encode(
            &yuyv(given, way)?,
            way,
            (quality_percent, SamplingFactor::R_4_2_2),
        ),
        UvcFormat::Nv12 => encode(
            &nv12(given, way)?,
            way,
            (quality_percent, SamplingFactor::R_4_2_0),
        ),
    }
}

fn encode(
    pixels: &[u8],
    way: Way,
    (quality_percent, sampling): (u8, SamplingFactor),
) -> Result<Vec<u8>, String> {
    let size = u16::try_from(way.width_px)
        .ok()
        .zip(u16::try_from(way.height_px).ok());
    let (width_px, height_px) = size.ok_or("the picture is too large for a JPEG")?;
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, quality_percent);
    encoder.set_sampling_factor(sampling);
    encoder
        .encode(pixels, width_px, height_px, ColorType::Ycbcr)
        .map_err(|e| format!("the picture cannot be encoded: {e}"))?;
    Ok(jpeg)
}

/// Two pixels in four bytes, which share their colour.
fn yuyv(given: &[u8], way: Way) -> Result<Vec<u8>, String> {
    let count = pixels(way);
    let given = given
        .get(..count.saturating_mul(2))
        .ok_or_else(|| short(given.len()))?;
    let (luma, chroma) = (luma(), chroma());
    let mut out = Vec::with_capacity(count.saturating_mul(3));
    for pair in given.chunks_exact(4) {
        if let [left, blue, right, red] = *pair {
            let (blue, red) = (at(&chroma, blue), at(&chroma, red));
            out.extend([at(&luma, left), blue, red, at(&luma, right), blue, red]);
        }
    }
    Ok(out)
}

/// All brightness, then the colour of each two by two pixels.
fn nv12(given: &[u8], way: Way) -> Result<Vec<u8>, String> {
    let count = pixels(way);
    let width = usize::try_from(way.width_px).unwrap_or(usize::MAX);
    let (luma, chroma) = (luma(), chroma());
    let is_whole =
        width > 0 && width.is_multiple_of(2) && given.len() >= count.saturating_mul(3) / 2;
    let (bright, colour) = given
        .split_at_checked(count)
        .filter(|_| is_whole)
        .ok_or_else(|| short(given.len()))?;
    let mut out = Vec::with_capacity(count.saturating_mul(3));
    for (y, row) in bright.chunks_exact(width).enumerate() {
        let start = y / 2 * width;
        let colours = colour.get(start..).unwrap_or_default().chunks_exact(2);
        for (pair, colour) in row.chunks_exact(2).zip(colours) {
            if let ([left, right], [blue, red]) = (pair, colour) {
                let (blue, red) = (at(&chroma, *blue), at(&chroma, *red));
                out.extend([at(&luma, *left), blue, red, at(&luma, *right), blue, red]);
            }
        }
    }
    Ok(out)
}

fn pixels(way: Way) -> usize {
    let count = u64::from(way.width_px).saturating_mul(u64::from(way.height_px));
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn short(bytes: usize) -> String {
    format!("the picture is torn: only {bytes} bytes of it came")
}

/// Cameras give brightness from 16 to 235, and JPEG means 0 to 255.
fn luma() -> [u8; 256] {
    stretched(16, 219, 0)
}

/// And colour from 16 to 240 around 128.
fn chroma() -> [u8; 256] {
    stretched(128, 224, 128)
}

fn stretched(from: i32, range: i32, to: i32) -> [u8; 256] {
    let mut table = [0; 256];
    for (value, entry) in (0_i32..).zip(&mut table) {
        let wide = (value - from) * 255;
        let rounded = (2 * wide + range * wide.signum()) / (2 * range);
        *entry = u8::try_from((rounded + to).clamp(0, 255)).unwrap_or(u8::MAX);
    }
    table
}

fn at(table: &[u8; 256], value: u8) -> u8 {
    table.get(usize::from(value)).copied().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(format: UvcFormat, (width_px, height_px): (u32, u32)) -> Way {
        Way {
            width_px,
            height_px,
            format,
            rate: 30,
        }
    }

    #[test]
    fn black_and_white_are_black_and_white() {
        let (luma, chroma) = (luma(), chroma());
        assert_eq!([luma[0], luma[16], luma[235], luma[255]], [0, 0, 255, 255]);
        assert_eq!([chroma[16], chroma[128], chroma[240]], [0, 128, 255]);
    }

    #[test]
    fn two_pixels_share_their_colour() {
        let pixels = yuyv(&[16, 128, 235, 240, 9, 9], way(UvcFormat::Yuyv, (2, 1))).unwrap();
        assert_eq!(pixels, [0, 128, 255, 255, 128, 255]);
    }

    #[test]
    fn four_pixels_share_their_colour() {
        let given = [16, 235, 235, 16, 128, 240];
        let pixels = nv12(&given, way(UvcFormat::Nv12, (2, 2))).unwrap();
        let wanted = [0, 128, 255, 255, 128, 255, 255, 128, 255, 0, 128, 255];
        assert_eq!(pixels, wanted);
    }

    #[test]
    fn a_picture_becomes_a_whole_jpeg() {
        let grey = [128; 16 * 8 * 2];
        let made = jpeg(&grey, way(UvcFormat::Yuyv, (16, 8)), 93).unwrap();
        assert_eq!(jpeg_span(&made), Some(0..made.len()));
    }

    #[test]
    fn a_jpeg_is_kept_as_it_comes_without_the_rest_of_the_buffer() {
        let grey = [128; 16 * 8 * 2];
        let made = jpeg(&grey, way(UvcFormat::Yuyv, (16, 8)), 93).unwrap();
        let buffer = [made.as_slice(), &[0; 100]].concat();
        assert_eq!(jpeg(&buffer, way(UvcFormat::Mjpeg, (16, 8)), 93), Ok(made));
    }

    #[test]
    fn torn_pictures_are_said() {
        for format in [UvcFormat::Mjpeg, UvcFormat::Yuyv, UvcFormat::Nv12] {
            let why = jpeg(&[1, 2, 3], way(format, (16, 8)), 93).unwrap_err();
            assert!(why.contains("torn"), "{why}");
        }
    }
}
