//! The lines of a Raspberry Pi's header through rppal: the only file that names it.
//!
//! rppal writes the chip's registers, so no other program is kept from a line
//! that we have, and the chip forgets nothing when we end. Its software PWM
//! turns a thread at [`SOFT_PWM_HZ`], which is enough for the eye and for a light
//! that attracts; under it a picture of less than a tenth of a second gets
//! bands, so a flash is dimmed by a PWM channel or not at all.

use crate::error::{DeviceError, FaultKind};
use crate::lines::{Edge, Input, Level, Output, OutputKind, Pull};
use rppal::gpio::{self, Gpio, InputPin, OutputPin, Trigger};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

/// Twice a period the thread spins for 0.2 ms, so a higher frequency costs the processor.
const SOFT_PWM_HZ: f64 = 120.0;
/// Edges that nobody has read yet; a contact that bounces gives some dozens.
const EDGES_MAX: usize = 256;

/// The header.
pub(super) struct RppalLines {
    gpio: Gpio,
}

impl RppalLines {
    /// Opens the chip's registers.
    pub(super) fn open() -> Result<Self, String> {
        let gpio = Gpio::new().map_err(|e| e.to_string())?;
        Ok(Self { gpio })
    }

    pub(super) fn output(
        &self,
        device: &'static str,
        number: u8,
        active_low: bool,
        kind: OutputKind,
    ) -> Result<Box<dyn Output>, DeviceError> {
        let pin = self
            .gpio
            .get(number)
            .map_err(|e| fault(device, number, e))?;
        let mut pin = if active_low {
            pin.into_output_high()
        } else {
            pin.into_output_low()
        };
        // As an input again, a lamp's line would float.
        pin.set_reset_on_drop(false);
        Ok(Box::new(HeaderOutput {
            device,
            pin,
            active_low,
            kind,
        }))
    }

    pub(super) fn input(
        &self,
        device: &'static str,
        number: u8,
        active_low: bool,
        pull: Pull,
    ) -> Result<Box<dyn Input>, DeviceError> {
        let failed = |e| fault(device, number, e);
        let pin = self.gpio.get(number).map_err(failed)?;
        let mut pin = match pull {
            Pull::Not => pin.into_input(),
            Pull::Up => pin.into_input_pullup(),
            Pull::Down => pin.into_input_pulldown(),
        };
        let (heard, edges) = sync_channel(EDGES_MAX);
        // rppal waits on one line at a time, but each line may have its own thread.
        pin.set_async_interrupt(Trigger::Both, None, move |event| {
            let rising = event.trigger == Trigger::RisingEdge;
            let at_ms = u64::try_from(event.timestamp.as_millis()).unwrap_or(u64::MAX);
            let active = rising != active_low;
            // Where nobody reads, edges are lost; the reader asks how the line is.
            heard.try_send(Edge { active, at_ms }).ok();
        })
        .map_err(failed)?;
        Ok(Box::new(HeaderInput {
            device,
            pin,
            active_low,
            edges,
        }))
    }
}

struct HeaderOutput {
    device: &'static str,
    pin: OutputPin,
    active_low: bool,
    kind: OutputKind,
}

impl Output for HeaderOutput {
    fn set(&mut self, level: Level) -> Result<(), DeviceError> {
        let number = self.pin.pin();
        let is_between = level.is_on() && level != Level::FULL;
        if is_between && self.dims() {
            let lit = f64::from(level.permille()) / f64::from(Level::FULL.permille());
            let high = if self.active_low { 1.0 - lit } else { lit };
            let set = self.pin.set_pwm_frequency(SOFT_PWM_HZ, high);
            return set.map_err(|e| fault(self.device, number, e));
        }
        // The thread would go on writing its own levels. It fails to end only if it is gone.
        self.pin.clear_pwm().ok();
        if level.is_on() == self.active_low {
            self.pin.set_low();
        } else {
            self.pin.set_high();
        }
        Ok(())
    }

    fn dims(&self) -> bool {
        self.kind == OutputKind::Dimmable
    }
}

impl Drop for HeaderOutput {
    fn drop(&mut self) {
        self.set(Level::OFF).ok();
    }
}

struct HeaderInput {
    device: &'static str,
    pin: InputPin,
    active_low: bool,
    edges: Receiver<Edge>,
}

impl Input for HeaderInput {
    fn is_active(&mut self) -> Result<bool, DeviceError> {
        Ok(self.pin.is_high() != self.active_low)
    }

    fn next_edge(&mut self, within_ms: u64) -> Result<Option<Edge>, DeviceError> {
        match self.edges.recv_timeout(Duration::from_millis(within_ms)) {
            Ok(edge) => Ok(Some(edge)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => {
                let message = format!("GPIO{} is watched no more", self.pin.pin());
                Err(DeviceError::new(self.device, FaultKind::Transient, message))
            }
        }
    }
}

fn fault(device: &'static str, number: u8, error: gpio::Error) -> DeviceError {
    let (kind, words) = match &error {
        gpio::Error::PinUsed(_) => (
            FaultKind::Busy,
            "is given to two devices; look at the wiring in the settings",
        ),
        gpio::Error::PinNotAvailable(_) => (FaultKind::Absent, "is no line of this board"),
        gpio::Error::PermissionDenied(_) => (
            FaultKind::Absent,
            "may not be opened; the agent's user must be in the group `gpio`",
        ),
        gpio::Error::UnknownModel | gpio::Error::ThreadPanic | gpio::Error::Io(_) => {
            (FaultKind::Transient, "cannot be used")
        }
    };
    DeviceError::new(device, kind, format!("GPIO{number} {words}")).caused_by(error)
}
