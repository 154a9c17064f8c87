//! By what a copied card is told from its original: the serial number of the disk
//! that a folder lies on, and that of the computer.
//!
//! Only what the hardware says of itself counts, because a copy takes everything
//! else along. Parts that say nothing give `None`.

use rustix::fs::{major, minor, stat};
use std::fs;
use std::path::{Path, PathBuf};

/// More than any serial number.
const WORDS_CHARS_MAX: usize = 200;

/// What the hardware says of itself, in its own words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fingerprint {
    /// The SD card's CID, or the disk's serial number.
    pub card: Option<String>,
    /// The computer's serial number.
    pub board: Option<String>,
}

/// Where the kernel tells of hardware.
#[derive(Debug, Clone)]
pub struct Kernel {
    sys: PathBuf,
    proc: PathBuf,
}

impl Default for Kernel {
    fn default() -> Self {
        Self {
            sys: PathBuf::from("/sys"),
            proc: PathBuf::from("/proc"),
        }
    }
}

impl Kernel {
    /// A kernel whose `sys` and `proc` lie below this folder, for tests.
    #[must_use]
    pub fn below(folder: &Path) -> Self {
        Self {
            sys: folder.join("sys"),
            proc: folder.join("proc"),
        }
    }

    /// The fingerprint of the disk on which `folder` lies, and of this computer.
    #[must_use]
    pub fn fingerprint(&self, folder: &Path) -> Fingerprint {
        let device = stat(folder)
            .ok()
            .map(|stat| (major(stat.st_dev), minor(stat.st_dev)));
        Fingerprint {
            card: device.and_then(|(major, minor)| self.card(major, minor)),
            board: self.board(),
        }
    }

    /// The disk with this device number, or the one that this partition is of.
    fn card(&self, major: u32, minor: u32) -> Option<String> {
        let link = self.sys.join(format!("dev/block/{major}:{minor}"));
        let place = fs::canonicalize(link).ok()?;
        let disk = if place.join("partition").exists() {
            place.parent()?
        } else {
            &place
        };
        // An SD card's CID names maker, lot and number; other disks have serial numbers.
        let places = ["device/cid", "serial", "device/serial", "device/wwid"];
        places
            .iter()
            .find_map(|name| words(&disk.join(name)).map(|words| format!("{name} {words}")))
    }

    fn board(&self) -> Option<String> {
        let places = [
            self.proc.join("device-tree/serial-number"),
            self.sys.join("class/dmi/id/product_uuid"),
            self.sys.join("class/dmi/id/board_serial"),
        ];
        places.iter().find_map(|place| words(place))
    }
}

/// What a file says, unless it says nothing: empty, all zeros, or a word for it.
fn words(file: &Path) -> Option<String> {
    let bytes = fs::read(file).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_matches(|c: char| c.is_whitespace() || c.is_control());
    let says_something = text.chars().any(|c| c.is_alphanumeric() && c != '0')
        && !["None", "Default string", "Not Specified"].contains(&text);
    says_something.then(|| text.chars().take(WORDS_CHARS_MAX).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn write(file: &Path, text: &str) {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        #[expect(clippy::disallowed_methods, reason = "a test's own file")]
        fs::write(file, text).unwrap();
    }

    #[test]
    fn a_partition_is_of_its_card() {
        let root = tempfile::tempdir().unwrap();
        let kernel = Kernel::below(root.path());
        let disk = root.path().join("sys/devices/mmc0/block/mmcblk0");
        write(&disk.join("mmcblk0p4/partition"), "4\n");
        write(&disk.join("device/cid"), "035344534333324780a1b2c3d4015a\n");
        let links = root.path().join("sys/dev/block");
        fs::create_dir_all(&links).unwrap();
        symlink(disk.join("mmcblk0p4"), links.join("179:4")).unwrap();
        symlink(&disk, links.join("179:0")).unwrap();
        let cid = Some("device/cid 035344534333324780a1b2c3d4015a".to_owned());
        assert_eq!(kernel.card(179, 4), cid);
        assert_eq!(kernel.card(179, 0), cid);
        assert_eq!(kernel.card(8, 1), None);
    }

    #[test]
    fn a_disk_without_a_number_and_a_board_of_zeros_say_nothing() {
        let root = tempfile::tempdir().unwrap();
        let kernel = Kernel::below(root.path());
        let disk = root.path().join("sys/devices/pci0/block/vda");
        write(&disk.join("serial"), "");
        let links = root.path().join("sys/dev/block");
        fs::create_dir_all(&links).unwrap();
        symlink(&disk, links.join("254:0")).unwrap();
        assert_eq!(kernel.card(254, 0), None);
        write(&disk.join("serial"), "trap-7\n");
        assert_eq!(kernel.card(254, 0), Some("serial trap-7".to_owned()));
        let serial = root.path().join("proc/device-tree/serial-number");
        write(&serial, "0000000000000000\0");
        assert_eq!(kernel.board(), None);
        write(&serial, "10000000a1b2c3d4\0");
        assert_eq!(kernel.board(), Some("10000000a1b2c3d4".to_owned()));
        assert_eq!(kernel.fingerprint(Path::new("/nowhere")).card, None);
    }
}
