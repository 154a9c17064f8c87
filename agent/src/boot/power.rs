//! What the care of the power touches on this trap.

use crate::config::Config;
use crate::power::{OpenRtc, OpenWake, PowerDevices};
use trapline_hal::pi::clock::SystemClock;
use trapline_hal::pi::rtc::KernelClocks;
use trapline_hal::pi::supply::ProcessorSupply;
use trapline_hal::pi::switch_off::ServiceManager;
use trapline_hal::pi::wake;

/// The system's clock, which the battery-backed one of the settings may have set.
pub fn clock(config: &Config) -> SystemClock {
    SystemClock::with_rtc(&KernelClocks::default(), config.clock.rtc.as_deref())
}

/// Supply, battery-backed clock, waking and switching off.
pub(super) fn power(config: &Config) -> PowerDevices {
    let wanted = config.clock.rtc.clone();
    let open_rtc: OpenRtc = Box::new(move || {
        let clock = KernelClocks::default().find(wanted.as_deref())?;
        Ok(Box::new(clock) as Box<_>)
    });
    PowerDevices {
        supply: Some(Box::new(ProcessorSupply::default())),
        open_rtc: Some(open_rtc),
        open_wake: open_wake(config),
        off: Some(Box::new(ServiceManager::default())),
    }
}

/// Opens what wakes the trap, if the settings name something.
#[must_use]
pub fn open_wake(config: &Config) -> Option<OpenWake> {
    let by = config.power.wake.clone()?;
    Some(Box::new(move |on_unix_s| {
        wake::open(&by, &KernelClocks::default(), on_unix_s)
    }))
}
