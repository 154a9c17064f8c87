//! Disks as Linux shows them in sysfs, with what of them is mounted or swapped to.

use super::{Disk, Disks, Mount};
use crate::target::{OpenDisk, Target};
use anyhow::{Context as _, Result, ensure};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where a mounted partition makes its disk the machine's own.
const SYSTEM: [&str; 7] = ["/", "/boot", "/home", "/usr", "/var", "/nix", "/opt"];
/// Below these a card is mounted for people, and can be taken away.
const FOR_PEOPLE: [&str; 3] = ["/media", "/run/media", "/mnt"];
const SECTOR_BYTES: u64 = 512;

/// The disks of a Linux machine; where it is told of them, so that tests can tell something else.
#[derive(Debug, Clone)]
pub struct LinuxDisks {
    /// sysfs.
    pub sys: PathBuf,
    /// procfs.
    pub proc: PathBuf,
    /// Device files.
    pub dev: PathBuf,
}

impl Default for LinuxDisks {
    fn default() -> Self {
        Self {
            sys: "/sys".into(),
            proc: "/proc".into(),
            dev: "/dev".into(),
        }
    }
}

impl Disks for LinuxDisks {
    fn list(&self) -> Result<Vec<Disk>> {
        let blocks = self.sys.join("block");
        let entries = std::fs::read_dir(&blocks)
            .with_context(|| format!("cannot read {}", blocks.display()))?;
        let mut names: Vec<String> = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| {
                !["ram", "zram", "dm-", "md", "sr", "nbd"]
                    .iter()
                    .any(|kind| name.starts_with(kind))
            })
            // The boot areas of soldered memory are disks of their own.
            .filter(|name| !name.contains("boot") && !name.contains("rpmb"))
            .collect();
        names.sort();
        let mounts = self.mounts();
        let disks = names.iter().map(|name| self.disk(name, &mounts));
        Ok(disks
            .filter(|disk| disk.size_bytes > 0 || disk.is_removable)
            .collect())
    }

    fn unmount(&self, disk: &Disk) -> Result<()> {
        for mount in &disk.mounts {
            let said = Command::new("umount")
                .arg(&mount.at)
                .output()
                .context("cannot start `umount`")?;
            let why = String::from_utf8_lossy(&said.stderr);
            ensure!(
                said.status.success(),
                "{} is in use: {}",
                mount.at.display(),
                why.trim()
            );
        }
        Ok(())
    }

    fn open(&self, disk: &Disk) -> Result<Box<dyn Target>> {
        let opened = OpenDisk::disk(&disk.path, &disk.raw).with_context(|| {
            format!(
                "cannot open {} for writing (run it with `sudo`?)",
                disk.path.display()
            )
        })?;
        Ok(Box::new(opened))
    }
}

/// A mounted file system: the number of its device, its source, and where.
struct Mounted {
    number: String,
    source: String,
    at: String,
}

impl LinuxDisks {
    fn disk(&self, name: &str, mounted: &[Mounted]) -> Disk {
        let folder = self.sys.join("block").join(name);
        let word = |file: &str| read(&folder.join(file));
        let bus = self.bus(name, &folder);
        let parts = parts(&folder, name);
        let mut disk = Disk {
            path: self.dev.join(name),
            raw: self.dev.join(name),
            model: model(&folder),
            size_bytes: word("size").parse::<u64>().unwrap_or(0) * SECTOR_BYTES,
            is_removable: word("removable") == "1" || bus == "SD",
            is_read_only: word("ro") == "1",
            bus,
            mounts: Vec::new(),
            needed_by: None,
        };
        for (part, number) in &parts {
            let path = self.dev.join(part);
            let source = path.display().to_string();
            for mount in mounted {
                if mount.number == *number || mount.source == source {
                    note(&mut disk, &path, &mount.at);
                }
            }
            if let Some(holder) = holder(&folder, part, name) {
                disk.needed_by = Some(format!("{part} is part of {holder}"));
            }
        }
        for swap in self.swaps() {
            if parts
                .keys()
                .any(|part| self.dev.join(part).display().to_string() == swap)
            {
                disk.needed_by = Some(format!("it swaps to {swap}"));
            }
        }
        disk
    }

    fn bus(&self, name: &str, folder: &Path) -> String {
        if name.starts_with("mmcblk") {
            // "SD" for cards, "MMC" for memory that is soldered in.
            return read(&folder.join("device/type"));
        }
        let real = std::fs::canonicalize(folder).unwrap_or_default();
        if real
            .components()
            .any(|part| part.as_os_str().to_string_lossy().starts_with("usb"))
        {
            return "USB".to_owned();
        }
        if name.starts_with("nvme") {
            return "NVMe".to_owned();
        }
        if name.starts_with("loop") {
            return "loop".to_owned();
        }
        "disk".to_owned()
    }

    fn mounts(&self) -> Vec<Mounted> {
        let text = read(&self.proc.join("self/mountinfo"));
        let lines = text.lines().filter_map(|line| {
            let (before, after) = line.split_once(" - ")?;
            let words: Vec<&str> = before.split(' ').collect();
            Some(Mounted {
                number: (*words.get(2)?).to_owned(),
                at: unescaped(words.get(4)?),
                source: after.split(' ').nth(1)?.to_owned(),
            })
        });
        lines.collect()
    }

    fn swaps(&self) -> Vec<String> {
        let text = read(&self.proc.join("swaps"));
        let lines = text
            .lines()
            .skip(1)
            .filter_map(|line| line.split_whitespace().next());
        lines.map(str::to_owned).collect()
    }
}

/// The disk and its partitions with their numbers.
fn parts(folder: &Path, name: &str) -> BTreeMap<String, String> {
    let mut parts: BTreeMap<String, String> = [(name.to_owned(), read(&folder.join("dev")))].into();
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.path().join("partition").exists()) {
        let part = entry.file_name().to_string_lossy().into_owned();
        parts.insert(part, read(&entry.path().join("dev")));
    }
    parts
}

fn note(disk: &mut Disk, device: &Path, at: &str) {
    let is_below = |top: &str| at == top || at.starts_with(&format!("{top}/"));
    let is_for_people = FOR_PEOPLE.iter().any(|top| is_below(top));
    let is_system = at == "/" || SYSTEM.iter().skip(1).any(|top| is_below(top));
    if is_system || !is_for_people {
        disk.needed_by = Some(format!("{} is mounted at {at}", device.display()));
    }
    disk.mounts.push(Mount {
        device: device.to_owned(),
        at: at.into(),
    });
}

/// A volume or an array that is made of it.
fn holder(folder: &Path, part: &str, disk: &str) -> Option<String> {
    let folder = if part == disk {
        folder.to_owned()
    } else {
        folder.join(part)
    };
    let mut holders = std::fs::read_dir(folder.join("holders")).ok()?.flatten();
    Some(holders.next()?.file_name().to_string_lossy().into_owned())
}

fn model(folder: &Path) -> String {
    let words =
        ["device/vendor", "device/model", "device/name"].map(|file| read(&folder.join(file)));
    let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        "(nameless)".to_owned()
    } else {
        words.join(" ")
    }
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file)
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// Spaces in paths are written as octal numbers there.
fn unescaped(path: &str) -> String {
    path.replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\134", "\\")
}
