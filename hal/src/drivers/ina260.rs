//! Battery: Texas Instruments INA260, voltage and, through the shunt inside
//! it, current.
//!
//! Source: Texas Instruments, *INA260 Precision Digital Current and Power
//! Monitor With Low-Drift, Precision Integrated Shunt*, SBOS656C: section
//! 8.5.1 (calculating returned values) and 8.6 (registers).

use super::{BusError, Part, Supply, register};
use crate::units::{Amperes, Volts};
use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::I2c;

/// Address with both pins at ground; up to 0x4f with them elsewhere.
pub const ADDRESS: u8 = 0x40;
const SETTINGS: u8 = 0x00;
const CURRENT: u8 = 0x01;
const BUS_VOLTAGE: u8 = 0x02;
const FLAGS: u8 = 0x06;
pub(crate) const MANUFACTURER_ID: u8 = 0xfe;
/// "TI" in ASCII.
pub(crate) const TEXAS_INSTRUMENTS: u16 = 0x5449;
pub(crate) const DIE_ID: u8 = 0xff;
/// In the upper twelve bits; the lower four are the revision.
pub(crate) const INA260: u16 = 0x2270;
pub(crate) const REVISION: u16 = 0x000f;
/// Four samples of 1.1 ms of each averaged, one measurement of both.
const MEASURE_ONCE: u16 = 0x6323;
/// In the flags: the measurement is finished.
const READY: u16 = 0x0008;
/// Twice four samples take 8.8 ms, 9.7 ms at most.
const MEASURE_WAIT_MS: u32 = 10;
const PATIENCE_MS: u32 = 2;
/// How often it is asked.
const ASKED_MAX: u32 = 4;
const VOLTS_PER_STEP: f64 = 0.001_25;
const AMPERES_PER_STEP: f64 = 0.001_25;

/// The sensor at its address.
#[derive(Debug)]
pub struct Ina260<B, D> {
    bus: B,
    delay: D,
    address: u8,
}

impl<B: I2c, D: DelayNs> Ina260<B, D> {
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
            if self.word(FLAGS)? & READY != 0 {
                return Ok(());
            }
            self.delay.delay_ms(PATIENCE_MS);
        }
        Err(BusError::NotReady)
    }
}

impl<B: I2c, D: DelayNs> Part for Ina260<B, D> {
    type Reading = Supply;
    type BusFailure = B::Error;
    const DEVICE: &'static str = "battery";
    const NAME: &'static str = "INA260";
    const SAME_READINGS_MAX: u32 = 500;
    const WAIT_MS_MAX: u32 = MEASURE_WAIT_MS + ASKED_MAX * PATIENCE_MS;

    fn address(&self) -> u8 {
        self.address
    }

    fn measure(&mut self) -> Result<Supply, BusError<B::Error>> {
        register::expect(self.word(MANUFACTURER_ID)?, TEXAS_INSTRUMENTS)?;
        register::expect(self.word(DIE_ID)? & !REVISION, INA260)?;
        register::set_word(&mut self.bus, self.address, SETTINGS, MEASURE_ONCE)?;
        self.wait_for_result()?;
        let current = f64::from(self.word(CURRENT)?.cast_signed()) * AMPERES_PER_STEP;
        let voltage = f64::from(self.word(BUS_VOLTAGE)?) * VOLTS_PER_STEP;
        match (Volts::new(voltage), Amperes::new(current)) {
            (Some(voltage), Some(current)) => Ok(Supply {
                voltage,
                current: Some(current),
            }),
            _ => Err(BusError::Range),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::transcript::{
        TestBus, close, measure, reading_whatever_fails, silence_is_no_reading,
    };
    use super::*;
    use embedded_hal_mock::eh1::i2c::Transaction;

    fn sensor(bus: TestBus, delay: TestBus) -> Ina260<TestBus, TestBus> {
        Ina260::new(bus, delay, ADDRESS)
    }

    fn word(register: u8, word: u16) -> Transaction {
        Transaction::write_read(ADDRESS, vec![register], word.to_be_bytes().to_vec())
    }

    fn answer(current: u16, bus_voltage: u16) -> Vec<Transaction> {
        vec![
            word(MANUFACTURER_ID, 0x5449),
            word(DIE_ID, 0x2270),
            Transaction::write(ADDRESS, vec![SETTINGS, 0x63, 0x23]),
            word(FLAGS, 0x0008),
            word(CURRENT, current),
            word(BUS_VOLTAGE, bus_voltage),
        ]
    }

    #[test]
    fn steps_are_those_of_section_8_5_1_and_every_transaction_may_fail() {
        // 8000 steps of 1.25 mA, 9584 steps of 1.25 mV.
        let supply = reading_whatever_fails(&answer(0x1f40, 0x2570), sensor);
        close(supply.current.unwrap().amperes(), 10.0, 1e-9);
        close(supply.voltage.volts(), 11.98, 1e-9);
    }

    #[test]
    fn a_battery_being_charged_has_a_negative_current() {
        let supply = measure(&answer(0xe0c0, 0x2570), sensor).unwrap();
        close(supply.current.unwrap().amperes(), -10.0, 1e-9);
    }

    #[test]
    fn another_part_at_its_address_is_told_apart() {
        let ina226 = [word(MANUFACTURER_ID, 0x5449), word(DIE_ID, 0x2260)];
        let stranger = BusError::Stranger { says: 0x2260 };
        assert_eq!(measure(&ina226, sensor), Err(stranger));
        silence_is_no_reading(sensor);
    }

    #[test]
    fn what_no_battery_can_be_is_no_reading() {
        let reading = measure(&answer(0x0000, 0xffff), sensor);
        assert_eq!(reading, Err(BusError::Range), "82 V");
    }

    #[test]
    fn one_that_never_finishes_is_given_up() {
        let mut never = answer(0, 0)[..3].to_vec();
        never.extend(vec![word(FLAGS, 0x0000); 4]);
        assert_eq!(measure(&never, sensor), Err(BusError::NotReady));
    }
}
