//! How long to wait after a failure: a random time up to a limit that doubles
//! with each failure, so that a hundred traps behind one mast do not all call
//! at the same moment when it comes back.

use std::fmt;
use std::time::Duration;

/// A wait that a server asks for is believed up to this.
const ASKED_MAX: Duration = Duration::from_hours(1);

/// A random number, 0 to 1, 1 excluded.
pub type Chance = Box<dyn FnMut() -> f64 + Send>;

/// The state of one stage's patience.
pub struct Backoff {
    min: Duration,
    max: Duration,
    failures: u32,
    chance: Chance,
}

impl fmt::Debug for Backoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backoff")
            .field("failures", &self.failures)
            .finish_non_exhaustive()
    }
}

impl Backoff {
    /// Waits up to `min` after the first failure and up to `max` after any.
    #[must_use]
    pub fn new(min: Duration, max: Duration, chance: Chance) -> Self {
        Self {
            min,
            max,
            failures: 0,
            chance,
        }
    }

    /// The last try succeeded.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// How long to wait after one more failure, at least `not_before`.
    pub fn failed(&mut self, not_before: Duration) -> Duration {
        let doubled = 2_u32.saturating_pow(self.failures);
        let limit = self.min.saturating_mul(doubled).min(self.max);
        self.failures = self.failures.saturating_add(1);
        let share = (self.chance)().clamp(0.0, 1.0);
        limit.mul_f64(share).max(not_before.min(ASKED_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backoff(chance: f64) -> Backoff {
        let second = Duration::from_secs(1);
        Backoff::new(second, 60 * second, Box::new(move || chance))
    }

    #[test]
    fn the_limit_doubles_up_to_the_maximum_and_a_success_resets_it() {
        let mut patience = backoff(0.999_999);
        let mut waits = || patience.failed(Duration::ZERO).as_secs_f64().round();
        let seen: Vec<f64> = std::iter::repeat_with(&mut waits).take(8).collect();
        assert_eq!(
            format!("{seen:?}"),
            "[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]"
        );
        patience.succeeded();
        assert!(patience.failed(Duration::ZERO) <= Duration::from_secs(1));
    }

    #[test]
    fn a_thousand_failures_do_not_overflow() {
        let mut patience = backoff(0.5);
        for _ in 0..1000 {
            assert!(patience.failed(Duration::ZERO) <= Duration::from_secs(30));
        }
    }

    #[test]
    fn chance_spreads_from_nothing_to_the_limit_and_a_wish_is_kept_within_reason() {
        assert_eq!(backoff(0.0).failed(Duration::ZERO), Duration::ZERO);
        let wish = Duration::from_secs(90);
        assert_eq!(backoff(0.0).failed(wish), wish);
        assert_eq!(backoff(0.0).failed(Duration::from_hours(48)), ASKED_MAX);
    }
}
