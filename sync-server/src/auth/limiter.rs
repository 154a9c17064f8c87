//! Slows down whoever guesses passwords or tokens: a bounded memory of failures,
//! by name and by address, in the server's own time.

use crate::problem::{Failure, Refused};
use crate::state::State;
use axum::http::StatusCode;
use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

const WINDOW_MS: i64 = 15 * 60 * 1000;
/// Failures for one name in a window.
const NAME_FAILURES_MAX: usize = 10;
/// Failures from one address in a window.
const PEER_FAILURES_MAX: usize = 30;
/// Names and addresses remembered.
const SUBJECTS_MAX: usize = 10_000;

/// What is counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    Name(String),
    Peer(String),
    /// An address from which traps ask to be enrolled.
    Enrolling(String),
}

impl Subject {
    fn failures_max(&self) -> usize {
        match self {
            Self::Name(_) => NAME_FAILURES_MAX,
            Self::Peer(_) | Self::Enrolling(_) => PEER_FAILURES_MAX,
        }
    }
}

/// Failures of the last quarter of an hour.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    failures_ms: BTreeMap<Subject, Vec<i64>>,
}

impl Limiter {
    /// Milliseconds until this subject may try again; `None` when it may now.
    pub(crate) fn wait_ms(&mut self, subject: &Subject, now_ms: i64) -> Option<i64> {
        let failures = self.failures_ms.get_mut(subject)?;
        failures.retain(|&failed_ms| (failed_ms..failed_ms + WINDOW_MS).contains(&now_ms));
        if failures.len() < subject.failures_max() {
            return None;
        }
        failures.first().map(|oldest| oldest + WINDOW_MS - now_ms)
    }

    /// Counts a try before it is known to fail, so that many at once do not slip through.
    pub(crate) fn note(&mut self, subject: &Subject, now_ms: i64) {
        if self.failures_ms.len() >= SUBJECTS_MAX && !self.failures_ms.contains_key(subject) {
            self.failures_ms.retain(|_, failures| {
                failures
                    .last()
                    .is_some_and(|last| last + WINDOW_MS > now_ms)
            });
            if self.failures_ms.len() >= SUBJECTS_MAX {
                self.failures_ms.pop_first();
            }
        }
        self.failures_ms
            .entry(subject.clone())
            .or_default()
            .push(now_ms);
    }

    /// Takes a noted try back: the password was right.
    pub(crate) fn forgive(&mut self, subject: &Subject) {
        match subject {
            Subject::Name(_) => {
                self.failures_ms.remove(subject);
            }
            // Knowing one password is no excuse for guessing others from the same place.
            Subject::Peer(_) | Subject::Enrolling(_) => {
                if let Some(failures) = self.failures_ms.get_mut(subject) {
                    failures.pop();
                }
            }
        }
    }
}

/// Refuses who failed too often, with these words, else counts the try.
pub(crate) fn admit(state: &State, subjects: &[Subject], words: &str) -> Result<(), Failure> {
    let now_ms = state.now_ms();
    let mut limiter = limiter(state);
    let wait_ms = subjects
        .iter()
        .filter_map(|subject| limiter.wait_ms(subject, now_ms))
        .max();
    if let Some(wait_ms) = wait_ms {
        return Err(Failure::Refused(Refused {
            status: StatusCode::TOO_MANY_REQUESTS,
            error: "slow_down",
            message: words.to_owned(),
            retry_after_s: Some(u64::try_from(wait_ms).unwrap_or(0).div_ceil(1000).max(1)),
        }));
    }
    for subject in subjects {
        limiter.note(subject, now_ms);
    }
    Ok(())
}

/// Takes noted tries back.
pub(crate) fn forgive(state: &State, subjects: &[Subject]) {
    let mut limiter = limiter(state);
    for subject in subjects {
        limiter.forgive(subject);
    }
}

fn limiter(state: &State) -> MutexGuard<'_, Limiter> {
    let limiter = &state.shared().limiter;
    limiter.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eleventh_guess_of_a_name_waits_and_the_window_ends() {
        let mut limiter = Limiter::default();
        let ada = Subject::Name("ada".to_owned());
        for second in 0..10 {
            assert_eq!(limiter.wait_ms(&ada, second), None);
            limiter.note(&ada, second);
        }
        assert_eq!(limiter.wait_ms(&ada, 10), Some(WINDOW_MS - 10));
        assert_eq!(limiter.wait_ms(&ada, WINDOW_MS), None);
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out() {
        let mut limiter = Limiter::default();
        let ada = Subject::Name("ada".to_owned());
        for _ in 0..10 {
            limiter.note(&ada, 1_000_000_000);
        }
        assert_eq!(limiter.wait_ms(&ada, 5), None);
    }

    #[test]
    fn memory_is_bounded() {
        let mut limiter = Limiter::default();
        for number in 0..SUBJECTS_MAX + 50 {
            limiter.note(&Subject::Peer(format!("{number}")), 1);
        }
        assert!(limiter.failures_ms.len() <= SUBJECTS_MAX);
    }
}
