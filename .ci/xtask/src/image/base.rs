//! The slow parts of an image, made once and kept: the packages of the root file system, and the tools.

use super::lock::{Lock, Part};
use super::shelf::{Shelf, Versions, differences, installed, preferences};
use super::{mirror, namespace};
use crate::{process, say};
use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// All archives carry this time, whatever they are made on; the image's own time is set when it is put together.
const EPOCH: &str = "1750000000";

/// A Debian that lies ready as an archive.
pub(super) struct Base {
    pub(super) archive: PathBuf,
    pub(super) versions: Versions,
}

/// What a base is made of.
pub(super) struct Recipe<'a> {
    pub(super) part: Part,
    pub(super) architecture: &'a str,
    /// File in the room `image` with one package a line.
    pub(super) list: &'a str,
    pub(super) shelf: &'a Shelf,
    pub(super) available: &'a std::collections::BTreeMap<String, Vec<String>>,
}

impl Recipe<'_> {
    /// Finds the archive of exactly these packages, or makes it.
    pub(super) fn ready(&self, kept: &Path, lock: &Lock, must_match: bool) -> Result<Base> {
        let locked = self.pinned(&lock.of(self.part), must_match)?;
        let listed = packages(&std::fs::read_to_string(namespace::room().join(self.list))?);
        let pins = preferences(&locked);
        let script = std::fs::read_to_string(namespace::room().join("build/bootstrap.sh"))?;
        let newest = self.newest(&locked);
        let name = self.part.word();
        let key = key(&[
            self.architecture,
            &listed.join(","),
            &pins,
            &script,
            &newest,
        ]);
        let archive = kept.join(format!("{name}-{key}.tar"));
        if !archive.exists() {
            self.make(&archive, &listed, &pins)?;
        }
        let status = process::output(
            Command::new("tar")
                .args(["-xOf"])
                .arg(&archive)
                .arg("./var/lib/dpkg/status"),
        )?;
        let versions = installed(&status);
        let different = differences(&lock.of(self.part), &versions);
        if !lock.of(self.part).is_empty() && !different.is_empty() {
            if must_match {
                bail!(
                    "{name} differs from image/packages.lock:\n{}",
                    different.join("\n")
                );
            }
            say::line(&format!("{name} differs from image/packages.lock:"));
            different
                .iter()
                .for_each(|line| say::line(&format!("  {line}")));
        }
        Ok(Base { archive, versions })
    }

    /// The locked versions that can be had; an error, or words, about the others.
    fn pinned(&self, locked: &Versions, must_match: bool) -> Result<Versions> {
        let has = |name: &str, version: &str| {
            let versions = self.available.get(name);
            versions.is_some_and(|versions| versions.iter().any(|one| one == version))
        };
        let mut gone = Vec::new();
        let mut pinned = Versions::new();
        for (name, version) in locked {
            if has(name, version) {
                pinned.insert(name.clone(), version.clone());
            } else {
                gone.push(format!("{name} {version}"));
            }
        }
        if gone.is_empty() {
            return Ok(pinned);
        }
        let text = format!("the mirror no longer has {}", gone.join(", "));
        if must_match {
            bail!("{text}; `--locked` takes nothing newer");
        }
        say::line(&format!("{text}; taking newer ones"));
        Ok(pinned)
    }

    /// What an unpinned package would be: a mirror that moved on makes another base.
    fn newest(&self, pinned: &Versions) -> String {
        let free = self
            .available
            .iter()
            .filter(|(name, _)| !pinned.contains_key(*name));
        // With a lock only its own names matter; without one, all that the release has.
        let lines = free.filter(|_| pinned.is_empty());
        lines
            .filter_map(|(name, versions)| Some(format!("{name} {}\n", versions.first()?)))
            .collect()
    }

    fn make(&self, archive: &Path, listed: &[String], pins: &str) -> Result<()> {
        let started = Instant::now();
        let name = self.part.word();
        say::line(&format!(
            "{name}: {} packages and what they need",
            listed.len()
        ));
        let preferences = archive.with_extension("preferences");
        std::fs::write(&preferences, pins)?;
        let mut command = namespace::command("bootstrap.sh");
        command
            .arg(archive)
            .args([self.architecture, mirror::SUITE])
            .arg(self.shelf.sources())
            .arg(&preferences)
            .arg(listed.join(","))
            .env("SOURCE_DATE_EPOCH", EPOCH);
        process::run(&mut command).with_context(|| format!("{name} could not be made"))?;
        say::line(&format!("{name} made in {} s", started.elapsed().as_secs()));
        Ok(())
    }
}

/// The packages that a list names.
fn packages(list: &str) -> Vec<String> {
    let lines = list.lines().filter_map(|line| line.split('#').next());
    lines
        .map(|line| line.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

/// A short name for what decides the bytes.
pub(super) fn key(texts: &[&str]) -> String {
    let mut all = Sha256::new();
    for text in texts {
        all.update(text.as_bytes());
        all.update([0]);
    }
    let bytes = all.finalize();
    bytes
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_packages_and_says_why() {
        let list = "# the system\nsystemd\n\ndosfstools   # checked at boot\n";
        assert_eq!(packages(list), ["systemd", "dosfstools"]);
    }
}
