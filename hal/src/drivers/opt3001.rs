//! Light: Texas Instruments OPT3001.
//!
//! Source: Texas Instruments, *OPT3001 Digital Ambient Light Sensor*,
//! SBOS681C: equations 1 to 3 and table 9 (decoding the result register),
//! tables 10 and 11 (configuration), manufacturer and device id registers.

use super::{BusError, Part, register};
use crate::units::Lux;
use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::I2c;

/// Address with pin ADDR at ground; 0x45 to 0x47 with it elsewhere.
pub const ADDRESS: u8 = 0x44;
const RESULT: u8 = 0x00;
const CONFIGURATION: u8 = 0x01;
pub(crate) const MANUFACTURER_ID: u8 = 0x7e;
/// "TI" in ASCII.
pub(crate) const TEXAS_INSTRUMENTS: u16 = 0x5449;
pub(crate) const DEVICE_ID: u8 = 0x7f;
pub(crate) const OPT3001: u16 = 0x3001;
/// Range chosen by the part, 100 ms, one measurement, interrupt pin latched as after power-on.
const MEASURE_ONCE: u16 = 0xc210;
/// In the configuration: brighter than the largest range.
const OVERFLOW: u16 = 0x0100;
/// In the configuration: the result is there.
const READY: u16 = 0x0080;
/// A measurement takes 110 ms at most.
const MEASURE_WAIT_MS: u32 = 110;
/// Choosing the range takes 10 ms more for each range tried.
const PATIENCE_MS: u32 = 10;
/// How often it is asked.
const ASKED_MAX: u32 = 13;

/// The sensor at its address.
#[derive(Debug)]
pub struct Opt3001<B, D> {
    bus: B,
    delay: D,
    address: u8,
}

impl<B: I2c, D: DelayNs> Opt3001<B, D> {
    /// The sensor at `address`; nothing is said to it yet.
    pub fn new(bus: B, delay: D, address: u8) -> Self {
        Self {
            bus,
            delay,
            address,
        }
    }

    fn word(&mut self, register: u8) -> Result<u16, BusError<B::Error>> {
        register::word(&mut self.bus, self.address, register)
    }

    fn wait_for_result(&mut self) -> Result<(), BusError<B::Error>> {
        self.delay.delay_ms(MEASURE_WAIT_MS);
        for _ in 0..ASKED_MAX {
            let configuration = self.word(CONFIGURATION)?;
            // Until then the overflow is that of the measurement before.
            if configuration & READY != 0 {
                return match configuration & OVERFLOW {
                    0 => Ok(()),
                    _ => Err(BusError::TooMuch),
                };
            }
            self.delay.delay_ms(PATIENCE_MS);
        }
        Err(BusError::NotReady)
    }
}

/// Table 9: four bits of exponent, twelve of mantissa, in steps of 0.01 lx.
fn lux(result: u16) -> f64 {
    f64::from(result & 0x0fff) * 0.01 * f64::from(1_u16 << (result >> 12))
}

impl<B: I2c, D: DelayNs> Part for Opt3001<B, D> {
    type Reading = Lux;
    type BusFailure = B::Error;
    const DEVICE: &'static str = "light";
    const NAME: &'static str = "OPT3001";
    const SAME_READINGS_MAX: u32 = 500;
    const WAIT_MS_MAX: u32 = MEASURE_WAIT_MS + ASKED_MAX * PATIENCE_MS;

    fn address(&self) -> u8 {
        self.address
    }

    fn measure(&mut self) -> Result<Lux, BusError<B::Error>> {
        register::expect(self.word(MANUFACTURER_ID)?, TEXAS_INSTRUMENTS)?;
        register::expect(self.word(DEVICE_ID)?, OPT3001)?;
        register::set_word(&mut self.bus, self.address, CONFIGURATION, MEASURE_ONCE)?;
        self.wait_for_result()?;
        Lux::new(lux(self.word(RESULT)?)).ok_or(BusError::Range)
    }
}

#[cfg(test)]
mod tests {
    use super::super::transcript::{
        TestBus, close, measure, reading_whatever_fails, silence_is_no_reading,
    };
    use super::*;
    use embedded_hal_mock::eh1::i2c::Transaction;

    fn sensor(bus: TestBus, delay: TestBus) -> Opt3001<TestBus, TestBus> {
        Opt3001::new(bus, delay, ADDRESS)
    }

    fn word(register: u8, word: u16) -> Transaction {
        Transaction::write_read(ADDRESS, vec![register], word.to_be_bytes().to_vec())
    }

    fn begin() -> Vec<Transaction> {
        vec![
            word(MANUFACTURER_ID, 0x5449),
            word(DEVICE_ID, 0x3001),
            Transaction::write(ADDRESS, vec![CONFIGURATION, 0xc2, 0x10]),
        ]
    }

    #[test]
    fn results_are_decoded_as_in_table_9() {
        for (result, expected) in [
            (0x0001, 0.01),
            (0x0fff, 40.95),
            (0x3456, 88.80),
            (0x789a, 2_818.56),
            (0x8800, 5_242.88),
            (0x9400, 5_242.88),
            (0xa200, 5_242.88),
            (0xb100, 5_242.88),
            (0xb001, 20.48),
            (0xbfff, 83_865.60),
        ] {
            close(lux(result), expected, 1e-6);
        }
    }

    #[test]
    fn a_reading_that_takes_its_time_and_every_transaction_may_fail() {
        let mut transcript = begin();
        transcript.extend([
            word(CONFIGURATION, 0xc210),
            word(CONFIGURATION, 0xc090),
            word(RESULT, 0x789a),
        ]);
        let light = reading_whatever_fails(&transcript, sensor);
        close(light.lux(), 2_818.56, 1e-6);
    }

    #[test]
    fn more_than_it_can_measure_is_no_reading() {
        let mut transcript = begin();
        transcript.push(word(CONFIGURATION, 0xc190));
        assert_eq!(measure(&transcript, sensor), Err(BusError::TooMuch));
        transcript[3] = word(CONFIGURATION, 0xc110);
        transcript.extend([word(CONFIGURATION, 0xc090), word(RESULT, 0xb001)]);
        let shaded = measure(&transcript, sensor).unwrap();
        close(shaded.lux(), 20.48, 1e-6);
    }

    #[test]
    fn one_that_never_finishes_is_given_up() {
        let mut transcript = begin();
        transcript.extend(vec![word(CONFIGURATION, 0xc210); 13]);
        assert_eq!(measure(&transcript, sensor), Err(BusError::NotReady));
    }

    #[test]
    fn another_part_at_its_address_is_told_apart() {
        let transcript = [word(MANUFACTURER_ID, 0x5449), word(DEVICE_ID, 0x2270)];
        let stranger = BusError::Stranger { says: 0x2270 };
        assert_eq!(measure(&transcript, sensor), Err(stranger));
        silence_is_no_reading(sensor);
    }
}
