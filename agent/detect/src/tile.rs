//! Where the tiles of a picture lie.
//!
//! Tiles are spread evenly, so the overlap is nearly the same between all neighbours of a row and never less than asked
//! for; the first tile starts at the picture's edge and the last one ends there, or less than one cell of the network
//! beyond it. A picture smaller than a tile gets one, which reaches over the picture's edge.
//!
//! All start on the network's grid of cells. The network gives the same answer for the same pixels under a cell, so it
//! then does not matter which tile shows an insect, nor whether a tile or a window does.

/// One square tile, by its top-left corner in the picture, and where its neighbours begin and end.
///
/// A side is `None` where the tile lies at the picture's own edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    /// Left edge, in picture pixels.
    pub x_px: u32,
    /// Top edge, in picture pixels.
    pub y_px: u32,
    /// Side of the tile.
    pub size_px: u32,
    /// Right end of the left neighbour.
    pub left_neighbour_end_px: Option<u32>,
    /// Bottom end of the neighbour above.
    pub upper_neighbour_end_px: Option<u32>,
    /// Left edge of the right neighbour.
    pub right_neighbour_px: Option<u32>,
    /// Top edge of the neighbour below.
    pub lower_neighbour_px: Option<u32>,
}

impl Tile {
    /// The same tile farther right and down.
    pub(crate) fn moved(self, right_px: u32, down_px: u32) -> Self {
        let right = |at: u32| at + right_px;
        let down = |at: u32| at + down_px;
        Self {
            x_px: right(self.x_px),
            y_px: down(self.y_px),
            size_px: self.size_px,
            left_neighbour_end_px: self.left_neighbour_end_px.map(right),
            upper_neighbour_end_px: self.upper_neighbour_end_px.map(down),
            right_neighbour_px: self.right_neighbour_px.map(right),
            lower_neighbour_px: self.lower_neighbour_px.map(down),
        }
    }
}

/// All tiles of a picture, row by row; they start at multiples of `stride_px`. `overlap_px` must be at least that much
/// less than `size_px`; an empty picture has no tiles.
#[must_use]
pub fn plan(
    width_px: u32,
    height_px: u32,
    size_px: u32,
    overlap_px: u32,
    stride_px: u32,
) -> Vec<Tile> {
    let stride_px = stride_px.max(1);
    let step_cells = (size_px.saturating_sub(overlap_px) / stride_px).max(1);
    let starts = |length_px: u32| starts(length_px, size_px, step_cells, stride_px);
    let (columns, rows) = (starts(width_px), starts(height_px));
    let mut tiles = Vec::with_capacity(columns.len() * rows.len());
    for (upper, y_px, lower_neighbour_px) in with_neighbours(&rows) {
        for (left, x_px, right_neighbour_px) in with_neighbours(&columns) {
            tiles.push(Tile {
                x_px,
                y_px,
                size_px,
                left_neighbour_end_px: left.map(|start| start + size_px),
                upper_neighbour_end_px: upper.map(|start| start + size_px),
                right_neighbour_px,
                lower_neighbour_px,
            });
        }
    }
    tiles
}

/// Evenly spread starts of the tiles along one side of the picture, at most `step_cells` apart.
fn starts(length_px: u32, size_px: u32, step_cells: u32, stride_px: u32) -> Vec<u32> {
    if length_px == 0 {
        return Vec::new();
    }
    let cells = length_px.saturating_sub(size_px).div_ceil(stride_px);
    let steps = cells.div_ceil(step_cells);
    (0..=steps)
        .map(|step| {
            let cell = u64::from(step) * u64::from(cells) / u64::from(steps.max(1));
            // At most `cells`, which is a u32.
            u32::try_from(cell).unwrap_or(cells) * stride_px
        })
        .collect()
}

fn with_neighbours(starts: &[u32]) -> impl Iterator<Item = (Option<u32>, u32, Option<u32>)> {
    let before = std::iter::once(None).chain(starts.iter().copied().map(Some));
    let after = starts
        .iter()
        .skip(1)
        .copied()
        .map(Some)
        .chain(std::iter::once(None));
    before
        .zip(starts.iter().copied())
        .zip(after)
        .map(|((before, start), after)| (before, start, after))
}
