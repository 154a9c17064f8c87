//! A lamp is dark after its owner was really killed, at whatever moment.
//!
//! Three processes take part, all of them this test: the one that the test
//! runner starts, which starts an owner and kills it; the owner, which has a
//! lamp; and the lamp's guard, whose line writes each level into the standard
//! error that it has from the first. That pipe ends when both are gone, so
//! nothing is waited for but what happens.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, ChildStderr, ChildStdin, Command, Stdio};
use trapline_hal::DeviceError;
use trapline_hal::lamp::guard::{Pipes, asked_to_end, keep};
use trapline_hal::lamp::{Lamp, PutOut};
use trapline_hal::lines::{Level, Output};

const THIS_TEST: &str = "lamp_guard::whatever_becomes_of_its_owner_the_lamp_goes_dark";
/// Longer than anything here lasts: who is dark was not put out by this.
const ENDLESS_MS: u64 = 3_600_000;
/// A machine that needs longer than this for a step is broken.
const PATIENCE_S: i64 = 120;

#[test]
fn whatever_becomes_of_its_owner_the_lamp_goes_dark() {
    let args: Vec<String> = std::env::args().collect();
    let role = args.iter().find_map(|arg| arg.strip_prefix("role="));
    let number = |name: &str| {
        let number = args.iter().find_map(|arg| arg.strip_prefix(name));
        number.map_or(ENDLESS_MS, |number| number.parse().unwrap())
    };
    match role {
        Some("guard") => be_guard(number("cap_ms=")),
        Some(owner) => be_owner(owner, number("on_ms="), number("cap_ms=")),
        None => {
            killed_while_it_is_lit();
            killed_at_any_moment();
            the_time_ends_what_a_hanging_owner_does_not();
            a_panic_ends_it_too();
            a_guard_that_is_asked_to_end_darkens_first();
            a_guard_that_was_killed_is_replaced();
        }
    }
}

fn killed_while_it_is_lit() {
    let mut owner = Owner::start("holds", &[]);
    owner.wait_for("1000");
    // Another child of the owner lives on, and must not have kept the pipe.
    owner.wait_for("other child");
    owner.kill();
    assert_eq!(owner.rest().last().map(String::as_str), Some("0"));
}

fn killed_at_any_moment() {
    for levels in 0..32 {
        let mut owner = Owner::start("blinks", &[]);
        for _ in 0..levels {
            owner.next_level().unwrap();
        }
        owner.kill();
        owner.rest();
        let last = owner.seen.iter().rfind(|line| is_level(line));
        assert!(last.is_none_or(|level| level == "0"), "{:?}", owner.seen);
        assert!(levels == 0 || last.is_some());
    }
}

fn the_time_ends_what_a_hanging_owner_does_not() {
    for limit in ["on_ms=20", "cap_ms=20"] {
        let mut owner = Owner::start("holds", &[limit]);
        owner.wait_for("1000");
        owner.wait_for("0");
        assert!(owner.child.try_wait().unwrap().is_none(), "still there");
        owner.kill();
        owner.rest();
    }
}

fn a_panic_ends_it_too() {
    let mut owner = Owner::start("panics", &[]);
    owner.wait_for("1000");
    assert_eq!(owner.rest().last().map(String::as_str), Some("0"));
    assert!(!owner.child.wait().unwrap().success());
}

fn a_guard_that_is_asked_to_end_darkens_first() {
    for signal in ["-TERM", "-INT", "-HUP"] {
        let mut owner = Owner::start("holds", &[]);
        // Only an owner that has its answer waits; another would start another guard.
        owner.wait_for("other child");
        owner.signal_guard(signal);
        owner.wait_for("0");
        assert!(owner.child.try_wait().unwrap().is_none(), "still there");
        owner.kill();
        owner.rest();
    }
}

fn a_guard_that_was_killed_is_replaced() {
    let mut owner = Owner::start("blinks", &[]);
    owner.wait_for("1000");
    let first = owner.guard();
    owner.signal_guard("-KILL");
    owner.wait_for_next("guard ");
    assert_ne!(owner.guard(), first);
    assert_eq!(
        owner.next_level().as_deref(),
        Some("0"),
        "it begins with darkness"
    );
    owner.wait_for("1000");
    owner.kill();
    owner.rest();
    let last = owner.seen.iter().rfind(|line| is_level(line));
    assert_eq!(last.map(String::as_str), Some("0"));
}

fn is_level(line: &str) -> bool {
    line.parse::<u16>().is_ok()
}

/// This test again, in another role.
fn role(role: &str, numbers: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(role_args(role, numbers));
    command
}

