//! A contestant of a bench as a child process: it says `ready` with its version, then answers one line with one line.

use crate::process::Running;
use anyhow::{Context as _, Result};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

/// A contestant that is ready.
pub(super) struct Talk {
    // Dropped first: the end of its input is what ends it.
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    _process: Running,
}

impl Talk {
    /// Starts it and waits until it is ready; gives its version, or fails with what it says instead.
    pub(super) fn start(name: &'static str, command: &mut Command) -> Result<(Self, String)> {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut process = Running::start(name, command)?;
        let to = process.stdin().context("a contestant without input")?;
        let from = process.stdout().context("a contestant without output")?;
        let mut talk = Self {
            to,
            from: BufReader::new(from),
            _process: process,
        };
        let greeting = talk.line()?;
        match greeting.split_once(' ').unwrap_or((&greeting, "")) {
            ("ready", version) => Ok((talk, version.to_owned())),
            (_, why) => anyhow::bail!("{why}"),
        }
    }

    /// Says a line and waits for the answer.
    pub(super) fn ask(&mut self, line: &str) -> Result<String> {
        writeln!(self.to, "{line}").context("it ended")?;
        self.line()
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        let bytes = self.from.read_line(&mut line)?;
        anyhow::ensure!(bytes > 0, "it ended without an answer");
        Ok(line.trim().to_owned())
    }
}
