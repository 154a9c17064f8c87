//! A Raspberry Pi camera at the ribbon cable, through `rpicam-still`.
//!
//! Today's Raspberry Pi OS gives these cameras only through libcamera, so the
//! system's own program takes the picture, as a child with a deadline: a
//! driver that hangs is killed with its process and the next shot starts
//! afresh. The JPEG comes over the child's standard output; nothing is
//! written beside the ledger.

use crate::camera::{Camera, Frame, FrameSource, ShotFacts, ShotSettings};
use crate::error::{DeviceError, FaultKind};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::time::{ClockId, clock_gettime};
use std::ffi::OsString;
use std::io::{ErrorKind, Read};
use std::os::fd::AsFd;
use std::process::{Child, Command, ExitStatus, Stdio};

const DEVICE: &str = "camera";
/// A picture larger than this is no picture of a camera.
const JPEG_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The deadline of a shot that names none.
const DEADLINE_MS: u64 = 30_000;
/// A driver that says more than this is not taking a picture.
const COMPLAINT_BYTES_MAX: usize = 1024 * 1024;

/// What does not change from shot to shot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsiSettings {
    /// The program, normally `rpicam-still`.
    pub program: OsString,
    /// Width and height in pixels; `None` is the sensor's full resolution.
    pub size_px: Option<(u32, u32)>,
    /// Milliseconds that exposure and white balance get to settle.
    pub settle_ms: u32,
    /// JPEG quality, 1 to 100.
    pub quality_percent: u8,
}

impl Default for CsiSettings {
    fn default() -> Self {
        Self {
            program: "rpicam-still".into(),
            size_px: None,
            settle_ms: 1_000,
            quality_percent: 93,
        }
    }
}

/// A camera behind `rpicam-still`.
#[derive(Debug)]
pub struct CsiCamera {
    settings: CsiSettings,
}

impl CsiCamera {
    /// A camera that is looked for at each shot, so that it may be plugged in later.
    #[must_use]
    pub fn new(settings: CsiSettings) -> Self {
        Self { settings }
    }

