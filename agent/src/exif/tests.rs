//! Notes as another reader sees them, and files that are no good JPEG.

use super::*;
use ::exif::{Exif, In, Reader, Tag};
use proptest::prelude::*;
use trapline_wire::LedgerId;

const PLACE: Place = Place {
    latitude: -33.856_784,
    longitude: 151.215_3,
};

fn stamp(quality: ClockQuality) -> Stamp {
    Stamp {
        unix_ms: 1_782_000_000_045,
        quality,
        boot_id: "8f14e45f".to_owned(),
        uptime_ms: 86_400_123,
    }
}

fn camera() -> CaptureSource {
    CaptureSource::Camera {
        model: "HD Cam é".to_owned(),
    }
}

fn shot() -> ShotFacts {
    ShotFacts {
        exposure_us: Some(8_333),
        gain: Some(2.25),
        sensor_model: Some("imx708".to_owned()),
        ..ShotFacts::default()
    }
}

fn noted_as(jpeg: &[u8], source: &CaptureSource, stamp: &Stamp, place: Option<Place>) -> Vec<u8> {
    let note = Note {
        capture: CaptureId::new(LedgerId(0x7f3a_9c21), 42),
        stamp,
        source,
        cause: ShotCause::Trigger,
        shot: &shot(),
        place,
    };
    noted(jpeg.to_vec(), &note)
}

fn jpeg() -> Vec<u8> {
    let mut jpeg = Vec::new();
    jpeg_encoder::Encoder::new(&mut jpeg, 80)
        .encode(&[90; 64 * 48], 64, 48, jpeg_encoder::ColorType::Luma)
        .unwrap();
    jpeg
}

/// A file as a camera makes it: with a block of its own, in either order of bytes.
fn of_camera(is_little: bool) -> Vec<u8> {
    let mut block = Block::empty();
    if !is_little {
        block = Block::read(b"MM\0*\0\0\0\0").unwrap();
    }
    let mut exif = Directory::default();
    exif.set(&mut block, 0x9003, &Value::Text("1970:01:01 00:00:09"));
    exif.set(&mut block, 0x9004, &Value::Text("1970:01:01 00:00:09"));
    exif.set(&mut block, 0x927C, &Value::Bytes(b"notes of the maker"));
    exif.set(&mut block, 0x829A, &Value::Rationals(&[(1, 120)]));
    let exif_at = block.append(&exif, 0).unwrap();
    let mut first = Directory::default();
    first.set(&mut block, 0x0110, &Value::Text("Camera Two"));
    first.set(&mut block, 0x0132, &Value::Text("1970:01:01 00:00:09"));
    first.set(&mut block, 0x010F, &Value::Text("Its Maker"));
    first.set(&mut block, 0x8769, &Value::Offset(exif_at));
    let at = block.append(&first, 0).unwrap();
    block.begin_at(at);
    with_exif(&jpeg(), |there| {
        *there = block;
        Some(())
    })
    .unwrap()
}

fn read(jpeg: &[u8]) -> Exif {
    Reader::new()
        .read_from_container(&mut std::io::Cursor::new(jpeg))
        .unwrap()
}

fn text(exif: &Exif, tag: Tag) -> Option<String> {
    let field = exif.get_field(tag, In::PRIMARY)?;
    if let ::exif::Value::Ascii(parts) = &field.value {
        return Some(String::from_utf8(parts.first()?.clone()).unwrap());
    }
    if let ::exif::Value::Undefined(bytes, _) = &field.value {
        return Some(String::from_utf8_lossy(bytes).into_owned());
    }
    Some(field.display_value().to_string())
}

/// What is left of the file when its Exif segment is taken out.
fn bare(jpeg: &[u8]) -> Vec<u8> {
    let at = jpeg
        .windows(10)
        .position(|bytes| bytes.starts_with(&[0xFF, 0xE1]) && bytes.ends_with(b"Exif\0\0"))
        .unwrap();
    let length = u16::from_be_bytes(jpeg[at + 2..at + 4].try_into().unwrap());
    [&jpeg[..at], &jpeg[at + 2 + usize::from(length)..]].concat()
}

