//! Battery: Texas Instruments ADS1115 behind a voltage divider.
//!
//! Source: Texas Instruments, *ADS111x Ultra-Small, Low-Power, I²C-Compatible,
//! 860-SPS, 16-Bit ADCs*, SBAS444E: config register (table 8), step sizes
//! (table 3), and input voltage against output code (table 4).
//!
//! It has no id register: reading back the settings proves that it is there.

use super::{BusError, Part, Supply, register};
use crate::units::{DividerRatio, Volts};
use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::I2c;

/// Address with pin ADDR at ground; 0x49 to 0x4b with it elsewhere.
pub const ADDRESS: u8 = 0x48;
const CONVERSION: u8 = 0x00;
pub(crate) const SETTINGS: u8 = 0x01;
/// One measurement against ground, ±4.096 V, 128 samples a second, no comparator.
const MEASURE_ONCE: u16 = 0xc383;
/// In the settings: start when written, finished when read.
const START_OR_READY: u16 = 0x8000;
/// The input is the lower two of these three bits, against ground.
const INPUT_SHIFT: u32 = 12;
/// One of 128 samples a second takes 7.8 ms, a tenth more at most.
const MEASURE_WAIT_MS: u32 = 9;
const PATIENCE_MS: u32 = 2;
/// How often it is asked.
const ASKED_MAX: u32 = 4;
const VOLTS_PER_STEP: f64 = 0.000_125;
/// At this code the input is at the end of the range, or beyond.
const FULL_SCALE: i16 = i16::MAX;
/// An input at ground may read a little below.
const NOISE_STEPS: i16 = -40;

/// One of the four inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// AIN0.
    A0,
    /// AIN1.
    A1,
    /// AIN2.
    A2,
    /// AIN3.
    A3,
}

/// The converter at its address.
#[derive(Debug)]
pub struct Ads1115<B, D> {
    bus: B,
    delay: D,
    address: u8,
    wiring: Wiring,
}

/// How the battery reaches the converter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wiring {
    /// The input that it is wired to.
    pub input: Input,
    /// Battery volts for each volt at the input.
    pub divider: DividerRatio,
}

impl<B: I2c, D: DelayNs> Ads1115<B, D> {
    /// The converter at `address`; nothing is said to it yet.
    pub fn new(bus: B, delay: D, address: u8, wiring: Wiring) -> Self {
        Self {
            bus,
            delay,
            address,
            wiring,
        }
    }

    /// Waits until the settings, as they come back, say that it is finished.
    fn wait_for_result(&mut self, settings: u16) -> Result<(), BusError<B::Error>> {
        self.delay.delay_ms(MEASURE_WAIT_MS);
        for _ in 0..ASKED_MAX {
            let now = register::word(&mut self.bus, self.address, SETTINGS)?;
            register::expect(now | START_OR_READY, settings | START_OR_READY)?;
            if now & START_OR_READY != 0 {
                return Ok(());
            }
            self.delay.delay_ms(PATIENCE_MS);
        }
        Err(BusError::NotReady)
    }
}

impl Input {
    const fn settings(self) -> u16 {
        let input: u16 = match self {
            Self::A0 => 0,
            Self::A1 => 1,
            Self::A2 => 2,
            Self::A3 => 3,
        };
        MEASURE_ONCE | (input << INPUT_SHIFT)
    }
}

/// Volts at the input.
fn volts<E>(code: i16) -> Result<f64, BusError<E>> {
    match code {
        FULL_SCALE => Err(BusError::TooMuch),
        code if code < NOISE_STEPS => Err(BusError::Range),
        code => Ok(f64::from(code.max(0)) * VOLTS_PER_STEP),
    }
}

impl<B: I2c, D: DelayNs> Part for Ads1115<B, D> {
    type Reading = Supply;
    type BusFailure = B::Error;
    const DEVICE: &'static str = "battery";
    const NAME: &'static str = "ADS1115";
    const SAME_READINGS_MAX: u32 = 500;
    const WAIT_MS_MAX: u32 = MEASURE_WAIT_MS + ASKED_MAX * PATIENCE_MS;

    fn address(&self) -> u8 {
        self.address
    }

    fn measure(&mut self) -> Result<Supply, BusError<B::Error>> {
        let settings = self.wiring.input.settings();
        register::set_word(&mut self.bus, self.address, SETTINGS, settings)?;
        self.wait_for_result(settings)?;
        let code = register::word(&mut self.bus, self.address, CONVERSION)?;
        let volts = volts(code.cast_signed())? * self.wiring.divider.ratio();
        let voltage = Volts::new(volts).ok_or(BusError::Range)?;
        Ok(Supply {
            voltage,
            current: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::transcript::{
        TestBus, close, measure, reading_whatever_fails, silence_is_no_reading,
    };
    use super::*;
    use embedded_hal_mock::eh1::i2c::Transaction;

    fn sensor(bus: TestBus, delay: TestBus) -> Ads1115<TestBus, TestBus> {
        let wiring = Wiring {
            input: Input::A2,
            divider: DividerRatio::new(11.0).unwrap(),
        };
        Ads1115::new(bus, delay, ADDRESS, wiring)
    }

    fn word(register: u8, word: u16) -> Transaction {
        Transaction::write_read(ADDRESS, vec![register], word.to_be_bytes().to_vec())
    }

    fn answer(code: u16) -> Vec<Transaction> {
        vec![
            Transaction::write(ADDRESS, vec![SETTINGS, 0xe3, 0x83]),
            word(SETTINGS, 0x6383),
            word(SETTINGS, 0xe383),
            word(CONVERSION, code),
        ]
    }

    #[test]
    fn codes_are_those_of_table_4() {
        type Code = Result<f64, BusError<()>>;
        let zero: Code = volts(0x0000);
        close(zero.unwrap(), 0.0, 0.0);
        let smallest: Code = volts(0x0001);
        close(smallest.unwrap(), 4.096 / 32_768.0, 1e-12);
        let largest: Code = volts(0x7ffe);
        close(largest.unwrap(), 4.096 * 32_766.0 / 32_768.0, 1e-9);
        let full: Code = volts(0x7fff);
        assert_eq!(full, Err(BusError::TooMuch));
        let just_below: Code = volts(-1);
        close(just_below.unwrap(), 0.0, 0.0);
        let lowest: Code = volts(i16::MIN);
        assert_eq!(lowest, Err(BusError::Range), "wired the wrong way round");
    }

    #[test]
    fn a_battery_is_read_and_every_transaction_may_fail() {
        // 1.150 V behind a divider of 11.
        let supply = reading_whatever_fails(&answer(9_200), sensor);
        close(supply.voltage.volts(), 12.65, 1e-9);
        assert_eq!(supply.current, None);
    }

    #[test]
    fn settings_that_come_back_changed_are_no_reading() {
        // 0x8583 is what it says after power-on: it lost its supply meanwhile.
        let mut transcript = answer(9_200)[..1].to_vec();
        transcript.push(word(SETTINGS, 0x8583));
        let stranger = BusError::Stranger { says: 0x8583 };
        assert_eq!(measure(&transcript, sensor), Err(stranger));
        silence_is_no_reading(sensor);
    }

    #[test]
    fn one_that_never_finishes_is_given_up() {
        let mut never = answer(0)[..1].to_vec();
        never.extend(vec![word(SETTINGS, 0x6383); 4]);
        assert_eq!(measure(&never, sensor), Err(BusError::NotReady));
    }
}
