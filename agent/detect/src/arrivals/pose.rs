//! Where the card lies in the picture: a shift and a small turn, estimated from the insects themselves.
//!
//! Insects in glue are landmarks. If most known places have a box, nothing moved. If not, shifts of up to
//! [`REACH_PX`] and turns of up to two degrees are tried by vote, and the best is refined on the pairs it gives.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

/// How far a bump may move the card.
const REACH_PX: f32 = 240.0;
/// Cells of the vote.
const CELL_PX: f32 = 12.0;
/// Turns that are tried, in half degrees on either side.
const HALF_DEGREES: i8 = 4;
/// More landmarks than this add nothing but work.
const LANDMARKS_MAX: usize = 300;
/// Pairs that fit a pose lie at most so far apart.
const TIGHT_PX: f32 = 7.0;

/// A turn and a shift from one plane to another.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Pose {
    cos: f32,
    sin: f32,
    x_px: f32,
    y_px: f32,
}

impl Pose {
    pub(super) const HOME: Self = Self {
        cos: 1.0,
        sin: 0.0,
        x_px: 0.0,
        y_px: 0.0,
    };

    pub(super) fn shift(x_px: f32, y_px: f32) -> Self {
        Self {
            x_px,
            y_px,
            ..Self::HOME
        }
    }

    /// A turn around a point.
    fn turn(angle: f32, x_px: f32, y_px: f32) -> Self {
        let (sin, cos) = angle.sin_cos();
        Self {
            cos,
            sin,
            x_px: x_px - cos * x_px + sin * y_px,
            y_px: y_px - sin * x_px - cos * y_px,
        }
    }

    pub(super) fn apply(&self, [x_px, y_px]: [f32; 2]) -> [f32; 2] {
        [
            self.cos * x_px - self.sin * y_px + self.x_px,
            self.sin * x_px + self.cos * y_px + self.y_px,
        ]
    }

    /// Back again.
    pub(super) fn inverse(&self) -> Self {
        let [x_px, y_px] = [
            -self.cos * self.x_px - self.sin * self.y_px,
            self.sin * self.x_px - self.cos * self.y_px,
        ];
        Self {
            sin: -self.sin,
            x_px,
            y_px,
            ..*self
        }
    }

    /// First `first`, then this one.
    pub(super) fn after(&self, first: &Self) -> Self {
        let [x_px, y_px] = self.apply([first.x_px, first.y_px]);
        let (cos, sin) = (
            self.cos * first.cos - self.sin * first.sin,
            self.sin * first.cos + self.cos * first.sin,
        );
        let length = cos.hypot(sin).max(0.5);
        Self {
            cos: cos / length,
            sin: sin / length,
            x_px,
            y_px,
        }
    }

    /// Whether the numbers are ones that this file could have made.
    pub(super) fn is_sane(&self) -> bool {
        (self.cos.hypot(self.sin) - 1.0).abs() < 0.01
            && self.x_px.abs() < 1e5
            && self.y_px.abs() < 1e5
    }
}

/// A box as a landmark.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Landmark {
    pub(super) at: [f32; 2],
    pub(super) length_px: f32,
}

/// What [`align`] found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Alignment {
    /// From where the boxes seem to be to where they are.
    pub(super) pose: Pose,
    /// Boxes that lie on a known place under this pose.
    pub(super) pairs: usize,
}

