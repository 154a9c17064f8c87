//! `[camera]`: which camera a trap has, and how it is told to look.

use super::check::{Checker, MINUTE, SECOND};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use trapline_hal::lines::Wiring;
use trapline_hal::optics::{Focus, Optics, Region, White};
use trapline_hal::pi::camera_folder::Playback;
use trapline_hal::pi::camera_uvc::UvcFormat;

/// `[camera]`
#[derive(Debug, Clone, PartialEq)]
pub struct CameraConfig {
    /// Which camera.
    pub kind: CameraKind,
    /// How it is told to look.
    pub sight: Sight,
    /// The supply that can be switched, if there is one.
    pub power: Option<Supply>,
    /// How long a shot may take, with everything that is tried to get it.
    pub deadline: Duration,
}

/// Which camera a trap has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CameraKind {
    /// None: every planned shot is missed.
    None,
    /// The Raspberry Pi camera at the ribbon cable.
    Csi,
    /// A camera at USB: the one of that id, path or name, or the only one.
    Uvc(Option<String>),
    /// The JPEG files of a folder.
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Once or again and again.
        playback: Playback,
    },
}

/// How a real camera is told to look.
#[derive(Debug, Clone, PartialEq)]
pub struct Sight {
    /// Width and height in pixels; `None` is the most that it has.
    pub size_px: Option<(u32, u32)>,
    /// How pictures come from a camera at USB.
    pub format: UvcFormat,
    /// Exposure, gain, focus and white.
    pub optics: Optics,
    /// The part of the field that is kept, by a camera at the ribbon cable.
    pub region: Option<Region>,
    /// Pictures of a camera at USB that are thrown away first.
    pub warm_up_frames: u32,
    /// How long a camera at the ribbon cable gets to settle.
    pub settle: Duration,
    /// JPEG quality, where the camera leaves the choice.
    pub quality_percent: u8,
}

/// A supply behind a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supply {
    /// The line.
    pub line: Wiring,
    /// How long what hangs on it takes to come up.
    pub settle: Duration,
}

