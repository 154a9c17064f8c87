//! Writes into a picture file what the trap knows of it, where every viewer and
//! archive looks: an Exif block with the time, the place, the camera and the
//! capture's name. So a picture that is found alone on a disk in ten years still
//! says what it is.
//!
//! The image itself stays byte for byte as the camera gave it: one segment before
//! it is added, or the camera's own is extended. What the camera wrote there
//! stays, but for its dates, which come from the same clock and know less of it.
//! A file in which no such segment can be placed is left as it came.

use crate::config::place::Place;
use jiff::tz::{Offset, TimeZone};
use segment::with_exif;
use tiff::{Block, Directory, Value};
use trapline_wire::CaptureId;
use trapline_wire::v1::{CaptureSource, ClockQuality, ShotCause, ShotFacts, Stamp};

mod segment;
mod tiff;

/// What is to be said of a picture.
#[derive(Debug)]
pub struct Note<'a> {
    /// The name of its capture.
    pub capture: CaptureId,
    /// When it was taken.
    pub stamp: &'a Stamp,
    /// Where it comes from.
    pub source: &'a CaptureSource,
    /// Why it was taken.
    pub cause: ShotCause,
    /// How it was taken.
    pub shot: &'a ShotFacts,
    /// Where the trap stands, if its settings say so.
    pub place: Option<Place>,
}

/// The picture with the note in it, or as it came where that cannot be.
///
/// Only a camera's picture gets one: a replayed file is known to its owner by its
/// bytes, and a simulated picture to the simulation.
#[must_use]
pub fn noted(jpeg: Vec<u8>, note: &Note<'_>) -> Vec<u8> {
    let CaptureSource::Camera { model } = note.source else {
        return jpeg;
    };
    with_exif(&jpeg, |block| write(block, note, model)).unwrap_or(jpeg)
}

/// Tags by their numbers in Exif 2.32.
mod tag {
    pub(super) const MODEL: u16 = 0x0110;
    pub(super) const SOFTWARE: u16 = 0x0131;
    pub(super) const EXIF: u16 = 0x8769;
    pub(super) const GPS: u16 = 0x8825;
    pub(super) const EXPOSURE_TIME: u16 = 0x829A;
    pub(super) const EXIF_VERSION: u16 = 0x9000;
    pub(super) const DATE_TIME_ORIGINAL: u16 = 0x9003;
    pub(super) const OFFSET_TIME_ORIGINAL: u16 = 0x9011;
    pub(super) const USER_COMMENT: u16 = 0x9286;
    pub(super) const SUB_SEC_TIME_ORIGINAL: u16 = 0x9291;
    pub(super) const IMAGE_UNIQUE_ID: u16 = 0xA420;
    /// Dates that a camera may have written, in the first directory and in Exif's.
    pub(super) const DATES: &[u16] = &[
        0x0132, 0x9003, 0x9004, 0x9010, 0x9011, 0x9012, 0x9290, 0x9291, 0x9292,
    ];
}

fn write(block: &mut Block, note: &Note<'_>, model: &str) -> Option<()> {
    let mut first = block.first()?;
    let mut exif = match first.pointer(block, tag::EXIF) {
        Some(at) => block.directory(at)?,
        None => Directory::default(),
    };
    first.remove(tag::DATES);
    exif.remove(tag::DATES);
    if !model.is_empty() {
        first.add(block, tag::MODEL, &Value::Text(model));
    }
    let software = concat!("trapline-agent ", env!("CARGO_PKG_VERSION"));
    first.add(block, tag::SOFTWARE, &Value::Text(software));
    exif.add(block, tag::EXIF_VERSION, &Value::Bytes(b"0232"));
    if let Some(exposure_us) = note.shot.exposure_us.and_then(|us| u32::try_from(us).ok()) {
        let seconds = [(exposure_us, 1_000_000)];
        exif.add(block, tag::EXPOSURE_TIME, &Value::Rationals(&seconds));
    }
    if let Some((date, millis)) = date(note.stamp) {
        exif.set(block, tag::DATE_TIME_ORIGINAL, &Value::Text(&date));
        exif.set(block, tag::SUB_SEC_TIME_ORIGINAL, &Value::Text(&millis));
        exif.set(block, tag::OFFSET_TIME_ORIGINAL, &Value::Text("+00:00"));
    }
    let name = note.capture.to_string();
    exif.set(block, tag::IMAGE_UNIQUE_ID, &Value::Text(&name));
    let comment = [b"ASCII\0\0\0", comment(note).as_bytes()].concat();
    exif.set(block, tag::USER_COMMENT, &Value::Bytes(&comment));
    if let Some(place) = note.place {
        let gps = gps(block, place);
        let at = block.append(&gps, 0)?;
        first.set(block, tag::GPS, &Value::Offset(at));
    }
    let at = block.append(&exif, 0)?;
    first.set(block, tag::EXIF, &Value::Offset(at));
    let next = first.next();
    let at = block.append(&first, next)?;
    block.begin_at(at);
    Some(())
}

