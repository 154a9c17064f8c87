//! The trap's front: display, button, status LED and trigger, beside the stages
//! and never in their way.
//!
//! Each device is optional, each has a loop of its own, and each fault of one is
//! told and lived with: a display that is unplugged is tried again now and then,
//! a stuck button is noticed when it is free again, and captures go on. What the
//! loops say to each other stands on the [`Board`].

mod board;
mod display;
mod gather;
mod light;
mod move_trigger;
mod press;
mod watched_line;

use crate::depart;
use crate::desk::Desk;
use crate::stage::guarded_whole;
use std::fmt;
use std::future::Future;
use std::time::Duration;
use watched_line::WatchedLine;

pub use board::{Board, PartState, Shown};
pub use display::OpenPanel;
pub use light::OpenOutput;
pub use watched_line::OpenInput;

/// The devices of the front; what is `None` is not wired. None is touched before the front runs.
#[derive(Default)]
pub struct FrontDevices {
    /// Opens the display, also after it failed.
    pub panel: Option<OpenPanel>,
    /// Opens the button's line.
    pub button: Option<OpenInput>,
    /// Opens the LED's line.
    pub led: Option<OpenOutput>,
    /// Opens the trigger's line.
    pub trigger: Option<OpenInput>,
}

impl fmt::Debug for FrontDevices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrontDevices").finish_non_exhaustive()
    }
}

/// The front.
#[derive(Debug)]
pub(crate) struct Front {
    desk: Desk,
    devices: FrontDevices,
}

impl Front {
    pub(crate) fn new(desk: Desk, devices: FrontDevices) -> Self {
        for (part, is_fitted) in [
            (display::PART, devices.panel.is_some()),
            (press::PART, devices.button.is_some()),
            (light::PART, devices.led.is_some()),
            (move_trigger::PART, devices.trigger.is_some()),
        ] {
            if is_fitted {
                desk.board.fitted(part);
            }
        }
        Self { desk, devices }
    }

    /// Runs until it is dropped. When the agent is asked to stop it puts the display out, and
    /// says so on the board.
    pub(crate) async fn run(self) {
        let Self { desk, devices } = self;
        let config = desk.config.front.clone();
        let line = |open| WatchedLine::new(open, desk.hands);
        let display = async {
            if let Some((open, config)) = devices.panel.zip(config.display.as_ref()) {
                display::draw(&desk, open, config).await;
            }
        };
        let button = async {
            if let Some((open, config)) = devices.button.zip(config.button.as_ref()) {
                press::read(&desk, line(open), config.times).await;
            }
        };
        let led = async {
            if let Some((open, config)) = devices.led.zip(config.led.as_ref()) {
                light::shine(&desk, open, config).await;
            }
        };
        let trigger = async {
            if let Some((open, config)) = devices.trigger.zip(config.trigger.as_ref()) {
                move_trigger::watch(&desk, line(open), config.limits).await;
            }
        };
        let others = async {
            // The display has something to do at the end.
            tokio::join!(
                looked_after(&desk, display::PART, Box::pin(display)),
                until_stop(&desk, press::PART, Box::pin(button)),
                until_stop(&desk, move_trigger::PART, Box::pin(trigger)),
                until_stop(&desk, "check", depart_when_asked(&desk)),
            );
            desk.board.is_out.notify_one();
        };
        // The LED says that the trap goes off, until it is off.
        tokio::join!(others, looked_after(&desk, light::PART, Box::pin(led)));
    }
}

/// Checks whether the trap can be left each time that the button asks.
async fn depart_when_asked(desk: &Desk) {
    loop {
        desk.board.wants_check.notified().await;
        let report = depart::depart(desk).await;
        log::info!("the check by the button: {}", report.verdict_line());
    }
}

async fn until_stop(desk: &Desk, part: &str, work: impl Future<Output = ()>) {
    let work = looked_after(desk, part, work);
    tokio::select! {
        biased;
        () = desk.stop.over(Duration::ZERO) => {}
        () = work => {}
    }
}

/// A mistake in one loop ends that loop, is told, and ends nothing else.
async fn looked_after(desk: &Desk, part: &str, work: impl Future<Output = ()>) {
    if let Err(words) = guarded_whole(work).await {
        let now_ms = desk.clock.stamp().unix_ms;
        let why = format!("a mistake in the program: {words}; restart the trap");
        desk.health.raise(part, &why, now_ms);
    }
}
