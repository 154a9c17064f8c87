//! The sensors that are fitted to one bus, read together.
//!
//! The bus is opened for each round and nothing is remembered of a sensor but
//! what it said: plugging out and in needs no restart. Of two parts for the
//! same thing the first that answers is believed, so a spare may be fitted.
//! Once the bus hangs, the rest of the round is given up, so a round lasts no
//! longer than its drivers' waits and one transfer that the kernel gave up.

use crate::ambient::{Ambient, AmbientReading};
use crate::drivers::ads1115::{self, Ads1115, Wiring};
use crate::drivers::aht20::{self, Aht20};
use crate::drivers::bh1750::{self, Bh1750};
use crate::drivers::bme280::{self, Bme280};
use crate::drivers::ina219::{self, Ina219};
use crate::drivers::ina260::{self, Ina260};
use crate::drivers::opt3001::{self, Opt3001};
use crate::drivers::sht3x::{self, Sht3x};
use crate::drivers::sht4x::{self, Sht4x};
use crate::drivers::tsl2591::{self, Tsl2591};
use crate::drivers::veml7700::{self, Veml7700};
use crate::drivers::{Climate, Supply};
use crate::error::{DeviceError, FaultKind};
use crate::power::{Power, PowerReading};
use crate::units::{Lux, ShuntOhms};
use crate::watch::{Missing, Watch};
use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::I2c;

/// Where a bus is had from.
pub trait OpenBus: Send {
    /// The bus.
    type Bus: I2c;
    /// What waits for the sensors on it.
    type Delay: DelayNs;

    /// Opens it for one round, on behalf of `device`.
    ///
    /// # Errors
    /// [`DeviceError`] of `device` when there is no such bus.
    fn open(&mut self, device: &'static str) -> Result<(Self::Bus, Self::Delay), DeviceError>;
}

/// The climate sensors that have a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClimatePart {
    /// Sensirion SHT30, SHT31, SHT35.
    Sht3x,
    /// Sensirion SHT40, SHT41, SHT45.
    Sht4x,
    /// Bosch BME280.
    Bme280,
    /// ASAIR AHT20.
    Aht20,
}

impl ClimatePart {
    /// What each is called in settings.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("sht3x", Self::Sht3x),
        ("sht4x", Self::Sht4x),
        ("bme280", Self::Bme280),
        ("aht20", Self::Aht20),
    ];
}

/// The light sensors that have a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LightPart {
    /// Rohm BH1750.
    Bh1750,
    /// Vishay VEML7700.
    Veml7700,
    /// ams TSL2591.
    Tsl2591,
    /// Texas Instruments OPT3001.
    Opt3001,
}

impl LightPart {
    /// What each is called in settings.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("bh1750", Self::Bh1750),
        ("veml7700", Self::Veml7700),
        ("tsl2591", Self::Tsl2591),
        ("opt3001", Self::Opt3001),
    ];
}

/// The battery sensors that have a driver.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BatteryPart {
    /// Texas Instruments INA219, with its shunt.
    Ina219(ShuntOhms),
    /// Texas Instruments INA260.
    Ina260,
    /// Texas Instruments ADS1115, with what lies between it and the battery.
    Ads1115(Wiring),
}

/// A part at its address, and what it said before.
#[derive(Debug)]
pub struct Fitted<K> {
    part: K,
    address: u8,
    watch: Watch,
}

impl<K> Fitted<K> {
    /// `part` at another address than its usual one.
    #[must_use]
    pub fn at(part: K, address: u8) -> Self {
        Self {
            part,
            address,
            watch: Watch::default(),
        }
    }
}

impl From<ClimatePart> for Fitted<ClimatePart> {
    fn from(part: ClimatePart) -> Self {
        let address = match part {
            ClimatePart::Sht3x => sht3x::ADDRESS,
            ClimatePart::Sht4x => sht4x::ADDRESS,
            ClimatePart::Bme280 => bme280::ADDRESS,
            ClimatePart::Aht20 => aht20::ADDRESS,
        };
        Self::at(part, address)
    }
}

impl From<LightPart> for Fitted<LightPart> {
    fn from(part: LightPart) -> Self {
        let address = match part {
            LightPart::Bh1750 => bh1750::ADDRESS,
            LightPart::Veml7700 => veml7700::ADDRESS,
            LightPart::Tsl2591 => tsl2591::ADDRESS,
            LightPart::Opt3001 => opt3001::ADDRESS,
        };
        Self::at(part, address)
    }
}

impl From<BatteryPart> for Fitted<BatteryPart> {
    fn from(part: BatteryPart) -> Self {
        let address = match part {
            BatteryPart::Ina219(_) => ina219::ADDRESS,
            BatteryPart::Ina260 => ina260::ADDRESS,
            BatteryPart::Ads1115(_) => ads1115::ADDRESS,
        };
        Self::at(part, address)
    }
}

/// A part that can be asked, whatever it measures.
trait Ask {
    type Reading;

    fn ask<B: I2c, D: DelayNs>(&mut self, bus: B, delay: D) -> Result<Self::Reading, Missing>;
}

impl Ask for Fitted<ClimatePart> {
    type Reading = Climate;

