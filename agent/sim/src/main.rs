//! `trapline-sim`: seasons in virtual time, rendered plates, and live traps for the demo.

mod cli;

use clap::Parser as _;
use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            // Nobody is left to tell when this fails as well.
            let _unwritten = writeln!(std::io::stderr(), "trapline-sim: {error:#}");
            ExitCode::FAILURE
        }
    }
}
