//! Light: ams TSL2591.
//!
//! Source: ams, *TSL2591 Datasheet*, v2-04: register descriptions, gains and
//! counts at full scale. The datasheet leaves the lux equation to the user; the
//! one here is the one in common use, with 408 as the device's lux coefficient,
//! so its lux are good to about a fifth behind clear glass.

use super::{BusError, Part, register};
use crate::units::Lux;
use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::I2c;

/// The only address.
pub const ADDRESS: u8 = 0x29;
/// In front of every register: a command, of the normal kind.
const COMMAND: u8 = 0xa0;
const ENABLE: u8 = COMMAND;
const CONTROL: u8 = COMMAND | 0x01;
pub(crate) const ID: u8 = COMMAND | 0x12;
pub(crate) const TSL2591: u8 = 0x50;
const STATUS: u8 = COMMAND | 0x13;
const CHANNELS: u8 = COMMAND | 0x14;
/// Powered, and measuring light.
const ON: u8 = 0x03;
const OFF: u8 = 0x00;
/// In the status: a whole measurement was made since it was switched on.
const VALID: u8 = 0x01;
/// A measurement of 100 ms takes 108 ms at most.
const MEASURE_WAIT_MS: u32 = 110;
/// One that takes longer is asked again after this many milliseconds.
const PATIENCE_MS: u32 = 10;
/// How often it is asked.
const ASKED_MAX: u32 = 4;
/// The largest count in 100 ms.
const COUNTS_MAX: u16 = 36_863;
/// With fewer counts than this at medium gain, high gain is finer and not yet full.
const DUSK_COUNTS: u16 = 500;
const LUX_COEFFICIENT: f64 = 408.0;
const MEASURE_MS: f64 = 100.0;

/// How much the sensor amplifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gain {
    Low,
    Medium,
    High,
}

impl Gain {
    /// With 100 ms.
    const fn control(self) -> u8 {
        match self {
            Self::Low => 0x00,
            Self::Medium => 0x10,
            Self::High => 0x20,
        }
    }

    const fn factor(self) -> f64 {
        match self {
            Self::Low => 1.0,
            Self::Medium => 25.0,
            Self::High => 428.0,
        }
    }
}

/// What the two photodiodes counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counts {
    visible_and_infrared: u16,
    infrared: u16,
}

/// The sensor at its address.
#[derive(Debug)]
pub struct Tsl2591<B, D> {
    bus: B,
    delay: D,
    address: u8,
}

impl<B: I2c, D: DelayNs> Tsl2591<B, D> {
    /// The sensor at `address`; nothing is said to it yet.
    pub fn new(bus: B, delay: D, address: u8) -> Self {
        Self {
            bus,
            delay,
            address,
        }
    }

    fn counts(&mut self, gain: Gain) -> Result<Counts, BusError<B::Error>> {
        self.set(ENABLE, OFF)?;
        self.set(CONTROL, gain.control())?;
        self.set(ENABLE, ON)?;
        self.wait_for_result()?;
        let [a, b, c, d] = register::bytes(&mut self.bus, self.address, CHANNELS)?;
        self.set(ENABLE, OFF)?;
        Ok(Counts {
            visible_and_infrared: u16::from_le_bytes([a, b]),
            infrared: u16::from_le_bytes([c, d]),
        })
    }

    fn wait_for_result(&mut self) -> Result<(), BusError<B::Error>> {
        self.delay.delay_ms(MEASURE_WAIT_MS);
        for _ in 0..ASKED_MAX {
            if register::byte(&mut self.bus, self.address, STATUS)? & VALID != 0 {
                return Ok(());
            }
            self.delay.delay_ms(PATIENCE_MS);
        }
        Err(BusError::NotReady)
    }

    fn set(&mut self, register: u8, byte: u8) -> Result<(), BusError<B::Error>> {
        self.bus
            .write(self.address, &[register, byte])
            .map_err(BusError::Bus)
    }
}

impl Counts {
    fn is_full(self) -> bool {
        self.visible_and_infrared >= COUNTS_MAX || self.infrared >= COUNTS_MAX
    }

    /// `None` where infrared alone is more than infrared and light together.
    fn lux(self, gain: Gain) -> Option<Lux> {
        let all = f64::from(self.visible_and_infrared);
        let infrared = f64::from(self.infrared);
        if self.visible_and_infrared == 0 && self.infrared == 0 {
            return Lux::new(0.0);
        }
        if infrared > all {
            return None;
        }
        let counts_per_lux = MEASURE_MS * gain.factor() / LUX_COEFFICIENT;
        Lux::new((all - infrared) * (1.0 - infrared / all) / counts_per_lux)
    }
}

