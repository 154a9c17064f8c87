//! A Raspberry Pi camera at the ribbon cable, through `rpicam-still`.
//!
//! Today's Raspberry Pi OS gives these cameras only through libcamera, so the
//! system's own program takes the picture, as a child with a deadline: a
//! driver that hangs is killed with its process and the next shot starts
//! afresh. JPEG and metadata come over the child's standard output; nothing is
//! written beside the ledger.

use super::child::{self, ChildFailure, Said};
use super::jpeg_span::jpeg_span;
use crate::camera::{Camera, Frame, FrameSource, ShotFacts, ShotSettings};
use crate::error::{DeviceError, FaultKind};
use crate::optics::{Focus, Optics, Region, White};
use serde::Deserialize;
use std::ffi::OsString;
use std::process::Command;

const DEVICE: &str = "camera";
/// A picture larger than this is no picture of a camera.
const JPEG_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The deadline of a shot that names none.
const DEADLINE_MS: u64 = 30_000;
/// An exposure that is further from the wish than this part of it was not taken.
const EXPOSURE_SLACK: f64 = 0.1;

/// What does not change from shot to shot.
#[derive(Debug, Clone, PartialEq)]
pub struct CsiSettings {
    /// The program, normally `rpicam-still`.
    pub program: OsString,
    /// Width and height in pixels; `None` is the sensor's full resolution.
    pub size_px: Option<(u32, u32)>,
    /// Exposure, gain, focus and white.
    pub optics: Optics,
    /// The part of the field that is kept.
    pub region: Option<Region>,
    /// Milliseconds that exposure and white balance get to settle.
    pub settle_ms: u64,
    /// JPEG quality, 1 to 100.
    pub quality_percent: u8,
}

impl Default for CsiSettings {
    fn default() -> Self {
        Self {
            program: "rpicam-still".into(),
            size_px: None,
            optics: Optics::default(),
            region: None,
            settle_ms: 1_000,
            quality_percent: 93,
        }
    }
}

/// A camera behind `rpicam-still`.
#[derive(Debug)]
pub struct CsiCamera {
    settings: CsiSettings,
    remarks: Vec<String>,
}

impl CsiCamera {
    /// A camera that is looked for at each shot, so that it may be plugged in later.
    #[must_use]
    pub fn new(settings: CsiSettings) -> Self {
        Self {
            settings,
            remarks: Vec::new(),
        }
    }

    fn command(&self) -> Command {
        let settings = &self.settings;
        let mut command = Command::new(&settings.program);
        command.args(["--nopreview", "--encoding", "jpg", "--output", "-"]);
        command.args(["--metadata", "-", "--metadata-format", "json"]);
        let mut option = |name: &str, value: String| {
            command.arg(name).arg(value);
        };
        // 0 means for ever.
        option("--timeout", settings.settle_ms.max(1).to_string());
        option("--quality", settings.quality_percent.to_string());
        if let Some((width_px, height_px)) = settings.size_px {
            option("--width", width_px.to_string());
            option("--height", height_px.to_string());
        }
        if let Some(part) = settings.region {
            let Region {
                left,
                top,
                width,
                height,
            } = part;
            option("--roi", format!("{left},{top},{width},{height}"));
        }
        let optics = &settings.optics;
        if let Some(exposure_us) = optics.exposure_us {
            option("--shutter", exposure_us.to_string());
        }
        if let Some(gain) = optics.gain {
            option("--gain", gain.to_string());
        }
        // Left to itself a lens with a motor focuses all the time.
        if let Focus::At(dioptres) = optics.focus {
            option("--autofocus-mode", "manual".to_owned());
            option("--lens-position", dioptres.to_string());
        }
        match optics.white {
            White::Auto | White::Kelvin(_) => option("--awb", "auto".to_owned()),
            White::Under(light) => option("--awb", light.word().to_owned()),
            White::Gains { red, blue } => option("--awbgains", format!("{red},{blue}")),
        }
        command
    }

    /// What the camera did not do as it was told.
    fn compare(&self, facts: &ShotFacts) -> Vec<String> {
        let mut remarks = Vec::new();
        let optics = &self.settings.optics;
        if let Some((wanted_us, is_us)) = optics.exposure_us.zip(facts.exposure_us) {
            let slack_us = f64::from(wanted_us) * EXPOSURE_SLACK;
            if u64::from(wanted_us).abs_diff(is_us) > rounded_up(slack_us) {
                remarks.push(format!(
                    "it exposed for {is_us} µs instead of {wanted_us} µs"
                ));
            }
        }
        if matches!(optics.focus, Focus::At(_)) && facts.lens_dioptres.is_none() {
            remarks.push("its lens has no motor, so `camera.focus` does nothing".to_owned());
        }
        if matches!(optics.white, White::Kelvin(_)) {
            remarks.push("it knows no kelvin, so its white balance is automatic".to_owned());
        }
        remarks
    }
}