impl Checker<'_> {
    pub(super) fn camera(&mut self) -> CameraConfig {
        let kinds = ["csi", "uvc", "folder", "none"].map(|kind| (kind, kind));
        let kind = self.one_of("camera.kind", &kinds, "none");
        let playbacks = [("once", Playback::Once), ("loop", Playback::Loop)];
        let playback = self.one_of("camera.playback", &playbacks, Playback::Once);
        let kind = match kind {
            "folder" => CameraKind::Folder {
                folder: self.needed_path("camera.folder", "the folder whose pictures are replayed"),
                playback,
            },
            "csi" => CameraKind::Csi,
            "uvc" => CameraKind::Uvc(self.named("camera.device")),
            _ => CameraKind::None,
        };
        let sight = self.sight();
        self.fits(&kind, &sight);
        CameraConfig {
            kind,
            sight,
            power: self.supply("camera.power", "camera.power_settle"),
            deadline: self.duration("camera.deadline", SECOND..=10 * MINUTE),
        }
    }

    fn sight(&mut self) -> Sight {
        let formats = [
            ("any", UvcFormat::Any),
            ("mjpeg", UvcFormat::Mjpeg),
            ("yuyv", UvcFormat::Yuyv),
            ("nv12", UvcFormat::Nv12),
        ];
        let size_px = (
            self.small("camera.width_px", 20_000),
            self.small("camera.height_px", 20_000),
        );
        if (size_px.0 == 0) != (size_px.1 == 0) {
            let message = "`camera.width_px` and `camera.height_px` belong together; set both, or \
                           neither for the largest pictures";
            self.complain("camera.width_px", message.to_owned());
        }
        let quality = self.whole("camera.quality_percent", 1, 100);
        let region = self.text("camera.region");
        Sight {
            size_px: (size_px.0 > 0).then_some(size_px),
            format: self.one_of("camera.format", &formats, UvcFormat::Any),
            optics: self.optics(),
            region: if region.is_empty() {
                None
            } else {
                self.worded("camera.region")
            },
            warm_up_frames: self.small("camera.warm_up_frames", 300),
            settle: self.duration("camera.settle", Duration::ZERO..=MINUTE),
            quality_percent: u8::try_from(quality).unwrap_or(93),
        }
    }

    fn optics(&mut self) -> Optics {
        let exposure_us = self.small("camera.exposure_us", 200_000_000);
        Optics {
            exposure_us: (exposure_us > 0).then_some(exposure_us),
            gain: self.gain(),
            focus: self.worded("camera.focus").unwrap_or(Focus::Auto),
            white: self.worded("camera.white_balance").unwrap_or(White::Auto),
        }
    }

    fn gain(&mut self) -> Option<f64> {
        let text = self.text("camera.gain");
        if text == "auto" {
            return None;
        }
        let gain = text.parse::<f64>().ok();
        let gain = gain.filter(|gain| gain.is_finite() && *gain >= 0.0);
        if gain.is_none() {
            let message = format!("`camera.gain` needs \"auto\" or a number, not {text:?}");
            self.complain("camera.gain", message);
        }
        gain
    }

    /// What a camera of another kind could do is not passed over in silence.
    fn fits(&mut self, kind: &CameraKind, sight: &Sight) {
        let is_usb = matches!(kind, CameraKind::Uvc(_));
        let is_ribbon = *kind == CameraKind::Csi;
        if is_usb && sight.region.is_some() {
            let message = "`camera.region` is for a camera at the ribbon cable; one at USB gives \
                           its whole field";
            self.complain("camera.region", message.to_owned());
        }
        let white = sight.optics.white;
        if is_usb && matches!(white, White::Gains { .. }) {
            let message = "`camera.white_balance` of a camera at USB is \"auto\", a light like \
                           \"daylight\", or kelvin like \"4600\"";
            self.complain("camera.white_balance", message.to_owned());
        }
        if is_ribbon && matches!(white, White::Kelvin(_)) {
            let message = "`camera.white_balance` of a camera at the ribbon cable is \"auto\", a \
                           light like \"daylight\", or factors of red and blue like \"1.9,1.4\"";
            self.complain("camera.white_balance", message.to_owned());
        }
    }

    /// A supply behind a line, if one is named.
    pub(super) fn supply(&mut self, key: &str, settle_key: &str) -> Option<Supply> {
        let settle = self.duration(settle_key, Duration::ZERO..=MINUTE);
        let line = self.line(key)?;
        Some(Supply { line, settle })
    }

    /// A line, if one is named.
    pub(super) fn line(&mut self, key: &str) -> Option<Wiring> {
        self.named(key)?;
        self.worded(key)
    }

    /// A setting that is a word of its own kind.
    fn worded<T>(&mut self, key: &str) -> Option<T>
    where
        T: FromStr<Err: std::fmt::Display>,
    {
        let parsed = self.text(key).parse();
        parsed
            .map_err(|why| self.complain(key, format!("`{key}`: {why}")))
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use trapline_hal::optics::Light;

    fn read(text: &str) -> Result<CameraConfig, String> {
        let config = Config::from_text("agent.toml", &format!("[camera]\n{text}\n"));
        config.map(|c| c.camera).map_err(|e| e.to_string())
    }

    #[test]
    fn a_camera_looks_by_itself_unless_told() {
        let camera = read("kind = \"uvc\"").unwrap();
        assert_eq!(camera.kind, CameraKind::Uvc(None));
        assert_eq!(camera.sight.optics, Optics::default());
        assert_eq!((camera.sight.size_px, camera.sight.region), (None, None));
        assert_eq!(camera.power, None);
    }

    #[test]
    fn a_camera_with_all_that_can_be_told() {
        let text = "kind = \"csi\"\nwidth_px = 2304\nheight_px = 1296\nexposure_us = 8000\n\
                    gain = \"2.5\"\nfocus = \"4.5\"\nwhite_balance = \"daylight\"\n\
                    region = \"0.25,0.25,0.5,0.5\"\npower = \"!GPIO5\"\npower_settle = \"2s\"";
        let camera = read(text).unwrap();
        assert_eq!(camera.sight.size_px, Some((2_304, 1_296)));
        let optics = Optics {
            exposure_us: Some(8_000),
            gain: Some(2.5),
            focus: Focus::At(4.5),
            white: White::Under(Light::Daylight),
        };
        assert_eq!(camera.sight.optics, optics);
        assert!(camera.sight.region.is_some());
        let supply = camera.power.unwrap();
        assert_eq!(supply.line.to_string(), "!GPIO5");
        assert_eq!(supply.settle, Duration::from_secs(2));
    }

    #[test]
    fn what_does_not_fit_is_said_with_what_would() {
        let cases = [
            ("kind = \"csi\"\nwidth_px = 640", "belong together"),
            ("kind = \"csi\"\nwhite_balance = \"4600\"", "\"1.9,1.4\""),
            ("kind = \"uvc\"\nwhite_balance = \"1.9,1.4\"", "\"4600\""),
            ("kind = \"uvc\"\nregion = \"0,0,1,1\"", "ribbon cable"),
            ("kind = \"uvc\"\nregion = \"0.5,0,1,1\"", "camera.region"),
            ("kind = \"uvc\"\nfocus = \"near\"", "where the lens stays"),
            ("kind = \"uvc\"\ngain = \"much\"", "or a number"),
            ("kind = \"uvc\"\npower = \"GPIO 5\"", "`camera.power`"),
        ];
        for (text, words) in cases {
            let error = read(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
