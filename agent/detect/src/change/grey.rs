//! The small grey copy of a picture, and what it says about the picture's quality.

use crate::jpeg::Picture;
use crate::look::Quality;

/// No grey copy has more pixels, so that a memory stays below a megabyte.
const PIXELS_MAX: u64 = 800_000;
/// A copy shrunk by less would cost more than it shows.
const FACTOR_MIN: u32 = 4;
/// Luma at or below, or at or above, which a pixel shows nothing any more.
const BLACK: u32 = 3;
const WHITE: u32 = 252;
/// Sharpness is measured on the steepest pixels, one in this many.
const STEEPEST_ONE_IN: usize = 100;

/// A small grey picture: means of `factor` × `factor` pixels of the large one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grey {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Pixels of the large picture along one side of a pixel of this one.
    pub factor: u32,
    /// Width × height bytes, row by row.
    pub luma: Vec<u8>,
}

impl Grey {
    /// How much a picture of this size is shrunk.
    #[must_use]
    pub fn factor(width_px: u32, height_px: u32) -> u32 {
        let mut factor = FACTOR_MIN;
        while u64::from(width_px.div_ceil(factor)) * u64::from(height_px.div_ceil(factor))
            > PIXELS_MAX
        {
            factor *= 2;
        }
        factor
    }

    /// Shrinks a picture, and measures its quality on the way.
    #[must_use]
    pub fn of(picture: &Picture) -> (Self, Quality) {
        let factor = Self::factor(picture.width_px, picture.height_px);
        Self::shrunk(picture, factor)
    }

    /// The same, with squares of `factor` × `factor` pixels.
    pub(crate) fn shrunk(picture: &Picture, factor: u32) -> (Self, Quality) {
        let width = picture.width_px.div_ceil(factor) as usize;
        let height = picture.height_px.div_ceil(factor) as usize;
        let mut luma = Vec::with_capacity(width * height);
        let mut sums = vec![0_u32; width];
        let (mut total, mut clipped) = (0_u64, 0_u64);
        let line_bytes = (picture.width_px as usize * 3).max(1);
        for lines in picture.rgb.chunks(line_bytes * factor as usize) {
            sums.fill(0);
            for line in lines.chunks(line_bytes) {
                for (pixels, sum) in line.chunks(3 * factor as usize).zip(&mut sums) {
                    for pixel in pixels.chunks_exact(3) {
                        let value = luma_of(pixel);
                        *sum += value;
                        clipped += u64::from(value <= BLACK || value >= WHITE);
                    }
                }
            }
            let rows = u32::try_from(lines.len() / line_bytes).unwrap_or(u32::MAX);
            for (left_px, &sum) in (0..).step_by(factor as usize).zip(&sums) {
                total += u64::from(sum);
                let columns = factor.min(picture.width_px - left_px);
                let mean = sum / (rows * columns).max(1);
                luma.push(u8::try_from(mean).unwrap_or(u8::MAX));
            }
        }
        let pixels = u64::from(picture.width_px) * u64::from(picture.height_px);
        let grey = Self {
            width,
            height,
            factor,
            luma,
        };
        let quality = Quality {
            sharpness: grey.sharpness(),
            mean_luma: total as f32 / pixels.max(1) as f32,
            clipped_share: clipped as f32 / pixels.max(1) as f32,
        };
        (grey, quality)
    }

    /// One row.
    pub(crate) fn row(&self, y: usize) -> &[u8] {
        self.luma
            .get(y * self.width..(y + 1) * self.width)
            .unwrap_or_default()
    }