/// The runner takes these for names of tests, of which only one is any.
fn role_args(role: &str, numbers: &[&str]) -> Vec<String> {
    let mut args = vec!["--exact".to_owned(), THIS_TEST.to_owned()];
    args.push(format!("role={role}"));
    args.extend(numbers.iter().map(ToString::to_string));
    args
}

/// An owner as the test sees it.
struct Owner {
    child: Child,
    /// The owner's other child lives until this is closed.
    _stdin: ChildStdin,
    stderr: ChildStderr,
    unread: Vec<u8>,
    seen: Vec<String>,
}

impl Owner {
    fn start(kind: &str, numbers: &[&str]) -> Self {
        let mut command = role(kind, numbers);
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        Self {
            _stdin: child.stdin.take().unwrap(),
            stderr: child.stderr.take().unwrap(),
            child,
            unread: Vec::new(),
            seen: Vec::new(),
        }
    }

    /// The next line that owner or guard writes; `None` when both are gone.
    fn next_line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.unread.drain(..=end).collect();
                let line = String::from_utf8(line).unwrap().trim_end().to_owned();
                self.seen.push(line.clone());
                return Some(line);
            }
            let patience = Timespec {
                tv_sec: PATIENCE_S,
                tv_nsec: 0,
            };
            let mut fds = [PollFd::new(&self.stderr, PollFlags::IN)];
            let ready = poll(&mut fds, Some(&patience)).unwrap();
            assert_eq!(ready, 1, "nothing more came after {:?}", self.seen);
            let mut chunk = [0; 512];
            match self.stderr.read(&mut chunk).unwrap() {
                0 => return None,
                count => self.unread.extend_from_slice(&chunk[..count]),
            }
        }
    }

    fn wait_for(&mut self, wanted: &str) {
        while self.next_line().expect(wanted) != wanted {}
    }

    fn wait_for_next(&mut self, start: &str) {
        while !self.next_line().expect(start).starts_with(start) {}
    }

    fn next_level(&mut self) -> Option<String> {
        loop {
            let line = self.next_line()?;
            if is_level(&line) {
                return Some(line);
            }
        }
    }

    /// The levels until owner and guard are gone.
    fn rest(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.next_level()).collect()
    }

    /// The number of the guard's process.
    fn guard(&self) -> String {
        let mut guards = self.seen.iter().rev();
        let guard = guards.find_map(|line| line.strip_prefix("guard "));
        guard.unwrap().to_owned()
    }

    fn signal_guard(&self, signal: &str) {
        let guard = self.guard();
        let status = Command::new("kill").args([signal, &guard]).status();
        assert!(status.unwrap().success());
    }

    /// Kills the owner, which cannot do anything about it.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // Only after a test failed is there anything left to kill; the guard follows.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn be_owner(kind: &str, on_ms: u64, cap_ms: u64) {
    let cap = format!("cap_ms={cap_ms}");
    let args = role_args("guard", &[&cap]).into_iter().map(Into::into);
    let program = std::env::current_exe().unwrap();
    let mut lamp = Lamp::new("flash", program.into(), args.collect());
    match kind {
        "holds" => {
            assert_eq!(lamp.on(Level::FULL, on_ms).unwrap(), PutOut::Now);
            let mut other = Command::new("cat");
            other.stdout(Stdio::null()).stderr(Stdio::null());
            let mut other = other.spawn().unwrap();
            write_line("other child");
            other.wait().unwrap();
        }
        "blinks" => loop {
            lamp.on(Level::FULL, on_ms).ok();
            lamp.off().ok();
        },
        "panics" => {
            let _lit = lamp.lit(Level::FULL, on_ms).unwrap();
            panic!("while the lamp is lit");
        }
        other => panic!("there is no role {other}"),
    }
}

fn be_guard(cap_ms: u64) {
    write_line(&format!("guard {}", std::process::id()));
    let stop = asked_to_end().unwrap();
    let (commands, replies) = (io::stdin(), io::stdout());
    let pipes = Pipes {
        commands: commands.as_fd(),
        replies: replies.as_fd(),
        stop: stop.as_fd(),
    };
    keep(cap_ms, || Ok(Box::new(Recorder)), pipes).unwrap();
}

/// A line that says its levels.
struct Recorder;

impl Output for Recorder {
    fn set(&mut self, level: Level) -> Result<(), DeviceError> {
        write_line(&level.permille().to_string());
        Ok(())
    }

    fn dims(&self) -> bool {
        true
    }
}

/// In one piece, so that owner and guard never write into each other's lines.
fn write_line(line: &str) {
    // When the test is gone, there is nobody to write to.
    io::stderr().write_all(format!("{line}\n").as_bytes()).ok();
}
