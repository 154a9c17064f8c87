//! A capture's time against the camera's own.

use super::parts::Parts;
use crate::cli::RigMeasureArgs;
use anyhow::{Result, bail};

pub(super) fn run(_parts: &Parts, args: &RigMeasureArgs) -> Result<()> {
    bail!("cannot measure {} captures yet", args.captures)
}
