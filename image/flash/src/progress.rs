//! How far it is: bytes, speed, and how long it still takes. One line that is
//! drawn over on a terminal, plain lines elsewhere.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The image goes to the disk.
    Writing,
    /// The disk is read back.
    Comparing,
}

const DRAW_EVERY: Duration = Duration::from_millis(250);

/// Where it is said.
pub struct Progress<'a> {
    say: Box<dyn FnMut(&str) + 'a>,
    is_terminal: bool,
    step: Step,
    began: Instant,
    drawn: Instant,
    said_percent: u64,
}

impl std::fmt::Debug for Progress<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Progress").finish_non_exhaustive()
    }
}

impl<'a> Progress<'a> {
    /// Says things with `say`, on a terminal or not.
    #[must_use]
    pub fn new(is_terminal: bool, say: impl FnMut(&str) + 'a) -> Self {
        let began = now();
        Self {
            say: Box::new(say),
            is_terminal,
            step: Step::Writing,
            began,
            drawn: began,
            said_percent: 0,
        }
    }

    /// A step begins.
    pub fn begin(&mut self, step: Step) {
        self.step = step;
        self.began = now();
        self.drawn = self.began;
        self.said_percent = 0;
    }

    /// `done` of the disk's bytes are done, and `part` of `whole` of the work.
    pub fn at(&mut self, done: u64, part: u64, whole: u64) {
        let percent = (part.saturating_mul(100) / whole.max(1)).min(100);
        let due = if self.is_terminal {
            self.drawn.elapsed() >= DRAW_EVERY
        } else {
            percent >= self.said_percent + 10 && percent < 100
        };
        if !due {
            return;
        }
        self.drawn = now();
        self.said_percent = percent / 10 * 10;
        let mut line = self.line(done, percent);
        if let Some(left) = left(self.began.elapsed(), part, whole) {
            let _infallible = write!(line, ", {left} left");
        }
        self.put(&line, false);
    }

    /// The step is over.
    pub fn end(&mut self, done: u64) {
        let line = self.line(done, 100);
        let seconds = self.began.elapsed().as_secs();
        self.put(&format!("{line}, took {seconds} s"), true);
    }

    fn line(&self, done: u64, percent: u64) -> String {
        let what = match self.step {
            Step::Writing => "Writing  ",
            Step::Comparing => "Comparing",
        };
        let ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let kilobytes_each_second = done / ms.max(1);
        let speed = format!(
            "{}.{} MB/s",
            kilobytes_each_second / 1000,
            kilobytes_each_second % 1000 / 100
        );
        format!("{what} {percent:>3} %  {} MB  {speed}", done / 1_000_000)
    }

    fn put(&mut self, line: &str, is_last: bool) {
        let text = match (self.is_terminal, is_last) {
            (true, false) => format!("\r{line:<70}"),
            (true, true) => format!("\r{line:<70}\n"),
            (false, _) => format!("{line}\n"),
        };
        (self.say)(&text);
    }
}

fn left(elapsed: Duration, part: u64, whole: u64) -> Option<String> {
    let ms = u64::try_from(elapsed.as_millis()).ok()?;
    // The first moments say nothing of the rest.
    if part == 0 || ms < 1000 {
        return None;
    }
    let seconds = ms.saturating_mul(whole.saturating_sub(part)) / part / 1000;
    Some(format!("{}:{:02}", seconds / 60, seconds % 60))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a technician waits in real time, and nothing but the words depends on it"
)]
fn now() -> Instant {
    Instant::now()
}
