//! The process that takes one picture of a camera at USB, through nokhwa.

use super::controls::{self, Offered, Plan};
use super::formats::{Way, choose};
use super::{DEVICE, Reply, Taken, UvcFormat, UvcSettings, fault, find, picture};
use crate::error::{DeviceError, FaultKind};
use nokhwa::utils::{
    ApiBackend, CameraControl, CameraFormat, CameraIndex, ControlValueDescription,
    ControlValueSetter, FrameFormat, KnownCameraControl, RequestedFormat, RequestedFormatType,
    Resolution,
};
use nokhwa::{Camera, NokhwaError};
use std::io::{self, Write};
use std::path::Path;

/// Torn pictures that are passed over before the shot is given up.
const TORN_MAX: u32 = 5;
/// Ways of giving pictures that are tried before the camera is given up.
const WAYS_MAX: usize = 12;
/// What we can make a JPEG of.
const FORMATS: [FrameFormat; 3] = [FrameFormat::MJPEG, FrameFormat::YUYV, FrameFormat::NV12];

/// Takes one picture as the settings say and writes it to standard output.
///
/// # Errors
/// [`DeviceError`] when nobody reads it; that there is no picture is said to the reader.
pub fn run(settings: &str) -> Result<(), DeviceError> {
    let (reply, jpeg) = match shoot(settings) {
        Ok((taken, jpeg)) => (Reply::Taken(taken), jpeg),
        Err(error) => (said(&error), Vec::new()),
    };
    let lost = |e: io::Error| {
        let message = "nobody reads the picture".to_owned();
        fault(FaultKind::Broken, message).caused_by(e)
    };
    let mut line = serde_json::to_vec(&reply).map_err(|e| lost(e.into()))?;
    line.push(b'\n');
    let mut stdout = io::stdout().lock();
    stdout.write_all(&line).map_err(lost)?;
    stdout.write_all(&jpeg).map_err(lost)?;
    stdout.flush().map_err(lost)
}

fn said(error: &DeviceError) -> Reply {
    let message = match &error.source {
        Some(source) => format!("{}: {source}", error.message),
        None => error.message.clone(),
    };
    Reply::Fault {
        kind: error.kind.into(),
        message,
    }
}

fn shoot(settings: &str) -> Result<(Taken, Vec<u8>), DeviceError> {
    let settings: UvcSettings = serde_json::from_str(settings).map_err(|e| {
        let message = "its settings are not understood".to_owned();
        fault(FaultKind::Broken, message).caused_by(e)
    })?;
    let number = find::find(Path::new(find::DEVICES), settings.device.as_deref())?;
    let mut camera = open(number)?;
    let model = camera.info().human_name();
    let mut remarks = Vec::new();
    let way = set_way(&mut camera, &settings, &mut remarks)?;
    let before = offered(&camera);
    let plan = controls::plan(&settings.optics, &before);
    set(&mut camera, &plan, &before);
    let cannot = |e| failed("gives no pictures", &e);
    camera.open_stream().map_err(cannot)?;
    for _ in 0..settings.warm_up_frames {
        camera.frame_raw().map_err(cannot)?;
    }
    let jpeg = first_whole(&mut camera, way, settings.quality_percent)?;
    let now = offered(&camera);
    remarks.extend(controls::not_taken(&plan, &now));
    remarks.extend(plan.remarks);
    let taken = Taken {
        model,
        exposure_us: controls::exposure_us(&now),
        white_balance_k: controls::white_k(&now),
        remarks,
    };
    Ok((taken, jpeg))
}

fn open(number: u32) -> Result<Camera, DeviceError> {
    let any = RequestedFormat::with_formats(RequestedFormatType::None, &FORMATS);
    Camera::with_backend(CameraIndex::Index(number), any, ApiBackend::Video4Linux)
        .map_err(|e| not_opened(number, &e))
}

/// Nokhwa wants a format at once, so that a camera without one of ours cannot even be opened.
fn not_opened(number: u32, error: &NokhwaError) -> DeviceError {
    let is_formatless = matches!(
        error,
        NokhwaError::GetPropertyError { property, .. } if property == "CameraFormat"
    );
    if is_formatless {
        let message = format!(
            "it (/dev/video{number}) offers no pictures that are MJPEG, YUYV or NV12; if it did \
             before, unplug and replug it"
        );
        return fault(FaultKind::Transient, message);
    }
    failed(&format!("(/dev/video{number}) cannot be opened"), error)
}

/// Sets size and format, as near to the settings as the camera goes.
fn set_way(
    camera: &mut Camera,
    settings: &UvcSettings,
    remarks: &mut Vec<String>,
) -> Result<Way, DeviceError> {
    let listed = camera
        .compatible_camera_formats()
        .map_err(|e| failed("does not say what pictures it gives", &e))?;
    let mut offered: Vec<Way> = listed.into_iter().filter_map(way_of).collect();
    offered.extend(way_of(camera.camera_format()));
    let ways = choose(&offered, settings.size_px, settings.format);
    for way in ways.into_iter().take(WAYS_MAX) {
        let Some(format) = frame_format(way.format) else {
            continue;
        };
        let wanted = CameraFormat::new(
            Resolution::new(way.width_px, way.height_px),
            format,
            way.rate,
        );
        let formats = [format];
        let exactly = RequestedFormat::with_formats(RequestedFormatType::Exact(wanted), &formats);
        let is_set = camera.camera_format() == wanted || camera.set_camera_requset(exactly).is_ok();
        if !is_set {
            continue;
        }
        let size_px = (way.width_px, way.height_px);
        if let Some(wish) = settings.size_px.filter(|wish| *wish != size_px) {
            let remark = format!(
                "it gives no pictures of {} × {} pixels; these are {} × {}",
                wish.0, wish.1, size_px.0, size_px.1
            );
            remarks.push(remark);
        }
        return Ok(way);
    }
    let message = format!(
        "it gives no pictures in the wanted format {:?}; choose \"any\" as `camera.format`",
        settings.format
    );
    Err(fault(FaultKind::Broken, message))
}

