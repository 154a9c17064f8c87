//! Building for arm64 and running what was built under the emulator.

use crate::{build, process, setup};
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The target's name, and its folder below the target folder.
pub(crate) const TARGET: &str = "aarch64-unknown-linux-gnu";

/// The processors that traps have, as the emulator calls them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cpu {
    /// Pi 3 and Zero 2 W; the A72 of the Pi 4 knows the same instructions: no dot product.
    A53,
    /// Pi 5: has the dot product.
    A76,
}

impl Cpu {
    pub(crate) const ALL: [Self; 2] = [Self::A53, Self::A76];

    /// The emulator's word for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::A53 => "cortex-a53",
            Self::A76 => "cortex-a76",
        }
    }

    /// The inference library's word for it, in its own environment variable. On a Pi it reads the kind from
    /// /proc/cpuinfo, where an emulated program sees the desk's processor.
    pub(crate) fn for_library(self) -> (&'static str, &'static str) {
        let kind = match self {
            Self::A53 => "a53",
            Self::A76 => "a76",
        };
        ("TRACT_CPU_AARCH64_KIND", kind)
    }
}

/// A compiler that can build for arm64.
pub(crate) struct Cross {
    cargo: PathBuf,
    rustc: PathBuf,
}

/// Finds or installs what cross-building and emulation take.
pub(crate) fn ready() -> Result<Cross> {
    setup::need_cross(compiler().is_some())?;
    match compiler() {
        Some(cross) => Ok(cross),
        None => bail!("no Rust compiler on this machine has a standard library for {TARGET}"),
    }
}

/// The compiler that runs this tool if it has the target (`rustup target add`), else Debian's.
fn compiler() -> Option<Cross> {
    let ours = Path::new(env!("CARGO"));
    let debians = Path::new("/usr/bin/cargo");
    let mut pairs = [ours, debians]
        .map(|cargo| (cargo, cargo.with_file_name("rustc")))
        .into_iter();
    let (cargo, rustc) = pairs.find(|(_, rustc)| has_target(rustc, TARGET))?;
    Some(Cross {
        cargo: cargo.to_owned(),
        rustc,
    })
}

/// The line that builds the agent for a Pi at a terminal.
pub(crate) fn by_hand() -> String {
    let build = format!("build -p trapline-agent --features pi --target {TARGET}");
    match compiler() {
        Some(cross) if cross.cargo != Path::new(env!("CARGO")) => format!(
            "RUSTC={} {} {build}",
            cross.rustc.display(),
            cross.cargo.display()
        ),
        _ => format!("cargo {build}"),
    }
}

/// Whether this compiler has a standard library for `target`.
pub(crate) fn has_target(rustc: &Path, target: &str) -> bool {
    let mut command = Command::new(rustc);
    command.args(["--print", "target-libdir", "--target", target]);
    let Ok(folder) = process::output(&mut command) else {
        return false;
    };
    let Ok(entries) = std::fs::read_dir(folder.trim()) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with("libstd-") && name.ends_with(".rlib")
    })
}

impl Cross {
    /// A cargo command in the root of the repository that builds for arm64; programs and tests run on `cpu`.
    pub(crate) fn cargo(&self, words: &[&str], cpu: Cpu) -> Command {
        let mut command = Command::new(&self.cargo);
        command
            .current_dir(process::root())
            .args(words)
            .args(["--target", TARGET])
            .env("RUSTC", &self.rustc)
            // Cargo asks a compiler about itself through its input, and must find nothing there.
            .stdin(std::process::Stdio::null())
            .env("QEMU_CPU", cpu.name());
        build::forget_this_package(&mut command);
        command
    }
}
