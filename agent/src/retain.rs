//! The retain stage: keeps room on the card by removing the oldest pictures
//! that are safe on the server. A picture without a receipt is never removed.

use crate::desk::Desk;
use crate::stage::{Next, Stage, StageError};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::Notify;
use trapline_store::{Prunable, Usage};

/// How often the card is looked at when nobody rings.
const LOOK_EVERY: Duration = Duration::from_mins(5);
/// Pictures that are looked at, and removed, in one step.
const PRUNE_MAX: u32 = 50;

/// The stage.
#[derive(Debug)]
pub struct Retain {
    desk: Desk,
}

/// What the card may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of pictures.
    pub quota_bytes: u64,
    /// Bytes of the file system that stay free.
    pub free_bytes_min: u64,
}

/// Whether pictures must no longer be taken. Pure.
///
/// Without room for its rows the ledger could neither write down that a shot
/// was missed nor that a picture is safe and may go, and would never recover.
#[must_use]
pub fn is_full(usage: &Usage, limits: Limits) -> bool {
    usage.free_bytes < limits.free_bytes_min / 2
}

/// How many bytes must go. Pure.
#[must_use]
pub fn excess_bytes(usage: &Usage, limits: Limits) -> u64 {
    let over_quota = usage.pictures_bytes.saturating_sub(limits.quota_bytes);
    let short_of_free = limits.free_bytes_min.saturating_sub(usage.free_bytes);
    over_quota.max(short_of_free)
}

/// Which pictures go, the oldest first, until `excess_bytes` are gone. Pure.
#[must_use]
pub fn plan(excess_bytes: u64, oldest_first: &[Prunable]) -> Vec<Prunable> {
    let mut gone = 0_u64;
    let goes = |picture: &&Prunable| {
        let is_needed = gone < excess_bytes;
        gone = gone.saturating_add(picture.size_bytes);
        is_needed
    };
    oldest_first.iter().take_while(goes).copied().collect()
}

impl Retain {
    /// The stage.
    #[must_use]
    pub fn new(desk: Desk) -> Self {
        Self { desk }
    }

    fn limits(&self) -> Limits {
        let ledger = &self.desk.config.ledger;
        Limits {
            quota_bytes: ledger.quota_bytes,
            free_bytes_min: ledger.free_bytes_min,
        }
    }
}

impl Stage for Retain {
    fn name(&self) -> &'static str {
        "retain"
    }

    fn step_limit(&self) -> Duration {
        Duration::from_mins(5)
    }

    fn grace(&self) -> Duration {
        Duration::from_secs(2)
    }

    fn wake<'a>(&self, desk: &'a Desk) -> &'a Notify {
        &desk.wakes.retain
    }

    async fn step(&mut self) -> Result<Next, StageError> {
        let limits = self.limits();
        let (usage, pruned) = self
            .desk
            .books
            .with(move |ledger| {
                let usage = ledger.usage()?;
                let excess = excess_bytes(&usage, limits);
                let goes = match excess {
                    0 => Vec::new(),
                    _ => plan(excess, &ledger.prunable(PRUNE_MAX)?),
                };
                for picture in &goes {
                    ledger.prune(picture.capture)?;
                }
                Ok((usage, goes.len()))
            })
            .await?;
        let excess = excess_bytes(&usage, limits);
        let is_full = pruned == 0 && is_full(&usage, limits);
        self.desk.card_full.store(is_full, Ordering::Relaxed);
        if excess == 0 {
            self.desk.health.clear("space");
            return Ok(Next::Rest(LOOK_EVERY));
        }
        if pruned == 0 {
            let so = if is_full {
                "no more pictures are taken"
            } else {
                "it fills up"
            };
            let why = format!(
                "the card is {} MB over its limit and holds no picture that is safe on the \
                 server; {so}: connect the trap, or use a larger card",
                excess.div_ceil(1_000_000)
            );
            let now_ms = self.desk.clock.stamp().unix_ms;
            self.desk.health.raise("space", &why, now_ms);
            return Ok(Next::Rest(LOOK_EVERY));
        }
        log::info!(pruned = pruned; "removed {pruned} pictures from the card that are safe on the server");
        Ok(Next::Again)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trapline_wire::{CaptureId, LedgerId};

    fn picture(seq: u64, size_bytes: u64) -> Prunable {
        Prunable {
            capture: CaptureId::new(LedgerId(1), seq),
            size_bytes,
            taken_ms: 0,
        }
    }

    #[test]
    fn the_larger_of_both_limits_counts() {
        let usage = Usage {
            pictures_bytes: 1000,
            free_bytes: 50,
            ..Usage::default()
        };
        let excess = |quota_bytes, free_bytes_min| {
            let limits = Limits {
                quota_bytes,
                free_bytes_min,
            };
            excess_bytes(&usage, limits)
        };
        assert_eq!(excess(1000, 50), 0);
        assert_eq!(excess(900, 70), 100);
        assert_eq!(excess(990, 70), 20);
    }

    #[test]
    fn the_ledger_keeps_room_for_its_rows() {
        let is_full_at = |free_bytes| {
            let usage = Usage {
                free_bytes,
                ..Usage::default()
            };
            let limits = Limits {
                quota_bytes: 0,
                free_bytes_min: 100,
            };
            is_full(&usage, limits)
        };
        assert_eq!((is_full_at(49), is_full_at(50)), (true, false));
    }

    #[test]
    fn the_oldest_go_and_no_more_than_needed() {
        let safe = [picture(1, 40), picture(2, 40), picture(3, 40)];
        assert_eq!(plan(0, &safe), []);
        assert_eq!(plan(41, &safe), safe[..2]);
        assert_eq!(plan(1000, &safe), safe);
    }
}
