//! The steps of a plan, and how they read.

use crate::battery::gate::Level;
use crate::wall;
use serde::Serialize;
use std::fmt;

/// What will happen, in order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PowerPlan {
    /// When it was made, seconds since 1970.
    pub now_unix_s: i64,
    /// How far its times are shown east of UTC, in seconds.
    pub utc_offset_s: i32,
    /// One after another.
    pub steps: Vec<Step>,
}

/// One thing that happens. All times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// The battery is below a threshold.
    BatteryLow {
        /// How full it is.
        percent: f64,
        /// What it still allows.
        level: Level,
        /// The threshold that it is below.
        threshold_percent: f64,
    },
    /// The trap takes pictures, and stays awake between them.
    Awake {
        /// Its start.
        from_unix_s: i64,
        /// Its end.
        until_unix_s: i64,
        /// When the first picture is due.
        first_due_unix_s: i64,
        /// How many are due.
        shots: usize,
    },
    /// The trap lies down until something wakes it.
    Sleep {
        /// Its start.
        from_unix_s: i64,
        /// Its end.
        until_unix_s: i64,
        /// What wakes it.
        by: String,
        /// How often it wakes in between, only to lie down again.
        wakes_between: i64,
    },
    /// The trap stays awake because nothing could wake it.
    StayAwake {
        /// Until when.
        until_unix_s: i64,
        /// Why it does not sleep.
        why: String,
    },
    /// The trap stays awake and takes no pictures until the battery is charged.
    Saving {
        /// Why it does not lie down.
        why: String,
    },
    /// The trap is shut down for good, until somebody comes.
    ShutDown {
        /// Why it will not wake by itself.
        why: String,
    },
    /// Pictures come late, because what wakes the trap keeps its own time.
    Late {
        /// By up to how much.
        by_s: i64,
        /// What wakes it.
        by: String,
    },
    /// The battery does not reach the end of the plan.
    RunsOut {
        /// When it is at the shutdown threshold.
        at_unix_s: i64,
        /// How many pictures of the plan are lost.
        shots_lost: usize,
    },
    /// How long the battery lasts.
    Lasts {
        /// Until when, most likely.
        until_unix_s: i64,
        /// Until when at least; `None` where even the plan is not sure.
        surely_unix_s: Option<i64>,
        /// By what that is known.
        by: LastsBy,
    },
    /// Why nothing can be said of the battery.
    LastsUnknown {
        /// The reason.
        why: String,
    },
    /// The battery is being charged.
    Charging,
    /// No picture is due in the times that are known.
    NothingDue,
}

/// By what it is known how long a battery lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LastsBy {
    /// By what the plan takes and what the battery holds.
    Energy,
    /// By how its charge fell lately.
    Trend,
}

impl fmt::Display for LastsBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Energy => "by what the plan takes",
            Self::Trend => "by how its charge fell lately",
        })
    }
}

impl PowerPlan {
    /// A line for each step.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.steps.iter().map(|step| self.line(step)).collect()
    }

    fn at(&self, unix_s: i64) -> String {
        wall::near(unix_s, self.now_unix_s, self.utc_offset_s)
    }

    /// To the hour: a forecast to the minute would promise too much.
    fn about(&self, unix_s: i64) -> String {
        self.at(unix_s - (unix_s + i64::from(self.utc_offset_s)).rem_euclid(3_600))
    }

    fn line(&self, step: &Step) -> String {
        match step {
            Step::BatteryLow {
                percent,
                level,
                threshold_percent,
            } => format!("{level}: it is at {percent:.0} %, below {threshold_percent:.0} %"),
            Step::Awake {
                from_unix_s,
                until_unix_s,
                first_due_unix_s,
                shots,
            } => {
                let (from, until) = (self.at(*from_unix_s), self.at(*until_unix_s));
                let first = self.at(*first_due_unix_s);
                match shots {
                    1 => format!("{from} to {until}: awake for 1 picture at {first}"),
                    shots => {
                        format!("{from} to {until}: awake for {shots} pictures from {first} on")
                    }
                }
            }
            Step::Sleep {
                until_unix_s,
                by,
                wakes_between,
                ..
            } => self.sleep(*until_unix_s, by, *wakes_between),
            Step::StayAwake { until_unix_s, why } => {
                format!("stay awake until {}: {why}", self.at(*until_unix_s))
            }
            Step::Saving { why } => {
                format!("stay awake without pictures until the battery is charged: {why}")
            }
            Step::ShutDown { why } => format!("shut down until somebody comes: {why}"),
            Step::Late { by_s, by } => {
                let minutes = by_s.saturating_add(59) / 60;
                format!("pictures may come up to {minutes} min late: the {by} keeps its own time")
            }
            Step::RunsOut {
                at_unix_s,
                shots_lost,
            } => {
                let at = self.about(*at_unix_s);
                format!("the battery runs out at about {at}; {shots_lost} pictures are lost")
            }
            Step::Lasts {
                until_unix_s,
                surely_unix_s,
                by,
            } => {
                let surely = match surely_unix_s {
                    Some(surely_unix_s) => {
                        format!("at least until {}", self.about(*surely_unix_s))
                    }
                    None => "though perhaps not through this plan".to_owned(),
                };
                let until = self.about(*until_unix_s);
                format!("the battery lasts until about {until}, {surely}, {by}")
            }
            Step::LastsUnknown { why } => {
                format!("how long the battery lasts cannot be told: {why}")
            }
            Step::Charging => "the battery is being charged".to_owned(),
            Step::NothingDue => "no picture is due".to_owned(),
        }
    }

    fn sleep(&self, until_unix_s: i64, by: &str, wakes_between: i64) -> String {
        let until = self.at(until_unix_s);
        let between = match wakes_between {
            0 => String::new(),
            1 => ", waking once in between".to_owned(),
            wakes => format!(", waking {wakes} times in between"),
        };
        format!("sleep until {until}, woken by {by}{between}")
    }
}

impl fmt::Display for PowerPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines().join("\n"))
    }
}
