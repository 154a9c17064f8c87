//! Temperature and humidity: Sensirion SHT40, SHT41, SHT45.
//!
//! Source: Sensirion, *Datasheet SHT4x*, version 6: sections 4.4 (checksum),
//! 4.5 (commands), 4.6 (conversion), and the table of measurement times.

use super::checksum::two_words;
use super::{BusError, Climate, Part, climate};
use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::I2c;
use std::ops::RangeInclusive;

/// The address of the usual type, SHT4x-A; B has 0x45, C has 0x46.
pub const ADDRESS: u8 = 0x44;
/// One measurement of temperature and humidity, high precision.
const MEASURE: u8 = 0xfd;
/// The longest measurement takes 8.3 ms.
const MEASURE_WAIT_MS: u32 = 9;
/// What the part can measure.
const CELSIUS: RangeInclusive<f64> = -40.0..=125.0;

/// The sensor at its address.
#[derive(Debug)]
pub struct Sht4x<B, D> {
    bus: B,
    delay: D,
    address: u8,
}

impl<B: I2c, D: DelayNs> Sht4x<B, D> {
    /// The sensor at `address`; nothing is said to it yet.
    pub fn new(bus: B, delay: D, address: u8) -> Self {
        Self {
            bus,
            delay,
            address,
        }
    }
}

impl<B: I2c, D: DelayNs> Part for Sht4x<B, D> {
    type Reading = Climate;
    type BusFailure = B::Error;
    const DEVICE: &'static str = "climate";
    const NAME: &'static str = "SHT4x";
    const SAME_READINGS_MAX: u32 = 30;
    const WAIT_MS_MAX: u32 = MEASURE_WAIT_MS;

    fn address(&self) -> u8 {
        self.address
    }

    fn measure(&mut self) -> Result<Climate, BusError<B::Error>> {
        self.bus
            .write(self.address, &[MEASURE])
            .map_err(BusError::Bus)?;
        self.delay.delay_ms(MEASURE_WAIT_MS);
        let mut answer = [0; 6];
        self.bus
            .read(self.address, &mut answer)
            .map_err(BusError::Bus)?;
        let (temperature, humidity) = two_words(answer)?;
        let celsius = -45.0 + 175.0 * f64::from(temperature) / 65_535.0;
        let percent = -6.0 + 125.0 * f64::from(humidity) / 65_535.0;
        // Section 4.6: values a little outside are meant to be cut to 0 and 100 %.
        climate(celsius, percent.clamp(0.0, 100.0), CELSIUS)
    }
}

#[cfg(test)]
mod tests {
    use super::super::transcript::{
        TestBus, close, measure, reading_whatever_fails, silence_is_no_reading,
    };
    use super::*;
    use embedded_hal_mock::eh1::i2c::Transaction;

    fn sensor(bus: TestBus, delay: TestBus) -> Sht4x<TestBus, TestBus> {
        Sht4x::new(bus, delay, ADDRESS)
    }

    fn answer(bytes: [u8; 6]) -> [Transaction; 2] {
        [
            Transaction::write(ADDRESS, vec![MEASURE]),
            Transaction::read(ADDRESS, bytes.to_vec()),
        ]
    }

    #[test]
    fn a_reading_is_converted_and_every_transaction_may_fail() {
        // The word 0xbeef with its checksum 0x92 is the datasheet's own.
        let beef = [0xbe, 0xef, 0x92, 0xbe, 0xef, 0x92];
        let reading = reading_whatever_fails(&answer(beef), sensor);
        close(reading.temperature.celsius(), 85.523, 0.001);
        close(reading.humidity.percent(), 87.231, 0.001);
    }

    #[test]
    fn the_ends_of_the_scale_are_those_of_section_4_6() {
        let wet = measure(&answer([0x80, 0x00, 0xa2, 0xff, 0xff, 0xac]), sensor);
        close(wet.unwrap().humidity.percent(), 100.0, 0.0);
        let dry = measure(&answer([0x80, 0x00, 0xa2, 0x00, 0x00, 0x81]), sensor);
        close(dry.unwrap().humidity.percent(), 0.0, 0.0);
        let cold = measure(&answer([0x00, 0x00, 0x81, 0x80, 0x00, 0xa2]), sensor);
        assert_eq!(cold, Err(BusError::Range), "-45 °C");
    }

    #[test]
    fn a_damaged_answer_is_no_reading() {
        for place in 0..6 {
            let mut bytes = [0xbe, 0xef, 0x92, 0xbe, 0xef, 0x92];
            bytes[place] ^= 0x10;
            let reading = measure(&answer(bytes), sensor);
            assert_eq!(reading, Err(BusError::Checksum), "byte {place}");
        }
        silence_is_no_reading(sensor);
    }
}
