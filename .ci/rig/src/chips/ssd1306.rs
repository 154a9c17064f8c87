//! Display: Solomon Systech SSD1306 at 0x3c, 128×64 (revision 1.1): its memory in the three ways of addressing, on and
//! off, inverted, turned round. Scrolling and contrast are taken and change nothing.

use crate::chip::{Chip, Nak};
use crate::picture::{COLUMNS, Glass, PAGES};
use crate::world::World;
use std::time::Instant;

const STATUS_OFF: u8 = 0x40;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Addressing {
    Horizontal,
    Vertical,
    Page,
}

pub(crate) struct Ssd1306 {
    memory: [[u8; COLUMNS]; PAGES],
    page: usize,
    column: usize,
    addressing: Addressing,
    columns: (usize, usize),
    pages: (usize, usize),
    on: bool,
    inverted: bool,
    all_on: bool,
    columns_turned: bool,
    rows_turned: bool,
    /// A command whose arguments have not all come yet, as they may in another transfer.
    pending: Vec<u8>,
}

impl Default for Ssd1306 {
    fn default() -> Self {
        Self {
            memory: [[0; COLUMNS]; PAGES],
            page: 0,
            column: 0,
            addressing: Addressing::Page,
            columns: (0, COLUMNS - 1),
            pages: (0, PAGES - 1),
            on: false,
            inverted: false,
            all_on: false,
            columns_turned: false,
            rows_turned: false,
            pending: Vec::new(),
        }
    }
}

impl Ssd1306 {
    fn command(&mut self, byte: u8) {
        self.pending.push(byte);
        let all = std::mem::take(&mut self.pending);
        let Some((&first, arguments)) = all.split_first() else {
            return;
        };
        if arguments.len() < arguments_of(first) {
            self.pending = all;
            return;
        }
        match (first, arguments) {
            (0x00..=0x0f, _) => self.column = (self.column & 0xf0) | usize::from(first & 0x0f),
            (0x10..=0x1f, _) => {
                self.column = (self.column & 0x0f) | (usize::from(first & 0x0f) << 4);
            }
            (0x20, [0]) => self.addressing = Addressing::Horizontal,
            (0x20, [1]) => self.addressing = Addressing::Vertical,
            (0x20, _) => self.addressing = Addressing::Page,
            (0x21, &[from, to]) => {
                self.columns = (usize::from(from & 0x7f), usize::from(to & 0x7f));
                self.column = self.columns.0;
            }
            (0x22, &[from, to]) => {
                self.pages = (usize::from(from & 0x07), usize::from(to & 0x07));
                self.page = self.pages.0;
            }
            (0xa0 | 0xa1, _) => self.columns_turned = first == 0xa1,
            (0xa4 | 0xa5, _) => self.all_on = first == 0xa5,
            (0xa6 | 0xa7, _) => self.inverted = first == 0xa7,
            (0xae | 0xaf, _) => self.on = first == 0xaf,
            (0xb0..=0xb7, _) => self.page = usize::from(first & 0x07),
            (0xc0..=0xc7, _) => self.rows_turned = false,
            (0xc8..=0xcf, _) => self.rows_turned = true,
            _ => {}
        }
    }

    fn paint(&mut self, byte: u8) {
        let row = self.memory.get_mut(self.page);
        if let Some(place) = row.and_then(|row| row.get_mut(self.column)) {
            *place = byte;
        }
        let next = |at: usize, (from, to): (usize, usize)| if at >= to { from } else { at + 1 };
        match self.addressing {
            Addressing::Page => self.column = next(self.column, (0, COLUMNS - 1)),
            Addressing::Horizontal => {
                self.column = next(self.column, self.columns);
                if self.column == self.columns.0 {
                    self.page = next(self.page, self.pages);
                }
            }
            Addressing::Vertical => {
                self.page = next(self.page, self.pages);
                if self.page == self.pages.0 {
                    self.column = next(self.column, self.columns);
                }
            }
        }
    }
}

