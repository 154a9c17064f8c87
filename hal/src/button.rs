//! The trap's button: a short press, a long one, and a button that is stuck.
//!
//! Pure: edges with their times go in, events come out. An edge counts once
//! the contact has been quiet for [`ButtonTimes::bounce_ms`], so
//! [`Button::tick`] must be called when [`Button::wait_ms`] is over. A long press is said while the
//! button is still held, so that the hand feels it; a stuck one once, and then
//! the button is ignored until it was let go.

/// The times by which presses differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ButtonTimes {
    /// A contact that changed is believed after it was quiet for this long.
    pub bounce_ms: u64,
    /// A press is long from here on.
    pub long_ms: u64,
    /// Nobody presses for this long.
    pub stuck_ms: u64,
}

impl Default for ButtonTimes {
    fn default() -> Self {
        Self {
            bounce_ms: 30,
            long_ms: 3_000,
            stuck_ms: 30_000,
        }
    }
}

/// What the button said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ButtonEvent {
    /// It was pressed and let go.
    Short,
    /// It is held.
    Long,
    /// It is held for longer than anybody presses: a fault, said once.
    Stuck,
    /// It was stuck and is free again.
    Freed,
}

/// The words for the fault that [`ButtonEvent::Stuck`] is.
pub const STUCK: &str =
    "the button is stuck; free it, or unplug it, and look for water and for a crushed cable";

/// A button.
#[derive(Debug, Clone)]
pub struct Button {
    times: ButtonTimes,
    /// What the contact said last, and since when.
    contact: Contact,
    /// Since when the button is believed to be pressed.
    pressed_at_ms: Option<u64>,
    said: Said,
}

#[derive(Debug, Clone, Copy)]
struct Contact {
    pressed: bool,
    since_ms: u64,
}

/// How much was said of the press that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Nothing,
    Long,
    Stuck,
}

impl Button {
    /// A button that is let go, or held from the start, as `pressed` says.
    #[must_use]
    pub fn new(times: ButtonTimes, pressed: bool, now_ms: u64) -> Self {
        let since_ms = now_ms;
        Self {
            times,
            contact: Contact { pressed, since_ms },
            pressed_at_ms: None,
            said: Said::Nothing,
        }
    }

    /// The contact changed. One that repeats itself is no news: after edges
    /// were lost, say here how the contact is.
    pub fn edge(&mut self, pressed: bool, at_ms: u64) -> Vec<ButtonEvent> {
        let events = self.tick(at_ms);
        if pressed != self.contact.pressed {
            self.contact = Contact {
                pressed,
                since_ms: at_ms.max(self.contact.since_ms),
            };
        }
        events
    }

    /// Time passed.
    pub fn tick(&mut self, now_ms: u64) -> Vec<ButtonEvent> {
        let Contact { pressed, since_ms } = self.contact;
        let is_quiet = now_ms.saturating_sub(since_ms) >= self.times.bounce_ms;
        let mut events = Vec::new();
        match self.pressed_at_ms {
            None if pressed && is_quiet => {
                self.pressed_at_ms = Some(since_ms);
                self.hold(now_ms - since_ms, &mut events);
            }
            None => {}
            Some(pressed_at_ms) if !pressed && is_quiet => {
                self.hold(since_ms.saturating_sub(pressed_at_ms), &mut events);
                match self.said {
                    Said::Nothing => events.push(ButtonEvent::Short),
                    Said::Long => {}
                    Said::Stuck => events.push(ButtonEvent::Freed),
                }
                self.said = Said::Nothing;
                self.pressed_at_ms = None;
            }
            Some(pressed_at_ms) => {
                // A contact that opened was pressed only until then.
                let until_ms = if pressed { now_ms } else { since_ms };
                self.hold(until_ms.saturating_sub(pressed_at_ms), &mut events);
            }
        }
        events
    }

    /// For how long nothing can happen without an edge; `None` for ever.
    #[must_use]
    pub fn wait_ms(&self, now_ms: u64) -> Option<u64> {
        let Contact { pressed, since_ms } = self.contact;
        let next_ms = match (self.pressed_at_ms, pressed) {
            (None, false) => return None,
            (None, true) | (Some(_), false) => since_ms.saturating_add(self.times.bounce_ms),
            (Some(pressed_at_ms), true) => match self.said {
                Said::Nothing => pressed_at_ms.saturating_add(self.times.long_ms),
                Said::Long => pressed_at_ms.saturating_add(self.times.stuck_ms),
                Said::Stuck => return None,
            },
        };
        Some(next_ms.saturating_sub(now_ms))
    }

