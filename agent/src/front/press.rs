//! The button of the front: presses for display and LED, a check for a long
//! one, and a fault for one that is stuck.

use super::board::PartState;
use super::watched_line::{News, WatchedLine};
use crate::desk::Desk;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use trapline_hal::button::{Button, ButtonEvent, ButtonTimes, STUCK};

/// Its name in faults and in the wiring table.
pub(super) const PART: &str = "button";
/// Whoever pressed wants to look around before the trap lies down.
const VISIT_MS: u64 = 10 * 60_000;

/// Reads the button for ever.
pub(super) async fn read(desk: &Desk, mut line: WatchedLine, times: ButtonTimes) {
    let began = Instant::now();
    let since = |at: Instant| crate::moment::millis(at.saturating_duration_since(began));
    let mut button = Button::new(times, false, 0);
    let mut is_pressed = false;
    loop {
        let wait_ms = button.wait_ms(since(Instant::now()));
        let wait = async {
            match wait_ms {
                Some(wait_ms) => sleep(Duration::from_millis(wait_ms)).await,
                None => std::future::pending().await,
            }
        };
        let events = tokio::select! {
            biased;
            news = line.next() => match news {
                News::Opened(active) => {
                    is_pressed = active;
                    button.edge(active, since(Instant::now()))
                }
                News::Edge(active, at) => {
                    is_pressed = active;
                    button.edge(active, since(at))
                }
                News::Lost(words) => {
                    say_lost(desk, PART, words);
                    // Whoever pressed has let go, as far as anybody knows.
                    button = Button::new(times, false, since(Instant::now()));
                    continue;
                }
            },
            () = wait => button.tick(since(Instant::now())),
        };
        for event in &events {
            heard(desk, *event);
        }
        if !button.is_stuck() {
            desk.health.clear(PART);
        }
        let words = match (button.is_stuck(), is_pressed) {
            (true, _) => Err(STUCK.to_owned()),
            (false, true) => Ok("it is pressed".to_owned()),
            (false, false) => Ok("it can be read, and is not pressed".to_owned()),
        };
        say(desk, PART, words, is_pressed);
    }
}

fn heard(desk: &Desk, event: ButtonEvent) {
    log::debug!("button: {event:?}");
    if matches!(event, ButtonEvent::Short | ButtonEvent::Long) {
        let stays_ms = desk.clock.stamp().uptime_ms.saturating_add(VISIT_MS);
        desk.power.hold.until(stays_ms);
    }
    match event {
        ButtonEvent::Short => {
            desk.board.press();
            desk.page.open(desk.config.page.idle);
        }
        ButtonEvent::Long => desk.board.press_long(),
        ButtonEvent::Stuck => {
            let now_ms = desk.clock.stamp().unix_ms;
            desk.health.raise(PART, STUCK, now_ms);
        }
        ButtonEvent::Freed => desk.health.clear(PART),
    }
}

/// Tells everybody that a line cannot be watched.
pub(super) fn say_lost(desk: &Desk, part: &'static str, words: String) {
    let now_ms = desk.clock.stamp().unix_ms;
    desk.health.raise(part, &words, now_ms);
    let state = PartState {
        said: Err(words),
        took: Duration::ZERO,
        is_active: None,
    };
    desk.board.saw(part, state);
}

/// Puts on the board how a line is.
pub(super) fn say(desk: &Desk, part: &'static str, said: Result<String, String>, is_active: bool) {
    let state = PartState {
        said,
        took: Duration::ZERO,
        is_active: Some(is_active),
    };
    desk.board.saw(part, state);
}
