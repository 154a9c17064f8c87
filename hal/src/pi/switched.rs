//! The supply of a device behind a line of this board.

use super::gpio::BoardLines;
use crate::error::DeviceError;
use crate::lines::Wiring;
use crate::switch::{PowerSwitch, Rest, Supply};
use linux_embedded_hal::Delay;

/// Without power for so long even what hangs in a chip's capacitors is forgotten.
const DARK_MS: u32 = 2_000;

/// A supply whose line is taken when it is first used, and again after it could not be had.
#[derive(Debug)]
pub struct SwitchedSupply {
    device: &'static str,
    wiring: Wiring,
    settle_ms: u32,
    switch: Option<PowerSwitch>,
}

impl SwitchedSupply {
    /// The supply of `device` behind `wiring`; what it feeds needs `settle_ms` to come up.
    #[must_use]
    pub fn new(device: &'static str, wiring: Wiring, settle_ms: u32) -> Self {
        Self {
            device,
            wiring,
            settle_ms,
            switch: None,
        }
    }

    fn switch(&mut self) -> Result<&mut PowerSwitch, DeviceError> {
        let taken = match self.switch.take() {
            Some(switch) => switch,
            None => PowerSwitch::open(
                &BoardLines::open(),
                self.device,
                &self.wiring,
                Rest::On,
                self.settle_ms,
            )?,
        };
        Ok(self.switch.insert(taken))
    }
}

impl Supply for SwitchedSupply {
    fn on(&mut self) -> Result<(), DeviceError> {
        self.switch()?.on(&mut Delay)
    }

    fn cycle(&mut self) -> Result<(), DeviceError> {
        self.switch()?.cycle(DARK_MS, &mut Delay)
    }
}