    /// Whether it is stuck now.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        self.said == Said::Stuck
    }

    fn hold(&mut self, held_ms: u64, events: &mut Vec<ButtonEvent>) {
        if self.said == Said::Nothing && held_ms >= self.times.long_ms {
            self.said = Said::Long;
            events.push(ButtonEvent::Long);
        }
        if self.said == Said::Long && held_ms >= self.times.stuck_ms {
            self.said = Said::Stuck;
            events.push(ButtonEvent::Stuck);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays a contact through as its reader does, with a tick whenever one is asked for.
    fn play(edges: &[(bool, u64)], until_ms: u64) -> Vec<(u64, ButtonEvent)> {
        let mut button = Button::new(ButtonTimes::default(), false, 0);
        let mut heard = Vec::new();
        let mut edges = edges.iter().peekable();
        let mut now_ms = 0;
        while now_ms <= until_ms {
            let tick_ms = button.wait_ms(now_ms).map_or(u64::MAX, |ms| now_ms + ms);
            let edge = edges.next_if(|(_, at_ms)| *at_ms <= tick_ms);
            let events = match edge {
                Some(&(pressed, at_ms)) => {
                    now_ms = at_ms;
                    button.edge(pressed, at_ms)
                }
                None if tick_ms > until_ms => break,
                None => {
                    now_ms = tick_ms;
                    button.tick(now_ms)
                }
            };
            heard.extend(events.into_iter().map(|event| (now_ms, event)));
        }
        heard
    }

    #[test]
    fn a_press_with_a_bouncing_contact_is_one_press() {
        let edges = [
            (true, 1_000),
            (false, 1_002),
            (true, 1_005),
            (false, 1_400),
            (true, 1_401),
            (false, 1_407),
        ];
        assert_eq!(play(&edges, 60_000), [(1_437, ButtonEvent::Short)]);
    }

    #[test]
    fn a_spark_is_no_press() {
        assert_eq!(play(&[(true, 1_000), (false, 1_010)], 60_000), []);
    }

    #[test]
    fn a_long_press_is_said_while_it_is_held_and_its_end_is_not() {
        let edges = [(true, 1_000), (false, 5_000)];
        assert_eq!(play(&edges, 60_000), [(4_000, ButtonEvent::Long)]);
    }

    #[test]
    fn a_stuck_button_is_said_once_and_works_again_after_it_was_freed() {
        let edges = [(true, 0), (false, 90_000), (true, 95_000), (false, 95_200)];
        let heard = [
            (3_000, ButtonEvent::Long),
            (30_000, ButtonEvent::Stuck),
            (90_030, ButtonEvent::Freed),
            (95_230, ButtonEvent::Short),
        ];
        assert_eq!(play(&edges, 200_000), heard);
    }

    #[test]
    fn a_button_that_is_held_from_the_start_gets_stuck_too() {
        let mut button = Button::new(ButtonTimes::default(), true, 500);
        assert_eq!(button.wait_ms(500), Some(30));
        let both = [ButtonEvent::Long, ButtonEvent::Stuck];
        assert_eq!(button.tick(30_500), both, "a reader that was late");
        assert!(button.is_stuck());
        assert_eq!(button.wait_ms(30_500), None);
    }

    #[test]
    fn a_reader_that_was_late_hears_the_press_as_long_as_it_was() {
        let mut button = Button::new(ButtonTimes::default(), false, 0);
        button.edge(true, 1_000);
        button.edge(false, 1_500);
        assert_eq!(
            button.tick(9_000),
            [ButtonEvent::Short],
            "and not as long as it waited"
        );
    }

    #[test]
    fn lost_edges_are_made_up_for() {
        let mut button = Button::new(ButtonTimes::default(), false, 0);
        button.edge(true, 1_000);
        button.tick(1_030);
        button.edge(true, 1_100);
        assert_eq!(button.edge(false, 1_200), []);
        assert_eq!(button.tick(1_230), [ButtonEvent::Short]);
    }

    #[test]
    fn time_that_runs_backwards_breaks_nothing() {
        let mut button = Button::new(ButtonTimes::default(), false, 0);
        button.edge(true, 5_000);
        assert_eq!(button.edge(false, 4_000), []);
        assert_eq!(button.tick(3_000), []);
        assert_eq!(button.tick(6_000), []);
    }
}