#[test]
fn a_picture_says_when_where_and_what_it_is() {
    let plain = jpeg();
    let noted = noted_as(&plain, &camera(), &stamp(ClockQuality::Synced), Some(PLACE));
    assert_eq!(bare(&noted), plain);
    let exif = read(&noted);
    let said = |tag| text(&exif, tag).unwrap();
    assert_eq!(said(Tag::DateTimeOriginal), "2026:06:21 00:00:00");
    assert_eq!(said(Tag::SubSecTimeOriginal), "045");
    assert_eq!(said(Tag::OffsetTimeOriginal), "+00:00");
    assert_eq!(said(Tag::ImageUniqueID), "7f3a9c21-00000042");
    assert_eq!(said(Tag::Model), "HD Cam ??");
    assert_eq!(said(Tag::ExposureTime), "1/120.00480019200768");
    assert_eq!(said(Tag::GPSLatitudeRef), "S");
    assert_eq!(said(Tag::GPSLatitude), "33 deg 51 min 24.422 sec");
    assert_eq!(said(Tag::GPSLongitude), "151 deg 12 min 55.08 sec");
    let comment = said(Tag::UserComment);
    for part in [
        "ASCII\0\0\0Trapline capture 7f3a9c21-00000042",
        "trigger",
        "gain 2.25",
        "imx708",
    ] {
        assert!(comment.contains(part), "{comment}");
    }
}

#[test]
fn a_clock_that_was_never_set_dates_no_picture() {
    for plain in [jpeg(), of_camera(true), of_camera(false)] {
        let noted = noted_as(&plain, &camera(), &stamp(ClockQuality::Unset), None);
        let exif = read(&noted);
        for tag in [
            Tag::DateTimeOriginal,
            Tag::DateTime,
            Tag::DateTimeDigitized,
            Tag::GPSLatitude,
        ] {
            assert_eq!(text(&exif, tag), None, "{tag}");
        }
        let comment = text(&exif, Tag::UserComment).unwrap();
        assert!(
            comment.contains("never set; taken 86400.123 s after boot 8f14e45f"),
            "{comment}"
        );
    }
}

#[test]
fn what_a_camera_wrote_stays() {
    for is_little in [true, false] {
        let theirs = of_camera(is_little);
        let noted = noted_as(&theirs, &camera(), &stamp(ClockQuality::Rtc), Some(PLACE));
        assert_eq!(bare(&noted), bare(&theirs));
        let exif = read(&noted);
        assert_eq!(exif.little_endian(), is_little);
        let said = |tag| text(&exif, tag).unwrap();
        assert_eq!(said(Tag::Make), "Its Maker");
        assert_eq!(said(Tag::Model), "Camera Two");
        assert_eq!(said(Tag::MakerNote), "notes of the maker");
        assert_eq!(said(Tag::ExposureTime), "1/120");
        assert_eq!(said(Tag::DateTimeOriginal), "2026:06:21 00:00:00");
        assert_eq!(text(&exif, Tag::DateTimeDigitized), None);
    }
}

#[test]
fn a_file_of_somebody_else_is_not_touched() {
    let plain = jpeg();
    for source in [
        CaptureSource::Simulated,
        CaptureSource::Replayed {
            file_name: "card.jpg".to_owned(),
        },
    ] {
        assert_eq!(
            noted_as(&plain, &source, &stamp(ClockQuality::Synced), Some(PLACE)),
            plain
        );
    }
}

#[test]
fn what_is_no_whole_jpeg_is_kept_as_it_came() {
    let same = |bytes: &[u8]| {
        let noted = noted_as(bytes, &camera(), &stamp(ClockQuality::Synced), None);
        assert!(
            noted == bytes,
            "{} bytes became {}",
            bytes.len(),
            noted.len()
        );
    };
    let plain = jpeg();
    let scan = plain
        .windows(2)
        .position(|pair| pair == [0xFF, 0xDA])
        .unwrap();
    for length in 0..=scan {
        same(&plain[..length]);
    }
    same(b"not a picture");
    let segment = |payload: &[u8]| {
        let length = u16::try_from(payload.len() + 2).unwrap().to_be_bytes();
        [&plain[..2], &[0xFF, 0xE1], &length, payload, &plain[2..]].concat()
    };
    // A block with no room left, one that is none, and one whose directories lie outside.
    let full = [&b"Exif\0\0II*\0\0\0\0\0"[..], &[0; 65_500]].concat();
    same(&segment(&full));
    same(&segment(b"Exif\0\0nothing that anybody knows"));
    same(&segment(b"Exif\0\0II*\0\xF0\xFF\xFF\xFF"));
    same(&segment(b"Exif\0\0II*\0\x08\0\0\0\xFF\xFF"));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_or_lose_the_image(
        cuts in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..20),
        is_little in any::<bool>(),
    ) {
        let mut bytes = of_camera(is_little);
        let header = bytes.len().min(400);
        for (place, byte) in cuts {
            let place = place.index(header);
            bytes[place] = byte;
        }
        let noted = noted_as(&bytes, &camera(), &stamp(ClockQuality::Synced), Some(PLACE));
        prop_assert!(noted.len() >= bytes.len());
        prop_assert!(noted.ends_with(&bytes[bytes.len() - 40..]));
    }
}