/// Finds the pose that lays `seen` on `known`. `guesses` are tried first, in order, and win when they fit.
pub(super) fn align(known: &[Landmark], seen: &[Landmark], guesses: &[Pose]) -> Alignment {
    let known = known.get(..known.len().min(LANDMARKS_MAX)).unwrap_or(known);
    let seen = seen.get(..seen.len().min(LANDMARKS_MAX)).unwrap_or(seen);
    let stay = guesses.first().copied().unwrap_or(Pose::HOME);
    let mut best = Alignment {
        pose: stay,
        pairs: 0,
    };
    for guess in guesses {
        let found = refine(known, seen, *guess);
        if found.pairs > best.pairs {
            best = found;
        }
    }
    let possible = known.len().min(seen.len());
    let is_enough = best.pairs * 10 >= possible * 8;
    if possible >= 3 && !is_enough {
        let found = refine(known, seen, vote(known, seen));
        if found.pairs >= 3
            && found.pairs * 10 >= possible * 4
            && found.pairs * 10 >= best.pairs * 12
        {
            best = found;
        }
    }
    // Fewer than three pairs do not move the card: one of them may be an insect that walks.
    if best.pairs < 3 {
        Alignment { pose: stay, ..best }
    } else {
        best
    }
}

/// Turns and shifts as most pairs want it, on a grid of [`CELL_PX`].
fn vote(known: &[Landmark], seen: &[Landmark]) -> Pose {
    let count = seen.len().max(1) as f32;
    let middle = seen.iter().fold([0.0, 0.0], |[x, y], mark| {
        [x + mark.at[0] / count, y + mark.at[1] / count]
    });
    let mut best = (0_u32, Pose::HOME);
    // From no turn outwards, so that of equal votes the smaller turn wins.
    let mut turns: Vec<i8> = (-HALF_DEGREES..=HALF_DEGREES).collect();
    turns.sort_by_key(|turn| turn.abs());
    for turn in turns {
        let turned = Pose::turn((f32::from(turn) * 0.5).to_radians(), middle[0], middle[1]);
        let mut grid = Grid::new();
        for mark in seen {
            let [x_px, y_px] = turned.apply(mark.at);
            for place in known.iter().filter(|place| alike(place, mark)) {
                grid.add(place.at[0] - x_px, place.at[1] - y_px);
            }
        }
        let (votes, x_px, y_px) = grid.best();
        if votes > best.0 {
            best = (votes, Pose::shift(x_px, y_px).after(&turned));
        }
    }
    best.1
}

fn alike(one: &Landmark, other: &Landmark) -> bool {
    let ratio = one.length_px / other.length_px.max(1e-3);
    (0.67..1.5).contains(&ratio)
}

/// Votes for shifts within [`REACH_PX`].
struct Grid {
    side: usize,
    votes: Vec<u32>,
}

impl Grid {
    fn new() -> Self {
        let side = to_index(2.0 * REACH_PX / CELL_PX) + 1;
        Self {
            side,
            votes: vec![0; side * side],
        }
    }

    fn add(&mut self, x_px: f32, y_px: f32) {
        if x_px.abs() < REACH_PX && y_px.abs() < REACH_PX {
            let column = to_index((x_px + REACH_PX) / CELL_PX);
            let row = to_index((y_px + REACH_PX) / CELL_PX);
            if let Some(votes) = self.votes.get_mut(row * self.side + column) {
                *votes += 1;
            }
        }
    }

    /// The best three by three cells: their votes, and their middle weighted by votes.
    fn best(&self) -> (u32, f32, f32) {
        let mut best = (0, 0.0, 0.0);
        for row in 1..self.side - 1 {
            for column in 1..self.side - 1 {
                let (mut sum, mut x, mut y) = (0, 0.0, 0.0);
                for r in row - 1..=row + 1 {
                    for c in column - 1..=column + 1 {
                        let votes = self
                            .votes
                            .get(r * self.side + c)
                            .copied()
                            .unwrap_or_default();
                        sum += votes;
                        x += votes as f32 * (c as f32 + 0.5);
                        y += votes as f32 * (r as f32 + 0.5);
                    }
                }
                if sum > best.0 {
                    let weight = sum as f32;
                    best = (
                        sum,
                        x / weight * CELL_PX - REACH_PX,
                        y / weight * CELL_PX - REACH_PX,
                    );
                }
            }
        }
        best
    }
}

