//! Single lines of the trap: what is switched, dimmed or watched.
//!
//! Two backends give them, chosen at start (`pi/gpio.rs`). All here is about
//! *on* and *active*: that a lamp is on when its line is low is said once, in
//! its [`Wiring`], and forgotten.

use crate::error::DeviceError;
use rustix::time::{ClockId, clock_gettime};
use std::fmt;
use std::str::FromStr;

#[cfg(test)]
pub(crate) mod fake;

/// How bright, in thousandths; a line that cannot be dimmed is on at any level but 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level(u16);

impl Level {
    /// Dark.
    pub const OFF: Self = Self(0);
    /// As bright as it gets.
    pub const FULL: Self = Self(1_000);

    /// A level of 0 to 1000 thousandths.
    #[must_use]
    pub fn new(permille: u16) -> Option<Self> {
        (permille <= Self::FULL.0).then_some(Self(permille))
    }

    /// In thousandths.
    #[must_use]
    pub fn permille(self) -> u16 {
        self.0
    }

    /// Whether anything is lit at all.
    #[must_use]
    pub fn is_on(self) -> bool {
        self != Self::OFF
    }
}

/// Where a line comes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A line by the kernel's name of it: `GPIO17`.
    Named(String),
    /// A line by its chip and its number there: `gpiochip0:17`.
    Numbered {
        /// The chip, as it is called in `/dev`.
        chip: String,
        /// The line's number on it.
        offset: u32,
    },
    /// A channel of a PWM chip: `pwmchip0:1`.
    Pwm {
        /// The chip's number.
        chip: u32,
        /// The channel's number on it.
        channel: u32,
    },
}

/// A line and which of its levels means *on*; `!GPIO17` is on when it is low.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wiring {
    /// Where it is.
    pub place: Place,
    /// Whether low is on.
    pub active_low: bool,
}

/// What a line is called wrongly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no line; write `GPIO17`, `gpiochip0:17` or `pwmchip0:1`, with `!` before it if it is on when low"
)]
pub struct NoLine(String);

impl FromStr for Wiring {
    type Err = NoLine;

    fn from_str(text: &str) -> Result<Self, NoLine> {
        let wrong = || NoLine(text.to_owned());
        let bare = text.strip_prefix('!');
        let name = bare.unwrap_or(text);
        let is_plain = |c: char| c.is_ascii_graphic() && c != '!' && c != '/';
        if name.is_empty() || !name.chars().all(is_plain) {
            return Err(wrong());
        }
        let numbered = name.rsplit_once(':').filter(|(chip, _)| {
            let digits = chip.trim_start_matches(|c: char| c.is_ascii_lowercase());
            !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit())
        });
        let place = match numbered {
            Some((chip, number)) if chip.starts_with("pwmchip") => Place::Pwm {
                chip: chip
                    .trim_start_matches("pwmchip")
                    .parse()
                    .map_err(|_| wrong())?,
                channel: number.parse().map_err(|_| wrong())?,
            },
            Some((chip, number)) if chip.starts_with("gpiochip") => Place::Numbered {
                chip: chip.to_owned(),
                offset: number.parse().map_err(|_| wrong())?,
            },
            _ => Place::Named(name.to_owned()),
        };
        Ok(Self {
            place,
            active_low: bare.is_some(),
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::Numbered { chip, offset } => write!(f, "{chip}:{offset}"),
            Self::Pwm { chip, channel } => write!(f, "pwmchip{chip}:{channel}"),
        }
    }
}

impl fmt::Display for Wiring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.active_low { "!" } else { "" };
        write!(f, "{mark}{}", self.place)
    }
}

/// What an input is pulled to while nothing drives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pull {
    /// Nothing: something always drives it.
    Not,
    /// High, as for a button to ground.
    Up,
    /// Low.
    Down,
}

/// What is wanted of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputKind {
    /// On and off.
    Switch,
    /// Levels between, if there is a way; [`Output::dims`] says whether there is.
    Dimmable,
}

