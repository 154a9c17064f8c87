//! Disks as `diskutil` on macOS tells of them. Written from its manual and not
//! tried on a Mac yet: what it does not understand it refuses.

use super::{Disk, Disks, Mount};
use crate::target::{OpenDisk, Target};
use anyhow::{Context as _, Result, ensure};
use std::path::PathBuf;
use std::process::Command;

/// The disks of a Mac.
#[derive(Debug, Clone, Copy, Default)]
pub struct MacDisks;

impl Disks for MacDisks {
    fn list(&self) -> Result<Vec<Disk>> {
        let all = diskutil(&["list", "-plist", "physical"])?;
        let root = diskutil(&["info", "-plist", "/"])?;
        let own = text_of(&root, "ParentWholeDisk").unwrap_or_default();
        let mut disks = Vec::new();
        for name in texts_of(&all, "WholeDisks") {
            let info = diskutil(&["info", "-plist", &name])?;
            disks.push(disk(&name, &info, &own));
        }
        Ok(disks)
    }

    fn unmount(&self, disk: &Disk) -> Result<()> {
        let path = disk.path.display().to_string();
        diskutil(&["unmountDisk", &path]).map(|_said| ())
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

/// A disk from what `diskutil info -plist` says of it.
#[must_use]
pub fn disk(name: &str, info: &str, own: &str) -> Disk {
    let is = |key: &str| switch_of(info, key).unwrap_or(false);
    let bus = text_of(info, "BusProtocol").unwrap_or_default();
    let is_card = bus == "Secure Digital";
    let is_internal = switch_of(info, "Internal").unwrap_or(true);
    let needed_by = if name == own {
        Some("macOS runs from it".to_owned())
    } else if is_internal && !is_card {
        Some("it is built in".to_owned())
    } else {
        None
    };
    let mount = text_of(info, "MountPoint").filter(|at| !at.is_empty());
    Disk {
        path: PathBuf::from(format!("/dev/{name}")),
        raw: PathBuf::from(format!("/dev/r{name}")),
        model: text_of(info, "MediaName").unwrap_or_default(),
        size_bytes: number_of(info, "TotalSize")
            .or_else(|| number_of(info, "Size"))
            .unwrap_or(0),
        bus: if is_card { "SD".to_owned() } else { bus },
        is_removable: is_card || is("RemovableMedia") || is("Ejectable"),
        is_read_only: !switch_of(info, "WritableMedia").unwrap_or(true),
        mounts: mount
            .map(|at| Mount {
                device: PathBuf::from(format!("/dev/{name}")),
                at: at.into(),
            })
            .into_iter()
            .collect(),
        needed_by,
    }
}

fn diskutil(words: &[&str]) -> Result<String> {
    let said = Command::new("diskutil")
        .args(words)
        .output()
        .context("cannot start `diskutil`")?;
    let why = String::from_utf8_lossy(&said.stderr);
    ensure!(
        said.status.success(),
        "`diskutil {}` failed: {}",
        words.join(" "),
        why.trim()
    );
    Ok(String::from_utf8_lossy(&said.stdout).into_owned())
}

/// What follows a key of a property list.
fn after<'a>(plist: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = plist.split_once(&format!("<key>{key}</key>"))?;
    Some(rest.trim_start())
}

fn element<'a>(text: &'a str, tag: &str) -> Option<&'a str> {
    let rest = text.strip_prefix(&format!("<{tag}>"))?;
    Some(rest.split_once(&format!("</{tag}>"))?.0)
}

fn text_of(plist: &str, key: &str) -> Option<String> {
    let text = element(after(plist, key)?, "string")?;
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"");
    Some(text.replace("&apos;", "'").replace("&amp;", "&"))
}

fn number_of(plist: &str, key: &str) -> Option<u64> {
    element(after(plist, key)?, "integer")?.trim().parse().ok()
}

fn switch_of(plist: &str, key: &str) -> Option<bool> {
    let rest = after(plist, key)?;
    match (rest.starts_with("<true"), rest.starts_with("<false")) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

fn texts_of(plist: &str, key: &str) -> Vec<String> {
    let list = after(plist, key).and_then(|rest| element(rest, "array"));
    let items = list.unwrap_or_default().split("<string>").skip(1);
    items
        .filter_map(|item| Some(item.split_once("</string>")?.0.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &str = "<dict>\n<key>BusProtocol</key>\n<string>Secure Digital</string>\n\
        <key>Internal</key>\n<true/>\n<key>MediaName</key>\n<string>Built In SDXC Reader &amp; more</string>\n\
        <key>TotalSize</key>\n<integer>31914983424</integer>\n<key>WritableMedia</key>\n<true/>\n</dict>";

    #[test]
    fn a_card_in_the_built_in_reader_may_be_written() {
        let disk = disk("disk4", CARD, "disk3");
        assert_eq!(disk.refusal(), None, "{disk:?}");
        assert_eq!(disk.model, "Built In SDXC Reader & more");
        assert_eq!(disk.raw, PathBuf::from("/dev/rdisk4"));
    }

    #[test]
    fn what_is_built_in_or_not_understood_is_refused() {
        let built_in = CARD.replace("Secure Digital", "Apple Fabric");
        assert!(disk("disk0", &built_in, "disk3").refusal().is_some());
        assert!(
            disk("disk4", CARD, "disk4")
                .refusal()
                .unwrap()
                .contains("macOS runs from it")
        );
        assert!(disk("disk5", "<dict></dict>", "disk3").refusal().is_some());
        let names = texts_of(
            "<key>WholeDisks</key>\n<array>\n<string>disk0</string><string>disk4</string></array>",
            "WholeDisks",
        );
        assert_eq!(names, ["disk0", "disk4"]);
    }
}
