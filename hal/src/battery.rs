//! The battery: from its voltage to how much is left in it.
//!
//! A voltage says how full a battery is only at rest, so the voltage that the
//! load takes away is given back first where the current is known. What is left
//! uncertain becomes bounds: on the flat middle of a LiFePO4 battery they are
//! wide, and no number should hide that. Cold is not accounted for: a battery
//! at 0 °C holds less than its voltage tells.

pub mod forecast;
pub mod gate;
mod tables;

use crate::units::{Amperes, BatteryOhms, Volts};
use serde::Serialize;
use std::fmt;
use std::str::FromStr;

/// Resistors and converters are about so wrong.
const MEASURED_WITHIN: f64 = 0.003;
/// Of the voltage given back, as much may be too much or too little.
const RESISTANCE_WITHIN: f64 = 0.3;
/// What a trap's load takes from a cell where nobody measures the current, at most.
const UNKNOWN_LOAD_CELL_VOLTS: f64 = 0.02;
/// A smaller current into the battery is the error of its sensor.
const CHARGING_AMPERES: f64 = 0.03;

/// A kind of battery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Chemistry {
    /// Four LiFePO4 cells in series, 12.8 V.
    LiFePo4,
    /// One to four lithium-ion cells in series, 3.7 V each.
    LiIon {
        /// How many.
        cells: u8,
    },
    /// A lead-acid battery of 12 V.
    LeadAcid,
}

/// What a battery gives while it is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// Current out of the battery; negative charges it.
    pub current: Amperes,
    /// What it and its cables resist.
    pub resistance: BatteryOhms,
}

/// How full a battery is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Charge {
    /// Of its capacity, 0 to 100.
    pub percent: f64,
    /// At least this.
    pub from_percent: f64,
    /// At most this.
    pub to_percent: f64,
}

impl fmt::Display for Charge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.0} % ({:.0} to {:.0} %)",
            self.percent, self.from_percent, self.to_percent
        )
    }
}

impl Chemistry {
    /// How full a battery is that shows `voltage` under `load`; where the load
    /// is not known, that of a trap is assumed possible.
    #[must_use]
    pub fn charge(self, voltage: Volts, load: Option<Load>) -> Charge {
        let measured = voltage.volts();
        let given_back = load.map_or(0.0, |load| load.current.amperes() * load.resistance.ohms());
        let unknown_load = match load {
            Some(_) => 0.0,
            None => UNKNOWN_LOAD_CELL_VOLTS * f64::from(self.cells()),
        };
        let at_rest = measured + given_back;
        let within = measured * MEASURED_WITHIN + given_back.abs() * RESISTANCE_WITHIN;
        Charge {
            percent: self.percent_at_rest(at_rest),
            from_percent: self.percent_at_rest(at_rest - within),
            to_percent: self.percent_at_rest(at_rest + within + unknown_load),
        }
    }

    /// Whether the battery is being charged: by its current, where that is
    /// known, else by a voltage that it does not have at rest.
    #[must_use]
    pub fn is_charging(self, voltage: Volts, current: Option<Amperes>) -> bool {
        match current {
            Some(current) => current.amperes() < -CHARGING_AMPERES,
            None => {
                let full = self
                    .table()
                    .last()
                    .map_or(f64::INFINITY, |(volts, _)| *volts);
                let margin = 1.0 + 2.0 * MEASURED_WITHIN;
                voltage.volts() > full * self.table_cells() * margin
            }
        }
    }

    fn percent_at_rest(self, volts: f64) -> f64 {
        tables::percent(self.table(), volts / self.table_cells())
    }

    fn table(self) -> tables::Table {
        match self {
            Self::LiFePo4 => tables::LIFEPO4_4S,
            Self::LiIon { .. } => tables::LI_ION_CELL,
            Self::LeadAcid => tables::LEAD_ACID_12V,
        }
    }

    /// How many times the battery holds what the table is of.
    fn table_cells(self) -> f64 {
        match self {
            Self::LiIon { cells } => f64::from(cells),
            Self::LiFePo4 | Self::LeadAcid => 1.0,
        }
    }

    fn cells(self) -> u8 {
        match self {
            Self::LiFePo4 => 4,
            Self::LiIon { cells } => cells,
            Self::LeadAcid => 6,
        }
    }
}

