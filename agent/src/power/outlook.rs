//! The plan of the power, from the schedule, the battery and what wakes the trap.

use super::battery::Seen;
use crate::config::Config;
use crate::schedule::Schedule;
use trapline_hal::battery::forecast::Trend;
use trapline_hal::power_plan::{BatteryState, PlanInputs, Step, plan};
use trapline_hal::wake::WakeAbility;
use trapline_hal::{ClockQuality, PowerPlan, Stamp};

const DAY_MS: i64 = 86_400_000;
/// A day of a picture each half minute; a plan of more is no better.
const DUE_MAX: usize = 2_880;

/// What a plan is made from beside the settings.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The battery, where it is measured.
    pub battery: Option<Seen>,
    /// Where its charge is going.
    pub trend: Option<Trend>,
    /// What can wake the trap.
    pub wake: Option<WakeAbility>,
}

/// What will happen from `now` on by this schedule, and why.
#[must_use]
pub fn plan_from(config: &Config, schedule: &Schedule, now: &Stamp, known: &Known) -> PowerPlan {
    let power = &config.power;
    let due_unix_s = due_unix_s(schedule, now);
    let battery = known.battery.map(|seen| BatteryState {
        charge: seen.charge,
        level: seen.level,
        charging: seen.charging,
        capacity_wh: power.battery.and_then(|battery| battery.capacity_wh),
        trend: known.trend,
    });
    let offset_s = schedule.utc_offset_ms() / 1_000;
    plan(&PlanInputs {
        now_unix_s: now.unix_ms.div_euclid(1_000),
        utc_offset_s: i32::try_from(offset_s).unwrap_or(0),
        due_unix_s: &due_unix_s,
        costs: power.costs,
        battery,
        thresholds: power.thresholds,
        wake: known.wake.clone(),
        rules: power.rules,
    })
}

/// Until when the battery lasts by this plan, in seconds since 1970.
#[must_use]
pub fn lasts_until_s(plan: &PowerPlan) -> Option<i64> {
    plan.steps.iter().find_map(|step| {
        if let Step::RunsOut { at_unix_s, .. } = step {
            return Some(*at_unix_s);
        }
        if let Step::Lasts { until_unix_s, .. } = step {
            return Some(*until_unix_s);
        }
        None
    })
}

/// The pictures of the next day and the first after it.
fn due_unix_s(schedule: &Schedule, now: &Stamp) -> Vec<i64> {
    let whole_day;
    let schedule = if now.quality == ClockQuality::Unset {
        whole_day = schedule.day_and_night();
        &whole_day
    } else {
        schedule
    };
    let until_ms = now.unix_ms.saturating_add(DAY_MS);
    let mut due_unix_s = Vec::new();
    for due_ms in schedule.dues(now.unix_ms).take(DUE_MAX) {
        due_unix_s.push(due_ms.div_euclid(1_000));
        if due_ms > until_ms {
            break;
        }
    }
    due_unix_s
}
