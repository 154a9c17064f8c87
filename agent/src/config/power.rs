//! `[power]`: the battery, when it is too low, and whether and how the trap
//! lies down between pictures.

use super::check::Checker;
use std::path::PathBuf;
use std::time::Duration;
use trapline_hal::BatteryOhms;
use trapline_hal::battery::Chemistry;
use trapline_hal::battery::gate::Thresholds;
use trapline_hal::lines::Wiring;
use trapline_hal::pi::wake::WakeBy;
use trapline_hal::power_plan::{PowerRules, WakeCosts};

/// `[power]`
#[derive(Debug, Clone, PartialEq)]
pub struct PowerConfig {
    /// The battery, if its kind is named.
    pub battery: Option<BatteryConfig>,
    /// When it is too low.
    pub thresholds: Thresholds,
    /// What waking, working and sleeping take.
    pub costs: WakeCosts,
    /// What the trap may do.
    pub rules: PowerRules,
    /// What wakes it.
    pub wake: Option<WakeBy>,
    /// How long it stays up for pictures that wait to be looked at and sent.
    pub linger: Duration,
    /// A folder in memory, for what must not outlive this boot.
    pub run_dir: PathBuf,
}

/// The battery.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatteryConfig {
    /// Its kind.
    pub chemistry: Chemistry,
    /// What it holds when full, where known.
    pub capacity_wh: Option<f64>,
    /// What it and its cables resist.
    pub resistance: BatteryOhms,
}

const MINUTE: Duration = Duration::from_secs(60);
/// From the shortest to the longest period that such timers know.
const TIMER: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(30)..=Duration::from_secs(2 * 3_600);

