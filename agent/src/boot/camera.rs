//! The camera that the settings name.

use crate::capture::OpenCamera;
use crate::config::camera::{CameraConfig, CameraKind, Sight};
use crate::moment::millis;
use trapline_hal::pi::camera_csi::{CsiCamera, CsiSettings};
use trapline_hal::pi::camera_folder::FolderCamera;
use trapline_hal::{Camera, DeviceError, FaultKind};

/// Opens it, going on after the replayed file of that name.
pub(super) fn open(config: &CameraConfig) -> OpenCamera {
    let config = config.clone();
    Box::new(
        move |resume_after| -> Result<Box<dyn Camera>, DeviceError> {
            match &config.kind {
                CameraKind::Folder { folder, playback } => {
                    let camera = FolderCamera::open(folder, *playback, resume_after)?;
                    log::info!(
                        "replaying {} pictures of {}",
                        camera.len(),
                        folder.display()
                    );
                    Ok(Box::new(camera))
                }
                CameraKind::Csi => Ok(Box::new(CsiCamera::new(csi(&config.sight)))),
                CameraKind::Uvc(device) => usb::open(device.clone(), &config.sight),
                CameraKind::None => Err(DeviceError::new(
                    "camera",
                    FaultKind::Absent,
                    "no camera is configured; set `camera.kind`",
                )),
            }
        },
    )
}

fn csi(sight: &Sight) -> CsiSettings {
    CsiSettings {
        size_px: sight.size_px,
        optics: sight.optics.clone(),
        region: sight.region,
        settle_ms: millis(sight.settle),
        quality_percent: sight.quality_percent,
        ..CsiSettings::default()
    }
}

#[cfg(feature = "pi")]
mod usb {
    use crate::apart::{THIS_PROGRAM, USB_SHOT};
    use crate::config::camera::Sight;
    use trapline_hal::pi::camera_uvc::{UvcCamera, UvcSettings};
    use trapline_hal::{Camera, DeviceError};

    pub(super) fn open(
        device: Option<String>,
        sight: &Sight,
    ) -> Result<Box<dyn Camera>, DeviceError> {
        let settings = UvcSettings {
            device,
            size_px: sight.size_px,
            format: sight.format,
            optics: sight.optics.clone(),
            warm_up_frames: sight.warm_up_frames,
            quality_percent: sight.quality_percent,
        };
        let args = vec![USB_SHOT.into()];
        let camera = UvcCamera::new(THIS_PROGRAM.into(), args, &settings)?;
        Ok(Box::new(camera))
    }
}

#[cfg(not(feature = "pi"))]
mod usb {
    use crate::config::camera::Sight;
    use trapline_hal::{Camera, DeviceError, FaultKind};

    pub(super) fn open(
        _device: Option<String>,
        _sight: &Sight,
    ) -> Result<Box<dyn Camera>, DeviceError> {
        Err(DeviceError::new(
            "camera",
            FaultKind::Absent,
            "this program was built without cameras at USB; build it with `--features pi`",
        ))
    }
}
