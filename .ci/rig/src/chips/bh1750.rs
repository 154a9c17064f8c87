//! Light: Rohm BH1750FVI at 0x23 (technical note 11046EDT01).

use crate::chip::{Chip, Nak, fill, steps, word};
use crate::world::World;
use std::time::{Duration, Instant};

const TIME_USUAL: u8 = 69;
/// One measurement in steps of 1 lx, and of half a lux.
const ONCE: u8 = 0x20;
const ONCE_FINE: u8 = 0x21;
/// Measuring without end, in the same steps.
const ON: u8 = 0x10;
const ON_FINE: u8 = 0x11;
/// A measurement at the usual sensitivity, typically.
const TAKES_MS: u64 = 120;

pub(crate) struct Bh1750 {
    time: u8,
    counts: u32,
    fresh: Option<(u32, Instant)>,
}

impl Default for Bh1750 {
    fn default() -> Self {
        Self {
            time: TIME_USUAL,
            counts: 0,
            fresh: None,
        }
    }
}

impl Bh1750 {
    fn measure(&mut self, world: &World, per_lux: f64, now: Instant) {
        let sensitivity = f64::from(self.time) / f64::from(TIME_USUAL);
        let counts = steps(world.light_lux * per_lux * sensitivity, 16);
        let takes_ms = TAKES_MS * u64::from(self.time) / u64::from(TIME_USUAL);
        self.fresh = Some((counts, now + Duration::from_millis(takes_ms)));
    }
}

impl Chip for Bh1750 {
    fn name(&self) -> &'static str {
        "bh1750"
    }

    fn address(&self) -> u16 {
        0x23
    }

    fn write(&mut self, bytes: &[u8], world: &World, now: Instant) -> Result<(), Nak> {
        for &command in bytes {
            match command {
                ONCE | ON => self.measure(world, 1.2, now),
                ONCE_FINE | ON_FINE => self.measure(world, 2.4, now),
                0x40..=0x47 => self.time = (self.time & 0x1f) | (command << 5),
                0x60..=0x7f => self.time = (self.time & 0xe0) | (command & 0x1f),
                _ => {}
            }
        }
        Ok(())
    }

    fn read(&mut self, answer: &mut [u8], _world: &World, now: Instant) -> Result<(), Nak> {
        // Before it is ready it says again what it said before.
        if let Some((counts, ready)) = self.fresh
            && now >= ready
        {
            self.counts = counts;
            self.fresh = None;
        }
        fill(answer, &word(self.counts));
        Ok(())
    }

    fn power_on(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shorter_time_sees_more_light() {
        let (mut chip, start) = (Bh1750::default(), Instant::now());
        let mut world = World::default();
        world.set("light_lux", 100_000.0).unwrap();
        let counts = |chip: &mut Bh1750| {
            chip.write(&[ONCE], &world, start).unwrap();
            let mut answer = [0; 2];
            chip.read(&mut answer, &world, start + Duration::from_secs(1))
                .unwrap();
            u16::from_be_bytes(answer)
        };
        assert_eq!(counts(&mut chip), u16::MAX);
        chip.write(&[0b0100_0000], &world, start).unwrap();
        chip.write(&[0b0111_1111], &world, start).unwrap();
        assert_eq!(counts(&mut chip), 53_913);
    }
}
