//! The display at the header: OLED on the I²C pins, e-paper on the SPI pins.

use crate::drivers::oled::Oled;
use crate::drivers::ssd1680::Wires;
use crate::error::{DeviceError, FaultKind};
use crate::lines::{Lines, OutputKind, Pull, Wiring};
use crate::panel::{BusPanel, DEVICE, WiredPanel};
use crate::pi::i2c::KernelBus;
use linux_embedded_hal::spidev::{SpiModeFlags, SpidevOptions};
use linux_embedded_hal::{Delay, SpidevDevice};
use std::path::Path;

/// The SPI bus at pins 19, 23 and 24 of the header.
pub const HEADER_SPI: &str = "/dev/spidev0.0";
/// Well below the 20 MHz of the chip, for wires of some length.
const CLOCK_HZ: u32 = 4_000_000;

/// The OLED on the I²C bus at `file`, which is opened for each picture.
#[must_use]
pub fn oled(file: &Path, oled: Oled) -> BusPanel<KernelBus> {
    BusPanel::new(KernelBus::new(file), oled)
}

/// The lines of an e-paper beside its SPI bus.
#[derive(Debug, Clone)]
pub struct PaperLines {
    /// DC.
    pub data: Wiring,
    /// RST, which on most modules resets when it is low: `!GPIO17`.
    pub reset: Wiring,
    /// BUSY.
    pub busy: Wiring,
}

/// The e-paper on the SPI bus at `file`, with its other lines from `lines`.
///
/// # Errors
/// [`DeviceError`] of [`DEVICE`] when there is no such bus or line.
pub fn paper(
    file: &Path,
    lines: &dyn Lines,
    wiring: &PaperLines,
) -> Result<WiredPanel<SpidevDevice, Delay>, DeviceError> {
    let spi = open(file).map_err(|e| {
        let file = file.display();
        let message = format!(
            "cannot open {file}; switch SPI on (`dtparam=spi=on` in config.txt), or allow it for the agent's group"
        );
        DeviceError::new(DEVICE, FaultKind::Absent, message).caused_by(e)
    })?;
    Ok(WiredPanel::new(Wires {
        spi,
        data: lines.output(DEVICE, &wiring.data, OutputKind::Switch)?,
        reset: lines.output(DEVICE, &wiring.reset, OutputKind::Switch)?,
        // A line that hangs loose says that nothing works there.
        busy: lines.input(DEVICE, &wiring.busy, Pull::Down)?,
        delay: Delay,
    }))
}

fn open(file: &Path) -> std::io::Result<SpidevDevice> {
    let mut spi = SpidevDevice::open(file).map_err(|e| std::io::Error::other(format!("{e:?}")))?;
    let options = SpidevOptions::new()
        .bits_per_word(8)
        .max_speed_hz(CLOCK_HZ)
        .mode(SpiModeFlags::SPI_MODE_0)
        .build();
    spi.configure(&options)?;
    Ok(spi)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drivers::oled::{ADDRESS, OledChip};
    use crate::panel::{Canvas, Panel, PanelSize};

    #[test]
    fn without_the_bus_the_remedy_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let size = PanelSize::Oled128x64;
        let part = Oled::new(OledChip::Ssd1306, size, ADDRESS);
        let mut panel = oled(&folder.path().join("i2c-1"), part);
        let fault = panel.show(&Canvas::new(size)).unwrap_err();
        assert_eq!((fault.device, fault.kind), (DEVICE, FaultKind::Absent));
        assert!(fault.message.contains("dtparam=i2c_arm=on"), "{fault}");

        let wiring = PaperLines {
            data: "GPIO25".parse().unwrap(),
            reset: "!GPIO17".parse().unwrap(),
            busy: "GPIO24".parse().unwrap(),
        };
        let lines = crate::lines::fake::FakeLines::default();
        let fault = paper(&folder.path().join("spidev0.0"), &lines, &wiring)
            .err()
            .unwrap();
        assert!(fault.message.contains("dtparam=spi=on"), "{fault}");
    }
}
