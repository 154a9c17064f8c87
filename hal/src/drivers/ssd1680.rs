//! Display: e-paper of 2.9 inches, 296 × 128, with a Solomon Systech SSD1680,
//! such as Waveshare's *2.9inch e-Paper Module V2*.
//!
//! Source: Solomon Systech, *SSD1680, 176 Source x 296 Gate Red/Black/White
//! Active Matrix EPD Display Driver with Controller*, revision 0.14: the
//! command table (7) and the typical operating sequence (9.1). Waveshare,
//! *2.9inch e-Paper V2 Specification*: how the glass is wired to the chip.
//!
//! Each picture starts with a reset and ends in deep sleep, in which the glass
//! keeps it; so nothing has to be remembered, and a panel that was unplugged is
//! just there again. The chip says nothing but whether it is busy. One that is
//! never busy while it draws, or never ready, is not there.

use crate::error::{DeviceError, FaultKind};
use crate::lines::{Input, Level, Output};
use crate::panel::{Canvas, DEVICE, PanelSize};
use embedded_hal::delay::DelayNs;
use embedded_hal::spi::SpiDevice;

/// How many pixels it has.
pub const SIZE: PanelSize = PanelSize::Paper296x128;
const RESET: u8 = 0x12;
const GATES: u8 = 0x01;
const DEEP_SLEEP: u8 = 0x10;
const FILL_DIRECTION: u8 = 0x11;
const TEMPERATURE_SENSOR: u8 = 0x18;
const DRAW: u8 = 0x20;
const SOURCES: u8 = 0x21;
const HOW_TO_DRAW: u8 = 0x22;
const PICTURE: u8 = 0x24;
const BORDER: u8 = 0x3c;
const COLUMNS: u8 = 0x44;
const ROWS: u8 = 0x45;
const FIRST_COLUMN: u8 = 0x4e;
const FIRST_ROW: u8 = 0x4f;

/// What the chip is told after a reset, with what follows each command.
const SETTINGS: [(u8, &[u8]); 9] = [
    (GATES, &[0x27, 0x01, 0x00]),      // 296 of them
    (FILL_DIRECTION, &[0x03]),         // along the columns, then along the rows
    (COLUMNS, &[0x00, 0x0f]),          // 16 bytes
    (ROWS, &[0x00, 0x00, 0x27, 0x01]), // 0 to 295
    (BORDER, &[0x05]),                 // white, as the background
    (SOURCES, &[0x00, 0x80]),          // the glass hangs at outputs 8 to 167
    (TEMPERATURE_SENSOR, &[0x80]),     // its own: cold ink is driven longer
    (FIRST_COLUMN, &[0x00]),
    (FIRST_ROW, &[0x00, 0x00]),
];
/// Clock and supply on, temperature and waveform loaded, drawn whole, all off again.
const WHOLE: u8 = 0xf7;

const RESET_MS: u32 = 10;
/// It is ready 10 ms after a reset.
const READY_MS_MAX: u32 = 200;
/// It is busy as soon as it draws.
const BUSY_MS_MAX: u32 = 100;
/// Drawing takes 2 s, in the cold more.
const DRAWN_MS_MAX: u32 = 10_000;
const ASKED_EVERY_MS: u32 = 10;
/// The longest that one picture waits, transfers aside.
pub const WAIT_MS_MAX: u32 = 3 * RESET_MS + 2 * READY_MS_MAX + BUSY_MS_MAX + DRAWN_MS_MAX;
/// So many bytes go into one transfer; the kernel takes 4096.
const TRANSFER_BYTES_MAX: usize = 1024;

/// The wires to the panel, beside supply and ground.
pub struct Wires<S, D> {
    /// DIN, CLK and CS.
    pub spi: S,
    /// DC: off for a command, on for what follows it.
    pub data: Box<dyn Output>,
    /// RST: on while it resets, which on most modules is low.
    pub reset: Box<dyn Output>,
    /// BUSY: active while it works.
    pub busy: Box<dyn Input>,
    /// What waits.
    pub delay: D,
}

/// Why a picture could not be drawn.
#[derive(Debug)]
pub enum PaperFault<E> {
    /// The bus did not carry a transfer.
    Bus(E),
    /// A line could not be set or read.
    Line(DeviceError),
    /// It is busy for longer than drawing can take.
    StaysBusy,
    /// It was told to draw and did not even begin.
    DoesNotDraw,
}

