//! Which video device the settings mean. The kernel numbers them as they come
//! up, so a number names another camera after the next start.

use super::{DEVICE, fault};
use crate::error::{DeviceError, FaultKind};
use std::fs;
use std::path::{Path, PathBuf};

/// Where the kernel lists its video devices.
pub(super) const DEVICES: &str = "/sys/class/video4linux";
/// Converters and pipelines of a board, which call themselves video devices and are no cameras.
const NO_CAMERAS: [&str; 8] = [
    "bcm2835-codec",
    "bcm2835-isp",
    "rpi-hevc",
    "rpivid",
    "unicam",
    "rp1-cfe",
    "pispbe",
    "codec",
];

/// A video device as the kernel lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Listed {
    number: u32,
    /// What the camera or its driver calls itself.
    name: String,
    /// 0 is the pictures; further devices of a camera carry metadata.
    index: u32,
    /// Vendor, product and serial number at USB, as `046d:0825` and `046d:0825:1A2B`.
    usb: Option<String>,
}

/// The number of the device that is meant by `wanted`.
///
/// # Errors
/// [`DeviceError`] with what there is instead.
pub(super) fn find(devices: &Path, wanted: Option<&str>) -> Result<u32, DeviceError> {
    if let Some(path) = wanted.filter(|wanted| wanted.starts_with('/')) {
        return by_path(Path::new(path));
    }
    let listed = list(devices);
    let chosen = match wanted {
        None => first(&listed),
        Some(wanted) => match wanted.strip_prefix("usb:") {
            Some(id) => by_usb(&listed, id),
            None => by_name(&listed, wanted),
        },
    };
    chosen.map(|device| device.number).ok_or_else(|| {
        let there: Vec<&str> = cameras(&listed).map(|d| d.name.as_str()).collect();
        let there = match there.as_slice() {
            [] => "no video device is there; is it plugged in?".to_owned(),
            names => format!("there is only {}", names.join(", ")),
        };
        let meant = wanted.map_or_else(String::new, |wanted| format!(" {wanted:?}"));
        fault(FaultKind::Absent, format!("no camera{meant}: {there}"))
    })
}

/// A link that udev keeps for a camera, or for a place where one is plugged in.
fn by_path(path: &Path) -> Result<u32, DeviceError> {
    let absent = |why: &str| {
        let message = format!("{} {why}; is it plugged in?", path.display());
        DeviceError::new(DEVICE, FaultKind::Absent, message)
    };
    let device = fs::canonicalize(path).map_err(|e| absent("is not there").caused_by(e))?;
    let name = device.file_name().unwrap_or_default().to_string_lossy();
    number_of(&name).ok_or_else(|| absent("is no video device"))
}

fn list(devices: &Path) -> Vec<Listed> {
    let Ok(entries) = fs::read_dir(devices) else {
        return Vec::new();
    };
    let mut listed: Vec<Listed> = entries
        .flatten()
        .filter_map(|entry| {
            let number = number_of(&entry.file_name().to_string_lossy())?;
            let folder = entry.path();
            Some(Listed {
                number,
                name: word(&folder.join("name")).unwrap_or_default(),
                index: word(&folder.join("index")).and_then(|text| text.parse().ok())?,
                usb: usb_of(&folder.join("device")),
            })
        })
        .collect();
    listed.sort_by_key(|device| device.number);
    listed
}

fn number_of(name: &str) -> Option<u32> {
    name.strip_prefix("video")?.parse().ok()
}

fn word(file: &Path) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    Some(text.trim().to_owned())
}

/// The ids stand at the USB device, above the interface that carries the pictures.
fn usb_of(interface: &Path) -> Option<String> {
    let interface = fs::canonicalize(interface).ok()?;
    let device: PathBuf = interface.parent()?.to_owned();
    let vendor = word(&device.join("idVendor"))?;
    let product = word(&device.join("idProduct"))?;
    let serial =
        word(&device.join("serial")).map_or_else(String::new, |serial| format!(":{serial}"));
    Some(format!("{vendor}:{product}{serial}"))
}

fn cameras(listed: &[Listed]) -> impl Iterator<Item = &Listed> {
    let is_camera = |device: &&Listed| {
        device.index == 0 && !NO_CAMERAS.iter().any(|no| device.name.contains(no))
    };
    listed.iter().filter(is_camera)
}

