//! Gauss-Newton steps: a motion that is right to a pixel becomes right to a twentieth of one.

use crate::change::align::Motion;
use crate::change::flat::Flat;

const STEPS_MAX: usize = 8;
/// A step below this many pixels is the last.
const STEP_PX_MIN: f32 = 0.01;
/// Differences above this are insects that came or went, and count less and less.
const DIFFERENCE: f32 = 0.08;
/// Pixels steeper than this many times the mean take part.
const STEEPER: f32 = 1.5;
/// Beyond these the card was not bumped, the search was misled.
const TURN_MAX: f32 = 0.12;
const ZOOM_MAX: f32 = 0.08;

/// A pixel of this picture that shows by its slope where it comes from.
struct Point {
    x: f32,
    y: f32,
    value: f32,
    /// How its value changes with shift right, shift down, turn and zoom.
    slopes: [f32; 4],
}

/// Improves a motion between two pictures of one size; returns it as it was where nothing has a slope.
pub(super) fn refine(before: &Flat, now: &Flat, start: Motion) -> Motion {
    let points = points(now, &start);
    let mut motion = start;
    for _ in 0..STEPS_MAX {
        let Some([right, down, turn, zoom]) = step(before, &points, &motion) else {
            return start;
        };
        motion.right -= right;
        motion.down -= down;
        motion.turn = (motion.turn - turn).clamp(-TURN_MAX, TURN_MAX);
        motion.zoom = (motion.zoom - zoom).clamp(-ZOOM_MAX, ZOOM_MAX);
        let far = now.width.max(now.height) as f32 / 2.0;
        if right.abs() + down.abs() + (turn.abs() + zoom.abs()) * far < STEP_PX_MIN {
            break;
        }
    }
    let is_inside = motion.right.abs() < now.width as f32 && motion.down.abs() < now.height as f32;
    if is_inside { motion } else { start }
}

fn points(now: &Flat, motion: &Motion) -> Vec<Point> {
    let steepness = |(across, down): (f32, f32)| across * across + down * down;
    let places = || (0..now.height).flat_map(|y| (0..now.width).map(move |x| (x, y)));
    let total: f32 = places().map(|(x, y)| steepness(now.slope(x, y))).sum();
    let enough = STEEPER * total / now.value.len().max(1) as f32;
    let mut points = Vec::new();
    for ((x, y), &value) in places().zip(&now.value) {
        let (across, down) = now.slope(x, y);
        if steepness((across, down)) > enough {
            let (x, y) = (x as f32, y as f32);
            let (dx, dy) = (x - motion.middle_x, y - motion.middle_y);
            let slopes = [
                across,
                down,
                down * dx - across * dy,
                across * dx + down * dy,
            ];
            points.push(Point {
                x,
                y,
                value,
                slopes,
            });
        }
    }
    points
}

/// What the motion is wrong by, as the points together say.
fn step(before: &Flat, points: &[Point], motion: &Motion) -> Option<[f32; 4]> {
    let mut square = [[0.0_f64; 4]; 4];
    let mut side = [0.0_f64; 4];
    for point in points {
        let (x, y) = motion.back(point.x, point.y);
        let Some(then) = before.at(x, y) else {
            continue;
        };
        let wrong = then - point.value;
        let weight = 1.0 / (1.0 + (wrong / DIFFERENCE) * (wrong / DIFFERENCE));
        for ((row, sum), slope) in square.iter_mut().zip(&mut side).zip(point.slopes) {
            let weighed = weight * slope;
            for (cell, other) in row.iter_mut().zip(point.slopes) {
                *cell += f64::from(weighed * other);
            }
            *sum += f64::from(weighed * wrong);
        }
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the sum needs the digits, the motion does not"
    )]
    let found = solve(square, side).map(|found| found.map(|value| value as f32));
    found
}

/// Solves `square` × unknowns = `side` for a symmetric, positive `square`; none if it is not.
fn solve(mut square: [[f64; 4]; 4], mut side: [f64; 4]) -> Option<[f64; 4]> {
    for pivot in 0..4 {
        let pivot_row = *square.get(pivot)?;
        let pivot_side = *side.get(pivot)?;
        let leading = *pivot_row.get(pivot)?;
        if leading.is_nan() || leading <= 1e-9 {
            return None;
        }
        for row in (0..4).filter(|&row| row != pivot) {
            let cells = square.get_mut(row)?;
            let factor = cells.get(pivot)? / leading;
            for (cell, of_pivot) in cells.iter_mut().zip(pivot_row) {
                *cell -= factor * of_pivot;
            }
            *side.get_mut(row)? -= factor * pivot_side;
        }
    }
    let mut found = [0.0; 4];
    for (place, value) in found.iter_mut().enumerate() {
        *value = side.get(place)? / square.get(place)?.get(place)?;
    }
    found
        .iter()
        .all(|value: &f64| value.is_finite())
        .then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_equations_are_solved() {
        let square = [
            [4.0, 1.0, 0.0, 0.5],
            [1.0, 3.0, 0.2, 0.0],
            [0.0, 0.2, 5.0, 1.0],
            [0.5, 0.0, 1.0, 2.0],
        ];
        let wanted = [1.0, -2.0, 0.5, 3.0];
        let side = square.map(|row| row.iter().zip(wanted).map(|(a, b)| a * b).sum());
        let found = solve(square, side).unwrap();
        for (found, wanted) in found.into_iter().zip(wanted) {
            assert!((found - wanted).abs() < 1e-9, "{found} {wanted}");
        }
        assert_eq!(solve([[0.0; 4]; 4], wanted), None);
        assert_eq!(solve([[f64::NAN; 4]; 4], wanted), None);
    }
}
