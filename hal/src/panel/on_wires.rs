//! E-paper on SPI and three lines.

use super::{Asleep, Canvas, Panel, PanelSize};
use crate::drivers::ssd1680::{Paper, PaperFault, SIZE, Wires};
use crate::error::DeviceError;
use embedded_hal::delay::DelayNs;
use embedded_hal::spi::SpiDevice;

/// E-paper and what is on it.
pub struct WiredPanel<S, D> {
    paper: Paper<S, D>,
    /// The picture on the glass, which is not drawn twice: each drawing
    /// flickers for seconds and wears the paper.
    on_glass: Option<Canvas>,
}

impl<S: SpiDevice, D: DelayNs> WiredPanel<S, D> {
    /// The panel at `wires`; nothing is said to it yet.
    pub fn new(wires: Wires<S, D>) -> Self {
        Self {
            paper: Paper::new(wires),
            on_glass: None,
        }
    }

    fn draw(&mut self, canvas: &Canvas) -> Result<(), DeviceError> {
        self.on_glass = None;
        self.paper.show(canvas).map_err(PaperFault::in_words)?;
        self.on_glass = Some(canvas.clone());
        Ok(())
    }
}

impl<S: SpiDevice + Send, D: DelayNs + Send> Panel for WiredPanel<S, D> {
    fn size(&self) -> PanelSize {
        SIZE
    }

    fn asleep(&self) -> Asleep {
        Asleep::KeepsPicture
    }

    fn show(&mut self, canvas: &Canvas) -> Result<(), DeviceError> {
        if self.on_glass.as_ref() == Some(canvas) {
            return Ok(());
        }
        self.draw(canvas)
    }

    fn sleep(&mut self) -> Result<(), DeviceError> {
        // The chip sleeps after each picture.
        Ok(())
    }

    /// Draws the last picture once more, for a panel that was swapped.
    fn wake(&mut self) -> Result<(), DeviceError> {
        match self.on_glass.take() {
            Some(picture) => self.draw(&picture),
            None => Ok(()),
        }
    }

    fn set_contrast(&mut self, _contrast: u8) {}
}
