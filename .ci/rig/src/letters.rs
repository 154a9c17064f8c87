//! The words on a display, read back from its pixels.
//!
//! Whoever draws with fonts of fixed width leaves each letter alone in its cell, so a cell is a letter exactly when
//! its pixels are. Of all rows of letters that can be read, those that explain most pixels are believed first.

use crate::picture::{COLUMNS, Glass, ROWS};
use embedded_graphics::mono_font::iso_8859_1 as fonts;
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::prelude::*;
use embedded_graphics::text::{Baseline, Text};
use std::collections::BTreeMap;
use std::convert::Infallible;

const FONTS: [&MonoFont<'static>; 10] = [
    &fonts::FONT_6X10,
    &fonts::FONT_6X12,
    &fonts::FONT_6X13,
    &fonts::FONT_7X13,
    &fonts::FONT_7X13_BOLD,
    &fonts::FONT_8X13,
    &fonts::FONT_8X13_BOLD,
    &fonts::FONT_9X15,
    &fonts::FONT_9X18_BOLD,
    &fonts::FONT_10X20,
];
/// Empty cells inside a row of words.
const SPACES_MAX: usize = 2;
/// Fewer letters are more likely a pattern than a word.
const LETTERS_MIN: usize = 2;

/// The pixels of a cell, row by row.
type Cell = Vec<u32>;

/// A row of letters that can be read.
struct Found {
    words: String,
    pixels: usize,
    x: usize,
    y: usize,
    width: usize,
    height: usize,
}

/// The words, one line for each row of them, from above.
pub(crate) fn read(glass: &Glass) -> String {
    let mut left = glass.clone();
    let mut rows: Vec<Found> = Vec::new();
    let alphabets: Vec<_> = FONTS.iter().map(|font| (*font, alphabet(font))).collect();
    loop {
        let mut best: Option<Found> = None;
        // A title stands dark in a bar of light, so both are looked through.
        for (font, letters) in &alphabets {
            for is_dark in [false, true] {
                let found = longest(&left, font, letters, is_dark);
                let better =
                    |found: &Found| best.as_ref().is_none_or(|best| found.pixels > best.pixels);
                best = found.filter(better).or(best);
            }
        }
        let Some(found) = best else { break };
        for y in found.y..found.y + found.height {
            for x in found.x..found.x + found.width {
                left.put(x, y, false);
            }
        }
        rows.push(found);
    }
    rows.sort_by_key(|found| (found.y / 6, found.x));
    let words: Vec<String> = rows.into_iter().map(|found| found.words).collect();
    words.join("\n")
}

/// The row of letters of one font that explains most pixels.
fn longest(
    glass: &Glass,
    font: &MonoFont<'_>,
    letters: &BTreeMap<Cell, char>,
    is_dark: bool,
) -> Option<Found> {
    let (width, height) = size(font);
    let mut best: Option<Found> = None;
    for y in 0..=ROWS.saturating_sub(height) {
        for x in 0..COLUMNS.saturating_sub(width) {
            let found = row_at(glass, (x, y), font, letters, is_dark);
            let better =
                |found: &Found| best.as_ref().is_none_or(|best| found.pixels > best.pixels);
            best = found.filter(better).or(best);
        }
    }
    best
}

/// The letters from a place on, up to the first cell that is none.
fn row_at(
    glass: &Glass,
    (x, y): (usize, usize),
    font: &MonoFont<'_>,
    letters: &BTreeMap<Cell, char>,
    is_dark: bool,
) -> Option<Found> {
    let (width, height) = size(font);
    let (mut words, mut pixels, mut count, mut spaces, mut at) = (String::new(), 0, 0, 0, x);
    while at + width <= COLUMNS {
        let cell = cell_at(glass, (at, y), font, is_dark);
        let lit: u32 = cell.iter().map(|row| row.count_ones()).sum();
        if lit == 0 {
            spaces += 1;
            if words.is_empty() || spaces > SPACES_MAX {
                break;
            }
        } else {
            let Some(letter) = letters.get(&cell) else {
                break;
            };
            words.extend(std::iter::repeat_n(' ', spaces));
            spaces = 0;
            words.push(*letter);
            count += usize::from(letter.is_alphanumeric());
            pixels += usize::try_from(lit).unwrap_or(0);
        }
        at += width;
    }
    (count >= LETTERS_MIN).then(|| Found {
        words,
        pixels,
        x,
        y,
        width: at - spaces * width - x,
        height,
    })
}

fn cell_at(glass: &Glass, (x, y): (usize, usize), font: &MonoFont<'_>, is_dark: bool) -> Cell {
    let (width, height) = size(font);
    let row = |y| {
        let pixels = (x..x + width).map(|x| glass.is_lit(x, y) != is_dark);
        pixels.fold(0, |row, lit| row << 1 | u32::from(lit))
    };
    (y..y + height).map(row).collect()
}

/// Each letter that has pixels, by them.
fn alphabet(font: &MonoFont<'_>) -> BTreeMap<Cell, char> {
    let printable = ('!'..='~').chain('\u{a1}'..='\u{ff}');
    let mut letters = BTreeMap::new();
    for letter in printable {
        let mut paper = Paper(Glass::dark());
        let ink = MonoTextStyle::new(font, BinaryColor::On);
        let mut text = [0; 4];
        let text = Text::with_baseline(
            letter.encode_utf8(&mut text),
            Point::zero(),
            ink,
            Baseline::Top,
        );
        let Ok(_) = text.draw(&mut paper);
        let cell = cell_at(&paper.0, (0, 0), font, false);
        if cell.iter().any(|row| *row != 0) {
            letters.entry(cell).or_insert(letter);
        }
    }
    letters
}

fn size(font: &MonoFont<'_>) -> (usize, usize) {
    let side = |pixels: u32| usize::try_from(pixels).unwrap_or(0);
    (
        side(font.character_size.width),
        side(font.character_size.height),
    )
}

/// Glass to draw letters on.
struct Paper(Glass);

impl OriginDimensions for Paper {
    fn size(&self) -> Size {
        Size::new(128, 64)
    }
}

impl DrawTarget for Paper {
    type Color = BinaryColor;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = Pixel<BinaryColor>>,
    {
        for Pixel(at, colour) in pixels {
            if let (Ok(x), Ok(y)) = (usize::try_from(at.x), usize::try_from(at.y)) {
                self.0.put(x, y, colour.is_on());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_graphics::primitives::{PrimitiveStyle, Rectangle};

    #[test]
    fn words_are_read_back_from_their_pixels() {
        let mut paper = Paper(Glass::dark());
        let bar = Rectangle::new(Point::zero(), Size::new(128, 14));
        let Ok(()) = bar
            .into_styled(PrimitiveStyle::with_fill(BinaryColor::On))
            .draw(&mut paper);
        let mut write = |words: &str, font, at, colour| {
            let ink = MonoTextStyle::new(font, colour);
            let Ok(_) = Text::with_baseline(words, at, ink, Baseline::Top).draw(&mut paper);
        };
        write(
            "Climate",
            &fonts::FONT_7X13_BOLD,
            Point::new(2, 1),
            BinaryColor::Off,
        );
        write(
            "check its plug",
            &fonts::FONT_7X13,
            Point::new(0, 17),
            BinaryColor::On,
        );
        write(
            "and wires.",
            &fonts::FONT_7X13,
            Point::new(0, 33),
            BinaryColor::On,
        );
        assert_eq!(read(&paper.0), "Climate\ncheck its plug\nand wires.");
    }

    #[test]
    fn a_dark_display_says_nothing() {
        assert_eq!(read(&Glass::dark()), "");
    }
}
