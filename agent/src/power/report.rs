//! `trapline-agent power plan`: what will happen and why, from the settings, the
//! ledger and the running agent's facts; it touches no sensor and arms nothing.

use super::battery::Seen;
use super::forecast::{Basis, Forecasts};
use super::level_before;
use super::outlook::{Known, plan_from};
use crate::boot;
use crate::config::Config;
use crate::service::read_facts;
use crate::stage::device_words;
use crate::timetable::at_last_place;
use anyhow::Context as _;
use serde::Serialize;
use std::fmt;
use std::sync::Arc;
use trapline_hal::battery::Charge;
use trapline_hal::battery::gate::{Gate, Level};
use trapline_hal::power_plan::Step;
use trapline_hal::wake::{PowerCut, WakeWhen};
use trapline_hal::{Clock, PowerPlan};
use trapline_store::{OsDisk, StoreError, View};

/// Steps of a plan that people read; all are in the JSON.
const STEPS_SHOWN: usize = 8;

/// The plan with what it was made from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanReport {
    /// How full the battery is; `null` when nothing measured it in the last hour.
    pub charge: Option<Charge>,
    /// What it allows.
    pub level: Level,
    /// Where its charge is going, or why that is not known; `null` without a battery.
    pub trend: Option<String>,
    /// When the card is full, or why that is not known.
    pub card: Option<String>,
    /// What wakes the trap.
    pub wake: String,
    /// Whether the settings let the trap lie down.
    pub lies_down: bool,
    /// What will happen.
    pub plan: PowerPlan,
}

impl PlanReport {
    /// Makes the plan of the trap with these settings.
    ///
    /// # Errors
    /// When there is a ledger and it cannot be read.
    pub fn read(config: &Config) -> anyhow::Result<Self> {
        let now = boot::power::clock(config).stamp();
        let dir = &config.ledger.dir;
        let view = match View::open(dir, Arc::new(OsDisk)) {
            Ok(view) => Some(view),
            Err(StoreError::NoLedger { .. }) => None,
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("cannot read the ledger in {}", dir.display()));
            }
        };
        let forecasts = match &view {
            Some(view) => {
                let basis = Basis::read(view, config, now.unix_ms)?;
                let empty_percent = config.power.thresholds.shutdown_percent;
                Some(basis.forecasts(empty_percent, now.unix_ms))
            }
            None => None,
        };
        let battery = battery(config, view.as_ref(), forecasts.as_ref(), now.uptime_ms);
        let on_unix_s = now.unix_ms.div_euclid(1_000);
        let opened = boot::power::open_wake(config).map(|mut open| open(on_unix_s));
        let (wake, words) = match opened {
            None => (None, "nothing; see `power.wake`".to_owned()),
            Some(Err(fault)) => (None, format!("nothing now: {}", device_words(&fault))),
            Some(Ok(source)) => {
                let ability = source.ability();
                let words = format!("{}: {}", ability.name, ability_words(&ability));
                (Some(ability), words)
            }
        };
        let (schedule, _) = at_last_place(config, view.as_ref())?;
        let trend = forecasts.as_ref().map(|f| f.trend);
        let known = Known {
            battery,
            trend: trend.and_then(Result::ok),
            wake,
        };
        Ok(Self {
            charge: battery.map(|seen| seen.charge),
            level: battery.map_or(Level::Good, |seen| seen.level),
            trend: battery.and(trend).map(|trend| match trend {
                Ok(trend) => trend_words(&trend),
                Err(why) => why.to_string(),
            }),
            card: forecasts.map(|f| match f.card {
                Ok(card) => card.to_string(),
                Err(why) => why.to_string(),
            }),
            wake: words,
            lies_down: config.power.rules.lies_down,
            plan: plan_from(config, &schedule, &now, &known),
        })
    }
}

/// The battery of the running agent, else what the ledger says of the last hour.
fn battery(
    config: &Config,
    view: Option<&View>,
    forecasts: Option<&Forecasts>,
    uptime_ms: u64,
) -> Option<Seen> {
    let live = read_facts(&config.ledger.dir).and_then(|facts| facts.battery);
    if let Some(live) = live {
        return Some(Seen {
            charge: Charge {
                percent: live.percent,
                from_percent: live.from_percent,
                to_percent: live.to_percent,
            },
            charging: live.charging,
            level: live.level,
            uptime_ms,
        });
    }
    let charge = forecasts?.charge?;
    let before = view.map_or(Level::Good, level_before);
    let gate = Gate::resume(before, charge.percent, &config.power.thresholds);
    Some(Seen {
        charge,
        charging: false,
        level: gate.level(),
        uptime_ms,
    })
}

fn ability_words(ability: &trapline_hal::wake::WakeAbility) -> String {
    let when = match ability.when {
        WakeWhen::At { ahead_s_max } => {
            format!("at a time, up to {} days ahead", ahead_s_max / 86_400)
        }
        WakeWhen::Every { period_s } => format!("every {} min", period_s / 60),
    };
    let cut = match ability.cut {
        PowerCut::ByItself => "the power goes by itself",
        PowerCut::AtOnce => "the power goes when it is told at the very end",
    };
    format!("{when}; {cut}")
}

fn trend_words(trend: &trapline_hal::battery::forecast::Trend) -> String {
    use trapline_hal::battery::forecast::Trend;
    match trend {
        Trend::Falling {
            percent_per_hour,
            hours_left,
            hours_from,
            ..
        } => format!(
            "falls by {percent_per_hour:.1} % an hour: {hours_left:.0} h left, at least {hours_from:.0} h"
        ),
        Trend::Charging { percent_per_hour } => format!("rises by {percent_per_hour:.1} % an hour"),
    }
}

impl fmt::Display for PlanReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.charge {
            Some(charge) => writeln!(f, "Battery     {charge}, {}", self.level)?,
            None => writeln!(f, "Battery     not measured in the last hour")?,
        }
        if let Some(trend) = &self.trend {
            writeln!(f, "            its charge: {trend}")?;
        }
        if let Some(card) = &self.card {
            writeln!(f, "Card        {card}")?;
        }
        writeln!(f, "Woken by    {}", self.wake)?;
        let allowed = if self.lies_down {
            "allowed"
        } else {
            "not allowed; see `power.lie_down`"
        };
        writeln!(f, "Lying down  {allowed}")?;
        writeln!(f, "Plan")?;
        let is_timed = |step: &&Step| matches!(step, Step::Awake { .. } | Step::Sleep { .. });
        let timed = self.plan.steps.iter().filter(is_timed).count();
        let mut shown = 0;
        for (step, line) in self.plan.steps.iter().zip(self.plan.lines()) {
            if is_timed(&step) {
                shown += 1;
                if shown == STEPS_SHOWN && timed > STEPS_SHOWN {
                    let more = timed - STEPS_SHOWN + 1;
                    writeln!(f, "  … and {more} more like these; `--json` has them all")?;
                }
                if shown >= STEPS_SHOWN && timed > STEPS_SHOWN {
                    continue;
                }
            }
            writeln!(f, "  {line}")?;
        }
        Ok(())
    }
}
