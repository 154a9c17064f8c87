//! The way through the times that are due, with the energy it takes.

use super::{BatteryState, LastsBy, PlanInputs, Step};
use crate::battery::forecast::Trend;
use crate::battery::gate::Level;
use crate::wake::WakeWhen;

/// An alarm rings so long before the trap has to be up, for clocks that differ.
const EARLY_S: i64 = 30;
/// A trap that lies down for less than this on top wears out its card for nothing.
const SLEEP_S_MIN: i64 = 60;
/// A battery that lasts longer than this does not matter tonight.
const LASTS_S_MAX: i64 = 90 * 86_400;
const DAY_S: i64 = 86_400;
const HOUR_S: f64 = 3_600.0;
const NOT_ALLOWED: &str = "the settings do not let it lie down";
const NOTHING_WAKES: &str = "nothing can wake the trap again";

/// Pictures so close together that the trap stays awake between them.
struct Session {
    first_due_s: i64,
    last_due_s: i64,
    shots: usize,
}

/// The steps of a trap whose battery allows them.
pub(super) fn through(inputs: &PlanInputs<'_>) -> Vec<Step> {
    let mut walk = Walk::new(inputs);
    let sessions = sessions(inputs);
    for session in &sessions {
        walk.to(session);
    }
    if sessions.is_empty() {
        walk.steps.push(Step::NothingDue);
    }
    if let Some(WakeWhen::Every { period_s }) = wakes(inputs)
        && walk.slept
    {
        let by = wake_name(inputs);
        walk.steps.push(Step::Late { by_s: period_s, by });
    }
    let battery = walk.battery();
    walk.steps.extend(battery);
    walk.steps
}

/// The steps of a trap whose battery is too low: where it may lie down, it
/// looks again before the next picture for which it can lie down first.
pub(super) fn save(inputs: &PlanInputs<'_>, level: Level) -> Vec<Step> {
    let costs = inputs.costs;
    let goes_for_good = level == Level::ShutDown && inputs.rules.off_when_empty;
    let stay = |why: &str| {
        let why = why.to_owned();
        vec![if goes_for_good {
            Step::ShutDown { why }
        } else {
            Step::Saving { why }
        }]
    };
    if !inputs.rules.lies_down && !goes_for_good {
        return stay(NOT_ALLOWED);
    }
    if inputs.wake.is_none() {
        return stay(NOTHING_WAKES);
    }
    let ups_s = inputs.due_unix_s.iter();
    let mut ups_s = ups_s.map(|due_s| due_s - costs.boot_s - EARLY_S);
    let down_s = inputs.now_unix_s + costs.shutdown_s;
    let Some(until_s) = ups_s.find(|up_s| *up_s >= down_s + SLEEP_S_MIN) else {
        return stay("no picture is due");
    };
    vec![sleep(inputs, down_s, until_s)]
}

struct Walk<'a> {
    inputs: &'a PlanInputs<'a>,
    steps: Vec<Step>,
    at_s: i64,
    slept: bool,
    used_wh: f64,
    runs_out: Option<i64>,
    shots_lost: usize,
}

impl<'a> Walk<'a> {
    fn new(inputs: &'a PlanInputs<'a>) -> Self {
        Self {
            inputs,
            steps: Vec::new(),
            at_s: inputs.now_unix_s,
            slept: false,
            used_wh: 0.0,
            runs_out: None,
            shots_lost: 0,
        }
    }

    /// To the pictures of a session, and through them.
    fn to(&mut self, session: &Session) {
        let costs = self.inputs.costs;
        self.wait_for(session.first_due_s);
        let from_unix_s = self.at_s;
        let until_unix_s = session.last_due_s + costs.shot_s;
        self.steps.push(Step::Awake {
            from_unix_s,
            until_unix_s,
            first_due_unix_s: session.first_due_s,
            shots: session.shots,
        });
        let lamp_s = i64::try_from(session.shots).unwrap_or(i64::MAX);
        let lamp_s = lamp_s.saturating_mul(costs.shot_s) as f64;
        let awake_s = (until_unix_s - from_unix_s) as f64;
        let lamp_watts = costs.shot_watts * lamp_s / awake_s.max(1.0);
        let ended_before = self.runs_out.is_some();
        self.spend(until_unix_s, costs.awake_watts + lamp_watts);
        self.shots_lost += match self.runs_out {
            None => 0,
            Some(_) if ended_before => session.shots,
            Some(at_s) => self.due_after(at_s, session),
        };
    }

