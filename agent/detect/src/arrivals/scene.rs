//! What the card looked like at its first look, small and grey, to tell what came from what was overlooked.
//!
//! A detector's eye changes with the light: a speck of dirt or a stalk that it passed over in the morning can be a box
//! at noon. Such a thing was there all along, and the small copy of the first picture shows it: where a new box lies,
//! that picture is already darker than its surroundings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::jpeg::Picture;

use super::track::Placed;

/// The longer side of the copy at most, so that a saved tracker stays small: a picture of 4 to 3 makes 49 kB of cells
/// at most, and 66 kB of text; a square one 65 and 88.
const SIDE_MAX: u32 = 256;
/// A box must be darker than its surroundings by this share to say anything.
const DARK: f32 = 0.04;
/// A place that was so much as dark as it is now was not empty.
const THERE: f32 = 0.55;

/// A small grey copy of a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    width: usize,
    height: usize,
    /// Picture pixels along one side of a cell.
    factor: f32,
    grey: Vec<u8>,
}

/// Makes the small copy of a picture.
#[must_use]
pub fn scene(picture: &Picture) -> Scene {
    let factor = picture
        .width_px
        .max(picture.height_px)
        .div_ceil(SIDE_MAX)
        .max(1);
    let cells = |side_px: u32| usize::try_from(side_px / factor).unwrap_or_default();
    let (width, height) = (cells(picture.width_px), cells(picture.height_px));
    let (across, step) = (
        usize::try_from(picture.width_px).unwrap_or_default(),
        usize::try_from(factor).unwrap_or(1),
    );
    let mut grey = Vec::with_capacity(width * height);
    for row in 0..height {
        let mut sums = vec![0_u32; width];
        let mut count = 0;
        for y in row * step..(row + 1) * step {
            count += 1;
            let line = picture.rgb.get(y * across * 3..(y + 1) * across * 3);
            let pixels = line.unwrap_or_default().chunks_exact(3);
            for (x, pixel) in pixels.enumerate() {
                // Blue is dark on a yellow card and tells nothing.
                if let (Some(sum), [red, green, _]) = (sums.get_mut(x / step), pixel) {
                    *sum += u32::from(*red) + u32::from(*green);
                }
            }
        }
        let pixels = (2 * count * factor).max(1);
        grey.extend(
            sums.iter()
                .map(|sum| u8::try_from(sum / pixels).unwrap_or(u8::MAX)),
        );
    }
    Scene {
        width,
        height,
        factor: factor as f32,
        grey,
    }
}

impl Scene {
    /// Whether what is dark in this scene at one place was as dark at another place of an `earlier` one; `None` if it
    /// stands out too little to say.
    pub(super) fn was_there(&self, here: &Placed, earlier: &Self, there: &Placed) -> Option<bool> {
        let (now, before) = (self.darkness(here)?, earlier.darkness(there)?);
        (now >= DARK).then_some(before >= THERE * now)
    }

    /// How much darker a box is than the frame around it, as a share; `None` beyond the picture.
    fn darkness(&self, place: &Placed) -> Option<f32> {
        let margin_px = (0.5 * place.length_px()).max(1.5 * self.factor);
        let inside = self.mean(place, [0.0, 1.0])?;
        let reach = 1.0 + 2.0 * margin_px / place.length_px().max(1.0);
        let around = self.mean(place, [1.0 + 0.4 * (reach - 1.0), reach])?;
        (around >= 8.0).then(|| 1.0 - inside / around)
    }

