//! Where the network has to look: few small squares that show every changed place with its surroundings.
//!
//! A window is trusted in its core only; around it lies a margin that the network needs to see what is in the core.
//! Small windows are packed first, a large one takes the place of small ones where it is cheaper.

use crate::boxes::Detection;
use crate::change::compare::Changes;
use crate::tile::Tile;

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
    /// What of a window is not trusted, at each side.
    pub margin_px: u32,
}

impl Room<'_> {
    /// The windows that show all changes, and whole boxes where a part of one changed; `None` if there are too many
    /// places to be worth it.
    #[must_use]
    pub fn plan(&self, changes: &Changes, boxes: &[Detection]) -> Option<Vec<Window>> {
        let mut places = self.places(changes)?;
        for place in &mut places {
            let touched = boxes
                .iter()
                .map(Area::of)
                .filter(|area| area.touches(*place));
            *place = touched.fold(*place, Area::with);
            *place = self.with_margin(*place);
        }
        let (&large, small) = self.sizes_px.split_last()?;
        let mut windows = Vec::new();
        let (too_large, places): (Vec<Area>, Vec<Area>) = places
            .into_iter()
            .partition(|place| place.longer_side() > large as f32);
        for place in too_large {
            self.cover(place, large, &mut windows);
        }
        for group in pack(&places, large) {
            self.place_group(&group, large, small, &mut windows);
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
            let mut place = self.cell(changes, start);
            while let Some(cell) = open.pop() {
                place = place.with(self.cell(changes, cell));
                let (column, row) = (cell % changes.columns, cell / changes.columns);
                let columns = column.saturating_sub(GAP)..=(column + GAP).min(changes.columns - 1);
                for y in row.saturating_sub(GAP)..=(row + GAP).min(changes.rows - 1) {
                    let cells = columns.clone().map(|x| y * changes.columns + x);
                    open.extend(cells.filter(|&cell| take(&mut is_left, cell)));
                }
            }
            places.push(place);
        }
        Some(places)
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

    /// One large window, or smaller ones if they cost less.
    fn place_group(&self, group: &[Area], large: u32, small: &[u32], windows: &mut Vec<Window>) {
        let cost = |size_px: u32, count: usize| u64::from(size_px).pow(2) * count as u64;
        if let Some((&size_px, smaller)) = small.split_last()
            && group
                .iter()
                .all(|place| place.longer_side() <= size_px as f32)
        {
            let groups = pack(group, size_px);
            if cost(size_px, groups.len()) < cost(large, 1) {
                for group in groups {
                    self.place_group(&group, size_px, smaller, windows);
                }
                return;
            }
        }
        if let Some(all) = group.iter().copied().reduce(Area::with) {
            let start = |from: f32, to: f32| (from + to - large as f32) / 2.0;
            let (left, top) = (start(all.left, all.right), start(all.top, all.bottom));
            windows.push(self.window(left, top, large));
        }
    }

    /// A window as near to a corner as the picture allows.
    fn window(&self, left: f32, top: f32, size_px: u32) -> Window {
        let margin = self.margin_px as f32;
        let start = |from: f32, length_px: u32| {
            let last = length_px.saturating_sub(size_px);
            u32::try_from(super::flat::floor(from + 0.5)).map_or(last, |start| start.min(last))
        };
        let (x_px, y_px) = (start(left, self.width_px), start(top, self.height_px));
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
}

fn take(is_left: &mut [bool], cell: usize) -> bool {
    is_left.get_mut(cell).is_some_and(std::mem::take)
}

/// Groups of places, each within a square of the size: the first place left, and what else fits around it.
fn pack(places: &[Area], size_px: u32) -> Vec<Vec<Area>> {
    let mut groups: Vec<(Area, Vec<Area>)> = Vec::new();
    for &place in places {
        let fitting = groups
            .iter_mut()
            .filter(|(all, _)| all.with(place).longer_side() <= size_px as f32)
            .min_by(|(a, _), (b, _)| {
                let grown = |all: &Area| all.with(place).longer_side() - all.longer_side();
                grown(a).total_cmp(&grown(b))
            });
        match fitting {
            Some((all, group)) => {
                *all = all.with(place);
                group.push(place);
            }
            None => groups.push((place, vec![place])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Room<'_> = Room {
        width_px: 1600,
        height_px: 1200,
        cell_px: 16.0,
        sizes_px: &[256, 512],
        margin_px: 48,
    };

    fn changes(cells: &[(usize, usize)]) -> Changes {
        let (columns, rows) = (100, 75);
        let mut is_changed = vec![false; columns * rows];
        for &(column, row) in cells {
            is_changed[row * columns + column] = true;
        }
        Changes {
            columns,
            rows,
            is_changed,
        }
    }

    /// Every changed cell lies in a core with all of itself, and every window in the picture.
    fn check(cells: &[(usize, usize)], boxes: &[Detection]) -> Vec<u32> {
        let windows = ROOM.plan(&changes(cells), boxes).unwrap();
        for &(column, row) in cells {
            let (left, top) = (column as f32 * 16.0, row as f32 * 16.0);
            let is_inside = |window: &&Window| {
                let core = window.core;
                core.left <= left
                    && left + 16.0 <= core.right
                    && core.top <= top
                    && top + 16.0 <= core.bottom
            };
            assert!(
                windows.iter().any(|window| is_inside(&window)),
                "{column}, {row}: {windows:?}"
            );
        }
        for window in &windows {
            assert!(window.x_px + window.size_px <= 1600 && window.y_px + window.size_px <= 1200);
        }
        windows.iter().map(|window| window.size_px).collect()
    }

    #[test]
    fn few_places_need_few_small_windows() {
        assert!(check(&[], &[]).is_empty());
        assert_eq!(check(&[(50, 40)], &[]), [256]);
        assert_eq!(check(&[(50, 40), (55, 44)], &[]), [256]);
        assert_eq!(check(&[(0, 0), (99, 74), (0, 74), (99, 0)], &[]), [256; 4]);
    }

    #[test]
    fn a_large_place_needs_large_windows() {
        let row: Vec<(usize, usize)> = (30..44).map(|column| (column, 40)).collect();
        assert_eq!(check(&row, &[]), [512]);
        let long: Vec<(usize, usize)> = (0..100).map(|column| (column, 40)).collect();
        assert_eq!(check(&long, &[]), [512; 4]);
        let all: Vec<(usize, usize)> = (0..75)
            .flat_map(|row| (0..100).map(move |column| (column, row)))
            .collect();
        assert_eq!(check(&all, &[]).len(), 12);
    }

    #[test]
    fn a_box_that_changed_in_part_is_seen_whole() {
        let moth = Detection {
            x_px: 700.0,
            y_px: 630.0,
            width_px: 200.0,
            height_px: 60.0,
            score: 0.9,
            class: 0,
        };
        assert_eq!(check(&[(44, 41)], &[moth]), [512]);
    }

    #[test]
    fn many_places_are_not_worth_it() {
        let grid: Vec<(usize, usize)> = (0..75)
            .step_by(4)
            .flat_map(|row| (0..100).step_by(4).map(move |column| (column, row)))
            .collect();
        assert_eq!(ROOM.plan(&changes(&grid), &[]), None);
    }

    #[test]
    fn a_picture_smaller_than_a_window_has_one() {
        let room = Room {
            width_px: 90,
            height_px: 60,
            ..ROOM
        };
        let changes = Changes {
            columns: 6,
            rows: 4,
            is_changed: vec![true; 24],
        };
        let windows = room.plan(&changes, &[]).unwrap();
        assert_eq!(windows.len(), 1);
        assert_eq!((windows[0].x_px, windows[0].y_px), (0, 0));
    }
}
