//! Displays: OLEDs with a Solomon Systech SSD1306 or a Sino Wealth SH1106.
//!
//! Source: Solomon Systech, *SSD1306, 128 x 64 Dot Matrix OLED/PLED
//! Segment/Common Driver with Controller*, revision 1.1: the I²C interface
//! (8.1.5), the command table (9) and the application note on the charge pump.
//! Sino Wealth, *SH1106, 132 x 64 Dot Matrix OLED/PLED Driver with Controller*,
//! version 2.3: commands 1 to 24.
//!
//! Both take eight rows at a time ("pages", in the way that they share), so
//! one driver serves both. It sends the settings with each picture, which are
//! 24 bytes, and of the picture only the pages that changed. A display that was
//! without power meanwhile is off, which its status tells, and gets everything
//! again. Not every copy of these chips has an honest status, so each picture
//! also renews one page in turn: after eight pictures nothing false is left.

use super::BusError;
use crate::panel::{Canvas, PanelSize};
use embedded_hal::i2c::I2c;

/// The usual address; 0x3d with pin SA0 high.
pub const ADDRESS: u8 = 0x3c;
/// What follows are commands.
const COMMANDS: u8 = 0x00;
/// What follows is a part of the picture.
const PICTURE: u8 = 0x40;
/// In the status: the display is off.
const STATUS_OFF: u8 = 0x40;
const DISPLAY_OFF: u8 = 0xae;
const DISPLAY_ON: u8 = 0xaf;
/// Chooses eight rows; the first column follows in two halves.
const PAGE: u8 = 0xb0;
const COLUMN_LOW: u8 = 0x00;
const COLUMN_HIGH: u8 = 0x10;
/// Half of the brightest: enough in the shade, and kind to the OLED.
const CONTRAST_USUAL: u8 = 0x7f;

/// Which chip is behind the glass; it is printed on neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OledChip {
    /// On most displays of 0.96 and 0.91 inches.
    Ssd1306,
    /// On most displays of 1.3 inches.
    Sh1106,
}

impl OledChip {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ssd1306 => "SSD1306",
            Self::Sh1106 => "SH1106",
        }
    }

    /// The SH1106 has 132 columns, of which the glass shows those in the middle.
    const fn first_column(self) -> u8 {
        match self {
            Self::Ssd1306 => 0,
            Self::Sh1106 => 2,
        }
    }
}

/// The display at its address, and what it is believed to show.
#[derive(Debug)]
pub struct Oled {
    chip: OledChip,
    size: PanelSize,
    address: u8,
    contrast: u8,
    /// The picture that it has, as far as every transfer went well.
    shown: Option<Canvas>,
    /// The page that is renewed next, changed or not.
    renewed: u32,
}

impl Oled {
    /// The display at `address`; nothing is said to it yet.
    #[must_use]
    pub fn new(chip: OledChip, size: PanelSize, address: u8) -> Self {
        Self {
            chip,
            size,
            address,
            contrast: CONTRAST_USUAL,
            shown: None,
            renewed: 0,
        }
    }

    /// How many pixels it has.
    #[must_use]
    pub fn size(&self) -> PanelSize {
        self.size
    }

    /// Which chip it has.
    #[must_use]
    pub fn chip(&self) -> OledChip {
        self.chip
    }

    /// Where it sits on the bus.
    #[must_use]
    pub fn address(&self) -> u8 {
        self.address
    }

    /// How bright it shines, 0 to 255, from the next picture on.
    pub fn set_contrast(&mut self, contrast: u8) {
        self.contrast = contrast;
    }

