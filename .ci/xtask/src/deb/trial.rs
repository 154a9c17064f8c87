//! Packages installed, upgraded, removed and purged, in a copy of this system that is thrown away.

use crate::{build, process, trap};
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

const SCRIPT: &str = include_str!("trial.sh");
/// Drawn or photographed, whichever is at hand first.
const PICTURES: &str = "../shared/data/sticky-traps/images/val";

/// Runs the trial with the packages of agent and server.
pub(super) fn run(packages: &[PathBuf]) -> Result<()> {
    let [_, _] = packages else {
        bail!("both packages are tried together: leave out `--only`");
    };
    let folder = build::target_folder()?.join("deb-work/trial");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    for package in packages {
        std::fs::copy(
            package,
            folder.join(package.file_name().unwrap_or_default()),
        )?;
    }
    let script = folder.join("trial.sh");
    std::fs::write(&script, SCRIPT)?;
    process::run(
        Command::new("sh")
            .arg(&script)
            .arg(&folder)
            .arg(picture(&folder)?),
    )
}

/// A picture for the trap to take.
fn picture(folder: &Path) -> Result<PathBuf> {
    let photographs = trap::jpegs(&process::root().join(PICTURES)).unwrap_or_default();
    if let Some(photograph) = photographs.into_iter().next() {
        return Ok(photograph);
    }
    let programs = build::programs(build::Profile::Debug, build::Cast::Simulated)?;
    let drawn = folder.join("drawn");
    let mut command = Command::new(&programs.sim);
    command.arg("plates").arg(&drawn);
    process::output(command.args(["--count", "1", "--size", "1280x720", "--seed", "3"]))?;
    match trap::jpegs(&drawn)?.into_iter().next() {
        Some(picture) => Ok(picture),
        None => bail!("the simulation drew nothing"),
    }
}
