//! Where one colour is: a card is a large piece of one colour before something of another.
//!
//! Colour is compared without brightness, so that a shadow ends no card. A side is believed only where the colour
//! changes at once; a card that runs out of the picture, or into something of its own colour, has no side there.

use super::{MARGIN_PX, Region};
use crate::change::flat::floor;
use crate::jpeg::Picture;

/// Cells along the picture's longer side, of no less than these pixels.
const CELLS: u32 = 128;
const CELL_PX_MIN: u32 = 16;
/// Every so many pixels along a cell's sides one is looked at.
const SAMPLE_PX: usize = 4;
/// Bins of the colours' histogram along one axis.
const BINS: usize = 48;
/// Share of the middle's cells that must have the card's colour.
const COMMON_MIN: f32 = 0.15;
/// What a grey cell counts against a colourful one when the card's colour is looked for: cards are more colourful than
/// walls, but not all.
const GREY_COUNTS: f32 = 0.1;
/// So far from the card's colour is another one.
const OTHER_COLOUR: f32 = 0.06;
/// Share of the cells at the picture's edge that must have another colour.
const BESIDE_MIN: f32 = 0.1;
/// A smaller share of the picture is no card.
const CARD_MIN: f32 = 0.08;
/// A piece of the card's colour belongs to it from this share of its largest piece on.
const PIECE_MIN: f32 = 0.02;
/// Share of a side that must end at once.
const SHARP_MIN: f32 = 0.6;
/// The picture's colours in large cells.
pub(super) struct Cells {
    columns: usize,
    rows: usize,
    side_px: u32,
    /// Shares of red and green in each cell's light.
    colour: Vec<[f32; 2]>,
    width_px: u32,
    height_px: u32,
}

/// No colour.
const GREY: [f32; 2] = [1.0 / 3.0; 2];

/// How far two colours are apart.
fn apart(a: [f32; 2], b: [f32; 2]) -> f32 {
    ((a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1])).sqrt()
}

impl Cells {
    /// None for a picture that is too small to have a card with something beside it.
    pub(super) fn of(picture: &Picture) -> Option<Self> {
        let longer_px = picture.width_px.max(picture.height_px);
        let side_px = longer_px.div_ceil(CELLS).max(CELL_PX_MIN);
        let (columns, rows) = (
            (picture.width_px / side_px) as usize,
            (picture.height_px / side_px) as usize,
        );
        if columns < 16 || rows < 16 {
            return None;
        }
        let side = side_px as usize;
        let mut colour = Vec::with_capacity(columns * rows);
        let line_bytes = picture.width_px as usize * 3;
        for lines in picture.rgb.chunks_exact(line_bytes * side).take(rows) {
            let mut sums = vec![[0_u32; 3]; columns];
            for line in lines.chunks_exact(line_bytes).step_by(SAMPLE_PX) {
                for (pixels, sum) in line.chunks_exact(3 * side).zip(&mut sums) {
                    for pixel in pixels.chunks_exact(3).step_by(SAMPLE_PX) {
                        for (sum, &value) in sum.iter_mut().zip(pixel) {
                            *sum += u32::from(value);
                        }
                    }
                }
            }
            let samples = side.div_ceil(SAMPLE_PX).pow(2) as f32;
            colour.extend(sums.into_iter().map(|[red, green, blue]| {
                // Noise in the dark has no colour.
                let light = |sum: u32| sum as f32 / samples + 4.0;
                let all = light(red) + light(green) + light(blue);
                [light(red) / all, light(green) / all]
            }));
        }
        Some(Self {
            columns,
            rows,
            side_px,
            colour,
            width_px: picture.width_px,
            height_px: picture.height_px,
        })
    }

    /// The card, if it ends at two opposite sides at once, or at three where it is no more colourful than what is beside:
    /// a wall on one side of the card must not be taken for it.
    pub(super) fn card(&self) -> Option<Region> {
        let card = self.common_colour()?;
        let distance: Vec<f32> = self.colour.iter().map(|&cell| apart(cell, card)).collect();
        let limit = self.limit(&distance)?;
        let is_card = self.pieces(&distance, limit)?;
        let at = |column: usize, row: usize| {
            is_card.get(row * self.columns + column).copied() == Some(true)
        };
        let far = |column: usize, row: usize| {
            distance
                .get(row * self.columns + column)
                .copied()
                .unwrap_or(0.0)
                / limit
        };
        let left = nearest(self.columns, self.rows, at, far);
        let right = nearest(
            self.columns,
            self.rows,
            |column, row| at(self.columns - 1 - column, row),
            |column, row| far(self.columns - 1 - column, row),
        );
        let top = nearest(
            self.rows,
            self.columns,
            |row, column| at(column, row),
            |row, column| far(column, row),
        );
        let bottom = nearest(
            self.rows,
            self.columns,
            |row, column| at(column, self.rows - 1 - row),
            |row, column| far(column, self.rows - 1 - row),
        );
        let ends = [left, top, right, bottom].map(|lines| usize::from(lines > 0));
        let is_between = ends[0] + ends[2] == 2 || ends[1] + ends[3] == 2;
        let enough = if self.is_colourful(card, &distance, limit) {
            2
        } else {
            3
        };
        if !is_between || ends.iter().sum::<usize>() < enough {
            return None;
        }
        let low = |cells: usize| (cells as f32 * self.side_px as f32 - MARGIN_PX).max(0.0);
        let high = |beyond: usize, cells: usize, length_px: u32| {
            let end = length_px as f32;
            if beyond == 0 {
                return end;
            }
            ((cells - beyond) as f32 * self.side_px as f32 + MARGIN_PX).min(end)
        };
        Some(Region {
            left: low(left),
            top: low(top),
            right: high(right, self.columns, self.width_px),
            bottom: high(bottom, self.rows, self.height_px),
        })
    }

