//! Light: Vishay VEML7700.
//!
//! Source: Vishay, *VEML7700*, document 84286, revision 1.8 (registers), and
//! *Designing the VEML7700 Into an Application*, document 84323 (resolution of
//! each gain, the correction for bright light). Neither has a worked example;
//! the tests check the ends of the resolution table and the correction.
//!
//! Its id register is missing in early lots, so that it is there at all is
//! proved by reading back the settings.

use super::{BusError, Part, register};
use crate::units::Lux;
use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::I2c;

/// The only address.
pub const ADDRESS: u8 = 0x10;
const SETTINGS: u8 = 0x00;
const LIGHT: u8 = 0x04;
/// In the settings: asleep. All else but the gain stays as after power-on, 100 ms among it.
const ASLEEP: u16 = 0x0001;
/// It wakes in 2.5 ms and measures for 100 ms, give or take a tenth.
const MEASURE_WAIT_MS: u32 = 130;

/// How much the sensor amplifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gain {
    /// An eighth: for day.
    Eighth,
    /// Twice: for dusk and night.
    Twice,
}

impl Gain {
    const fn settings(self) -> u16 {
        match self {
            Self::Eighth => 0x1000,
            Self::Twice => 0x0800,
        }
    }

    /// At 100 ms.
    const fn lux_per_count(self) -> f64 {
        match self {
            Self::Eighth => 0.5376,
            Self::Twice => 0.0336,
        }
    }
}

/// With fewer counts than this by day's gain, night's gain is finer and not yet full.
const DUSK_COUNTS: u16 = 100;

/// The sensor at its address.
#[derive(Debug)]
pub struct Veml7700<B, D> {
    bus: B,
    delay: D,
    address: u8,
}

impl<B: I2c, D: DelayNs> Veml7700<B, D> {
    /// The sensor at `address`; nothing is said to it yet.
    pub fn new(bus: B, delay: D, address: u8) -> Self {
        Self {
            bus,
            delay,
            address,
        }
    }

    /// Wakes it, so that a fresh measurement begins, and puts it to sleep after that.
    fn counts(&mut self, gain: Gain) -> Result<u16, BusError<B::Error>> {
        self.set(gain.settings() | ASLEEP)?;
        self.set(gain.settings())?;
        self.delay.delay_ms(MEASURE_WAIT_MS);
        register::expect(self.word(SETTINGS)?, gain.settings())?;
        let counts = self.word(LIGHT)?;
        self.set(gain.settings() | ASLEEP)?;
        Ok(counts)
    }

    /// Its words come low byte first.
    fn word(&mut self, register: u8) -> Result<u16, BusError<B::Error>> {
        Ok(register::word(&mut self.bus, self.address, register)?.swap_bytes())
    }

    fn set(&mut self, settings: u16) -> Result<(), BusError<B::Error>> {
        register::set_word(&mut self.bus, self.address, SETTINGS, settings.swap_bytes())
    }
}

/// The response bends in bright light; the application note's polynomial
/// straightens it. Below 100 lx it changes less than the sensor can tell.
fn straightened(lux: f64) -> f64 {
    const FACTORS: [f64; 4] = [6.0135e-13, -9.3924e-9, 8.1488e-5, 1.0023];
    FACTORS.iter().fold(0.0, |sum, factor| sum * lux + factor) * lux
}

impl<B: I2c, D: DelayNs> Part for Veml7700<B, D> {
    type Reading = Lux;
    type BusFailure = B::Error;
    const DEVICE: &'static str = "light";
    const NAME: &'static str = "VEML7700";
    const SAME_READINGS_MAX: u32 = 500;
    const WAIT_MS_MAX: u32 = 2 * MEASURE_WAIT_MS;

    fn address(&self) -> u8 {
        self.address
    }

    fn measure(&mut self) -> Result<Lux, BusError<B::Error>> {
        let counts = self.counts(Gain::Eighth)?;
        if counts < DUSK_COUNTS {
            let counts = self.counts(Gain::Twice)?;
            let lux = f64::from(counts) * Gain::Twice.lux_per_count();
            return Lux::new(lux).ok_or(BusError::Range);
        }
        let lux = straightened(f64::from(counts) * Gain::Eighth.lux_per_count());
        Lux::new(lux).ok_or(BusError::TooMuch)
    }
}

#[cfg(test)]
mod tests {
    use super::super::transcript::{
        TestBus, close, measure, reading_whatever_fails, silence_is_no_reading,
    };
    use super::*;
    use embedded_hal_mock::eh1::i2c::Transaction;

    fn sensor(bus: TestBus, delay: TestBus) -> Veml7700<TestBus, TestBus> {
        Veml7700::new(bus, delay, ADDRESS)
    }

    fn answer(gain: Gain, counts: u16) -> [Transaction; 5] {
        let [low, high] = gain.settings().to_le_bytes();
        let set = |low: u8| Transaction::write(ADDRESS, vec![SETTINGS, low, high]);
        [
            set(low | 1),
            set(low),
            Transaction::write_read(ADDRESS, vec![SETTINGS], vec![low, high]),
            Transaction::write_read(ADDRESS, vec![LIGHT], counts.to_le_bytes().to_vec()),
            set(low | 1),
        ]
    }

    #[test]
    fn a_day_is_read_and_every_transaction_may_fail() {
        let light = reading_whatever_fails(&answer(Gain::Eighth, 1_860), sensor);
        // 1860 counts are 999.9 lx, straightened as the application note says.
        close(light.lux(), 1_074.8, 0.2);
    }

    #[test]
    fn dusk_is_read_again_with_more_gain() {
        let mut transcript = answer(Gain::Eighth, 99).to_vec();
        transcript.extend(answer(Gain::Twice, 1_500));
        let light = reading_whatever_fails(&transcript, sensor);
        close(light.lux(), 50.4, 1e-6);
    }

    #[test]
    fn the_correction_reaches_full_sun_and_stops_there() {
        close(straightened(100.0), 101.0, 0.1);
        close(straightened(10_000.0), 14_793.0, 1.0);
        let sun = measure(&answer(Gain::Eighth, 40_000), sensor).unwrap();
        close(sun.lux(), 94_000.0, 1_500.0);
        let beyond = measure(&answer(Gain::Eighth, u16::MAX), sensor);
        assert_eq!(beyond, Err(BusError::TooMuch));
    }

    #[test]
    fn settings_that_come_back_changed_are_no_reading() {
        let mut transcript = answer(Gain::Eighth, 1_860)[..3].to_vec();
        transcript[2] = Transaction::write_read(ADDRESS, vec![SETTINGS], vec![0x01, 0x00]);
        let stranger = BusError::Stranger { says: 0x0001 };
        assert_eq!(measure(&transcript, sensor), Err(stranger));
        silence_is_no_reading(sensor);
    }
}