/// Fits the pose to the nearest pairs, with less and less patience.
fn refine(known: &[Landmark], seen: &[Landmark], start: Pose) -> Alignment {
    let mut pose = start;
    for reach_px in [24.0, 16.0, 12.0, 9.0, 9.0] {
        let pairs = nearest(known, seen, &pose, reach_px);
        pose = fit(&pairs).after(&pose);
    }
    Alignment {
        pose,
        pairs: nearest(known, seen, &pose, TIGHT_PX).len(),
    }
}

/// Pairs (where it seems under the pose, where it is known) that are each other's nearest and alike in length.
fn nearest(
    known: &[Landmark],
    seen: &[Landmark],
    pose: &Pose,
    reach_px: f32,
) -> Vec<([f32; 2], [f32; 2])> {
    let placed: Vec<Landmark> = seen
        .iter()
        .map(|mark| Landmark {
            at: pose.apply(mark.at),
            ..*mark
        })
        .collect();
    let to_known: Vec<Option<usize>> = placed
        .iter()
        .map(|mark| closest(known, mark, reach_px))
        .collect();
    let mut pairs = Vec::new();
    for (index, (mark, place)) in placed.iter().zip(&to_known).enumerate() {
        if let Some(place) = place.and_then(|place| known.get(place))
            && closest(&placed, place, reach_px) == Some(index)
        {
            pairs.push((mark.at, place.at));
        }
    }
    pairs
}

fn closest(places: &[Landmark], mark: &Landmark, reach_px: f32) -> Option<usize> {
    let distance = |place: &Landmark| (place.at[0] - mark.at[0]).hypot(place.at[1] - mark.at[1]);
    let near = places.iter().enumerate().filter(|(_, place)| {
        (place.at[0] - mark.at[0]).abs() <= reach_px
            && alike(place, mark)
            && distance(place) <= reach_px
    });
    near.min_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b)))
        .map(|(index, _)| index)
}

/// The turn and shift with the least squares; from a few pairs only a shift, by the median.
fn fit(pairs: &[([f32; 2], [f32; 2])]) -> Pose {
    if pairs.is_empty() {
        return Pose::HOME;
    }
    let median = |axis: fn(&([f32; 2], [f32; 2])) -> f32| {
        let mut apart: Vec<f32> = pairs.iter().map(axis).collect();
        apart.sort_by(f32::total_cmp);
        apart.get(apart.len() / 2).copied().unwrap_or_default()
    };
    let shift = Pose::shift(
        median(|(from, to)| to[0] - from[0]),
        median(|(from, to)| to[1] - from[1]),
    );
    if pairs.len() < 6 {
        return shift;
    }
    let count = pairs.len() as f32;
    let mean =
        |point: fn(&([f32; 2], [f32; 2])) -> f32| pairs.iter().map(point).sum::<f32>() / count;
    let from_middle = [mean(|(from, _)| from[0]), mean(|(from, _)| from[1])];
    let to_middle = [mean(|(_, to)| to[0]), mean(|(_, to)| to[1])];
    let (mut dot, mut cross) = (0.0, 0.0);
    for (from, to) in pairs {
        let (fx, fy) = (from[0] - from_middle[0], from[1] - from_middle[1]);
        let (tx, ty) = (to[0] - to_middle[0], to[1] - to_middle[1]);
        dot += fx * tx + fy * ty;
        cross += fx * ty - fy * tx;
    }
    // Pairs on one spot say nothing of a turn.
    let spread_px = (dot.max(0.0) / count).sqrt();
    let angle = if spread_px > 60.0 {
        cross.atan2(dot).clamp(-0.05, 0.05)
    } else {
        0.0
    };
    let turned = Pose::turn(angle, from_middle[0], from_middle[1]);
    Pose::shift(to_middle[0] - from_middle[0], to_middle[1] - from_middle[1]).after(&turned)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "callers pass what is between 0 and a few hundred"
)]
fn to_index(value: f32) -> usize {
    value.max(0.0) as usize
}
