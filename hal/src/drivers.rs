//! Sensors on a bus, written generic over the bus: `embedded-hal` and nothing
//! else. Every wait is inside the driver, every checksum is checked, and a
//! number is only given out in its unit.

pub mod bh1750;
pub mod sht3x;

use crate::error::{DeviceError, FaultKind};

/// What can go wrong between a driver and its sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BusError<E> {
    /// The bus did not carry the transaction: no answer, or no bus.
    #[error("the bus says {0:?}")]
    Bus(E),
    /// The answer arrived damaged.
    #[error("the checksum of the answer does not fit")]
    Checksum,
    /// The answer is outside what the sensor can measure.
    #[error("the answer is outside what the sensor can measure")]
    Range,
}

impl<E: std::fmt::Debug> BusError<E> {
    /// The failure in the words of the trap: which part, and where it sits.
    pub fn at(self, device: &'static str, part: &str, address: u8) -> DeviceError {
        let kind = match self {
            Self::Bus(_) => FaultKind::Absent,
            Self::Checksum | Self::Range => FaultKind::Transient,
        };
        DeviceError::new(
            device,
            kind,
            format!("{part} at I²C address {address:#04x}: {self}"),
        )
    }
}