impl Checker<'_> {
    pub(super) fn power(&mut self) -> PowerConfig {
        let battery = self.battery();
        let mut percent = |key: &str| f64::from(self.small(key, 100));
        let thresholds = Thresholds {
            warn_percent: percent("power.warn_percent"),
            refuse_percent: percent("power.refuse_percent"),
            shutdown_percent: percent("power.shutdown_percent"),
            recover_percent: percent("power.recover_percent"),
        };
        let thresholds = thresholds.check().unwrap_or_else(|why| {
            self.complain("power.warn_percent", format!("`power`: {why}"));
            Thresholds::default()
        });
        let wake = self.wake();
        let rules = PowerRules {
            lies_down: self.switch("power.lie_down"),
            off_when_empty: self.switch("power.off_when_empty"),
        };
        if rules.lies_down && self.text("power.wake") == "none" {
            let message =
                "`power.lie_down` is on, but nothing would wake the trap; set `power.wake`";
            self.complain("power.lie_down", message.to_owned());
        }
        PowerConfig {
            battery,
            thresholds,
            costs: self.costs(),
            rules,
            wake,
            linger: self.duration("power.linger", Duration::ZERO..=60 * MINUTE),
            run_dir: PathBuf::from(self.text("power.run_dir")),
        }
    }

    fn battery(&mut self) -> Option<BatteryConfig> {
        let capacity_wh = f64::from(self.small("power.capacity_wh", 10_000));
        let milliohms = f64::from(self.small("power.resistance_milliohms", 10_000));
        let name = self.text("power.battery");
        if name.is_empty() {
            return None;
        }
        let chemistry = name.parse().map_err(|why| {
            self.complain("power.battery", format!("`power.battery`: {why}"));
        });
        Some(BatteryConfig {
            chemistry: chemistry.ok()?,
            capacity_wh: (capacity_wh > 0.0).then_some(capacity_wh),
            resistance: BatteryOhms::new(milliohms / 1_000.0)?,
        })
    }

    fn costs(&mut self) -> WakeCosts {
        let mut seconds = |key: &str| {
            let lasts = self.duration(key, Duration::from_secs(1)..=10 * MINUTE);
            i64::try_from(lasts.as_secs()).unwrap_or(i64::MAX)
        };
        let (boot_s, shot_s, shutdown_s) = (
            seconds("power.boot_takes"),
            seconds("power.shot_takes"),
            seconds("power.shutdown_takes"),
        );
        let mut watts = |key: &str| f64::from(self.small(key, 100_000)) / 1_000.0;
        WakeCosts {
            boot_s,
            shot_s,
            shutdown_s,
            awake_watts: watts("power.awake_milliwatts"),
            shot_watts: watts("power.shot_milliwatts"),
            asleep_watts: watts("power.asleep_milliwatts"),
        }
    }

    fn wake(&mut self) -> Option<WakeBy> {
        let words = [
            ("none", "none"),
            ("rtc", "rtc"),
            ("witty-pi-4", "witty-pi-4"),
            ("timer", "timer"),
        ];
        let period = self.duration("power.timer_period", TIMER);
        match self.one_of("power.wake", &words, "none") {
            "rtc" => Some(WakeBy::Rtc(self.named("clock.rtc"))),
            "witty-pi-4" => Some(WakeBy::WittyPi4 {
                bus: self.small("sensors.bus", 255),
            }),
            "timer" => self.done_line().map(|line| WakeBy::Timer {
                line,
                period_s: i64::try_from(period.as_secs()).unwrap_or(i64::MAX),
            }),
            _ => None,
        }
    }

    fn done_line(&mut self) -> Option<Wiring> {
        let line = self.text("power.done_line");
        if line.is_empty() {
            let message = "`power.wake` is \"timer\", so `power.done_line` has to name the line \
                           that tells it, like \"GPIO4\"";
            self.complain("power.done_line", message.to_owned());
            return None;
        }
        let wiring = line.parse::<Wiring>().map_err(|why| {
            self.complain("power.done_line", format!("`power.done_line`: {why}"));
        });
        wiring.ok()
    }

    /// A text that may be left out.
    pub(super) fn named(&self, key: &str) -> Option<String> {
        Some(self.text(key)).filter(|name| !name.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn read(text: &str) -> Result<PowerConfig, String> {
        let text = format!("[camera]\nkind = \"none\"\n[power]\n{text}\n");
        let config = Config::from_text("agent.toml", &text);
        config.map(|c| c.power).map_err(|e| e.to_string())
    }

    #[test]
    fn a_trap_stays_awake_unless_told() {
        let power = read("").unwrap();
        assert_eq!((power.battery, power.wake), (None, None));
        assert_eq!(power.rules, PowerRules::default());
        assert_eq!(power.costs, WakeCosts::default());
        assert_eq!(power.thresholds, Thresholds::default());
    }

    #[test]
    fn a_battery_with_all_that_is_known() {
        let power = read("battery = \"li-ion-3s\"\ncapacity_wh = 70\nrefuse_percent = 25").unwrap();
        let battery = power.battery.unwrap();
        assert_eq!(battery.chemistry, Chemistry::LiIon { cells: 3 });
        assert_eq!(battery.capacity_wh, Some(70.0));
        assert!((power.thresholds.refuse_percent - 25.0).abs() < f64::EPSILON);
    }

    #[test]
    fn ways_to_wake() {
        let wake = |text: &str| read(text).map(|power| power.wake);
        assert_eq!(wake("wake = \"rtc\"").unwrap(), Some(WakeBy::Rtc(None)));
        let timer = wake("wake = \"timer\"\ndone_line = \"GPIO4\"\ntimer_period = \"10m\"");
        let timer_is = WakeBy::Timer {
            line: "GPIO4".parse().unwrap(),
            period_s: 600,
        };
        assert_eq!(timer.unwrap(), Some(timer_is));
        assert!(
            wake("wake = \"timer\"")
                .unwrap_err()
                .contains("`power.done_line`")
        );
        let alone = read("lie_down = true").unwrap_err();
        assert!(alone.contains("nothing would wake the trap"), "{alone}");
    }

    #[test]
    fn what_is_wrong_is_said_in_words() {
        let fell = read("refuse_percent = 50").unwrap_err();
        assert!(fell.contains("warn 30 %, refuse 50 %"), "{fell}");
        let no_such = read("battery = \"nimh\"").unwrap_err();
        assert!(no_such.contains("choose one of lifepo4-4s"), "{no_such}");
    }
}
