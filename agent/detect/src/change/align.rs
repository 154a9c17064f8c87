//! How the card lies in this picture against the last one: shifted, turned and zoomed a little.
//!
//! A coarse search over shifts gives a start, Gauss-Newton steps from coarse to fine give fractions of a pixel. Lines
//! printed at even distances give false peaks, so every start has to win by how alike the pictures are after its
//! refinement, and the start at rest wins a draw.

use crate::change::flat::{Flat, floor};

mod refine;

/// Search happens on a copy with no more pixels than this.
const SEARCH_PIXELS_MAX: usize = 8_000;
/// Share of the picture's side over which is searched, near and, if nothing is found there, far.
const NEAR: f32 = 0.06;
const FAR: f32 = 0.25;
/// Turns that are tried when nothing is alike without one, in radians.
const TURNS: [f32; 6] = [-0.09, -0.06, -0.03, 0.03, 0.06, 0.09];
/// From here on a start is good enough to look no farther.
const ALIKE: f32 = 0.6;
/// By how much another start has to beat the one at rest.
const ADVANTAGE: f32 = 0.02;
/// A few black spots must not outvote the rest of the card.
const VALUE_MAX: f32 = 0.4;

/// Where the places of this picture were in the last one, in pixels of the grey copies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Motion {
    /// The middle was this much farther right in the last picture.
    pub right: f32,
    /// And this much farther down.
    pub down: f32,
    /// Turn about the middle, in radians, clockwise.
    pub turn: f32,
    /// Enlargement about the middle, 0 for none.
    pub zoom: f32,
    middle_x: f32,
    middle_y: f32,
}

/// A motion and how alike the pictures are under it, from -1 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alignment {
    /// The motion found.
    pub motion: Motion,
    /// Correlation of the two flat pictures under it, at half their resolution.
    pub likeness: f32,
}

impl Motion {
    /// No motion, for a picture of this size.
    #[must_use]
    pub fn rest(flat: &Flat) -> Self {
        Self {
            right: 0.0,
            down: 0.0,
            turn: 0.0,
            zoom: 0.0,
            middle_x: (flat.width as f32 - 1.0) / 2.0,
            middle_y: (flat.height as f32 - 1.0) / 2.0,
        }
    }

    /// Where a place of this picture was in the last one.
    #[must_use]
    pub fn back(&self, x: f32, y: f32) -> (f32, f32) {
        let (dx, dy) = (x - self.middle_x, y - self.middle_y);
        (
            x + self.right + self.zoom * dx - self.turn * dy,
            y + self.down + self.turn * dx + self.zoom * dy,
        )
    }

    /// Where a place of the last picture is in this one.
    #[must_use]
    pub fn forth(&self, x: f32, y: f32) -> (f32, f32) {
        let (dx, dy) = (
            x - self.middle_x - self.right,
            y - self.middle_y - self.down,
        );
        let (cos, sin) = (1.0 + self.zoom, self.turn);
        let scale = 1.0 / (cos * cos + sin * sin);
        (
            self.middle_x + (cos * dx + sin * dy) * scale,
            self.middle_y + (cos * dy - sin * dx) * scale,
        )
    }

    /// The same motion between pictures of half or double the size.
    fn resized(self, flat: &Flat, by: f32) -> Self {
        Self {
            right: self.right * by,
            down: self.down * by,
            turn: self.turn,
            zoom: self.zoom,
            ..Self::rest(flat)
        }
    }
}

/// One level of the two pictures.
struct Level {
    before: Flat,
    now: Flat,
}

/// Finds how the card moved; the pictures must have the same size.
#[must_use]
pub fn align(before: &Flat, now: &Flat) -> Alignment {
    let levels = levels(before, now);
    let Some(coarsest) = levels.last() else {
        let motion = Motion::rest(now);
        return Alignment {
            motion,
            likeness: likeness(before, now, &motion),
        };
    };
    let mut best = follow(&levels, Motion::rest(&coarsest.now));
    let start = search(coarsest, NEAR, &[0.0]);
    if start.right.abs() + start.down.abs() > 0.5 {
        best = better(best, follow(&levels, start));
    }
    if best.likeness < ALIKE {
        let turns: Vec<f32> = TURNS.into_iter().chain([0.0]).collect();
        best = better(best, follow(&levels, search(coarsest, FAR, &turns)));
    }
    let motion = refine::refine(before, now, best.motion.resized(now, 2.0));
    Alignment {
        motion,
        likeness: best.likeness,
    }
}

fn better(rest: Alignment, other: Alignment) -> Alignment {
    if other.likeness > rest.likeness + ADVANTAGE {
        other
    } else {
        rest
    }
}

/// Half, quarter, ... of the pictures, until a search is cheap.
fn levels(before: &Flat, now: &Flat) -> Vec<Level> {
    let mut levels: Vec<Level> = Vec::new();
    loop {
        let (before, now) = levels
            .last()
            .map_or((before, now), |level| (&level.before, &level.now));
        if !levels.is_empty() && now.value.len() <= SEARCH_PIXELS_MAX
            || now.width.min(now.height) < 16
        {
            return levels;
        }
        let (before, now) = (before.halved(), now.halved());
        levels.push(Level { before, now });
    }
}

/// Refines a motion of the coarsest level up to the finest of these.
fn follow(levels: &[Level], start: Motion) -> Alignment {
    let mut motion = start;
    for (step, level) in levels.iter().rev().enumerate() {
        let by = if step == 0 { 1.0 } else { 2.0 };
        motion = refine::refine(&level.before, &level.now, motion.resized(&level.now, by));
    }
    let likeness = levels
        .first()
        .map_or(0.0, |level| likeness(&level.before, &level.now, &motion));
    Alignment { motion, likeness }
}

