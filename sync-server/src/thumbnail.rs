//! Small pictures for lists, made when a picture arrives.
//!
//! A picture is never trusted: its header is read first, what is too large or
//! cut off is not decoded at all, and a decoder that panics costs one thumbnail.

use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::{DynamicImage, ImageDecoder as _};
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use trapline_wire::v1::TrackBox;

/// The longer side of a thumbnail.
const SIDE_MAX_PX: u32 = 320;
/// Pictures of more pixels are not decoded: 64 megapixels take 192 MiB.
const PIXELS_MAX: u64 = 64_000_000;
const JPEG_QUALITY: u8 = 80;
/// A crop shows at least this much of the card, so that a small insect has surroundings.
const CROP_MIN_PX: f32 = 96.0;

/// A JPEG of at most 320 pixels a side, or why there is none.
pub(crate) fn of(picture: &[u8]) -> Result<Vec<u8>, String> {
    catch_unwind(AssertUnwindSafe(|| shrink(picture)))
        .unwrap_or_else(|_| Err("the decoder failed on it".to_owned()))
}

/// The box of a picture and what is around it, as a JPEG of at most 320 pixels a side.
pub(crate) fn crop(picture: &[u8], place: &TrackBox) -> Result<Vec<u8>, String> {
    catch_unwind(AssertUnwindSafe(|| cut(picture, place)))
        .unwrap_or_else(|_| Err("the decoder failed on it".to_owned()))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a pixel is a whole number, and the cast stays within its bounds"
)]
fn cut(picture: &[u8], place: &TrackBox) -> Result<Vec<u8>, String> {
    let whole = open(picture, |image| image)?;
    let side = (place.width_px.max(place.height_px) * 2.0).max(CROP_MIN_PX);
    let corner = |from: f32, size: f32| (from + size / 2.0 - side / 2.0).max(0.0) as u32;
    let (x, y) = (
        corner(place.x_px, place.width_px),
        corner(place.y_px, place.height_px),
    );
    let side = side.ceil() as u32;
    if x >= whole.width() || y >= whole.height() {
        return Err("the box is outside the picture".to_owned());
    }
    let mut part = whole.crop_imm(x, y, side, side);
    if side > SIDE_MAX_PX {
        part = part.thumbnail(SIDE_MAX_PX, SIDE_MAX_PX);
    }
    jpeg_of(part)
}

fn shrink(picture: &[u8]) -> Result<Vec<u8>, String> {
    // What is small already is not blown up.
    let small = open(picture, |image| {
        if image.width().max(image.height()) > SIDE_MAX_PX {
            image.thumbnail(SIDE_MAX_PX, SIDE_MAX_PX)
        } else {
            image
        }
    })?;
    jpeg_of(small)
}

fn jpeg_of(image: DynamicImage) -> Result<Vec<u8>, String> {
    let mut jpeg = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY)
        .encode_image(&DynamicImage::from(image.to_rgb8()))
        .map_err(|error| error.to_string())?;
    Ok(jpeg.into_inner())
}

/// The picture, changed as asked and then turned as a viewer shows it.
fn open(
    picture: &[u8],
    change: impl FnOnce(DynamicImage) -> DynamicImage,
) -> Result<DynamicImage, String> {
    // The decoder paints what is missing grey and says nothing.
    if !ends_as_jpeg(picture) {
        return Err("it is no JPEG, or one that was cut off".to_owned());
    }
    let mut decoder = JpegDecoder::new(Cursor::new(picture)).map_err(|error| error.to_string())?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > PIXELS_MAX {
        return Err(format!(
            "{width}×{height} pixels are more than this server opens"
        ));
    }
    let orientation = decoder.orientation().map_err(|error| error.to_string())?;
    let image = DynamicImage::from_decoder(decoder).map_err(|error| error.to_string())?;
    let mut image = change(image);
    image.apply_orientation(orientation);
    Ok(image)
}

/// Whether an end mark follows the start of the picture's data. Thumbnails in
/// the header have end marks of their own, so the header is stepped over.
fn ends_as_jpeg(picture: &[u8]) -> bool {
    let Some(mut rest) = picture.strip_prefix(&[0xff, 0xd8]) else {
        return false;
    };
    loop {
        match rest {
            [0xff, 0xda, data @ ..] => return data.windows(2).any(|pair| pair == [0xff, 0xd9]),
            // Fill bytes, and marks without a length.
            [0xff, after @ ..] if after.first() == Some(&0xff) => rest = after,
            [0xff, 0x01 | 0xd0..=0xd7, after @ ..] => rest = after,
            [0xff, _, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                match rest.get(2 + length..) {
                    Some(after) if length >= 2 => rest = after,
                    _ => return false,
                }
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jpeg() -> Vec<u8> {
        let picture = image::RgbImage::from_fn(640, 480, |x, y| {
            image::Rgb([x.to_le_bytes()[0], y.to_le_bytes()[0], 90])
        });
        let mut bytes = Cursor::new(Vec::new());
        picture
            .write_to(&mut bytes, image::ImageFormat::Jpeg)
            .unwrap();
        bytes.into_inner()
    }

    #[test]
    fn a_picture_becomes_small() {
        let small = image::load_from_memory(&of(&jpeg()).unwrap()).unwrap();
        assert_eq!((small.width(), small.height()), (320, 240));
    }

    #[test]
    fn no_beginning_of_a_picture_is_taken_for_the_whole() {
        let whole = jpeg();
        for length in 0..whole.len() - 1 {
            assert!(!ends_as_jpeg(&whole[..length]), "{length}");
        }
        assert!(ends_as_jpeg(&whole));
    }

    #[test]
    fn an_end_mark_in_the_header_ends_nothing() {
        let mut torn = vec![
            0xff, 0xd8, 0xff, 0xe1, 0x00, 0x04, 0xff, 0xd9, 0xff, 0xff, 0xda,
        ];
        torn.extend([1, 2, 3]);
        assert!(!ends_as_jpeg(&torn));
        torn.extend([0xff, 0xd9, 7, 7]);
        assert!(ends_as_jpeg(&torn));
    }
}