impl Camera for CsiCamera {
    fn shoot(&mut self, settings: &ShotSettings) -> Result<Frame, DeviceError> {
        let deadline_ms = match settings.deadline_ms {
            0 => DEADLINE_MS,
            asked => asked,
        };
        let program = self.settings.program.display().to_string();
        let said = child::run(&mut self.command(), deadline_ms, JPEG_BYTES_MAX)
            .map_err(|failure| failed(&program, failure, deadline_ms))?;
        let Said { bytes, complaint } = said;
        let (jpeg, rest) = apart(bytes).map_err(|bytes| {
            let message = format!("`{program}` gave {bytes} bytes that are no whole JPEG");
            fault(FaultKind::Transient, message)
        })?;
        let mut facts = facts_of(&rest);
        facts.sensor_model = sensor_in(&complaint);
        self.remarks = self.compare(&facts);
        let model = facts.sensor_model.clone();
        let source = FrameSource::Camera {
            model: model.unwrap_or_else(|| "rpicam".to_owned()),
        };
        Ok(Frame {
            jpeg,
            source,
            facts,
        })
    }

    fn remarks(&self) -> &[String] {
        &self.remarks
    }
}

/// The JPEG, and what else the program wrote; how much it was where there is no JPEG.
fn apart(mut bytes: Vec<u8>) -> Result<(Vec<u8>, Vec<u8>), usize> {
    let span = jpeg_span(&bytes).ok_or(bytes.len())?;
    let mut rest = bytes.split_off(span.end);
    let jpeg = bytes.split_off(span.start);
    rest.extend_from_slice(&bytes);
    Ok((jpeg, rest))
}

/// The metadata of libcamera, by its own names.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    exposure_time: Option<f64>,
    analogue_gain: Option<f64>,
    digital_gain: Option<f64>,
    lens_position: Option<f64>,
    colour_temperature: Option<f64>,
    sensor_temperature: Option<f64>,
}

/// What the metadata say; a picture without them is a picture all the same.
fn facts_of(text: &[u8]) -> ShotFacts {
    let Metadata {
        exposure_time,
        analogue_gain,
        digital_gain,
        lens_position,
        colour_temperature,
        sensor_temperature,
    } = serde_json::from_slice(text).unwrap_or_default();
    ShotFacts {
        exposure_us: exposure_time.map(rounded_up),
        gain: analogue_gain.map(|gain| gain * digital_gain.unwrap_or(1.0)),
        lens_dioptres: lens_position,
        white_balance_k: colour_temperature.and_then(|kelvin| rounded_up(kelvin).try_into().ok()),
        sensor_c: sensor_temperature,
        sensor_model: None,
    }
}

fn rounded_up(number: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of a float ends at the limits, which is what is wanted"
    )]
    let whole = number.ceil() as u64;
    whole
}

/// The sensor in a path of the device tree, as in `/base/soc/i2c0mux/i2c@1/imx708@1a`.
fn sensor_in(words: &str) -> Option<String> {
    let paths = words
        .split_whitespace()
        .filter(|word| word.contains("/i2c@"));
    let mut names = paths.filter_map(|path| path.rsplit('/').next()?.split_once('@'));
    names.next().map(|(name, _)| name.to_owned())
}

fn failed(program: &str, failure: ChildFailure, deadline_ms: u64) -> DeviceError {
    match failure {
        ChildFailure::NotInstalled => fault(
            FaultKind::Absent,
            format!("`{program}` is not installed; on Raspberry Pi OS: apt install rpicam-apps"),
        ),
        ChildFailure::TooLate => fault(
            FaultKind::Transient,
            format!("`{program}` gave no picture within {deadline_ms} ms and was stopped"),
        ),
        ChildFailure::Failed(words) => {
            fault(kind_of(&words), format!("`{program}` ended with {words}"))
        }
        ChildFailure::Lost(error) => {
            fault(FaultKind::Transient, format!("`{program}` was lost")).caused_by(error)
        }
    }
}

/// What the words of rpicam-apps mean for the next try.
fn kind_of(complaint: &str) -> FaultKind {
    if complaint.contains("no cameras available") {
        FaultKind::Absent
    } else if complaint.contains("in use") || complaint.contains("failed to acquire") {
        FaultKind::Busy
    } else {
        FaultKind::Transient
    }
}

