//! Clock: Maxim DS3231 at 0x68 (19-5170, revision 10): the time in decimal digits, the first alarm and its flag.

use crate::chip::{Chip, Nak, fill};
use crate::world::{self, World};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::time::Instant;

const SECONDS: usize = 0x00;
const ALARM: usize = 0x07;
const STATUS: usize = 0x0f;
const HEAT: usize = 0x11;
const REGISTERS: usize = 0x13;
/// In the status: the oscillator stopped, so the time is not to be trusted.
const STOPPED: u8 = 0x80;
const ALARM_RANG: u8 = 0x01;

pub(crate) struct Ds3231 {
    registers: [u8; REGISTERS],
    pointer: usize,
    ahead: SignedDuration,
    looked: Option<Timestamp>,
}

impl Default for Ds3231 {
    fn default() -> Self {
        let mut registers = [0; REGISTERS];
        if let Some(control) = registers.get_mut(0x0e) {
            *control = 0x1c;
        }
        Self {
            registers,
            pointer: 0,
            ahead: SignedDuration::ZERO,
            looked: None,
        }
    }
}

impl Ds3231 {
    /// Brings the registers up to the present time.
    fn tick(&mut self, world: &World) {
        let time = world::now()
            .saturating_add(self.ahead)
            .unwrap_or(Timestamp::MAX);
        let now = time.to_zoned(TimeZone::UTC).datetime();
        self.set(SECONDS, &digits_of(now));
        let quarters = crate::chip::steps((world.air_c + 128.0) * 4.0, 10);
        let [high, low] = crate::chip::word(quarters << 6);
        self.set(HEAT, &[high ^ 0x80, low]);
        let rings = self.alarm().is_some_and(|alarm| {
            let alarm = alarm.to_zoned(TimeZone::UTC).map(|alarm| alarm.timestamp());
            let looked = self.looked.replace(time).unwrap_or(time);
            alarm.is_ok_and(|alarm| looked < alarm && alarm <= time)
        });
        if rings && let Some(status) = self.registers.get_mut(STATUS) {
            *status |= ALARM_RANG;
        }
    }

    /// The first alarm, where all of date, hour, minute and second must fit.
    fn alarm(&self) -> Option<DateTime> {
        let [second, minute, hour, day] = *self.registers.get(ALARM..)?.first_chunk::<4>()?;
        let every = [second, minute, hour, day];
        if every.iter().any(|digits| digits & 0x80 != 0) || day & 0x40 != 0 {
            return None;
        }
        let [_, _, _, _, _, month, year] = *self.registers.first_chunk::<7>()?;
        let [second, minute, hour, day] = every.map(number_of);
        let year = i16::from(number_of(year)) + 2000;
        DateTime::new(year, number_of(month & 0x1f), day, hour, minute, second, 0).ok()
    }

    fn set(&mut self, from: usize, bytes: &[u8]) {
        for (place, byte) in self.registers.iter_mut().skip(from).zip(bytes) {
            *place = *byte;
        }
    }

    /// The master has set the clock.
    fn settle(&mut self) {
        let Some(&digits) = self.registers.first_chunk::<7>() else {
            return;
        };
        let Some(set) = time_of(digits) else { return };
        self.ahead = set.duration_since(world::now());
        if let Some(status) = self.registers.get_mut(STATUS) {
            *status &= !STOPPED;
        }
    }
}

impl Chip for Ds3231 {
    fn name(&self) -> &'static str {
        "ds3231"
    }

    fn address(&self) -> u16 {
        0x68
    }

    fn write(&mut self, bytes: &[u8], world: &World, _now: Instant) -> Result<(), Nak> {
        let Some((pointer, values)) = bytes.split_first() else {
            return Ok(());
        };
        self.pointer = usize::from(*pointer) % REGISTERS;
        if values.is_empty() {
            return Ok(());
        }
        self.tick(world);
        let from = self.pointer;
        self.set(from, values);
        if from <= 6 {
            self.settle();
        }
        self.pointer = (from + values.len()) % REGISTERS;
        Ok(())
    }

    fn read(&mut self, answer: &mut [u8], world: &World, _now: Instant) -> Result<(), Nak> {
        self.tick(world);
        let registers = self.registers.iter().copied().cycle();
        let bytes: Vec<u8> = registers.skip(self.pointer).take(answer.len()).collect();
        fill(answer, &bytes);
        self.pointer = (self.pointer + answer.len()) % REGISTERS;
        Ok(())
    }

    /// Its cell keeps the time; only the place that is read is forgotten.
    fn power_on(&mut self) {
        self.pointer = 0;
    }

    fn set_clock_ahead(&mut self, seconds: i64) -> bool {
        self.ahead = SignedDuration::from_secs(seconds);
        true
    }
}

/// Seconds, minutes, hours, day of the week from 1, day, month, year.
fn digits_of(time: DateTime) -> [u8; 7] {
    let year = time.year().rem_euclid(100);
    [
        digits(time.second()),
        digits(time.minute()),
        digits(time.hour()),
        u8::try_from(time.weekday().to_monday_one_offset()).unwrap_or(1),
        digits(time.day()),
        digits(time.month()),
        digits(i8::try_from(year).unwrap_or(0)),
    ]
}

fn time_of([second, minute, hour, _, day, month, year]: [u8; 7]) -> Option<Timestamp> {
    let [second, minute, hour, day] = [second, minute, hour & 0x3f, day].map(number_of);
    let year = i16::from(number_of(year)) + 2000;
    let time = DateTime::new(year, number_of(month & 0x1f), day, hour, minute, second, 0).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// Two decimal digits in the halves of a byte.
fn digits(number: i8) -> u8 {
    let number = number.unsigned_abs() % 100;
    ((number / 10) << 4) | (number % 10)
}

fn number_of(digits: u8) -> i8 {
    let number = (digits >> 4) * 10 + (digits & 0x0f);
    i8::try_from(number).unwrap_or(i8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_goes_on_from_there() {
        let (mut chip, world, now) = (Ds3231::default(), World::default(), Instant::now());
        let set = [0x00, 0x30, 0x45, 0x23, 0x04, 0x31, 0x12, 0x30];
        chip.write(&set, &world, now).unwrap();
        chip.write(&[0x01], &world, now).unwrap();
        let mut answer = [0; 6];
        chip.read(&mut answer, &world, now).unwrap();
        assert_eq!(
            answer[1..3],
            [0x23, 0x02],
            "hour, and that day is a Tuesday"
        );
        assert_eq!(answer[3..], [0x31, 0x12, 0x30]);
    }
}
