//! Lines of text through a pipe, each waited for no longer than until a deadline.

use super::words::LINE_BYTES_MAX;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::time::{ClockId, clock_gettime};
use std::os::fd::AsFd;

/// Milliseconds since the boot, those in which the machine slept included: a lamp burns on then.
pub(super) fn boot_ms() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    let ms = now
        .tv_sec
        .saturating_mul(1_000)
        .saturating_add(now.tv_nsec / 1_000_000);
    u64::try_from(ms).unwrap_or(0)
}

/// A time to wait, rounded up so that nothing is looked at before it is over.
pub(super) fn timespec(ms: u64) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(ms / 1_000).unwrap_or(i64::MAX),
        tv_nsec: i64::try_from(ms % 1_000 * 1_000_000).unwrap_or(0),
    }
}

/// Lets `ms` pass.
pub(super) fn pass(ms: u64) {
    // A signal only makes the next look come earlier.
    poll(&mut [], Some(&timespec(ms))).ok();
}

/// The bytes of a pipe, taken out in lines.
#[derive(Debug, Default)]
pub(super) struct LineBuffer {
    bytes: Vec<u8>,
}

/// What a look at a pipe gave.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pipe {
    Open,
    Closed,
}

impl LineBuffer {
    /// Takes what the pipe has, which must be readable or this blocks.
    pub(super) fn fill(&mut self, pipe: impl AsFd) -> Pipe {
        let mut chunk = [0_u8; LINE_BYTES_MAX];
        let count = match rustix::io::read(pipe, &mut chunk) {
            Ok(count) => count,
            Err(Errno::INTR | Errno::AGAIN) => return Pipe::Open,
            Err(_) => return Pipe::Closed,
        };
        match chunk.get(..count) {
            None | Some([]) => Pipe::Closed,
            Some(more) => {
                self.bytes.extend_from_slice(more);
                Pipe::Open
            }
        }
    }

    /// The next whole line without its end.
    pub(super) fn next_line(&mut self) -> Option<String> {
        let end = self.bytes.iter().position(|byte| *byte == b'\n')?;
        let line: Vec<u8> = self.bytes.drain(..=end).collect();
        Some(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    /// Whether the other side says what is no line.
    pub(super) fn is_too_long(&self) -> bool {
        self.bytes.len() > LINE_BYTES_MAX
    }

    /// The next line, waited for until `deadline_ms`; `None` when none came or the pipe closed.
    pub(super) fn line_until(&mut self, pipe: impl AsFd, deadline_ms: u64) -> Option<String> {
        loop {
            if let Some(line) = self.next_line() {
                return Some(line);
            }
            if self.is_too_long() || !is_readable(&pipe, deadline_ms) {
                return None;
            }
            if self.fill(&pipe) == Pipe::Closed {
                return None;
            }
        }
    }
}

/// Waits until there is something to read, the end of the pipe included; false at the deadline.
pub(super) fn is_readable(pipe: impl AsFd, deadline_ms: u64) -> bool {
    loop {
        let left_ms = deadline_ms.saturating_sub(boot_ms());
        let mut fds = [PollFd::new(&pipe, PollFlags::IN)];
        match poll(&mut fds, Some(&timespec(left_ms))) {
            Ok(0) | Err(Errno::INTR) if left_ms > 0 => {}
            Ok(0) | Err(_) => return false,
            Ok(_) => return true,
        }
    }
}

/// Waits until the other side closes the pipe, at most until `deadline_ms`.
pub(super) fn wait_for_end(pipe: impl AsFd, deadline_ms: u64) {
    let mut unheard = LineBuffer::default();
    while is_readable(&pipe, deadline_ms) && unheard.fill(&pipe) == Pipe::Open {
        unheard.bytes.clear();
    }
}

/// Says a line, unless it would have to wait; false when it was not said.
pub(super) fn say(pipe: impl AsFd, line: &str) -> bool {
    let mut fds = [PollFd::new(&pipe, PollFlags::OUT)];
    let ready = matches!(poll(&mut fds, Some(&timespec(0))), Ok(1));
    // A pipe that is ready takes a line this short as a whole.
    ready && matches!(rustix::io::write(&pipe, line.as_bytes()), Ok(count) if count == line.len())
}
