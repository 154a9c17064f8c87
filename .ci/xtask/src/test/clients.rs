//! Upload clients that others wrote: they speak tus, so our server must.

use crate::build::{self, Cast, Profile};
use crate::{process, setup};
use anyhow::Result;
use std::process::Command;

/// tuspy and tus-js-client upload, are cut off in mid-request, resume, and are refused without a key.
pub(super) fn run() -> Result<()> {
    setup::need_python_venv()?;
    let programs = build::programs(Profile::Debug, Cast::All)?;
    let script = process::root().join("sync-server/tests/clients/run.sh");
    process::run(Command::new("sh").arg(script).arg(programs.server))
}