fn first(listed: &[Listed]) -> Option<&Listed> {
    let at_usb = cameras(listed).find(|device| device.usb.is_some());
    at_usb.or_else(|| cameras(listed).next())
}

fn by_usb<'a>(listed: &'a [Listed], id: &str) -> Option<&'a Listed> {
    cameras(listed).find(|device| {
        let Some(usb) = &device.usb else {
            return false;
        };
        let rest = usb.strip_prefix(&id.to_ascii_lowercase());
        usb.eq_ignore_ascii_case(id) || rest.is_some_and(|rest| rest.starts_with(':'))
    })
}

fn by_name<'a>(listed: &'a [Listed], name: &str) -> Option<&'a Listed> {
    let exact = cameras(listed).find(|device| device.name == name);
    let name = name.to_lowercase();
    exact.or_else(|| cameras(listed).find(|device| device.name.to_lowercase().contains(&name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::os::unix::fs::symlink;

    fn put(file: &Path, text: &str) {
        let mut file = fs::File::create(file).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    struct Sys(tempfile::TempDir);

    impl Sys {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn add(&self, number: u32, name: &str, index: u32, usb: Option<(&str, &str)>) {
            let folder = self.0.path().join(format!("class/video{number}"));
            fs::create_dir_all(&folder).unwrap();
            put(&folder.join("name"), &format!("{name}\n"));
            put(&folder.join("index"), &format!("{index}\n"));
            let Some((ids, serial)) = usb else {
                return;
            };
            let device = self.0.path().join(format!("devices/{ids}-{serial}"));
            let interface = device.join("1-1:1.0");
            fs::create_dir_all(&interface).unwrap();
            let (vendor, product) = ids.split_once(':').unwrap();
            put(&device.join("idVendor"), vendor);
            put(&device.join("idProduct"), product);
            put(&device.join("serial"), serial);
            symlink(&interface, folder.join("device")).unwrap();
        }

        fn find(&self, wanted: Option<&str>) -> Result<u32, String> {
            let found = find(&self.0.path().join("class"), wanted);
            found.map_err(|e| e.to_string())
        }
    }

    /// A Pi with two cameras of one kind; each has a second device for metadata.
    fn a_pi() -> Sys {
        let sys = Sys::new();
        sys.add(10, "bcm2835-codec-decode", 0, None);
        sys.add(0, "unicam-image", 0, None);
        sys.add(2, "HD Pro Webcam C920", 0, Some(("046d:082d", "A1")));
        sys.add(3, "HD Pro Webcam C920", 1, Some(("046d:082d", "A1")));
        sys.add(4, "HD Pro Webcam C920", 0, Some(("046d:082d", "B2")));
        sys
    }

    #[test]
    fn without_a_wish_it_is_the_first_camera_at_usb() {
        assert_eq!(a_pi().find(None), Ok(2));
        let rig = Sys::new();
        rig.add(0, "trap camera", 0, None);
        assert_eq!(rig.find(None), Ok(0), "one that only the kernel knows");
    }

    #[test]
    fn a_camera_is_found_by_what_it_is() {
        let pi = a_pi();
        assert_eq!(pi.find(Some("usb:046d:082d")), Ok(2));
        assert_eq!(pi.find(Some("usb:046D:082D:B2")), Ok(4));
        assert_eq!(pi.find(Some("c920")), Ok(2));
    }

    #[test]
    fn one_that_is_not_there_is_told_with_those_that_are() {
        let pi = a_pi();
        let error = pi.find(Some("usb:046d:0825")).unwrap_err();
        assert!(error.contains("HD Pro Webcam C920"), "{error}");
        assert!(!error.contains("codec"), "{error}");
        assert!(pi.find(Some("usb:046d:08")).is_err(), "half an id is none");
        let none = Sys::new().find(None).unwrap_err();
        assert!(none.contains("is it plugged in?"), "{none}");
    }

    #[test]
    fn a_path_is_followed_to_the_device() {
        let sys = Sys::new();
        let node = sys.0.path().join("video7");
        put(&node, "");
        let link = sys.0.path().join("usb-046d_C920-video-index0");
        symlink(&node, &link).unwrap();
        assert_eq!(sys.find(link.to_str()), Ok(7));
        let error = sys.find(Some("/nowhere/video0")).unwrap_err();
        assert!(error.contains("is not there"), "{error}");
    }
}
