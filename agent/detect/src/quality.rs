//! What a picture is worth, told from a small copy of it: whether it shows anything, in which light, how sharp.
//!
//! The copy comes straight out of the decoder at a quarter of the size, so that a trap can afford it for every picture,
//! also where no network looks at any: 12 megapixels cost some megabytes of memory and half the time of decoding them.
//!
//! A single picture says for certain only whether it is far off. Blur and colour are compared with what the same trap
//! saw lately; for that, who asks brings what was measured of its last pictures.

use crate::change::grey::{Grey, luma_of};
use crate::jpeg::{self, Limits, PictureError};
use crate::look::Quality;
use jpeg_decoder::{CodingProcess, Decoder, PixelFormat};

/// Pixels of this brightness or less show nothing; a compressed black is not quite 0.
const BLACK: u32 = 8;
/// Pixels of this brightness or more are burnt out.
const WHITE: u32 = 250;
/// The decoder may take so much for the small copy.
const COPY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Progressive files are held whole while they are decoded, at three bytes and more for each pixel.
const PROGRESSIVE_PIXELS_MAX: u64 = 16_000_000;

/// Under this spread of brightness a picture shows nothing but its own noise.
const CONTRAST_MIN: f32 = 3.0;
/// Under this mean brightness nothing but the brightest parts could be seen.
const LUMA_BLACK: f32 = 8.0;
/// Under this mean brightness small insects drown in noise.
const LUMA_DARK: f32 = 40.0;
/// With more of the picture burnt out than this, insects on it are missed.
const BRIGHT_SHARE_MAX: f32 = 0.25;
/// Under this sharpness no card is in focus, whatever the camera.
const SHARPNESS_MIN: f32 = 0.5;
/// Under this part of the trap's own recent best a picture is blurred.
const SHARPNESS_OF_BEST: f32 = 0.8;
/// Which of the recent pictures is "the best": not the very best, which may be a freak.
const BEST_RANK: usize = 2;
/// Fewer pictures than this are nothing to compare with.
const RECENT_MIN: usize = 6;
/// Further apart than this, two colours of the background are not the same light.
const CAST_APART: f32 = 0.4;
/// A colour that fewer than one in this many recent pictures had is another light; lamps at night and the sun by day
/// are both known light.
const CAST_ALIKE_ONE_IN: usize = 8;

/// What was measured of one picture.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Measured {
    /// As a look measures it; `clipped_share` is `dark_share` and `bright_share` together.
    pub quality: Quality,
    /// How far the brightness spreads around its mean, from 0 to 128.
    pub contrast: f32,
    /// Share of the picture that is quite black, from 0 to 1.
    pub dark_share: f32,
    /// Share of the picture that is burnt out, from 0 to 1.
    pub bright_share: f32,
    /// How far the light parts of the picture, the background, are from grey, from 0 to 1 (one pure colour).
    pub cast: f32,
    /// Their colour as an angle in degrees: 0 red, 60 yellow, 120 green, 240 blue.
    pub hue_degrees: f32,
}

/// What is wrong with a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flaw {
    /// It shows nothing: a cover on the lens, a lamp that failed.
    Covered,
    /// Too dark to find small insects.
    Dark,
    /// Large parts are burnt out.
    Overexposed,
    /// Much less sharp than the trap's recent pictures, or than anything in focus.
    Blurred,
    /// Another colour of light than in the trap's recent pictures.
    Cast,
}

