//! What light does to the plate: the day's color, leaves that throw shade, the
//! flash at night, the glare of glue, and the noise of a small sensor.

use super::canvas::{Canvas, Rgb, center};
use super::noise::{clouds, lerp, step};
use crate::chance::mix;

/// The light at the moment of a shot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Light {
    /// Height of the sun above the horizon, degrees; negative at night.
    pub sun_elevation_deg: f32,
    /// Where the sun stands: 0 in the east, 1 in the west.
    pub sun_way: f32,
    /// Share of the sky under clouds, 0 to 1.
    pub cloud: f32,
    /// A number of the shot, for leaves that move and for sensor noise.
    pub shot: u64,
}

/// Lights the canvas and turns it into 8-bit RGB, three bytes a pixel.
pub(crate) fn expose(canvas: &Canvas, mask: &[f32], seed: u64, light: &Light) -> Vec<u8> {
    let scene = Scene::new(canvas, seed, light);
    let mut grain = Grain::new(mix(seed ^ light.shot), scene.night);
    let mut bytes = Vec::with_capacity(canvas.pixels.len() * 3);
    let tones = tone_table();
    let rows = canvas
        .pixels
        .chunks(canvas.width)
        .zip(mask.chunks(canvas.width));
    for (y, (row, mask_row)) in rows.enumerate() {
        let lamps = scene.row(y, canvas.width);
        for (x, (pixel, &card)) in row.iter().zip(mask_row).enumerate() {
            let (lamp, shine) = at(&lamps, x);
            let depth = lerp(scene.backdrop_gain, 1.0, card);
            for (channel, value) in pixel.iter().enumerate() {
                let tint = scene.color.get(channel).copied().unwrap_or(1.0);
                let lit = value * lamp * tint * depth + shine * card;
                bytes.push(grain.add(tone(&tones, lit)));
            }
        }
    }
    bytes
}

/// Light changes slowly over the picture, so it is worked out on a coarse grid.
const GRID_PX: usize = 8;

struct Scene {
    color: Rgb,
    backdrop_gain: f32,
    night: f32,
    cells: Vec<(f32, f32)>,
    columns: usize,
}

impl Scene {
    fn new(canvas: &Canvas, seed: u64, light: &Light) -> Self {
        let day = step(-3.0, 12.0, light.sun_elevation_deg);
        let night = 1.0 - step(-6.0, 2.0, light.sun_elevation_deg);
        let warm = step(22.0, 0.0, light.sun_elevation_deg) * (1.0 - night);
        let columns = canvas.width / GRID_PX + 2;
        let rows = canvas.height / GRID_PX + 2;
        let noise_seed = u32::try_from(mix(seed ^ (light.shot >> 2)) >> 32).unwrap_or(0);
        let size = center(canvas.width.max(canvas.height));
        let mut cells = Vec::with_capacity(columns * rows);
        for row in 0..rows {
            for column in 0..columns {
                let x = center(column * GRID_PX) / size;
                let y = center(row * GRID_PX) / size;
                let direct = day * (1.0 - 0.8 * light.cloud);
                let slope = (light.sun_way - 0.5) * (x - 0.4) * 0.5 + (0.5 - y) * 0.16;
                let leaves = step(0.40, 0.60, clouds(noise_seed, x * 5.0, y * 5.0));
                let sky = lerp(0.50, 0.98, day)
                    * (1.0 + slope)
                    * lerp(1.0, lerp(0.62, 1.04, leaves), direct);
                let from_flash = (x - 0.44).hypot(y - 0.40);
                let flash = 1.1 / (1.0 + 5.0 * from_flash * from_flash);
                let corner = (x - 0.38).hypot(y - 0.5);
                let lens = 1.0 - 0.28 * corner * corner;
                let glue = clouds(noise_seed ^ 9, x * 34.0, y * 4.0);
                let hot_spot = (-from_flash * from_flash / 0.0035).exp();
                let shine = night * 0.34 * hot_spot * (0.6 + 0.8 * glue)
                    + direct * 0.035 * step(0.55, 0.8, glue);
                cells.push((lerp(sky, flash, night) * lens, shine));
            }
        }
        let noon: Rgb = [1.0, 1.0, 1.0];
        let low_sun: Rgb = [1.06, 0.86, 0.72];
        let led: Rgb = [0.93, 0.98, 1.25];
        let mut color = noon;
        super::canvas::blend(&mut color, low_sun, warm * (1.0 - 0.6 * light.cloud));
        super::canvas::blend(&mut color, led, night);
        Self {
            color,
            backdrop_gain: lerp(1.0, 0.10, night),
            night,
            cells,
            columns,
        }
    }

    /// The grid's values down to one row of pixels.
    fn row(&self, y: usize, width: usize) -> Vec<(f32, f32)> {
        let down = center(y % GRID_PX) / center(GRID_PX);
        let start = (y / GRID_PX) * self.columns;
        let above = self.cells.iter().skip(start);
        let below = self.cells.iter().skip(start + self.columns);
        above
            .zip(below)
            .take(width / GRID_PX + 2)
            .map(|(a, b)| (lerp(a.0, b.0, down), lerp(a.1, b.1, down)))
            .collect()
    }
}

fn at(lamps: &[(f32, f32)], x: usize) -> (f32, f32) {
    let across = center(x % GRID_PX) / center(GRID_PX);
    let left = lamps.get(x / GRID_PX).copied().unwrap_or((1.0, 0.0));
    let right = lamps.get(x / GRID_PX + 1).copied().unwrap_or(left);
    (lerp(left.0, right.0, across), lerp(left.1, right.1, across))
}

const TONES: usize = 2048;

/// From linear light to the gamma of a JPEG, with highlights rolled off.
fn tone_table() -> Vec<f32> {
    (0..=TONES)
        .map(|index| {
            let linear = center(index) / center(TONES) * 1.25;
            let rolled = if linear > 0.8 {
                0.8 + (linear - 0.8) * 0.42
            } else {
                linear
            };
            255.0 * rolled.powf(1.0 / 2.2)
        })
        .collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "clamped to the table"
)]
fn tone(tones: &[f32], linear: f32) -> f32 {
    let place = (linear / 1.25 * TONES as f32).clamp(0.0, TONES as f32) as usize;
    tones.get(place).copied().unwrap_or(255.0)
}

/// Sensor noise; stronger when there is little light.
struct Grain {
    state: u64,
    strength: f32,
}

impl Grain {
    fn new(seed: u64, night: f32) -> Self {
        Self {
            state: seed | 1,
            strength: lerp(2.2, 4.5, night) / 65_536.0,
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "clamped to a byte; 17 bits of noise fit an f32"
    )]
    fn add(&mut self, tone: f32) -> u8 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        let sum = (self.state & 0xffff) + ((self.state >> 16) & 0xffff);
        let noise = (sum as f32 - 65_535.0) * self.strength;
        (tone + noise + 0.5).clamp(0.0, 255.0) as u8
    }
}
