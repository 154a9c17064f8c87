//! A trap's key, `trapk_<id>_<entropy><checksum>`.
//!
//! The id says which trap it is, 160 random bits make it a secret, and the
//! checksum lets `trapline-agent config check` find a typing error on the card
//! before anybody climbs a tree.

use crate::ids::TrapId;
use sha2::Digest as _;
use std::fmt;
use std::str::FromStr;

pub(crate) const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const PREFIX: &str = "trapk";
const ENTROPY_CHARS: usize = 32;
const CHECKSUM_CHARS: usize = 6;

/// A whole key, as the trap holds it. Its `Debug` and `Display` hide the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct TrapKey {
    trap: TrapId,
    text: String,
}

/// Why a text is no trap key; never repeats the text, which may be nearly a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// The text does not have the form of a key.
    #[error("a trap key has the form `trapk_<id>_<secret>`; this is something else")]
    Form,
    /// A character was mistyped or lost.
    #[error("the trap key's checksum does not fit: a character was mistyped or lost")]
    Checksum,
}

impl TrapKey {
    /// A new key from 25 random bytes: 5 for the id, 20 for the secret.
    #[must_use]
    pub fn from_random(random: &[u8; 25]) -> Self {
        let (id, text) = written(PREFIX, random);
        Self {
            trap: TrapId::try_from(id).expect("five bytes are eight characters"),
            text,
        }
    }

    /// The trap whose key this is.
    #[must_use]
    pub fn trap(&self) -> &TrapId {
        &self.trap
    }

    /// The whole key: for the header of a request and for showing once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// What the server keeps: the SHA-256 of the key, enough against 160 random bits.
    #[must_use]
    pub fn fingerprint(&self) -> crate::Sha256 {
        crate::Sha256::of(self.text.as_bytes())
    }
}

impl FromStr for TrapKey {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        Ok(Self {
            trap: id_of(PREFIX, text)?,
            text: text.to_owned(),
        })
    }
}

impl fmt::Debug for TrapKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrapKey({self})")
    }
}

impl fmt::Display for TrapKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "trapk_{}_…", self.trap)
    }
}

/// The id and the whole text of a secret that begins with `prefix`: 5 bytes for the id,
/// 20 for the secret, and a checksum over both.
pub(crate) fn written(prefix: &str, random: &[u8; 25]) -> (String, String) {
    let (id_bytes, secret_bytes) = random.split_at(5);
    let id = base32(id_bytes);
    let stem = format!("{prefix}_{id}_{}", base32(secret_bytes));
    let text = format!("{stem}{}", checksum(&stem));
    (id, text)
}

/// The id of a secret in the form of [`written`].
pub(crate) fn id_of(prefix: &str, text: &str) -> Result<TrapId, BadKey> {
    let rest = text.strip_prefix(prefix).and_then(|r| r.strip_prefix('_'));
    let (id, secret) = rest.and_then(|r| r.split_once('_')).ok_or(BadKey::Form)?;
    let id: TrapId = id.parse().map_err(|_| BadKey::Form)?;
    let alphabet_only = secret.bytes().all(|b| ALPHABET.contains(&b));
    if secret.len() != ENTROPY_CHARS + CHECKSUM_CHARS || !alphabet_only {
        return Err(BadKey::Form);
    }
    let (stem, sum) = text
        .split_at_checked(text.len() - CHECKSUM_CHARS)
        .ok_or(BadKey::Form)?;
    if checksum(stem) == sum {
        Ok(id)
    } else {
        Err(BadKey::Checksum)
    }
}

fn checksum(stem: &str) -> String {
    let mut text = base32(&sha2::Sha256::digest(stem.as_bytes()));
    text.truncate(CHECKSUM_CHARS);
    text
}

/// RFC 4648 base32 in lower case, without padding.
pub(crate) fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut held, mut held_bits) = (0_u32, 0_u32);
    for &byte in bytes {
        held = (held << 8) | u32::from(byte);
        held_bits += 8;
        while held_bits >= 5 {
            held_bits -= 5;
            text.push(letter(held >> held_bits));
        }
        held &= (1 << held_bits) - 1;
    }
    if held_bits > 0 {
        text.push(letter(held << (5 - held_bits)));
    }
    text
}

fn letter(value: u32) -> char {
    ALPHABET
        .iter()
        .copied()
        .map(char::from)
        .nth((value & 31) as usize)
        .unwrap_or('a')
}
