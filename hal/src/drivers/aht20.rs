//! Temperature and humidity: ASAIR AHT20, and its siblings AHT21 and AHT25.
//!
//! Source: ASAIR, *Data Sheet AHT20*, version 1.1: sections 5.3 (commands and
//! status bits), 5.4 (reading, checksum) and 6 (conversion). It has no worked
//! example; the test converts the answer of a real sensor.

use super::checksum::crc8;
use super::{BusError, Climate, Part, climate};
use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::I2c;
use std::ops::RangeInclusive;

/// The only address.
pub const ADDRESS: u8 = 0x38;
/// In the status: a measurement is going on.
const BUSY: u8 = 0x80;
/// In the status: the calibration is loaded.
const CALIBRATED: u8 = 0x08;
/// Loads the calibration.
const LOAD_CALIBRATION: [u8; 3] = [0xbe, 0x08, 0x00];
/// Loading takes 10 ms.
const LOAD_WAIT_MS: u32 = 10;
/// Starts a measurement.
const MEASURE: [u8; 3] = [0xac, 0x33, 0x00];
/// A measurement takes 80 ms.
const MEASURE_WAIT_MS: u32 = 80;
/// One that takes longer is asked again after this many milliseconds.
const PATIENCE_MS: u32 = 20;
/// How often it is asked.
const ASKED_MAX: u32 = 3;
/// What the part can measure.
const CELSIUS: RangeInclusive<f64> = -40.0..=85.0;
/// Both numbers have 20 bits.
const FULL_SCALE: f64 = 1_048_576.0;

/// The sensor at its address.
#[derive(Debug)]
pub struct Aht20<B, D> {
    bus: B,
    delay: D,
    address: u8,
}

impl<B: I2c, D: DelayNs> Aht20<B, D> {
    /// The sensor at `address`; nothing is said to it yet.
    pub fn new(bus: B, delay: D, address: u8) -> Self {
        Self {
            bus,
            delay,
            address,
        }
    }

    /// A sensor that was just plugged in has not loaded its calibration yet.
    fn calibrate(&mut self) -> Result<(), BusError<B::Error>> {
        if self.status()? & CALIBRATED != 0 {
            return Ok(());
        }
        self.bus
            .write(self.address, &LOAD_CALIBRATION)
            .map_err(BusError::Bus)?;
        self.delay.delay_ms(LOAD_WAIT_MS);
        if self.status()? & CALIBRATED == 0 {
            return Err(BusError::NotReady);
        }
        Ok(())
    }

    /// The first byte of whatever is read; the 0x71 by which the datasheet asks
    /// for it is the address with the read bit.
    fn status(&mut self) -> Result<u8, BusError<B::Error>> {
        let mut status = [0];
        self.bus
            .read(self.address, &mut status)
            .map_err(BusError::Bus)?;
        let [status] = status;
        Ok(status)
    }

    /// The status, five bytes of numbers and their checksum, once it has them.
    fn answer(&mut self) -> Result<[u8; 7], BusError<B::Error>> {
        for _ in 0..ASKED_MAX {
            let mut answer = [0; 7];
            self.bus
                .read(self.address, &mut answer)
                .map_err(BusError::Bus)?;
            let [status, ..] = answer;
            if status & BUSY == 0 {
                return Ok(answer);
            }
            self.delay.delay_ms(PATIENCE_MS);
        }
        Err(BusError::NotReady)
    }
}

impl<B: I2c, D: DelayNs> Part for Aht20<B, D> {
    type Reading = Climate;
    type BusFailure = B::Error;
    const DEVICE: &'static str = "climate";
    const NAME: &'static str = "AHT20";
    const SAME_READINGS_MAX: u32 = 30;
    const WAIT_MS_MAX: u32 = LOAD_WAIT_MS + MEASURE_WAIT_MS + ASKED_MAX * PATIENCE_MS;

    fn address(&self) -> u8 {
        self.address
    }

    fn measure(&mut self) -> Result<Climate, BusError<B::Error>> {
        self.calibrate()?;
        self.bus
            .write(self.address, &MEASURE)
            .map_err(BusError::Bus)?;
        self.delay.delay_ms(MEASURE_WAIT_MS);
        let [status, a, b, c, d, e, sum] = self.answer()?;
        if crc8(&[status, a, b, c, d, e]) != sum {
            return Err(BusError::Checksum);
        }
        let humidity = u32::from_be_bytes([0, a, b, c]) >> 4;
        let temperature = u32::from_be_bytes([0, c & 0x0f, d, e]);
        let celsius = 200.0 * f64::from(temperature) / FULL_SCALE - 50.0;
        let percent = 100.0 * f64::from(humidity) / FULL_SCALE;
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

    const REAL: [u8; 7] = [0x1c, 0x3b, 0x5e, 0x86, 0x88, 0xb2, 0xd2];

    fn sensor(bus: TestBus, delay: TestBus) -> Aht20<TestBus, TestBus> {
        Aht20::new(bus, delay, ADDRESS)
    }

    fn status(byte: u8) -> Transaction {
        Transaction::read(ADDRESS, vec![byte])
    }

    fn answer(bytes: [u8; 7]) -> [Transaction; 3] {
        [
            status(0x18),
            Transaction::write(ADDRESS, MEASURE.to_vec()),
            Transaction::read(ADDRESS, bytes.to_vec()),
        ]
    }

    #[test]
    fn the_answer_of_a_real_sensor_and_every_transaction_may_fail() {
        let reading = reading_whatever_fails(&answer(REAL), sensor);
        close(reading.temperature.celsius(), 31.674_576, 1e-6);
        close(reading.humidity.percent(), 23.191_071, 1e-6);
    }

    #[test]
    fn a_sensor_just_plugged_in_loads_its_calibration() {
        let mut transcript = vec![
            status(0x10),
            Transaction::write(ADDRESS, LOAD_CALIBRATION.to_vec()),
        ];
        transcript.extend(answer(REAL));
        let reading = reading_whatever_fails(&transcript, sensor);
        close(reading.temperature.celsius(), 31.674_576, 1e-6);
    }

    #[test]
    fn one_that_never_finishes_is_given_up() {
        let busy = Transaction::read(ADDRESS, vec![0x9c, 0, 0, 0, 0, 0, 0]);
        let mut transcript = answer(REAL)[..2].to_vec();
        transcript.extend(vec![busy; 3]);
        assert_eq!(measure(&transcript, sensor), Err(BusError::NotReady));
    }

    #[test]
    fn a_damaged_answer_is_no_reading() {
        for place in 0..7 {
            let mut bytes = REAL;
            bytes[place] ^= 0x01;
            let reading = measure(&answer(bytes), sensor);
            assert_eq!(reading, Err(BusError::Checksum), "byte {place}");
        }
        silence_is_no_reading(sensor);
    }

    #[test]
    fn what_no_air_can_be_is_no_reading() {
        let mut coldest = [0x1c, 0, 0, 0, 0, 0, 0];
        coldest[6] = crc8(&coldest[..6]);
        let reading = measure(&answer(coldest), sensor);
        assert_eq!(reading, Err(BusError::Range), "-50 °C");
    }
}
