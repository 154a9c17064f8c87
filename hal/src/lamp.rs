//! Lamps: the flash and the light that attracts, dark whatever happens to the trap's program.
//!
//! A lamp that stays on empties the battery in a night, and a flash made for
//! seconds may burn. So the trap's program, which may be killed at any moment,
//! never holds a lamp's line itself. A guard does, a small process of its own:
//!
//! ```text
//!  trapline-agent run                          trapline-agent lamp-guard …
//!    Lamp ── "on 1000 5000", "off" ──pipe──▶  guard::keep ──▶ the line
//!         ◀─ "done", "done by-limit" ─pipe──
//! ```
//!
//! The guard puts the lamp out when it is told to, when the maximum on-time is
//! over, when somebody asks it to end, and when the pipe closes; and the kernel
//! closes the pipe however the other side dies. No other child of the trap's
//! program has that pipe. The guard's own limit holds even against its owner:
//! a lamp that is on does not stay on longer by being switched on again.
//!
//! What the guard cannot outlive is being killed itself. If only it dies, its
//! owner starts another at the next command or [`Lamp::check`], which begins with darkness. If
//! both are killed in one moment, as by the last resort of a service manager,
//! the line keeps its level: Raspberry Pi kernels leave a released line as it
//! was. For that the service runs `put_out` (`pi/lamp_guard.rs`) after its
//! end, and a resistor that pulls the lamp's switch to off belongs into the wiring.

use crate::error::DeviceError;
use crate::lines::{Level, NoLine, OutputKind, Wiring};
use std::str::FromStr;

pub mod guard;
mod owner;
mod pipe;
mod words;

pub use owner::{Lamp, Lit, PutOut};

/// A lamp as the trap uses it. Dropping it leaves it dark.
pub trait Light: Send {
    /// Lights it, for `max_on_ms` at the most. One that is on keeps the end that it had.
    ///
    /// # Errors
    /// [`DeviceError`] when it is not lit; it is dark then.
    fn on(&mut self, level: Level, max_on_ms: u64) -> Result<PutOut, DeviceError>;

    /// Puts it out.
    ///
    /// # Errors
    /// [`DeviceError`] when nobody can say that it is dark.
    fn off(&mut self) -> Result<PutOut, DeviceError>;

    /// Makes sure that it could be lit, and that somebody would put it out.
    ///
    /// # Errors
    /// [`DeviceError`] when that was not so, or is not.
    fn tend(&mut self) -> Result<(), DeviceError>;
}

impl Light for Lamp {
    fn on(&mut self, level: Level, max_on_ms: u64) -> Result<PutOut, DeviceError> {
        Self::on(self, level, max_on_ms)
    }

    fn off(&mut self) -> Result<PutOut, DeviceError> {
        Self::off(self)
    }

    fn tend(&mut self) -> Result<(), DeviceError> {
        self.open()?;
        self.check()
    }
}

/// What a guard guards, as it is said on its command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The lamp's line.
    pub wiring: Wiring,
    /// Whether levels between are wanted.
    pub kind: OutputKind,
    /// No command makes the lamp stay on longer than this, in milliseconds.
    pub cap_ms: u64,
}

/// What an order lacks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoOrder {
    /// The line is none.
    #[error(transparent)]
    Line(#[from] NoLine),
    /// Something else is missing or wrong.
    #[error(
        "a lamp's guard is started with a line, `switch` or `dim`, and its maximum on-time in milliseconds"
    )]
    Words,
}

impl Order {
    /// The order as arguments, after those that choose the guard.
    #[must_use]
    pub fn to_args(&self) -> [String; 3] {
        let kind = match self.kind {
            OutputKind::Switch => "switch",
            OutputKind::Dimmable => "dim",
        };
        [
            self.wiring.to_string(),
            kind.to_owned(),
            self.cap_ms.to_string(),
        ]
    }

    /// The order from its arguments.
    ///
    /// # Errors
    /// [`NoOrder`] with what is wrong.
    pub fn from_args<S: AsRef<str>>(args: &[S]) -> Result<Self, NoOrder> {
        let [wiring, kind, cap_ms] = args else {
            return Err(NoOrder::Words);
        };
        Ok(Self {
            wiring: Wiring::from_str(wiring.as_ref())?,
            kind: match kind.as_ref() {
                "switch" => OutputKind::Switch,
                "dim" => OutputKind::Dimmable,
                _ => return Err(NoOrder::Words),
            },
            cap_ms: cap_ms.as_ref().parse().map_err(|_| NoOrder::Words)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_survives_the_command_line() {
        for kind in [OutputKind::Switch, OutputKind::Dimmable] {
            let order = Order {
                wiring: "!gpiochip0:18".parse().unwrap(),
                kind,
                cap_ms: 5_000,
            };
            assert_eq!(Order::from_args(&order.to_args()), Ok(order));
        }
    }

    #[test]
    fn half_an_order_is_none() {
        for args in [
            &["GPIO18"][..],
            &["GPIO18", "dim", "soon"],
            &["GPIO18", "glow", "5"],
        ] {
            assert_eq!(Order::from_args(args), Err(NoOrder::Words));
        }
        let no_line = Order::from_args(&["GPIO 18", "dim", "5"]).unwrap_err();
        assert!(matches!(no_line, NoOrder::Line(_)));
    }
}