    fn due_after(&self, at_s: i64, session: &Session) -> usize {
        let dues = self.inputs.due_unix_s.iter();
        dues.filter(|due| {
            (at_s..=session.last_due_s).contains(*due) && **due >= session.first_due_s
        })
        .count()
    }

    /// Asleep where that can be and pays, else awake.
    fn wait_for(&mut self, due_s: i64) {
        let costs = self.inputs.costs;
        let up_s = due_s - costs.boot_s - EARLY_S;
        if !pays(self.inputs, self.at_s, due_s) {
            if due_s > self.at_s {
                self.stay_awake(due_s);
            }
            return;
        }
        let down_s = self.at_s + costs.shutdown_s;
        self.spend(down_s, costs.awake_watts);
        let step = sleep(self.inputs, down_s, up_s);
        if let Step::Sleep { wakes_between, .. } = step {
            let wakes = wakes_between as f64;
            let awake_s = (costs.boot_s + costs.shutdown_s) as f64;
            self.used_wh += wakes * awake_s * costs.awake_watts / HOUR_S;
        }
        self.steps.push(step);
        self.slept = true;
        self.spend(up_s, costs.asleep_watts);
    }

    /// Only a wait of its own is told, not one of a few seconds.
    fn stay_awake(&mut self, due_s: i64) {
        let costs = self.inputs.costs;
        if due_s - self.at_s >= costs.boot_s + costs.shutdown_s + SLEEP_S_MIN {
            let why = match wakes(self.inputs) {
                None if !self.inputs.rules.lies_down => NOT_ALLOWED,
                None => NOTHING_WAKES,
                Some(_) => "lying down takes more than staying awake",
            };
            self.steps.push(Step::StayAwake {
                until_unix_s: due_s,
                why: why.to_owned(),
            });
            self.spend(due_s, costs.awake_watts);
        }
    }

    /// Goes on to `until_s` at so many watts.
    fn spend(&mut self, until_s: i64, watts: f64) {
        let lasts_s = until_s.saturating_sub(self.at_s).max(0);
        let takes_wh = lasts_s as f64 * watts / HOUR_S;
        if let (None, Some(left_wh)) = (self.runs_out, self.left_wh())
            && takes_wh > left_wh
        {
            let still_s = (left_wh.max(0.0) / watts * HOUR_S).min(lasts_s as f64);
            self.runs_out = Some(self.at_s + crate::robust::whole(still_s));
        }
        self.used_wh += takes_wh;
        self.at_s = self.at_s.max(until_s);
    }

    /// What is left above the shutdown threshold, where the battery is known.
    fn left_wh(&self) -> Option<f64> {
        self.left_wh_of(self.inputs.battery?.charge.percent)
    }

    fn left_wh_of(&self, percent: f64) -> Option<f64> {
        let above = percent - self.inputs.thresholds.shutdown_percent;
        Some(self.inputs.battery?.capacity_wh? * above / 100.0 - self.used_wh)
    }

    /// How long the battery lasts.
    fn battery(&self) -> Vec<Step> {
        let Some(battery) = self.inputs.battery else {
            let why = "nothing measures it".to_owned();
            return vec![Step::LastsUnknown { why }];
        };
        if battery.charging {
            return vec![Step::Charging];
        }
        if let Some(at_unix_s) = self.runs_out {
            let shots_lost = self.shots_lost;
            return vec![Step::RunsOut {
                at_unix_s,
                shots_lost,
            }];
        }
        vec![self.lasts(battery)]
    }

    fn lasts(&self, battery: BatteryState) -> Step {
        let by_energy = self.lasts_by_energy(battery);
        by_energy
            .or_else(|| self.lasts_by_trend(battery))
            .unwrap_or_else(|| Step::LastsUnknown {
                why: "its capacity is not set, and its charge does not clearly fall".to_owned(),
            })
    }

    fn lasts_by_energy(&self, battery: BatteryState) -> Option<Step> {
        let watts = self.watts_of_a_day()?;
        let until_s = |left_wh: f64| later(self.at_s, left_wh / watts * HOUR_S);
        let surely_wh = self.left_wh_of(battery.charge.from_percent);
        Some(Step::Lasts {
            until_unix_s: until_s(self.left_wh()?),
            surely_unix_s: surely_wh.filter(|left_wh| *left_wh >= 0.0).map(until_s),
            by: LastsBy::Energy,
        })
    }

