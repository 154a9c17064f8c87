//! From a painted card to a frame: the camera's place, shadows, light and noise.

use super::story::Moment;
use crate::plate::{Canvas, Light, Rgb, expose};
use crate::world::Weather;
use anyhow::Context as _;
use jpeg_encoder::{ColorType, Encoder};

/// A card in linear light before the camera has its say.
pub(crate) struct Painting {
    pub(crate) canvas: Canvas,
    /// How much of each pixel is card.
    pub(crate) mask: Vec<f32>,
    /// Left, top, width and height in pixels.
    pub(crate) boxes: Vec<[f32; 4]>,
}

/// A frame.
pub(crate) struct Shot {
    pub(crate) jpeg: Vec<u8>,
    pub(crate) width_px: u32,
    pub(crate) height_px: u32,
    /// As the painting's, where they are in the frame.
    pub(crate) boxes: Vec<[f32; 4]>,
}

/// What an even, bright day looks like, for sequences without weather.
const EVEN: Light = Light {
    sun_elevation_deg: 40.0,
    sun_way: 0.5,
    cloud: 1.0,
    shot: 0,
};

/// Takes the picture.
pub(crate) fn shoot(
    painting: Painting,
    moment: &Moment,
    weather: &Weather,
    seed: u64,
) -> anyhow::Result<Shot> {
    let Painting {
        canvas,
        mask,
        boxes,
    } = painting;
    let (mut canvas, mask) = warp(canvas, mask, moment);
    let shot = u64::from(moment.minute);
    let mut light = if moment.has_weather {
        weather.light(0)
    } else {
        EVEN
    };
    if moment.has_weather {
        cast_shadow(&mut canvas, &light);
    }
    if moment.is_dark {
        canvas
            .pixels
            .iter_mut()
            .flatten()
            .for_each(|value| *value *= 0.002);
        light = Light {
            cloud: 1.25,
            ..EVEN
        };
    }
    // Leaves keep their pattern over four numbers; the noise is new with each.
    light.shot = ((shot / 80) << 2) | ((shot / 20) & 3);
    let rgb = expose(&canvas, &mask, seed, &light);
    let mut jpeg = Vec::with_capacity(rgb.len() / 8);
    let side = |length: usize| u16::try_from(length).context("a frame is too large for a JPEG");
    let (width_px, height_px) = (side(canvas.width)?, side(canvas.height)?);
    Encoder::new(&mut jpeg, 88).encode(&rgb, width_px, height_px, ColorType::Rgb)?;
    Ok(Shot {
        jpeg,
        width_px: width_px.into(),
        height_px: height_px.into(),
        boxes: boxes
            .iter()
            .map(|one| moved(one, moment, &canvas))
            .collect(),
    })
}

fn middle(canvas: &Canvas) -> (f32, f32) {
    (canvas.width as f32 / 2.0, canvas.height as f32 / 2.0)
}

/// Where a box is after the card was moved; it keeps its size, as turns are small.
fn moved(
    [x_px, y_px, width_px, height_px]: &[f32; 4],
    moment: &Moment,
    canvas: &Canvas,
) -> [f32; 4] {
    let (middle_x, middle_y) = middle(canvas);
    let (sin, cos) = moment.turn.sin_cos();
    let (x, y) = (
        x_px + width_px / 2.0 - middle_x,
        y_px + height_px / 2.0 - middle_y,
    );
    [
        middle_x + cos * x - sin * y + moment.x_px - width_px / 2.0,
        middle_y + sin * x + cos * y + moment.y_px - height_px / 2.0,
        *width_px,
        *height_px,
    ]
}

/// Canvas and mask shifted and turned, between pixels as a lens would show it; what comes in at the edges repeats
/// them.
fn warp(canvas: Canvas, mask: Vec<f32>, moment: &Moment) -> (Canvas, Vec<f32>) {
    let moves = [moment.x_px, moment.y_px, moment.turn];
    if moves.iter().all(|part| part.abs() < 1e-6) {
        return (canvas, mask);
    }
    let (middle_x, middle_y) = middle(&canvas);
    let (sin, cos) = moment.turn.sin_cos();
    let mut pixels = Vec::with_capacity(canvas.pixels.len());
    let mut cover = Vec::with_capacity(mask.len());
    for row in 0..canvas.height {
        for column in 0..canvas.width {
            let (x, y) = (
                column as f32 + 0.5 - middle_x - moment.x_px,
                row as f32 + 0.5 - middle_y - moment.y_px,
            );
            let from_x = middle_x + cos * x + sin * y;
            let from_y = middle_y + cos * y - sin * x;
            let (at, share) = corner(&canvas, from_x - 0.5, from_y - 0.5);
            pixels.push(sample(&canvas, at, share));
            cover.push(mask.get(at).copied().unwrap_or_default());
        }
    }
    (Canvas { pixels, ..canvas }, cover)
}

/// The pixel up and left of a point, and how far the point is from it to the right and down.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the canvas first"
)]
fn corner(canvas: &Canvas, x: f32, y: f32) -> (usize, [f32; 2]) {
    let x = x.clamp(0.0, canvas.width as f32 - 1.001);
    let y = y.clamp(0.0, canvas.height as f32 - 1.001);
    let (column, row) = (x as usize, y as usize);
    let share = [x - column as f32, y - row as f32];
    (row * canvas.width + column, share)
}

fn sample(canvas: &Canvas, start: usize, [right, down]: [f32; 2]) -> Rgb {
    let pixel = |at: usize| canvas.pixels.get(at).copied().unwrap_or_default();
    let (a, b) = (pixel(start), pixel(start + 1));
    let (c, d) = (pixel(start + canvas.width), pixel(start + canvas.width + 1));
    std::array::from_fn(|channel| {
        let at = |pixel: &Rgb| pixel.get(channel).copied().unwrap_or_default();
        let above = at(&a) + (at(&b) - at(&a)) * right;
        let below = at(&c) + (at(&d) - at(&c)) * right;
        above + (below - above) * down
    })
}

/// The shadow of a pole: a slanting band with nearly sharp edges that crosses the card with the sun.
fn cast_shadow(canvas: &mut Canvas, light: &Light) {
    let sun = ((light.sun_elevation_deg - 4.0) / 10.0).clamp(0.0, 1.0)
        * (1.0 - light.cloud * 1.3).clamp(0.0, 1.0);
    if sun < 0.05 {
        return;
    }
    let width = canvas.width as f32;
    let at = (1.2 - 1.4 * light.sun_way) * width;
    for (row, pixels) in canvas.pixels.chunks_mut(canvas.width).enumerate() {
        let line = at + row as f32 * 0.12;
        for (column, pixel) in pixels.iter_mut().enumerate() {
            let inside = width * 0.09 - (column as f32 - line).abs();
            let cover = (inside / 5.0 + 0.5).clamp(0.0, 1.0);
            if cover > 0.0 {
                for value in pixel {
                    *value *= 1.0 - 0.45 * sun * cover;
                }
            }
        }
    }
}
