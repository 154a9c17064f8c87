//! Worked plans, line by line.

use super::*;
use crate::wake::{PowerCut, WakeWhen};
use crate::wall;
use proptest::prelude::*;

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;

fn at(day: i8, hour: i8, minute: i8) -> i64 {
    wall::unix_s(2026, [6, day, hour, minute, 0]).unwrap()
}

fn alarm() -> Option<WakeAbility> {
    Some(WakeAbility {
        name: "DS3231".to_owned(),
        when: WakeWhen::At {
            ahead_s_max: 27 * 86_400,
        },
        cut: PowerCut::ByItself,
    })
}

fn timer(period_s: i64) -> Option<WakeAbility> {
    Some(WakeAbility {
        name: "timer".to_owned(),
        when: WakeWhen::Every { period_s },
        cut: PowerCut::AtOnce,
    })
}

fn battery(percent: f64, capacity_wh: Option<f64>) -> BatteryState {
    BatteryState {
        charge: Charge {
            percent,
            from_percent: percent - 5.0,
            to_percent: percent + 5.0,
        },
        level: Level::Good,
        charging: false,
        capacity_wh,
        trend: None,
    }
}

/// Tuesday 2 June 2026, 14:05 in Berlin; pictures at 21:40, 22:00 and 22:20.
fn inputs(due_unix_s: &[i64]) -> PlanInputs<'_> {
    PlanInputs {
        now_unix_s: at(2, 12, 5),
        utc_offset_s: 7_200,
        due_unix_s,
        costs: WakeCosts::default(),
        battery: Some(battery(60.0, Some(0.5))),
        thresholds: Thresholds::default(),
        wake: alarm(),
        rules: PowerRules {
            lies_down: true,
            off_when_empty: true,
        },
    }
}

fn evening() -> [i64; 3] {
    [at(2, 19, 40), at(2, 20, 0), at(2, 20, 20)]
}

#[test]
fn a_trap_sleeps_between_its_pictures() {
    let due = evening();
    // 5 Wh above the threshold. Until 22:20: 3 · 85 s at 3 W, 3 · 15 s at 5 W,
    // 3 · 20 s at 3 W to lie down, the rest at 0.02 W: 0.49 Wh. The rest of the
    // day at 0.02 W: 0.033 W on average, which 4.51 Wh last for 135 h.
    let plan = plan(&PlanInputs {
        battery: Some(battery(60.0, Some(10.0))),
        ..inputs(&due)
    });
    assert_eq!(
        plan.to_string(),
        "sleep until 21:38, woken by DS3231 alarm\n\
         21:38 to 21:40: awake for 1 picture at 21:40\n\
         sleep until 21:58, woken by DS3231 alarm\n\
         21:58 to 22:00: awake for 1 picture at 22:00\n\
         sleep until 22:18, woken by DS3231 alarm\n\
         22:18 to 22:20: awake for 1 picture at 22:20\n\
         the battery lasts until about Monday 13:00, at least until Sunday 22:00, by what the plan takes"
    );
}

#[test]
fn pictures_close_together_are_one_session() {
    let due: Vec<i64> = (0..180)
        .map(|minute| at(2, 19, 40) + minute * MINUTE)
        .collect();
    let plan = plan(&PlanInputs {
        battery: None,
        ..inputs(&due)
    });
    assert_eq!(
        plan.lines(),
        [
            "sleep until 21:38, woken by DS3231 alarm",
            "21:38 to Wednesday 00:39: awake for 180 pictures from 21:40 on",
            "how long the battery lasts cannot be told: nothing measures it",
        ]
    );
}

#[test]
fn without_a_way_to_wake_it_stays_awake() {
    let due = evening();
    let lines = plan(&PlanInputs {
        wake: None,
        battery: Some(battery(60.0, None)),
        ..inputs(&due)
    })
    .lines();
    assert_eq!(
        lines,
        [
            "stay awake until 21:40: nothing can wake the trap again",
            "21:40 to 22:20: awake for 3 pictures from 21:40 on",
            "how long the battery lasts cannot be told: its capacity is not set, and its charge does not clearly fall",
        ]
    );
}