impl FromStr for Chemistry {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "lifepo4-4s" => Ok(Self::LiFePo4),
            "li-ion-1s" => Ok(Self::LiIon { cells: 1 }),
            "li-ion-2s" => Ok(Self::LiIon { cells: 2 }),
            "li-ion-3s" => Ok(Self::LiIon { cells: 3 }),
            "li-ion-4s" => Ok(Self::LiIon { cells: 4 }),
            "lead-acid-12v" => Ok(Self::LeadAcid),
            other => Err(format!(
                "`{other}` is no battery; choose one of lifepo4-4s, li-ion-1s to li-ion-4s, lead-acid-12v"
            )),
        }
    }
}

impl fmt::Display for Chemistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LiFePo4 => f.write_str("lifepo4-4s"),
            Self::LiIon { cells } => write!(f, "li-ion-{cells}s"),
            Self::LeadAcid => f.write_str("lead-acid-12v"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [&str; 6] = [
        "lifepo4-4s",
        "li-ion-1s",
        "li-ion-2s",
        "li-ion-3s",
        "li-ion-4s",
        "lead-acid-12v",
    ];

    fn charge(name: &str, volts: f64, load: Option<(f64, f64)>) -> Charge {
        let load = load.map(|(amperes, ohms)| Load {
            current: Amperes::new(amperes).unwrap(),
            resistance: BatteryOhms::new(ohms).unwrap(),
        });
        let chemistry: Chemistry = name.parse().unwrap();
        chemistry.charge(Volts::new(volts).unwrap(), load)
    }

    #[test]
    fn worked_examples() {
        let rest = Some((0.0, 0.1));
        let cases = [
            ("lead-acid-12v", 12.10, rest, 50.0),
            ("lead-acid-12v", 11.90, Some((2.0, 0.1)), 50.0),
            ("lead-acid-12v", 14.4, rest, 100.0),
            ("lifepo4-4s", 13.15, rest, 55.0),
            ("lifepo4-4s", 9.0, rest, 0.0),
            ("li-ion-1s", 3.8034, rest, 50.0),
            ("li-ion-3s", 11.4102, rest, 50.0),
        ];
        for (name, volts, load, percent) in cases {
            let found = charge(name, volts, load);
            assert!(
                (found.percent - percent).abs() < 0.1,
                "{name} {volts} V: {found}"
            );
        }
    }

    #[test]
    fn the_flat_middle_is_said_to_be_uncertain() {
        let flat = charge("lifepo4-4s", 13.15, Some((0.0, 0.0)));
        assert!(flat.to_percent - flat.from_percent > 20.0, "{flat}");
        let steep = charge("lifepo4-4s", 12.2, Some((0.0, 0.0)));
        assert!(steep.to_percent - steep.from_percent < 10.0, "{steep}");
        let unmeasured = charge("lead-acid-12v", 12.1, None);
        assert!(
            unmeasured.to_percent - unmeasured.percent > 10.0,
            "{unmeasured}"
        );
    }

    #[test]
    fn charging_is_seen_by_current_or_by_voltage() {
        let charging = |name: &str, volts: f64, amperes: Option<f64>| {
            let chemistry: Chemistry = name.parse().unwrap();
            let current = amperes.map(|amperes| Amperes::new(amperes).unwrap());
            chemistry.is_charging(Volts::new(volts).unwrap(), current)
        };
        assert!(charging("lead-acid-12v", 12.5, Some(-0.4)));
        assert!(
            !charging("lead-acid-12v", 14.4, Some(0.4)),
            "just unplugged"
        );
        assert!(charging("lead-acid-12v", 13.5, None));
        assert!(charging("lifepo4-4s", 14.2, None));
        assert!(!charging("lifepo4-4s", 13.5, None));
        assert!(charging("li-ion-2s", 8.4, None) && !charging("li-ion-2s", 8.2, None));
    }

    #[test]
    fn names_go_there_and_back() {
        for name in ALL {
            assert_eq!(name.parse::<Chemistry>().unwrap().to_string(), name);
        }
        assert!(
            "alkaline"
                .parse::<Chemistry>()
                .unwrap_err()
                .contains("li-ion-1s")
        );
    }

    proptest! {
        #[test]
        fn more_voltage_is_never_less_charge(
            at in 0..6_usize, volts in 0.0..50.0_f64, more in 0.0..5.0_f64, amperes in -5.0..5.0_f64,
        ) {
            let load = Some((amperes, 0.05));
            let (lower, higher) = (charge(ALL[at], volts, load), charge(ALL[at], volts + more, load));
            prop_assert!(lower.percent <= higher.percent);
            prop_assert!(lower.from_percent <= lower.percent && lower.percent <= lower.to_percent);
            prop_assert!((0.0..=100.0).contains(&lower.from_percent) && lower.to_percent <= 100.0);
        }
    }
}
