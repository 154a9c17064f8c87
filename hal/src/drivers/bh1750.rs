//! Light: Rohm BH1750FVI.
//!
//! Source: Rohm, *Digital 16bit Serial Output Type Ambient Light Sensor IC
//! BH1750FVI*, technical note 11046EDT01: instruction set, measurement mode
//! explanation, the measurement time register, and the conversion to lux on
//! page 11.
//!
//! It has neither an id nor a checksum, so 0 lx cannot be told from a bus that
//! turns silence into zeros; on Linux `pi::i2c` refuses such transfers.

use super::{BusError, Part};
use crate::units::Lux;
use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::I2c;

/// Address with pin ADDR at ground; 0x5c with it at the supply.
pub const ADDRESS: u8 = 0x23;
/// One measurement at 1 lx resolution; the sensor sleeps again after it.
const MEASURE_ONCE: u8 = 0x20;
/// The longest measurement takes 180 ms at the usual sensitivity.
const MEASURE_WAIT_MS: u32 = 180;
/// The measurement time register is set in two parts, each with a prefix.
const TIME_HIGH_BITS: u8 = 0b0100_0000;
const TIME_LOW_BITS: u8 = 0b0110_0000;
/// The register after power-on: the usual sensitivity.
const TIME_USUAL: u8 = 69;
/// The shortest time, for full sun.
const TIME_SHORTEST: u8 = 31;
/// Counts per lux at the usual sensitivity.
const COUNTS_PER_LUX: f64 = 1.2;

/// The sensor at its address.
#[derive(Debug)]
pub struct Bh1750<B, D> {
    bus: B,
    delay: D,
    address: u8,
}

impl<B: I2c, D: DelayNs> Bh1750<B, D> {
    /// The sensor at `address`; nothing is said to it yet.
    pub fn new(bus: B, delay: D, address: u8) -> Self {
        Self {
            bus,
            delay,
            address,
        }
    }

    /// Measures with the measurement time register at `time`.
    fn counts(&mut self, time: u8) -> Result<u16, BusError<B::Error>> {
        for command in [
            TIME_HIGH_BITS | (time >> 5),
            TIME_LOW_BITS | (time & 0b1_1111),
            MEASURE_ONCE,
        ] {
            self.bus
                .write(self.address, &[command])
                .map_err(BusError::Bus)?;
        }
        self.delay.delay_ms(wait_ms(time));
        let mut answer = [0; 2];
        self.bus
            .read(self.address, &mut answer)
            .map_err(BusError::Bus)?;
        Ok(u16::from_be_bytes(answer))
    }
}

/// How long a measurement takes at most.
const fn wait_ms(time: u8) -> u32 {
    (MEASURE_WAIT_MS * time as u32).div_ceil(TIME_USUAL as u32)
}

impl<B: I2c, D: DelayNs> Part for Bh1750<B, D> {
    type Reading = Lux;
    type BusFailure = B::Error;
    const DEVICE: &'static str = "light";
    const NAME: &'static str = "BH1750";
    const SAME_READINGS_MAX: u32 = 500;
    const WAIT_MS_MAX: u32 = wait_ms(TIME_USUAL) + wait_ms(TIME_SHORTEST);

    fn address(&self) -> u8 {
        self.address
    }

    fn measure(&mut self) -> Result<Lux, BusError<B::Error>> {
        let mut time = TIME_USUAL;
        let mut counts = self.counts(time)?;
        if counts == u16::MAX {
            time = TIME_SHORTEST;
            counts = self.counts(time)?;
        }
        if counts == u16::MAX {
            return Err(BusError::TooMuch);
        }
        let sensitivity = f64::from(time) / f64::from(TIME_USUAL);
        Lux::new(f64::from(counts) / COUNTS_PER_LUX / sensitivity).ok_or(BusError::Range)
    }
}

#[cfg(test)]
mod tests {
    use super::super::transcript::{TestBus, close, measure, reading_whatever_fails};
    use super::*;
    use embedded_hal_mock::eh1::i2c::Transaction;

    fn sensor(bus: TestBus, delay: TestBus) -> Bh1750<TestBus, TestBus> {
        Bh1750::new(bus, delay, ADDRESS)
    }

    fn answer(time_bits: [u8; 2], bytes: [u8; 2]) -> [Transaction; 4] {
        let [high, low] = time_bits;
        [
            Transaction::write(ADDRESS, vec![high]),
            Transaction::write(ADDRESS, vec![low]),
            Transaction::write(ADDRESS, vec![MEASURE_ONCE]),
            Transaction::read(ADDRESS, bytes.to_vec()),
        ]
    }

    /// 69 and 31 as the datasheet splits them: 01000_MT[7,6,5] and 011_MT[4..0].
    const USUAL: [u8; 2] = [0b0100_0010, 0b0110_0101];
    const SHORTEST: [u8; 2] = [0b0100_0000, 0b0111_1111];

    #[test]
    fn the_example_of_the_technical_note() {
        let transcript = answer(USUAL, [0b1000_0011, 0b1001_0000]);
        let light = reading_whatever_fails(&transcript, sensor);
        close(light.lux(), 28_067.0, 0.5);
    }

    #[test]
    fn full_sun_is_measured_again_with_less_sensitivity() {
        let mut transcript = answer(USUAL, [0xff, 0xff]).to_vec();
        transcript.extend(answer(SHORTEST, [0xd2, 0xf0]));
        let light = reading_whatever_fails(&transcript, sensor);
        close(light.lux(), 100_161.3, 0.1);
    }

    #[test]
    fn ones_alone_are_no_reading_and_zeros_are_the_dark() {
        let mut transcript = answer(USUAL, [0xff, 0xff]).to_vec();
        transcript.extend(answer(SHORTEST, [0xff, 0xff]));
        assert_eq!(measure(&transcript, sensor), Err(BusError::TooMuch));
        let dark = measure(&answer(USUAL, [0, 0]), sensor);
        close(dark.unwrap().lux(), 0.0, 0.0);
    }
}
