//! A grey picture with its lighting divided out: what is left is what is drawn, stuck or printed on the card.

use std::ops::Range;

use crate::change::grey::Grey;

/// Half the side of the square whose mean is a pixel's background; large against an insect's width, small against a
/// shadow.
const REACH: usize = 8;
/// Added to the background, so that black corners do not turn noise into structure.
const DARK: f32 = 12.0;

/// Width × height numbers around 0: -0.5 is half as bright as its surroundings.
#[derive(Debug, Clone, PartialEq)]
pub struct Flat {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Width × height values, row by row.
    pub value: Vec<f32>,
}

impl Flat {
    /// Divides every pixel by the mean of its surroundings.
    #[must_use]
    pub fn of(grey: &Grey) -> Self {
        let (width, height) = (grey.width, grey.height);
        let mut value = Vec::with_capacity(width * height);
        // Sums of the columns' pixels within reach of the row; a row enters below as one leaves above.
        let mut columns = vec![0_u32; width];
        for y in 0..REACH.min(height) {
            add(&mut columns, grey.row(y));
        }
        for y in 0..height {
            if y + REACH < height {
                add(&mut columns, grey.row(y + REACH));
            }
            if y > REACH {
                subtract(&mut columns, grey.row(y - REACH - 1));
            }
            let rows = (y + REACH + 1).min(height) - y.saturating_sub(REACH);
            let mut sum: u32 = columns.iter().take(REACH).sum();
            for (x, &pixel) in grey.row(y).iter().enumerate() {
                sum += columns.get(x + REACH).copied().unwrap_or(0);
                if x > REACH {
                    sum -= columns.get(x - REACH - 1).copied().unwrap_or(0);
                }
                let count = rows * ((x + REACH + 1).min(width) - x.saturating_sub(REACH));
                let background = sum as f32 / count as f32;
                value.push((f32::from(pixel) - background) / (background + DARK));
            }
        }
        Self {
            width,
            height,
            value,
        }
    }

    /// The same with nothing drawn outside of the columns and rows given.
    #[must_use]
    pub fn only(&self, columns: Range<usize>, rows: Range<usize>) -> Self {
        let mut value = vec![0.0; self.value.len()];
        let lines = value.chunks_exact_mut(self.width.max(1)).enumerate();
        for (y, line) in lines.filter(|(y, _)| rows.contains(y)) {
            let end = columns.end.min(self.width);
            let span = columns.start.min(end)..end;
            if let (Some(to), Some(from)) = (line.get_mut(span.clone()), self.row(y).get(span)) {
                to.copy_from_slice(from);
            }
        }
        Self { value, ..*self }
    }

    /// The same at half the size; an odd row or column at the end is left out.
    #[must_use]
    pub fn halved(&self) -> Self {
        let (width, height) = (self.width / 2, self.height / 2);
        let mut value = Vec::with_capacity(width * height);
        for y in 0..height {
            let (upper, lower) = (self.row(2 * y), self.row(2 * y + 1));
            for (above, below) in upper.chunks_exact(2).zip(lower.chunks_exact(2)) {
                value.push((above.iter().sum::<f32>() + below.iter().sum::<f32>()) / 4.0);
            }
        }
        Self {
            width,
            height,
            value,
        }
    }

    /// One row.
    pub(crate) fn row(&self, y: usize) -> &[f32] {
        self.value
            .get(y * self.width..(y + 1) * self.width)
            .unwrap_or_default()
    }

    /// How far the nine pixels around each pixel are apart.
    #[must_use]
    pub fn relief(&self) -> Self {
        // Of three in a row first, then of three such rows; plain slices, because this is a third of a comparison.
        let (mut low, mut high) = (self.value.clone(), self.value.clone());
        let lines = |values: &mut Vec<f32>, pick: fn(f32, f32) -> f32| {
            let rows = values.chunks_exact_mut(self.width.max(1));
            for (y, line) in rows.enumerate() {
                let row = self.row(y);
                for (value, &left) in line.iter_mut().skip(1).zip(row) {
                    *value = pick(*value, left);
                }
                for (value, &right) in line.iter_mut().zip(row.iter().skip(1)) {
                    *value = pick(*value, right);
                }
            }
        };
        lines(&mut low, f32::min);
        lines(&mut high, f32::max);
        let row =
            |values: &'_ [f32], y: usize| y * self.width..((y + 1) * self.width).min(values.len());
        let mut value = Vec::with_capacity(self.value.len());
        for y in 0..self.height {
            let near = [y.saturating_sub(1), y, (y + 1).min(self.height - 1)];
            let [lows, highs] =
                [&low, &high].map(|all| near.map(|y| all.get(row(all, y)).unwrap_or_default()));
            let [above, here, below] = lows;
            let lowest = above
                .iter()
                .zip(here)
                .zip(below)
                .map(|((a, b), c)| a.min(*b).min(*c));
            let [above, here, below] = highs;
            let highest = above
                .iter()
                .zip(here)
                .zip(below)
                .map(|((a, b), c)| a.max(*b).max(*c));
            value.extend(highest.zip(lowest).map(|(high, low)| high - low));
        }
        Self { value, ..*self }
    }

