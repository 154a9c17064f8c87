//! The trigger of the front: a picture out of turn when something moves.

use super::press::{say, say_lost};
use super::watched_line::{News, WatchedLine};
use crate::asks::ShotCause;
use crate::desk::Desk;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use trapline_hal::trigger::{BLOCKED, Trigger, TriggerEvent, TriggerLimits};
use trapline_wire::CaptureId;

/// Its name in faults and in the wiring table.
pub(super) const PART: &str = "trigger";

type Shot = Pin<Box<dyn Future<Output = Result<CaptureId, String>> + Send>>;

/// Watches the trigger for ever.
pub(super) async fn watch(desk: &Desk, mut line: WatchedLine, limits: TriggerLimits) {
    let began = Instant::now();
    let since = |at: Instant| crate::moment::millis(at.saturating_duration_since(began));
    let mut trigger = Trigger::new(limits);
    let mut is_blocked = false;
    let mut is_active = false;
    // Held until it is answered: an ask whose asker left is passed over.
    let mut shot: Option<Shot> = None;
    loop {
        let wait_ms = trigger.wait_ms(since(Instant::now()));
        let wait = async {
            match wait_ms {
                Some(wait_ms) => sleep(Duration::from_millis(wait_ms)).await,
                None => std::future::pending().await,
            }
        };
        let taken = async {
            match shot.as_mut() {
                Some(shot) => shot.await,
                None => std::future::pending().await,
            }
        };
        let event = tokio::select! {
            biased;
            taken = taken => {
                shot = None;
                if let Err(why) = taken {
                    log::warn!("the trigger got no picture: {why}");
                }
                continue;
            }
            news = line.next() => match news {
                News::Opened(active) => {
                    is_active = active;
                    // What was active before anybody watched is no movement, but may be a leaf.
                    begin(&mut trigger, active, since(Instant::now()))
                }
                News::Edge(active, at) => {
                    is_active = active;
                    trigger.edge(active, since(at))
                }
                News::Lost(words) => {
                    say_lost(desk, PART, words);
                    trigger = Trigger::new(limits);
                    is_blocked = false;
                    continue;
                }
            },
            () = wait => trigger.tick(since(Instant::now())),
        };
        match event {
            Some(TriggerEvent::Fired { held_back }) if shot.is_none() => {
                log::debug!("the trigger fired; it was held back {held_back} times before");
                let asks = Arc::clone(&desk.asks);
                shot = Some(Box::pin(async move { asks.shot(ShotCause::Trigger).await }));
            }
            Some(TriggerEvent::Blocked) => is_blocked = true,
            Some(TriggerEvent::Freed) => is_blocked = false,
            Some(TriggerEvent::Fired { .. }) | None => {}
        }
        tell(desk, is_blocked, is_active);
    }
}

/// Starts to watch a line that is as it is.
fn begin(trigger: &mut Trigger, active: bool, now_ms: u64) -> Option<TriggerEvent> {
    let freed = trigger.edge(false, now_ms);
    if active {
        let _is_no_movement = trigger.edge(true, now_ms);
    }
    freed
}

fn tell(desk: &Desk, is_blocked: bool, is_active: bool) {
    let said = if is_blocked {
        let now_ms = desk.clock.stamp().unix_ms;
        desk.health.raise(PART, BLOCKED, now_ms);
        Err(BLOCKED.to_owned())
    } else {
        desk.health.clear(PART);
        let words = if is_active {
            "it can be read, and is active now"
        } else {
            "it can be read, and nothing moves"
        };
        Ok(words.to_owned())
    };
    say(desk, PART, said, is_active);
}
