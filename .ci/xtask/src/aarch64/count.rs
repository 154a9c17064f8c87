//! How many instructions a program runs on an emulated processor, exactly.

use super::cross::Cpu;
use crate::{process, setup};
use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The emulator with its counting plugin.
pub(crate) struct Counter {
    plugin: PathBuf,
    count: PathBuf,
}

impl Counter {
    /// Compiles the plugin into `folder`.
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        setup::need_c_compiler()?;
        std::fs::create_dir_all(folder)?;
        let plugin = folder.join("count.so");
        let source = process::root().join(".ci/xtask/src/aarch64/count.c");
        process::run(
            Command::new("cc")
                .args(["-O2", "-shared", "-fPIC"])
                .arg(format!("-DDIALECT={}", dialect()?))
                .arg("-o")
                .arg(&plugin)
                .arg(source),
        )?;
        let count = folder.join("count.txt");
        Ok(Self { plugin, count })
    }

    /// Runs `program` with `words` on `cpu`; what it printed, and its instructions from start to end.
    pub(crate) fn run(&self, program: &Path, words: &[&str], cpu: Cpu) -> Result<(String, u64)> {
        drop(std::fs::remove_file(&self.count));
        let plugin = format!(
            "file={},out={}",
            self.plugin.display(),
            self.count.display()
        );
        let mut command = Command::new("qemu-aarch64");
        let (key, kind) = cpu.for_library();
        command.args(["-cpu", cpu.name(), "-plugin", &plugin]);
        command.env(key, kind);
        let printed = process::output(command.arg(program).args(words))?;
        let count = std::fs::read_to_string(&self.count).context("the emulator left no count")?;
        Ok((printed, count.trim().parse()?))
    }
}

/// The plugin interface of the installed emulator: QEMU 9 dropped the first one.
fn dialect() -> Result<u32> {
    let text = process::output(Command::new("qemu-aarch64").arg("--version"))?;
    Ok(if major_version(&text) >= 9 { 2 } else { 1 })
}

fn major_version(text: &str) -> u32 {
    let version = text.split("version ").nth(1).unwrap_or_default();
    let major = version.split('.').next().unwrap_or_default();
    major.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_emulators_version_is_read() {
        let debian = "qemu-aarch64 version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)\nCopyright";
        assert_eq!(major_version(debian), 7);
        assert_eq!(major_version("qemu-aarch64 version 10.0.2"), 10);
        assert_eq!(major_version("something else"), 0);
    }
}
