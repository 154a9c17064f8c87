//! Sensors on a bus, written generic over the bus: `embedded-hal` and nothing
//! else. Every wait is inside the driver, every checksum is checked, and a
//! number is only given out in its unit.
//!
//! A driver remembers nothing of its sensor. Each measurement asks who is
//! there, sets the sensor up, waits and reads, so one that was unplugged,
//! plugged in again or swapped for another is simply there the next time.
//! What a datasheet leaves without a checksum is proved another way: by an id
//! register, or by reading back what was written. So a bus that turns silence
//! into zeros gives no readings.
//!
//! The displays' chips are here too, and are set up anew with each picture.

pub mod ads1115;
pub mod aht20;
pub mod bh1750;
pub mod bme280;
pub(crate) mod checksum;
pub mod ina219;
pub mod ina260;
pub mod oled;
pub mod opt3001;
mod register;
pub mod sht3x;
pub mod sht4x;
pub mod ssd1680;
#[cfg(test)]
pub(crate) mod transcript;
pub mod tsl2591;
pub mod veml7700;
pub mod witty_pi4;

use crate::error::{DeviceError, FaultKind};
use crate::units::{Amperes, Celsius, Hectopascals, Lux, RelativeHumidity, Volts};
use embedded_hal::i2c::ErrorKind;

/// A sensor on a bus that can be asked for what it measures.
pub trait Part {
    /// What one measurement gives.
    type Reading: Sample;
    /// What the bus says when it fails.
    type BusFailure: embedded_hal::i2c::Error;
    /// What the trap uses it for, in the words of the wiring table.
    const DEVICE: &'static str;
    /// The name printed on the part.
    const NAME: &'static str;
    /// After how many equal readings it is stuck: where its noise is larger
    /// than its steps soon, where its steps are coarse late.
    const SAME_READINGS_MAX: u32;
    /// The longest that the driver waits in one measurement, transfers aside.
    const WAIT_MS_MAX: u32;

    /// Where it sits on the bus.
    fn address(&self) -> u8;

    /// Measures once.
    ///
    /// # Errors
    /// [`BusError`] when the sensor does not answer, or not with a reading.
    fn measure(&mut self) -> Result<Self::Reading, BusError<Self::BusFailure>>;
}

/// What one measurement gives, in a form in which two can be compared.
pub trait Sample {
    /// The exact numbers, or `None` where equal numbers are honest: a night is
    /// always dark.
    fn trace(&self) -> Option<[u64; 3]>;
}

/// What a climate sensor measures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Climate {
    /// Air temperature.
    pub temperature: Celsius,
    /// Relative humidity.
    pub humidity: RelativeHumidity,
    /// Air pressure, from the sensors that have it.
    pub pressure: Option<Hectopascals>,
}

impl Sample for Climate {
    fn trace(&self) -> Option<[u64; 3]> {
        let pressure = self.pressure.map_or(0.0, Hectopascals::hectopascals);
        let numbers = [
            self.temperature.celsius(),
            self.humidity.percent(),
            pressure,
        ];
        Some(numbers.map(f64::to_bits))
    }
}

/// Below this many lux a light sensor may well say the same for hours.
const LIGHT_THAT_MOVES_LUX: f64 = 100.0;

impl Sample for Lux {
    fn trace(&self) -> Option<[u64; 3]> {
        (self.lux() >= LIGHT_THAT_MOVES_LUX).then(|| [self.lux().to_bits(), 0, 0])
    }
}

/// What a battery sensor measures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Supply {
    /// Battery voltage.
    pub voltage: Volts,
    /// Current out of the battery, from the sensors that have it.
    pub current: Option<Amperes>,
}

impl Sample for Supply {
    fn trace(&self) -> Option<[u64; 3]> {
        let current = self.current.map_or(0.0, Amperes::amperes);
        Some([self.voltage.volts().to_bits(), current.to_bits(), 0])
    }
}

/// What can go wrong between a driver and its sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BusError<E> {
    /// The bus did not carry the transaction: no answer, or no bus.
    Bus(E),
    /// The answer arrived damaged.
    Checksum,
    /// The answer is outside what the sensor can measure.
    Range,
    /// There is more than the sensor can measure.
    TooMuch,
    /// It was still measuring after the longest time that the datasheet gives.
    NotReady,
    /// Another part answers at the address, or something between garbles it.
    Stranger {
        /// What its id register, or the register that was read back, says.
        says: u16,
    },
}

impl<E: embedded_hal::i2c::Error> BusError<E> {
    /// Whether the whole bus is the matter, so that asking others is in vain.
    pub fn is_of_the_whole_bus(&self) -> bool {
        matches!(self, Self::Bus(e) if matches!(e.kind(), ErrorKind::Bus | ErrorKind::ArbitrationLoss))
    }

    /// What can be done about it.
    fn kind(&self) -> FaultKind {
        match self {
            Self::Bus(e) if matches!(e.kind(), ErrorKind::NoAcknowledge(_)) => FaultKind::Absent,
            Self::Bus(_) | Self::Checksum | Self::Range | Self::TooMuch | Self::NotReady => {
                FaultKind::Transient
            }
            Self::Stranger { .. } => FaultKind::Broken,
        }
    }

    /// What went wrong, and the remedy, in words for the person at the trap.
    fn words(&self) -> String {
        match self {
            Self::Bus(e) if matches!(e.kind(), ErrorKind::NoAcknowledge(_)) => {
                "does not answer; check its plug and its four wires".to_owned()
            }
            Self::Bus(_) if self.is_of_the_whole_bus() => {
                "cannot be reached, the bus hangs; unplug its parts one after another until the others answer"
                    .to_owned()
            }
            Self::Bus(e) => format!("cannot be reached: {e:?}"),
            Self::Checksum => "answers, but damaged; shorten its cable, or keep it away from motors and pumps".to_owned(),
            Self::Range => "says what cannot be true; let it dry, then replace it".to_owned(),
            Self::TooMuch => "sees more than it can measure; shade it".to_owned(),
            Self::NotReady => "does not finish its measurement; unplug it and plug it in again".to_owned(),
            Self::Stranger { says } => {
                format!("is not what answers there (it says {says:#06x}); check which part is fitted")
            }
        }
    }

    /// The failure in the words of the trap: which part, and where it sits.
    pub fn at(self, device: &'static str, part: &str, address: u8) -> DeviceError {
        let message = format!("{part} at I²C address {address:#04x} {}", self.words());
        DeviceError::new(device, self.kind(), message)
    }
}

/// A climate inside what `part_celsius` says the part can measure.
fn climate<E>(
    celsius: f64,
    percent: f64,
    part_celsius: std::ops::RangeInclusive<f64>,
) -> Result<Climate, BusError<E>> {
    let temperature = Celsius::new(celsius).filter(|_| part_celsius.contains(&celsius));
    match (temperature, RelativeHumidity::new(percent)) {
        (Some(temperature), Some(humidity)) => Ok(Climate {
            temperature,
            humidity,
            pressure: None,
        }),
        _ => Err(BusError::Range),
    }
}
