//! Which places of a card differ from the last picture, once lighting and motion are taken out.
//!
//! A pixel differs if the difference stands out of the noise around it. At edges a twentieth of a pixel of wrong
//! motion makes a difference too, so where both pictures have a slope more is asked for; an insect that came or went
//! has its slopes in one of them only.

use crate::change::align::Motion;
use crate::change::flat::{Flat, floor};

/// Side of a cell, in grey pixels; small against an insect with its surroundings.
pub const CELL: usize = 4;
/// Noise is measured in squares of this many grey pixels.
const NOISE_SIDE: usize = 32;
/// Differences below this are no insect under any light.
const DIFFERENCE_MIN: f32 = 0.03;
/// So many times the noise a pixel has to differ.
const NOISE_TIMES: f32 = 5.0;
/// Share of the relief of both pictures around a pixel that a slightly wrong motion explains.
const SLACK: f32 = 0.4;
/// Four cells together differ when their pixels exceed what noise and slack explain by this in sum.
const EXCESS_MIN: f32 = 0.15;
/// A strip narrower than this that the last picture did not show is no reason to look.
const STRIP: f32 = 1.5;
/// Counting step of the noise, and how many.
const NOISE_STEP: f32 = 0.001;
const NOISE_STEPS: usize = 256;
/// From the median of the sizes of normally spread numbers to their standard deviation.
const MEDIAN_TO_DEVIATION: f32 = 1.4826;

/// A grid over the picture with the cells that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// Cells in a row.
    pub columns: usize,
    /// Rows of cells.
    pub rows: usize,
    /// Columns × rows.
    pub is_changed: Vec<bool>,
}

impl Changes {
    /// Share of the cells that changed, from 0 to 1.
    #[must_use]
    pub fn share(&self) -> f32 {
        let changed = self.is_changed.iter().filter(|&&changed| changed).count();
        changed as f32 / self.is_changed.len().max(1) as f32
    }

    /// Forgets the changes in cells, by column and row, that are not to be looked at.
    pub fn keep(&mut self, is_kept: impl Fn(usize, usize) -> bool) {
        let columns = self.columns.max(1);
        for (cell, changed) in self.is_changed.iter_mut().enumerate() {
            *changed = *changed && is_kept(cell % columns, cell / columns);
        }
    }
}

/// Compares this picture with the last one, which lay as `motion` says.
#[must_use]
pub fn compare(before: &Flat, now: &Flat, motion: &Motion) -> Changes {
    let differences = differences(before, now, motion);
    let noise = Noise::of(&differences, now.width);
    let (columns, rows) = (now.width.div_ceil(CELL), now.height.div_ceil(CELL));
    let mut excess = vec![0.0_f32; columns * rows];
    for (at, difference) in differences.iter().enumerate() {
        let (x, y) = (at % now.width.max(1), at / now.width.max(1));
        let explained = (NOISE_TIMES * noise.at(x, y)).max(DIFFERENCE_MIN);
        let beyond = difference.size - difference.slack - explained;
        if beyond > 0.0
            && let Some(cell) = excess.get_mut(y / CELL * columns + x / CELL)
        {
            *cell += beyond;
        }
    }
    Changes {
        columns,
        rows,
        is_changed: together(&excess, columns, rows),
    }
}

/// How much a pixel differs, and how much of it a slightly wrong motion would explain.
#[derive(Clone, Copy)]
struct Difference {
    size: f32,
    slack: f32,
}

fn differences(before: &Flat, now: &Flat, motion: &Motion) -> Vec<Difference> {
    let (relief_before, relief_now) = (before.relief(), now.relief());
    let mut differences = Vec::with_capacity(now.value.len());
    for y in 0..now.height {
        for ((x, &value), &relief) in now.row(y).iter().enumerate().zip(relief_now.row(y)) {
            let (from_x, from_y) = motion.back(x as f32, y as f32);
            let difference = match before.at(from_x, from_y) {
                Some(then) => {
                    let there = relief_before.row(floor(from_y + 0.5));
                    let relief_then = there.get(floor(from_x + 0.5)).copied().unwrap_or(0.0);
                    Difference {
                        size: (then - value).abs(),
                        slack: SLACK * relief_then.min(relief),
                    }
                }
                None if is_far_outside(before, from_x, from_y) => Difference {
                    size: 1.0,
                    slack: 0.0,
                },
                None => Difference {
                    size: 0.0,
                    slack: 0.0,
                },
            };
            differences.push(difference);
        }
    }
    differences
}

fn is_far_outside(before: &Flat, x: f32, y: f32) -> bool {
    let is_far = |place: f32, side: usize| !(-STRIP..=side as f32 - 1.0 + STRIP).contains(&place);
    is_far(x, before.width) || is_far(y, before.height)
}

/// The deviation of the differences, square by square.
struct Noise {
    columns: usize,
    deviation: Vec<f32>,
}

