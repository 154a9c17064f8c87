//! Packages of the trap's release as this machine can fetch them: their versions, the lock file that pins them, and
//! single ones unpacked.
//!
//! apt is asked with a configuration of its own, so the lists of the machine stay as they are.

use super::mirror;
use crate::process;
use anyhow::{Context as _, Result};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// apt's view of the trap's release for one architecture.
pub(super) struct Shelf {
    folder: PathBuf,
    configuration: PathBuf,
}

impl Shelf {
    /// Lists are kept in `folder` and brought up to date.
    pub(super) fn open(folder: &Path, architecture: &str) -> Result<Self> {
        for name in ["lists/partial", "archives/partial", "fetched"] {
            std::fs::create_dir_all(folder.join(name))?;
        }
        for name in ["status", "none"] {
            std::fs::write(folder.join(name), "")?;
        }
        std::fs::write(folder.join("sources.list"), mirror::sources()?)?;
        let place = |name: &str| folder.join(name).display().to_string();
        let text = format!(
            "Dir::State \"{}\";\nDir::State::lists \"{}\";\nDir::State::status \"{}\";\nDir::Cache \"{}\";\n\
             Dir::Etc::sourcelist \"{}\";\nDir::Etc::sourceparts \"/dev/null\";\n\
             Dir::Etc::preferences \"{}\";\nDir::Etc::preferencesparts \"/dev/null\";\n\
             APT::Architecture \"{architecture}\";\nAPT::Architectures {{ \"{architecture}\"; }};\n\
             Acquire::Languages \"none\";\nDebug::NoLocking \"1\";\nAPT::Sandbox::User \"root\";\n",
            place(""),
            place("lists"),
            place("status"),
            place(""),
            place("sources.list"),
            place("none"),
        );
        let configuration = folder.join("apt.conf");
        std::fs::write(&configuration, text)?;
        let shelf = Self {
            folder: folder.to_owned(),
            configuration,
        };
        process::output(shelf.apt("apt-get").args(["update", "-qq"]))?;
        Ok(shelf)
    }

    pub(super) fn sources(&self) -> PathBuf {
        self.folder.join("sources.list")
    }

    /// The versions of every package that can be had, the newest first.
    pub(super) fn versions(&self) -> Result<BTreeMap<String, Vec<String>>> {
        let text = process::output(self.apt("apt-cache").arg("dumpavail"))?;
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for paragraph in text.split("\n\n") {
            let field = |name: &str| paragraph.lines().find_map(|line| line.strip_prefix(name));
            if let (Some(name), Some(version)) = (field("Package: "), field("Version: ")) {
                found
                    .entry(name.to_owned())
                    .or_default()
                    .push(version.to_owned());
            }
        }
        Ok(found)
    }

    /// Unpacks exactly this package, without what it depends on.
    pub(super) fn unpack(&self, name: &str, version: &str, into: &Path) -> Result<()> {
        let folder = self
            .folder
            .join("fetched")
            .join(format!("{name}_{version}").replace(':', "%3a"));
        let deb = || -> Result<Option<PathBuf>> {
            let mut entries = std::fs::read_dir(&folder)?.flatten();
            Ok(entries.next().map(|entry| entry.path()))
        };
        std::fs::create_dir_all(&folder)?;
        if deb()?.is_none() {
            let mut command = self.apt("apt-get");
            command.args(["download", "-qq", &format!("{name}={version}")]);
            process::output(command.current_dir(&folder))?;
        }
        let deb = deb()?.with_context(|| format!("no package {name} came"))?;
        std::fs::create_dir_all(into)?;
        process::run(Command::new("dpkg").arg("-x").arg(&deb).arg(into))
    }

    fn apt(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("APT_CONFIG", &self.configuration);
        command
    }
}

/// Names and versions of packages, as the lock file and a package manager's record hold them.
pub(super) type Versions = BTreeMap<String, String>;

/// What a dpkg status file says to be installed.
pub(super) fn installed(status: &str) -> Versions {
    let mut found = Versions::new();
    for paragraph in status.split("\n\n") {
        let field = |name: &str| paragraph.lines().find_map(|line| line.strip_prefix(name));
        let is_there = field("Status: ").is_some_and(|status| status.ends_with(" installed"));
        if let (true, Some(name), Some(version)) =
            (is_there, field("Package: "), field("Version: "))
        {
            found.insert(name.to_owned(), version.to_owned());
        }
    }
    found
}

/// apt's preferences that hold every locked package at its version.
pub(super) fn preferences(locked: &Versions) -> String {
    let mut text = String::new();
    for (name, version) in locked {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "Package: {name}\nPin: version {version}\nPin-Priority: 1001\n"
        );
    }
    text
}

/// What differs between what was locked and what is, a line each.
pub(super) fn differences(locked: &Versions, now: &Versions) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, version) in locked {
        match now.get(name) {
            Some(other) if other != version => lines.push(format!("{name}: {version} -> {other}")),
            Some(_) => {}
            None => lines.push(format!("{name}: {version} is gone")),
        }
    }
    let new = now.iter().filter(|(name, _)| !locked.contains_key(*name));
    lines.extend(new.map(|(name, version)| format!("{name}: {version} is new")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Versions {
        let owned = pairs
            .iter()
            .map(|(name, version)| ((*name).to_owned(), (*version).to_owned()));
        owned.collect()
    }

    #[test]
    fn only_installed_packages_count() {
        let status = "Package: a\nStatus: install ok installed\nVersion: 1-1\n\n\
             Package: b\nStatus: deinstall ok config-files\nVersion: 2\n";
        assert_eq!(installed(status), of(&[("a", "1-1")]));
    }

    #[test]
    fn what_differs_from_the_lock_is_named() {
        let locked = of(&[("a", "1"), ("b", "1"), ("c", "1")]);
        let now = of(&[("a", "1"), ("b", "2"), ("d", "1")]);
        assert_eq!(
            differences(&locked, &now),
            ["b: 1 -> 2", "c: 1 is gone", "d: 1 is new"]
        );
    }

    #[test]
    fn a_lock_becomes_preferences() {
        let text = preferences(&of(&[("a", "1:2-3")]));
        assert_eq!(
            text,
            "Package: a\nPin: version 1:2-3\nPin-Priority: 1001\n\n"
        );
    }
}
