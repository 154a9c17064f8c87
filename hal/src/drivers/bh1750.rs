//! Light: Rohm BH1750FVI.
//!
//! Source: Rohm, *Digital 16bit Serial Output Type Ambient Light Sensor IC
//! BH1750FVI*, technical note 11046EDT01: instruction set, measurement mode
//! explanation, and the conversion to lux on page 11.

use crate::drivers::BusError;
use crate::units::Lux;
use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::I2c;

/// Address with pin ADDR at ground.
pub const ADDRESS: u8 = 0x23;
/// One measurement at 1 lx resolution; the sensor sleeps again after it.
const MEASURE_ONCE: u8 = 0x20;
/// The longest measurement takes 180 ms.
const MEASURE_WAIT_MS: u32 = 180;
/// Counts per lux at the sensor's usual sensitivity.
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

    /// Measures once, in about 180 ms.
    ///
    /// # Errors
    /// [`BusError`] when the sensor does not answer. It sends no checksum, so a
    /// damaged answer cannot be told from a reading.
    pub fn measure(&mut self) -> Result<Lux, BusError<B::Error>> {
        self.bus
            .write(self.address, &[MEASURE_ONCE])
            .map_err(BusError::Bus)?;
        self.delay.delay_ms(MEASURE_WAIT_MS);
        let mut answer = [0; 2];
        self.bus
            .read(self.address, &mut answer)
            .map_err(BusError::Bus)?;
        let lux = f64::from(u16::from_be_bytes(answer)) / COUNTS_PER_LUX;
        Lux::new(lux).ok_or(BusError::Range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_hal::i2c::{ErrorKind, NoAcknowledgeSource};
    use embedded_hal_mock::eh1::delay::NoopDelay;
    use embedded_hal_mock::eh1::i2c::{Mock, Transaction};

    fn measure(transcript: &[Transaction]) -> Result<Lux, BusError<ErrorKind>> {
        let mut bus = Mock::new(transcript);
        let reading = Bh1750::new(bus.clone(), NoopDelay::new(), ADDRESS).measure();
        bus.done();
        reading
    }

    #[test]
    fn the_example_of_the_technical_note() {
        let transcript = [
            Transaction::write(ADDRESS, vec![MEASURE_ONCE]),
            Transaction::read(ADDRESS, vec![0b1000_0011, 0b1001_0000]),
        ];
        let light = measure(&transcript).unwrap();
        assert!((light.lux() - 28_067.0).abs() < 1.0, "{light:?}");
    }

    #[test]
    fn every_transaction_may_fail() {
        let silent = ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address);
        let first = [Transaction::write(ADDRESS, vec![MEASURE_ONCE]).with_error(silent)];
        assert_eq!(measure(&first), Err(BusError::Bus(silent)));
        let second = [
            Transaction::write(ADDRESS, vec![MEASURE_ONCE]),
            Transaction::read(ADDRESS, vec![0, 0]).with_error(silent),
        ];
        assert_eq!(measure(&second), Err(BusError::Bus(silent)));
    }
}
