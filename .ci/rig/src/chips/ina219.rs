//! Battery: Texas Instruments INA219 at 0x40, behind a shunt of 0.1 Ω (SBOS448G).

use crate::chip::{Chip, Nak, fill, steps, word};
use crate::world::World;
use std::time::Instant;

const SETTINGS_AFTER_POWER_ON: u16 = 0x399f;
const RESET: u16 = 0x8000;
const SHUNT_OHMS: f64 = 0.1;
/// In the bus voltage: the measurement is finished.
const READY: u32 = 0x0002;

pub(crate) struct Ina219 {
    pointer: u8,
    settings: u16,
    calibration: u16,
}

impl Default for Ina219 {
    fn default() -> Self {
        Self {
            pointer: 0,
            settings: SETTINGS_AFTER_POWER_ON,
            calibration: 0,
        }
    }
}

impl Chip for Ina219 {
    fn name(&self) -> &'static str {
        "ina219"
    }

    fn address(&self) -> u16 {
        0x40
    }

    fn write(&mut self, bytes: &[u8], _world: &World, _now: Instant) -> Result<(), Nak> {
        let Some((pointer, value)) = bytes.split_first() else {
            return Ok(());
        };
        self.pointer = *pointer;
        let &[high, low, ..] = value else {
            return Ok(());
        };
        let value = u16::from_be_bytes([high, low]);
        match pointer {
            0x00 if value & RESET != 0 => *self = Self::default(),
            0x00 => self.settings = value,
            0x05 => self.calibration = value & 0xfffe,
            _ => {}
        }
        Ok(())
    }

    fn read(&mut self, answer: &mut [u8], world: &World, _now: Instant) -> Result<(), Nak> {
        let bytes = match self.pointer {
            0x00 => self.settings.to_be_bytes(),
            0x01 => shunt(world.battery_a),
            0x02 => word((steps(world.battery_v / 0.004, 13) << 3) | READY),
            0x05 => self.calibration.to_be_bytes(),
            _ => [0, 0],
        };
        fill(answer, &bytes);
        Ok(())
    }

    fn power_on(&mut self) {
        *self = Self::default();
    }
}

/// The voltage over the shunt in steps of 10 µV, negative while the battery is charged.
fn shunt(amperes: f64) -> [u8; 2] {
    let size = steps(amperes.abs() * SHUNT_OHMS / 0.000_01, 15);
    let negative = amperes < 0.0;
    word(if negative { size.wrapping_neg() } else { size })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charging_is_negative() {
        assert_eq!(shunt(3.2), 32_000_i16.to_be_bytes());
        assert_eq!(shunt(-3.2), (-32_000_i16).to_be_bytes());
    }
}