/// Date and time in UTC with the milliseconds apart; none of a clock that nothing ever set.
fn date(stamp: &Stamp) -> Option<(String, String)> {
    if stamp.quality == ClockQuality::Unset {
        return None;
    }
    let time = jiff::Timestamp::from_millisecond(stamp.unix_ms).ok()?;
    let utc = time.to_zoned(TimeZone::fixed(Offset::UTC));
    let text = utc.strftime("%Y:%m:%d %H:%M:%S").to_string();
    Some((text, format!("{:03}", stamp.unix_ms.rem_euclid(1000))))
}

/// What has no tag of its own, for people.
fn comment(note: &Note<'_>) -> String {
    let ShotFacts {
        exposure_us: _,
        gain,
        lens_dioptres,
        white_balance_k,
        sensor_c,
        sensor_model,
    } = note.shot;
    let mut parts = vec![
        format!("Trapline capture {}", note.capture),
        format!("taken because of: {}", note.cause.word()),
        match note.stamp.quality {
            ClockQuality::Unset => format!(
                "no date, because the clock of the trap was never set; taken {}.{:03} s after boot {}",
                note.stamp.uptime_ms / 1000,
                note.stamp.uptime_ms % 1000,
                note.stamp.boot_id
            ),
            ClockQuality::Restored => "clock: carried on, at least this late".to_owned(),
            ClockQuality::Rtc => "clock: battery-backed".to_owned(),
            ClockQuality::Synced => "clock: confirmed by the network or the server".to_owned(),
        },
    ];
    // No ISO: what a gain of 1 means in it is known for few sensors.
    let facts = [
        gain.map(|gain| format!("gain {gain}")),
        lens_dioptres.map(|dioptres| format!("lens at {dioptres} dioptres")),
        white_balance_k.map(|kelvin| format!("white balance {kelvin} K")),
        sensor_model.as_ref().map(|model| format!("sensor {model}")),
        sensor_c.map(|celsius| format!("sensor at {celsius} C")),
    ];
    parts.extend(facts.into_iter().flatten());
    parts
        .join("; ")
        .replace(|letter: char| !letter.is_ascii(), "?")
}

fn gps(block: &mut Block, place: Place) -> Directory {
    let mut gps = Directory::default();
    gps.set(block, 0x0000, &Value::Numbers(&[2, 3, 0, 0]));
    let reference = |degrees: f64, ahead, behind| if degrees < 0.0 { behind } else { ahead };
    let (north, east) = (place.latitude, place.longitude);
    gps.set(block, 0x0001, &Value::Text(reference(north, "N", "S")));
    gps.set(block, 0x0002, &Value::Rationals(&sexagesimal(north)));
    gps.set(block, 0x0003, &Value::Text(reference(east, "E", "W")));
    gps.set(block, 0x0004, &Value::Rationals(&sexagesimal(east)));
    gps.set(block, 0x0012, &Value::Text("WGS-84"));
    gps
}

/// Degrees, minutes and seconds to a thousandth, which is three centimetres.
fn sexagesimal(degrees: f64) -> [(u32, u32); 3] {
    // Checked by the settings: at most 180.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 648 million"
    )]
    let thousandths = (degrees.abs().min(180.0) * 3_600_000.0).round() as u32;
    let (whole, rest) = (thousandths / 3_600_000, thousandths % 3_600_000);
    [(whole, 1), (rest / 60_000, 1), (rest % 60_000, 1000)]
}

#[cfg(test)]
mod tests;
