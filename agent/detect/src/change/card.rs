//! The part of the picture that shows the card: the wall beside it costs nothing, and what moves there is no change.
//!
//! It is found by colour, see [`cells`], and beyond each side a margin stays for insects that reach over the edge. What
//! is not sure belongs to the card: a region that is too large costs time, one that is too small costs insects. So the
//! first look at a card runs on all of the picture, and its boxes must agree with the region.

use crate::boxes::Detection;
use crate::change::flat::floor;
use crate::jpeg::Picture;
use cells::Cells;

mod cells;
#[cfg(test)]
mod tests;

/// What stays around the card.
const MARGIN_PX: f32 = 64.0;
/// A box so near to the region is rather an insect than a knot in the wood.
const NEAR_PX: f32 = 64.0;
/// A region with a larger share of the picture is not worth having.
const SHARE_MAX: f32 = 0.9;

/// Where the card lies, in pixels of the picture; may reach out of it after the card moved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    /// Left edge.
    pub left: f32,
    /// Top edge.
    pub top: f32,
    /// Right edge.
    pub right: f32,
    /// Bottom edge.
    pub bottom: f32,
}

impl Region {
    /// All of a picture.
    #[must_use]
    pub fn whole(width_px: u32, height_px: u32) -> Self {
        Self {
            left: 0.0,
            top: 0.0,
            right: width_px as f32,
            bottom: height_px as f32,
        }
    }

    /// The card in the picture, with a margin; all of the picture if it cannot be told.
    #[must_use]
    pub fn of(picture: &Picture) -> Self {
        let whole = Self::whole(picture.width_px, picture.height_px);
        let found = Cells::of(picture).and_then(|cells| cells.card());
        found
            .filter(|region| region.area_px2() < SHARE_MAX * whole.area_px2())
            .unwrap_or(whole)
    }

    /// Left, top, width and height of its part of the picture, at least as wide and high as a tile if there is room, and
    /// beginning on the network's grid.
    #[must_use]
    pub fn pixels(&self, picture: &Picture, tile_px: u32, stride_px: u32) -> (u32, u32, u32, u32) {
        let along = |from: f32, to: f32, length_px: u32| {
            let whole = |at: f32| u32::try_from(floor(at.max(0.0))).unwrap_or(length_px);
            let start = whole(from).min(length_px.saturating_sub(tile_px));
            let start = start / stride_px.max(1) * stride_px.max(1);
            let end = whole(to + 0.999).max(start + tile_px).min(length_px);
            (start, end - start)
        };
        let (left, width) = along(self.left, self.right, picture.width_px);
        let (top, height) = along(self.top, self.bottom, picture.height_px);
        (left, top, width, height)
    }

    fn area_px2(&self) -> f32 {
        (self.right - self.left) * (self.bottom - self.top)
    }

    /// The same, held against the boxes that the network found on all of the picture: with those close beside it, or all
    /// of the picture if most boxes lie farther away, for then the colour was misleading.
    #[must_use]
    pub fn checked(self, boxes: &[Detection], width_px: u32, height_px: u32) -> Self {
        let ends = [width_px as f32, height_px as f32];
        let around = self.inside(-NEAR_PX, ends);
        let (near, far): (Vec<&Detection>, Vec<&Detection>) =
            boxes.iter().partition(|one| around.has_middle_of(one));
        if far.len() > near.len() {
            return Self::whole(width_px, height_px);
        }
        let all = near.into_iter().fold(self, |all, one| {
            all.with(Self {
                left: one.x_px - MARGIN_PX,
                top: one.y_px - MARGIN_PX,
                right: one.x_px + one.width_px + MARGIN_PX,
                bottom: one.y_px + one.height_px + MARGIN_PX,
            })
        });
        Self {
            left: all.left.max(0.0),
            top: all.top.max(0.0),
            right: all.right.min(ends[0]),
            bottom: all.bottom.min(ends[1]),
        }
    }

    /// The smallest region that holds both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    /// Whether it leaves nothing out.
    #[must_use]
    pub fn is_whole(&self, width_px: u32, height_px: u32) -> bool {
        let (width, height) = (width_px as f32, height_px as f32);
        self.left <= 0.0 && self.top <= 0.0 && self.right >= width && self.bottom >= height
    }

    /// The same after the card moved; a side that lay at the picture's edge or beyond stays there.
    #[must_use]
    pub fn shifted(self, (x, y): (f32, f32), width_px: u32, height_px: u32) -> Self {
        let (width, height) = (width_px as f32, height_px as f32);
        let low = |at: f32, by: f32| if at > 0.0 { at + by } else { at };
        let high = |at: f32, by: f32, end: f32| if at < end { at + by } else { at };
        let moved = Self {
            left: low(self.left, x),
            top: low(self.top, y),
            right: high(self.right, x, width),
            bottom: high(self.bottom, y, height),
        };
        let is_there = moved.left + MARGIN_PX < width.min(moved.right)
            && moved.top + MARGIN_PX < height.min(moved.bottom)
            && moved.right > MARGIN_PX
            && moved.bottom > MARGIN_PX;
        if is_there {
            moved
        } else {
            Self::whole(width_px, height_px)
        }
    }

    /// The same without this much at each side that is none of the picture's.
    #[must_use]
    pub fn inside(self, by: f32, [width, height]: [f32; 2]) -> Self {
        Self {
            left: if self.left > 0.0 {
                self.left + by
            } else {
                self.left
            },
            top: if self.top > 0.0 {
                self.top + by
            } else {
                self.top
            },
            right: if self.right < width {
                self.right - by
            } else {
                self.right
            },
            bottom: if self.bottom < height {
                self.bottom - by
            } else {
                self.bottom
            },
        }
    }

    /// The same in a picture that is so many times as large.
    #[must_use]
    pub fn resized(self, by: f32) -> Self {
        Self {
            left: self.left * by,
            top: self.top * by,
            right: self.right * by,
            bottom: self.bottom * by,
        }
    }

    /// Whether the middle of a box lies in it.
    #[must_use]
    pub fn has_middle_of(&self, one: &Detection) -> bool {
        self.has(
            one.x_px + one.width_px / 2.0,
            one.y_px + one.height_px / 2.0,
        )
    }

    /// Whether a point lies in it.
    #[must_use]
    pub fn has(&self, x: f32, y: f32) -> bool {
        (self.left..self.right).contains(&x) && (self.top..self.bottom).contains(&y)
    }
}
