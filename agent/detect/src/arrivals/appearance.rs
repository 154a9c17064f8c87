//! What an insect looks like, in a few bytes that survive a change of light.
//!
//! Brightness is taken against the card around the box, so that a lamp, a cloud or a shadow over both changes little;
//! colour likewise.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::boxes::Detection;
use crate::jpeg::Picture;

/// Cells along one side of the small grey copy.
const GRID: usize = 6;
/// After the grid: the share of red and of blue against the surroundings.
const SIZE_BYTES: usize = GRID * GRID + 2;
/// The byte for "as bright as the card around it".
const EVEN: f32 = 128.0;
/// Samples along one side of a cell at most, so that a huge box costs no more than a small one.
const SAMPLES_MAX: u32 = 6;

/// A small grey copy of the box and its colour; as text, hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Appearance([u8; SIZE_BYTES]);

/// The appearance of a box in its picture. A box outside the picture looks like the bare card.
#[must_use]
pub fn appearance(picture: &Picture, detection: &Detection) -> Appearance {
    let margin_px = (detection.length_px() * 0.25).max(3.0);
    let around = ring(picture, detection, margin_px);
    let mut bytes = [128; SIZE_BYTES];
    let cell_width_px = detection.width_px / GRID as f32;
    let cell_height_px = detection.height_px / GRID as f32;
    let mut inside = Mean::default();
    for (index, byte) in bytes.iter_mut().take(GRID * GRID).enumerate() {
        let mut cell = Mean::default();
        let left_px = detection.x_px + (index % GRID) as f32 * cell_width_px;
        let top_px = detection.y_px + (index / GRID) as f32 * cell_height_px;
        cell.add_area(
            picture,
            Area {
                left_px,
                top_px,
                width_px: cell_width_px,
                height_px: cell_height_px,
            },
        );
        *byte = to_byte(ratio(cell.luma(), around.luma()));
        inside.add(&cell);
    }
    for (byte, channel) in bytes.iter_mut().skip(GRID * GRID).zip([0, 2]) {
        *byte = to_byte(ratio(inside.share(channel), around.share(channel)));
    }
    Appearance(bytes)
}

impl Appearance {
    /// How unlike two appearances are if the insect lies as it lay: 0 is alike, 1 is black against white.
    pub(super) fn distance(&self, other: &Self) -> f32 {
        let difference = |range: std::ops::Range<usize>| {
            let pairs = self.0.iter().zip(&other.0);
            let apart = pairs.skip(range.start).take(range.len());
            let sum: f32 = apart
                .map(|(&a, &b)| (f32::from(a) - f32::from(b)).abs())
                .sum();
            sum / EVEN / range.len().max(1) as f32
        };
        (difference(0..GRID * GRID) + 0.5 * difference(GRID * GRID..SIZE_BYTES)).min(1.0)
    }

    /// As `distance`, if the insect may have turned: rings around the middle are compared instead of places.
    pub(super) fn distance_turned(&self, other: &Self) -> f32 {
        let apart: f32 = self
            .rings()
            .iter()
            .zip(other.rings())
            .map(|(a, b)| (a - b).abs())
            .sum();
        let colours = self.0.iter().zip(&other.0).skip(GRID * GRID);
        let colours_apart: f32 = colours
            .map(|(&a, &b)| (f32::from(a) - f32::from(b)).abs())
            .sum();
        (apart / 3.0 / EVEN + 0.5 * colours_apart / 2.0 / EVEN).min(1.0)
    }

    /// Mean byte of the three square rings of the grid, from the outside in.
    fn rings(&self) -> [f32; 3] {
        let mut sums = [(0.0_f32, 0.0_f32); 3];
        for (index, &byte) in self.0.iter().take(GRID * GRID).enumerate() {
            let (row, column) = (index / GRID, index % GRID);
            let depth = row.min(column).min(GRID - 1 - row).min(GRID - 1 - column);
            if let Some((sum, count)) = sums.get_mut(depth) {
                *sum += f32::from(byte);
                *count += 1.0;
            }
        }
        sums.map(|(sum, count)| sum / count.max(1.0))
    }

    /// One that looks even all over but for its darkness; for tests and simulations without pictures.
    #[must_use]
    pub fn plain(darkness: u8) -> Self {
        Self([128_u8.saturating_sub(darkness / 2); SIZE_BYTES])
    }
}

/// A rectangle, perhaps beyond the picture.
#[derive(Debug, Clone, Copy)]
struct Area {
    left_px: f32,
    top_px: f32,
    width_px: f32,
    height_px: f32,
}

#[derive(Debug, Default, Clone, Copy)]
struct Mean {
    rgb: [f32; 3],
    count: f32,
}

impl Mean {
    fn add(&mut self, other: &Self) {
        for (sum, part) in self.rgb.iter_mut().zip(other.rgb) {
            *sum += part;
        }
        self.count += other.count;
    }

    /// Takes up to `SAMPLES_MAX`² pixels of a rectangle, evenly.
    fn add_area(&mut self, picture: &Picture, area: Area) {
        let steps = |length_px: f32| {
            (1..SAMPLES_MAX)
                .find(|&n| n as f32 >= length_px)
                .unwrap_or(SAMPLES_MAX)
        };
        let (columns, rows) = (steps(area.width_px), steps(area.height_px));
        for row in 0..rows {
            let y_px = area.top_px + (row as f32 + 0.5) * area.height_px / rows as f32;
            for column in 0..columns {
                let x_px = area.left_px + (column as f32 + 0.5) * area.width_px / columns as f32;
                self.add_pixel(picture, x_px, y_px);
            }
        }
    }

