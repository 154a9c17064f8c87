//! Debian's own judge of packages.

use crate::{process, say, setup};
use anyhow::{Context as _, Result, bail};
use std::path::PathBuf;
use std::process::Command;

/// Warnings are shown and errors are refused.
pub(super) fn check(packages: &[PathBuf]) -> Result<()> {
    setup::need_lintian()?;
    let mut command = Command::new("lintian");
    command
        .args([
            "--fail-on",
            "error",
            "--tag-display-limit",
            "0",
            "--show-overrides",
        ])
        .args(packages);
    // Started by root it says so each time.
    if process::output(Command::new("id").arg("-u"))?.trim() == "0" {
        command.arg("--allow-root");
    }
    let output = command.output().context("cannot start lintian")?;
    let text = String::from_utf8_lossy(&output.stdout);
    say::line(text.trim_end());
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!("lintian refuses the packages: {}", complaint.trim());
    }
    let warnings = text.lines().filter(|line| line.starts_with("W:")).count();
    say::line(&format!("lintian: no errors, {warnings} warnings"));
    Ok(())
}