    fn ask<B: I2c, D: DelayNs>(&mut self, bus: B, delay: D) -> Result<Climate, Missing> {
        let (watch, address) = (&mut self.watch, self.address);
        match self.part {
            ClimatePart::Sht3x => watch.read(&mut Sht3x::new(bus, delay, address)),
            ClimatePart::Sht4x => watch.read(&mut Sht4x::new(bus, delay, address)),
            ClimatePart::Bme280 => watch.read(&mut Bme280::new(bus, delay, address)),
            ClimatePart::Aht20 => watch.read(&mut Aht20::new(bus, delay, address)),
        }
    }
}

impl Ask for Fitted<LightPart> {
    type Reading = Lux;

    fn ask<B: I2c, D: DelayNs>(&mut self, bus: B, delay: D) -> Result<Lux, Missing> {
        let (watch, address) = (&mut self.watch, self.address);
        match self.part {
            LightPart::Bh1750 => watch.read(&mut Bh1750::new(bus, delay, address)),
            LightPart::Veml7700 => watch.read(&mut Veml7700::new(bus, delay, address)),
            LightPart::Tsl2591 => watch.read(&mut Tsl2591::new(bus, delay, address)),
            LightPart::Opt3001 => watch.read(&mut Opt3001::new(bus, delay, address)),
        }
    }
}

/// No battery that feeds a Pi has so little; a loose wire does.
const BATTERY_VOLTS_MIN: f64 = 1.0;

impl Ask for Fitted<BatteryPart> {
    type Reading = Supply;

    fn ask<B: I2c, D: DelayNs>(&mut self, bus: B, delay: D) -> Result<Supply, Missing> {
        let (watch, address) = (&mut self.watch, self.address);
        let supply = match self.part {
            BatteryPart::Ina219(shunt) => {
                watch.read(&mut Ina219::new(bus, delay, address, shunt))?
            }
            BatteryPart::Ina260 => watch.read(&mut Ina260::new(bus, delay, address))?,
            BatteryPart::Ads1115(wiring) => {
                watch.read(&mut Ads1115::new(bus, delay, address, wiring))?
            }
        };
        if supply.voltage.volts() < BATTERY_VOLTS_MIN {
            let message = format!(
                "the sensor at I²C address {address:#04x} measures no battery; check the wire from the battery to it"
            );
            return Err(Missing {
                fault: DeviceError::new("battery", FaultKind::Absent, message),
                bus_hangs: false,
            });
        }
        Ok(supply)
    }
}

/// One round over the sensors of a bus.
#[derive(Debug, Default)]
struct Round {
    faults: Vec<DeviceError>,
    bus_hangs: bool,
}

impl Round {
    /// What the first of `fitted` that answers says; the others wait as spares.
    fn ask<O: OpenBus, A: Ask>(
        &mut self,
        device: &'static str,
        bus: &mut O,
        fitted: &mut [A],
    ) -> Option<A::Reading> {
        if fitted.is_empty() {
            return None;
        }
        let (mut bus, mut delay) = match bus.open(device) {
            Ok(open) => open,
            Err(fault) => {
                self.faults.push(fault);
                return None;
            }
        };
        for part in fitted {
            if self.bus_hangs {
                let words = "was not asked, because the bus hangs";
                self.faults
                    .push(DeviceError::new(device, FaultKind::Transient, words));
                return None;
            }
            match part.ask(&mut bus, &mut delay) {
                Ok(reading) => return Some(reading),
                Err(missing) => {
                    self.bus_hangs = missing.bus_hangs;
                    self.faults.push(missing.fault);
                }
            }
        }
        None
    }
}

/// The climate and light sensors on a bus.
#[derive(Debug)]
pub struct BusAmbient<O> {
    /// The bus that they share.
    pub bus: O,
    /// Climate sensors, the most trusted first.
    pub climate: Vec<Fitted<ClimatePart>>,
    /// Light sensors, the most trusted first.
    pub light: Vec<Fitted<LightPart>>,
}

impl<O: OpenBus> Ambient for BusAmbient<O> {
    fn read(&mut self) -> AmbientReading {
        let mut round = Round::default();
        let climate = round.ask("climate", &mut self.bus, &mut self.climate);
        let light = round.ask("light", &mut self.bus, &mut self.light);
        AmbientReading {
            temperature: climate.map(|climate| climate.temperature),
            humidity: climate.map(|climate| climate.humidity),
            light,
            faults: round.faults,
        }
    }
}

/// The battery sensors on a bus.
#[derive(Debug)]
pub struct BusBattery<O> {
    /// The bus.
    pub bus: O,
    /// Battery sensors, the most trusted first.
    pub battery: Vec<Fitted<BatteryPart>>,
}

impl<O: OpenBus> BusBattery<O> {
    /// Voltage and, where it is measured, current; with why there are none, or
    /// why the first sensor was passed over.
    pub fn supply(&mut self) -> (Option<Supply>, Option<DeviceError>) {
        let mut round = Round::default();
        let supply = round.ask("battery", &mut self.bus, &mut self.battery);
        (supply, round.faults.into_iter().next())
    }
}

impl<O: OpenBus> Power for BusBattery<O> {
    fn read(&mut self) -> PowerReading {
        let (supply, fault) = self.supply();
        PowerReading {
            battery: supply.map(|supply| supply.voltage),
            current: supply.and_then(|supply| supply.current),
            fault,
        }
    }
}

#[cfg(test)]
mod tests;
