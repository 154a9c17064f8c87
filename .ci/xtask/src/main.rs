//! `cargo xtask …`: everything that builds, checks, measures or demonstrates
//! Trapline, so that a job in CI and a line in the README are the same words.
#![expect(
    clippy::disallowed_methods,
    reason = "a tool of the workbench: real time, and nothing that must survive a power cut"
)]

mod aarch64;
mod bench;
mod boot_test;
mod budgets;
mod build;
mod chance;
mod cli;
mod crash;
mod cross;
mod deb;
mod demo;
mod emulator;
mod image;
mod machine;
mod model;
mod packages;
mod process;
mod rig;
mod say;
mod setup;
mod test;
mod tidy;
mod trap;

fn main() -> std::process::ExitCode {
    match cli::run() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            say::failure(&format!("{error:#}"));
            std::process::ExitCode::FAILURE
        }
    }
}
