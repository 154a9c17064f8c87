//! Temperature and humidity: Sensirion SHT31 at 0x44 (*Datasheet SHT3x-DIS*, version 7).

use crate::chip::{Chip, Nak, fill, steps, word};
use crate::world::World;
use std::time::{Duration, Instant};

/// Single shot without clock stretching: high, medium, low repeatability, and how long each takes (table 4, typical).
const MEASURE: [(u16, u64); 3] = [(0x2400, 13), (0x240b, 5), (0x2416, 3)];
const STATUS: u16 = 0xf32d;
const SOFT_RESET: u16 = 0x30a2;

#[derive(Default)]
pub(crate) struct Sht31 {
    /// What the next read is answered with, and when that is ready.
    answer: Option<(Vec<u8>, Option<Instant>)>,
}

impl Chip for Sht31 {
    fn name(&self) -> &'static str {
        "sht31"
    }

    fn address(&self) -> u16 {
        0x44
    }

    fn write(&mut self, bytes: &[u8], world: &World, now: Instant) -> Result<(), Nak> {
        let &[high, low, ..] = bytes else {
            return Ok(());
        };
        let command = u16::from_be_bytes([high, low]);
        let takes_ms = MEASURE.iter().find(|(code, _)| *code == command);
        if let Some((_, takes_ms)) = takes_ms {
            let ready = now + Duration::from_millis(*takes_ms);
            self.answer = Some((measured(world), Some(ready)));
        } else if command == STATUS {
            self.answer = Some((checked([0, 0]).to_vec(), None));
        } else if command == SOFT_RESET {
            self.answer = None;
        }
        Ok(())
    }

    fn read(&mut self, answer: &mut [u8], _world: &World, now: Instant) -> Result<(), Nak> {
        let (bytes, ready) = self.answer.take().ok_or(Nak)?;
        // While it measures it does not acknowledge being read.
        if ready.is_some_and(|ready| now < ready) {
            self.answer = Some((bytes, ready));
            return Err(Nak);
        }
        fill(answer, &bytes);
        Ok(())
    }

    fn power_on(&mut self) {
        self.answer = None;
    }
}

fn measured(world: &World) -> Vec<u8> {
    let heat = steps((world.air_now_c() + 45.0) / 175.0 * 65_535.0, 16);
    let damp = steps(world.humidity_now_pct() / 100.0 * 65_535.0, 16);
    [checked(word(heat)), checked(word(damp))].concat()
}

/// Two bytes and their checksum (section 4.12).
fn checked([high, low]: [u8; 2]) -> [u8; 3] {
    let mut sum = 0xff_u8;
    for byte in [high, low] {
        sum ^= byte;
        for _ in 0..8 {
            let carries = sum & 0x80 != 0;
            sum <<= 1;
            if carries {
                sum ^= 0x31;
            }
        }
    }
    [high, low, sum]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_of_the_datasheets_example() {
        assert_eq!(checked([0xbe, 0xef]), [0xbe, 0xef, 0x92]);
    }

    #[test]
    fn it_does_not_answer_before_it_has_measured() {
        let (mut chip, world, start) = (Sht31::default(), World::default(), Instant::now());
        let mut answer = [0; 6];
        assert_eq!(chip.read(&mut answer, &world, start), Err(Nak));
        chip.write(&[0x24, 0x00], &world, start).unwrap();
        assert_eq!(chip.read(&mut answer, &world, start), Err(Nak));
        let later = start + Duration::from_millis(16);
        chip.read(&mut answer, &world, later).unwrap();
        let celsius =
            -45.0 + 175.0 * f64::from(u16::from_be_bytes([answer[0], answer[1]])) / 65_535.0;
        assert!((celsius - world.air_c).abs() < 0.05, "{celsius}");
        assert_eq!(chip.read(&mut answer, &world, later), Err(Nak), "told once");
    }
}
