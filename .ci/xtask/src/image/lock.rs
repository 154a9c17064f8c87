//! `image/packages.lock`: the versions of all packages of an image and of the tools that made it.
//!
//! A line is `root|tools|boot NAME VERSION`. A mirror keeps only the newest version of a package, so a lock ages: what
//! it names and the mirror no longer has is said, and refused with `--locked`.

use super::shelf::Versions;
use anyhow::{Context as _, Result, bail};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What a package is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// The trap's root file system.
    Root,
    /// The tools that put the image together.
    Tools,
    /// U-Boot.
    Boot,
}

impl Part {
    const ALL: [Self; 3] = [Self::Root, Self::Tools, Self::Boot];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Tools => "tools",
            Self::Boot => "boot",
        }
    }
}

/// The lock, by part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Lock {
    parts: BTreeMap<Part, Versions>,
}

impl Lock {
    pub(super) fn path() -> PathBuf {
        crate::process::root().join("image/packages.lock")
    }

    /// The lock of the repository; empty where there is none.
    pub(super) fn read() -> Result<Self> {
        match std::fs::read_to_string(Self::path()) {
            Ok(text) => Self::parse(&text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).context("cannot read image/packages.lock"),
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let mut lock = Self::default();
        for line in text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty())
        {
            let words: Vec<&str> = line.split(' ').collect();
            let &[part, name, version] = words.as_slice() else {
                bail!("image/packages.lock: `{line}` is not `PART NAME VERSION`");
            };
            let part = Part::ALL.into_iter().find(|known| known.word() == part);
            let part = part.with_context(|| format!("image/packages.lock: no part in `{line}`"))?;
            let versions = lock.parts.entry(part).or_default();
            versions.insert(name.to_owned(), version.to_owned());
        }
        Ok(lock)
    }

    pub(super) fn text(&self) -> String {
        let mut text = "# Versions of all packages of an image and of the tools that make it; `cargo xtask image \
             --relock` writes them anew.\n"
            .to_owned();
        for (part, versions) in &self.parts {
            for (name, version) in versions {
                text.push_str(&format!("{} {name} {version}\n", part.word()));
            }
        }
        text
    }

    pub(super) fn of(&self, part: Part) -> Versions {
        self.parts.get(&part).cloned().unwrap_or_default()
    }

    pub(super) fn set(&mut self, part: Part, versions: Versions) {
        self.parts.insert(part, versions);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_read_as_it_was_written() {
        let text = "root base-files 13.8\nboot u-boot-rpi 2025.01-3\n";
        let lock = Lock::parse(text).unwrap();
        assert_eq!(lock.of(Part::Root).len(), 1);
        assert_eq!(Lock::parse(&lock.text()).unwrap(), lock);
        assert!(Lock::parse("root base-files").is_err());
        assert!(Lock::parse("moon base-files 1").is_err());
    }
}
