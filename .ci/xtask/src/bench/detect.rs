//! `cargo xtask bench detect`: the detector's network beside other people's engines, and its instructions on a Pi.

use crate::cli::BenchDetectArgs;
use anyhow::{Result, bail};

pub(crate) fn run(args: &BenchDetectArgs) -> Result<()> {
    bail!(
        "the engines to measure are not here yet (json: {}, quick: {})",
        args.json,
        args.quick
    )
}
