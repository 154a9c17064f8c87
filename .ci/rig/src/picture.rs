//! What a display shows, as characters and as a picture.

use anyhow::{Context as _, Result};
use std::fmt;
use std::io::BufWriter;
use std::path::Path;

pub(crate) const COLUMNS: usize = 128;
/// Of eight rows each.
pub(crate) const PAGES: usize = 8;
pub(crate) const ROWS: usize = PAGES * 8;
/// A pixel of the display is a square of so many in the picture.
const ENLARGED: usize = 4;

/// The pixels that are lit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glass {
    rows: [[bool; COLUMNS]; ROWS],
}

impl Glass {
    pub(crate) fn dark() -> Self {
        Self {
            rows: [[false; COLUMNS]; ROWS],
        }
    }

    pub(crate) fn light(&mut self, x: usize, y: usize) {
        self.put(x, y, true);
    }

    /// Sets a pixel; none outside.
    pub(crate) fn put(&mut self, x: usize, y: usize, lit: bool) {
        let row = self.rows.get_mut(y);
        if let Some(pixel) = row.and_then(|row| row.get_mut(x)) {
            *pixel = lit;
        }
    }

    /// Whether a pixel is lit; outside all is dark.
    pub(crate) fn is_lit(&self, x: usize, y: usize) -> bool {
        let row = self.rows.get(y);
        row.and_then(|row| row.get(x)).copied().unwrap_or(false)
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.rows.iter().flatten().filter(|lit| **lit).count()
    }

    /// Saves it as a PNG, enlarged.
    pub(crate) fn save(&self, path: &Path) -> Result<()> {
        let (width, height) = (COLUMNS * ENLARGED, ROWS * ENLARGED);
        let mut pixels = Vec::with_capacity(width * height);
        for y in 0..height {
            for x in 0..width {
                let lit = self.is_lit(x / ENLARGED, y / ENLARGED);
                pixels.push(if lit { 0xf0 } else { 0x10 });
            }
        }
        let file = std::fs::File::create(path).context("cannot make the file")?;
        let (width, height) = (u32::try_from(width)?, u32::try_from(height)?);
        let mut encoder = png::Encoder::new(BufWriter::new(file), width, height);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.write_header()?.write_image_data(&pixels)?;
        Ok(())
    }
}

/// Two rows in a line of characters.
impl fmt::Display for Glass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for y in (0..ROWS).step_by(2) {
            for x in 0..COLUMNS {
                let character = match (self.is_lit(x, y), self.is_lit(x, y + 1)) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                };
                write!(f, "{character}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
