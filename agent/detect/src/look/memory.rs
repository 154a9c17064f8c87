//! What is remembered of the last picture looked at, and its bytes.

/// What is remembered of the last picture looked at: a small grey picture, its boxes, the card's region, the model.
#[derive(Debug, Clone, PartialEq)]
pub struct Memory {
    pub(super) looks: u32,
}

/// Opens every memory; the last byte is the version.
const SIGNATURE: [u8; 8] = *b"trapmem\x01";

impl Memory {
    /// The memory as bytes, at most 1 MB for a picture of 12 megapixels.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend(self.looks.to_le_bytes());
        bytes
    }

    /// Reads what [`Memory::to_bytes`] wrote; anything else is none.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let looks = bytes.strip_prefix(&SIGNATURE)?;
        Some(Self {
            looks: u32::from_le_bytes(looks.try_into().ok()?),
        })
    }
}
