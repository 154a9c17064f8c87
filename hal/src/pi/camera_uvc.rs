//! A camera at USB, or any other that the kernel serves as a video device.
//!
//! The pictures are taken by a process of their own for each shot:
//!
//! ```text
//!  trapline-agent run                      trapline-agent usb-shot {…}
//!    UvcCamera ── what is wanted, as an argument ──▶ hand: find, set, warm up, shoot
//!              ◀── one line of JSON, then the JPEG ──
//! ```
//!
//! A driver that hangs, hangs that process, which is killed at the deadline;
//! the kernel then closes the device, so the next shot begins afresh. In the
//! trap's own process such a device would stay open until its restart. Between
//! two shots the camera is closed and takes no power for a stream.

use super::child::{self, ChildFailure};
use crate::camera::{Camera, Frame, FrameSource, ShotFacts, ShotSettings};
use crate::error::{DeviceError, FaultKind};
use crate::optics::Optics;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::process::Command;

#[cfg(feature = "pi")]
mod controls;
#[cfg(feature = "pi")]
mod find;
#[cfg(feature = "pi")]
mod formats;
#[cfg(feature = "pi")]
mod hand;
#[cfg(feature = "pi")]
mod picture;

#[cfg(feature = "pi")]
pub use hand::run;

const DEVICE: &str = "camera";
/// A picture larger than this is no picture of a camera.
const JPEG_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The deadline of a shot that names none.
const DEADLINE_MS: u64 = 30_000;

/// What is wanted of a camera at USB.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UvcSettings {
    /// Which one: a path below `/dev/v4l`, `usb:046d:0825`, or the name that it gives itself.
    /// `None` is the only one, or the first at USB.
    pub device: Option<String>,
    /// Width and height in pixels; `None` is the largest picture that it gives.
    pub size_px: Option<(u32, u32)>,
    /// How pictures come from the camera.
    pub format: UvcFormat,
    /// Exposure, gain, focus and white.
    pub optics: Optics,
    /// Pictures that are thrown away first, while exposure and white settle.
    pub warm_up_frames: u32,
    /// JPEG quality of pictures that the camera does not compress itself, 1 to 100.
    pub quality_percent: u8,
}

impl Default for UvcSettings {
    fn default() -> Self {
        Self {
            device: None,
            size_px: None,
            format: UvcFormat::Any,
            optics: Optics::default(),
            warm_up_frames: 10,
            quality_percent: 93,
        }
    }
}

/// How pictures come from the camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum UvcFormat {
    /// As JPEG where there is a choice of that size.
    Any,
    /// As JPEG, which is kept as it comes.
    Mjpeg,
    /// Uncompressed, colour at half the width.
    Yuyv,
    /// Uncompressed, colour at half the width and height.
    Nv12,
}

/// What the process says before the JPEG.
#[derive(Debug, Serialize, Deserialize)]
enum Reply {
    /// The picture follows.
    Taken(Taken),
    /// There is none.
    Fault { kind: Kind, message: String },
}

/// How the picture was taken.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Taken {
    model: String,
    exposure_us: Option<u64>,
    white_balance_k: Option<u32>,
    remarks: Vec<String>,
}

/// A [`FaultKind`] between two processes.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum Kind {
    Absent,
    Busy,
    Transient,
    Broken,
}

/// A camera behind a process of its own.
#[derive(Debug)]
pub struct UvcCamera {
    program: OsString,
    args: Vec<OsString>,
    settings: String,
    remarks: Vec<String>,
}

impl UvcCamera {
    /// A camera whose pictures are taken by `program` with `args` and then the settings. It is
    /// looked for at each shot, so that it may be plugged in later.
    ///
    /// # Errors
    /// [`DeviceError`] when the settings cannot be told to another process.
    pub fn new(
        program: OsString,
        args: Vec<OsString>,
        settings: &UvcSettings,
    ) -> Result<Self, DeviceError> {
        let told = serde_json::to_string(settings).map_err(|e| {
            let message = "its settings cannot be told to another process".to_owned();
            fault(FaultKind::Broken, message).caused_by(e)
        })?;
        Ok(Self {
            program,
            args,
            settings: told,
            remarks: Vec::new(),
        })
    }
}

impl Camera for UvcCamera {
    fn shoot(&mut self, settings: &ShotSettings) -> Result<Frame, DeviceError> {
        let deadline_ms = match settings.deadline_ms {
            0 => DEADLINE_MS,
            asked => asked,
        };
        let mut command = Command::new(&self.program);
        command.args(&self.args).arg(&self.settings);
        let said = child::run(&mut command, deadline_ms, JPEG_BYTES_MAX)
            .map_err(|failure| self.failed(failure, deadline_ms))?;
        let (frame, remarks) = taken(said.bytes)?;
        self.remarks = remarks;
        Ok(frame)
    }

    fn remarks(&self) -> &[String] {
        &self.remarks
    }
}

