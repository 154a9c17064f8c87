//! What is said on standard output.

use anyhow::Context as _;
use serde::Serialize;
use std::fmt::Display;
use std::io::{ErrorKind, Write as _};

/// Prints; a reader that has seen enough, like `head`, is no error.
pub(super) fn say(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("cannot print"),
        _ => Ok(()),
    }
}

/// Prints a report in words, or as one JSON object for programs.
pub(super) fn report(report: &(impl Serialize + Display), json: bool) -> anyhow::Result<()> {
    if json {
        say(&format!("{}\n", serde_json::to_string_pretty(report)?))
    } else {
        say(&report.to_string())
    }
}
