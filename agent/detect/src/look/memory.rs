//! What is remembered of the last picture looked at, and its bytes.
//!
//! The bytes may come from a disk that lost some: they end in a hash, every length is checked before anything is
//! taken from it, and what does not fit is no memory, which costs one look at everything.

use sha2::{Digest, Sha256};

use crate::boxes::Detection;
use crate::change::card::Region;
use crate::change::grey::Grey;
use crate::look::gate::Scene;
use crate::look::{Look, Quality, Scale};

/// Opens every memory; the last byte is the version.
const SIGNATURE: [u8; 8] = *b"trapmem\x02";
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
    /// Where the card lies.
    pub(super) region: Region,
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
        let Region {
            left,
            top,
            right,
            bottom,
        } = self.region;
        for number in [
            sharpness,
            mean_luma,
            clipped_share,
            left,
            top,
            right,
            bottom,
        ] {
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
        let [left, top, right, bottom] = numbers(&mut rest, f32::from_le_bytes)?;
        let is_region = (left.max(0.0) < right.min(width_px as f32))
            && (top.max(0.0) < bottom.min(height_px as f32))
            && [left, top, right, bottom]
                .iter()
                .all(|side| side.is_finite());
        let is_side = |side_px: u32| (1..=SIDE_PX_MAX).contains(&side_px);
        let is_quality = [sharpness, mean_luma, clipped_share]
            .iter()
            .all(|number| number.is_finite());
        if !is_side(width_px) || !is_side(height_px) || !is_quality || !is_region {
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
            region: Region {
                left,
                top,
                right,
                bottom,
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
    (region, is_poor): (Region, bool),
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
        region,
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn memory(boxes: usize) -> Memory {
        let (width, height) = (30, 21);
        Memory {
            width_px: 120,
            height_px: 81,
            scale: Scale::Half,
            model: [7; MODEL_BYTES],
            looks: 3,
            poor_looks: 1,
            quality: Quality {
                sharpness: 0.5,
                mean_luma: 120.0,
                clipped_share: 0.25,
            },
            region: Region {
                left: -3.5,
                top: 10.0,
                right: 100.25,
                bottom: 81.0,
            },
            grey: Grey {
                width,
                height,
                factor: 4,
                luma: (0..=255).cycle().take(width * height).collect(),
            },
            boxes: (0..boxes)
                .map(|number| Detection {
                    x_px: number as f32 / 100.0,
                    y_px: 2.5,
                    width_px: 20.0,
                    height_px: 11.5,
                    score: 0.75,
                    class: 3,
                })
                .collect(),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for boxes in [0, 1, 500] {
            let memory = memory(boxes);
            assert_eq!(Memory::from_bytes(&memory.to_bytes()), Some(memory));
        }
    }

    #[test]
    fn a_memory_is_bounded() {
        let bytes = memory(2 * BOXES_MAX).to_bytes();
        assert_eq!(
            Memory::from_bytes(&bytes).map(|memory| memory.boxes.len()),
            Some(BOXES_MAX)
        );
        // The largest grey copy there is beside as many boxes.
        assert!(bytes.len() - 30 * 21 + 800_000 < 1_000_000);
    }

    #[test]
    fn what_was_cut_is_none() {
        let bytes = memory(2).to_bytes();
        for end in 0..bytes.len() {
            assert_eq!(Memory::from_bytes(&bytes[..end]), None, "{end}");
        }
    }

    /// A memory with a right hash over bytes that somebody else wrote.
    fn hashed(mut bytes: Vec<u8>) -> Vec<u8> {
        let hash = hash(&bytes);
        bytes.extend(hash);
        bytes
    }

    #[test]
    fn impossible_numbers_are_none_even_with_the_right_hash() {
        let good = memory(1).to_bytes();
        let good = &good[..good.len() - HASH_BYTES];
        assert!(Memory::from_bytes(&hashed(good.to_vec())).is_some());
        let with = |at: usize, number: [u8; 4]| {
            let mut bytes = good.to_vec();
            bytes[at..at + 4].copy_from_slice(&number);
            Memory::from_bytes(&hashed(bytes))
        };
        assert_eq!(with(8, 0_u32.to_le_bytes()), None, "no width");
        assert_eq!(with(8, u32::MAX.to_le_bytes()), None, "width");
        assert_eq!(with(16, 3_u32.to_le_bytes()), None, "scale");
        assert_eq!(with(28, f32::NAN.to_le_bytes()), None, "sharpness");
        assert_eq!(with(40, 110_f32.to_le_bytes()), None, "region");
        assert_eq!(with(4, 3_u32.to_le_bytes()), None, "version");
        let first_box = good.len() - 22;
        assert_eq!(with(first_box, f32::INFINITY.to_le_bytes()), None, "box");
        assert_eq!(with(first_box + 16, 1.5_f32.to_le_bytes()), None, "score");
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_memory_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            prop_assert_eq!(Memory::from_bytes(&bytes), None);
            let mut signed = SIGNATURE.to_vec();
            signed.extend(bytes);
            if let Some(memory) = Memory::from_bytes(&hashed(signed.clone())) {
                prop_assert_eq!(memory.to_bytes(), hashed(signed));
            }
        }

        #[test]
        fn one_wrong_byte_is_none(at in 0_usize..2_000, by in 1_u8..=255) {
            let mut bytes = memory(40).to_bytes();
            let at = at % bytes.len();
            bytes[at] = bytes[at].wrapping_add(by);
            prop_assert_eq!(Memory::from_bytes(&bytes), None);
        }
    }
}