impl Noise {
    /// Medians, so that insects in a square do not count as its noise.
    fn of(differences: &[Difference], width: usize) -> Self {
        let columns = width.div_ceil(NOISE_SIDE);
        let mut deviation = Vec::new();
        let mut counts = vec![[0_usize; NOISE_STEPS]; columns];
        for lines in differences.chunks((width * NOISE_SIDE).max(1)) {
            counts.fill([0; NOISE_STEPS]);
            for line in lines.chunks(width.max(1)) {
                for (pixels, counts) in line.chunks(NOISE_SIDE).zip(&mut counts) {
                    for pixel in pixels {
                        let step = floor(pixel.size / NOISE_STEP).min(NOISE_STEPS - 1);
                        if let Some(count) = counts.get_mut(step) {
                            *count += 1;
                        }
                    }
                }
            }
            deviation.extend(
                counts
                    .iter()
                    .map(|counts| MEDIAN_TO_DEVIATION * median(counts)),
            );
        }
        Self { columns, deviation }
    }

    fn at(&self, x: usize, y: usize) -> f32 {
        let square = y / NOISE_SIDE * self.columns + x / NOISE_SIDE;
        self.deviation.get(square).copied().unwrap_or(0.0)
    }
}

fn median(counts: &[usize]) -> f32 {
    let half = counts.iter().sum::<usize>().div_ceil(2);
    let mut below = 0;
    let steps = counts.iter().take_while(|&&count| {
        below += count;
        below < half
    });
    (steps.count() as f32 + 0.5) * NOISE_STEP
}

/// Marks the cells whose excess, with three neighbours', is enough: an insect may lie where four cells meet.
fn together(excess: &[f32], columns: usize, rows: usize) -> Vec<bool> {
    let mut is_changed = vec![false; excess.len()];
    for row in 0..rows {
        for column in 0..columns {
            let right = (column + 1).min(columns - 1);
            let below = (row + 1).min(rows - 1);
            let cells = [
                row * columns + column,
                row * columns + right,
                below * columns + column,
                below * columns + right,
            ];
            let of = |&cell: &usize| excess.get(cell).copied().unwrap_or(0.0);
            // At the last row and column a cell is its own neighbour and counts twice, which errs to looking.
            if cells.iter().map(of).sum::<f32>() >= EXCESS_MIN {
                for cell in cells {
                    if let Some(changed) = is_changed.get_mut(cell) {
                        *changed |= of(&cell) > 0.0;
                    }
                }
            }
        }
    }
    is_changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::grey::Grey;

    /// Paper with noise from a seed under uneven light, and dark spots of 5 x 3 grey pixels.
    fn card(seed: u32, light: f32, spots: &[(usize, usize)]) -> Flat {
        let (width, height) = (128, 96);
        let mut state = seed;
        let mut luma = Vec::new();
        for y in 0..height {
            for x in 0..width {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let noise = (state >> 24) as f32 / 64.0 - 2.0;
                let is_spot = spots.iter().any(|&(left, top)| {
                    (left..left + 5).contains(&x) && (top..top + 3).contains(&y)
                });
                let paper = if is_spot { 90.0 } else { 180.0 };
                let value = floor(light * (1.0 - 0.002 * x as f32) * paper + noise);
                luma.push(u8::try_from(value).unwrap());
            }
        }
        Flat::of(&Grey {
            width,
            height,
            factor: 4,
            luma,
        })
    }

    /// Middles of what changed, in cells.
    fn changed(before: &Flat, now: &Flat) -> Vec<(usize, usize)> {
        let changes = compare(before, now, &Motion::rest(now));
        let cells = changes
            .is_changed
            .iter()
            .enumerate()
            .filter(|(_, changed)| **changed);
        cells
            .map(|(cell, _)| (cell % changes.columns, cell / changes.columns))
            .collect()
    }

    #[test]
    fn another_light_and_other_noise_are_no_change() {
        let spots = [(30, 20), (70, 60)];
        let before = card(1, 1.0, &spots);
        assert_eq!(changed(&before, &card(2, 1.0, &spots)), []);
        assert_eq!(changed(&before, &card(3, 0.7, &spots)), []);
    }

    #[test]
    fn an_insect_that_came_or_went_is_one() {
        let (with, without) = (
            card(1, 1.0, &[(30, 20), (70, 60)]),
            card(2, 0.9, &[(30, 20)]),
        );
        for places in [changed(&with, &without), changed(&without, &with)] {
            assert!(!places.is_empty());
            let is_there = |&(column, row): &(usize, usize)| {
                (16..20).contains(&column) && (14..17).contains(&row)
            };
            assert!(places.iter().all(is_there), "{places:?}");
        }
    }

    #[test]
    fn a_wide_strip_that_was_not_seen_before_is_one() {
        let flat = card(1, 1.0, &[]);
        let moved = |right: f32| {
            let mut motion = Motion::rest(&flat);
            motion.right = right;
            compare(&flat, &flat, &motion).share()
        };
        assert!(moved(0.0) < 1e-6);
        assert!(moved(8.0) > 0.05, "{}", moved(8.0));
    }
}
