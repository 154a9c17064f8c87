//! What is tried with a camera that gives no picture, in which order and for
//! how long. Pure; the shutter does it.
//!
//! ```text
//!  shot ─fails─▶ again ─fails─▶ opened anew ─fails─▶ without power for a moment ─fails─▶ next slot
//! ```
//!
//! All of it has to fit into the deadline of the one shot. A camera that is
//! not there is not asked twice; one that hangs cannot be asked again before
//! it is opened anew.

use std::time::Duration;
use trapline_hal::FaultKind;

/// A camera that failed in so many slots in a row is not even tried as it is.
const SLOTS_FAILED_MAX: u32 = 5;
/// No camera gives a picture in less, so that less time is none.
const TRY_MIN: Duration = Duration::from_millis(500);

/// One thing that may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rung {
    /// Ask it once more.
    Again,
    /// Close it, end what its driver runs in, and open it.
    Anew,
    /// Take its power away for a moment, and open it.
    Power,
}

/// How a try went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// The camera says so.
    Said(FaultKind),
    /// It did not come back, or its driver broke.
    Lost,
}

/// The order of things, and what it learned.
#[derive(Debug)]
pub(super) struct Ladder {
    /// Whether anything is tried at all: a folder is not mended by another try.
    climbs: bool,
    has_supply: bool,
    slots_failed: u32,
    /// How long good pictures took lately.
    usual: Option<Duration>,
}

impl Ladder {
    pub(super) fn new(climbs: bool, has_supply: bool) -> Self {
        Self {
            climbs,
            has_supply,
            slots_failed: 0,
            usual: None,
        }
    }

    /// What is done before the first try.
    pub(super) fn first(&self) -> Option<Rung> {
        let is_due = self.climbs && self.slots_failed >= SLOTS_FAILED_MAX;
        is_due.then(|| self.strongest())
    }

    /// What is done after a try went wrong, `tried` being what was; `None` gives up for this slot.
    pub(super) fn next(&self, wrong: Wrong, tried: &[Rung], left: Duration) -> Option<Rung> {
        if !self.climbs || left < TRY_MIN {
            return None;
        }
        let helps = |rung: &Rung| match (wrong, rung) {
            (_, Rung::Power) => self.has_supply,
            (Wrong::Said(FaultKind::Absent), _) => false,
            (Wrong::Said(FaultKind::Broken) | Wrong::Lost, Rung::Again) => false,
            (_, Rung::Again) => tried.is_empty(),
            (_, Rung::Anew) => !tried.contains(&Rung::Power),
        };
        let all = [Rung::Again, Rung::Anew, Rung::Power];
        all.into_iter()
            .find(|rung| helps(rung) && !tried.contains(rung))
    }

    /// How long the next try may take of what is `left`.
    pub(super) fn share(&self, left: Duration) -> Duration {
        if !self.climbs {
            return left;
        }
        let wanted = match self.usual {
            Some(usual) => usual * 2 + Duration::from_secs(1),
            // Half, so that there is time to try something.
            None => left / 2,
        };
        // What would be left over is too short for another try.
        if left.saturating_sub(wanted) < TRY_MIN * 2 {
            left
        } else {
            wanted
        }
    }

    /// A try gave a picture after `took`.
    pub(super) fn worked(&mut self, took: Duration) {
        self.slots_failed = 0;
        let before = self.usual.unwrap_or(took);
        self.usual = Some((before * 3 + took) / 4);
    }

    /// The slot was given up.
    pub(super) fn gave_up(&mut self) {
        self.slots_failed = self.slots_failed.saturating_add(1);
    }

    fn strongest(&self) -> Rung {
        if self.has_supply {
            Rung::Power
        } else {
            Rung::Anew
        }
    }
}

/// What was tried, for the ledger.
pub(super) fn told(why: &str, tried: &[Rung]) -> String {
    if tried.is_empty() {
        return why.to_owned();
    }
    let words: Vec<&str> = tried.iter().map(|rung| rung.words()).collect();
    format!("{why}; tried in vain: {}", words.join(", "))
}

impl Rung {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Again => "once more",
            Self::Anew => "opened anew",
            Self::Power => "without power for a moment",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEFT: Duration = Duration::from_secs(10);
    const TRANSIENT: Wrong = Wrong::Said(FaultKind::Transient);

    fn climbed(ladder: &Ladder, wrong: Wrong) -> Vec<Rung> {
        let mut tried = Vec::new();
        while let Some(rung) = ladder.next(wrong, &tried, LEFT) {
            tried.push(rung);
        }
        tried
    }

    #[test]
    fn each_kind_of_failure_has_its_way_up() {
        let ladder = Ladder::new(true, true);
        let all = [Rung::Again, Rung::Anew, Rung::Power];
        assert_eq!(climbed(&ladder, TRANSIENT), all);
        assert_eq!(climbed(&ladder, Wrong::Lost), all[1..]);
        assert_eq!(climbed(&ladder, Wrong::Said(FaultKind::Broken)), all[1..]);
        assert_eq!(climbed(&ladder, Wrong::Said(FaultKind::Absent)), all[2..]);
    }

    #[test]
    fn without_a_switch_nothing_loses_its_power() {
        let ladder = Ladder::new(true, false);
        assert_eq!(climbed(&ladder, TRANSIENT), [Rung::Again, Rung::Anew]);
        assert_eq!(climbed(&ladder, Wrong::Said(FaultKind::Absent)), []);
    }

    #[test]
    fn a_folder_is_not_mended_by_trying() {
        let ladder = Ladder::new(false, false);
        assert_eq!(climbed(&ladder, TRANSIENT), []);
        assert_eq!(ladder.share(LEFT), LEFT);
    }

    #[test]
    fn after_five_slots_the_strongest_comes_first() {
        for (has_supply, strongest) in [(true, Rung::Power), (false, Rung::Anew)] {
            let mut ladder = Ladder::new(true, has_supply);
            for _ in 0..4 {
                ladder.gave_up();
            }
            assert_eq!(ladder.first(), None);
            ladder.gave_up();
            assert_eq!(ladder.first(), Some(strongest));
            ladder.worked(LEFT);
            assert_eq!(ladder.first(), None);
        }
    }

    #[test]
    fn the_shares_of_one_shot_never_pass_its_deadline() {
        let mut ladder = Ladder::new(true, true);
        for usual_s in [None, Some(1), Some(4), Some(9), Some(30)] {
            if let Some(usual_s) = usual_s {
                ladder = Ladder::new(true, true);
                ladder.worked(Duration::from_secs(usual_s));
            }
            let mut left = Duration::from_secs(20);
            while left >= TRY_MIN {
                let share = ladder.share(left);
                assert!(share <= left && share >= TRY_MIN, "{share:?} of {left:?}");
                left -= share;
            }
            assert_eq!(ladder.next(TRANSIENT, &[], left), None);
        }
    }

    #[test]
    fn a_camera_gets_twice_the_time_that_it_usually_takes() {
        let mut ladder = Ladder::new(true, false);
        assert_eq!(ladder.share(LEFT), LEFT / 2);
        ladder.worked(Duration::from_secs(2));
        assert_eq!(ladder.share(LEFT), Duration::from_secs(5));
        ladder.worked(Duration::from_secs(6));
        assert_eq!(ladder.share(LEFT), Duration::from_secs(7));
    }

    #[test]
    fn what_was_tried_is_told() {
        assert_eq!(told("no frame", &[]), "no frame");
        let words = told("no frame", &[Rung::Again, Rung::Power]);
        assert_eq!(
            words,
            "no frame; tried in vain: once more, without power for a moment"
        );
    }
}
