//! Boxes: what the network's cells mean, and how boxes compare.

use serde::{Deserialize, Serialize};

use crate::tile::Tile;

/// One insect, or what the network takes for one, in picture pixels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// Left edge.
    pub x_px: f32,
    /// Top edge.
    pub y_px: f32,
    /// Width, never negative.
    pub width_px: f32,
    /// Height, never negative.
    pub height_px: f32,
    /// From 0 to 1; how sure the network is, which is no probability.
    pub score: f32,
    /// Number of the class in the manifest's list.
    pub class: u16,
}

impl Detection {
    /// Area of the box in square pixels.
    #[must_use]
    pub fn area_px2(&self) -> f32 {
        self.width_px * self.height_px
    }

    /// Area shared with another box, in square pixels.
    #[must_use]
    pub fn shared_px2(&self, other: &Self) -> f32 {
        let width = (self.x_px + self.width_px).min(other.x_px + other.width_px)
            - self.x_px.max(other.x_px);
        let height = (self.y_px + self.height_px).min(other.y_px + other.height_px)
            - self.y_px.max(other.y_px);
        width.max(0.0) * height.max(0.0)
    }

    /// Intersection over union with another box, from 0 to 1; 0 for boxes without area.
    #[must_use]
    pub fn iou(&self, other: &Self) -> f32 {
        let shared = self.shared_px2(other);
        let union = self.area_px2() + other.area_px2() - shared;
        if union > 0.0 { shared / union } else { 0.0 }
    }

    /// The same box in a picture whose sides are `by` times as long.
    #[must_use]
    pub fn resized(&self, by: f32) -> Self {
        Self {
            x_px: self.x_px * by,
            y_px: self.y_px * by,
            width_px: self.width_px * by,
            height_px: self.height_px * by,
            ..*self
        }
    }

    /// The longer side.
    #[must_use]
    pub fn length_px(&self) -> f32 {
        self.width_px.max(self.height_px)
    }
}

/// The network's answer for one tile: `heat` is classes × side × side logits, `distance` 4 × side × side natural
/// logarithms of pixels (left, top, right, bottom of the cell's centre).
#[derive(Debug, Clone, Copy)]
pub struct Cells<'a> {
    /// Cells along one side of the tile.
    pub side: usize,
    /// Pixels along one side of a cell.
    pub stride_px: u32,
    /// Logits, class by class, row by row.
    pub heat: &'a [f32],
    /// Log distances, left, top, right, bottom, each row by row.
    pub distance: &'a [f32],
}

