//! What sits on a bus: which address answers, and which part that is.
//!
//! Nothing here changes a part. An address is first only read from, one byte;
//! registers are asked for only where every part that is known to live at the
//! address takes the question as a question. (One byte written to a port
//! expander at 0x38 switches its outputs, for example, so there nothing is
//! written.) A part that answers only after a command, as Sensirion's do, is
//! asked for its status or its serial number.

mod identify;

use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::{Error as _, ErrorKind, I2c};
use std::fmt;

/// The addresses that parts may have; the others are reserved.
const ADDRESSES: std::ops::RangeInclusive<u8> = 0x08..=0x77;
/// After this many transfers that the bus did not carry, it is taken to hang.
const HANGS_MAX: u32 = 2;

/// What was found on one bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// The bus, in words: a path on a Pi.
    pub bus: String,
    /// What answers, by address.
    pub found: Vec<Found>,
    /// Whether the bus hung before the last address was asked.
    pub hangs: bool,
}

/// An address that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The address.
    pub address: u8,
    /// What is there.
    pub what: What,
}

/// What is at an address, and how that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The part said so itself, by an id, a checksum or a register that no
    /// other part fills like that.
    Known(&'static str),
    /// Parts that are usual at this address, none of which can be asked.
    Likely(&'static str),
    /// A driver of the kernel holds the address.
    Kernel {
        /// Its name, where the kernel tells it.
        driver: Option<String>,
    },
    /// Something that is not in the list of parts.
    Unknown,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(part) => write!(f, "{part}"),
            Self::Likely(parts) => write!(f, "probably {parts}; it cannot be asked"),
            Self::Kernel { driver: None } => write!(f, "in use by a driver of the kernel"),
            Self::Kernel { driver: Some(name) } => {
                write!(f, "{name}, in use by a driver of the kernel")
            }
            Self::Unknown => write!(f, "something that Trapline does not know"),
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#04x}  {}", self.address, self.what)
    }
}

impl fmt::Display for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.bus)?;
        for found in &self.found {
            writeln!(f, "  {found}")?;
        }
        if self.hangs {
            writeln!(f, "  the bus hangs; unplug its parts one after another")?;
        } else if self.found.is_empty() {
            writeln!(f, "  nothing answers; check plug, supply and wires")?;
        }
        Ok(())
    }
}

/// Whether something is at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    Answers,
    Silent,
    Held,
    Hangs,
}

/// Asks every address of `bus`, in well under a second when the bus is well.
///
/// `is_held` says whether a failure means that the address is kept for somebody else.
pub fn scan<B: I2c, D: DelayNs>(
    name: &str,
    bus: &mut B,
    delay: &mut D,
    is_held: impl Fn(&B::Error) -> bool,
) -> Scan {
    let mut scan = Scan {
        bus: name.to_owned(),
        found: Vec::new(),
        hangs: false,
    };
    let mut hangs = 0;
    for address in ADDRESSES {
        let what = match presence(bus, address, &is_held) {
            Presence::Answers => identify::identify(bus, delay, address),
            Presence::Silent => identify::identify_silent(bus, delay, address),
            Presence::Held => Some(What::Kernel { driver: None }),
            Presence::Hangs => {
                hangs += 1;
                None
            }
        };
        scan.found.extend(what.map(|what| Found { address, what }));
        if hangs >= HANGS_MAX {
            scan.hangs = true;
            break;
        }
    }
    scan
}

fn presence<B: I2c>(bus: &mut B, address: u8, is_held: impl Fn(&B::Error) -> bool) -> Presence {
    let Err(failure) = bus.read(address, &mut [0]) else {
        return Presence::Answers;
    };
    if is_held(&failure) {
        return Presence::Held;
    }
    if matches!(failure.kind(), ErrorKind::Bus | ErrorKind::ArbitrationLoss) {
        return Presence::Hangs;
    }
    Presence::Silent
}

#[cfg(test)]
mod tests;
