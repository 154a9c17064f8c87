//! What is known of slots and updates over restarts: one small file that belongs to
//! neither slot, written by root alone, read by everybody.
//!
//! ```text
//! DIR/record/updates.json     this file
//! DIR/record/….raucb          a bundle on its way into a slot, root's alone
//! DIR/incoming/               the agent's: pieces, whole bundles, the report of a trial
//! ```

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use trapline_store::{Disk as _, OsDisk};

pub use trapline_wire::v1::UpdateState;

const FILE: &str = "updates.json";
const TRIAL_FILE: &str = "trial.json";
/// More than any record or report.
const BYTES_MAX: u64 = 256 * 1024;
/// Bundles that are remembered as not to be installed again.
const REFUSED_MAX: usize = 50;

/// An update and how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// Its version, as its bundle says.
    pub version: String,
    /// SHA-256 of its bundle; empty when it was installed by hand.
    #[serde(default)]
    pub sha256: String,
    /// How far it is.
    pub state: UpdateState,
    /// Since when, believed UTC in milliseconds.
    pub since_ms: i64,
}

/// What is known of a slot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotNote {
    /// What was in it when it was confirmed, as RAUC names it.
    pub content: String,
    /// The version of that.
    pub version: String,
    /// When it was confirmed, believed UTC in milliseconds.
    pub confirmed_ms: i64,
}

/// A bundle that is not installed again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedBundle {
    /// SHA-256 of the bundle.
    pub sha256: String,
    /// Its version, as far as it is known.
    pub version: String,
    /// Why, in a sentence.
    pub reason: String,
}

/// The whole record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// Slots that were confirmed, by the boot loader's name.
    pub slots: BTreeMap<String, SlotNote>,
    /// The slot that was confirmed last.
    pub current: Option<String>,
    /// How often the boot loader left that slot and was sent back to it.
    pub sent_back: u32,
    /// The last update.
    pub update: Option<Update>,
    /// Why the last trial of it failed.
    pub trial_failure: Option<String>,
    /// How often its installation was begun.
    pub install_starts: u32,
    /// What is not installed again, the newest last.
    pub refused: Vec<RefusedBundle>,
}

impl Record {
    /// The record in the folder of updates; an empty one where there is none.
    ///
    /// # Errors
    /// When there is one and it cannot be read.
    pub fn read(dir: &Path) -> anyhow::Result<Self> {
        let file = record_dir(dir).join(FILE);
        let what = || format!("the record of updates in {} cannot be read", file.display());
        let Some(bytes) = bounded(&file).with_context(what)? else {
            return Ok(Self::default());
        };
        serde_json::from_slice(&bytes).with_context(what)
    }

    /// The same; a record that is damaged counts as none, because a trap goes on.
    #[must_use]
    pub fn read_or_none(dir: &Path) -> Self {
        Self::read(dir).unwrap_or_else(|error| {
            log::error!("{error:#}");
            Self::default()
        })
    }

    /// Writes it, over power cuts.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&self, dir: &Path) -> anyhow::Result<()> {
        let folder = record_dir(dir);
        let kept = make_folders(&[dir, &folder])
            .and_then(|()| write_durably(&folder, FILE, &serde_json::to_vec_pretty(self)?));
        kept.with_context(|| {
            format!(
                "the record of updates in {} cannot be written",
                folder.display()
            )
        })
    }

    /// Notes a step of the last update.
    pub fn step(&mut self, state: UpdateState, now_ms: i64) {
        if let Some(update) = &mut self.update {
            update.state = state;
            update.since_ms = now_ms;
        }
    }

    /// Remembers a bundle that is not to be installed again.
    pub fn refuse(&mut self, bundle: RefusedBundle) {
        if bundle.sha256.is_empty() {
            return;
        }
        self.refused.retain(|known| known.sha256 != bundle.sha256);
        self.refused.push(bundle);
        let over = self.refused.len().saturating_sub(REFUSED_MAX);
        self.refused.drain(..over);
    }

    /// Why this bundle is not installed again, if it is not.
    #[must_use]
    pub fn refusal(&self, sha256: &str) -> Option<&RefusedBundle> {
        self.refused.iter().find(|known| known.sha256 == sha256)
    }
}

/// Root's folder.
#[must_use]
pub fn record_dir(dir: &Path) -> PathBuf {
    dir.join("record")
}

/// The agent's folder.
#[must_use]
pub fn incoming_dir(dir: &Path) -> PathBuf {
    dir.join("incoming")
}

/// Leaves the report of a trial for whoever judges it.
///
/// # Errors
/// When it cannot be written.
pub fn leave_trial(dir: &Path, report: &super::trial::Report) -> io::Result<()> {
    let folder = incoming_dir(dir);
    write_durably(&folder, TRIAL_FILE, &serde_json::to_vec(report)?)
}

/// The report that a trial left, which is then gone; it is the agent's word, not more.
#[must_use]
pub fn take_trial(dir: &Path) -> Option<super::trial::Report> {
    let file = incoming_dir(dir).join(TRIAL_FILE);
    let report = bounded(&file).ok().flatten();
    let _stays = std::fs::remove_file(&file);
    serde_json::from_slice(&report?).ok()
}

/// A small file, `None` when there is none; a link is not followed, because root reads here
/// what others may write.
fn bounded(file: &Path) -> io::Result<Option<Vec<u8>>> {
    let no_link = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0);
    let open = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(no_link)
        .open(file);
    let open = match open {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        open => open?,
    };
    let mut bytes = Vec::new();
    open.take(BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

pub(super) fn make_folders(folders: &[&Path]) -> io::Result<()> {
    for folder in folders {
        OsDisk.make_folder(folder)?;
    }
    Ok(())
}

pub(super) fn write_durably(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let part = folder.join(format!("{name}.part"));
    // What lies there may be a link that somebody left.
    OsDisk.remove(&part)?;
    let mut open = OsDisk.create(&part)?;
    open.write(bytes)?;
    open.sync()?;
    OsDisk.rename(&part, &folder.join(name))?;
    OsDisk.sync_folder(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_and_a_damaged_one_is_no_end() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("update");
        assert_eq!(Record::read(&dir).unwrap(), Record::default());
        let mut record = Record {
            current: Some("A".to_owned()),
            ..Record::default()
        };
        for number in 0..60 {
            record.refuse(RefusedBundle {
                sha256: format!("{number}"),
                version: "0.2.0".to_owned(),
                reason: "its signature is wrong".to_owned(),
            });
        }
        assert_eq!(record.refused.len(), REFUSED_MAX);
        assert!(record.refusal("59").is_some() && record.refusal("0").is_none());
        record.keep(&dir).unwrap();
        assert_eq!(Record::read(&dir).unwrap(), record);
        write_durably(&record_dir(&dir), FILE, b"{\"slots\":").unwrap();
        assert!(Record::read(&dir).is_err());
        assert_eq!(Record::read_or_none(&dir), Record::default());
    }

    #[test]
    fn a_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("link");
        std::os::unix::fs::symlink("/etc/passwd", &file).unwrap();
        assert!(bounded(&file).is_err());
        assert!(bounded(&folder.path().join("none")).unwrap().is_none());
    }
}
