//! The battery at rest and while the camera works: a weak battery, or a thin
//! cable, shows when something is asked of it.

use crate::desk::Desk;
use crate::probes::Probes;
use crate::selftest::probe_battery;
use crate::selftest::tour::Found;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;
use tokio::time::sleep;

/// The battery is read this often while the camera works.
const READ_EVERY: Duration = Duration::from_millis(100);
/// A voltage that sinks by this share is worth a word ...
const SAGS: f64 = 0.05;
/// ... and by this one a reason to stay.
const BREAKS_DOWN: f64 = 0.12;
const REMEDY: &str = "charge or replace the battery; else check its cable and its plugs";

/// The voltage while nothing special is asked of the battery, volts.
pub(super) async fn at_rest(desk: &Desk, probes: &mut Probes) -> Option<f64> {
    let reading = probe_battery(desk, probes).await?;
    reading.battery.map(trapline_hal::Volts::volts)
}

/// Does `work`, and says the lowest voltage meanwhile.
pub(super) async fn while_working<T>(
    desk: &Desk,
    probes: &mut Probes,
    work: impl Future<Output = T>,
) -> (T, Option<f64>) {
    let mut lowest: Option<f64> = None;
    let mut work = pin!(work);
    let watch = async {
        loop {
            if let Some(volts) = at_rest(desk, probes).await {
                lowest = Some(lowest.map_or(volts, |lowest| lowest.min(volts)));
            }
            sleep(READ_EVERY).await;
        }
    };
    let done = tokio::select! {
        biased;
        done = &mut work => done,
        () = watch => unreachable_watch().await,
    };
    (done, lowest)
}

/// The watch never ends.
async fn unreachable_watch<T>() -> T {
    std::future::pending().await
}

/// The battery's row.
pub(super) fn row(desk: &Desk, before_v: Option<f64>, loaded_v: Option<f64>) -> Found {
    let facts = desk.health.facts();
    let thresholds = &desk.config.power.thresholds;
    let mut words = Vec::new();
    let mut percent = None;
    if let Some(battery) = facts.battery {
        percent = Some(battery.percent);
        words.push(format!("{:.0} %", battery.percent));
        if let Some(hours) = battery.hours_left {
            words.push(format!("{:.0} days left", (hours / 24.0).floor()));
        }
        if battery.charging {
            words.push("it is being charged".to_owned());
        }
    }
    let sag = before_v.zip(loaded_v).map(|(before_v, loaded_v)| {
        words.push(format!(
            "{before_v:.2} V, {loaded_v:.2} V while the camera works"
        ));
        (before_v - loaded_v) / before_v.max(0.1)
    });
    if words.is_empty() {
        if let Some(volts) = facts.battery_v {
            return Found::good(format!("{volts:.2} V"));
        }
        return match facts.faults.get("battery") {
            Some(fault) => Found::care(fault.message.clone(), "check the battery sensor's wires"),
            None => Found::absent("no battery sensor is configured"),
        };
    }
    let words = words.join(", ");
    let is_below = |limit: f64| percent.is_some_and(|percent| percent < limit);
    let sags = |limit: f64| sag.is_some_and(|sag| sag >= limit);
    if is_below(thresholds.refuse_percent) || sags(BREAKS_DOWN) {
        Found::bad(words, REMEDY)
    } else if is_below(thresholds.warn_percent) || sags(SAGS) {
        Found::care(words, REMEDY)
    } else {
        Found::good(words)
    }
}
