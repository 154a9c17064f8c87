//! Wall time with its trustworthiness. A Pi without a battery-backed clock
//! wakes up in the past, so a time alone is never enough.

/// When something happened, as this trap's clock believes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// Believed UTC, milliseconds since 1970.
    pub unix_ms: i64,
    /// How far `unix_ms` can be trusted.
    pub quality: ClockQuality,
    /// The boot in which `uptime_ms` counts.
    pub boot_id: String,
    /// Milliseconds since that boot, suspended time included; never jumps.
    pub uptime_ms: u64,
}

/// How far a clock can be trusted, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClockQuality {
    /// Nothing has ever set it.
    Unset,
    /// Carried on from the last known time; at least that late.
    Restored,
    /// Read from a battery-backed clock.
    Rtc,
    /// Confirmed by network time or the server in this boot.
    Synced,
}

/// The trap's wall clock.
pub trait Clock: Send + Sync {
    /// The time now; cheap, never fails.
    fn stamp(&self) -> Stamp;

    /// Sets it to a time that a person vouches for, in UTC milliseconds since 1970.
    ///
    /// # Errors
    /// When this clock cannot be set, or the program may not.
    fn set(&self, unix_ms: i64) -> std::io::Result<()> {
        let why = format!("this clock cannot be set to {unix_ms}");
        Err(std::io::Error::new(std::io::ErrorKind::Unsupported, why))
    }
}
