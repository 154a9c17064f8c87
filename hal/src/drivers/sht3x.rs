//! Temperature and humidity: Sensirion SHT30, SHT31, SHT35.
//!
//! Source: Sensirion, *Datasheet SHT3x-DIS*, version 7, sections 4.3 (single
//! shot), 4.12 (checksum), 4.13 (conversion) and table 4 (measurement time).

use super::checksum::two_words;
use super::{BusError, Climate, Part, climate};
use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::I2c;
use std::ops::RangeInclusive;

/// Address with pin ADDR at ground; 0x45 with it at the supply.
pub const ADDRESS: u8 = 0x44;
/// One measurement, high repeatability, the bus left free meanwhile.
const MEASURE: [u8; 2] = [0x24, 0x00];
/// The longest measurement takes 15.5 ms.
const MEASURE_WAIT_MS: u32 = 16;
/// What the part can measure.
const CELSIUS: RangeInclusive<f64> = -40.0..=125.0;

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
}

impl<B: I2c, D: DelayNs> Part for Sht3x<B, D> {
    type Reading = Climate;
    type BusFailure = B::Error;
    const DEVICE: &'static str = "climate";
    const NAME: &'static str = "SHT3x";
    const SAME_READINGS_MAX: u32 = 30;
    const WAIT_MS_MAX: u32 = MEASURE_WAIT_MS;

    fn address(&self) -> u8 {
        self.address
    }

    fn measure(&mut self) -> Result<Climate, BusError<B::Error>> {
        self.bus
            .write(self.address, &MEASURE)
            .map_err(BusError::Bus)?;
        self.delay.delay_ms(MEASURE_WAIT_MS);
        let mut answer = [0; 6];
        self.bus
            .read(self.address, &mut answer)
            .map_err(BusError::Bus)?;
        let (temperature, humidity) = two_words(answer)?;
        let celsius = -45.0 + 175.0 * f64::from(temperature) / 65_535.0;
        let percent = 100.0 * f64::from(humidity) / 65_535.0;
        climate(celsius, percent, CELSIUS)
    }
}

#[cfg(test)]
mod tests {
    use super::super::transcript::{
        TestBus, close, measure, reading_whatever_fails, silence_is_no_reading,
    };
    use super::*;
    use embedded_hal_mock::eh1::i2c::Transaction;

    fn sensor(bus: TestBus, delay: TestBus) -> Sht3x<TestBus, TestBus> {
        Sht3x::new(bus, delay, ADDRESS)
    }

    fn answer(bytes: [u8; 6]) -> [Transaction; 2] {
        [
            Transaction::write(ADDRESS, MEASURE.to_vec()),
            Transaction::read(ADDRESS, bytes.to_vec()),
        ]
    }

    #[test]
    fn a_reading_is_converted_and_every_transaction_may_fail() {
        // The word 0xbeef with its checksum 0x92 is that of section 4.12.
        let bytes = [0x80, 0x00, 0xa2, 0xbe, 0xef, 0x92];
        let reading = reading_whatever_fails(&answer(bytes), sensor);
        close(reading.temperature.celsius(), 42.501, 0.001);
        close(reading.humidity.percent(), 74.585, 0.001);
    }

    #[test]
    fn a_damaged_answer_is_no_reading() {
        for place in 0..6 {
            let mut bytes = [0x80, 0x00, 0xa2, 0x80, 0x00, 0xa2];
            bytes[place] ^= 0x01;
            let reading = measure(&answer(bytes), sensor);
            assert_eq!(reading, Err(BusError::Checksum), "byte {place}");
        }
        silence_is_no_reading(sensor);
    }

    #[test]
    fn what_no_air_can_be_is_no_reading() {
        let hottest = [0xff, 0xff, 0xac, 0x80, 0x00, 0xa2];
        let reading = measure(&answer(hottest), sensor);
        assert_eq!(reading, Err(BusError::Range), "130 °C");
        let coldest = [0x00, 0x00, 0x81, 0x00, 0x00, 0x81];
        let reading = measure(&answer(coldest), sensor);
        assert_eq!(reading, Err(BusError::Range), "zeros with a good checksum");
    }
}
