//! A program of the system's as a child with a deadline: one that hangs is
//! killed, and what it says is kept only so far.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::time::{ClockId, clock_gettime};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};

/// A program that says more than this is not the one that was meant.
const SAID_BYTES_MAX: usize = 64 * 1024;
/// A program that complains more than this does not do its work.
const COMPLAINT_BYTES_MAX: usize = 1024 * 1024;
/// How long between two looks whether it ended, once its pipes are closed.
const LOOK_MS: u64 = 5;
/// A process that was killed ends at once, unless the kernel holds it in a driver.
const KILLED_MS: u64 = 500;

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

/// What a child said until its end.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// Its standard output.
    pub(super) bytes: Vec<u8>,
    /// Its standard error.
    pub(super) complaint: String,
}

/// Runs `command` for at most `deadline_ms` and gives what it wrote.
pub(super) fn output(command: &mut Command, deadline_ms: u64) -> Result<String, ChildFailure> {
    let said = run(command, deadline_ms, SAID_BYTES_MAX)?;
    Ok(String::from_utf8_lossy(&said.bytes).into_owned())
}

/// Runs `command` for at most `deadline_ms` and gives what it wrote, at most `bytes_max` of it.
pub(super) fn run(
    command: &mut Command,
    deadline_ms: u64,
    bytes_max: usize,
) -> Result<Said, ChildFailure> {
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
    let ended = watch(
        &mut child,
        monotonic_ms().saturating_add(deadline_ms),
        bytes_max,
    );
    // After a good end there is nothing left to kill.
    drop(child.kill());
    // One that the kernel does not let go is left to it: waiting for it would hang as it does.
    drop(end_of(&mut child, monotonic_ms().saturating_add(KILLED_MS)));
    ended
}

/// Follows the child to its end.
fn watch(child: &mut Child, deadline_ms: u64, bytes_max: usize) -> Result<Said, ChildFailure> {
    let mut stdout = Pipe::new(child.stdout.take(), bytes_max);
    let mut stderr = Pipe::new(child.stderr.take(), COMPLAINT_BYTES_MAX);
    while stdout.is_open() || stderr.is_open() {
        let left_ms = deadline_ms.saturating_sub(monotonic_ms());
        if left_ms == 0 {
            return Err(ChildFailure::TooLate);
        }
        wait_for(&stdout, &stderr, left_ms).map_err(ChildFailure::Lost)?;
        stdout.read()?;
        stderr.read()?;
    }
    let complaint = String::from_utf8_lossy(&stderr.bytes).into_owned();
    let Some(status) = end_of(child, deadline_ms).map_err(ChildFailure::Lost)? else {
        return Err(ChildFailure::TooLate);
    };
    if status.success() {
        let bytes = stdout.bytes;
        return Ok(Said { bytes, complaint });
    }
    let last = complaint.lines().rev().find(|line| !line.trim().is_empty());
    let complaint = last.unwrap_or("it said nothing").trim();
    Err(ChildFailure::Failed(format!("{status}: {complaint}")))
}

/// How the child ended; `None` when it is still there at the deadline.
fn end_of(child: &mut Child, deadline_ms: u64) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if monotonic_ms() >= deadline_ms {
            return Ok(None);
        }
        // Waiting for nothing but time; a signal only makes the next look come earlier.
        poll(&mut [], Some(&timespec(LOOK_MS))).ok();
    }
}

/// Waits until one of the pipes has something, or its end.
fn wait_for(
    stdout: &Pipe<ChildStdout>,
    stderr: &Pipe<ChildStderr>,
    within_ms: u64,
) -> io::Result<()> {
    let stdout = stdout.pipe.as_ref().map(AsFd::as_fd);
    let stderr = stderr.pipe.as_ref().map(AsFd::as_fd);
    let open = [stdout, stderr].into_iter().flatten();
    let mut watched: Vec<PollFd<'_>> = open
        .map(|pipe| PollFd::from_borrowed_fd(pipe, PollFlags::IN))
        .collect();
    match poll(&mut watched, Some(&timespec(within_ms))) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(e) => Err(e.into()),
    }
}

/// One pipe of the child, until it closes.
struct Pipe<P> {
    pipe: Option<P>,
    bytes: Vec<u8>,
    bytes_max: usize,
}

impl<P: Read + AsFd> Pipe<P> {
    fn new(pipe: Option<P>, bytes_max: usize) -> Self {
        Self {
            pipe,
            bytes: Vec::new(),
            bytes_max,
        }
    }

    fn is_open(&self) -> bool {
        self.pipe.is_some()
    }

    /// Takes what is there, without waiting for more.
    fn read(&mut self) -> Result<(), ChildFailure> {
        let Some(pipe) = &mut self.pipe else {
            return Ok(());
        };
        let now = timespec(0);
        let mut watched = [PollFd::new(&*pipe, PollFlags::IN)];
        if matches!(poll(&mut watched, Some(&now)), Ok(0) | Err(_)) {
            return Ok(());
        }
        let mut chunk = vec![0; 64 * 1024];
        let count = pipe.read(&mut chunk).map_err(ChildFailure::Lost)?;
        match chunk.get(..count) {
            Some([]) | None => self.pipe = None,
            Some(more) => self.bytes.extend_from_slice(more),
        }
        if self.bytes.len() > self.bytes_max {
            return Err(ChildFailure::Failed("it said far too much".to_owned()));
        }
        Ok(())
    }
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