    /// How much of an edge's height lies within two pixels, at the steepest edges; from 0 (fog) to 1.
    ///
    /// The height of an edge divides out contrast, brightness and the number of insects, so that only the lens and
    /// the distance remain.
    pub(crate) fn sharpness(&self) -> f32 {
        let mut counts = [0_usize; 256];
        self.each_edge(|step, _| {
            if let Some(count) = counts.get_mut(usize::from(step)) {
                *count += 1;
            }
        });
        let wanted = (self.luma.len() / STEEPEST_ONE_IN).max(1);
        let mut steepest = 0;
        let mut step_min = 255;
        for (step, count) in (0_u8..=u8::MAX).rev().zip(counts.into_iter().rev()) {
            steepest += count;
            step_min = step;
            if steepest >= wanted {
                break;
            }
        }
        let (mut steps, mut heights) = (0_u64, 0_u64);
        self.each_edge(|step, around| {
            if step >= step_min.max(2) {
                let (low, high) = around.iter().fold((u8::MAX, 0), |(low, high), &value| {
                    (low.min(value), high.max(value))
                });
                steps += u64::from(step);
                heights += u64::from(high - low);
            }
        });
        steps as f32 / heights.max(1) as f32
    }

    /// Visits every pixel but those at the left and right: its two-pixel step, and the seven pixels around it.
    fn each_edge(&self, mut visit: impl FnMut(u8, &[u8])) {
        for y in 0..self.height {
            for around in self.row(y).windows(7) {
                if let [_, _, left, _, right, _, _] = *around {
                    visit(left.abs_diff(right), around);
                }
            }
        }
    }
}

/// Brightness as eyes see it, from 0 to 255; the weights add up to 256.
pub(crate) fn luma_of(pixel: &[u8]) -> u32 {
    match *pixel {
        [red, green, blue] => {
            (77 * u32::from(red) + 150 * u32::from(green) + 29 * u32::from(blue)) >> 8
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width_px: u32, height_px: u32, value: impl Fn(u32, u32) -> u8) -> Picture {
        let rgb = (0..height_px)
            .flat_map(|y| (0..width_px).map(move |x| (x, y)))
            .flat_map(|(x, y)| [value(x, y); 3])
            .collect();
        Picture {
            width_px,
            height_px,
            rgb,
        }
    }

    #[test]
    fn every_pixel_counts_once_also_at_ragged_edges() {
        let (grey, quality) = Grey::of(&picture(
            10,
            6,
            |x, y| if x < 8 && y < 4 { 100 } else { 200 },
        ));
        assert_eq!((grey.width, grey.height, grey.factor), (3, 2, 4));
        assert_eq!(grey.luma, [100, 100, 200, 200, 200, 200]);
        assert!((quality.mean_luma - (32.0 * 100.0 + 28.0 * 200.0) / 60.0).abs() < 0.01);
        assert!(quality.clipped_share.abs() < 1e-6);
        let (_, quality) = Grey::of(&picture(10, 6, |x, _| if x < 5 { 0 } else { 255 }));
        assert!((quality.clipped_share - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_large_picture_is_shrunk_more() {
        assert_eq!(Grey::factor(1536, 2048), 4);
        assert_eq!(Grey::factor(4608, 2592), 4);
        assert_eq!(Grey::factor(9152, 6944), 16);
        for (width_px, height_px) in [(1, 1), (4608, 2592), (8000, 8000), (65_535, 65_535)] {
            let factor = Grey::factor(width_px, height_px);
            let pixels =
                u64::from(width_px.div_ceil(factor)) * u64::from(height_px.div_ceil(factor));
            assert!(pixels <= PIXELS_MAX);
        }
    }

    #[test]
    fn blur_lowers_sharpness_and_contrast_does_not() {
        let stripes = |width: u32, low: u8, high: u8| {
            let ramp = |x: u32| {
                let place = (x % 128).abs_diff(64);
                let rise = (place.saturating_sub(32 - width)).min(2 * width) * 255 / (2 * width);
                low + u8::try_from(rise * u32::from(high - low) / 255).unwrap()
            };
            Grey::of(&picture(512, 128, |x, _| ramp(x))).1.sharpness
        };
        let sharp = stripes(2, 40, 200);
        assert!((sharp - stripes(2, 80, 120)).abs() < 0.1, "contrast");
        assert!(stripes(12, 40, 200) < 0.75 * sharp, "blur");
    }
}