    fn lasts_by_trend(&self, battery: BatteryState) -> Option<Step> {
        let Some(Trend::Falling {
            hours_left,
            hours_from,
            ..
        }) = battery.trend
        else {
            return None;
        };
        let until_s = |hours: f64| later(self.inputs.now_unix_s, hours * HOUR_S);
        Some(Step::Lasts {
            until_unix_s: until_s(hours_left),
            surely_unix_s: Some(until_s(hours_from)),
            by: LastsBy::Trend,
        })
    }

    /// What the plan takes on average, over a day at least: what is left of one
    /// goes by without pictures.
    fn watts_of_a_day(&self) -> Option<f64> {
        let planned_s = self.at_s - self.inputs.now_unix_s;
        if planned_s <= 0 {
            return None;
        }
        let costs = self.inputs.costs;
        let rest_watts = match wakes(self.inputs) {
            Some(_) => costs.asleep_watts,
            None => costs.awake_watts,
        };
        let rest_s = (DAY_S - planned_s).max(0);
        let all_wh = self.used_wh + rest_s as f64 * rest_watts / HOUR_S;
        Some(all_wh * HOUR_S / (planned_s + rest_s) as f64)
    }
}

/// So long after `from_s`, within reason.
fn later(from_s: i64, lasts_s: f64) -> i64 {
    from_s.saturating_add(crate::robust::whole(lasts_s).clamp(0, LASTS_S_MAX))
}

/// The pictures that are still due, in sessions.
fn sessions(inputs: &PlanInputs<'_>) -> Vec<Session> {
    let mut sessions: Vec<Session> = Vec::new();
    let dues = inputs.due_unix_s.iter().copied();
    for due_s in dues.filter(|due_s| *due_s >= inputs.now_unix_s) {
        match sessions.last_mut() {
            Some(session) if !pays(inputs, session.last_due_s + inputs.costs.shot_s, due_s) => {
                session.last_due_s = session.last_due_s.max(due_s);
                session.shots += 1;
            }
            _ => sessions.push(Session {
                first_due_s: due_s,
                last_due_s: due_s,
                shots: 1,
            }),
        }
    }
    sessions
}

/// Whether lying down from `from_s` until a picture at `due_s` can be, and takes less.
fn pays(inputs: &PlanInputs<'_>, from_s: i64, due_s: i64) -> bool {
    let costs = inputs.costs;
    let up_s = costs.boot_s + costs.shutdown_s + EARLY_S;
    let asleep_s = due_s - from_s - up_s;
    let room = match wakes(inputs) {
        None => return false,
        Some(WakeWhen::At { .. }) => SLEEP_S_MIN,
        // Its next beat may be a whole period away.
        Some(WakeWhen::Every { period_s }) => period_s.max(SLEEP_S_MIN),
    };
    let wakes_s = wakes_between(
        inputs,
        from_s + costs.shutdown_s,
        due_s - costs.boot_s - EARLY_S,
    )
    .saturating_mul(costs.boot_s + costs.shutdown_s);
    asleep_s >= room && wakes_s < asleep_s && costs.asleep_watts < costs.awake_watts
}

fn sleep(inputs: &PlanInputs<'_>, from_unix_s: i64, until_unix_s: i64) -> Step {
    Step::Sleep {
        from_unix_s,
        until_unix_s,
        by: wake_name(inputs),
        wakes_between: wakes_between(inputs, from_unix_s, until_unix_s),
    }
}

/// How often the trap is woken on the way, by an alarm that does not reach so
/// far or a timer that keeps its period.
fn wakes_between(inputs: &PlanInputs<'_>, from_s: i64, until_s: i64) -> i64 {
    let sleeps_s = (until_s - from_s).max(0);
    let each_s = match wakes(inputs) {
        None => return 0,
        Some(WakeWhen::At { ahead_s_max }) => ahead_s_max.max(1),
        Some(WakeWhen::Every { period_s }) => period_s.max(1),
    };
    (sleeps_s - 1).max(0) / each_s
}

/// What wakes a trap that may lie down.
fn wakes(inputs: &PlanInputs<'_>) -> Option<WakeWhen> {
    let wake = inputs.wake.as_ref().filter(|_| inputs.rules.lies_down);
    wake.map(|wake| wake.when)
}

fn wake_name(inputs: &PlanInputs<'_>) -> String {
    let wake = inputs.wake.as_ref();
    match wake.map(|wake| (wake.when, &wake.name)) {
        Some((WakeWhen::At { .. }, name)) => format!("{name} alarm"),
        Some((WakeWhen::Every { .. }, name)) => name.clone(),
        None => "nothing".to_owned(),
    }
}