fn first_whole(camera: &mut Camera, way: Way, quality_percent: u8) -> Result<Vec<u8>, DeviceError> {
    let mut why = String::new();
    for _ in 0..TORN_MAX {
        let given = camera
            .frame_raw()
            .map_err(|e| failed("stopped giving pictures", &e))?;
        match picture::jpeg(&given, way, quality_percent) {
            Ok(jpeg) => return Ok(jpeg),
            Err(torn) => why = torn,
        }
    }
    Err(fault(FaultKind::Transient, why))
}

fn offered(camera: &Camera) -> Vec<Offered> {
    let listed = camera.camera_controls().unwrap_or_default();
    listed.iter().filter_map(offer).collect()
}

fn offer(control: &CameraControl) -> Option<Offered> {
    let id = id_of(control.control())?;
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "our controls are numbers and switches, and others are none of ours"
    )]
    match *control.description() {
        ControlValueDescription::IntegerRange {
            min,
            max,
            value,
            default,
            ..
        } => Some(Offered {
            id,
            value,
            default,
            min,
            max,
            is_switch: false,
        }),
        ControlValueDescription::Boolean { value, default } => Some(Offered {
            id,
            value: i64::from(value),
            default: i64::from(default),
            min: 0,
            max: 1,
            is_switch: true,
        }),
        _ => None,
    }
}

/// Sets what is not as wanted yet; what did not take is seen when all is read back.
fn set(camera: &mut Camera, plan: &Plan, offered: &[Offered]) {
    for (id, value) in &plan.steps {
        let Some(control) = offered.iter().find(|control| control.id == *id) else {
            continue;
        };
        if control.value == *value {
            continue;
        }
        let setter = if control.is_switch {
            ControlValueSetter::Boolean(*value != 0)
        } else {
            ControlValueSetter::Integer(*value)
        };
        camera.set_camera_control(known(*id), setter).ok();
    }
}

/// Nokhwa has names for two of our controls and numbers for the others.
fn known(id: u32) -> KnownCameraControl {
    match id {
        controls::GAIN => KnownCameraControl::Gain,
        controls::WHITE_K => KnownCameraControl::WhiteBalance,
        other => KnownCameraControl::Other(u128::from(other)),
    }
}

fn id_of(control: KnownCameraControl) -> Option<u32> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "controls of other names are none of ours"
    )]
    match control {
        KnownCameraControl::Gain => Some(controls::GAIN),
        KnownCameraControl::WhiteBalance => Some(controls::WHITE_K),
        KnownCameraControl::Other(id) => u32::try_from(id).ok(),
        _ => None,
    }
}

fn way_of(format: CameraFormat) -> Option<Way> {
    let size = format.resolution();
    Some(Way {
        width_px: size.width(),
        height_px: size.height(),
        format: match format.format() {
            FrameFormat::MJPEG => UvcFormat::Mjpeg,
            FrameFormat::YUYV => UvcFormat::Yuyv,
            FrameFormat::NV12 => UvcFormat::Nv12,
            FrameFormat::GRAY | FrameFormat::RAWRGB | FrameFormat::RAWBGR => return None,
        },
        rate: format.frame_rate(),
    })
}

fn frame_format(format: UvcFormat) -> Option<FrameFormat> {
    match format {
        UvcFormat::Any => None,
        UvcFormat::Mjpeg => Some(FrameFormat::MJPEG),
        UvcFormat::Yuyv => Some(FrameFormat::YUYV),
        UvcFormat::Nv12 => Some(FrameFormat::NV12),
    }
}

/// Nokhwa gives the kernel's words, so that what kind it is can only be read from them.
fn failed(what: &str, error: &NokhwaError) -> DeviceError {
    let words = error.to_string();
    let kind = if words.contains("busy") {
        FaultKind::Busy
    } else if words.contains("No such") {
        FaultKind::Absent
    } else {
        FaultKind::Transient
    };
    DeviceError::new(DEVICE, kind, format!("it {what}: {words}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nokhwa_says_is_told_apart() {
        let busy = NokhwaError::OpenStreamError("Device or resource busy (os error 16)".to_owned());
        assert_eq!(failed("gives no pictures", &busy).kind, FaultKind::Busy);
        let gone = NokhwaError::ReadFrameError("No such device (os error 19)".to_owned());
        let error = failed("stopped giving pictures", &gone);
        assert_eq!(error.kind, FaultKind::Absent);
        assert!(
            error.message.starts_with("it stopped giving pictures: "),
            "{error}"
        );
    }

    #[test]
    fn a_camera_without_our_formats_is_told_with_them() {
        let error = NokhwaError::GetPropertyError {
            property: "CameraFormat".to_owned(),
            error: "Failed to Fufill".to_owned(),
        };
        let error = not_opened(0, &error);
        assert!(error.message.contains("offers no pictures"), "{error}");
    }

    #[test]
    fn controls_keep_their_numbers_on_the_way_through_nokhwa() {
        for id in [
            controls::GAIN,
            controls::WHITE_K,
            controls::EXPOSURE_100_US,
            controls::FOCUS_AUTO,
        ] {
            assert_eq!(id_of(known(id)), Some(id));
        }
    }

    #[test]
    fn settings_that_are_none_are_refused() {
        let error = shoot("{}").unwrap_err();
        assert!(error.message.contains("not understood"), "{error}");
    }
}