/// How many bytes follow a command (table 9).
fn arguments_of(command: u8) -> usize {
    match command {
        0x20 | 0x81 | 0x8d | 0xa8 | 0xd3 | 0xd5 | 0xd9 | 0xda | 0xdb => 1,
        0x21 | 0x22 | 0xa3 => 2,
        0x29 | 0x2a => 5,
        0x26 | 0x27 => 6,
        _ => 0,
    }
}

impl Chip for Ssd1306 {
    fn name(&self) -> &'static str {
        "ssd1306"
    }

    fn address(&self) -> u16 {
        0x3c
    }

    /// A control byte says what follows: one command, commands to the end, or a part of the picture to the end.
    fn write(&mut self, bytes: &[u8], _world: &World, _now: Instant) -> Result<(), Nak> {
        let mut bytes = bytes.iter().copied();
        while let Some(control) = bytes.next() {
            let is_picture = control & 0x40 != 0;
            let only_one = control & 0x80 != 0;
            let count = if only_one { 1 } else { usize::MAX };
            for byte in bytes.by_ref().take(count) {
                if is_picture {
                    self.paint(byte);
                } else {
                    self.command(byte);
                }
            }
        }
        Ok(())
    }

    fn read(&mut self, answer: &mut [u8], _world: &World, _now: Instant) -> Result<(), Nak> {
        answer.fill(if self.on { 0 } else { STATUS_OFF });
        Ok(())
    }

    /// The memory of a real one holds anything after power-on; a chess board shows whoever trusts it.
    fn power_on(&mut self) {
        *self = Self::default();
        for row in &mut self.memory {
            for (place, byte) in row.iter_mut().zip([0xaa, 0x55].into_iter().cycle()) {
                *place = byte;
            }
        }
    }

    /// As the usual modules sit on their boards: upright with columns and rows both turned.
    fn glass(&self) -> Option<Glass> {
        let mut glass = Glass::dark();
        if !self.on {
            return Some(glass);
        }
        for (page, row) in self.memory.iter().enumerate() {
            for (column, byte) in row.iter().enumerate() {
                for bit in 0..8 {
                    let lit = self.all_on || ((byte >> bit) & 1 == 1) != self.inverted;
                    let x = if self.columns_turned {
                        column
                    } else {
                        COLUMNS - 1 - column
                    };
                    let y = page * 8 + bit;
                    let y = if self.rows_turned {
                        y
                    } else {
                        PAGES * 8 - 1 - y
                    };
                    if lit {
                        glass.light(x, y);
                    }
                }
            }
        }
        Some(glass)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_painted_from_the_column_that_was_named() {
        let (mut chip, world, now) = (Ssd1306::default(), World::default(), Instant::now());
        chip.write(&[0x00, 0xa1, 0xc8, 0x20, 0x02, 0xaf], &world, now)
            .unwrap();
        chip.write(&[0x00, 0xb2, 0x03, 0x11], &world, now).unwrap();
        chip.write(&[0x40, 0b0000_0001], &world, now).unwrap();
        let glass = chip.glass().unwrap();
        assert!(glass.is_lit(0x13, 16), "\n{glass}");
        assert_eq!(glass.count(), 1);
        let mut status = [0];
        chip.read(&mut status, &world, now).unwrap();
        assert_eq!(status, [0]);
    }

    #[test]
    fn a_display_without_power_meanwhile_is_off() {
        let (mut chip, world, now) = (Ssd1306::default(), World::default(), Instant::now());
        chip.write(&[0x00, 0xaf], &world, now).unwrap();
        chip.power_on();
        let mut status = [0];
        chip.read(&mut status, &world, now).unwrap();
        assert_eq!(status, [STATUS_OFF]);
        assert_eq!(chip.glass().unwrap().count(), 0);
    }
}
