//! The lines of battery, clock and supply.

use super::{Status, span};
use crate::moment::utc_text;
use std::fmt;
use trapline_hal::battery::gate::Level;

impl Status {
    pub(super) fn write_power(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(battery) = &self.battery {
            write!(f, "Battery     {:.0} %", battery.percent)?;
            if let Some(volts) = self.battery_v {
                write!(f, " ({volts:.2} V)")?;
            }
            if battery.charging {
                write!(f, ", charging")?;
            }
            if let Some(hours) = battery.hours_left {
                let seconds = hours.clamp(0.0, 1e6) * 3_600.0;
                let until_ms = self.now_ms.saturating_add(whole(seconds * 1_000.0));
                let lasts = span(whole(seconds));
                write!(f, ", lasts {lasts}, until about {}", utc_text(until_ms))?;
            }
            if battery.level >= Level::Refuse {
                write!(f, "; no pictures until it is charged")?;
            }
            writeln!(f)?;
        } else if let Some(volts) = self.battery_v {
            writeln!(f, "Battery     {volts:.2} V")?;
        }
        if let Some(rtc) = &self.rtc {
            write!(f, "Clock       {}, ", rtc.name)?;
            match rtc.ahead_s {
                0 => write!(f, "right to the second")?,
                ahead if ahead > 0 => write!(f, "{ahead} s ahead")?,
                behind => write!(f, "{} s behind", behind.unsigned_abs())?,
            }
            if let Some(drift) = &rtc.drift {
                write!(f, "; drifts {drift}")?;
            }
            writeln!(f)?;
        }
        if let Some(wakes_ms) = self.wakes_ms {
            writeln!(f, "Lies down   woken {}", self.ago(wakes_ms))?;
        }
        for strain in &self.strains {
            writeln!(f, "Strain      {strain}")?;
        }
        Ok(())
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "clamped to a century before"
)]
fn whole(number: f64) -> i64 {
    number as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::{BatteryFacts, Facts, RtcFacts};
    use trapline_store::Summary;

    const NOW_MS: i64 = 1_795_279_200_000;

    fn lines(facts: Facts) -> Vec<String> {
        let ledger = Some("0000000a".to_owned());
        let status = Status::of(ledger, Summary::default(), None, Some(facts), NOW_MS);
        let parts = ["Battery", "Clock", "Lies down", "Strain", "Card"];
        let text = status.to_string();
        let lines = text.lines().map(str::to_owned);
        lines
            .filter(|line| parts.iter().any(|part| line.starts_with(part)))
            .collect()
    }

    #[test]
    fn a_trap_with_all_of_it() {
        let facts = Facts {
            battery_v: Some(12.24),
            battery: Some(BatteryFacts {
                percent: 60.0,
                hours_left: Some(30.5),
                ..BatteryFacts::default()
            }),
            card_hours_left: Some(340),
            rtc: Some(RtcFacts {
                name: "DS3231 (rtc0, rtc-ds1307 1-0068)".to_owned(),
                ahead_s: -3,
                drift: Some("+1.2 ± 0.5 ppm (+0.10 s a day)".to_owned()),
            }),
            strains: vec!["processor hot (since boot): shade the trap".to_owned()],
            wakes_ms: Some(NOW_MS + 600_000),
            ..Facts::default()
        };
        assert_eq!(
            lines(facts),
            [
                "Card        0.0 MB of pictures, full in 14 days",
                "Battery     60 % (12.24 V), lasts 30 h, until about 2026-11-22T23:10:00.000Z",
                "Clock       DS3231 (rtc0, rtc-ds1307 1-0068), 3 s behind; drifts +1.2 ± 0.5 ppm (+0.10 s a day)",
                "Lies down   woken in 10 min",
                "Strain      processor hot (since boot): shade the trap",
            ]
        );
    }

    #[test]
    fn a_battery_that_is_too_low_or_only_a_voltage() {
        let low = Facts {
            battery: Some(BatteryFacts {
                percent: 15.2,
                level: Level::Refuse,
                ..BatteryFacts::default()
            }),
            ..Facts::default()
        };
        assert_eq!(
            lines(low)[1],
            "Battery     15 %; no pictures until it is charged"
        );
        let volts = Facts {
            battery_v: Some(3.9),
            ..Facts::default()
        };
        assert_eq!(lines(volts)[1], "Battery     3.90 V");
    }
}