#[test]
fn a_battery_that_ends_in_the_night_says_what_is_lost() {
    let due: Vec<i64> = (0..600)
        .map(|minute| at(2, 19, 40) + minute * MINUTE)
        .collect();
    let plan = plan(&PlanInputs {
        battery: Some(battery(60.0, Some(40.0))),
        ..inputs(&due)
    });
    // 20 Wh above the threshold; 4.25 W from 21:38 on: until about 02:18. What is
    // due from 02:19 to 07:39 is lost.
    let last = plan.lines().pop().unwrap();
    assert_eq!(
        last,
        "the battery runs out at about Wednesday 02:00; 321 pictures are lost"
    );
}

#[test]
fn a_low_battery_lies_down_and_looks_again() {
    let due = evening();
    let mut low = battery(15.0, Some(100.0));
    low.level = Level::Refuse;
    let refuse = plan(&PlanInputs {
        battery: Some(low),
        ..inputs(&due)
    });
    assert_eq!(
        refuse.lines(),
        [
            "battery too low to start; change or charge it: it is at 15 %, below 20 %",
            "sleep until 21:38, woken by DS3231 alarm",
        ]
    );
    let soon = [at(2, 12, 6), at(2, 20, 0)];
    let again = plan(&PlanInputs {
        battery: Some(low),
        ..inputs(&soon)
    });
    assert!(again.lines()[1].starts_with("sleep until 21:58"), "{again}");
    low.level = Level::ShutDown;
    let empty = plan(&PlanInputs {
        battery: Some(low),
        wake: None,
        ..inputs(&due)
    });
    assert_eq!(
        empty.lines()[1],
        "shut down until somebody comes: nothing can wake the trap again"
    );
}

#[test]
fn a_trap_that_may_not_lie_down_says_so() {
    let due = evening();
    let awake = |level: Level| {
        let mut battery = battery(60.0, None);
        battery.level = level;
        let plan = plan(&PlanInputs {
            battery: Some(battery),
            rules: PowerRules::default(),
            ..inputs(&due)
        });
        plan.lines()
    };
    assert_eq!(
        awake(Level::Good)[0],
        "stay awake until 21:40: the settings do not let it lie down"
    );
    for low in [Level::Refuse, Level::ShutDown] {
        assert_eq!(
            awake(low)[1],
            "stay awake without pictures until the battery is charged: the settings do not let it lie down"
        );
    }
}

#[test]
fn only_an_empty_battery_shuts_down_for_good() {
    let due = evening();
    let step = |level: Level, rules: PowerRules| {
        let mut battery = battery(15.0, None);
        battery.level = level;
        let plan = plan(&PlanInputs {
            battery: Some(battery),
            wake: None,
            rules,
            ..inputs(&due)
        });
        plan.steps[1].clone()
    };
    let rules = |lies_down, off_when_empty| PowerRules {
        lies_down,
        off_when_empty,
    };
    let refused = step(Level::Refuse, rules(true, true));
    assert!(matches!(refused, Step::Saving { .. }), "{refused:?}");
    let kept = step(Level::ShutDown, rules(true, false));
    assert!(matches!(kept, Step::Saving { .. }), "{kept:?}");
    let empty = step(Level::ShutDown, rules(false, true));
    assert!(matches!(empty, Step::ShutDown { .. }), "{empty:?}");
}

#[test]
fn a_timer_wakes_in_between_and_may_be_late() {
    let due = [at(2, 14, 5)];
    let lines = plan(&PlanInputs {
        wake: timer(10 * MINUTE),
        battery: Some(BatteryState {
            trend: Some(Trend::Falling {
                percent_per_hour: 1.0,
                hours_left: 30.0,
                hours_from: 21.0,
                hours_to: None,
            }),
            ..battery(60.0, None)
        }),
        ..inputs(&due)
    })
    .lines();
    assert_eq!(
        lines,
        [
            "sleep until 16:03, woken by timer, waking 11 times in between",
            "16:03 to 16:05: awake for 1 picture at 16:05",
            "pictures may come up to 10 min late: the timer keeps its own time",
            "the battery lasts until about Wednesday 20:00, at least until Wednesday 11:00, by how its charge fell lately",
        ]
    );
}