impl Cells<'_> {
    /// The boxes of all cells that score at least `score_low`, in picture pixels, not yet cut to the picture. An insect
    /// lies under several cells, each with a guess of its own.
    pub fn boxes(&self, tile: &Tile, score_low: f32, found: &mut Vec<Detection>) {
        let plane = self.side * self.side;
        if plane == 0 {
            return;
        }
        // Comparing logits spares a logarithm per cell; both ends of 0..1 become infinite, which compare well.
        let logit_low = (score_low / (1.0 - score_low)).ln();
        for (class, heat) in self.heat.chunks_exact(plane).enumerate() {
            for (cell, &logit) in heat.iter().enumerate() {
                if logit >= logit_low {
                    let class = u16::try_from(class).unwrap_or(u16::MAX);
                    found.extend(self.decode(tile, cell, logit, class));
                }
            }
        }
    }

    fn decode(&self, tile: &Tile, cell: usize, logit: f32, class: u16) -> Option<Detection> {
        let plane = self.side * self.side;
        let reach = |side: usize| self.distance.get(side * plane + cell).map(|log| log.exp());
        let (left, top, right, bottom) = (reach(0)?, reach(1)?, reach(2)?, reach(3)?);
        let centre_x_px =
            tile.x_px as f32 + ((cell % self.side) as f32 + 0.5) * self.stride_px as f32;
        let centre_y_px =
            tile.y_px as f32 + ((cell / self.side) as f32 + 0.5) * self.stride_px as f32;
        Some(Detection {
            x_px: centre_x_px - left,
            y_px: centre_y_px - top,
            width_px: left + right,
            height_px: top + bottom,
            score: 1.0 / (1.0 + (-logit).exp()),
            class,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 8;

    /// One tile of 8 x 8 cells of 8 pixels at (100, 200), with the given logits and distances of 4, 6, 12, 10 pixels.
    fn boxes(hot: &[(usize, usize, f32)], classes: usize, score_low: f32) -> Vec<Detection> {
        let mut heat = vec![-10.0; classes * SIDE * SIDE];
        for &(row, column, logit) in hot {
            heat[row * SIDE + column] = logit;
        }
        let reach = [4.0_f32, 6.0, 12.0, 10.0].map(|reach| [reach.ln(); SIDE * SIDE]);
        let cells = Cells {
            side: SIDE,
            stride_px: 8,
            heat: &heat,
            distance: &reach.concat(),
        };
        let mut tile = crate::tile::plan(64, 64, 64, 0, 8)[0];
        (tile.x_px, tile.y_px) = (100, 200);
        let mut found = Vec::new();
        cells.boxes(&tile, score_low, &mut found);
        found
    }

    #[test]
    fn a_hot_cell_is_a_box_around_its_centre() {
        let found = boxes(&[(2, 5, 0.0)], 1, 0.3);
        let [
            Detection {
                x_px,
                y_px,
                width_px,
                height_px,
                score,
                class,
            },
        ] = found[..]
        else {
            panic!("{found:?}")
        };
        // The centre of column 5 is at 44 pixels, that of row 2 at 20.
        let expected = [100.0 + 44.0 - 4.0, 200.0 + 20.0 - 6.0, 16.0, 16.0, 0.5];
        for (value, expected) in [x_px, y_px, width_px, height_px, score]
            .into_iter()
            .zip(expected)
        {
            assert!((value - expected).abs() < 1e-3, "{found:?}");
        }
        assert_eq!(class, 0);
    }

    #[test]
    fn cells_from_the_threshold_on_count() {
        let count = |hot: &[(usize, usize, f32)], score_low| boxes(hot, 1, score_low).len();
        assert_eq!(count(&[], 0.3), 0);
        assert_eq!(count(&[(2, 2, -0.5)], 0.3), 1);
        assert_eq!(
            count(&[(2, 2, -0.5)], 0.4),
            0,
            "a logit of -0.5 scores 0.38"
        );
        assert_eq!(
            count(&[(2, 2, 1.0), (2, 3, 0.5), (3, 3, -0.9)], 0.3),
            2,
            "neighbours guess, too"
        );
        assert_eq!(
            count(&[(0, 0, 1.0), (7, 7, 1.0), (0, 7, 1.0), (7, 0, 1.0)], 0.3),
            4,
            "the corners"
        );
        assert_eq!(count(&[(2, 2, f32::NAN)], 0.3), 0);
        assert_eq!(count(&[(2, 2, 9.0)], 1.0), 0, "nothing scores one");
    }

    #[test]
    fn each_class_has_its_own_heat() {
        let found = boxes(&[(2, 2, 1.0), (SIDE + 3, 4, 2.0)], 2, 0.3);
        let classes: Vec<u16> = found.iter().map(|detection| detection.class).collect();
        assert_eq!(classes, [0, 1]);
        assert!((found[1].y_px - (200.0 + 28.0 - 6.0)).abs() < 1e-3);
    }

    #[test]
    fn overlap_is_from_zero_to_one() {
        let at = |x_px, width_px| Detection {
            x_px,
            y_px: 0.0,
            width_px,
            height_px: 10.0,
            score: 1.0,
            class: 0,
        };
        let close = |a: f32, b: f32| assert!((a - b).abs() < 1e-6, "{a} is not {b}");
        close(at(0.0, 10.0).iou(&at(0.0, 10.0)), 1.0);
        close(at(0.0, 10.0).iou(&at(5.0, 10.0)), 1.0 / 3.0);
        close(at(0.0, 10.0).iou(&at(10.0, 10.0)), 0.0);
        close(at(0.0, 0.0).iou(&at(0.0, 0.0)), 0.0);
        close(at(0.0, 20.0).shared_px2(&at(5.0, 10.0)), 100.0);
    }
}