    /// The card's colour is stronger than most of what has another one.
    fn is_colourful(&self, card: [f32; 2], distance: &[f32], limit: f32) -> bool {
        let beside = self
            .colour
            .iter()
            .zip(distance)
            .filter(|&(_, &one)| one >= limit);
        let mut beside: Vec<f32> = beside.map(|(&colour, _)| apart(colour, GREY)).collect();
        beside.sort_by(f32::total_cmp);
        let usual = beside.get(beside.len() / 2).copied().unwrap_or(0.0);
        apart(card, GREY) > usual + OTHER_COLOUR
    }

    /// The colour that most cells of the picture's middle have, if enough do; colourful ones first.
    fn common_colour(&self) -> Option<[f32; 2]> {
        let bin = |value: f32| floor(value * BINS as f32).min(BINS - 1);
        let columns = self.columns / 4..self.columns - self.columns / 4;
        let rows = self
            .colour
            .chunks(self.columns)
            .skip(self.rows / 4)
            .take(self.rows - 2 * (self.rows / 4));
        let middle: Vec<[f32; 2]> = rows
            .filter_map(|row| row.get(columns.clone()))
            .flatten()
            .copied()
            .collect();
        let mut counts = vec![0.0_f32; BINS * BINS];
        for &[red, green] in &middle {
            if let Some(count) = counts.get_mut(bin(red) * BINS + bin(green)) {
                *count += GREY_COUNTS + apart([red, green], GREY);
            }
        }
        let (peak, _) = counts
            .iter()
            .enumerate()
            .max_by(|(_, a), (_, b)| a.total_cmp(b))?;
        let is_near = |&&[red, green]: &&[f32; 2]| {
            bin(red).abs_diff(peak / BINS) <= 1 && bin(green).abs_diff(peak % BINS) <= 1
        };
        let near: Vec<&[f32; 2]> = middle.iter().filter(is_near).collect();
        let count = near.len() as f32;
        let mean = |axis: fn(&[f32; 2]) -> f32| {
            near.iter().map(|&colour| axis(colour)).sum::<f32>() / count
        };
        (count >= COMMON_MIN * middle.len() as f32)
            .then(|| [mean(|colour| colour[0]), mean(|colour| colour[1])])
    }

    /// Half the way from the card's colour to what is seen beside it, at the picture's edge.
    fn limit(&self, distance: &[f32]) -> Option<f32> {
        let is_edge = |cell: usize| {
            let (column, row) = (cell % self.columns, cell / self.columns);
            column < 2 || row < 2 || column + 2 >= self.columns || row + 2 >= self.rows
        };
        let edge = distance
            .iter()
            .enumerate()
            .filter(|&(cell, _)| is_edge(cell));
        let edge: Vec<f32> = edge.map(|(_, &distance)| distance).collect();
        let mut beside: Vec<f32> = edge
            .iter()
            .copied()
            .filter(|&one| one > OTHER_COLOUR)
            .collect();
        if (beside.len() as f32) < BESIDE_MIN * edge.len() as f32 {
            return None;
        }
        beside.sort_by(f32::total_cmp);
        beside.get(beside.len() / 4).map(|&near| near / 2.0)
    }

    /// The largest piece of the card's colour, and what else of it is no crumb.
    fn pieces(&self, distance: &[f32], limit: f32) -> Option<Vec<bool>> {
        let mut is_left: Vec<bool> = distance.iter().map(|&one| one < limit).collect();
        let mut pieces: Vec<Vec<usize>> = Vec::new();
        for start in 0..is_left.len() {
            let mut piece = Vec::new();
            let mut open = vec![start];
            while let Some(cell) = open.pop() {
                if !is_left.get_mut(cell).is_some_and(std::mem::take) {
                    continue;
                }
                piece.push(cell);
                let (column, row) = (cell % self.columns, cell / self.columns);
                open.extend((column > 0).then(|| cell - 1));
                open.extend((column + 1 < self.columns).then_some(cell + 1));
                open.extend((row > 0).then(|| cell - self.columns));
                open.extend((row + 1 < self.rows).then_some(cell + self.columns));
            }
            pieces.push(piece);
        }
        let largest = pieces.iter().map(Vec::len).max()?;
        if (largest as f32) < CARD_MIN * distance.len() as f32 {
            return None;
        }
        let mut is_card = vec![false; distance.len()];
        let pieces = pieces
            .iter()
            .filter(|piece| piece.len() as f32 >= PIECE_MIN * largest as f32);
        for &cell in pieces.flatten() {
            if let Some(entry) = is_card.get_mut(cell) {
                *entry = true;
            }
        }
        Some(is_card)
    }
}

/// How many lines of cells lie before the card on one side; none if the card does not end there at once.
///
/// `depth` counts from the picture's edge inwards and is the first argument of both functions; `far` is a cell's
/// distance from the card's colour, 1 at the limit.
fn nearest(
    depths: usize,
    lines: usize,
    is_card: impl Fn(usize, usize) -> bool,
    far: impl Fn(usize, usize) -> f32,
) -> usize {
    let first = |line: usize| {
        (0..depths)
            .find(|&depth| is_card(depth, line))
            .map(|depth| (depth, line))
    };
    let ends: Vec<(usize, usize)> = (0..lines).filter_map(first).collect();
    let is_sharp = |&&(depth, line): &&(usize, usize)| {
        depth >= 2 && far(depth - 2, line) > 1.0 && far(depth + 2, line) < 0.5
    };
    let sharp = ends.iter().filter(is_sharp).count() as f32;
    if sharp < SHARP_MIN * ends.len() as f32 {
        return 0;
    }
    ends.iter().map(|&(depth, _)| depth).min().unwrap_or(0)
}