#[test]
fn a_battery_that_may_or_may_not_reach_says_so() {
    let due = evening();
    // 0.5 Wh above the threshold are enough, 0.45 Wh are not.
    let lines = plan(&PlanInputs {
        battery: Some(battery(60.0, Some(1.0))),
        ..inputs(&due)
    })
    .lines();
    let last = lines.last().unwrap();
    assert!(
        last.contains("though perhaps not through this plan"),
        "{last}"
    );
}

#[test]
fn nothing_due_and_charging_are_said() {
    let plan = plan(&PlanInputs {
        battery: Some(BatteryState {
            charging: true,
            ..battery(60.0, Some(100.0))
        }),
        ..inputs(&[])
    });
    assert_eq!(
        plan.lines(),
        ["no picture is due", "the battery is being charged"]
    );
}

#[test]
fn a_plan_is_readable_by_programs() {
    let due = evening();
    let json = serde_json::to_value(plan(&inputs(&due))).unwrap();
    assert_eq!(json["steps"][0]["step"], "sleep");
    assert_eq!(json["steps"][0]["by"], "DS3231 alarm");
    assert_eq!(json["steps"][1]["first_due_unix_s"], at(2, 19, 40));
}

proptest! {
    #[test]
    fn steps_follow_each_other_and_no_picture_is_forgotten(
        gaps_s in proptest::collection::vec(1..20_000_i64, 0..60),
        period_min in proptest::option::of(1..60_i64),
        wakes: bool,
        capacity_wh in 0.01..500.0_f64,
    ) {
        let mut next = at(2, 12, 5);
        let due: Vec<i64> = gaps_s.iter().map(|gap_s| { next += gap_s; next }).collect();
        let wake = match period_min {
            Some(minutes) => timer(minutes * MINUTE),
            None => alarm(),
        };
        let inputs = PlanInputs {
            wake: wake.filter(|_| wakes),
            battery: Some(battery(60.0, Some(capacity_wh))),
            ..inputs(&due)
        };
        let plan = plan(&inputs);
        let mut at_s = inputs.now_unix_s;
        let mut planned = 0;
        for step in &plan.steps {
            match step {
                Step::Awake { from_unix_s, until_unix_s, first_due_unix_s, shots } => {
                    prop_assert!(at_s <= *from_unix_s && from_unix_s <= first_due_unix_s);
                    at_s = *until_unix_s;
                    planned += shots;
                }
                Step::Sleep { from_unix_s, until_unix_s, .. } => {
                    prop_assert!(at_s <= *from_unix_s && from_unix_s < until_unix_s);
                    at_s = *until_unix_s;
                }
                Step::RunsOut { at_unix_s, shots_lost } => {
                    prop_assert!(*at_unix_s >= inputs.now_unix_s && *shots_lost <= due.len());
                }
                Step::Lasts { until_unix_s, surely_unix_s, .. } => {
                    prop_assert!(*until_unix_s >= at_s);
                    prop_assert!(surely_unix_s.is_none_or(|surely_s| surely_s <= *until_unix_s));
                }
                Step::BatteryLow { .. } | Step::StayAwake { .. } | Step::Saving { .. } | Step::ShutDown { .. }
                | Step::Late { .. } | Step::LastsUnknown { .. } | Step::Charging
                | Step::NothingDue => {}
            }
        }
        prop_assert_eq!(planned, due.len());
        prop_assert!(plan.lines().iter().all(|line| !line.is_empty()));
    }

    #[test]
    fn more_battery_never_ends_earlier(small_wh in 0.1..50.0_f64, more_wh in 0.0..50.0_f64) {
        let due: Vec<i64> = (0..200).map(|nth| at(2, 19, 40) + nth * HOUR / 4).collect();
        let ends = |capacity_wh: f64| {
            let battery = Some(battery(60.0, Some(capacity_wh)));
            match plan(&PlanInputs { battery, ..inputs(&due) }).steps.pop() {
                Some(Step::RunsOut { at_unix_s, .. }) => at_unix_s,
                Some(Step::Lasts { until_unix_s, .. }) => until_unix_s,
                other => panic!("{other:?}"),
            }
        };
        prop_assert!(ends(small_wh) <= ends(small_wh + more_wh) + 1);
    }
}