    /// Mean grey between two boxes around a place, given as multiples of its own.
    fn mean(&self, place: &Placed, [from, until]: [f32; 2]) -> Option<f32> {
        const STEPS: u8 = 12;
        let (mut sum, mut count) = (0.0, 0.0);
        for row in 0..STEPS {
            for column in 0..STEPS {
                let at = |step: u8| (f32::from(step) + 0.5) / f32::from(STEPS) * 2.0 - 1.0;
                let (across, down) = (at(column) * until, at(row) * until);
                if across.abs().max(down.abs()) < from {
                    continue;
                }
                let x_px = place.x_px + across * place.width_px / 2.0;
                let y_px = place.y_px + down * place.height_px / 2.0;
                if let Some(grey) = self.at(x_px, y_px) {
                    sum += grey;
                    count += 1.0;
                }
            }
        }
        (count >= 20.0).then(|| sum / count)
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be in the copy"
    )]
    fn at(&self, x_px: f32, y_px: f32) -> Option<f32> {
        let (column, row) = (x_px / self.factor, y_px / self.factor);
        let is_inside =
            column >= 0.0 && row >= 0.0 && column < self.width as f32 && row < self.height as f32;
        let at = is_inside.then(|| row as usize * self.width + column as usize)?;
        self.grey.get(at).map(|&grey| f32::from(grey))
    }
}

/// As it is written.
#[derive(Serialize, Deserialize)]
struct Written {
    width: usize,
    height: usize,
    factor: f32,
    grey: String,
}

impl Serialize for Scene {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = Written {
            width: self.width,
            height: self.height,
            factor: self.factor,
            grey: BASE64.encode(&self.grey),
        };
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Scene {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)?;
        let wrong = || serde::de::Error::custom("the small copy of the card is damaged");
        let side_max = usize::try_from(SIDE_MAX).unwrap_or(usize::MAX);
        let is_sound =
            written.width.max(written.height) <= side_max && (1.0..1e5).contains(&written.factor);
        let grey = BASE64.decode(&written.grey).ok().filter(|_| is_sound);
        let grey = grey.filter(|grey| grey.len() == written.width * written.height);
        Ok(Self {
            width: written.width,
            height: written.height,
            factor: written.factor,
            grey: grey.ok_or_else(wrong)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A card of some brightness, 800 x 600, with dark squares of 20 pixels around these middles.
    fn card(brightness: u8, specks: &[(u32, u32)]) -> Scene {
        let is_speck = |x: u32, y: u32| {
            specks
                .iter()
                .any(|&(at_x, at_y)| x.abs_diff(at_x) <= 10 && y.abs_diff(at_y) <= 10)
        };
        let mut rgb = Vec::new();
        for y in 0..600 {
            for x in 0..800 {
                let grey = if is_speck(x, y) {
                    brightness / 4
                } else {
                    brightness
                };
                rgb.extend([grey, grey, 0]);
            }
        }
        scene(&Picture {
            width_px: 800,
            height_px: 600,
            rgb,
        })
    }

    fn at(x_px: f32, y_px: f32) -> Placed {
        Placed {
            x_px,
            y_px,
            width_px: 24.0,
            height_px: 24.0,
        }
    }

    #[test]
    fn a_speck_was_there_in_any_light_and_an_insect_was_not() {
        let before = card(90, &[(200, 300)]);
        let now = card(220, &[(206, 304), (500, 100)]);
        assert_eq!(
            now.was_there(&at(206.0, 304.0), &before, &at(200.0, 300.0)),
            Some(true)
        );
        assert_eq!(
            now.was_there(&at(500.0, 100.0), &before, &at(494.0, 96.0)),
            Some(false)
        );
        assert_eq!(
            now.was_there(&at(400.0, 400.0), &before, &at(400.0, 400.0)),
            None
        );
        assert_eq!(
            now.was_there(&at(9000.0, 0.0), &before, &at(f32::NAN, 0.0)),
            None
        );
    }

    #[test]
    fn text_keeps_it_and_damage_is_noticed() {
        let card = card(90, &[(200, 300)]);
        let text = serde_json::to_string(&card).unwrap();
        assert!(text.len() < 66_000, "{}", text.len());
        assert_eq!(serde_json::from_str::<Scene>(&text).unwrap(), card);
        for (sound, spoilt) in [
            ("\"width\":", "\"width\":9"),
            ("\"grey\":\"", "\"grey\":\"zzzz"),
            ("\"grey\":\"", "\"grey\":\"!"),
            ("\"height\":", "\"height\":99999999"),
            ("\"factor\":", "\"factor\":-"),
        ] {
            assert!(
                serde_json::from_str::<Scene>(&text.replacen(sound, spoilt, 1)).is_err(),
                "{spoilt}"
            );
        }
    }
}
