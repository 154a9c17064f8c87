//! Who a trap is: an Ed25519 key pair that it makes at its first start.
//!
//! Everything else about it follows: its id and the code that a person compares
//! from the public key, its key for the server from the secret seed. So a trap
//! that never heard the server's answer asks again and is the same trap, and no
//! secret ever travels from the server to it.

use crate::{Sha256, TrapId, TrapKey, key};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Letters that nobody mistakes for each other: no I, L, O, U.
const CODE_LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CODE_CHARS: usize = 8;
// What a signature is for stands before what is signed, so that it fits nothing else.
const SIGNED_FOR: &str = "trapline enrolment v1\n";

/// The secret half.
pub struct Identity {
    seed: [u8; 32],
    pair: Ed25519KeyPair,
}

impl Identity {
    /// The identity that a seed of 32 random bytes makes; always the same one.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("a seed has 32 bytes");
        Self { seed, pair }
    }

    /// The secret seed, for keeping it.
    #[must_use]
    pub fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// The half that everybody may know.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        let bytes = self.pair.public_key().as_ref().try_into();
        PublicKey(bytes.expect("an Ed25519 public key has 32 bytes"))
    }

    /// Signs the text of an enrolment.
    #[must_use]
    pub fn sign(&self, text: &str) -> Signature {
        let signed = self.pair.sign(format!("{SIGNED_FOR}{text}").as_bytes());
        let bytes = signed.as_ref().try_into();
        Signature(bytes.expect("an Ed25519 signature has 64 bytes"))
    }

    /// The trap's key, which nobody can work out from the public half.
    #[must_use]
    pub fn trap_key(&self) -> TrapKey {
        let secret = of_words("trapline trap key v1", &self.seed);
        let id = self.public_key().id_bytes();
        let mut random = [0; 25];
        for (to, from) in random.iter_mut().zip(id.iter().chain(secret.as_bytes())) {
            *to = *from;
        }
        TrapKey::from_random(&random)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.public_key())
    }
}

/// The public half, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// The 32 raw bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The id of the trap that has this key pair.
    #[must_use]
    pub fn trap(&self) -> TrapId {
        let id = key::base32(&self.id_bytes());
        TrapId::try_from(id).expect("five bytes are eight characters")
    }

    /// What a person compares: eight characters that the trap shows and the server, too.
    #[must_use]
    pub fn code(&self) -> EnrolCode {
        let digest = of_words("trapline enrolment code v1", &self.0);
        let bits = digest.as_bytes().iter().take(5);
        let bits = bits.fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
        let places = (0..CODE_CHARS).rev();
        let letters = places.map(|place| (bits >> (5 * place)) & 31);
        let letters = letters.filter_map(|value| {
            let letter = CODE_LETTERS.get(usize::try_from(value).ok()?)?;
            Some(char::from(*letter))
        });
        EnrolCode(letters.collect())
    }

    /// Whether whoever holds the secret half signed this enrolment.
    #[must_use]
    pub fn has_signed(&self, text: &str, signature: &Signature) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0)
            .verify(format!("{SIGNED_FOR}{text}").as_bytes(), &signature.0)
            .is_ok()
    }

    fn id_bytes(&self) -> [u8; 5] {
        let digest = of_words("trapline trap id v1", &self.0);
        let mut bytes = [0; 5];
        for (to, from) in bytes.iter_mut().zip(digest.as_bytes()) {
            *to = *from;
        }
        bytes
    }
}

fn of_words(words: &str, bytes: &[u8; 32]) -> Sha256 {
    let mut text = words.as_bytes().to_vec();
    text.push(b'\n');
    text.extend_from_slice(bytes);
    Sha256::of(&text)
}

/// A signature, written as 128 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Signature([u8; 64]);

/// The text is not so many hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{digits} lower-case hexadecimal digits are needed")]
pub struct NotHex {
    digits: usize,
}

macro_rules! written_in_hex {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = NotHex;

            fn from_str(text: &str) -> Result<Self, NotHex> {
                from_hex(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotHex;

            fn try_from(text: String) -> Result<Self, NotHex> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }
    };
}

written_in_hex!(PublicKey);
written_in_hex!(Signature);

/// Bytes from lower-case hexadecimal digits.
///
/// # Errors
/// When these are not so many digits.
pub fn from_hex<const N: usize>(text: &str) -> Result<[u8; N], NotHex> {
    let refuse = || NotHex { digits: 2 * N };
    let mut bytes = [0; N];
    if text.len() != 2 * N {
        return Err(refuse());
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        for &digit in pair {
            let is_digit = matches!(digit, b'0'..=b'9' | b'a'..=b'f');
            let value = char::from(digit).to_digit(16).filter(|_| is_digit);
            let value = value.ok_or_else(refuse)?;
            *byte = (*byte << 4) | u8::try_from(value).map_err(|_| refuse())?;
        }
    }
    Ok(bytes)
}

/// The code of a trap that waits to be accepted. It is shown as `7KPX-3M9Q` and read
/// in any case, with or without the dash, and with O, I and L for 0 and 1.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EnrolCode(String);

/// The text is no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a code has eight letters and digits, like 7KPX-3M9Q")]
pub struct NotACode;

impl EnrolCode {
    /// Its eight characters.
    #[must_use]
    pub fn bare(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EnrolCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.split_at_checked(CODE_CHARS / 2) {
            Some((first, second)) => write!(f, "{first}-{second}"),
            None => f.write_str(&self.0),
        }
    }
}

impl fmt::Debug for EnrolCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EnrolCode({self})")
    }
}

impl FromStr for EnrolCode {
    type Err = NotACode;

    fn from_str(text: &str) -> Result<Self, NotACode> {
        let letters = text.chars().take(4 * CODE_CHARS);
        let letters = letters.filter(|letter| !letter.is_whitespace() && *letter != '-');
        let code: String = letters
            .map(|letter| match letter.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                letter => letter,
            })
            .collect();
        let is_code = code.len() == CODE_CHARS && code.bytes().all(|b| CODE_LETTERS.contains(&b));
        if is_code {
            Ok(Self(code))
        } else {
            Err(NotACode)
        }
    }
}

impl TryFrom<String> for EnrolCode {
    type Error = NotACode;

    fn try_from(text: String) -> Result<Self, NotACode> {
        text.parse()
    }
}

impl From<EnrolCode> for String {
    fn from(code: EnrolCode) -> Self {
        code.to_string()
    }
}
