//! The front that the settings name: display, button, LED and trigger. Nothing
//! is opened before the front runs, and what fails then is a fault like any other.

use crate::config::front::{ButtonConfig, DisplayConfig, FrontConfig, LedConfig, TriggerConfig};
use crate::front::{FrontDevices, OpenInput, OpenOutput, OpenPanel};

/// What opens the devices.
pub(super) fn front(config: &FrontConfig) -> FrontDevices {
    FrontDevices {
        panel: config.display.clone().map(panel),
        button: config.button.clone().map(button),
        led: config.led.clone().map(led),
        trigger: config.trigger.clone().map(trigger),
    }
}

fn panel(config: DisplayConfig) -> OpenPanel {
    Box::new(move || wired::panel(&config))
}

fn button(ButtonConfig { line, pull, .. }: ButtonConfig) -> OpenInput {
    Box::new(move || wired::input("button", &line, pull))
}

fn led(LedConfig { line, .. }: LedConfig) -> OpenOutput {
    Box::new(move || wired::output("led", &line))
}

fn trigger(TriggerConfig { line, pull, .. }: TriggerConfig) -> OpenInput {
    Box::new(move || wired::input("trigger", &line, pull))
}

#[cfg(feature = "pi")]
mod wired {
    use crate::config::front::{DisplayConfig, DisplayKind};
    use std::path::Path;
    use trapline_hal::drivers::oled::Oled;
    use trapline_hal::lines::{Input, Lines as _, Output, OutputKind, Pull, Wiring};
    use trapline_hal::panel::BusPanel;
    use trapline_hal::pi::gpio::BoardLines;
    use trapline_hal::pi::i2c::KernelBus;
    use trapline_hal::pi::panel::{HEADER_SPI, PaperLines, paper};
    use trapline_hal::{DeviceError, Panel};

    pub(super) fn panel(config: &DisplayConfig) -> Result<Box<dyn Panel>, DeviceError> {
        match &config.kind {
            DisplayKind::Oled {
                chip,
                size,
                bus,
                address,
            } => {
                let oled = Oled::new(*chip, *size, *address);
                Ok(Box::new(BusPanel::new(KernelBus::numbered(*bus), oled)))
            }
            DisplayKind::Paper { data, reset, busy } => {
                let wiring = PaperLines {
                    data: data.clone(),
                    reset: reset.clone(),
                    busy: busy.clone(),
                };
                let paper = paper(Path::new(HEADER_SPI), &lines(), &wiring)?;
                Ok(Box::new(paper))
            }
        }
    }

    pub(super) fn input(
        device: &'static str,
        line: &Wiring,
        pull: Pull,
    ) -> Result<Box<dyn Input>, DeviceError> {
        lines().input(device, line, pull)
    }

    pub(super) fn output(
        device: &'static str,
        line: &Wiring,
    ) -> Result<Box<dyn Output>, DeviceError> {
        lines().output(device, line, OutputKind::Switch)
    }

    fn lines() -> BoardLines {
        let lines = BoardLines::open();
        log::debug!("{}", lines.reason());
        lines
    }
}

#[cfg(not(feature = "pi"))]
mod wired {
    use crate::config::front::DisplayConfig;
    use trapline_hal::lines::{Input, Output, Pull, Wiring};
    use trapline_hal::panel::DEVICE;
    use trapline_hal::{DeviceError, FaultKind, Panel};

    const WHY: &str =
        "this program was built without buses and lines; build it with `--features pi`";

    fn refused(device: &'static str) -> DeviceError {
        DeviceError::new(device, FaultKind::Absent, WHY)
    }

    pub(super) fn panel(_config: &DisplayConfig) -> Result<Box<dyn Panel>, DeviceError> {
        Err(refused(DEVICE))
    }

    pub(super) fn input(
        device: &'static str,
        _line: &Wiring,
        _pull: Pull,
    ) -> Result<Box<dyn Input>, DeviceError> {
        Err(refused(device))
    }

    pub(super) fn output(
        device: &'static str,
        _line: &Wiring,
    ) -> Result<Box<dyn Output>, DeviceError> {
        Err(refused(device))
    }
}