/// Measures a JPEG file.
///
/// # Errors
/// [`PictureError`] when it cannot be decoded, or would cost too much memory.
pub fn measure(bytes: &[u8]) -> Result<Measured, PictureError> {
    let (width_px, height_px) = jpeg::dimensions(bytes)?;
    let pixels = u64::from(width_px) * u64::from(height_px);
    let pixels_max = Limits::default().pixels_max;
    let too_large = |pixels_max| PictureError::TooLarge {
        width_px,
        height_px,
        pixels_max,
    };
    if pixels > pixels_max {
        return Err(too_large(pixels_max));
    }
    let mut decoder = Decoder::new(bytes);
    decoder.set_max_decoding_buffer_size(COPY_BYTES_MAX);
    decoder.read_info().map_err(damaged)?;
    let info = decoder
        .info()
        .ok_or_else(|| damaged("its header is not whole"))?;
    if info.coding_process == CodingProcess::DctProgressive && pixels > PROGRESSIVE_PIXELS_MAX {
        return Err(too_large(PROGRESSIVE_PIXELS_MAX));
    }
    let factor = Grey::factor(width_px, height_px).min(8);
    let shrunk =
        |size_px: u16| u16::try_from(u32::from(size_px).div_ceil(factor)).unwrap_or(size_px);
    let (width, height) = decoder
        .scale(shrunk(info.width), shrunk(info.height))
        .map_err(damaged)?;
    let copy = decoder.decode().map_err(damaged)?;
    let bytes_each = match info.pixel_format {
        PixelFormat::L8 => 1,
        PixelFormat::RGB24 => 3,
        PixelFormat::L16 | PixelFormat::CMYK32 => {
            return Err(damaged("its colours are not those of a camera"));
        }
    };
    let (width, height) = (usize::from(width), usize::from(height));
    if copy.len() != width * height * bytes_each {
        return Err(damaged("its small copy has another size than it said"));
    }
    Ok(Tally::of(&copy, bytes_each).measured(width, height, factor))
}

fn damaged(problem: impl ToString) -> PictureError {
    PictureError::Damaged {
        problem: problem.to_string(),
    }
}

/// Counts over all pixels of the small copy.
struct Tally {
    luma: Vec<u8>,
    dark: u64,
    bright: u64,
    /// Mean colour of the pixels that are at least as light as the mean and not burnt out.
    background: [f32; 3],
}

impl Tally {
    fn of(copy: &[u8], bytes_each: usize) -> Self {
        let colours = || {
            copy.chunks_exact(bytes_each).map(|pixel| match *pixel {
                [red, green, blue] => [red, green, blue],
                [grey] => [grey; 3],
                _ => [0; 3],
            })
        };
        let lumas = || colours().map(|colour| luma_of(&colour));
        let pixels = (copy.len() / bytes_each).max(1) as u64;
        let mean = lumas().map(u64::from).sum::<u64>() / pixels;
        let (mut sums, mut light) = ([0_u64; 3], 0_u64);
        for (colour, luma) in colours().zip(lumas()) {
            if u64::from(luma) >= mean && luma < WHITE {
                light += 1;
                for (sum, part) in sums.iter_mut().zip(colour) {
                    *sum += u64::from(part);
                }
            }
        }
        let count = |is: &dyn Fn(u32) -> bool| lumas().filter(|&luma| is(luma)).count() as u64;
        Self {
            dark: count(&|luma| luma <= BLACK),
            bright: count(&|luma| luma >= WHITE),
            background: sums.map(|sum| sum as f32 / light.max(1) as f32),
            luma: lumas()
                .map(|luma| u8::try_from(luma).unwrap_or(u8::MAX))
                .collect(),
        }
    }

    fn measured(self, width: usize, height: usize, factor: u32) -> Measured {
        let count = self.luma.len().max(1) as u64;
        let pixels = count as f32;
        let sum: u64 = self.luma.iter().map(|&luma| u64::from(luma)).sum();
        let squares: u64 = self.luma.iter().map(|&luma| u64::from(luma).pow(2)).sum();
        // In whole numbers, so that a flat picture has a spread of exactly nothing.
        let spread = (u128::from(count) * u128::from(squares))
            .saturating_sub(u128::from(sum) * u128::from(sum));
        let (cast, hue_degrees) = colour_of(self.background);
        let (dark_share, bright_share) = (self.dark as f32 / pixels, self.bright as f32 / pixels);
        let grey = Grey {
            width,
            height,
            factor,
            luma: self.luma,
        };
        Measured {
            quality: Quality {
                sharpness: grey.sharpness(),
                mean_luma: sum as f32 / pixels,
                clipped_share: dark_share + bright_share,
            },
            contrast: (spread as f32).sqrt() / pixels,
            dark_share,
            bright_share,
            cast,
            hue_degrees,
        }
    }
}

