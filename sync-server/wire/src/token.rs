//! A token on a card, `trapt_<id>_<entropy><checksum>`: whoever holds it may
//! enrol so many traps until such a day.
//!
//! The id names it in lists, the rest is a secret like a trap's key, and the
//! checksum finds a typing error before the card goes into the field.

use crate::key::{BadKey, id_of, written};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

const PREFIX: &str = "trapt";

/// A whole token. Its `Debug` and `Display` hide the secret; its JSON does not.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EnrolToken {
    id: String,
    text: String,
}

/// Why a text is no token; never repeats the text, which may be nearly a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadToken {
    /// The text does not have the form of a token.
    #[error("an enrolment token has the form `trapt_<id>_<secret>`; this is something else")]
    Form,
    /// A character was mistyped or lost.
    #[error("the enrolment token's checksum does not fit: a character was mistyped or lost")]
    Checksum,
}

impl EnrolToken {
    /// A new token from 25 random bytes: 5 for the id, 20 for the secret.
    #[must_use]
    pub fn from_random(random: &[u8; 25]) -> Self {
        let (id, text) = written(PREFIX, random);
        Self { id, text }
    }

    /// Its name in lists, eight characters.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The whole token: for the card, and for showing once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// What the server keeps: the SHA-256 of the token, enough against 160 random bits.
    #[must_use]
    pub fn fingerprint(&self) -> crate::Sha256 {
        crate::Sha256::of(self.text.as_bytes())
    }
}

impl FromStr for EnrolToken {
    type Err = BadToken;

    fn from_str(text: &str) -> Result<Self, BadToken> {
        let id = id_of(PREFIX, text).map_err(|error| match error {
            BadKey::Form => BadToken::Form,
            BadKey::Checksum => BadToken::Checksum,
        })?;
        Ok(Self {
            id: id.as_str().to_owned(),
            text: text.to_owned(),
        })
    }
}

impl TryFrom<String> for EnrolToken {
    type Error = BadToken;

    fn try_from(text: String) -> Result<Self, BadToken> {
        text.parse()
    }
}

impl From<EnrolToken> for String {
    fn from(token: EnrolToken) -> Self {
        token.text
    }
}

impl fmt::Debug for EnrolToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EnrolToken({self})")
    }
}

impl fmt::Display for EnrolToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "trapt_{}_…", self.id)
    }
}
