//! Small pictures for lists, made when a picture arrives.
//!
//! A picture is never trusted: its header is read first, what is too large is
//! not decoded at all, and a decoder that panics costs one thumbnail.

use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::{DynamicImage, ImageDecoder as _, ImageReader};
use std::io::{BufRead, Cursor, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The longer side of a thumbnail.
const SIDE_MAX_PX: u32 = 320;
/// Pictures of more pixels are not decoded: 64 megapixels take 192 MiB.
const PIXELS_MAX: u64 = 64_000_000;
const JPEG_QUALITY: u8 = 80;

/// A JPEG of at most 320 pixels a side, or why there is none.
pub(crate) fn of<R: BufRead + Seek>(picture: R) -> Result<Vec<u8>, String> {
    catch_unwind(AssertUnwindSafe(|| shrink(picture)))
        .unwrap_or_else(|_| Err("the decoder failed on it".to_owned()))
}

fn shrink<R: BufRead + Seek>(picture: R) -> Result<Vec<u8>, String> {
    let reader = ImageReader::new(picture)
        .with_guessed_format()
        .map_err(|error| error.to_string())?;
    let mut decoder = JpegDecoder::new(reader.into_inner()).map_err(|error| error.to_string())?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > PIXELS_MAX {
        return Err(format!(
            "{width}×{height} pixels are more than this server opens"
        ));
    }
    let orientation = decoder.orientation().map_err(|error| error.to_string())?;
    let mut small = DynamicImage::from_decoder(decoder)
        .map_err(|error| error.to_string())?
        .thumbnail(SIDE_MAX_PX, SIDE_MAX_PX);
    small.apply_orientation(orientation);
    let mut jpeg = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY)
        .encode_image(&DynamicImage::from(small.to_rgb8()))
        .map_err(|error| error.to_string())?;
    Ok(jpeg.into_inner())
}
