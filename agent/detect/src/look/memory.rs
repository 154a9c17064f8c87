//! What is remembered of the last picture looked at, and its bytes.
//!
//! The bytes may come from a disk that lost some: they end in a hash, every length is checked before anything is
//! taken from it, and what does not fit is no memory, which costs one look at everything.

use sha2::{Digest, Sha256};

use crate::boxes::Detection;
use crate::change::grey::Grey;
use crate::look::gate::Scene;
use crate::look::{Look, Quality, Scale};

/// Opens every memory; the last byte is the version.
const SIGNATURE: [u8; 8] = *b"trapmem\x01";
/// With more boxes than this the weakest are forgotten, and looked for again when their place changes.
const BOXES_MAX: usize = 8_000;
/// So many poor pictures in a row are not remembered; after that, poor is how this trap's pictures are.
const POOR_LOOKS_MAX: u32 = 6;
const HASH_BYTES: usize = 8;
const MODEL_BYTES: usize = 32;
/// Sides and coordinates beyond this are no picture's.
const SIDE_PX_MAX: u32 = 65_535;

/// What is remembered of the last picture looked at: a small grey picture, its boxes, the model.
#[derive(Debug, Clone, PartialEq)]
pub struct Memory {
    pub(super) width_px: u32,
    pub(super) height_px: u32,
    pub(super) scale: Scale,
    pub(super) model: [u8; MODEL_BYTES],
    /// Looks since the last whole one.
    pub(super) looks: u32,
    /// Looks in a row at pictures that were too poor to remember.
    pub(super) poor_looks: u32,
    pub(super) quality: Quality,
    pub(super) grey: Grey,
    pub(super) boxes: Vec<Detection>,
}

impl Memory {
    /// The memory as bytes, less than 1 MB whatever the picture.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        let scale = match self.scale {
            Scale::Full => 1,
            Scale::Half => 2,
        };
        for number in [
            self.width_px,
            self.height_px,
            scale,
            self.looks,
            self.poor_looks,
        ] {
            bytes.extend(number.to_le_bytes());
        }
        let Quality {
            sharpness,
            mean_luma,
            clipped_share,
        } = self.quality;
        for number in [sharpness, mean_luma, clipped_share] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(self.model);
        bytes.extend(&self.grey.luma);
        for detection in self.boxes.iter().take(BOXES_MAX) {
            let Detection {
                x_px,
                y_px,
                width_px,
                height_px,
                score,
                class,
            } = *detection;
            for number in [x_px, y_px, width_px, height_px, score] {
                bytes.extend(number.to_le_bytes());
            }
            bytes.extend(class.to_le_bytes());
        }
        let hash = hash(&bytes);
        bytes.extend(hash);
        bytes
    }

    /// Reads what [`Memory::to_bytes`] wrote; anything else is none.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (bytes, found) = bytes.split_at_checked(bytes.len().checked_sub(HASH_BYTES)?)?;
        if found != hash(bytes) {
            return None;
        }
        let mut rest = bytes.strip_prefix(&SIGNATURE)?;
        let [width_px, height_px, scale, looks, poor_looks] =
            numbers(&mut rest, u32::from_le_bytes)?;
        let [sharpness, mean_luma, clipped_share] = numbers(&mut rest, f32::from_le_bytes)?;
        let is_side = |side_px: u32| (1..=SIDE_PX_MAX).contains(&side_px);
        let is_quality = [sharpness, mean_luma, clipped_share]
            .iter()
            .all(|number| number.is_finite());
        if !is_side(width_px) || !is_side(height_px) || !is_quality {
            return None;
        }
        let model = *rest.split_off(..MODEL_BYTES)?.as_array()?;
        let factor = Grey::factor(width_px, height_px);
        let width = width_px.div_ceil(factor) as usize;
        let height = height_px.div_ceil(factor) as usize;
        let luma = rest.split_off(..width * height)?.to_vec();
        let mut boxes = Vec::new();
        while !rest.is_empty() {
            boxes.push(detection(&mut rest)?);
        }
        Some(Self {
            width_px,
            height_px,
            scale: match scale {
                1 => Scale::Full,
                2 => Scale::Half,
                _ => return None,
            },
            model,
            looks,
            poor_looks,
            quality: Quality {
                sharpness,
                mean_luma,
                clipped_share,
            },
            grey: Grey {
                width,
                height,
                factor,
                luma,
            },
            boxes,
        })
    }
}

/// What to remember after a look: this picture, unless it is too poor to compare the next one with; then the last one
/// stays, for some looks.
pub(super) fn after(
    last: Option<Memory>,
    now: Scene,
    grey: Grey,
    look: &Look,
    is_poor: bool,
) -> Memory {
    let looks = match last {
        Some(last) if is_poor && last.poor_looks < POOR_LOOKS_MAX => {
            return Memory {
                poor_looks: last.poor_looks + 1,
                ..last
            };
        }
        last => last.map_or(0, |last| last.looks),
    };
    Memory {
        width_px: now.width_px,
        height_px: now.height_px,
        scale: now.scale,
        model: now.model,
        looks: if look.whole.is_some() {
            0
        } else {
            looks.saturating_add(1)
        },
        poor_looks: 0,
        quality: now.quality,
        grey,
        boxes: look.detections.iter().take(BOXES_MAX).copied().collect(),
    }
}

/// The model's hash as bytes; what is no hash is all zero.
pub(super) fn digest(sha256: &str) -> [u8; MODEL_BYTES] {
    let mut digest = [0; MODEL_BYTES];
    for (byte, digits) in digest.iter_mut().zip(sha256.as_bytes().chunks(2)) {
        let digits = std::str::from_utf8(digits).unwrap_or_default();
        *byte = u8::from_str_radix(digits, 16).unwrap_or(0);
    }
    digest
}

fn detection(rest: &mut &[u8]) -> Option<Detection> {
    let [x_px, y_px, width_px, height_px, score] = numbers(rest, f32::from_le_bytes)?;
    let class = u16::from_le_bytes(*rest.split_off(..2)?.as_array()?);
    let is_place = |place: f32| (0.0..=SIDE_PX_MAX as f32).contains(&place);
    let is_box = [x_px, y_px, width_px, height_px].into_iter().all(is_place);
    (is_box && (0.0..=1.0).contains(&score)).then_some(Detection {
        x_px,
        y_px,
        width_px,
        height_px,
        score,
        class,
    })
}

/// Takes `N` numbers of four bytes from the beginning.
fn numbers<T, const N: usize>(rest: &mut &[u8], read: impl Fn([u8; 4]) -> T) -> Option<[T; N]> {
    let (chunks, _) = rest.split_off(..4 * N)?.as_chunks::<4>();
    let chunks: &[[u8; 4]; N] = chunks.as_array()?;
    Some(chunks.map(read))
}

fn hash(bytes: &[u8]) -> [u8; HASH_BYTES] {
    let mut short = [0; HASH_BYTES];
    for (short, byte) in short.iter_mut().zip(Sha256::digest(bytes)) {
        *short = byte;
    }
    short
}
