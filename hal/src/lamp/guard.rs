//! The guard's side: it holds the line, and knows one thing above all, dark.

use super::pipe::{LineBuffer, Pipe, boot_ms, pass, say, timespec};
use super::words::{Command, Reply};
use crate::error::{DeviceError, FaultKind};
use crate::lines::{Level, Output};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;

const DEVICE: &str = "lamp";
/// A line that did not take darkness is told again after this time.
const RETRY_MS: u64 = 20;
/// At the end it is told this often, which takes 2 s.
const LAST_TRIES: u32 = 100;

/// What a guard listens and speaks to.
#[derive(Debug, Clone, Copy)]
pub struct Pipes<'a> {
    /// Where the commands come from; its end is the owner's end.
    pub commands: BorrowedFd<'a>,
    /// Where the answers go.
    pub replies: BorrowedFd<'a>,
    /// Readable when somebody asks the guard to end.
    pub stop: BorrowedFd<'a>,
}

/// Makes the signals by which a process is asked to end readable instead.
///
/// # Errors
/// The kernel's reason.
pub fn asked_to_end() -> io::Result<UnixStream> {
    let (read, write) = UnixStream::pair()?;
    for signal in [SIGTERM, SIGINT, SIGHUP] {
        signal_hook::low_level::pipe::register(signal, write.try_clone()?)?;
    }
    Ok(read)
}

/// Guards the lamp that `open` gives until its owner is gone or somebody asks for the end.
///
/// `cap_ms` is the longest on-time that a command can ask for.
///
/// # Errors
/// [`DeviceError`] when there is no such line, or when it did not take darkness in the end.
pub fn keep(
    cap_ms: u64,
    open: impl FnOnce() -> Result<Box<dyn Output>, DeviceError>,
    pipes: Pipes<'_>,
) -> Result<(), DeviceError> {
    let opened = open().and_then(|output| Keeper::new(output, cap_ms));
    let mut keeper = match opened {
        Ok(keeper) => keeper,
        Err(e) => {
            say(pipes.replies, &fault(&e).to_line());
            return Err(e);
        }
    };
    let dims = keeper.output.dims();
    if say(pipes.replies, &Reply::Ready { dims }.to_line()) {
        listen(&mut keeper, pipes);
    }
    keeper.end()
}

/// Obeys until there is nobody to obey.
fn listen(keeper: &mut Keeper, pipes: Pipes<'_>) {
    let mut lines = LineBuffer::default();
    loop {
        let wait_ms = keeper.tick(boot_ms());
        let mut fds = [
            PollFd::new(&pipes.commands, PollFlags::IN),
            PollFd::new(&pipes.stop, PollFlags::IN),
        ];
        match poll(&mut fds, wait_ms.map(timespec).as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return,
        }
        let [commands, stop] = &fds;
        if !stop.revents().is_empty() {
            return;
        }
        if commands.revents().is_empty() {
            continue;
        }
        if lines.fill(pipes.commands) == Pipe::Closed {
            return;
        }
        while let Some(line) = lines.next_line() {
            let reply = keeper.obey(&line, boot_ms());
            if !say(pipes.replies, &reply.to_line()) {
                return;
            }
        }
        if lines.is_too_long() {
            return;
        }
    }
}

/// The lamp's line and until when it may be on; time is an argument.
struct Keeper {
    output: Box<dyn Output>,
    cap_ms: u64,
    /// When the lamp goes out; `None` while it is dark.
    dark_at_ms: Option<u64>,
    /// Whether it was the time that put it out last.
    by_limit: bool,
}

impl Keeper {
    /// A lamp that is dark from here on.
    fn new(mut output: Box<dyn Output>, cap_ms: u64) -> Result<Self, DeviceError> {
        output.set(Level::OFF)?;
        Ok(Self {
            output,
            cap_ms,
            dark_at_ms: None,
            by_limit: false,
        })
    }

    /// Does what the time asks for; for how long there is nothing more to do, if for a time.
    fn tick(&mut self, now_ms: u64) -> Option<u64> {
        let dark_at_ms = self.dark_at_ms?;
        if now_ms < dark_at_ms {
            return Some(dark_at_ms - now_ms);
        }
        self.by_limit = true;
        self.darken().err().map(|_| RETRY_MS)
    }

    fn obey(&mut self, line: &str, now_ms: u64) -> Reply {
        // What the time asked for comes first, even where many commands keep the guard busy.
        self.tick(now_ms);
        let done = match Command::from_line(line) {
            Some(Command::Off) => self.darken(),
            Some(Command::On { level, max_on_ms }) if level.is_on() => {
                self.light(level, max_on_ms, now_ms)
            }
            Some(Command::On { .. }) => self.darken(),
            None => {
                let message = format!("the lamp's guard does not know `{line}`");
                Err(DeviceError::new(DEVICE, FaultKind::Broken, message))
            }
        };
        match done {
            Ok(()) => Reply::Done {
                by_limit: std::mem::take(&mut self.by_limit),
            },
            Err(e) => fault(&e),
        }
    }

    fn light(&mut self, level: Level, max_on_ms: u64, now_ms: u64) -> Result<(), DeviceError> {
        let asked_ms = now_ms.saturating_add(max_on_ms.min(self.cap_ms));
        // A lamp that is on keeps its end: being asked again and again is how a broken owner looks.
        let dark_at_ms = self.dark_at_ms.unwrap_or(asked_ms).min(asked_ms);
        if dark_at_ms <= now_ms {
            return self.darken();
        }
        self.dark_at_ms = Some(dark_at_ms);
        self.output.set(level).inspect_err(|_| {
            // It may be on or not.
            self.dark_at_ms = Some(now_ms);
        })
    }

    /// A line that refuses is told again by [`Keeper::tick`].
    fn darken(&mut self) -> Result<(), DeviceError> {
        match self.output.set(Level::OFF) {
            Ok(()) => {
                self.dark_at_ms = None;
                Ok(())
            }
            Err(e) => {
                self.dark_at_ms = Some(0);
                Err(e)
            }
        }
    }

    fn end(mut self) -> Result<(), DeviceError> {
        for _ in 1..LAST_TRIES {
            if self.darken().is_ok() {
                return Ok(());
            }
            pass(RETRY_MS);
        }
        self.darken()
    }
}

fn fault(error: &DeviceError) -> Reply {
    let mut message = error.message.clone();
    if let Some(source) = &error.source {
        message = format!("{message}: {source}");
    }
    Reply::Fault {
        kind: error.kind,
        message,
    }
}

#[cfg(test)]
mod tests;
