//! The sensors at the Pi's I²C bus, through the kernel's character device.
//!
//! The bus is opened for each reading: a sensor that was unplugged and plugged
//! in again is simply there the next time.

use crate::ambient::{Ambient, AmbientReading};
use crate::drivers::bh1750::{self, Bh1750};
use crate::drivers::sht3x::{self, Sht3x};
use crate::error::{DeviceError, FaultKind};
use crate::units::{Celsius, Lux, RelativeHumidity};
use linux_embedded_hal::{Delay, I2cdev};
use std::path::{Path, PathBuf};

/// The bus at pins 3 and 5 of the header.
pub const HEADER_BUS: &str = "/dev/i2c-1";

/// Which sensors are wired.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wired {
    /// An SHT30, SHT31 or SHT35 for the climate.
    pub sht3x: bool,
    /// A BH1750 for the light.
    pub bh1750: bool,
}

/// The sensors at one bus.
#[derive(Debug)]
pub struct BusSensors {
    bus: PathBuf,
    wired: Wired,
}

impl BusSensors {
    /// The wired sensors at `bus`; nothing is opened yet.
    #[must_use]
    pub fn new(bus: &Path, wired: Wired) -> Self {
        Self {
            bus: bus.to_owned(),
            wired,
        }
    }

    fn open(&self, device: &'static str) -> Result<I2cdev, DeviceError> {
        I2cdev::new(&self.bus).map_err(|e| {
            let message = format!("cannot open {}; is I²C switched on?", self.bus.display());
            DeviceError::new(device, FaultKind::Absent, message).caused_by(e)
        })
    }

    fn climate(&self) -> Result<(Celsius, RelativeHumidity), DeviceError> {
        let mut sensor = Sht3x::new(self.open("climate")?, Delay, sht3x::ADDRESS);
        let reading = sensor.measure().or_else(|_| sensor.measure());
        reading.map_err(|e| e.at("climate", "SHT3x", sht3x::ADDRESS))
    }

    fn light(&self) -> Result<Lux, DeviceError> {
        let mut sensor = Bh1750::new(self.open("light")?, Delay, bh1750::ADDRESS);
        let reading = sensor.measure().or_else(|_| sensor.measure());
        reading.map_err(|e| e.at("light", "BH1750", bh1750::ADDRESS))
    }
}

impl Ambient for BusSensors {
    fn read(&mut self) -> AmbientReading {
        let mut reading = AmbientReading::default();
        if self.wired.sht3x {
            match self.climate() {
                Ok((temperature, humidity)) => {
                    (reading.temperature, reading.humidity) = (Some(temperature), Some(humidity));
                }
                Err(fault) => reading.faults.push(fault),
            }
        }
        if self.wired.bh1750 {
            match self.light() {
                Ok(light) => reading.light = Some(light),
                Err(fault) => reading.faults.push(fault),
            }
        }
        reading
    }
}
