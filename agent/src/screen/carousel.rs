//! Which sheet is shown when.
//!
//! It is lit when the trap starts and when the button is pressed, and goes to
//! sleep when nobody presses for a while. It does not wake by itself, not even
//! for a new problem: light at night draws insects to the wrong place. Waking
//! up it begins at the first sheet, which is a problem if there is one; a
//! problem that comes while somebody looks is shown at once, unless a check is.
//! A panel that keeps its picture (e-paper) goes back to the first sheet
//! instead of going dark.
//!
//! Pure: times are milliseconds of a monotonic clock, given in.

use super::pages::{Page, SheetId};
use trapline_hal::Asleep;

/// What is to be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shows {
    /// This sheet.
    Sheet(SheetId),
    /// Nothing.
    Dark,
}

/// The order of sheets before the one who looks.
#[derive(Debug)]
pub struct Carousel {
    asleep: Asleep,
    sleep_after_ms: u64,
    awake_until_ms: u64,
    current: Option<SheetId>,
    /// The problems of the last look, so that a new one is noticed.
    problems: Vec<String>,
}

impl Carousel {
    /// A panel that was just switched on at `now_ms`.
    #[must_use]
    pub fn new(asleep: Asleep, sleep_after_ms: u64, now_ms: u64) -> Self {
        Self {
            asleep,
            sleep_after_ms,
            awake_until_ms: now_ms.saturating_add(sleep_after_ms),
            current: None,
            problems: Vec::new(),
        }
    }

    /// Whether somebody may still be looking.
    #[must_use]
    pub fn is_awake(&self, now_ms: u64) -> bool {
        now_ms < self.awake_until_ms
    }

    /// When it goes to sleep if nobody presses, for who has to wait until then.
    #[must_use]
    pub fn awake_until_ms(&self) -> u64 {
        self.awake_until_ms
    }

    /// The button was pressed shortly: wake up, or show the next of `sheets`.
    pub fn press(&mut self, now_ms: u64, sheets: &[SheetId]) {
        let place = self.place(sheets).filter(|_| self.is_awake(now_ms));
        let next = match place {
            Some(place) => sheets.get(place + 1).or(sheets.first()),
            None => sheets.first(),
        };
        self.current = next.cloned();
        self.awake_until_ms = now_ms.saturating_add(self.sleep_after_ms);
    }

    /// Something happens at the trap that who stands there wants to see: wake up, and show the
    /// first of `sheets`.
    pub fn call(&mut self, now_ms: u64, sheets: &[SheetId]) {
        self.current = sheets.first().cloned();
        self.awake_until_ms = now_ms.saturating_add(self.sleep_after_ms);
    }

    /// What is to be seen of `sheets` now.
    pub fn look(&mut self, now_ms: u64, sheets: &[SheetId]) -> Shows {
        // Who has a check done wants to see that.
        let is_checked = sheets
            .first()
            .is_some_and(|sheet| sheet.page == Page::Check);
        let new_problem = self.notice(sheets).filter(|_| !is_checked);
        if !self.is_awake(now_ms) {
            self.current = None;
            return match (self.asleep, sheets.first()) {
                (Asleep::KeepsPicture, Some(first)) => Shows::Sheet(first.clone()),
                (Asleep::KeepsPicture, None) | (Asleep::Dark, _) => Shows::Dark,
            };
        }
        let place = self.place(sheets).and_then(|place| sheets.get(place));
        self.current = new_problem.or_else(|| place.or(sheets.first()).cloned());
        match &self.current {
            Some(sheet) => Shows::Sheet(sheet.clone()),
            None => Shows::Dark,
        }
    }

    fn place(&self, sheets: &[SheetId]) -> Option<usize> {
        let current = self.current.as_ref()?;
        sheets.iter().position(|sheet| sheet == current)
    }