/// A line that became active or inactive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// Whether it is active since.
    pub active: bool,
    /// When, in milliseconds of the kernel's monotonic clock.
    pub at_ms: u64,
}

impl Edge {
    /// How long ago it was, in milliseconds; 0 for one that claims to be yet to come.
    #[must_use]
    pub fn age_ms(&self) -> u64 {
        let now = clock_gettime(ClockId::Monotonic);
        let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
        let millis = u64::try_from(now.tv_nsec / 1_000_000).unwrap_or(0);
        let now_ms = seconds.saturating_mul(1_000).saturating_add(millis);
        now_ms.saturating_sub(self.at_ms)
    }
}

/// A line that is switched. Off when it is opened, and off when it is dropped.
pub trait Output: Send {
    /// Sets it.
    ///
    /// # Errors
    /// [`DeviceError`] when the line did not take it.
    fn set(&mut self, level: Level) -> Result<(), DeviceError>;

    /// Whether levels between off and full differ from full.
    fn dims(&self) -> bool;
}

/// A line that is watched.
pub trait Input: Send {
    /// How it is now.
    ///
    /// # Errors
    /// [`DeviceError`] when it cannot be read.
    fn is_active(&mut self) -> Result<bool, DeviceError>;

    /// Waits for its next edge, at most `within_ms`; `None` when none came.
    ///
    /// # Errors
    /// [`DeviceError`] when it cannot be watched.
    fn next_edge(&mut self, within_ms: u64) -> Result<Option<Edge>, DeviceError>;
}

/// Whatever has lines.
pub trait Lines: Send {
    /// Takes a line as an output that is off, on behalf of `device`.
    ///
    /// # Errors
    /// [`DeviceError`] of `device` when there is no such line or somebody else has it.
    fn output(
        &self,
        device: &'static str,
        wiring: &Wiring,
        kind: OutputKind,
    ) -> Result<Box<dyn Output>, DeviceError>;

    /// Takes a line as an input, on behalf of `device`.
    ///
    /// # Errors
    /// [`DeviceError`] of `device` when there is no such line or somebody else has it.
    fn input(
        &self,
        device: &'static str,
        wiring: &Wiring,
        pull: Pull,
    ) -> Result<Box<dyn Input>, DeviceError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_written_as_it_is_read() {
        let lines = [
            ("GPIO17", Place::Named("GPIO17".to_owned()), false),
            ("!GPIO17", Place::Named("GPIO17".to_owned()), true),
            ("PA7:x", Place::Named("PA7:x".to_owned()), false),
            (
                "gpiochip4:17",
                Place::Numbered {
                    chip: "gpiochip4".to_owned(),
                    offset: 17,
                },
                false,
            ),
            (
                "!pwmchip0:1",
                Place::Pwm {
                    chip: 0,
                    channel: 1,
                },
                true,
            ),
        ];
        for (text, place, active_low) in lines {
            let wiring: Wiring = text.parse().unwrap();
            assert_eq!(wiring, Wiring { place, active_low }, "{text}");
            assert_eq!(wiring.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_line_is_refused_with_examples() {
        for text in [
            "",
            "!",
            "!!GPIO1",
            "GPIO 17",
            "gpiochip0:x",
            "pwmchip0:",
            "dev/gpiochip0:3",
        ] {
            let wrong = text.parse::<Wiring>().unwrap_err().to_string();
            assert!(wrong.contains("`GPIO17`"), "{text}: {wrong}");
        }
    }

    #[test]
    fn an_edge_is_as_old_as_the_clock_says() {
        let edge = |at_ms| Edge {
            active: true,
            at_ms,
        };
        assert_eq!(edge(u64::MAX).age_ms(), 0, "not yet");
        assert!(edge(0).age_ms() > 0, "since the clock began");
    }

    #[test]
    fn a_level_is_a_thousandth() {
        assert_eq!(Level::new(1_000), Some(Level::FULL));
        assert_eq!(Level::new(1_001), None);
        assert!(!Level::OFF.is_on() && Level::new(1).is_some_and(Level::is_on));
    }
}
