//! Debian's packages, unpacked into a folder of the project's own and never installed.
//!
//! So nothing on the desk changes, nothing there is in the way (a machine with a newer `qemu-utils` refuses this
//! release's `qemu-system-arm`), and no rights are needed.

use crate::{process, say};
use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What this machine's package manager can fetch, kept in a folder.
pub(crate) struct Packages {
    kept: PathBuf,
}

impl Packages {
    /// Packages are kept in `folder`, so that each is fetched once.
    pub(crate) fn kept_in(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder.join("partial"))?;
        Ok(Self {
            kept: folder.to_owned(),
        })
    }

    /// Unpacks programs with everything that they need and this machine has not.
    pub(crate) fn programs(&self, names: &[&str], into: &Path) -> Result<()> {
        say::line(&format!(
            "fetching {}, to be unpacked only",
            names.join(", ")
        ));
        let status = self.kept.join("status");
        std::fs::write(&status, installed_but_emulators()?)?;
        let folder = self.kept.join("programs");
        std::fs::create_dir_all(folder.join("partial"))?;
        let mut command = Command::new("apt-get");
        command
            .args([
                "install",
                "-qq",
                "-y",
                "--download-only",
                "--no-install-recommends",
            ])
            .args(["-o", "Debug::NoLocking=1"])
            .args(["-o", &format!("Dir::State::status={}", status.display())])
            .args(["-o", &format!("Dir::Cache::archives={}", folder.display())])
            .args(names);
        process::output(&mut command)?;
        for deb in debs(&folder)? {
            unpack(&deb, into)?;
        }
        Ok(())
    }

    /// Unpacks exactly these packages, without what they depend on.
    pub(crate) fn alone(&self, names: &[&str], into: &Path) -> Result<()> {
        say::line(&format!(
            "fetching {}, to be unpacked only",
            names.join(", ")
        ));
        for name in names {
            let folder = self.kept.join(name.replace([':', '='], "_"));
            if debs(&folder).is_ok_and(|debs| debs.is_empty()) || !folder.exists() {
                std::fs::create_dir_all(&folder)?;
                let mut command = Command::new("apt-get");
                command.args(["download", "-qq", name]).current_dir(&folder);
                process::output(&mut command)?;
            }
            let deb = debs(&folder)?.pop();
            unpack(
                &deb.with_context(|| format!("no package {name} came"))?,
                into,
            )?;
        }
        Ok(())
    }
}

/// The newest arm64 kernel of the 6.12 line, by its package's name behind `linux-image-`, and its version.
pub(crate) fn kernel() -> Result<(String, String)> {
    let mut command = Command::new("apt-cache");
    command.args([
        "search",
        "--names-only",
        r"^linux-headers-6\.12\.[0-9]+\+deb[0-9]+-arm64$",
    ]);
    let text = process::output(&mut command)?;
    let releases = text.lines().filter_map(|line| {
        let name = line
            .split([' ', ':'])
            .next()?
            .strip_prefix("linux-headers-")?;
        let number = name.strip_prefix("6.12.")?.split('+').next()?;
        Some((number.parse::<u32>().ok()?, name.to_owned()))
    });
    let Some((_, release)) = releases.max() else {
        bail!("Debian's package lists name no arm64 kernel of the 6.12 line");
    };
    let package = format!("linux-image-{release}:arm64");
    let policy = process::output(Command::new("apt-cache").args(["policy", &package]))?;
    let candidate = policy
        .lines()
        .find_map(|line| line.trim().strip_prefix("Candidate: "));
    let version = candidate.filter(|version| *version != "(none)");
    let version = version.with_context(|| format!("{package} cannot be had"))?;
    Ok((release, version.to_owned()))
}

/// What dpkg knows to be installed, less the emulators: theirs may be of another release than what is wanted.
fn installed_but_emulators() -> Result<String> {
    let all = std::fs::read_to_string("/var/lib/dpkg/status")
        .context("this is made from Debian's packages, and this machine has no dpkg")?;
    let others = all
        .split("\n\n")
        .filter(|package| !package.starts_with("Package: qemu"));
    Ok(others.collect::<Vec<_>>().join("\n\n"))
}

fn debs(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "deb"));
    files.sort();
    Ok(files)
}

fn unpack(deb: &Path, into: &Path) -> Result<()> {
    std::fs::create_dir_all(into)?;
    process::run(Command::new("dpkg").arg("-x").arg(deb).arg(into))
}
