//! A trap's clock as it is without a battery: it starts in the past, and jumps
//! when the trap hears the time.

use super::SharedScene;
use crate::world::spans::Span;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use trapline_hal::{Clock, ClockQuality, Stamp};

/// A set clock is written to the card this often, as `systemd-timesyncd` does.
const SAVED_EVERY_MS: i64 = 60_000;
/// From the start of a trap until it can hear the time, if there is signal.
const HEARS_AFTER_MS: i64 = 45_000;

/// What keeps the time while a trap is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeper {
    /// A battery-backed clock, a little off.
    Battery,
    /// The last time that was written to the card.
    Card,
    /// Nothing: the trap wakes up in 1970.
    Nothing,
}

/// A boot and what the clock believed in it.
#[derive(Debug, Clone)]
struct Boot {
    number: u32,
    at_ms: i64,
    believed_ms: i64,
    quality: ClockQuality,
    /// Parts per million that the clock runs too fast.
    fast_ppm: i64,
    /// When it hears the time; `None` when not in this season.
    hears_ms: Option<i64>,
}

/// The simulated clock of one trap. It lives on over power cuts as the world's
/// memory of it; [`SimClock::power_on`] is a boot.
#[derive(Debug, Clone)]
pub struct SimClock {
    scene: SharedScene,
    keeper: Keeper,
    boot: Arc<Mutex<Option<Boot>>>,
    unset: Arc<Mutex<Vec<Span>>>,
    jumps: Arc<Mutex<u64>>,
    /// When the power went last.
    off: Arc<Mutex<Option<i64>>>,
}

impl SimClock {
    /// A clock that was never powered.
    #[must_use]
    pub fn new(scene: SharedScene, keeper: Keeper) -> Self {
        Self {
            scene,
            keeper,
            boot: Arc::default(),
            unset: Arc::default(),
            jumps: Arc::default(),
            off: Arc::default(),
        }
    }

    /// The trap boots now.
    pub fn power_on(&self) {
        let now_ms = self.scene.time.now_ms();
        let mut boot = lock(&self.boot);
        let number = boot.as_ref().map_or(1, |boot| boot.number + 1);
        let mut chance = self.scene.chance(&[300, u64::from(number)]);
        let (believed_ms, quality) = match self.keeper {
            Keeper::Battery => (now_ms + spread_ms(chance.unit(), 2_000), ClockQuality::Rtc),
            Keeper::Card => {
                // The first boot is that of the technician, who has set it a moment ago.
                let last = boot
                    .as_ref()
                    .map_or(now_ms - 90_000, |boot| self.saved_ms(boot));
                (last, ClockQuality::Restored)
            }
            Keeper::Nothing => (spread_ms(chance.unit(), 500) + 600, ClockQuality::Unset),
        };
        let hears_ms = self.hears_from(now_ms + HEARS_AFTER_MS);
        if quality == ClockQuality::Unset {
            let until_ms = hears_ms.unwrap_or(i64::MAX);
            lock(&self.unset).push(Span {
                from_ms: now_ms,
                until_ms,
            });
        }
        *boot = Some(Boot {
            number,
            at_ms: now_ms,
            believed_ms,
            quality,
            fast_ppm: spread_ms(chance.unit(), 40),
            hears_ms,
        });
        drop(boot);
        let jump_ms = self.believed_ms(now_ms) - now_ms;
        if jump_ms.abs() > 1_000 {
            *lock(&self.jumps) += 1;
        }
    }

    /// The trap lost its power now: an unset span ends.
    pub fn power_off(&self) {
        let now_ms = self.scene.time.now_ms();
        if let Some(last) = lock(&self.unset).last_mut() {
            last.until_ms = last.until_ms.min(now_ms);
        }
        *lock(&self.off) = Some(now_ms);
    }

    /// When the clock did not know the time, in true time.
    #[must_use]
    pub fn unset_spans(&self) -> Vec<Span> {
        lock(&self.unset).clone()
    }

    /// From when on the clock of this boot knows the time; `None` when it never will.
    #[must_use]
    pub fn knows_from(&self) -> Option<i64> {
        let held = lock(&self.boot);
        let boot = held.as_ref()?;
        if boot.quality == ClockQuality::Unset {
            boot.hears_ms
        } else {
            Some(boot.at_ms)
        }
    }

    /// How often the clock jumped, or will when it hears the time.
    #[must_use]
    pub fn jumps(&self) -> u64 {
        *lock(&self.jumps)
    }

    /// The first moment with signal from `from_ms` on.
    fn hears_from(&self, from_ms: i64) -> Option<i64> {
        let silence = self.scene.world.radio_silence.at(from_ms);
        Some(silence.map_or(from_ms, |span| span.until_ms))
    }

    fn believed_ms(&self, now_ms: i64) -> i64 {
        lock(&self.boot)
            .as_ref()
            .map_or(0, |boot| believed(boot, now_ms))
    }

    /// The time that the card remembers of the boot before.
    fn saved_ms(&self, before: &Boot) -> i64 {
        let now_ms = self.scene.time.now_ms();
        let off_since_ms = lock(&self.off).unwrap_or(now_ms);
        believed(before, off_since_ms).div_euclid(SAVED_EVERY_MS) * SAVED_EVERY_MS
    }
}

impl Clock for SimClock {
    fn stamp(&self) -> Stamp {
        let now_ms = self.scene.time.now_ms();
        let held = lock(&self.boot);
        let Some(boot) = held.as_ref() else {
            return Stamp {
                unix_ms: 0,
                quality: ClockQuality::Unset,
                boot_id: "never".to_owned(),
                uptime_ms: 0,
            };
        };
        let is_synced = boot.hears_ms.is_some_and(|hears_ms| now_ms >= hears_ms);
        Stamp {
            unix_ms: believed(boot, now_ms),
            quality: if is_synced {
                ClockQuality::Synced
            } else {
                boot.quality
            },
            boot_id: format!("trap-{}-boot-{}", self.scene.trap, boot.number),
            uptime_ms: u64::try_from(now_ms - boot.at_ms).unwrap_or(0),
        }
    }
}

fn believed(boot: &Boot, now_ms: i64) -> i64 {
    if boot.hears_ms.is_some_and(|hears_ms| now_ms >= hears_ms) {
        return now_ms;
    }
    let ran_ms = now_ms - boot.at_ms;
    boot.believed_ms + ran_ms + ran_ms * boot.fast_ppm / 1_000_000
}

/// From a number in 0..1 to one in `-most..most`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a few thousand at most"
)]
fn spread_ms(unit: f64, most: i64) -> i64 {
    ((unit * 2.0 - 1.0) * most as f64) as i64
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
