//! The int8 kernels on the processors of traps, emulated: the same bytes as on this desk, test by test.

use super::tally::{self, Counts};
use crate::aarch64::cross::{self, Cpu};
use crate::{build, say};
use anyhow::{Result, bail};

/// The tests of `trapline-qconv` on a Pi 3 and on a Pi 5; nothing where the cross packages cannot be had.
pub(super) fn run() -> Result<Counts> {
    let cross = match cross::ready() {
        Ok(cross) => cross,
        Err(error) => {
            say::line(&format!("skipped, nothing was emulated: {error:#}"));
            return Ok(Counts::default());
        }
    };
    // Another compiler than the desk's own: in a folder of its own, neither rebuilds what the other built.
    let folder = build::target_folder()?.join("cross");
    let mut sum = Counts::default();
    for cpu in Cpu::ALL {
        say::line(&format!("on an emulated {}:", cpu.name()));
        let mut command = cross.cargo(&["test", "--tests", "-p", "trapline-qconv"], cpu);
        let text = tally::shown(command.env("CARGO_TARGET_DIR", &folder))?;
        let counts = tally::read_cargo(&text);
        if counts.passed == 0 {
            bail!("no test ran on an emulated {}", cpu.name());
        }
        sum.passed += counts.passed;
        sum.failed += counts.failed;
    }
    Ok(sum)
}
