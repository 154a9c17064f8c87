//! The owner's side: a lamp as the trap uses it, behind its guard.

use super::pipe::{LineBuffer, boot_ms, is_readable, say, wait_for_end};
use super::words::{Command as Ask, Reply};
use crate::error::{DeviceError, FaultKind};
use crate::lines::Level;
use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A guard that has not begun by then never will; from a slow card it takes a second.
const START_MS: u64 = 10_000;
/// A guard that says nothing for this long hangs.
const ANSWER_MS: u64 = 2_000;
/// A guard that was let go tries for 2 s to darken its lamp.
const GOODBYE_MS: u64 = 3_000;
/// What a program may say before its guard begins to speak.
const FOREIGN_LINES_MAX: usize = 16;

/// How a lamp went out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutOut {
    /// As it was asked to, or it was dark already.
    Now,
    /// Its maximum on-time had put it out before: whatever was lit was not lit to its end.
    ByLimit,
}

/// A lamp behind its guard. Dropping it leaves the lamp dark.
#[derive(Debug)]
pub struct Lamp {
    device: &'static str,
    program: OsString,
    args: Vec<OsString>,
    guard: Option<Guard>,
}

#[derive(Debug)]
struct Guard {
    child: Child,
    /// Closed to let the guard go.
    commands: Option<ChildStdin>,
    replies: ChildStdout,
    lines: LineBuffer,
    dims: bool,
}

impl Lamp {
    /// The lamp called `device`, whose guard is `program` with `args`; nothing is started yet.
    #[must_use]
    pub fn new(device: &'static str, program: OsString, args: Vec<OsString>) -> Self {
        Self {
            device,
            program,
            args,
            guard: None,
        }
    }

    /// Starts the guard, unless it runs; the lamp is dark then. Whether it can be dimmed.
    ///
    /// # Errors
    /// [`DeviceError`] with the guard's reason.
    pub fn open(&mut self) -> Result<bool, DeviceError> {
        if let Some(guard) = &self.guard {
            return Ok(guard.dims);
        }
        let guard = Guard::start(self.device, &self.program, &self.args)?;
        Ok(self.guard.insert(guard).dims)
    }

    /// Lights the lamp, for `max_on_ms` at the most. One that is on keeps the end that it had.
    ///
    /// # Errors
    /// [`DeviceError`] when it is not lit; it is dark then.
    pub fn on(&mut self, level: Level, max_on_ms: u64) -> Result<PutOut, DeviceError> {
        self.ask(Ask::On { level, max_on_ms })
    }

    /// Puts the lamp out.
    ///
    /// # Errors
    /// [`DeviceError`] when nobody can say that it is dark.
    pub fn off(&mut self) -> Result<PutOut, DeviceError> {
        self.ask(Ask::Off)
    }

    /// Lights the lamp for as long as what is returned lives, and for `max_on_ms` at the most.
    ///
    /// # Errors
    /// [`DeviceError`] when it is not lit; it is dark then.
    pub fn lit(&mut self, level: Level, max_on_ms: u64) -> Result<Lit<'_>, DeviceError> {
        self.on(level, max_on_ms)?;
        Ok(Lit { lamp: self })
    }

    /// Looks after the guard while there is nothing to say to it; one that is gone is replaced.
    ///
    /// # Errors
    /// [`DeviceError`] when it was gone: whatever was lit is dark now, or nobody can say so.
    pub fn check(&mut self) -> Result<(), DeviceError> {
        // A guard speaks only when it is spoken to, so what is readable is the end.
        let is_gone = |guard: &Guard| is_readable(&guard.replies, boot_ms());
        if self.guard.as_ref().is_some_and(is_gone) {
            return Err(self.replace());
        }
        Ok(())
    }

    /// Starts another guard, which begins with darkness; what to say of it.
    fn replace(&mut self) -> DeviceError {
        self.guard = None;
        let Err(e) = self.open() else {
            let message = "its guard was gone and another was started; the lamp is dark";
            return DeviceError::new(self.device, FaultKind::Transient, message);
        };
        e
    }

    fn ask(&mut self, ask: Ask) -> Result<PutOut, DeviceError> {
        self.open()?;
        let device = self.device;
        let reply = self.guard.as_mut().and_then(|guard| guard.ask(ask));
        match reply {
            Some(Reply::Done { by_limit: false }) => return Ok(PutOut::Now),
            Some(Reply::Done { by_limit: true }) => return Ok(PutOut::ByLimit),
            Some(Reply::Fault { kind, message }) => {
                return Err(DeviceError::new(device, kind, message));
            }
            Some(Reply::Ready { .. }) | None => {}
        }
        // The line may be in any state.
        let fault = self.replace();
        if ask == Ask::Off && self.guard.is_some() {
            return Ok(PutOut::Now);
        }
        Err(fault)
    }
}

