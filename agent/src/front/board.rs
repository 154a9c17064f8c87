//! What the front shows and knows, shared: the buttons write a press here, a
//! check its progress and its verdict, the technician's page its invitation;
//! display and LED read it. Memory only, and nobody waits for anybody here.

use crate::screen::{Check, Invitation};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// What is known of one device of the front.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartState {
    /// How it is, or why it does not work, in words for people.
    pub said: Result<String, String>,
    /// How long its last answer took.
    pub took: Duration,
    /// Whether its line is active, for one that has a line to read.
    pub is_active: Option<bool>,
}

/// Everything on the board.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// The devices of the front by name; what is not wired is missing.
    pub parts: BTreeMap<&'static str, Option<PartState>>,
    /// A check that runs, or what it came to.
    pub check: Option<Check>,
    /// Since when the check is as it is.
    pub check_at: Option<Instant>,
    /// How often the check was written.
    pub check_steps: u64,
    /// Short presses since the start.
    pub presses: u64,
    /// The last press of any kind.
    pub pressed_at: Option<Instant>,
    /// What to scan.
    pub invitation: Option<Invitation>,
}

/// The board.
#[derive(Debug)]
pub struct Board {
    shown: watch::Sender<Shown>,
    /// The display was put out at the end.
    pub(crate) is_out: Notify,
    /// Somebody wants to know whether the trap can be left.
    pub(super) wants_check: Notify,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            shown: watch::Sender::new(Shown::default()),
            is_out: Notify::new(),
            wants_check: Notify::new(),
        }
    }
}

impl Board {
    /// What is on it now.
    #[must_use]
    pub fn shown(&self) -> Shown {
        self.shown.borrow().clone()
    }

    /// Tells of each change from now on.
    #[must_use]
    pub fn follow(&self) -> watch::Receiver<Shown> {
        self.shown.subscribe()
    }

    /// A check begins, goes on or is over; `None` takes it off.
    pub fn check(&self, check: Option<Check>) {
        self.shown.send_modify(|shown| {
            shown.check = check;
            shown.check_steps = shown.check_steps.wrapping_add(1);
            shown.check_at = Some(Instant::now());
        });
    }

    /// What to scan, while there is something to join.
    pub fn invite(&self, invitation: Option<Invitation>) {
        self.shown
            .send_modify(|shown| shown.invitation = invitation);
    }

    /// A short press.
    pub fn press(&self) {
        self.shown.send_modify(|shown| {
            shown.presses = shown.presses.wrapping_add(1);
            shown.pressed_at = Some(Instant::now());
        });
    }

    /// A long press: can the trap be left?
    pub fn press_long(&self) {
        self.shown
            .send_modify(|shown| shown.pressed_at = Some(Instant::now()));
        self.wants_check.notify_one();
    }

    /// A device is wired; nothing is known of it yet.
    pub(super) fn fitted(&self, part: &'static str) {
        self.shown.send_modify(|shown| {
            shown.parts.insert(part, None);
        });
    }

    /// What was seen of a device.
    pub(super) fn saw(&self, part: &'static str, state: PartState) {
        self.shown.send_if_modified(|shown| {
            let before = shown.parts.insert(part, Some(state.clone()));
            before.flatten().as_ref() != Some(&state)
        });
    }
}
