//! An OLED on a bus that is opened for each picture, as the sensors' is.

use super::{Asleep, Canvas, DEVICE, Panel, PanelSize};
use crate::bus_sensors::OpenBus;
use crate::drivers::BusError;
use crate::drivers::oled::Oled;
use crate::error::DeviceError;

/// An OLED and the bus that it sits on.
#[derive(Debug)]
pub struct BusPanel<O> {
    open: O,
    oled: Oled,
    last: Option<Canvas>,
}

impl<O: OpenBus> BusPanel<O> {
    /// The display on the bus that `open` opens; nothing is said to it yet.
    pub fn new(open: O, oled: Oled) -> Self {
        Self {
            open,
            oled,
            last: None,
        }
    }

    /// Lets the display speak on the opened bus, and puts its failure in words.
    fn speak(
        &mut self,
        words: impl FnOnce(
            &mut Oled,
            &mut O::Bus,
        )
            -> Result<(), BusError<<O::Bus as embedded_hal::i2c::ErrorType>::Error>>,
    ) -> Result<(), DeviceError> {
        let (mut bus, _) = self.open.open(DEVICE)?;
        let said = words(&mut self.oled, &mut bus);
        said.map_err(|e| e.at(DEVICE, self.oled.chip().name(), self.oled.address()))
    }
}

impl<O: OpenBus + Send> Panel for BusPanel<O> {
    fn size(&self) -> PanelSize {
        self.oled.size()
    }

    fn asleep(&self) -> Asleep {
        Asleep::Dark
    }

    fn show(&mut self, canvas: &Canvas) -> Result<(), DeviceError> {
        self.last = Some(canvas.clone());
        self.speak(|oled, bus| oled.show(bus, canvas))
    }

    fn sleep(&mut self) -> Result<(), DeviceError> {
        self.speak(Oled::sleep)
    }

    fn wake(&mut self) -> Result<(), DeviceError> {
        match self.last.take() {
            Some(last) => self.show(&last),
            None => Ok(()),
        }
    }

    fn set_contrast(&mut self, contrast: u8) {
        self.oled.set_contrast(contrast);
    }
}
