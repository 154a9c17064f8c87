//! The system clock, with what Linux knows about its trustworthiness.

use crate::clock::{Clock, ClockQuality, Stamp};
use rustix::time::{ClockId, clock_gettime};
use std::path::Path;

/// 2024-01-01: earlier than any Trapline, so a clock before it was never set.
const EARLIEST_TRUE_MS: i64 = 1_704_067_200_000;
/// `systemd-timesyncd` touches this file when it has set the clock in this boot.
const TIMESYNC_FLAG: &str = "/run/systemd/timesync/synchronized";
/// A battery-backed clock that the kernel could read.
const RTC_TIME: &str = "/sys/class/rtc/rtc0/since_epoch";
/// A random name that the kernel draws at each boot.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The clock of the running system.
#[derive(Debug)]
pub struct SystemClock {
    boot_id: String,
    has_rtc: bool,
}

impl SystemClock {
    /// Reads once what does not change during a boot.
    #[must_use]
    pub fn new() -> Self {
        let boot_id = std::fs::read_to_string(BOOT_ID).unwrap_or_default();
        Self {
            boot_id: boot_id.trim().to_owned(),
            has_rtc: rtc_is_set(),
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
}

fn milliseconds(clock: ClockId) -> i64 {
    let now = clock_gettime(clock);
    now.tv_sec
        .saturating_mul(1000)
        .saturating_add(now.tv_nsec / 1_000_000)
}

fn rtc_is_set() -> bool {
    let seconds = std::fs::read_to_string(RTC_TIME)
        .ok()
        .and_then(|text| text.trim().parse::<i64>().ok());
    seconds.is_some_and(|s| s.saturating_mul(1000) >= EARLIEST_TRUE_MS)
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
    fn uptime_never_runs_backwards() {
        let clock = SystemClock::new();
        let (first, second) = (clock.stamp(), clock.stamp());
        assert!(second.uptime_ms >= first.uptime_ms);
        assert_eq!(first.boot_id, second.boot_id);
    }
}
