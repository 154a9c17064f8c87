//! Where the network has to look: few small squares that show every changed place with its surroundings.
//!
//! A window is trusted in its core only; around it lies a margin that the network needs to see what is in the core.
//! Every place gets the smallest window that holds it, in the window's middle; places share one where that is cheaper.

use crate::boxes::Detection;
use crate::change::compare::Changes;
use crate::tile::Tile;
use pack::Square;

mod pack;
#[cfg(test)]
mod tests;

/// More separate places than this are no few insects.
const PLACES_MAX: usize = 300;
/// Changed cells with one unchanged cell between them belong together.
const GAP: usize = 2;

/// A rectangle in pixels that the network sees, edges included at the start only.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    /// Left edge.
    pub left: f32,
    /// Top edge.
    pub top: f32,
    /// Right edge.
    pub right: f32,
    /// Bottom edge.
    pub bottom: f32,
}

impl Area {
    /// The smallest area that holds both.
    fn with(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    fn touches(self, other: Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    /// Whether the middle of a box lies in it.
    #[must_use]
    pub fn has_middle_of(&self, detection: &Detection) -> bool {
        let x = detection.x_px + detection.width_px / 2.0;
        let y = detection.y_px + detection.height_px / 2.0;
        (self.left..self.right).contains(&x) && (self.top..self.bottom).contains(&y)
    }

    fn longer_side(self) -> f32 {
        (self.right - self.left).max(self.bottom - self.top)
    }

    fn of(detection: &Detection) -> Self {
        Self {
            left: detection.x_px,
            top: detection.y_px,
            right: detection.x_px + detection.width_px,
            bottom: detection.y_px + detection.height_px,
        }
    }
}

/// One square to run the network on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Left edge.
    pub x_px: u32,
    /// Top edge.
    pub y_px: u32,
    /// Side.
    pub size_px: u32,
    /// Where its answers count; reaches over the picture's edge where the window lies at it.
    pub core: Area,
}

impl Window {
    /// As a tile without neighbours.
    pub(crate) fn tile(&self) -> Tile {
        Tile {
            x_px: self.x_px,
            y_px: self.y_px,
            size_px: self.size_px,
            left_neighbour_end_px: None,
            upper_neighbour_end_px: None,
            right_neighbour_px: None,
            lower_neighbour_px: None,
        }
    }
}

/// What windows are made for.
#[derive(Debug, Clone, Copy)]
pub struct Room<'a> {
    /// Width of the picture.
    pub width_px: u32,
    /// Height of the picture.
    pub height_px: u32,
    /// Side of a cell of the changes.
    pub cell_px: f32,
    /// Sides of the windows there are, small ones first.
    pub sizes_px: &'a [u32],
    /// What of a window is not trusted, at each side: half of what tiles share.
    pub margin_px: u32,
    /// Side of a cell of the network.
    pub stride_px: u32,
}

