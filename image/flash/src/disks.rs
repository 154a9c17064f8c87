//! Disks of this machine, and which of them may be written: cards in readers
//! and sticks, never what the machine itself lives from.

pub mod linux;
pub mod macos;

use crate::target::Target;
use anyhow::Result;
use serde::Serialize;
use std::path::PathBuf;

/// Smaller disks hold no image with its data.
const SIZE_BYTES_MIN: u64 = 1_000_000_000;
/// Larger ones are somebody's backup rather than a trap's card.
const SIZE_BYTES_MAX: u64 = 600_000_000_000;

/// A whole disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Disk {
    /// Its device.
    pub path: PathBuf,
    /// The same without a cache in between, where there is such.
    #[serde(skip)]
    pub raw: PathBuf,
    /// Maker and model.
    pub model: String,
    /// Its size.
    pub size_bytes: u64,
    /// How it is connected: `SD`, `USB`, …
    pub bus: String,
    /// Whether it can be taken out.
    pub is_removable: bool,
    /// Whether its switch protects it.
    pub is_read_only: bool,
    /// Where its partitions are mounted.
    pub mounts: Vec<Mount>,
    /// What of the machine needs it, in words.
    pub needed_by: Option<String>,
}

/// A mounted partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mount {
    /// The partition's device.
    pub device: PathBuf,
    /// Where it is seen.
    pub at: PathBuf,
}

/// The disks of a machine.
pub trait Disks {
    /// All of them, those that must not be written too.
    ///
    /// # Errors
    /// When the system does not say.
    fn list(&self) -> Result<Vec<Disk>>;

    /// Takes what is mounted of it away.
    ///
    /// # Errors
    /// When something of it is still used.
    fn unmount(&self, disk: &Disk) -> Result<()>;

    /// Opens it for writing.
    ///
    /// # Errors
    /// When it is used, or the caller may not.
    fn open(&self, disk: &Disk) -> Result<Box<dyn Target>>;
}

/// The disks of this machine.
#[must_use]
pub fn of_this_machine() -> Box<dyn Disks> {
    if cfg!(target_os = "macos") {
        Box::new(macos::MacDisks)
    } else {
        Box::new(linux::LinuxDisks::default())
    }
}

impl Disk {
    /// Why it must not be written, with what to do; `None` when it may.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        let path = self.path.display();
        if let Some(who) = &self.needed_by {
            return Some(format!("{path} is needed by this computer ({who})"));
        }
        if !self.is_removable {
            return Some(format!(
                "{path} is not removable: `trapline-flash` writes cards and sticks only; \
                 `trapline-flash disks` lists what there is"
            ));
        }
        if self.size_bytes == 0 {
            return Some(format!("there is no card in {path}"));
        }
        if self.is_read_only {
            return Some(format!(
                "{path} is write-protected: slide the switch at the card's side"
            ));
        }
        if self.size_bytes < SIZE_BYTES_MIN {
            return Some(format!(
                "{path} is too small for a trap ({})",
                self.size_words()
            ));
        }
        if self.size_bytes > SIZE_BYTES_MAX {
            return Some(format!(
                "{path} is larger than any card ({}); is it a backup?",
                self.size_words()
            ));
        }
        None
    }

    /// Its size as it is printed on cards.
    #[must_use]
    pub fn size_words(&self) -> String {
        let tenths = self.size_bytes / 100_000_000;
        format!("{}.{} GB", tenths / 10, tenths % 10)
    }
}

impl std::fmt::Display for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (path, size) = (self.path.display().to_string(), self.size_words());
        write!(f, "{path:<14} {size:>9}  {:<5} {}", self.bus, self.model)
    }
}