    /// The value between four pixels; `None` outside.
    #[must_use]
    pub fn at(&self, x: f32, y: f32) -> Option<f32> {
        let (right, bottom) = (self.width as f32 - 1.0, self.height as f32 - 1.0);
        // Nothing lies outside for the tiny steps by which sums of floats miss an edge.
        if !(-0.01..=right + 0.01).contains(&x) || !(-0.01..=bottom + 0.01).contains(&y) {
            return None;
        }
        let (x, y) = (x.clamp(0.0, right), y.clamp(0.0, bottom));
        let (column, row) = (floor(x), floor(y));
        let (across, down) = (x - column as f32, y - row as f32);
        let upper = self.between(row, column, across)?;
        let lower = self.between((row + 1).min(self.height - 1), column, across)?;
        Some(upper + (lower - upper) * down)
    }

    fn between(&self, row: usize, column: usize, across: f32) -> Option<f32> {
        let row = self.row(row);
        let left = *row.get(column)?;
        let right = row.get(column + 1).copied().unwrap_or(left);
        Some(left + (right - left) * across)
    }

    /// Slopes to the right and down at a pixel; 0 at the edges.
    #[must_use]
    pub fn slope(&self, x: usize, y: usize) -> (f32, f32) {
        if x == 0 || y == 0 || x + 1 >= self.width || y + 1 >= self.height {
            return (0.0, 0.0);
        }
        let at = y * self.width + x;
        let value = |at: usize| self.value.get(at).copied().unwrap_or(0.0);
        (
            (value(at + 1) - value(at - 1)) / 2.0,
            (value(at + self.width) - value(at - self.width)) / 2.0,
        )
    }
}

/// The whole part of a number that is not negative.
pub(crate) fn floor(value: f32) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates, and cutting the fraction off is what is wanted"
    )]
    let whole = value as usize;
    whole
}

fn add(sums: &mut [u32], row: &[u8]) {
    for (sum, &pixel) in sums.iter_mut().zip(row) {
        *sum += u32::from(pixel);
    }
}

fn subtract(sums: &mut [u32], row: &[u8]) {
    for (sum, &pixel) in sums.iter_mut().zip(row) {
        *sum -= u32::from(pixel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(width: usize, height: usize, luma: impl Fn(usize, usize) -> u8) -> Grey {
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Grey {
            width,
            height,
            factor: 4,
            luma: places.map(|(x, y)| luma(x, y)).collect(),
        }
    }

    #[test]
    fn even_light_is_nothing_however_strong() {
        for light in [3, 80, 250] {
            let flat = Flat::of(&grey(40, 30, |_, _| light));
            assert!(flat.value.iter().all(|value| value.abs() < 1e-6), "{light}");
        }
    }

    #[test]
    fn the_background_is_the_mean_of_what_is_in_reach() {
        let luma = |x: usize, y: usize| u8::try_from((x * 31 + y * 17) % 200).unwrap();
        let grey = grey(23, 19, luma);
        let flat = Flat::of(&grey);
        for (y, x) in [(0, 0), (0, 22), (18, 0), (18, 22), (9, 11), (3, 20)] {
            let (mut sum, mut count) = (0.0, 0.0);
            for v in y.max(REACH) - REACH..=(y + REACH).min(18) {
                for u in x.max(REACH) - REACH..=(x + REACH).min(22) {
                    sum += f32::from(luma(u, v));
                    count += 1.0;
                }
            }
            let expected = (f32::from(luma(x, y)) - sum / count) / (sum / count + DARK);
            let found = flat.at(x as f32, y as f32).unwrap();
            assert!(
                (found - expected).abs() < 1e-4,
                "{x}, {y}: {found} {expected}"
            );
        }
    }

    #[test]
    fn relief_is_what_the_nine_around_are_apart() {
        let luma = |x: usize, y: usize| u8::try_from((x * 83 + y * 57) % 251).unwrap();
        let flat = Flat::of(&grey(11, 7, luma));
        let relief = flat.relief();
        for (at, found) in relief.value.iter().enumerate() {
            let (x, y) = (at % 11, at / 11);
            let near = (y.max(1) - 1..(y + 2).min(7)).flat_map(|v| {
                let row = flat.row(v);
                row[x.max(1) - 1..(x + 2).min(11)].to_vec()
            });
            let near: Vec<f32> = near.collect();
            let high = near.iter().copied().fold(f32::MIN, f32::max);
            let low = near.iter().copied().fold(f32::MAX, f32::min);
            assert!((found - (high - low)).abs() < 1e-6, "{x}, {y}");
        }
    }

    #[test]
    fn a_value_between_pixels_is_between_them() {
        let flat = Flat {
            width: 2,
            height: 2,
            value: vec![0.0, 1.0, 2.0, 3.0],
        };
        assert_eq!(flat.at(0.5, 0.5), Some(1.5));
        assert_eq!(flat.at(1.0, 1.0), Some(3.0));
        assert_eq!(flat.at(0.25, 0.0), Some(0.25));
        assert_eq!(flat.at(1.1, 0.0), None);
        assert_eq!(flat.at(0.0, -0.1), None);
        assert_eq!(flat.at(f32::NAN, 0.0), None);
    }
}
