//! Battery: Texas Instruments INA219, voltage and, through its shunt, current.
//!
//! Source: Texas Instruments, *INA219 Zero-Drift, Bidirectional Current/Power
//! Monitor With I²C Interface*, SBOS448G: configuration register (figure 19,
//! tables 4 to 6), bus and shunt voltage registers, and the worked example of
//! table 8 (10 A through 2 mΩ at 12 V).
//!
//! The current is computed from the shunt voltage here, so the calibration
//! register, which a power cut empties, is not needed. It has no id register:
//! reading back the settings proves that it is there.

use super::{BusError, Part, Supply, register};
use crate::units::{Amperes, ShuntOhms, Volts};
use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::I2c;

/// Address with both pins at ground; up to 0x4f with them elsewhere.
pub const ADDRESS: u8 = 0x40;
pub(crate) const SETTINGS: u8 = 0x00;
const SHUNT_VOLTAGE: u8 = 0x01;
const BUS_VOLTAGE: u8 = 0x02;
/// 32 V, ±320 mV, eight samples of each averaged, one measurement of both.
const MEASURE_ONCE: u16 = 0x3ddb;
/// The mode, which the part may change itself when it has measured.
const MODE: u16 = 0x0007;
/// In the bus voltage: the measurement is finished.
const READY: u16 = 0x0002;
/// Twice eight samples take 8.5 ms, 9.4 ms at most.
const MEASURE_WAIT_MS: u32 = 10;
const PATIENCE_MS: u32 = 2;
/// How often it is asked.
const ASKED_MAX: u32 = 4;
const VOLTS_PER_STEP: f64 = 0.004;
const SHUNT_VOLTS_PER_STEP: f64 = 0.000_01;

/// The sensor at its address.
#[derive(Debug)]
pub struct Ina219<B, D> {
    bus: B,
    delay: D,
    address: u8,
    shunt: ShuntOhms,
}

impl<B: I2c, D: DelayNs> Ina219<B, D> {
    /// The sensor at `address`, measuring current through `shunt`, which is
    /// 0.1 Ω on the usual boards; nothing is said to it yet.
    pub fn new(bus: B, delay: D, address: u8, shunt: ShuntOhms) -> Self {
        Self {
            bus,
            delay,
            address,
            shunt,
        }
    }

    fn word(&mut self, register: u8) -> Result<u16, BusError<B::Error>> {
        register::word(&mut self.bus, self.address, register)
    }

    fn bus_voltage(&mut self) -> Result<u16, BusError<B::Error>> {
        self.delay.delay_ms(MEASURE_WAIT_MS);
        for _ in 0..ASKED_MAX {
            let word = self.word(BUS_VOLTAGE)?;
            if word & READY != 0 {
                return Ok(word);
            }
            self.delay.delay_ms(PATIENCE_MS);
        }
        Err(BusError::NotReady)
    }
}

/// The voltage in the upper thirteen bits of its register.
fn volts(bus_voltage: u16) -> f64 {
    f64::from(bus_voltage >> 3) * VOLTS_PER_STEP
}

fn amperes(shunt_voltage: u16, shunt: ShuntOhms) -> f64 {
    f64::from(shunt_voltage.cast_signed()) * SHUNT_VOLTS_PER_STEP / shunt.ohms()
}

impl<B: I2c, D: DelayNs> Part for Ina219<B, D> {
    type Reading = Supply;
    type BusFailure = B::Error;
    const DEVICE: &'static str = "battery";
    const NAME: &'static str = "INA219";
    const SAME_READINGS_MAX: u32 = 500;
    const WAIT_MS_MAX: u32 = MEASURE_WAIT_MS + ASKED_MAX * PATIENCE_MS;

    fn address(&self) -> u8 {
        self.address
    }

    fn measure(&mut self) -> Result<Supply, BusError<B::Error>> {
        register::set_word(&mut self.bus, self.address, SETTINGS, MEASURE_ONCE)?;
        let bus_voltage = self.bus_voltage()?;
        let shunt_voltage = self.word(SHUNT_VOLTAGE)?;
        let settings = self.word(SETTINGS)?;
        register::expect(settings | MODE, MEASURE_ONCE | MODE)?;
        let voltage = Volts::new(volts(bus_voltage));
        let current = Amperes::new(amperes(shunt_voltage, self.shunt));
        match (voltage, current) {
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

    fn sensor(bus: TestBus, delay: TestBus) -> Ina219<TestBus, TestBus> {
        Ina219::new(bus, delay, ADDRESS, ShuntOhms::new(0.002).unwrap())
    }

    fn word(register: u8, word: u16) -> Transaction {
        Transaction::write_read(ADDRESS, vec![register], word.to_be_bytes().to_vec())
    }

    fn answer(bus_voltage: u16, shunt_voltage: u16, settings: u16) -> [Transaction; 4] {
        [
            Transaction::write(ADDRESS, vec![SETTINGS, 0x3d, 0xdb]),
            word(BUS_VOLTAGE, bus_voltage),
            word(SHUNT_VOLTAGE, shunt_voltage),
            word(SETTINGS, settings),
        ]
    }

    #[test]
    fn the_example_of_table_8_and_every_transaction_may_fail() {
        let transcript = answer(0x5d9a, 0x07d0, 0x3ddb);
        let supply = reading_whatever_fails(&transcript, sensor);
        close(supply.voltage.volts(), 11.98, 1e-9);
        close(supply.current.unwrap().amperes(), 10.0, 1e-9);
        close(volts(0x5d98), 11.98, 1e-9);
    }

    #[test]
    fn a_battery_being_charged_has_a_negative_current() {
        // 0x8300 is −320 mV, the end of the widest range.
        let ohm = ShuntOhms::new(0.1).unwrap();
        close(amperes(0x8300, ohm), -3.2, 1e-9);
    }

    #[test]
    fn settings_that_come_back_changed_are_no_reading() {
        // 0x399f is what it says after power-on: it lost its supply meanwhile.
        let reading = measure(&answer(0x5d9a, 0x07d0, 0x399f), sensor);
        assert_eq!(reading, Err(BusError::Stranger { says: 0x399f }));
        silence_is_no_reading(sensor);
    }

    #[test]
    fn one_that_never_finishes_is_given_up() {
        let mut never = answer(0, 0, 0)[..1].to_vec();
        never.extend(vec![word(BUS_VOLTAGE, 0x5d98); 4]);
        assert_eq!(measure(&never, sensor), Err(BusError::NotReady));
    }
}
