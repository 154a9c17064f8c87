//! One insect cut from a photograph, and laid on another card.

use super::size_of;
use crate::plate::{Canvas, Rgb};
use trapline_detect::evaluate::Photograph;
use trapline_detect::{Detection, Picture};

mod outline;

/// Crops are insects of this length.
const LENGTHS_PX: std::ops::Range<f32> = 18.0..90.0;

/// An insect as a slide: how much light of the card below comes through.
pub(super) struct Crop {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Pixels around the box on every side.
    pub(super) margin: usize,
    through: Vec<Rgb>,
}

/// Boxes with nothing drawn in their surroundings.
pub(super) fn lonely(photograph: &Photograph) -> impl Iterator<Item = &Detection> {
    photograph.drawn.iter().filter(|one| {
        let margin_px = margin_px(one);
        let wide = Detection {
            x_px: one.x_px - margin_px,
            y_px: one.y_px - margin_px,
            width_px: one.width_px + 2.0 * margin_px,
            height_px: one.height_px + 2.0 * margin_px,
            ..**one
        };
        let neighbours = photograph
            .drawn
            .iter()
            .filter(|other| wide.shared_px2(other) > 0.0)
            .count();
        LENGTHS_PX.contains(&one.length_px()) && neighbours == 1
    })
}

fn margin_px(drawn: &Detection) -> f32 {
    (drawn.length_px() * 0.3).max(5.0).round()
}

impl Crop {
    /// `None` at the picture's edge.
    pub(super) fn cut(picture: &Picture, drawn: &Detection) -> Option<Self> {
        let margin = to_index(margin_px(drawn));
        let (left, top) = (
            to_index(drawn.x_px).checked_sub(margin)?,
            to_index(drawn.y_px).checked_sub(margin)?,
        );
        let (width, height) = (
            to_index(drawn.width_px.ceil()) + 2 * margin,
            to_index(drawn.height_px.ceil()) + 2 * margin,
        );
        let (picture_width, picture_height) = size_of(picture);
        if left + width > picture_width || top + height > picture_height {
            return None;
        }
        let mut pixels = Vec::with_capacity(width * height);
        for row in top..top + height {
            for column in left..left + width {
                let at = (row * picture_width + column) * 3;
                let bytes = picture.rgb.get(at..at + 3)?;
                pixels.push(std::array::from_fn(|channel| {
                    linear(bytes.get(channel).copied().unwrap_or_default())
                }));
            }
        }
        let around: Vec<Rgb> = (0..width * height)
            .filter(|&at| depth(at, width, height) < margin / 2)
            .filter_map(|at| pixels.get(at).copied())
            .collect();
        let card = is_card(around.iter()).then(|| median(&around))?;
        if !is_even(&around, card) {
            return None;
        }
        let mut through: Vec<Rgb> = pixels.iter().map(|pixel| share(pixel, &card)).collect();
        let weights = outline::weights(&through, width, margin)?;
        for (pixel, weight) in through.iter_mut().zip(weights) {
            for value in pixel {
                *value = 1.0 + weight * (*value - 1.0);
            }
        }
        Some(Self {
            width,
            height,
            margin,
            through,
        })
    }

    /// Lays it on a canvas with its middle at a pixel, mirrored and turned by quarters as the seed says; its box.
    pub(super) fn lay(&self, canvas: &mut Canvas, [x_px, y_px]: [f32; 2], seed: u64) -> [f32; 4] {
        let is_turned = seed & 1 == 1;
        let (width, height) = if is_turned {
            (self.height, self.width)
        } else {
            (self.width, self.height)
        };
        let start =
            |middle_px: f32, side: usize| to_index(middle_px.max(0.0)).saturating_sub(side / 2);
        let (left, top) = (start(x_px, width), start(y_px, height));
        for row in 0..height {
            for column in 0..width {
                let (across, down) = if is_turned {
                    (row, column)
                } else {
                    (column, row)
                };
                let across = if seed & 2 == 2 {
                    self.width - 1 - across
                } else {
                    across
                };
                let down = if seed & 4 == 4 {
                    self.height - 1 - down
                } else {
                    down
                };
                let is_on = left + column < canvas.width;
                let at = (top + row) * canvas.width + left + column;
                if let (true, Some(through), Some(pixel)) = (
                    is_on,
                    self.through.get(down * self.width + across),
                    canvas.pixels.get_mut(at),
                ) {
                    for (value, share) in pixel.iter_mut().zip(through) {
                        *value *= share;
                    }
                }
            }
        }
        let margin = self.margin as f32;
        [
            left as f32 + margin,
            top as f32 + margin,
            width as f32 - 2.0 * margin,
            height as f32 - 2.0 * margin,
        ]
    }
}

/// How much of the card's light comes through, channel by channel.
fn share(pixel: &Rgb, card: &Rgb) -> Rgb {
    std::array::from_fn(|channel| {
        let of = |rgb: &Rgb| rgb.get(channel).copied().unwrap_or_default();
        (of(pixel) / of(card).max(0.02)).clamp(0.0, 1.6)
    })
}

/// How far a pixel of a crop is from its edge.
fn depth(at: usize, width: usize, height: usize) -> usize {
    let (row, column) = (at / width, at % width);
    row.min(column)
        .min(height - 1 - row)
        .min(width - 1 - column)
}

/// Whether nearly all pixels are as bright as the card: print or a neighbour would come along with the crop.
fn is_even(pixels: &[Rgb], [red, green, _]: Rgb) -> bool {
    let is_like = |value: f32, card: f32| (0.78 * card..1.28 * card).contains(&value);
    let like = pixels
        .iter()
        .filter(|pixel| is_like(pixel[0], red) && is_like(pixel[1], green));
    like.count() * 100 >= pixels.len() * 88
}

fn median(pixels: &[Rgb]) -> Rgb {
    std::array::from_fn(|channel| {
        let mut values: Vec<f32> = pixels
            .iter()
            .filter_map(|pixel| pixel.get(channel).copied())
            .collect();
        values.sort_by(f32::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or_default()
    })
}

/// Yellow, and bright: neither the wall, nor print, nor a heap of insects.
pub(super) fn is_card<'a>(pixels: impl Iterator<Item = &'a Rgb>) -> bool {
    let (mut sum, mut count) = ([0.0_f32; 3], 0.0_f32);
    for pixel in pixels {
        for (part, value) in sum.iter_mut().zip(pixel) {
            *part += value;
        }
        count += 1.0;
    }
    let [red, green, blue] = sum.map(|part| part / count.max(1.0));
    red > 0.25 && green > 0.2 && blue < 0.35 * green
}

/// The inverse of what the camera does to light at exposure.
pub(super) fn linear(byte: u8) -> f32 {
    let rolled = (f32::from(byte) / 255.0).powf(2.2);
    if rolled > 0.8 {
        0.8 + (rolled - 0.8) / 0.42
    } else {
        rolled
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "pixels of a picture, not below 0"
)]
pub(super) fn to_index(value: f32) -> usize {
    value.max(0.0) as usize
}