    /// The first sheet of a problem that was not there at the last look.
    fn notice(&mut self, sheets: &[SheetId]) -> Option<SheetId> {
        let problem = |sheet: &SheetId| match &sheet.page {
            Page::Problem(problem) => Some(problem.clone()),
            Page::Check
            | Page::State
            | Page::Today
            | Page::Queue
            | Page::Lasts
            | Page::Invitation => None,
        };
        let new = sheets
            .iter()
            .find(|sheet| problem(sheet).is_some_and(|problem| !self.problems.contains(&problem)));
        self.problems = sheets.iter().filter_map(problem).collect();
        new.cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAYS_MS: u64 = 30_000;

    fn sheet(page: Page) -> SheetId {
        SheetId { page, number: 0 }
    }

    fn problem(words: &str) -> SheetId {
        sheet(Page::Problem(words.to_owned()))
    }

    fn usual() -> Vec<SheetId> {
        vec![sheet(Page::State), sheet(Page::Today)]
    }

    fn with(problems: &[&str]) -> Vec<SheetId> {
        let problems = problems.iter().map(|words| problem(words));
        problems.chain(usual()).collect()
    }

    #[test]
    fn a_press_shows_the_next_and_the_last_is_followed_by_the_first() {
        let mut carousel = Carousel::new(Asleep::Dark, STAYS_MS, 0);
        let (state, today) = (sheet(Page::State), sheet(Page::Today));
        assert_eq!(carousel.look(0, &usual()), Shows::Sheet(state.clone()));
        carousel.press(1_000, &usual());
        assert_eq!(carousel.look(1_000, &usual()), Shows::Sheet(today));
        carousel.press(2_000, &usual());
        assert_eq!(carousel.look(2_000, &usual()), Shows::Sheet(state));
    }

    #[test]
    fn without_a_press_it_sleeps_and_a_press_wakes_it_at_the_first() {
        let mut carousel = Carousel::new(Asleep::Dark, STAYS_MS, 0);
        carousel.look(0, &usual());
        carousel.press(5_000, &usual());
        let until_ms = carousel.awake_until_ms();
        assert_eq!(until_ms, 35_000);
        assert_ne!(carousel.look(until_ms - 1, &usual()), Shows::Dark);
        assert_eq!(carousel.look(until_ms, &usual()), Shows::Dark);
        carousel.press(90_000, &usual());
        let first = Shows::Sheet(sheet(Page::State));
        assert_eq!(carousel.look(90_000, &usual()), first);
    }

    #[test]
    fn problems_come_first() {
        let mut carousel = Carousel::new(Asleep::Dark, STAYS_MS, 0);
        let shown = carousel.look(0, &with(&["camera"]));
        assert_eq!(shown, Shows::Sheet(problem("camera")));
    }

    #[test]
    fn a_new_problem_is_shown_to_who_looks_and_wakes_nobody() {
        let mut carousel = Carousel::new(Asleep::Dark, STAYS_MS, 0);
        carousel.look(0, &with(&["camera"]));
        carousel.press(1, &with(&["camera"]));
        let state = Shows::Sheet(sheet(Page::State));
        assert_eq!(carousel.look(1, &with(&["camera"])), state, "is known");
        let both = with(&["camera", "light"]);
        assert_eq!(carousel.look(2, &both), Shows::Sheet(problem("light")));
        assert_eq!(carousel.look(40_000, &with(&["clock"])), Shows::Dark);
    }

    #[test]
    fn what_is_mended_goes() {
        let mut carousel = Carousel::new(Asleep::Dark, STAYS_MS, 0);
        carousel.look(0, &with(&["camera"]));
        let state = Shows::Sheet(sheet(Page::State));
        assert_eq!(carousel.look(1, &usual()), state);
        carousel.press(2, &[]);
        assert_eq!(carousel.look(2, &[]), Shows::Dark);
    }

    #[test]
    fn a_check_wakes_it_and_is_shown_whatever_was_before() {
        let mut carousel = Carousel::new(Asleep::Dark, STAYS_MS, 0);
        carousel.look(0, &with(&["camera"]));
        let mut sheets = with(&["camera"]);
        sheets.insert(0, sheet(Page::Check));
        carousel.call(90_000, &sheets);
        let check = Shows::Sheet(sheet(Page::Check));
        assert_eq!(carousel.look(90_000, &sheets), check);
        assert_eq!(carousel.awake_until_ms(), 120_000);
    }

    #[test]
    fn paper_goes_back_to_the_first() {
        let mut carousel = Carousel::new(Asleep::KeepsPicture, STAYS_MS, 0);
        carousel.look(0, &usual());
        carousel.press(1, &usual());
        assert_eq!(carousel.look(2, &usual()), Shows::Sheet(sheet(Page::Today)));
        let first = Shows::Sheet(sheet(Page::State));
        assert_eq!(carousel.look(40_000, &usual()), first);
        let broken = Shows::Sheet(problem("camera"));
        assert_eq!(carousel.look(40_001, &with(&["camera"])), broken);
    }
}
