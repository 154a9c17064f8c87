//! The little display of a trap: what any of them can do, and the canvas that
//! pages are drawn on.
//!
//! A panel takes whole pictures and finds out itself what of them is new. It
//! may be unplugged and plugged in again at any time: the next picture sets it
//! up anew. Every transfer is bounded, and the first that fails ends the call,
//! so a panel costs time but never hangs. An OLED takes about a tenth of a
//! second, e-paper some seconds: call it where nobody waits for it.

pub mod canvas;
pub mod on_bus;
pub mod on_wires;

pub use canvas::Canvas;
pub use on_bus::BusPanel;
pub use on_wires::WiredPanel;

use crate::error::DeviceError;

/// The panels' name in faults and in the wiring table.
pub const DEVICE: &str = "display";

/// How many pixels a panel has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PanelSize {
    /// 128 × 64, the usual OLED of 0.96 or 1.3 inches.
    Oled128x64,
    /// 128 × 32, the flat OLED of 0.91 inches.
    Oled128x32,
    /// 296 × 128, e-paper of 2.9 inches, lying on its long side.
    Paper296x128,
}

impl PanelSize {
    /// Every size, for tests and pictures.
    pub const ALL: [Self; 3] = [Self::Oled128x64, Self::Oled128x32, Self::Paper296x128];

    /// Pixels from left to right; a multiple of eight.
    #[must_use]
    pub const fn width(self) -> u32 {
        match self {
            Self::Oled128x64 | Self::Oled128x32 => 128,
            Self::Paper296x128 => 296,
        }
    }

    /// Whether ink shines on a dark ground, as on an OLED, or is black on a white one.
    #[must_use]
    pub const fn ink_shines(self) -> bool {
        match self {
            Self::Oled128x64 | Self::Oled128x32 => true,
            Self::Paper296x128 => false,
        }
    }

    /// Pixels from top to bottom; a multiple of eight.
    #[must_use]
    pub const fn height(self) -> u32 {
        match self {
            Self::Oled128x64 => 64,
            Self::Oled128x32 => 32,
            Self::Paper296x128 => 128,
        }
    }
}

/// What is to be seen of a panel that sleeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asleep {
    /// Nothing: an OLED shines only while it is awake.
    Dark,
    /// The last picture, for years and without power: e-paper.
    KeepsPicture,
}

/// A panel that shows pictures.
pub trait Panel: Send {
    /// How many pixels it has.
    fn size(&self) -> PanelSize;

    /// What is to be seen of it while it sleeps.
    fn asleep(&self) -> Asleep;

    /// Shows a picture of its own size, and wakes it if it sleeps.
    ///
    /// # Errors
    /// [`DeviceError`] of [`DEVICE`], with the remedy in its words.
    fn show(&mut self, canvas: &Canvas) -> Result<(), DeviceError>;

    /// Puts it to sleep.
    ///
    /// # Errors
    /// As [`Panel::show`].
    fn sleep(&mut self) -> Result<(), DeviceError>;

    /// Brings the last picture back.
    ///
    /// # Errors
    /// As [`Panel::show`].
    fn wake(&mut self) -> Result<(), DeviceError>;

    /// How bright it shines, 0 to 255, from the next picture on. E-paper does not shine.
    fn set_contrast(&mut self, contrast: u8);
}
