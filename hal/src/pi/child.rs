//! A program of the system's as a child with a deadline: one that hangs is
//! killed, and what it says is kept only so far.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::time::{ClockId, clock_gettime};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};

/// A program that says more than this is not the one that was meant.
const SAID_BYTES_MAX: usize = 64 * 1024;
/// How long between two looks whether it ended, once its pipe is closed.
const LOOK_MS: u64 = 5;

/// Why a child did not do its work.
#[derive(Debug)]
pub(super) enum ChildFailure {
    /// There is no such program.
    NotInstalled,
    /// It was still busy at its deadline and was killed.
    TooLate,
    /// It ended with a failure, complaining like this.
    Failed(String),
    /// The system did not let it run, or lost it.
    Lost(io::Error),
}

/// Runs `command` for at most `deadline_ms` and gives what it wrote.
pub(super) fn output(command: &mut Command, deadline_ms: u64) -> Result<String, ChildFailure> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|e| {
        if e.kind() == io::ErrorKind::NotFound {
            ChildFailure::NotInstalled
        } else {
            ChildFailure::Lost(e)
        }
    })?;
    let ended = watch(&mut child, monotonic_ms().saturating_add(deadline_ms));
    // After a good end there is nothing left to kill.
    drop(child.kill());
    drop(child.wait());
    ended
}

/// Follows the child to its end. Its complaints are short, so they wait in
/// their pipe until its output is closed.
fn watch(child: &mut Child, deadline_ms: u64) -> Result<String, ChildFailure> {
    let said = read_until(child.stdout.take(), deadline_ms)?;
    let complaint = read_until(child.stderr.take(), deadline_ms)?;
    while monotonic_ms() < deadline_ms {
        let Some(status) = child.try_wait().map_err(ChildFailure::Lost)? else {
            // Waiting for nothing but time; a signal only makes the next look come earlier.
            poll(&mut [], Some(&timespec(LOOK_MS))).ok();
            continue;
        };
        if status.success() {
            return Ok(said);
        }
        let last = complaint.lines().rev().find(|line| !line.trim().is_empty());
        let complaint = last.unwrap_or("it said nothing").trim();
        return Err(ChildFailure::Failed(format!("{status}: {complaint}")));
    }
    Err(ChildFailure::TooLate)
}

fn read_until(pipe: Option<impl Read + AsFd>, deadline_ms: u64) -> Result<String, ChildFailure> {
    let lost = |e: Errno| ChildFailure::Lost(e.into());
    let mut pipe = pipe.ok_or_else(|| lost(Errno::PIPE))?;
    let mut bytes = Vec::new();
    let mut chunk = [0; 1024];
    while bytes.len() < SAID_BYTES_MAX {
        let left_ms = deadline_ms.saturating_sub(monotonic_ms());
        if left_ms == 0 {
            return Err(ChildFailure::TooLate);
        }
        let mut watched = [PollFd::new(&pipe, PollFlags::IN)];
        match poll(&mut watched, Some(&timespec(left_ms))) {
            Ok(0) | Err(Errno::INTR) => continue,
            Ok(_) => {}
            Err(e) => return Err(lost(e)),
        }
        let count = pipe.read(&mut chunk).map_err(ChildFailure::Lost)?;
        match chunk.get(..count) {
            Some([]) | None => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Some(more) => bytes.extend_from_slice(more),
        }
    }
    Err(ChildFailure::Failed("it said far too much".to_owned()))
}

fn timespec(ms: u64) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(ms / 1_000).unwrap_or(i64::MAX),
        tv_nsec: i64::try_from(ms % 1_000 * 1_000_000).unwrap_or(0),
    }
}

/// A clock that never jumps.
pub(super) fn monotonic_ms() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let ms = now
        .tv_sec
        .saturating_mul(1_000)
        .saturating_add(now.tv_nsec / 1_000_000);
    u64::try_from(ms).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, deadline_ms: u64) -> Result<String, ChildFailure> {
        output(Command::new("/bin/sh").args(["-c", script]), deadline_ms)
    }

    #[test]
    fn what_it_says_is_kept_and_what_it_complains_is_told() {
        assert_eq!(sh("echo well", 20_000).unwrap(), "well\n");
        let failed = sh("echo first >&2; echo no clock >&2; exit 3", 20_000);
        assert!(
            matches!(&failed, Err(ChildFailure::Failed(words)) if words.ends_with("3: no clock")),
            "{failed:?}"
        );
        let endless = sh("yes", 20_000);
        assert!(matches!(&endless, Err(ChildFailure::Failed(words)) if words.contains("too much")));
    }

    #[test]
    fn one_that_hangs_is_killed_at_its_deadline() {
        assert!(matches!(
            sh("exec sleep 1000", 1),
            Err(ChildFailure::TooLate)
        ));
        // It closed its pipes, and hangs all the same.
        let silent = sh("exec sleep 1000 >&- 2>&-", 50);
        assert!(matches!(silent, Err(ChildFailure::TooLate)));
    }

    #[test]
    fn a_missing_program_is_told_apart() {
        let missing = output(&mut Command::new("/nowhere/hwclock"), 1_000);
        assert!(matches!(missing, Err(ChildFailure::NotInstalled)));
    }
}