/// Saturation from 0 to 1 and hue in degrees; nearly black has no colour.
fn colour_of([red, green, blue]: [f32; 3]) -> (f32, f32) {
    let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
    let span = most - least;
    if most < LUMA_BLACK || span <= f32::EPSILON {
        return (0.0, 0.0);
    }
    let sixth = if most - red <= f32::EPSILON {
        (green - blue) / span
    } else if most - green <= f32::EPSILON {
        2.0 + (blue - red) / span
    } else {
        4.0 + (red - green) / span
    };
    (span / most, (60.0 * sixth).rem_euclid(360.0))
}

impl Measured {
    /// What is wrong with the picture, beside what was measured of the trap's last pictures.
    ///
    /// Blurred ones count among these too: a lens that stays as it is becomes the new measure after as many pictures,
    /// when somebody should have come long ago, or wanted it so.
    #[must_use]
    pub fn flaws(&self, recent: &[Self]) -> Vec<Flaw> {
        let recent: Vec<Self> = recent.iter().copied().filter(Self::shows_enough).collect();
        let Quality {
            sharpness,
            mean_luma,
            ..
        } = self.quality;
        if self.shows_nothing() {
            // Of a picture of nothing neither focus nor colour can be told.
            return vec![Flaw::Covered];
        }
        let sharp_enough = best(&recent).map_or(SHARPNESS_MIN, |best| {
            (SHARPNESS_OF_BEST * best).max(SHARPNESS_MIN)
        });
        let found = [
            (mean_luma < LUMA_DARK, Flaw::Dark),
            (self.bright_share > BRIGHT_SHARE_MAX, Flaw::Overexposed),
            (sharpness < sharp_enough, Flaw::Blurred),
            (self.has_other_light(&recent), Flaw::Cast),
        ];
        found
            .into_iter()
            .filter(|(is, _)| *is)
            .map(|(_, flaw)| flaw)
            .collect()
    }

    fn shows_nothing(&self) -> bool {
        self.quality.mean_luma < LUMA_BLACK || self.contrast < CONTRAST_MIN
    }

    /// Whether focus and colour of light can be told from it.
    fn shows_enough(&self) -> bool {
        !self.shows_nothing()
            && self.quality.mean_luma >= LUMA_DARK
            && self.bright_share <= BRIGHT_SHARE_MAX
    }

    fn has_other_light(&self, recent: &[Self]) -> bool {
        if recent.len() < RECENT_MIN || !self.shows_enough() {
            return false;
        }
        let (x, y) = self.colour();
        let alike = recent.iter().filter(|one| {
            let (other_x, other_y) = one.colour();
            (x - other_x).hypot(y - other_y) <= CAST_APART
        });
        alike.count() * CAST_ALIKE_ONE_IN < recent.len()
    }

    /// The background's colour as a point in the plane of colours.
    fn colour(&self) -> (f32, f32) {
        let angle = self.hue_degrees.to_radians();
        (self.cast * angle.cos(), self.cast * angle.sin())
    }
}

/// How sharp the trap's pictures can be.
fn best(recent: &[Measured]) -> Option<f32> {
    if recent.len() < RECENT_MIN {
        return None;
    }
    let mut values: Vec<f32> = recent.iter().map(|one| one.quality.sharpness).collect();
    values.sort_by(|a, b| b.total_cmp(a));
    values.get(BEST_RANK).copied()
}

#[cfg(test)]
mod tests;
