//! What will happen and why: from the times at which pictures are due, the
//! battery, and what can wake the trap, to a list of steps in words.
//!
//! Pure: hal knows no schedule, so the times come from outside, and nothing is
//! switched here. The trap lies down between two pictures only when it can be
//! woken again and when lying down takes less than staying awake. A plan walks
//! through the energy of each step as far as the times reach; beyond them each
//! day is like the one that is known, so a plan wants the times of a whole day.

mod steps;
mod walk;

pub use steps::{LastsBy, PowerPlan, Step};

use crate::battery::Charge;
use crate::battery::forecast::Trend;
use crate::battery::gate::{Level, Thresholds};
use crate::wake::WakeAbility;

/// What a plan is made from.
#[derive(Debug, Clone)]
pub struct PlanInputs<'a> {
    /// The trap's time, seconds since 1970.
    pub now_unix_s: i64,
    /// How far its clock on the wall is east of UTC, in seconds.
    pub utc_offset_s: i32,
    /// When pictures are due, rising, a few days of them at most.
    pub due_unix_s: &'a [i64],
    /// What waking, working and sleeping take.
    pub costs: WakeCosts,
    /// The battery, where one is measured.
    pub battery: Option<BatteryState>,
    /// When the battery is too low.
    pub thresholds: Thresholds,
    /// What can wake the trap.
    pub wake: Option<WakeAbility>,
    /// What the trap may do.
    pub rules: PowerRules,
}

/// What a trap may do by its settings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PowerRules {
    /// Lie down between pictures.
    pub lies_down: bool,
    /// Shut down when the battery is empty.
    pub off_when_empty: bool,
}

/// What waking, working and sleeping take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WakeCosts {
    /// From power to the first picture, in seconds.
    pub boot_s: i64,
    /// One picture with all that belongs to it, in seconds.
    pub shot_s: i64,
    /// From the order to lie down until the power goes, in seconds.
    pub shutdown_s: i64,
    /// Taken while awake, in watts.
    pub awake_watts: f64,
    /// Taken by lamp and camera on top while a picture is taken, in watts.
    pub shot_watts: f64,
    /// Taken while asleep, in watts.
    pub asleep_watts: f64,
}

impl Default for WakeCosts {
    /// A Raspberry Pi 4 without a screen, an LED lamp, a power board asleep.
    fn default() -> Self {
        Self {
            boot_s: 40,
            shot_s: 15,
            shutdown_s: 20,
            awake_watts: 3.0,
            shot_watts: 5.0,
            asleep_watts: 0.02,
        }
    }
}

/// The battery now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatteryState {
    /// How full it is.
    pub charge: Charge,
    /// What it allows.
    pub level: Level,
    /// Whether it is being charged.
    pub charging: bool,
    /// What it holds when full, where known.
    pub capacity_wh: Option<f64>,
    /// Where its charge is going, down to the shutdown threshold, where that
    /// is clear.
    pub trend: Option<Trend>,
}

/// What will happen, and why.
#[must_use]
pub fn plan(inputs: &PlanInputs<'_>) -> PowerPlan {
    let level = inputs.battery.map_or(Level::Good, |battery| battery.level);
    let mut steps = Vec::new();
    if let (Some(battery), Level::Warn | Level::Refuse | Level::ShutDown) = (inputs.battery, level)
    {
        steps.push(Step::BatteryLow {
            percent: battery.charge.percent,
            level,
            threshold_percent: threshold(level, &inputs.thresholds),
        });
    }
    match level {
        Level::Good | Level::Warn => steps.extend(walk::through(inputs)),
        Level::Refuse | Level::ShutDown => steps.extend(walk::save(inputs, level)),
    }
    PowerPlan {
        now_unix_s: inputs.now_unix_s,
        utc_offset_s: inputs.utc_offset_s,
        steps,
    }
}

fn threshold(level: Level, thresholds: &Thresholds) -> f64 {
    match level {
        Level::Good | Level::Warn => thresholds.warn_percent,
        Level::Refuse => thresholds.refuse_percent,
        Level::ShutDown => thresholds.shutdown_percent,
    }
}

#[cfg(test)]
mod tests;
