//! The system clock, with what Linux knows about its trustworthiness.

mod wish;

use super::rtc::KernelClocks;
use crate::clock::{Clock, ClockQuality, Stamp};
use rustix::time::{ClockId, clock_gettime};
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::Path;
use wish::Wish;

pub use wish::set_by_wish;

/// 2024-01-01: earlier than any Trapline, so a clock before it was never set.
const EARLIEST_TRUE_MS: i64 = 1_704_067_200_000;
/// `systemd-timesyncd` touches this file when it has set the clock in this boot.
const TIMESYNC_FLAG: &str = "/run/systemd/timesync/synchronized";
/// A battery-backed clock that is further from the system's did not set it.
const SAME_CLOCK_MS: i64 = 60_000;
/// A random name that the kernel draws at each boot.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The clock of the running system.
#[derive(Debug)]
pub struct SystemClock {
    boot_id: String,
    has_rtc: bool,
}

impl SystemClock {
    /// With the first battery-backed clock, if there is one.
    #[must_use]
    pub fn new() -> Self {
        Self::with_rtc(&KernelClocks::default(), None)
    }

    /// With the battery-backed clock called `wanted`; reads once what does not
    /// change during a boot.
    #[must_use]
    pub fn with_rtc(clocks: &KernelClocks, wanted: Option<&str>) -> Self {
        let boot_id = std::fs::read_to_string(BOOT_ID).unwrap_or_default();
        let rtc_s = clocks.find(wanted).and_then(|clock| clock.read());
        Self {
            boot_id: boot_id.trim().to_owned(),
            has_rtc: rtc_s.is_ok_and(|rtc_s| keeps_time(rtc_s, milliseconds(ClockId::Realtime))),
        }
    }

    fn quality(&self, unix_ms: i64) -> ClockQuality {
        if unix_ms < EARLIEST_TRUE_MS {
            ClockQuality::Unset
        } else if Path::new(TIMESYNC_FLAG).exists() {
            ClockQuality::Synced
        } else if self.has_rtc {
            ClockQuality::Rtc
        } else {
            ClockQuality::Restored
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn stamp(&self) -> Stamp {
        let unix_ms = milliseconds(ClockId::Realtime);
        let uptime_ms = u64::try_from(milliseconds(ClockId::Boottime)).unwrap_or(0);
        let quality = self.quality(unix_ms);
        Stamp {
            unix_ms,
            quality,
            boot_id: self.boot_id.clone(),
            uptime_ms,
        }
    }

    fn set(&self, unix_ms: i64) -> std::io::Result<()> {
        let wish = Wish::now(unix_ms);
        match wish::set(unix_ms) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                wish.ask(OsStr::new(wish::PROGRAM))
            }
            done => done,
        }
    }
}

fn milliseconds(clock: ClockId) -> i64 {
    let now = clock_gettime(clock);
    now.tv_sec
        .saturating_mul(1000)
        .saturating_add(now.tv_nsec / 1_000_000)
}

/// Whether the system's time came from a clock that says `rtc_s`.
fn keeps_time(rtc_s: i64, unix_ms: i64) -> bool {
    let rtc_ms = rtc_s.saturating_mul(1_000);
    rtc_ms >= EARLIEST_TRUE_MS && rtc_ms.abs_diff(unix_ms) <= SAME_CLOCK_MS.unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_before_the_first_trapline_was_never_set() {
        let clock = SystemClock {
            boot_id: String::new(),
            has_rtc: true,
        };
        assert_eq!(clock.quality(86_400_000), ClockQuality::Unset);
        assert!(clock.quality(EARLIEST_TRUE_MS) > ClockQuality::Unset);
    }

    #[test]
    fn a_clock_that_says_another_time_did_not_set_the_system() {
        let now_s = 1_795_279_200;
        assert!(keeps_time(now_s - 3, now_s * 1_000));
        assert!(!keeps_time(now_s - 7_200, now_s * 1_000));
        assert!(!keeps_time(86_400, 86_400_000), "both never set");
    }

    #[test]
    fn uptime_never_runs_backwards() {
        let clock = SystemClock::new();
        let (first, second) = (clock.stamp(), clock.stamp());
        assert!(second.uptime_ms >= first.uptime_ms);
        assert_eq!(first.boot_id, second.boot_id);
    }
}
