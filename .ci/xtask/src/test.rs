//! `cargo xtask test`: everything that must hold, in one command.

mod browser;
mod clients;
mod emulated;
mod rig;
mod tally;
mod units;

use crate::build::{self, Cast, Profile, cargo};
use crate::cli::{CrashArgs, TestArgs};
use crate::{crash, process, say, setup, tidy};
use anyhow::{Result, bail};
use tally::Tally;

pub(crate) fn run(args: &TestArgs) -> Result<()> {
    let mut tally = Tally::default();
    setup::need_node()?;
    setup::need_c_compiler()?;
    setup::need_bindings()?;
    tally.step("formatting", || {
        process::run(&mut cargo(&["fmt", "--all", "--check"]))
    });
    // Before clippy, because the server embeds what this builds.
    tally.step("the web app: packages, build", build::web);
    tally.step("the web app: types and lint", || {
        build::npm(&["run", "--silent", "check"])
    });
    tally.counted("the web app: tests", tally::npm_tests);
    tally.step("clippy", || {
        process::run(&mut cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]))
    });
    tally.step("clippy of what needs a Pi", || {
        process::run(&mut cargo(&[
            "clippy",
            "-p",
            "trapline-hal",
            "-p",
            "trapline-agent",
            "--features",
            "trapline-hal/pi,trapline-agent/pi",
            "--",
            "-D",
            "warnings",
        ]))
    });
    tally.step("tidy", || tidy::run(false));
    tally.counted("units of the services", units::run);
    tally.counted("tests of all crates", tally::cargo_tests);
    tally.counted("the int8 kernels on emulated Pis", emulated::run);
    tally.step("the programs", || {
        build::programs(Profile::Debug, Cast::All).map(drop)
    });
    tally.counted("an emulated trap: a short set of scenarios", rig::run);
    tally.step("power cuts: the real programs killed and audited", || {
        crash::run(&CrashArgs {
            agent_kills: 8,
            server_kills: 2,
            minutes: 10,
            seed: 1,
            release: false,
        })
    });
    if !args.quick {
        tally.step("foreign upload clients", clients::run);
        tally.counted("the web app in a real browser", browser::run);
    }
    say::step("summary");
    for line in tally.lines() {
        say::line(line);
    }
    say::line(&format!(
        "\n{} passed, {} failed",
        tally.passed, tally.failed
    ));
    if tally.failed > 0 {
        bail!("not everything holds");
    }
    Ok(())
}
