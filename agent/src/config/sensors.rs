//! `[sensors]`: what is wired to a trap, by the names that people give the parts.

use super::camera::Supply;
use super::check::Checker;
use trapline_hal::bus_sensors::{BatteryPart, ClimatePart, LightPart};
use trapline_hal::drivers::ads1115::{Input, Wiring};
use trapline_hal::{DividerRatio, ShuntOhms};

/// `[sensors]`
#[derive(Debug, Clone, PartialEq)]
pub struct SensorsConfig {
    /// Number of the I²C bus.
    pub bus: u32,
    /// Climate sensors, the most trusted first.
    pub climate: Vec<Sensor<ClimatePart>>,
    /// Light sensors, the most trusted first.
    pub light: Vec<Sensor<LightPart>>,
    /// Battery sensors, the most trusted first.
    pub battery: Vec<Sensor<BatteryPart>>,
    /// Their supply, if it can be switched.
    pub power: Option<Supply>,
    /// Battery volts for each volt that the kernel's sensor or the converter measures.
    pub divider: DividerRatio,
}

/// One sensor.
#[derive(Debug, Clone, PartialEq)]
pub enum Sensor<P> {
    /// On the bus, served by a driver of ours.
    Bus {
        /// The part.
        part: P,
        /// Another address than its usual one.
        address: Option<u8>,
    },
    /// Served by a driver of the kernel, by the kernel's name of it.
    Kernel(String),
}

impl SensorsConfig {
    /// Whether none is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.climate.is_empty() && self.light.is_empty() && self.battery.is_empty()
    }
}

/// Before the name of a sensor that the kernel serves.
const KERNEL: &str = "kernel:";
/// Addresses of I²C parts; the others are reserved.
const ADDRESSES: std::ops::RangeInclusive<u8> = 0x08..=0x77;

impl Checker<'_> {
    pub(super) fn sensors(&mut self) -> SensorsConfig {
        let divider = self.thousandths("sensors.divider_thousandths");
        let divider = DividerRatio::new(divider).unwrap_or_else(|| {
            let message = "`sensors.divider_thousandths` needs 1000 (no divider) or more";
            self.complain("sensors.divider_thousandths", message.to_owned());
            DividerRatio::NONE
        });
        let shunt = self.thousandths("sensors.shunt_milliohms");
        let shunt = ShuntOhms::new(shunt).unwrap_or_else(|| {
            let message = "`sensors.shunt_milliohms` needs 1 to 1000, as it stands on the resistor";
            self.complain("sensors.shunt_milliohms", message.to_owned());
            ShuntOhms::USUAL
        });
        let wired = |input| BatteryPart::Ads1115(Wiring { input, divider });
        let battery = [
            ("ina219", BatteryPart::Ina219(shunt)),
            ("ina260", BatteryPart::Ina260),
            ("ads1115/0", wired(Input::A0)),
            ("ads1115/1", wired(Input::A1)),
            ("ads1115/2", wired(Input::A2)),
            ("ads1115/3", wired(Input::A3)),
        ];
        SensorsConfig {
            bus: self.small("sensors.bus", 99),
            climate: self.parts("sensors.climate", &ClimatePart::NAMES),
            light: self.parts("sensors.light", &LightPart::NAMES),
            battery: self.parts("sensors.battery", &battery),
            divider,
            power: self.supply("sensors.power", "sensors.power_settle"),
        }
    }

    pub(super) fn small(&mut self, key: &str, max: u32) -> u32 {
        let number = self.whole(key, 0, i64::from(max));
        u32::try_from(number).unwrap_or(max)
    }

    fn thousandths(&mut self, key: &str) -> f64 {
        let thousandths = self.small(key, 100_000);
        f64::from(thousandths) / 1_000.0
    }

    fn parts<P: Copy>(&mut self, key: &str, names: &[(&str, P)]) -> Vec<Sensor<P>> {
        let mut sensors = Vec::new();
        for text in self.list(key) {
            match parse(&text, names) {
                Some(sensor) => sensors.push(sensor),
                None => {
                    let all: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
                    let message = format!(
                        "`{key}` knows {}, each also with its address as in \"{}@0x45\", and \
                         \"{KERNEL}NAME\" for a sensor of the kernel, but not {text:?}",
                        all.join(", "),
                        all.first().copied().unwrap_or_default(),
                    );
                    self.complain(key, message);
                }
            }
        }
        sensors
    }
}

/// `"sht3x"`, `"sht3x@0x45"` or `"kernel:dht22"`.
fn parse<P: Copy>(text: &str, names: &[(&str, P)]) -> Option<Sensor<P>> {
    if let Some(name) = text.strip_prefix(KERNEL) {
        return (!name.is_empty()).then(|| Sensor::Kernel(name.to_owned()));
    }
    let (name, address) = match text.split_once('@') {
        Some((name, address)) => {
            let digits = address.strip_prefix("0x")?;
            let address = u8::from_str_radix(digits, 16).ok()?;
            (
                name,
                Some(address)
                    .filter(|address| ADDRESSES.contains(address))?
                    .into(),
            )
        }
        None => (text, None),
    };
    let (_, part) = names.iter().find(|(known, _)| *known == name)?;
    Some(Sensor::Bus {
        part: *part,
        address,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn read(text: &str) -> Result<SensorsConfig, String> {
        let text = format!("[camera]\nkind = \"none\"\n[sensors]\n{text}");
        Config::from_text("test", &text)
            .map(|config| config.sensors)
            .map_err(|problems| problems.to_string())
    }

    #[test]
    fn parts_are_named_with_and_without_an_address() {
        let sensors = read(
            "climate = [\"sht3x@0x45\", \"kernel:dht22\"]\nlight = [\"bh1750\"]\n\
             battery = [\"ina219\"]\nshunt_milliohms = 10",
        )
        .unwrap();
        let expected = [
            Sensor::Bus {
                part: ClimatePart::Sht3x,
                address: Some(0x45),
            },
            Sensor::Kernel("dht22".to_owned()),
        ];
        assert_eq!(sensors.climate, expected);
        let battery = Sensor::Bus {
            part: BatteryPart::Ina219(ShuntOhms::new(0.01).unwrap()),
            address: None,
        };
        assert_eq!(sensors.battery, [battery]);
        assert!(!sensors.is_empty());
        assert!(read("").unwrap().is_empty());
    }

    #[test]
    fn what_is_not_known_is_told_with_what_is() {
        for wrong in ["sht99", "sht3x@45", "sht3x@0x99", "sht3x@", "kernel:", ""] {
            let why = read(&format!("climate = [{wrong:?}]")).unwrap_err();
            assert!(why.contains("sht3x, sht4x, bme280, aht20"), "{why}");
            assert!(why.contains(&format!("{wrong:?}")), "{why}");
        }
        let why = read("divider_thousandths = 900").unwrap_err();
        assert!(why.contains("1000 (no divider)"), "{why}");
    }
}
