//! Whether the trap lies down now. Pure: what is known goes in, the decision
//! and its reason come out.

use trapline_hal::power_plan::Step;
use trapline_hal::{ClockQuality, PowerPlan};

/// What a decision is made from.
#[derive(Debug, Clone)]
pub(super) struct Situation<'a> {
    /// What the plan says.
    pub(super) plan: &'a PowerPlan,
    /// How far the clock can be trusted.
    pub(super) clock: ClockQuality,
    /// The trap's time in milliseconds.
    pub(super) now_ms: i64,
    /// The shot that is waited for, by the capture stage.
    pub(super) next_due_ms: Option<i64>,
    /// The battery is at its end: any rest is better than none.
    pub(super) is_empty: bool,
    /// Somebody is there.
    pub(super) is_held: bool,
    /// The trap may still wait for work to be done.
    pub(super) lingers: bool,
    /// What waits to be looked at or sent.
    pub(super) work: Option<&'static str>,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// The plan does not want to lie down.
    StayAwake,
    /// The plan wants to; it has to wait for this.
    Wait(&'static str),
    /// Lie down, to be woken then.
    LieDown {
        /// Seconds since 1970.
        until_s: i64,
    },
    /// Shut down until somebody comes.
    Off,
}

pub(super) fn decide(now: &Situation<'_>) -> Decision {
    let mut steps = now.plan.steps.iter();
    let step = steps.find(|step| !matches!(step, Step::BatteryLow { .. }));
    let decision = match step {
        Some(Step::Sleep { until_unix_s, .. }) => Decision::LieDown {
            until_s: *until_unix_s,
        },
        Some(Step::ShutDown { .. }) => Decision::Off,
        _ => return Decision::StayAwake,
    };
    if now.is_held {
        return Decision::Wait("somebody is at the trap");
    }
    let needs_time = matches!(decision, Decision::LieDown { .. }) && !now.is_empty;
    if needs_time && now.clock < ClockQuality::Rtc {
        return Decision::Wait("the trap does not know the time well enough to be woken at one");
    }
    match now.next_due_ms {
        // Its next step writes down what was missed, and only then it waits.
        None => return Decision::Wait("the first shot is not planned yet"),
        Some(due_ms) if due_ms <= now.now_ms => return Decision::Wait("a picture is being taken"),
        Some(_) => {}
    }
    match now.work {
        Some(work) if now.lingers => Decision::Wait(work),
        _ => decision,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_S: i64 = 1_795_279_200;

    fn plan(step: Step) -> PowerPlan {
        PowerPlan {
            now_unix_s: NOW_S,
            utc_offset_s: 0,
            steps: vec![step],
        }
    }

    fn sleep() -> PowerPlan {
        plan(Step::Sleep {
            from_unix_s: NOW_S + 20,
            until_unix_s: NOW_S + 3_600,
            by: "DS3231 alarm".to_owned(),
            wakes_between: 0,
        })
    }

    fn situation(plan: &PowerPlan) -> Situation<'_> {
        Situation {
            plan,
            clock: ClockQuality::Rtc,
            now_ms: NOW_S * 1_000,
            next_due_ms: Some((NOW_S + 3_700) * 1_000),
            is_empty: false,
            is_held: false,
            lingers: true,
            work: None,
        }
    }

    #[test]
    fn a_trap_with_nothing_to_do_lies_down() {
        let plan = sleep();
        let until_s = NOW_S + 3_600;
        assert_eq!(decide(&situation(&plan)), Decision::LieDown { until_s });
        let overtime = Situation {
            lingers: false,
            work: Some("pictures wait"),
            ..situation(&plan)
        };
        assert_eq!(decide(&overtime), Decision::LieDown { until_s });
    }

    #[test]
    fn what_keeps_it_up_is_said() {
        let plan = sleep();
        let waits = [
            Situation {
                is_held: true,
                ..situation(&plan)
            },
            Situation {
                clock: ClockQuality::Restored,
                ..situation(&plan)
            },
            Situation {
                next_due_ms: None,
                ..situation(&plan)
            },
            Situation {
                next_due_ms: Some(NOW_S * 1_000),
                ..situation(&plan)
            },
            Situation {
                work: Some("pictures wait"),
                ..situation(&plan)
            },
        ];
        for situation in &waits {
            let decision = decide(situation);
            assert!(matches!(decision, Decision::Wait(_)), "{decision:?}");
        }
    }

    #[test]
    fn an_empty_battery_needs_no_clock() {
        let why = "nothing can wake the trap again".to_owned();
        let plan = plan(Step::ShutDown { why });
        let unset = Situation {
            clock: ClockQuality::Unset,
            ..situation(&plan)
        };
        assert_eq!(decide(&unset), Decision::Off);
        let nap = sleep();
        let empty = Situation {
            clock: ClockQuality::Restored,
            is_empty: true,
            ..situation(&nap)
        };
        assert!(matches!(decide(&empty), Decision::LieDown { .. }));
    }

    #[test]
    fn any_other_plan_stays_awake() {
        let plan = plan(Step::Charging);
        assert_eq!(decide(&situation(&plan)), Decision::StayAwake);
    }
}
