//! A moment of the trap's clock in the words of the wire, and for people.

use jiff::tz::{Offset, TimeZone};
use std::time::Duration;
use trapline_hal::{ClockQuality, Stamp};
use trapline_wire::v1;

/// The same moment as the wire writes it.
#[must_use]
pub fn wire_stamp(stamp: &Stamp) -> v1::Stamp {
    v1::Stamp {
        unix_ms: stamp.unix_ms,
        quality: match stamp.quality {
            ClockQuality::Unset => v1::ClockQuality::Unset,
            ClockQuality::Restored => v1::ClockQuality::Restored,
            ClockQuality::Rtc => v1::ClockQuality::Rtc,
            ClockQuality::Synced => v1::ClockQuality::Synced,
        },
        boot_id: stamp.boot_id.clone(),
        uptime_ms: stamp.uptime_ms,
    }
}

/// A time as people and spreadsheets read it: `2026-07-14T05:20:00.000Z`.
#[must_use]
pub fn utc_text(unix_ms: i64) -> String {
    let utc = TimeZone::fixed(Offset::UTC);
    match jiff::Timestamp::from_millisecond(unix_ms) {
        Ok(time) => time
            .to_zoned(utc)
            .strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
            .to_string(),
        Err(_) => unix_ms.to_string(),
    }
}

/// A duration in whole milliseconds.
#[must_use]
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
