//! Temperature and humidity: Sensirion SHT30, SHT31, SHT35.
//!
//! Source: Sensirion, *Datasheet SHT3x-DIS*, version 7, sections 4.3 (single
//! shot), 4.12 (checksum), 4.13 (conversion) and table 4 (measurement time).

use crate::drivers::BusError;
use crate::units::{Celsius, RelativeHumidity};
use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::I2c;

/// Address with pin ADDR at ground.
pub const ADDRESS: u8 = 0x44;
/// One measurement, high repeatability, the bus left free meanwhile.
const MEASURE: [u8; 2] = [0x24, 0x00];
/// The longest measurement takes 15.5 ms.
const MEASURE_WAIT_MS: u32 = 16;

/// The sensor at its address.
#[derive(Debug)]
pub struct Sht3x<B, D> {
    bus: B,
    delay: D,
    address: u8,
}

impl<B: I2c, D: DelayNs> Sht3x<B, D> {
    /// The sensor at `address`; nothing is said to it yet.
    pub fn new(bus: B, delay: D, address: u8) -> Self {
        Self {
            bus,
            delay,
            address,
        }
    }

    /// Measures once, in about 16 ms.
    ///
    /// # Errors
    /// [`BusError`] when the sensor does not answer, or not with a reading.
    pub fn measure(&mut self) -> Result<(Celsius, RelativeHumidity), BusError<B::Error>> {
        self.bus
            .write(self.address, &MEASURE)
            .map_err(BusError::Bus)?;
        self.delay.delay_ms(MEASURE_WAIT_MS);
        let mut answer = [0; 6];
        self.bus
            .read(self.address, &mut answer)
            .map_err(BusError::Bus)?;
        let [t_high, t_low, t_sum, h_high, h_low, h_sum] = answer;
        let temperature = word([t_high, t_low], t_sum)?;
        let humidity = word([h_high, h_low], h_sum)?;
        let celsius = -45.0 + 175.0 * f64::from(temperature) / 65_535.0;
        let percent = 100.0 * f64::from(humidity) / 65_535.0;
        match (Celsius::new(celsius), RelativeHumidity::new(percent)) {
            (Some(temperature), Some(humidity)) => Ok((temperature, humidity)),
            _ => Err(BusError::Range),
        }
    }
}

fn word<E>(bytes: [u8; 2], sum: u8) -> Result<u16, BusError<E>> {
    if checksum(bytes) == sum {
        Ok(u16::from_be_bytes(bytes))
    } else {
        Err(BusError::Checksum)
    }
}

/// CRC-8, polynomial 0x31, start 0xff: section 4.12.
fn checksum(bytes: [u8; 2]) -> u8 {
    bytes.iter().fold(0xff_u8, |sum, byte| {
        (0..8).fold(sum ^ byte, |sum, _| {
            let carry = if sum & 0x80 == 0 { 0 } else { 0x31 };
            (sum << 1) ^ carry
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_hal::i2c::{ErrorKind, NoAcknowledgeSource};
    use embedded_hal_mock::eh1::delay::NoopDelay;
    use embedded_hal_mock::eh1::i2c::{Mock, Transaction};

    type Reading = Result<(Celsius, RelativeHumidity), BusError<ErrorKind>>;

    fn measure(transcript: &[Transaction]) -> Reading {
        let mut bus = Mock::new(transcript);
        let reading = Sht3x::new(bus.clone(), NoopDelay::new(), ADDRESS).measure();
        bus.done();
        reading
    }

    fn answer(bytes: [u8; 6]) -> [Transaction; 2] {
        [
            Transaction::write(ADDRESS, MEASURE.to_vec()),
            Transaction::read(ADDRESS, bytes.to_vec()),
        ]
    }

    #[test]
    fn the_checksum_is_that_of_the_datasheet() {
        assert_eq!(checksum([0xbe, 0xef]), 0x92, "the example of section 4.12");
    }

    #[test]
    fn a_reading_is_converted() {
        let middle = [0x80, 0x00, 0xa2, 0x80, 0x00, 0xa2];
        let (temperature, humidity) = measure(&answer(middle)).unwrap();
        assert!(
            (temperature.celsius() - 42.5).abs() < 0.01,
            "{temperature:?}"
        );
        assert!((humidity.percent() - 50.0).abs() < 0.01, "{humidity:?}");
    }

    #[test]
    fn a_damaged_answer_is_no_reading() {
        let damaged = [0x80, 0x00, 0xa3, 0x80, 0x00, 0xa2];
        assert_eq!(measure(&answer(damaged)), Err(BusError::Checksum));
        let zeros = [0; 6];
        assert_eq!(
            measure(&answer(zeros)),
            Err(BusError::Checksum),
            "a bus that turns silence into zeros"
        );
    }

    #[test]
    fn what_no_air_can_be_is_no_reading() {
        let hottest = [0xff, 0xff, 0xac, 0x80, 0x00, 0xa2];
        assert_eq!(measure(&answer(hottest)), Err(BusError::Range), "130 °C");
    }

    #[test]
    fn every_transaction_may_fail() {
        let silent = ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address);
        let first = [Transaction::write(ADDRESS, MEASURE.to_vec()).with_error(silent)];
        assert_eq!(measure(&first), Err(BusError::Bus(silent)));
        let [write, read] = answer([0; 6]);
        assert_eq!(
            measure(&[write, read.with_error(silent)]),
            Err(BusError::Bus(silent))
        );
    }
}
