//! What the care of the power is given, and what it shares with the other stages.

use super::battery::BatteryWatch;
use super::{Hold, OpenRtc, OpenWake};
use crate::config::power::PowerConfig;
use std::fmt;
use trapline_hal::SwitchOff;
use trapline_hal::battery::gate::Level;
use trapline_hal::throttle::Supply;
use trapline_store::View;

/// What the battery allowed last, kept over starts.
pub(super) const META_LEVEL: &str = "battery_level";

/// What the care of the power touches; what is missing is not there.
#[derive(Default)]
pub struct PowerDevices {
    /// Tells how the processor is supplied.
    pub supply: Option<Box<dyn Supply>>,
    /// Finds the battery-backed clock.
    pub open_rtc: Option<OpenRtc>,
    /// Opens what wakes the trap.
    pub open_wake: Option<OpenWake>,
    /// Shuts the system down.
    pub off: Option<Box<dyn SwitchOff>>,
}

impl fmt::Debug for PowerDevices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PowerDevices").finish_non_exhaustive()
    }
}

/// What the stages share of the power.
#[derive(Debug)]
pub struct PowerDesk {
    /// The battery.
    pub battery: BatteryWatch,
    /// Keeps the trap up for people.
    pub hold: Hold,
}

impl PowerDesk {
    /// Goes on from what the ledger knows of the battery.
    #[must_use]
    pub fn new(config: &PowerConfig, ledger: &View) -> Self {
        let hold = Hold::default();
        let battery = BatteryWatch::new(config, level_before(ledger));
        Self { battery, hold }
    }
}

/// What the battery allowed when that was last written down.
#[must_use]
pub fn level_before(ledger: &View) -> Level {
    let kept = ledger.get_meta(META_LEVEL).ok().flatten();
    let level = kept.and_then(|text| serde_json::from_str(&text).ok());
    level.unwrap_or_default()
}