impl<B: I2c, D: DelayNs> Part for Tsl2591<B, D> {
    type Reading = Lux;
    type BusFailure = B::Error;
    const DEVICE: &'static str = "light";
    const NAME: &'static str = "TSL2591";
    const SAME_READINGS_MAX: u32 = 500;
    const WAIT_MS_MAX: u32 = 2 * (MEASURE_WAIT_MS + ASKED_MAX * PATIENCE_MS);

    fn address(&self) -> u8 {
        self.address
    }

    fn measure(&mut self) -> Result<Lux, BusError<B::Error>> {
        let id = register::byte(&mut self.bus, self.address, ID)?;
        register::expect(id.into(), TSL2591.into())?;
        let mut gain = Gain::Medium;
        let mut counts = self.counts(gain)?;
        let better = match counts {
            full if full.is_full() => Some(Gain::Low),
            dim if dim.visible_and_infrared < DUSK_COUNTS => Some(Gain::High),
            _ => None,
        };
        if let Some(better) = better {
            gain = better;
            counts = self.counts(gain)?;
        }
        if counts.is_full() {
            return Err(BusError::TooMuch);
        }
        counts.lux(gain).ok_or(BusError::Range)
    }
}

#[cfg(test)]
mod tests {
    use super::super::transcript::{
        TestBus, close, measure, reading_whatever_fails, silence_is_no_reading,
    };
    use super::*;
    use embedded_hal_mock::eh1::i2c::Transaction;

    fn sensor(bus: TestBus, delay: TestBus) -> Tsl2591<TestBus, TestBus> {
        Tsl2591::new(bus, delay, ADDRESS)
    }

    fn id(says: u8) -> Transaction {
        Transaction::write_read(ADDRESS, vec![0xb2], vec![says])
    }

    fn answer(control: u8, all: u16, infrared: u16) -> Vec<Transaction> {
        let mut bytes = all.to_le_bytes().to_vec();
        bytes.extend(infrared.to_le_bytes());
        vec![
            Transaction::write(ADDRESS, vec![0xa0, 0x00]),
            Transaction::write(ADDRESS, vec![0xa1, control]),
            Transaction::write(ADDRESS, vec![0xa0, 0x03]),
            Transaction::write_read(ADDRESS, vec![0xb3], vec![0x01]),
            Transaction::write_read(ADDRESS, vec![0xb4], bytes),
            Transaction::write(ADDRESS, vec![0xa0, 0x00]),
        ]
    }

    fn transcript(answers: &[(u8, u16, u16)]) -> Vec<Transaction> {
        let mut transcript = vec![id(0x50)];
        for &(control, all, infrared) in answers {
            transcript.extend(answer(control, all, infrared));
        }
        transcript
    }

    #[test]
    fn a_cloudy_day_is_read_and_every_transaction_may_fail() {
        let light = reading_whatever_fails(&transcript(&[(0x10, 10_000, 2_500)]), sensor);
        // 7500 counts, three quarters of them counted, at 6.127 counts per lux.
        close(light.lux(), 918.0, 0.1);
    }

    #[test]
    fn sun_is_read_with_less_gain_and_night_with_more() {
        let sun = transcript(&[(0x10, 36_863, 20_000), (0x00, 30_000, 9_000)]);
        close(reading_whatever_fails(&sun, sensor).lux(), 59_976.0, 1.0);
        let night = transcript(&[(0x10, 20, 4), (0x20, 342, 68)]);
        close(reading_whatever_fails(&night, sensor).lux(), 2.093, 0.001);
        let dark = transcript(&[(0x10, 0, 0), (0x20, 0, 0)]);
        close(measure(&dark, sensor).unwrap().lux(), 0.0, 0.0);
    }

    #[test]
    fn what_cannot_be_is_no_reading() {
        let blinding = transcript(&[(0x10, 36_863, 9), (0x00, 36_863, 9)]);
        assert_eq!(measure(&blinding, sensor), Err(BusError::TooMuch));
        let impossible = transcript(&[(0x10, 1_000, 1_001)]);
        assert_eq!(measure(&impossible, sensor), Err(BusError::Range));
        let stranger = measure(&[id(0x0a)], sensor);
        assert_eq!(stranger, Err(BusError::Stranger { says: 0x0a }));
        silence_is_no_reading(sensor);
    }

    #[test]
    fn one_that_never_finishes_is_given_up() {
        let mut never = transcript(&[(0x10, 0, 0)])[..4].to_vec();
        let asked = Transaction::write_read(ADDRESS, vec![0xb3], vec![0x00]);
        never.truncate(4);
        never.extend(vec![asked; 4]);
        assert_eq!(measure(&never, sensor), Err(BusError::NotReady));
    }
}
