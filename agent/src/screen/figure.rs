//! The large figure: letters of a font, doubled without steps.
//!
//! The fonts end at 20 pixels. A doubled letter has stairs, which the rule of
//! Scale2x rounds off: a corner takes the colour of its two neighbours where
//! those agree and the opposite ones do not.

use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::prelude::*;
use embedded_graphics::text::{Baseline, Text};
use std::convert::Infallible;
use trapline_hal::Canvas;

/// Letters as ink and no ink.
struct Letters {
    width: u32,
    height: u32,
    ink: Vec<bool>,
}

/// How wide `text` gets, in pixels.
pub(super) fn width(text: &str, font: &MonoFont<'_>, doublings: u32) -> u32 {
    let letters = text.chars().map(|letter| advance(letter, font, doublings));
    letters.sum::<u32>().saturating_mul(1 << doublings)
}

/// How far it is to the next letter; blanks and colons leave the half of their
/// place empty, which is dear when doubled.
fn advance(letter: char, font: &MonoFont<'_>, doublings: u32) -> u32 {
    let whole = font.character_size.width;
    match letter {
        ' ' | ':' if doublings > 0 => whole.div_ceil(2),
        _ => whole,
    }
}

/// Draws `text`, doubled so many times, with its upper left corner at `at`.
pub(super) fn draw(
    canvas: &mut Canvas,
    text: &str,
    font: &MonoFont<'_>,
    doublings: u32,
    at: Point,
) {
    let size = Size::new(
        width(text, font, doublings) >> doublings,
        font.character_size.height,
    );
    let mut letters = Letters::new(size.width, size.height);
    let style = MonoTextStyle::new(font, BinaryColor::On);
    let mut left = 0;
    for letter in text.chars() {
        let advance = advance(letter, font, doublings);
        let spared = (font.character_size.width - advance) / 2;
        let x = i32::try_from(left).unwrap_or(0) - i32::try_from(spared).unwrap_or(0);
        let at = Point::new(x, 0);
        let mut bytes = [0; 4];
        let letter = letter.encode_utf8(&mut bytes);
        let Ok(_) = Text::with_baseline(letter, at, style, Baseline::Top).draw(&mut letters);
        left += advance;
    }
    for _ in 0..doublings {
        letters = letters.doubled();
    }
    let places = (0..letters.height).flat_map(|y| (0..letters.width).map(move |x| (x, y)));
    let inked = places.filter(|(x, y)| letters.is_ink(Some(*x), Some(*y)));
    let pixels = inked.filter_map(|(x, y)| {
        let by = Point::new(i32::try_from(x).ok()?, i32::try_from(y).ok()?);
        Some(Pixel(at + by, BinaryColor::On))
    });
    let Ok(()) = canvas.draw_iter(pixels);
}

impl Letters {
    fn new(width: u32, height: u32) -> Self {
        let pixels = usize::try_from(u64::from(width) * u64::from(height)).unwrap_or(0);
        Self {
            width,
            height,
            ink: vec![false; pixels],
        }
    }

    fn place(&self, x: u32, y: u32) -> Option<usize> {
        let inside = x < self.width && y < self.height;
        inside.then(|| usize::try_from(y * self.width + x).ok())?
    }

    /// There is no ink beside the letters.
    fn is_ink(&self, x: Option<u32>, y: Option<u32>) -> bool {
        let place = x.zip(y).and_then(|(x, y)| self.place(x, y));
        place
            .and_then(|place| self.ink.get(place).copied())
            .unwrap_or(false)
    }

    fn set(&mut self, x: u32, y: u32, ink: bool) {
        if let Some(place) = self.place(x, y)
            && let Some(pixel) = self.ink.get_mut(place)
        {
            *pixel = ink;
        }
    }

    fn doubled(&self) -> Self {
        let mut doubled = Self::new(self.width * 2, self.height * 2);
        for y in 0..self.height {
            for x in 0..self.width {
                let here = self.is_ink(Some(x), Some(y));
                let above = self.is_ink(Some(x), y.checked_sub(1));
                let below = self.is_ink(Some(x), Some(y + 1));
                let left = self.is_ink(x.checked_sub(1), Some(y));
                let right = self.is_ink(Some(x + 1), Some(y));
                let edge = above != below && left != right;
                let corner = |side: bool, end: bool| if edge && side == end { side } else { here };
                doubled.set(x * 2, y * 2, corner(left, above));
                doubled.set(x * 2 + 1, y * 2, corner(right, above));
                doubled.set(x * 2, y * 2 + 1, corner(left, below));
                doubled.set(x * 2 + 1, y * 2 + 1, corner(right, below));
            }
        }
        doubled
    }
}

impl OriginDimensions for Letters {
    fn size(&self) -> Size {
        Size::new(self.width, self.height)
    }
}

impl DrawTarget for Letters {
    type Color = BinaryColor;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = Pixel<BinaryColor>>,
    {
        for Pixel(at, color) in pixels {
            if let (Ok(x), Ok(y)) = (u32::try_from(at.x), u32::try_from(at.y)) {
                self.set(x, y, color.is_on());
            }
        }
        Ok(())
    }
}
