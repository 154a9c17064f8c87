//! Counting what passed and what failed, over runners of several languages.

use crate::build::cargo;
use crate::{process, say};
use anyhow::{Context as _, Result, bail};
use std::process::{Command, Stdio};
use std::time::Instant;

/// What passed so far.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) passed: u64,
    pub(super) failed: u64,
    lines: Vec<String>,
}

/// The counts of one runner.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: u64,
    pub(super) failed: u64,
}

impl Tally {
    /// A step that holds or does not.
    pub(super) fn step(&mut self, name: &str, work: impl FnOnce() -> Result<()>) {
        self.counted(name, || {
            work().map(|()| Counts {
                passed: 1,
                failed: 0,
            })
        });
    }

    /// A step with a runner of its own, which counts.
    pub(super) fn counted(&mut self, name: &str, work: impl FnOnce() -> Result<Counts>) {
        say::step(name);
        let start = Instant::now();
        let (counts, verdict) = match work() {
            Ok(counts) if counts.failed == 0 => (counts, "ok".to_owned()),
            Ok(counts) => (counts, "FAILED".to_owned()),
            Err(error) => (
                Counts {
                    passed: 0,
                    failed: 1,
                },
                format!("FAILED: {error:#}"),
            ),
        };
        self.passed += counts.passed;
        self.failed += counts.failed;
        let seconds = start.elapsed().as_secs();
        self.lines.push(format!(
            "  {name:<52} {:>4} passed {seconds:>5} s  {verdict}",
            counts.passed
        ));
        say::line(&format!("{name}: {verdict}"));
    }

    pub(super) fn lines(&self) -> &[String] {
        &self.lines
    }
}

/// All tests of the workspace.
pub(super) fn cargo_tests() -> Result<Counts> {
    let text = shown(&mut cargo(&["test", "--workspace", "--no-fail-fast"]))?;
    let counts = read_cargo(&text);
    if counts.passed == 0 {
        bail!("cargo test did not get as far as a test");
    }
    Ok(counts)
}

/// The web app's unit tests.
pub(super) fn npm_tests() -> Result<Counts> {
    let folder = process::root().join("sync-server/web");
    let text = shown(
        Command::new("npm")
            .args(["run", "--silent", "test"])
            .current_dir(folder),
    )?;
    let counts = read_vitest(&text);
    if counts == Counts::default() {
        bail!("vitest did not get as far as a test");
    }
    Ok(counts)
}

/// Runs a runner, shows its output and gives it back; its exit code is in its counts.
pub(super) fn shown(command: &mut Command) -> Result<String> {
    let child = command
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start the test runner")?;
    let output = child.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    say::line(text.trim_end());
    if !output.status.success() && !text.contains("fail") && !text.contains("FAIL") {
        bail!("the test runner ended with {}", output.status);
    }
    Ok(text)
}

pub(super) fn read_cargo(text: &str) -> Counts {
    let results = text
        .lines()
        .filter(|line| line.starts_with("test result: "));
    results.fold(Counts::default(), |sum, line| Counts {
        passed: sum.passed + number_before(line, " passed"),
        failed: sum.failed + number_before(line, " failed"),
    })
}

fn read_vitest(text: &str) -> Counts {
    let line = text
        .lines()
        .rev()
        .map(plain)
        .find(|line| line.trim_start().starts_with("Tests "));
    let line = line.unwrap_or_default();
    Counts {
        passed: number_before(&line, " passed"),
        failed: number_before(&line, " failed"),
    }
}

/// The number right before `word`, 0 if there is none.
pub(super) fn number_before(line: &str, word: &str) -> u64 {
    let before = line.split_once(word).map_or("", |(before, _)| before);
    let digits = before
        .rsplit(|c: char| !c.is_ascii_digit())
        .next()
        .unwrap_or_default();
    digits.parse().unwrap_or(0)
}

/// Without the colours of a terminal.
fn plain(line: &str) -> String {
    let mut parts = line.split('\x1b');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(part.split_once('m').map_or("", |(_, rest)| rest));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runners_are_counted() {
        let cargo = "test result: ok. 10 passed; 0 failed; 0 ignored\nx\ntest result: FAILED. 3 passed; 2 failed;";
        assert_eq!(
            read_cargo(cargo),
            Counts {
                passed: 13,
                failed: 2
            }
        );
        let vitest = " Test Files  4 passed (4)\n\x1b[2m      Tests \x1b[22m \x1b[1m\x1b[32m31 passed\x1b[39m\x1b[22m (31)";
        assert_eq!(
            read_vitest(vitest),
            Counts {
                passed: 31,
                failed: 0
            }
        );
    }
}