    /// Shows `canvas`, which is of the display's own size, in at most 20 transfers.
    ///
    /// # Errors
    /// [`BusError::Bus`] of the first transfer that failed; the next picture is sent whole.
    pub fn show<B: I2c>(&mut self, bus: &mut B, canvas: &Canvas) -> Result<(), BusError<B::Error>> {
        let has = self.shown.take();
        let has = match has {
            Some(has) if self.kept_power(bus)? => Some(has),
            _ => None,
        };
        self.write(bus, &self.settings())?;
        let pages = self.size.height() / 8;
        for page in 0..pages {
            let new = columns(canvas, page);
            let same = has.as_ref().is_some_and(|has| columns(has, page) == new);
            if !same || page == self.renewed {
                self.write(bus, &self.place(page))?;
                self.write(bus, &new)?;
            }
        }
        // Only now, so that nobody sees what the memory held before.
        self.write(bus, &[COMMANDS, DISPLAY_ON])?;
        self.renewed = (self.renewed + 1) % pages;
        self.shown = Some(canvas.clone());
        Ok(())
    }

    /// Switches it off; it keeps its picture as long as it has power.
    ///
    /// # Errors
    /// [`BusError::Bus`] when the transfer failed.
    pub fn sleep<B: I2c>(&mut self, bus: &mut B) -> Result<(), BusError<B::Error>> {
        // What it shows after this cannot be told from having lost its power.
        self.shown = None;
        self.write(bus, &[COMMANDS, DISPLAY_OFF])
    }

    fn write<B: I2c>(&self, bus: &mut B, bytes: &[u8]) -> Result<(), BusError<B::Error>> {
        bus.write(self.address, bytes).map_err(BusError::Bus)
    }

    /// Whether it is still on, as it was left; in doubt not.
    fn kept_power<B: I2c>(&self, bus: &mut B) -> Result<bool, BusError<B::Error>> {
        let mut status = [0];
        match bus.read(self.address, &mut status).map_err(BusError::Bus) {
            Ok(()) => Ok(status.iter().all(|status| status & STATUS_OFF == 0)),
            Err(failure) if failure.is_of_the_whole_bus() => Err(failure),
            Err(_) => Ok(false),
        }
    }

    fn place(&self, page: u32) -> [u8; 4] {
        let column = self.chip.first_column();
        let page = u8::try_from(page % 8).unwrap_or(0);
        let high = COLUMN_HIGH | (column >> 4);
        [COMMANDS, PAGE | page, COLUMN_LOW | (column & 0x0f), high]
    }

    fn settings(&self) -> Vec<u8> {
        let rows_less_one = u8::try_from(self.size.height() - 1).unwrap_or(63);
        // Every second row is wired from the other side, but on the flat glass.
        let wiring = if self.size == PanelSize::Oled128x32 {
            0x02
        } else {
            0x12
        };
        let mut settings = vec![COMMANDS];
        settings.extend([0xd5, 0x80]); // speed of the rows: the usual
        settings.extend([0xa8, rows_less_one]);
        settings.extend([0xd3, 0x00]); // rows not shifted
        settings.push(0x40); // the first row first
        match self.chip {
            OledChip::Ssd1306 => {
                settings.extend([0x8d, 0x14]); // its own supply for the OLED
                settings.extend([0x20, 0x02]); // addressed page by page
            }
            OledChip::Sh1106 => settings.extend([0xad, 0x8b]), // its own supply
        }
        settings.extend([0xa1, 0xc8]); // pins at the top edge
        settings.extend([0xda, wiring]);
        settings.extend([0x81, self.contrast]);
        match self.chip {
            OledChip::Ssd1306 => settings.extend([0xd9, 0xf1, 0xdb, 0x20]),
            OledChip::Sh1106 => settings.extend([0xd9, 0x22, 0xdb, 0x35]),
        }
        settings.extend([0xa4, 0xa6]); // shows its memory, ink is light
        settings
    }
}

/// One page with the byte that announces it.
fn columns(canvas: &Canvas, page: u32) -> Vec<u8> {
    let width = canvas.panel_size().width();
    let columns = (0..width).map(|x| canvas.column(x, page));
    std::iter::once(PICTURE).chain(columns).collect()
}

#[cfg(test)]
mod tests;
