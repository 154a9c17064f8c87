//! The moment at which a trap starts anew for an update: inside the window that the
//! settings name, and not shortly before a picture is due.

use crate::config::update::UpdateConfig;
use crate::schedule::{DAY_MS, Window};
use crate::service;
use anyhow::{Context as _, bail};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use trapline_hal::Clock;

/// A start, a trial and a picture fit into this.
const BEFORE_SHOT_MS: i64 = 3 * 60_000;
/// A moment that has not come by then is not waited for any longer.
const WAIT_MS: u64 = 24 * 3_600_000;
const LOOK_EVERY: Duration = Duration::from_secs(20);

/// What the moment depends on.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// Local time in which it may be.
    pub window: Option<Window>,
    /// How far local time is east of UTC, in milliseconds.
    pub utc_offset_ms: i64,
    /// Time between two planned pictures, in milliseconds.
    pub every_ms: i64,
}

impl Wish {
    /// As the settings say.
    #[must_use]
    pub fn of(update: &UpdateConfig, schedule: &crate::schedule::Schedule) -> Self {
        Self {
            window: update.window,
            utc_offset_ms: schedule.utc_offset_ms(),
            every_ms: schedule.every_ms(),
        }
    }

    /// Whether the trap may start anew now; `due_ms` is the next planned picture, if one is.
    #[must_use]
    pub fn allows(&self, now_ms: i64, due_ms: Option<i64>) -> bool {
        let time_ms = (now_ms + self.utc_offset_ms).rem_euclid(DAY_MS);
        let is_inside = |window: Window| {
            if window.from_ms < window.until_ms {
                (window.from_ms..window.until_ms).contains(&time_ms)
            } else {
                time_ms >= window.from_ms || time_ms < window.until_ms
            }
        };
        // Pictures that follow each other closely leave no better moment than after one.
        let before_ms = BEFORE_SHOT_MS.min(self.every_ms / 2);
        let is_free = due_ms.is_none_or(|due| due < now_ms || due - now_ms >= before_ms);
        self.window.is_none_or(is_inside) && is_free
    }
}

/// Returns when the trap may start anew.
pub async fn moment(wish: Wish, clock: &dyn Clock, ledger_dir: &Path) {
    let began_ms = clock.stamp().uptime_ms;
    loop {
        let now = clock.stamp();
        let due_ms = service::read_facts(ledger_dir).and_then(|facts| facts.next_due_ms);
        let has_waited = now.uptime_ms.saturating_sub(began_ms) >= WAIT_MS;
        if has_waited || wish.allows(now.unix_ms, due_ms) {
            return;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Starts the trap anew, in order.
///
/// # Errors
/// When the service manager does not do it.
pub fn restart() -> anyhow::Result<()> {
    let done = Command::new("systemctl")
        .args(["--no-block", "reboot"])
        .status();
    let done = done.context("`systemctl` cannot be started")?;
    if !done.success() {
        bail!("`systemctl reboot` failed ({done})");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    #[test]
    fn a_restart_keeps_clear_of_pictures_and_to_its_window() {
        let any = Wish {
            window: None,
            utc_offset_ms: 0,
            every_ms: 20 * 60_000,
        };
        assert!(any.allows(0, None) && any.allows(0, Some(BEFORE_SHOT_MS)));
        assert!(!any.allows(0, Some(60_000)));
        assert!(
            any.allows(60_000, Some(0)),
            "what is overdue is waited for by nobody"
        );
        let dense = Wish {
            every_ms: 60_000,
            ..any
        };
        assert!(dense.allows(0, Some(40_000)) && !dense.allows(0, Some(20_000)));
        let night = Wish {
            window: Some(Window {
                from_ms: 22 * HOUR_MS,
                until_ms: 4 * HOUR_MS,
            }),
            utc_offset_ms: 2 * HOUR_MS,
            ..any
        };
        assert!(!night.allows(12 * HOUR_MS, None));
        assert!(night.allows(20 * HOUR_MS, None) && night.allows(HOUR_MS, None));
        assert!(!night.allows(2 * HOUR_MS, None));
    }
}
