//! `trapline-agent`: see `trapline-agent --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    trapline_agent::cli::main()
}
