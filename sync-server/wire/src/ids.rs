//! Names of things, unique without a clock and without a network.
//!
//! A ledger draws a random [`LedgerId`] when it is created and numbers its
//! records from 1. `7f3a9c21-00000042` is therefore unique even on a trap that
//! believes it is 1970, sorts in the order of events, and a missing number
//! shows that a record is missing.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The text is not a name of the expected form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {what}: {form} is needed")]
pub struct BadId {
    what: &'static str,
    form: &'static str,
    text: String,
}

impl BadId {
    fn new(what: &'static str, form: &'static str, text: &str) -> Self {
        let text = text.chars().take(80).collect();
        Self { what, form, text }
    }
}

/// One ledger, drawn at random when the ledger is created; eight hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LedgerId(pub u32);

impl fmt::Display for LedgerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl FromStr for LedgerId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let lower_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        if text.len() == 8
            && text.chars().all(lower_hex)
            && let Ok(number) = u32::from_str_radix(text, 16)
        {
            return Ok(Self(number));
        }
        Err(BadId::new("ledger id", "eight hexadecimal digits", text))
    }
}

impl TryFrom<String> for LedgerId {
    type Error = BadId;

    fn try_from(text: String) -> Result<Self, BadId> {
        text.parse()
    }
}

impl From<LedgerId> for String {
    fn from(id: LedgerId) -> Self {
        id.to_string()
    }
}

macro_rules! record_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name {
            /// The ledger that numbered the record.
            pub ledger: LedgerId,
            /// Its number in that ledger, from 1, never reused.
            pub seq: u64,
        }

        impl $name {
            /// Record `seq` of `ledger`.
            #[must_use]
            pub fn new(ledger: LedgerId, seq: u64) -> Self {
                Self { ledger, seq }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}-{:08}", self.ledger, self.seq)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                let refuse = || BadId::new($what, "`<ledger>-<number>`", text);
                let (ledger, digits) = text.split_once('-').ok_or_else(refuse)?;
                let seq: u64 = digits.parse().map_err(|_| refuse())?;
                let id = Self { ledger: ledger.parse()?, seq };
                // One name, one spelling: `7f3a9c21-42` would be a second name of `…-00000042`.
                if id.to_string() == text { Ok(id) } else { Err(refuse()) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;

            fn try_from(text: String) -> Result<Self, BadId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    };
}

record_id!(
    /// One capture: one picture of the card with its time and readings.
    CaptureId,
    "capture id"
);
record_id!(
    /// One row of the sampling-effort ledger.
    EffortId,
    "effort id"
);
record_id!(
    /// One set of sensor readings.
    ReadingId,
    "reading id"
);
record_id!(
    /// One insect over all the pictures that show it.
    TrackId,
    "track id"
);

/// One trap as the server knows it: eight characters of `a-z2-7`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TrapId(String);

impl TrapId {
    /// The text of the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TrapId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for TrapId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        if text.len() == 8 && text.bytes().all(|b| crate::key::ALPHABET.contains(&b)) {
            return Ok(Self(text.to_owned()));
        }
        Err(BadId::new(
            "trap id",
            "eight characters of a-z and 2-7",
            text,
        ))
    }
}

impl TryFrom<String> for TrapId {
    type Error = BadId;

    fn try_from(text: String) -> Result<Self, BadId> {
        text.parse()
    }
}

impl From<TrapId> for String {
    fn from(id: TrapId) -> Self {
        id.0
    }
}