impl Guard {
    fn start(
        device: &'static str,
        program: &OsString,
        args: &[OsString],
    ) -> Result<Self, DeviceError> {
        let cannot = |kind, message: String| DeviceError::new(device, kind, message);
        let shown = program.display();
        let mut child = Command::new(program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Whoever kills the trap's whole group must not kill the guard with it.
            .process_group(0)
            .spawn()
            .map_err(|e| {
                cannot(FaultKind::Broken, format!("cannot start `{shown}`")).caused_by(e)
            })?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let Some((commands, replies)) = pipes else {
            drop(child.kill());
            let message = format!("`{shown}` has no pipes");
            return Err(cannot(FaultKind::Broken, message));
        };
        let mut guard = Self {
            child,
            commands: Some(commands),
            replies,
            lines: LineBuffer::default(),
            dims: false,
        };
        match guard.first_word() {
            Some(Reply::Ready { dims }) => {
                guard.dims = dims;
                Ok(guard)
            }
            Some(Reply::Fault { kind, message }) => Err(cannot(kind, message)),
            Some(Reply::Done { .. }) | None => Err(cannot(
                FaultKind::Broken,
                format!("`{shown}` ended or said nothing for {START_MS} ms instead of guarding it"),
            )),
        }
    }

    fn first_word(&mut self) -> Option<Reply> {
        let deadline_ms = boot_ms().saturating_add(START_MS);
        for _ in 0..FOREIGN_LINES_MAX {
            let line = self.lines.line_until(&self.replies, deadline_ms)?;
            if let Some(reply) = Reply::from_line(&line) {
                return Some(reply);
            }
        }
        None
    }

    /// The answer; `None` from a guard that is gone or hangs.
    fn ask(&mut self, ask: Ask) -> Option<Reply> {
        if !say(self.commands.as_ref()?, &ask.to_line()) {
            return None;
        }
        let deadline_ms = boot_ms().saturating_add(ANSWER_MS);
        let line = self.lines.line_until(&self.replies, deadline_ms)?;
        Reply::from_line(&line)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.commands.take());
        wait_for_end(&self.replies, boot_ms().saturating_add(GOODBYE_MS));
        // After a good end there is nothing left to kill.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A lamp that is lit as long as this lives.
#[derive(Debug)]
pub struct Lit<'a> {
    lamp: &'a mut Lamp,
}

impl Lit<'_> {
    /// Puts the lamp out, and says whether it was lit until now.
    ///
    /// # Errors
    /// [`DeviceError`] when nobody can say that it is dark.
    pub fn off(self) -> Result<PutOut, DeviceError> {
        self.lamp.off()
    }
}

impl Drop for Lit<'_> {
    fn drop(&mut self) {
        // If this fails, the guard's own time puts the lamp out.
        self.lamp.off().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A lamp whose guard is a few lines of shell.
    fn lamp(script: &str) -> Lamp {
        Lamp::new("flash", "sh".into(), vec!["-c".into(), script.into()])
    }

    #[test]
    fn the_guards_answers_are_understood() {
        let mut lamp =
            lamp("echo ready dims; read a; echo done; read a; echo done by-limit; read a");
        assert!(lamp.open().unwrap());
        assert_eq!(lamp.on(Level::FULL, 100).unwrap(), PutOut::Now);
        assert_eq!(lamp.off().unwrap(), PutOut::ByLimit);
    }

    #[test]
    fn what_a_program_says_before_is_passed_over() {
        let mut lamp = lamp("echo; echo loading; echo ready switches; read a");
        assert!(!lamp.open().unwrap());
    }

    #[test]
    fn no_line_is_said_in_the_guards_words() {
        let error = lamp("echo fault absent no line GPIO99").open().unwrap_err();
        assert_eq!(error.kind, FaultKind::Absent);
        assert_eq!(error.to_string(), "flash: no line GPIO99");
    }

    #[test]
    fn a_guard_that_died_is_replaced_and_the_new_one_begins_with_darkness() {
        let mut lamp = lamp("echo ready switches; read a; exit 1");
        lamp.open().unwrap();
        let error = lamp.on(Level::FULL, 100).unwrap_err();
        assert!(error.message.contains("the lamp is dark"), "{error}");
        assert_eq!(lamp.off().unwrap(), PutOut::Now);
    }

    #[test]
    fn a_guard_that_died_while_nobody_spoke_is_noticed() {
        let mut lamp = lamp("echo ready switches; read a; echo done; read b");
        lamp.on(Level::FULL, 100).unwrap();
        lamp.check().unwrap();
        let guard = lamp.guard.as_mut().unwrap();
        drop(guard.commands.take());
        wait_for_end(&guard.replies, boot_ms() + 60_000);
        let error = lamp.check().unwrap_err();
        assert!(error.message.contains("the lamp is dark"), "{error}");
        lamp.check().unwrap();
    }

    #[test]
    fn a_program_that_is_no_guard_is_said() {
        let error = lamp("true").on(Level::FULL, 100).unwrap_err();
        assert!(error.message.contains("instead of guarding"), "{error}");
        let mut missing = Lamp::new("flash", "not-installed".into(), Vec::new());
        let error = missing.open().unwrap_err();
        assert!(
            error.message.contains("cannot start `not-installed`"),
            "{error}"
        );
    }

    #[test]
    fn what_is_lit_ends_with_its_scope_and_with_a_panic() {
        let record = tempfile::NamedTempFile::new().unwrap();
        let script = format!(
            "echo ready switches; while read a; do echo $a >>{}; echo done; done",
            record.path().display()
        );
        let said = || std::fs::read_to_string(record.path()).unwrap();
        let mut flash = lamp(&script);
        drop(flash.lit(Level::FULL, 100).unwrap());
        assert_eq!(said(), "on 1000 100\noff\n");
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _lit = flash.lit(Level::FULL, 200).unwrap();
            panic!("while it is lit");
        }));
        assert!(panicked.is_err());
        assert!(said().ends_with("on 1000 200\noff\n"), "{}", said());
    }
}
