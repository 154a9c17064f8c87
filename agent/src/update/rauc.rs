//! RAUC, asked by its own program: what lies in the slots, and what is to become of them.

use anyhow::{Context as _, bail};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The most of RAUC's words that goes into a reason.
const WORDS_CHARS_MAX: usize = 400;

/// RAUC's program.
#[derive(Debug, Clone)]
pub struct Rauc {
    program: PathBuf,
}

/// What lies in a slot that can be started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Slot {
    /// RAUC's name for it, as `rootfs.0`.
    pub name: String,
    /// The boot loader's, as `A`.
    pub boot_name: String,
    /// What was written into it, so that something else is told apart; `factory` when nothing was.
    pub content: String,
    /// The version of that, empty when it is not known.
    pub version: String,
    /// The boot loader would start it.
    pub is_bootable: bool,
    /// It runs.
    pub is_booted: bool,
}

impl Rauc {
    /// The program of this name or path.
    #[must_use]
    pub fn new(program: &Path) -> Self {
        Self {
            program: program.to_owned(),
        }
    }

    /// Every slot that can be started.
    ///
    /// # Errors
    /// When RAUC does not answer, or not so.
    pub fn slots(&self) -> anyhow::Result<Vec<Slot>> {
        let text = self.say(&["status", "--detailed", "--output-format=json"])?;
        slots_of(&text).context("what `rauc status` says is not understood")
    }

    /// The running slot is good: the boot loader's count starts anew.
    ///
    /// # Errors
    /// When RAUC does not do it.
    pub fn mark_good(&self) -> anyhow::Result<()> {
        self.say(&["status", "mark-good", "booted"]).map(drop)
    }

    /// This slot is not started any more.
    ///
    /// # Errors
    /// When RAUC does not do it.
    pub fn mark_bad(&self, slot: &Slot) -> anyhow::Result<()> {
        self.say(&["status", "mark-bad", &slot.name]).map(drop)
    }

    /// This slot is started next, with all its tries.
    ///
    /// # Errors
    /// When RAUC does not do it.
    pub fn mark_active(&self, slot: &Slot) -> anyhow::Result<()> {
        self.say(&["status", "mark-active", &slot.name]).map(drop)
    }

    /// The version of a bundle, whose signature is proved for that.
    ///
    /// # Errors
    /// Why RAUC does not take it.
    pub fn version_of(&self, bundle: &Path) -> anyhow::Result<String> {
        let file = bundle.to_string_lossy();
        let text = self.say(&["info", "--output-format=json", &file])?;
        let said: SaidBundle =
            serde_json::from_str(&text).context("what `rauc info` says is not understood")?;
        Ok(said.version.unwrap_or_default())
    }

    /// Writes a bundle into the slot that does not run, and lets the next start take that.
    ///
    /// # Errors
    /// Why RAUC did not.
    pub fn install(&self, bundle: &Path) -> anyhow::Result<()> {
        let file = bundle.to_string_lossy();
        self.say(&["install", &file]).map(drop)
    }

    fn say(&self, words: &[&str]) -> anyhow::Result<String> {
        let said = Command::new(&self.program).args(words).output();
        let said = said.with_context(|| format!("{} cannot be started", self.program.display()))?;
        if !said.status.success() {
            let (what, why) = (words.first().copied(), last_words(&said.stderr));
            bail!("`rauc {}` failed: {why}", what.unwrap_or_default());
        }
        Ok(String::from_utf8_lossy(&said.stdout).into_owned())
    }
}

/// The end of what a program complained, on one line.
fn last_words(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let skip = words.chars().count().saturating_sub(WORDS_CHARS_MAX);
    words.chars().skip(skip).collect()
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    slots: Vec<BTreeMap<String, SaidSlot>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SaidSlot {
    bootname: Option<String>,
    state: Option<String>,
    boot_status: Option<String>,
    slot_status: SaidStatus,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SaidStatus {
    bundle: SaidBundle,
    checksum: SaidChecksum,
    installed: SaidInstalled,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SaidBundle {
    version: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SaidChecksum {
    sha256: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SaidInstalled {
    timestamp: Option<String>,
}

fn slots_of(text: &str) -> anyhow::Result<Vec<Slot>> {
    let said: Said = serde_json::from_str(text)?;
    let slots = said.slots.into_iter().flatten();
    let slots = slots.filter_map(|(name, slot)| {
        let status = slot.slot_status;
        let (sha256, at) = (status.checksum.sha256, status.installed.timestamp);
        let content = match (sha256, at) {
            (None, None) => "factory".to_owned(),
            // The same bundle again is an installation that has to prove itself, too.
            (sha256, at) => format!("{} {}", sha256.unwrap_or_default(), at.unwrap_or_default()),
        };
        Some(Slot {
            name,
            boot_name: slot.bootname.filter(|name| !name.is_empty())?,
            content,
            version: status.bundle.version.unwrap_or_default(),
            is_bootable: slot.boot_status.as_deref() == Some("good"),
            is_booted: slot.state.as_deref() == Some("booted"),
        })
    });
    Ok(slots.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rauc_says_of_its_slots_is_understood() {
        let text = r#"{"compatible":"trapline","variant":"","booted":"A",
            "boot_primary":"rootfs.1","slots":[
            {"rootfs.1":{"class":"rootfs","device":"vda3","type":"ext4","bootname":"B",
              "state":"inactive","parent":null,"mountpoint":null,"boot_status":"good",
              "slot_status":{"bundle":{"compatible":"trapline","version":"0.2.0"},
                "checksum":{"sha256":"abc","size":5},
                "installed":{"timestamp":"2026-06-01T00:00:00Z","count":1},"status":"ok"}}},
            {"rootfs.0":{"class":"rootfs","device":"vda2","type":"ext4","bootname":"A",
              "state":"booted","parent":null,"mountpoint":"/","boot_status":"bad"}},
            {"data.0":{"class":"data","device":"vda4","type":"ext4","bootname":null,
              "state":"inactive","boot_status":null,"slot_status":{}}}]}"#;
        let slots = slots_of(text).unwrap();
        let [b, a] = slots.as_slice() else {
            panic!("{slots:?}");
        };
        assert_eq!((b.boot_name.as_str(), b.version.as_str()), ("B", "0.2.0"));
        assert_eq!(b.content, "abc 2026-06-01T00:00:00Z");
        assert!(b.is_bootable && !b.is_booted);
        assert_eq!(
            (a.name.as_str(), a.content.as_str()),
            ("rootfs.0", "factory")
        );
        assert!(a.is_booted && !a.is_bootable);
        assert!(slots_of("Failed to connect").is_err());
    }
}
