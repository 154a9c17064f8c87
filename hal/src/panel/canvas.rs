//! A picture of ink and no ink, which `embedded-graphics` draws on.
//!
//! Ink is light on an OLED and black on e-paper. What is drawn beside the
//! canvas is counted, so that a test can say that a page does not fit.

use super::PanelSize;
use embedded_graphics::Pixel;
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{OriginDimensions, Size};
use embedded_graphics::pixelcolor::BinaryColor;
use std::convert::Infallible;
use std::fmt;

/// A picture for one panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canvas {
    size: PanelSize,
    /// Row by row, eight pixels to a byte, the leftmost in the highest bit.
    bits: Vec<u8>,
    spilled: u32,
}

impl Canvas {
    /// A picture without ink.
    #[must_use]
    pub fn new(size: PanelSize) -> Self {
        let bytes = usize::try_from(size.width() / 8 * size.height()).unwrap_or(0);
        Self {
            size,
            bits: vec![0; bytes],
            spilled: 0,
        }
    }

    /// The panel that it is for.
    #[must_use]
    pub fn panel_size(&self) -> PanelSize {
        self.size
    }

    /// Pixels that were drawn beside the canvas and are lost.
    #[must_use]
    pub fn spilled(&self) -> u32 {
        self.spilled
    }

    /// Whether there is ink at column `x` of row `y`; there is none beside the canvas.
    #[must_use]
    pub fn is_ink(&self, x: u32, y: u32) -> bool {
        self.place(x, y)
            .and_then(|(byte, mask)| self.bits.get(byte).map(|bits| bits & mask != 0))
            .unwrap_or(false)
    }

    /// Eight pixels below one another in column `x`, the topmost in the lowest
    /// bit, `page` times eight rows from the top: how OLED controllers store them.
    #[must_use]
    pub fn column(&self, x: u32, page: u32) -> u8 {
        (0..8).fold(0, |byte, row| {
            byte | (u8::from(self.is_ink(x, page * 8 + row)) << row)
        })
    }

    /// Puts ink at column `x` of row `y`, or takes it away.
    pub fn set(&mut self, x: u32, y: u32, ink: bool) {
        let Some((byte, mask)) = self.place(x, y) else {
            self.spilled = self.spilled.saturating_add(1);
            return;
        };
        if let Some(bits) = self.bits.get_mut(byte) {
            *bits = if ink { *bits | mask } else { *bits & !mask };
        }
    }

    fn place(&self, x: u32, y: u32) -> Option<(usize, u8)> {
        if x >= self.size.width() || y >= self.size.height() {
            return None;
        }
        let byte = usize::try_from(y * (self.size.width() / 8) + x / 8).ok()?;
        Some((byte, 0x80 >> (x % 8)))
    }
}

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        Size::new(self.size.width(), self.size.height())
    }
}

impl DrawTarget for Canvas {
    type Color = BinaryColor;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = Pixel<BinaryColor>>,
    {
        for Pixel(point, color) in pixels {
            // What is left of the canvas is as far beside it as what is right of it.
            let x = u32::try_from(point.x).unwrap_or(u32::MAX);
            let y = u32::try_from(point.y).unwrap_or(u32::MAX);
            self.set(x, y, color.is_on());
        }
        Ok(())
    }
}

/// The picture as text in a frame, two rows of pixels to a line.
impl fmt::Display for Canvas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let edge: String = (0..self.size.width()).map(|_| '─').collect();
        writeln!(f, "┌{edge}┐")?;
        for line in 0..self.size.height() / 2 {
            let halves = (0..self.size.width()).map(|x| {
                match (self.is_ink(x, line * 2), self.is_ink(x, line * 2 + 1)) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                }
            });
            writeln!(f, "│{}│", halves.collect::<String>())?;
        }
        writeln!(f, "└{edge}┘")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_graphics::prelude::*;
    use embedded_graphics::primitives::{PrimitiveStyle, Rectangle};

    #[test]
    fn ink_goes_where_it_is_drawn() {
        for size in PanelSize::ALL {
            let mut canvas = Canvas::new(size);
            let whole = canvas.bounding_box();
            whole
                .into_styled(PrimitiveStyle::with_stroke(BinaryColor::On, 1))
                .draw(&mut canvas)
                .unwrap();
            let (right, bottom) = (size.width() - 1, size.height() - 1);
            for (x, y) in [(0, 0), (right, 0), (0, bottom), (right, bottom)] {
                assert!(canvas.is_ink(x, y));
            }
            assert!(!canvas.is_ink(1, 1));
            assert_eq!(canvas.column(0, 0), 0xff);
            assert_eq!(canvas.column(1, 0), 0x01, "the topmost is the lowest bit");
            assert_eq!(canvas.spilled(), 0);
        }
    }

    #[test]
    fn what_is_drawn_beside_the_canvas_is_counted() {
        let mut canvas = Canvas::new(PanelSize::Oled128x32);
        Rectangle::new(Point::new(-1, 30), Size::new(3, 3))
            .into_styled(PrimitiveStyle::with_fill(BinaryColor::On))
            .draw(&mut canvas)
            .unwrap();
        assert_eq!(canvas.spilled(), 9 - 4);
        canvas.set(128, 0, false);
        assert_eq!(
            canvas.spilled(),
            6,
            "dark letters on a bar are lost as well"
        );
        assert!(!canvas.is_ink(128, 0));
    }

    #[test]
    fn as_text_it_has_the_shape_of_the_panel() {
        let mut canvas = Canvas::new(PanelSize::Oled128x32);
        canvas.set(0, 0, true);
        canvas.set(1, 1, true);
        canvas.set(2, 0, true);
        canvas.set(2, 1, true);
        let text = canvas.to_string();
        assert_eq!(text.lines().count(), 32 / 2 + 2);
        assert!(text.lines().all(|line| line.chars().count() == 130));
        assert!(text.lines().nth(1).unwrap().starts_with("│▀▄█ "));
    }
}