    fn command(&self) -> Command {
        let settings = &self.settings;
        let mut command = Command::new(&settings.program);
        command.args(["--nopreview", "--encoding", "jpg", "--output", "-"]);
        command.arg("--timeout").arg(settings.settle_ms.to_string());
        command
            .arg("--quality")
            .arg(settings.quality_percent.to_string());
        if let Some((width_px, height_px)) = settings.size_px {
            command.arg("--width").arg(width_px.to_string());
            command.arg("--height").arg(height_px.to_string());
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

impl Camera for CsiCamera {
    fn shoot(&mut self, settings: &ShotSettings) -> Result<Frame, DeviceError> {
        let deadline_ms = match settings.deadline_ms {
            0 => DEADLINE_MS,
            asked => asked,
        };
        let program = self.settings.program.display().to_string();
        let mut child = self
            .command()
            .spawn()
            .map_err(|e| cannot_start(&program, e))?;
        let ended = watch(&mut child, monotonic_ms().saturating_add(deadline_ms));
        // After a good end there is nothing left to kill.
        drop(child.kill());
        drop(child.wait());
        let Some(Output {
            status,
            jpeg,
            complaint,
        }) = ended?
        else {
            let message =
                format!("`{program}` gave no picture within {deadline_ms} ms and was stopped");
            return Err(fault(FaultKind::Transient, message));
        };
        if !status.success() {
            let message = format!("`{program}` ended with {status}: {complaint}");
            return Err(fault(kind_of(&complaint), message));
        }
        if !jpeg.starts_with(&[0xff, 0xd8, 0xff]) {
            let message = format!("`{program}` gave {} bytes that are no JPEG", jpeg.len());
            return Err(fault(FaultKind::Transient, message));
        }
        let source = FrameSource::Camera {
            model: "rpicam".to_owned(),
        };
        Ok(Frame {
            jpeg,
            source,
            facts: ShotFacts::default(),
        })
    }
}

struct Output {
    status: ExitStatus,
    jpeg: Vec<u8>,
    /// The last line that the child complained with.
    complaint: String,
}

/// Follows the child to its end; `None` when the deadline comes first.
fn watch(child: &mut Child, deadline_ms: u64) -> Result<Option<Output>, DeviceError> {
    let Some(jpeg) = read_until(child.stdout.take(), JPEG_BYTES_MAX, deadline_ms)? else {
        return Ok(None);
    };
    let Some(words) = read_until(child.stderr.take(), COMPLAINT_BYTES_MAX, deadline_ms)? else {
        return Ok(None);
    };
    let words = String::from_utf8_lossy(&words);
    let last = words
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty());
    let complaint = last.unwrap_or("it said nothing").to_owned();
    while monotonic_ms() < deadline_ms {
        let lost = |e| {
            fault(
                FaultKind::Transient,
                "the child process was lost".to_owned(),
            )
            .caused_by(e)
        };
        if let Some(status) = child.try_wait().map_err(lost)? {
            return Ok(Some(Output {
                status,
                jpeg,
                complaint,
            }));
        }
        // Waiting for nothing but time; a signal only makes the next look come earlier.
        poll(&mut [], Some(&timespec(5))).ok();
    }
    Ok(None)
}

/// Reads a pipe of the child until it closes; `None` when the deadline comes first.
fn read_until(
    pipe: Option<impl Read + AsFd>,
    bytes_max: usize,
    deadline_ms: u64,
) -> Result<Option<Vec<u8>>, DeviceError> {
    let lost = |why: &str| {
        fault(
            FaultKind::Transient,
            format!("the pipe from the camera program {why}"),
        )
    };
    let mut pipe = pipe.ok_or_else(|| lost("is not there"))?;
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let left_ms = deadline_ms.saturating_sub(monotonic_ms());
        if left_ms == 0 {
            return Ok(None);
        }
        match poll(
            &mut [PollFd::new(&pipe, PollFlags::IN)],
            Some(&timespec(left_ms)),
        ) {
            Ok(0) | Err(Errno::INTR) => continue,
            Ok(_) => {}
            Err(e) => return Err(lost("cannot be watched").caused_by(e)),
        }
        let count = pipe
            .read(&mut chunk)
            .map_err(|e| lost("broke").caused_by(e))?;
        match chunk.get(..count) {
            Some([]) | None => return Ok(Some(bytes)),
            Some(more) => bytes.extend_from_slice(more),
        }
        if bytes.len() > bytes_max {
            return Err(lost(&format!("gave more than {bytes_max} bytes")));
        }
    }
}

fn cannot_start(program: &str, error: std::io::Error) -> DeviceError {
    if error.kind() == ErrorKind::NotFound {
        let message =
            format!("`{program}` is not installed; on Raspberry Pi OS: apt install rpicam-apps");
        return fault(FaultKind::Absent, message);
    }
    fault(FaultKind::Transient, format!("cannot start `{program}`")).caused_by(error)
}

fn timespec(ms: u64) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(ms / 1000).unwrap_or(i64::MAX),
        tv_nsec: i64::try_from(ms % 1000 * 1_000_000).unwrap_or(0),
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

fn monotonic_ms() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let ms = now
        .tv_sec
        .saturating_mul(1000)
        .saturating_add(now.tv_nsec / 1_000_000);
    u64::try_from(ms).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// Shoots with a program of `tests/rpicam`; they lie there ready, because a file that a
    /// test writes cannot be executed while another test's child still holds it open.
    fn shoot(program: &str, deadline_ms: u64) -> Result<Frame, DeviceError> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rpicam");
        let program = folder.join(program).into();
        let mut camera = CsiCamera::new(CsiSettings {
            program,
            ..CsiSettings::default()
        });
        camera.shoot(&ShotSettings {
            deadline_ms,
            ..ShotSettings::default()
        })
    }

    #[test]
    fn the_picture_is_what_the_program_writes() {
        let frame = shoot("gives-picture", 20_000).unwrap();
        assert!(frame.jpeg.ends_with(b"picture"));
    }

    #[test]
    fn a_program_that_hangs_is_stopped_at_the_deadline() {
        let error = shoot("hangs", 1).unwrap_err();
        assert_eq!(error.kind, FaultKind::Transient);
        assert!(error.message.contains("within 1 ms"), "{error}");
    }

    #[test]
    fn no_camera_at_the_cable_is_absent_and_said_in_the_drivers_words() {
        let error = shoot("no-camera", 20_000).unwrap_err();
        assert_eq!(error.kind, FaultKind::Absent);
        assert!(error.message.contains("no cameras available"), "{error}");
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        let error = shoot("no-picture", 20_000).unwrap_err();
        assert!(error.message.contains("no JPEG"), "{error}");
    }

    #[test]
    fn a_missing_program_comes_with_the_remedy() {
        let error = shoot("not-installed", 20_000).unwrap_err();
        assert_eq!(error.kind, FaultKind::Absent);
        assert!(error.message.contains("apt install rpicam-apps"), "{error}");
    }
}
