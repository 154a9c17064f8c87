//! JPEG files: whole ones become pictures, all others an error with its reason.

use jpeg_encoder::{ColorType, Encoder};
use proptest::prelude::*;
use trapline_detect::jpeg::{Limits, Picture, PictureError, decode, dimensions};

use crate::card;

fn encode(bytes: &[u8], width: u16, height: u16, color: ColorType, progressive: bool) -> Vec<u8> {
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, 92);
    encoder.set_progressive(progressive);
    encoder.encode(bytes, width, height, color).unwrap();
    jpeg
}

fn jpeg_of(picture: &Picture, progressive: bool) -> Vec<u8> {
    let (width, height) = (
        picture.width_px.try_into().unwrap(),
        picture.height_px.try_into().unwrap(),
    );
    encode(&picture.rgb, width, height, ColorType::Rgb, progressive)
}

fn mean_difference(a: &Picture, b: &Picture) -> f64 {
    let sum: u64 = a
        .rgb
        .iter()
        .zip(&b.rgb)
        .map(|(a, b)| u64::from(a.abs_diff(*b)))
        .sum();
    sum as f64 / a.rgb.len() as f64
}

/// The text of the error that a file must give.
fn check_refused(bytes: &[u8], expected: &str) {
    let error = decode(bytes, &Limits::default()).expect_err("must be refused");
    assert!(
        error.to_string().contains(expected),
        "`{error}` does not say `{expected}`"
    );
}

#[test]
fn whole_pictures_of_any_size_come_back() {
    for (width, height) in [(1, 1), (17, 3), (8, 8), (333, 251), (641, 480)] {
        let picture = card::with_insects(width, height, &[]);
        for progressive in [false, true] {
            let jpeg = jpeg_of(&picture, progressive);
            assert_eq!(dimensions(&jpeg), Ok((width, height)));
            let back = decode(&jpeg, &Limits::default()).unwrap();
            assert_eq!((back.width_px, back.height_px), (width, height));
            let difference = mean_difference(&picture, &back);
            assert!(difference < 6.0, "{width} x {height}: {difference}");
        }
    }
}

#[test]
fn greyscale_becomes_three_equal_bytes() {
    let grey: Vec<u8> = (0..40_u8 * 6).collect();
    let back = decode(
        &encode(&grey, 20, 12, ColorType::Luma, false),
        &Limits::default(),
    )
    .unwrap();
    assert_eq!(back.rgb.len(), 20 * 12 * 3);
    assert!(
        back.rgb
            .chunks_exact(3)
            .all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2])
    );
    assert!(back.rgb.iter().max() > Some(&150));
}

#[test]
fn other_files_say_what_they_begin_with() {
    check_refused(
        b"The trap was cleaned on Tuesday.",
        "not a JPEG: the file begins with \"The trap was\"",
    );
    check_refused(
        b"\x89PNG\r\n\x1a\n0000",
        "not a JPEG: the file begins with 89 50 4e 47",
    );
    check_refused(&[0; 4096], "not a JPEG: the file begins with 00 00 00");
    check_refused(b"", "cut off: it ends after 0 bytes before its first byte");
    check_refused(b"\xFF\xD8", "cut off: it ends after 2 bytes in its header");
    check_refused(
        b"\xFF\xD8\xFF\xD9",
        "damaged: it ends before any picture data",
    );
    check_refused(b"\xFF\xD8hello", "damaged: no segment begins at byte 2");
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let picture = card::with_insects(160, 120, &[(80, 60)]);
    for progressive in [false, true] {
        let jpeg = jpeg_of(&picture, progressive);
        for end in 0..jpeg.len() {
            let error = decode(&jpeg[..end], &Limits::default());
            let is_refused = matches!(
                error,
                Err(PictureError::Truncated { .. } | PictureError::NotAJpeg { .. })
            );
            assert!(is_refused, "cut at {end} of {}: {error:?}", jpeg.len());
        }
        let mut padded = jpeg.clone();
        padded.extend([0; 500]);
        assert!(
            decode(&padded, &Limits::default()).is_ok(),
            "cameras pad their files"
        );
    }
}

#[test]
fn a_file_with_a_foreign_piece_in_its_middle_is_refused() {
    let picture = card::with_insects(320, 240, &[(80, 60), (200, 100)]);
    for progressive in [false, true] {
        let mut torn = jpeg_of(&picture, progressive);
        let middle = torn.len() / 2;
        torn[middle..middle + 8].copy_from_slice(b"\xFF\xC0trap-1");
        assert!(matches!(
            decode(&torn, &Limits::default()),
            Err(PictureError::Damaged { .. })
        ));
    }
}

#[test]
fn a_hundred_megapixels_are_refused_by_the_header() {
    // The header of a small picture, made to promise 11000 x 10000 pixels; there is no data for them.
    let mut jpeg = jpeg_of(&card::with_insects(16, 16, &[]), false);
    let frame = jpeg
        .windows(2)
        .position(|pair| pair == [0xFF, 0xC0])
        .unwrap();
    jpeg[frame + 5..frame + 7].copy_from_slice(&10_000_u16.to_be_bytes());
    jpeg[frame + 7..frame + 9].copy_from_slice(&11_000_u16.to_be_bytes());
    assert_eq!(dimensions(&jpeg), Ok((11_000, 10_000)));
    let too_large = PictureError::TooLarge {
        width_px: 11_000,
        height_px: 10_000,
        pixels_max: 64_000_000,
    };
    assert_eq!(decode(&jpeg, &Limits::default()), Err(too_large));
    check_refused(
        &jpeg,
        "11000 x 10000 pixels, more than the limit of 64000000",
    );
    let small = Limits { pixels_max: 255 };
    let sixteen = jpeg_of(&card::with_insects(16, 16, &[]), false);
    assert!(matches!(
        decode(&sixteen, &small),
        Err(PictureError::TooLarge { .. })
    ));
    assert!(decode(&sixteen, &Limits { pixels_max: 256 }).is_ok());
}

proptest! {
    #[test]
    fn no_bytes_make_the_decoder_panic(mut noise in proptest::collection::vec(any::<u8>(), 0..400), at in 0_usize..900) {
        let _ = decode(&noise, &Limits::default()).is_ok();
        let mut jpeg = jpeg_of(&card::with_insects(48, 32, &[]), false);
        let at = at.min(jpeg.len());
        noise.truncate(40);
        let end = (at + noise.len()).min(jpeg.len());
        jpeg[at..end].copy_from_slice(&noise[..end - at]);
        if let Ok(picture) = decode(&jpeg, &Limits { pixels_max: 1_000_000 }) {
            let (width, height) = (picture.width_px as usize, picture.height_px as usize);
            prop_assert_eq!(picture.rgb.len(), width * height * 3);
        }
    }
}