/// The shift, and the turn out of those given, under which the pictures are most alike.
fn search(level: &Level, share: f32, turns: &[f32]) -> Motion {
    let rest = Motion::rest(&level.now);
    let reach = |side: usize| i16::try_from(floor(side as f32 * share)).unwrap_or(i16::MAX);
    let (across, down) = (reach(level.now.width), reach(level.now.height));
    let mut best = (likeness(&level.before, &level.now, &rest), rest);
    for &turn in turns {
        for y in -down..=down {
            for x in -across..=across {
                let motion = Motion {
                    right: x.into(),
                    down: y.into(),
                    turn,
                    ..rest
                };
                let likeness = likeness(&level.before, &level.now, &motion);
                if likeness > best.0 {
                    best = (likeness, motion);
                }
            }
        }
    }
    best.1
}

/// Correlation of two pictures under a motion, where both have pixels; 0 if one of them is flat there.
#[must_use]
pub fn likeness(before: &Flat, now: &Flat, motion: &Motion) -> f32 {
    correlation(before, now, motion, (0, 0), (now.width, now.height))
}

/// As [`likeness`], in the rectangle from one corner to before the other.
#[must_use]
pub fn correlation(
    before: &Flat,
    now: &Flat,
    motion: &Motion,
    start: (usize, usize),
    end: (usize, usize),
) -> f32 {
    let cut = |value: f32| value.clamp(-VALUE_MAX, VALUE_MAX);
    let (mut both, mut then_only, mut now_only) = (0.0_f64, 0.0_f64, 0.0_f64);
    for y in start.1..end.1.min(now.height) {
        for (x, &value) in now.row(y).iter().enumerate().take(end.0).skip(start.0) {
            let (from_x, from_y) = motion.back(x as f32, y as f32);
            if let Some(then) = before.at(from_x, from_y) {
                let (then, value) = (f64::from(cut(then)), f64::from(cut(value)));
                both += then * value;
                then_only += then * then;
                now_only += value * value;
            }
        }
    }
    let scale = (then_only * now_only).sqrt();
    #[expect(clippy::cast_possible_truncation, reason = "it is from -1 to 1")]
    let correlation = (both / scale) as f32;
    if scale > 1e-9 { correlation } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::grey::Grey;

    /// A card with spots at uneven places, seen through a motion; `lines` adds a grid printed on it.
    fn scene(seen: &Motion, lines: bool) -> Flat {
        let (width, height) = (192, 160);
        let mut luma = Vec::new();
        for y in 0..height {
            for x in 0..width {
                let (x, y) = seen.back(x as f32, y as f32);
                let spot = |number: i32| {
                    let across = (number * 53 % 181) as f32 + 0.3 * number as f32;
                    let down = (number * 97 % 151) as f32;
                    (-((x - across).powi(2) + (y - down).powi(2)) / 8.0).exp()
                };
                let dark = (0..24).map(spot).sum::<f32>().min(1.0);
                let wave = (x * std::f32::consts::TAU / 24.0).cos();
                let line = if lines {
                    0.5 * wave.max(0.0).powi(8)
                } else {
                    0.0
                };
                luma.push(u8::try_from(floor(200.0 - 140.0 * dark.max(line))).unwrap());
            }
        }
        Flat::of(&Grey {
            width,
            height,
            factor: 4,
            luma,
        })
    }

    fn check(right: f32, down: f32, turn: f32, lines: bool) {
        let rest = Motion::rest(&scene_at_rest(lines));
        let motion = Motion {
            right,
            down,
            turn,
            ..rest
        };
        let found = align(&scene_at_rest(lines), &scene(&motion, lines));
        assert!(found.likeness > 0.8, "{found:?}");
        let is_near = |found: f32, wanted: f32| (found - wanted).abs() < 0.15;
        assert!(is_near(found.motion.right, right), "{right} {found:?}");
        assert!(is_near(found.motion.down, down), "{down} {found:?}");
        assert!((found.motion.turn - turn).abs() < 0.002, "{turn} {found:?}");
    }

    fn scene_at_rest(lines: bool) -> Flat {
        let size = Flat {
            width: 192,
            height: 160,
            value: Vec::new(),
        };
        scene(&Motion::rest(&size), lines)
    }

    #[test]
    fn small_and_large_motions_are_found() {
        check(0.0, 0.0, 0.0, false);
        check(0.4, -0.7, 0.0, false);
        check(-6.3, 4.8, 0.01, false);
        check(21.0, -17.0, 0.0, false);
        check(3.0, 2.0, 0.06, false);
    }

    #[test]
    fn printed_lines_do_not_mislead() {
        check(0.3, 0.2, 0.0, true);
        check(2.5, -1.0, 0.0, true);
    }

    #[test]
    fn pictures_of_nothing_and_tiny_ones_stay_at_rest() {
        for (width, height) in [(1, 1), (3, 200), (40, 40)] {
            let flat = Flat {
                width,
                height,
                value: vec![0.0; width * height],
            };
            let found = align(&flat, &flat);
            assert_eq!(found.motion, Motion::rest(&flat));
            assert!(found.likeness.abs() < 1e-6);
        }
    }

    #[test]
    fn forth_undoes_back() {
        let motion = Motion {
            right: 5.5,
            down: -3.25,
            turn: 0.05,
            zoom: 0.02,
            ..Motion::rest(&scene_at_rest(false))
        };
        let (x, y) = motion.back(20.0, 130.0);
        let (x, y) = motion.forth(x, y);
        assert!(
            (x - 20.0).abs() < 1e-3 && (y - 130.0).abs() < 1e-3,
            "{x} {y}"
        );
    }
}