impl Room<'_> {
    /// The windows that show all changes, whole boxes where a part of one changed, and the boxes `again`; `None` if
    /// there are too many places to be worth it.
    #[must_use]
    pub fn plan(
        &self,
        changes: &Changes,
        boxes: &[Detection],
        again: &[Detection],
    ) -> Option<Vec<Window>> {
        let mut places = self.places(changes)?;
        places.extend(again.iter().map(Area::of));
        for place in &mut places {
            let touched = boxes
                .iter()
                .map(Area::of)
                .filter(|area| area.touches(*place));
            *place = touched.fold(*place, Area::with);
            *place = self.with_margin(*place);
        }
        let large = *self.sizes_px.last()?;
        let (too_large, places): (Vec<Area>, Vec<Area>) = places
            .into_iter()
            .partition(|place| place.longer_side() > large as f32);
        let mut windows = Vec::new();
        for place in too_large {
            self.cover(place, large, &mut windows);
        }
        for Square { area, size_px } in pack::cheapest(&places, self.sizes_px) {
            let start = |from: f32, to: f32| (from + to - size_px as f32) / 2.0;
            let (left, top) = (start(area.left, area.right), start(area.top, area.bottom));
            windows.push(self.window(left, top, size_px));
        }
        Some(windows)
    }

    /// The areas of changed cells that hang together.
    fn places(&self, changes: &Changes) -> Option<Vec<Area>> {
        let mut is_left = changes.is_changed.clone();
        let mut places = Vec::new();
        let mut open = Vec::new();
        for start in 0..is_left.len() {
            if !take(&mut is_left, start) {
                continue;
            }
            if places.len() == PLACES_MAX {
                return None;
            }
            open.push(start);
            let mut together = vec![start];
            while let Some(cell) = open.pop() {
                let (column, row) = (cell % changes.columns, cell / changes.columns);
                let columns = column.saturating_sub(GAP)..=(column + GAP).min(changes.columns - 1);
                for y in row.saturating_sub(GAP)..=(row + GAP).min(changes.rows - 1) {
                    let cells = columns.clone().map(|x| y * changes.columns + x);
                    let near = cells.filter(|&cell| take(&mut is_left, cell));
                    for cell in near {
                        open.push(cell);
                        together.push(cell);
                    }
                }
            }
            let cells = together.into_iter().map(|cell| self.cell(changes, cell));
            places.extend(self.apart(cells.collect()));
        }
        Some(places)
    }

    /// The place that cells hang together in; or, if it is longer than any insect and that is cheaper, the places of its
    /// halves: the edge of a shadow crosses much that has not changed.
    fn apart(&self, cells: Vec<Area>) -> Vec<Area> {
        let is_long = bounds(&cells).is_some_and(|all| all.longer_side() > self.insect_px());
        if is_long {
            self.halves(cells)
        } else {
            bounds(&cells).into_iter().collect()
        }
    }

    fn halves(&self, cells: Vec<Area>) -> Vec<Area> {
        let Some(all) = bounds(&cells) else {
            return Vec::new();
        };
        if all.longer_side() <= self.insect_px() / 2.0 {
            return vec![all];
        }
        let is_wide = all.right - all.left >= all.bottom - all.top;
        let (across, down) = (
            f32::midpoint(all.left, all.right),
            f32::midpoint(all.top, all.bottom),
        );
        let is_first = |cell: &Area| {
            if is_wide {
                cell.left < across
            } else {
                cell.top < down
            }
        };
        let (first, second): (Vec<Area>, Vec<Area>) = cells.into_iter().partition(is_first);
        if first.is_empty() || second.is_empty() {
            return vec![all];
        }
        let mut halves = self.halves(first);
        halves.extend(self.halves(second));
        let cost = |places: &[Area]| places.iter().map(|&place| self.cost(place)).sum::<f32>();
        if cost(&halves) < self.cost(all) {
            halves
        } else {
            vec![all]
        }
    }

    /// What a place costs alone.
    fn cost(&self, place: Area) -> f32 {
        let place = self.with_margin(place);
        let mut sizes = self.sizes_px.iter().map(|&size_px| size_px as f32);
        let large = self.sizes_px.last().map_or(0.0, |&size_px| size_px as f32);
        let fitting = sizes.find(|&size_px| place.longer_side() <= size_px);
        let step = (large - 2.0 * self.margin_px as f32).max(1.0);
        let many = |length: f32| ((length - large).max(0.0) / step).ceil() + 1.0;
        fitting.map_or_else(
            || many(place.right - place.left) * many(place.bottom - place.top) * large * large,
            |size_px| size_px * size_px,
        )
    }

    /// No insect is longer: twice what tiles share.
    fn insect_px(&self) -> f32 {
        4.0 * self.margin_px as f32
    }

    fn cell(&self, changes: &Changes, cell: usize) -> Area {
        let (column, row) = (cell % changes.columns, cell / changes.columns);
        Area {
            left: column as f32 * self.cell_px,
            top: row as f32 * self.cell_px,
            right: (column + 1) as f32 * self.cell_px,
            bottom: (row + 1) as f32 * self.cell_px,
        }
    }

    /// With what the network needs around it, as far as there is any.
    fn with_margin(&self, place: Area) -> Area {
        let margin = self.margin_px as f32;
        Area {
            left: (place.left - margin).max(0.0),
            top: (place.top - margin).max(0.0),
            right: (place.right + margin).min(self.width_px as f32),
            bottom: (place.bottom + margin).min(self.height_px as f32),
        }
    }

    /// Covers a place that no window holds with a row or grid of the largest ones.
    fn cover(&self, place: Area, size_px: u32, windows: &mut Vec<Window>) {
        let step = size_px.saturating_sub(2 * self.margin_px).max(1) as f32;
        let mut top = place.top;
        loop {
            let mut left = place.left;
            loop {
                windows.push(self.window(left, top, size_px));
                left += step;
                if left + 2.0 * self.margin_px as f32 >= place.right {
                    break;
                }
            }
            top += step;
            if top + 2.0 * self.margin_px as f32 >= place.bottom {
                break;
            }
        }
    }

    /// A window as near to a corner as the picture and the grid allow.
    fn window(&self, left: f32, top: f32, size_px: u32) -> Window {
        let (x_px, y_px) = (
            self.start(left, self.width_px, size_px),
            self.start(top, self.height_px, size_px),
        );
        // The grid may have moved it by half a cell of the network.
        let margin = self.margin_px.saturating_sub(self.stride_px / 2) as f32;
        let low = |start: u32| match start {
            0 => f32::NEG_INFINITY,
            _ => start as f32 + margin,
        };
        let high = |end: u32, length_px: u32| {
            if end >= length_px {
                f32::INFINITY
            } else {
                end as f32 - margin
            }
        };
        Window {
            x_px,
            y_px,
            size_px,
            core: Area {
                left: low(x_px),
                top: low(y_px),
                right: high(x_px + size_px, self.width_px),
                bottom: high(y_px + size_px, self.height_px),
            },
        }
    }

    /// Where a window begins along one side of the picture: on the network's grid, as tiles do, because the same insect a
    /// few pixels beside has another score. The last place reaches over the picture's edge by less than a cell.
    fn start(&self, wanted: f32, length_px: u32, size_px: u32) -> u32 {
        let stride_px = self.stride_px.max(1);
        let last = length_px.saturating_sub(size_px).div_ceil(stride_px);
        let cell = super::flat::floor(wanted / stride_px as f32 + 0.5);
        u32::try_from(cell).map_or(last, |cell| cell.min(last)) * stride_px
    }
}

/// The smallest area that holds all.
fn bounds(areas: &[Area]) -> Option<Area> {
    areas.iter().copied().reduce(Area::with)
}

fn take(is_left: &mut [bool], cell: usize) -> bool {
    is_left.get_mut(cell).is_some_and(std::mem::take)
}
