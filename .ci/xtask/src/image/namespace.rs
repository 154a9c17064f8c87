//! The user namespace in which an image is put together: files of any owner, programs for arm64, and no rights outside.

use crate::{process, setup};
use anyhow::Result;
use std::path::PathBuf;
use std::process::Command;

/// The room `image` of the repository.
pub(super) fn room() -> PathBuf {
    process::root().join("image")
}

/// A command of the room that runs in the namespace.
pub(super) fn command(script: &str) -> Command {
    let build = room().join("build");
    let mut command = Command::new(build.join("in-namespace"));
    command
        .arg("sh")
        .arg(build.join(script))
        .stdin(std::process::Stdio::null());
    command
}

/// What the namespace needs of this machine.
pub(super) fn ready() -> Result<()> {
    setup::need_image()
}