impl<E: embedded_hal::spi::Error> PaperFault<E> {
    /// The failure in the words of the trap.
    pub fn in_words(self) -> DeviceError {
        let (kind, words) = match self {
            Self::Bus(e) => (
                FaultKind::Transient,
                format!("cannot be reached over SPI ({e:?}); check that nothing else uses the bus"),
            ),
            Self::Line(fault) => return fault,
            Self::StaysBusy => (
                FaultKind::Transient,
                "stays busy; check the wires of BUSY and RST, or warm it above 0 °C".to_owned(),
            ),
            Self::DoesNotDraw => (
                FaultKind::Absent,
                "does not draw; check its plug and its eight wires".to_owned(),
            ),
        };
        DeviceError::new(DEVICE, kind, format!("e-paper {words}"))
    }
}

/// The panel at its wires.
pub struct Paper<S, D> {
    wires: Wires<S, D>,
}

impl<S: SpiDevice, D: DelayNs> Paper<S, D> {
    /// The panel at `wires`; nothing is said to it yet.
    pub fn new(wires: Wires<S, D>) -> Self {
        Self { wires }
    }

    /// Draws `canvas` and lets the chip sleep, in two to four seconds, at most
    /// [`WAIT_MS_MAX`].
    ///
    /// # Errors
    /// [`PaperFault`]; what is on the glass then may be the old picture or half of the new.
    pub fn show(&mut self, canvas: &Canvas) -> Result<(), PaperFault<S::Error>> {
        self.reset()?;
        for (command, follows) in SETTINGS {
            self.say(command, follows)?;
        }
        self.say(PICTURE, &picture(canvas))?;
        self.say(HOW_TO_DRAW, &[WHOLE])?;
        self.say(DRAW, &[])?;
        let begins = self.waits_for(true, BUSY_MS_MAX)?;
        let ends = begins && self.waits_for(false, DRAWN_MS_MAX)?;
        match (begins, ends) {
            (false, _) => Err(PaperFault::DoesNotDraw),
            (true, false) => Err(PaperFault::StaysBusy),
            (true, true) => self.say(DEEP_SLEEP, &[0x01]),
        }
    }

    fn reset(&mut self) -> Result<(), PaperFault<S::Error>> {
        for level in [Level::OFF, Level::FULL, Level::OFF] {
            self.wires.reset.set(level).map_err(PaperFault::Line)?;
            self.wires.delay.delay_ms(RESET_MS);
        }
        self.is_ready()?;
        self.say(RESET, &[])?;
        self.is_ready()
    }

    fn is_ready(&mut self) -> Result<(), PaperFault<S::Error>> {
        if self.waits_for(false, READY_MS_MAX)? {
            Ok(())
        } else {
            Err(PaperFault::StaysBusy)
        }
    }

    /// Whether it gets busy, or ready, in time.
    fn waits_for(&mut self, busy: bool, ms_max: u32) -> Result<bool, PaperFault<S::Error>> {
        for _ in 0..ms_max / ASKED_EVERY_MS {
            let is_busy = self.wires.busy.is_active().map_err(PaperFault::Line)?;
            if is_busy == busy {
                return Ok(true);
            }
            self.wires.delay.delay_ms(ASKED_EVERY_MS);
        }
        Ok(false)
    }

    fn say(&mut self, command: u8, follows: &[u8]) -> Result<(), PaperFault<S::Error>> {
        self.wires.data.set(Level::OFF).map_err(PaperFault::Line)?;
        self.wires.spi.write(&[command]).map_err(PaperFault::Bus)?;
        self.wires.data.set(Level::FULL).map_err(PaperFault::Line)?;
        for bytes in follows.chunks(TRANSFER_BYTES_MAX) {
            self.wires.spi.write(bytes).map_err(PaperFault::Bus)?;
        }
        Ok(())
    }
}

/// The picture as the chip stores it: a row of the chip is a column of the
/// panel that lies on its long side, from the bottom up; a set bit is white.
fn picture(canvas: &Canvas) -> Vec<u8> {
    let (width, height) = (SIZE.width(), SIZE.height());
    let bytes_of = |x: u32| (0..height / 8).map(move |byte| (x, byte));
    let byte = |(x, byte): (u32, u32)| {
        (0..8).fold(0_u8, |bits, bit| {
            let ink = canvas.is_ink(x, height - 1 - (byte * 8 + bit));
            bits << 1 | u8::from(!ink)
        })
    };
    (0..width).flat_map(bytes_of).map(byte).collect()
}

#[cfg(test)]
mod tests;
