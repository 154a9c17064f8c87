//! `trapline-flash`: a card for each trap, written, proved and labelled.

use std::process::ExitCode;

fn main() -> ExitCode {
    trapline_flash::cli::main()
}