impl UvcCamera {
    fn failed(&self, failure: ChildFailure, deadline_ms: u64) -> DeviceError {
        let program = self.program.display();
        match failure {
            ChildFailure::NotInstalled => fault(
                FaultKind::Broken,
                format!("`{program}`, which takes its pictures, is gone"),
            ),
            ChildFailure::TooLate => fault(
                FaultKind::Transient,
                format!("it gave no picture within {deadline_ms} ms and was let go"),
            ),
            ChildFailure::Failed(words) => fault(
                FaultKind::Transient,
                format!("the process that takes its pictures ended with {words}"),
            ),
            ChildFailure::Lost(error) => fault(
                FaultKind::Transient,
                "the process that takes its pictures was lost".to_owned(),
            )
            .caused_by(error),
        }
    }
}

/// Takes apart what the process said: the picture, and what the camera did not do as told.
fn taken(mut bytes: Vec<u8>) -> Result<(Frame, Vec<String>), DeviceError> {
    let unclear = || {
        let message = "the process that takes its pictures said nothing that is known";
        fault(FaultKind::Broken, message.to_owned())
    };
    let line = bytes.iter().position(|byte| *byte == b'\n');
    let line = line.ok_or_else(unclear)?;
    let jpeg = bytes.split_off(line + 1);
    let reply = serde_json::from_slice(&bytes).map_err(|e| unclear().caused_by(e))?;
    let taken = match reply {
        Reply::Taken(taken) => taken,
        Reply::Fault { kind, message } => return Err(fault(kind.into(), message)),
    };
    if !jpeg.starts_with(&[0xff, 0xd8, 0xff]) {
        let message = format!("it gave {} bytes that are no JPEG", jpeg.len());
        return Err(fault(FaultKind::Transient, message));
    }
    let facts = ShotFacts {
        exposure_us: taken.exposure_us,
        white_balance_k: taken.white_balance_k,
        ..ShotFacts::default()
    };
    let source = FrameSource::Camera { model: taken.model };
    let frame = Frame {
        jpeg,
        source,
        facts,
    };
    Ok((frame, taken.remarks))
}

fn fault(kind: FaultKind, message: String) -> DeviceError {
    DeviceError::new(DEVICE, kind, message)
}

impl From<Kind> for FaultKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Absent => Self::Absent,
            Kind::Busy => Self::Busy,
            Kind::Transient => Self::Transient,
            Kind::Broken => Self::Broken,
        }
    }
}

impl From<FaultKind> for Kind {
    fn from(kind: FaultKind) -> Self {
        match kind {
            FaultKind::Absent => Self::Absent,
            FaultKind::Busy => Self::Busy,
            FaultKind::Transient => Self::Transient,
            FaultKind::Broken => Self::Broken,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A camera whose process is a few lines of shell; the settings are `$0`.
    fn camera(script: &str) -> UvcCamera {
        let args = vec!["-c".into(), script.into()];
        UvcCamera::new("sh".into(), args, &UvcSettings::default()).unwrap()
    }

    fn shoot(camera: &mut UvcCamera, deadline_ms: u64) -> Result<Frame, DeviceError> {
        camera.shoot(&ShotSettings {
            deadline_ms,
            ..ShotSettings::default()
        })
    }

    #[test]
    fn the_picture_comes_with_how_it_was_taken() {
        let script = r#"printf '{"Taken":{"model":"C920","exposure_us":5000,"white_balance_k":null,
            "remarks":["its focus is fixed"]}}' | tr -d '\n'; printf '\n\377\330\377\340picture'"#;
        let mut camera = camera(script);
        let frame = shoot(&mut camera, 20_000).unwrap();
        assert!(frame.jpeg.ends_with(b"picture"));
        assert_eq!(frame.facts.exposure_us, Some(5_000));
        let model = "C920".to_owned();
        assert_eq!(frame.source, FrameSource::Camera { model });
        assert_eq!(camera.remarks(), ["its focus is fixed"]);
    }

    #[test]
    fn what_is_wanted_reaches_the_other_process() {
        let mut camera = camera(r#"echo "$0" >&2; exit 1"#);
        let error = shoot(&mut camera, 20_000).unwrap_err();
        let (_, told) = error.message.split_once("1: ").unwrap();
        let settings: UvcSettings = serde_json::from_str(told).unwrap();
        assert_eq!(settings, UvcSettings::default());
    }

    #[test]
    fn a_fault_there_is_one_here() {
        let script = r#"echo '{"Fault":{"kind":"Absent","message":"no camera at USB"}}'"#;
        let error = shoot(&mut camera(script), 20_000).unwrap_err();
        assert_eq!(error.kind, FaultKind::Absent);
        assert_eq!(error.to_string(), "camera: no camera at USB");
    }

    #[test]
    fn a_driver_that_hangs_is_let_go_at_the_deadline() {
        let error = shoot(&mut camera("exec sleep 1000"), 1).unwrap_err();
        assert_eq!(error.kind, FaultKind::Transient);
        assert!(error.message.contains("within 1 ms"), "{error}");
    }

    #[test]
    fn what_is_neither_picture_nor_fault_is_refused() {
        let error = shoot(&mut camera("echo hello"), 20_000).unwrap_err();
        assert!(error.message.contains("nothing that is known"), "{error}");
    }
}
