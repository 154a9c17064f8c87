//! A motion sensor or a light barrier that asks for a picture, but not endlessly.
//!
//! Pure: edges with their times go in, events come out. A warm wind before a
//! motion sensor, or a leaf that trembles in a barrier, must neither empty the
//! battery nor fill the card; what was held back is counted and said.

use std::collections::VecDeque;

/// How often a trigger is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TriggerLimits {
    /// After a picture was asked for, nothing is for this long.
    pub gap_ms: u64,
    /// Of any hour, no more than so many are heard.
    pub per_hour_max: u16,
    /// Active for this long, it is blocked.
    pub blocked_ms: u64,
}

impl Default for TriggerLimits {
    fn default() -> Self {
        Self {
            gap_ms: 5_000,
            per_hour_max: 60,
            blocked_ms: 10 * 60 * 1_000,
        }
    }
}

/// What a trigger said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TriggerEvent {
    /// Something moved: take a picture.
    Fired {
        /// How often it was not heard since the last one.
        held_back: u32,
    },
    /// It has been active for longer than anything moves: a fault, said once.
    Blocked,
    /// It was blocked and is free again.
    Freed,
}

/// The words for the fault that [`TriggerEvent::Blocked`] is.
pub const BLOCKED: &str = "the trigger is active all the time; clear the light barrier, or turn the motion sensor away from the sun";

const HOUR_MS: u64 = 60 * 60 * 1_000;

/// A trigger.
#[derive(Debug, Clone)]
pub struct Trigger {
    limits: TriggerLimits,
    /// When pictures were asked for in the last hour, at most `per_hour_max` of them.
    fired_at_ms: VecDeque<u64>,
    held_back: u32,
    active_since_ms: Option<u64>,
    is_blocked: bool,
}

impl Trigger {
    /// A trigger that never fired.
    #[must_use]
    pub fn new(limits: TriggerLimits) -> Self {
        Self {
            limits,
            fired_at_ms: VecDeque::new(),
            held_back: 0,
            active_since_ms: None,
            is_blocked: false,
        }
    }

    /// The line became active or inactive.
    pub fn edge(&mut self, active: bool, at_ms: u64) -> Option<TriggerEvent> {
        if !active {
            self.active_since_ms = None;
            return std::mem::take(&mut self.is_blocked).then_some(TriggerEvent::Freed);
        }
        if self.active_since_ms.is_some() {
            return None;
        }
        self.active_since_ms = Some(at_ms);
        if !self.is_heard(at_ms) {
            self.held_back = self.held_back.saturating_add(1);
            return None;
        }
        self.fired_at_ms.push_back(at_ms);
        let held_back = std::mem::take(&mut self.held_back);
        Some(TriggerEvent::Fired { held_back })
    }

    /// Time passed.
    pub fn tick(&mut self, now_ms: u64) -> Option<TriggerEvent> {
        let is_over = self.wait_ms(now_ms) == Some(0);
        self.is_blocked |= is_over;
        is_over.then_some(TriggerEvent::Blocked)
    }

    /// For how long nothing can happen without an edge; `None` for ever.
    #[must_use]
    pub fn wait_ms(&self, now_ms: u64) -> Option<u64> {
        let since_ms = self.active_since_ms.filter(|_| !self.is_blocked)?;
        let blocked_at_ms = since_ms.saturating_add(self.limits.blocked_ms);
        Some(blocked_at_ms.saturating_sub(now_ms))
    }

    fn is_heard(&mut self, now_ms: u64) -> bool {
        while self
            .fired_at_ms
            .pop_front_if(|at_ms| at_ms.saturating_add(HOUR_MS) <= now_ms)
            .is_some()
        {}
        let last_ms = self.fired_at_ms.back();
        let is_rested =
            last_ms.is_none_or(|at_ms| at_ms.saturating_add(self.limits.gap_ms) <= now_ms);
        is_rested && self.fired_at_ms.len() < usize::from(self.limits.per_hour_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pulse(trigger: &mut Trigger, at_ms: u64) -> Option<TriggerEvent> {
        let fired = trigger.edge(true, at_ms);
        assert_eq!(trigger.edge(false, at_ms + 1), None);
        fired
    }

    const FIRED: Option<TriggerEvent> = Some(TriggerEvent::Fired { held_back: 0 });

    #[test]
    fn after_a_picture_there_is_a_gap_and_what_fell_into_it_is_counted() {
        let mut trigger = Trigger::new(TriggerLimits::default());
        assert_eq!(pulse(&mut trigger, 0), FIRED);
        assert_eq!(pulse(&mut trigger, 100), None);
        assert_eq!(pulse(&mut trigger, 4_999), None);
        let next = pulse(&mut trigger, 5_000);
        assert_eq!(next, Some(TriggerEvent::Fired { held_back: 2 }));
        assert_eq!(pulse(&mut trigger, 10_000), FIRED);
    }

    #[test]
    fn any_hour_has_its_limit() {
        let limits = TriggerLimits {
            per_hour_max: 7,
            ..TriggerLimits::default()
        };
        let mut trigger = Trigger::new(limits);
        let mut fired_at_ms = Vec::new();
        for at_ms in (0..6 * HOUR_MS).step_by(7_001) {
            if pulse(&mut trigger, at_ms).is_some() {
                fired_at_ms.push(at_ms);
            }
        }
        assert_eq!(fired_at_ms.len(), 6 * 7);
        for hour in fired_at_ms.windows(8) {
            assert!(hour[7] - hour[0] >= HOUR_MS, "{hour:?}");
        }
    }

    #[test]
    fn a_blocked_barrier_is_said_once_and_works_again_after_it_was_cleared() {
        let mut trigger = Trigger::new(TriggerLimits::default());
        assert_eq!(trigger.edge(true, 1_000), FIRED);
        assert_eq!(trigger.edge(true, 2_000), None, "no second edge");
        assert_eq!(trigger.wait_ms(1_000), Some(600_000));
        assert_eq!(trigger.tick(600_999), None);
        assert_eq!(trigger.tick(601_000), Some(TriggerEvent::Blocked));
        assert_eq!(trigger.tick(601_001), None);
        assert_eq!(trigger.edge(false, 700_000), Some(TriggerEvent::Freed));
        assert_eq!(pulse(&mut trigger, 700_500), FIRED);
        assert_eq!(trigger.wait_ms(700_600), None);
    }
}
