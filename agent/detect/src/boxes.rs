//! Boxes: what the network's cells mean, and how boxes compare.

use crate::tile::Tile;

/// One insect, or what the network takes for one, in picture pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
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
    /// The boxes of all cells that are hotter than their eight neighbours and score at least `score_low`, in picture
    /// pixels, not yet cut to the picture.
    pub fn boxes(&self, tile: &Tile, score_low: f32, found: &mut Vec<Detection>) {
        let plane = self.side * self.side;
        if plane == 0 {
            return;
        }
        // Comparing logits spares a logarithm per cell; both ends of 0..1 become infinite, which compare well.
        let logit_low = (score_low / (1.0 - score_low)).ln();
        for (class, heat) in self.heat.chunks_exact(plane).enumerate() {
            for (cell, &logit) in heat.iter().enumerate() {
                if logit >= logit_low && self.is_peak(heat, cell, logit) {
                    let class = u16::try_from(class).unwrap_or(u16::MAX);
                    found.extend(self.decode(tile, cell, logit, class));
                }
            }
        }
    }

    /// Of equal neighbours the first is the peak, so that a flat top gives one box and not none or many.
    fn is_peak(&self, heat: &[f32], cell: usize, logit: f32) -> bool {
        let (row, column) = (cell / self.side, cell % self.side);
        let rows = row.saturating_sub(1)..=(row + 1).min(self.side - 1);
        rows.into_iter().all(|r| {
            let columns = column.saturating_sub(1)..=(column + 1).min(self.side - 1);
            columns.into_iter().all(|c| {
                let neighbour = r * self.side + c;
                let other = heat.get(neighbour).copied().unwrap_or(f32::NEG_INFINITY);
                if neighbour < cell {
                    other < logit
                } else {
                    other <= logit
                }
            })
        })
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
