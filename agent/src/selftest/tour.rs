//! A walk around the trap: one step after the other, each with its deadline and
//! its time, told on the board while it goes on.

use super::{Check, Outcome};
use crate::desk::Desk;
use crate::lent::{Lent, NotBack};
use crate::moment::millis;
use crate::screen::{self, Problem, Verdict};
use std::future::Future;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// From the start of a check on the trap stays up for so long.
const STAYS_MS: u64 = 10 * 60_000;

/// What a step found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    outcome: Outcome,
    words: String,
    remedy: Option<String>,
}

impl Found {
    pub(crate) fn good(words: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Passed,
            words: words.into(),
            remedy: None,
        }
    }

    /// The trap has no such part.
    pub(crate) fn absent(words: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Absent,
            ..Self::good(words)
        }
    }

    /// It can be lived with.
    pub(crate) fn care(words: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Care,
            words: words.into(),
            remedy: Some(remedy.into()),
        }
    }

    /// The same, but at worst something that can be lived with.
    pub(crate) fn at_worst_care(self) -> Self {
        let outcome = match self.outcome {
            Outcome::Failed => Outcome::Care,
            Outcome::Passed | Outcome::Care | Outcome::Absent => self.outcome,
        };
        Self { outcome, ..self }
    }

    /// How the part is.
    #[cfg(test)]
    pub(crate) fn outcome(&self) -> Outcome {
        self.outcome
    }

    pub(crate) fn bad(words: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Failed,
            ..Self::care(words, remedy)
        }
    }
}

/// The walk.
pub(crate) struct Tour<'a> {
    desk: &'a Desk,
    of: u32,
    began: Instant,
    checks: Vec<Check>,
}

impl<'a> Tour<'a> {
    /// A walk of about so many steps.
    pub(crate) fn new(desk: &'a Desk, of: usize) -> Self {
        // Whoever has a check done is there, and the trap does not lie down meanwhile.
        let stays_ms = desk.clock.stamp().uptime_ms.saturating_add(STAYS_MS);
        desk.power.hold.until(stays_ms);
        Self {
            desk,
            of: u32::try_from(of).unwrap_or(u32::MAX),
            began: Instant::now(),
            checks: Vec::new(),
        }
    }

    /// Takes a step; one that does not end in time has failed.
    pub(crate) async fn step(
        &mut self,
        part: &str,
        limit: Duration,
        work: impl Future<Output = Found>,
    ) -> bool {
        let done = u32::try_from(self.checks.len()).unwrap_or(u32::MAX);
        self.desk.board.check(Some(screen::Check::Running {
            done,
            of: self.of.max(done.saturating_add(1)),
            part: part.to_owned(),
        }));
        let began = Instant::now();
        let found = match timeout(limit, work).await {
            Ok(found) => found,
            Err(_) => Found::bad(
                format!("no answer in {} s", limit.as_secs()),
                "restart the trap; if it stays so, check this part's cable",
            ),
        };
        self.note(part, found, began.elapsed())
    }

    /// Notes what was found on the way.
    pub(crate) fn note(&mut self, part: &str, found: Found, took: Duration) -> bool {
        let passed = found.outcome != Outcome::Failed;
        self.checks.push(Check {
            part: part.to_owned(),
            outcome: found.outcome,
            passed,
            found: found.words,
            remedy: found.remedy,
            took_ms: millis(took),
        });
        passed
    }

    /// Ends the walk, shows its verdict, and hands back what was found and how long it took.
    pub(crate) fn end(self) -> (Verdict, Vec<Check>, u64) {
        let worst = |outcome| self.checks.iter().any(|check| check.outcome == outcome);
        let verdict = if worst(Outcome::Failed) {
            Verdict::NotReady
        } else if worst(Outcome::Care) {
            Verdict::Care
        } else {
            Verdict::Ready
        };
        let mut found: Vec<&Check> = self
            .checks
            .iter()
            .filter(|check| check.is_finding())
            .collect();
        found.sort_by_key(|check| check.passed);
        let found = found.into_iter().map(|check| Problem {
            part: check.part.clone(),
            words: check.words(),
        });
        self.desk.board.check(Some(screen::Check::Over {
            verdict,
            found: found.collect(),
        }));
        (verdict, self.checks, millis(self.began.elapsed()))
    }
}

/// Blocking work on a thread of its own that may hang for ever.
pub(crate) async fn on_thread<T, F>(desk: &Desk, limit: Duration, work: F) -> Result<T, String>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    match Lent::of(()).job(desk.hands, limit, move |()| work()).await {
        Ok(done) => Ok(done),
        Err(not_back) => Err(not_back_words(not_back, limit)),
    }
}

/// Why a device that was lent gave no answer.
pub(crate) fn not_back_words(not_back: NotBack, limit: Duration) -> String {
    match not_back {
        NotBack::Hung => format!("no answer in {} s", limit.as_secs()),
        NotBack::Away => "it still hangs from the last check".to_owned(),
        NotBack::Panicked(words) => format!("its driver failed: {words}"),
    }
}
