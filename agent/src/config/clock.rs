//! `[clock]`: the battery-backed clock.

use super::check::Checker;

/// `[clock]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockConfig {
    /// Its name; without one the first that there is.
    pub rtc: Option<String>,
    /// Whether the trap sets it when it knows the time.
    pub set_rtc: bool,
}

impl Checker<'_> {
    pub(super) fn clock(&mut self) -> ClockConfig {
        ClockConfig {
            rtc: self.named("clock.rtc"),
            set_rtc: self.switch("clock.set_rtc"),
        }
    }
}