    fn add_pixel(&mut self, picture: &Picture, x_px: f32, y_px: f32) {
        let is_inside = x_px >= 0.0
            && y_px >= 0.0
            && x_px < picture.width_px as f32
            && y_px < picture.height_px as f32;
        if !is_inside {
            return;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be inside the picture"
        )]
        let at = (y_px as usize * picture.width_px as usize + x_px as usize) * 3;
        if let Some([red, green, blue]) = picture.rgb.get(at..at + 3) {
            for (sum, &byte) in self.rgb.iter_mut().zip([red, green, blue]) {
                *sum += f32::from(byte);
            }
            self.count += 1.0;
        }
    }

    fn luma(&self) -> f32 {
        let [red, green, blue] = self.rgb;
        (0.3 * red + 0.59 * green + 0.11 * blue) / self.count.max(1.0)
    }

    fn share(&self, channel: usize) -> f32 {
        let sum: f32 = self.rgb.iter().sum();
        ratio(self.rgb.get(channel).copied().unwrap_or_default(), sum)
    }
}

/// The frame of `margin_px` around the box.
fn ring(picture: &Picture, detection: &Detection, margin_px: f32) -> Mean {
    let mut around = Mean::default();
    let (width_px, height_px) = (detection.width_px, detection.height_px);
    let wide_px = width_px + 2.0 * margin_px;
    let (left_px, top_px) = (detection.x_px - margin_px, detection.y_px - margin_px);
    for y_px in [top_px, detection.y_px + height_px] {
        for part in 0_u8..4 {
            let x_px = left_px + f32::from(part) * wide_px / 4.0;
            around.add_area(
                picture,
                Area {
                    left_px: x_px,
                    top_px: y_px,
                    width_px: wide_px / 4.0,
                    height_px: margin_px,
                },
            );
        }
    }
    for x_px in [left_px, detection.x_px + width_px] {
        for part in 0_u8..4 {
            let y_px = detection.y_px + f32::from(part) * height_px / 4.0;
            around.add_area(
                picture,
                Area {
                    left_px: x_px,
                    top_px: y_px,
                    width_px: margin_px,
                    height_px: height_px / 4.0,
                },
            );
        }
    }
    around
}

/// 1 where there is nothing to compare with.
fn ratio(part: f32, whole: f32) -> f32 {
    if whole > 0.5e-3 { part / whole } else { 1.0 }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to a byte; a NaN becomes 0"
)]
fn to_byte(ratio: f32) -> u8 {
    (ratio * EVEN).round().clamp(0.0, 255.0) as u8
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A card of one brightness with a dark bar at (`x_px`, 40), 20 wide and 10 high.
    fn picture(brightness: u8, x_px: u32) -> Picture {
        let mut rgb = Vec::new();
        for y in 0_u32..100 {
            for x in 0_u32..100 {
                let is_bar = (x_px..x_px + 20).contains(&x) && (40..50).contains(&y);
                let grey = if is_bar { brightness / 5 } else { brightness };
                rgb.extend([grey, grey, grey / 4]);
            }
        }
        Picture {
            width_px: 100,
            height_px: 100,
            rgb,
        }
    }

    fn at(x_px: f32, y_px: f32, length_px: f32) -> Detection {
        Detection {
            x_px,
            y_px,
            width_px: length_px,
            height_px: length_px,
            score: 0.9,
            class: 0,
        }
    }

    #[test]
    fn light_changes_little_and_place_nothing() {
        let bar = appearance(&picture(200, 30), &at(28.0, 33.0, 24.0));
        let dim = appearance(&picture(90, 30), &at(28.0, 33.0, 24.0));
        let moved = appearance(&picture(200, 55), &at(53.0, 33.0, 24.0));
        let bare = appearance(&picture(200, 30), &at(60.0, 70.0, 24.0));
        assert!(bar.distance(&dim) < 0.02, "{}", bar.distance(&dim));
        assert!(bar.distance(&moved) < 0.02, "{}", bar.distance(&moved));
        assert!(bar.distance(&bare) > 0.15, "{}", bar.distance(&bare));
        assert!(bar.distance_turned(&bare) > 0.15);
    }

    #[test]
    fn boxes_at_and_beyond_the_edge_are_no_trouble() {
        for (x_px, y_px, length_px) in [
            (-50.0, -50.0, 20.0),
            (95.0, 95.0, 300.0),
            (f32::NAN, 3.0, 5.0),
            (1.0, 1.0, f32::INFINITY),
            (1.0, 1.0, 0.0),
        ] {
            let seen = appearance(&picture(200, 30), &at(x_px, y_px, length_px));
            assert!((0.0..=1.0).contains(&seen.distance(&Appearance::plain(0))));
        }
    }

    #[test]
    fn text_keeps_it() {
        let bar = appearance(&picture(200, 30), &at(28.0, 33.0, 24.0));
        let text = serde_json::to_string(&bar).unwrap();
        assert_eq!(serde_json::from_str::<Appearance>(&text).unwrap(), bar);
        for wrong in ["\"\"", "\"8\"", "\"zz\"", "7", "\"éé\""] {
            assert!(
                serde_json::from_str::<Appearance>(wrong).is_err(),
                "{wrong}"
            );
        }
    }
}
