//! Temperature, humidity and air pressure: Bosch BME280 at 0x76 (BST-BME280-DS002, revision 1.23).
//!
//! Its calibration is one that no factory would give, but that can be turned round by hand: everything that bends is
//! zero, so a quantity is a straight line of its raw number.

use crate::chip::{Chip, Nak, fill, steps};
use crate::world::World;
use std::time::Instant;

const T1: u16 = 27_504;
const T2: i16 = 26_435;
const P1: u16 = 36_477;
const H2: i16 = 362;
const H4: i16 = 324;
const ID: u8 = 0xd0;
const CONTROL: u8 = 0xf4;
const NUMBERS: u8 = 0xf7;
const AFTER_RESET: [u8; 8] = [0x80, 0, 0, 0x80, 0, 0, 0x80, 0];

pub(crate) struct Bme280 {
    registers: [u8; 256],
    pointer: u8,
}

impl Default for Bme280 {
    fn default() -> Self {
        let mut chip = Self {
            registers: [0; 256],
            pointer: 0,
        };
        chip.set(ID, &[0x60]);
        chip.set(0x88, &T1.to_le_bytes());
        chip.set(0x8a, &T2.to_le_bytes());
        chip.set(0x8e, &P1.to_le_bytes());
        chip.set(0xe1, &H2.to_le_bytes());
        let [high, low] = (H4 << 4).to_be_bytes();
        chip.set(0xe4, &[high, low >> 4]);
        chip.set(NUMBERS, &AFTER_RESET);
        chip
    }
}

impl Bme280 {
    fn set(&mut self, register: u8, bytes: &[u8]) {
        let places = self.registers.iter_mut().skip(register.into());
        for (place, byte) in places.zip(bytes) {
            *place = *byte;
        }
    }

    fn measure(&mut self, world: &World) {
        let heat = world.air_now_c() * 5_120.0;
        let heat = (heat / f64::from(T2) + f64::from(T1) / 1_024.0) * 16_384.0;
        let press = 1_048_576.0 - world.pressure_hpa * 100.0 * f64::from(P1) / 6_250.0;
        let damp = world.humidity_now_pct() * 65_536.0 / f64::from(H2) + f64::from(H4) * 64.0;
        let twenty_bits = |value| {
            let [_, high, low, rest] = (steps(value, 20) << 4).to_be_bytes();
            [high, low, rest]
        };
        self.set(NUMBERS, &twenty_bits(press));
        self.set(NUMBERS + 3, &twenty_bits(heat));
        self.set(NUMBERS + 6, &crate::chip::word(steps(damp, 16)));
    }
}

impl Chip for Bme280 {
    fn name(&self) -> &'static str {
        "bme280"
    }

    fn address(&self) -> u16 {
        0x76
    }

    /// A register alone to be read from, or registers and values in turns.
    fn write(&mut self, bytes: &[u8], world: &World, _now: Instant) -> Result<(), Nak> {
        if let [pointer] = bytes {
            self.pointer = *pointer;
        }
        for pair in bytes.chunks_exact(2) {
            let &[register, value] = pair else { continue };
            self.set(register, &[value]);
            // Forced mode measures once and sleeps again.
            if register == CONTROL && value & 0b11 != 0 {
                self.measure(world);
                self.set(CONTROL, &[value & !0b11]);
            }
        }
        Ok(())
    }

    fn read(&mut self, answer: &mut [u8], _world: &World, _now: Instant) -> Result<(), Nak> {
        let from = self.registers.get(usize::from(self.pointer)..);
        fill(answer, from.unwrap_or_default());
        Ok(())
    }

    fn power_on(&mut self) {
        *self = Self::default();
    }
}