fn fault(kind: FaultKind, message: String) -> DeviceError {
    DeviceError::new(DEVICE, kind, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optics::Light;
    use std::path::Path;

    /// A camera of a program of `tests/rpicam`; they lie there ready, because a file that a
    /// test writes cannot be executed while another test's child still holds it open.
    fn camera(program: &str, optics: Optics) -> CsiCamera {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rpicam");
        CsiCamera::new(CsiSettings {
            program: folder.join(program).into(),
            optics,
            ..CsiSettings::default()
        })
    }

    fn shoot(camera: &mut CsiCamera, deadline_ms: u64) -> Result<Frame, DeviceError> {
        camera.shoot(&ShotSettings {
            deadline_ms,
            ..ShotSettings::default()
        })
    }

    fn shoot_with(program: &str, deadline_ms: u64) -> Result<Frame, DeviceError> {
        shoot(&mut camera(program, Optics::default()), deadline_ms)
    }

    #[test]
    fn the_picture_comes_with_how_it_was_taken() {
        let frame = shoot_with("gives-picture", 20_000).unwrap();
        assert!(
            frame.jpeg.ends_with(b"picture\xff\xd9"),
            "nothing behind its end"
        );
        let facts = ShotFacts {
            exposure_us: Some(9_998),
            gain: Some(3.0),
            lens_dioptres: Some(1.5),
            white_balance_k: Some(4_200),
            sensor_c: Some(23.0),
            sensor_model: Some("imx708".to_owned()),
        };
        assert_eq!(frame.facts, facts);
        let model = "imx708".to_owned();
        assert_eq!(frame.source, FrameSource::Camera { model });
    }

    #[test]
    fn the_program_is_told_how_to_look() {
        let optics = Optics {
            exposure_us: Some(8_000),
            gain: Some(2.5),
            focus: Focus::At(4.5),
            white: White::Under(Light::Daylight),
        };
        let mut camera = camera("says-how", optics);
        camera.settings.size_px = Some((2_304, 1_296));
        camera.settings.region = Some("0.25,0.25,0.5,0.5".parse().unwrap());
        let error = shoot(&mut camera, 20_000).unwrap_err();
        let told = "--timeout 1000 --quality 93 --width 2304 --height 1296 --roi 0.25,0.25,0.5,0.5 \
                    --shutter 8000 --gain 2.5 --autofocus-mode manual --lens-position 4.5 \
                    --awb daylight";
        assert!(error.message.ends_with(told), "{error}");
    }

    #[test]
    fn what_the_camera_did_not_do_is_said() {
        let optics = Optics {
            exposure_us: Some(50_000),
            focus: Focus::At(1.5),
            ..Optics::default()
        };
        let mut camera = camera("gives-picture", optics);
        shoot(&mut camera, 20_000).unwrap();
        let remarks = ["it exposed for 9998 µs instead of 50000 µs"];
        assert_eq!(camera.remarks(), remarks);
        let fixed = camera.compare(&ShotFacts::default());
        assert!(fixed[0].contains("no motor"), "{fixed:?}");
    }

    #[test]
    fn a_picture_without_metadata_is_a_picture() {
        assert_eq!(facts_of(b"warming up"), ShotFacts::default());
        assert_eq!(facts_of(b""), ShotFacts::default());
        assert_eq!(sensor_in("no camera /dev/media3"), None);
    }

    #[test]
    fn a_program_that_hangs_is_stopped_at_the_deadline() {
        let error = shoot_with("hangs", 1).unwrap_err();
        assert_eq!(error.kind, FaultKind::Transient);
        assert!(error.message.contains("within 1 ms"), "{error}");
    }

    #[test]
    fn no_camera_at_the_cable_is_absent_and_said_in_the_drivers_words() {
        let error = shoot_with("no-camera", 20_000).unwrap_err();
        assert_eq!(error.kind, FaultKind::Absent);
        assert!(error.message.contains("no cameras available"), "{error}");
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        let error = shoot_with("no-picture", 20_000).unwrap_err();
        assert!(error.message.contains("no whole JPEG"), "{error}");
    }

    #[test]
    fn a_missing_program_comes_with_the_remedy() {
        let error = shoot_with("not-installed", 20_000).unwrap_err();
        assert_eq!(error.kind, FaultKind::Absent);
        assert!(error.message.contains("apt install rpicam-apps"), "{error}");
    }
}
