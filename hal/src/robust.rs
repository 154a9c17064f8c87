//! A straight line through points of which some are wrong: Theil and Sen's,
//! with the bounds that Sen gives for its slope.
//!
//! Sources: P. K. Sen, *Estimates of the Regression Coefficient Based on
//! Kendall's Tau*, Journal of the American Statistical Association 63, 1968,
//! for the median of the slopes and for its bounds by rank. Up to 29 % of the
//! points may be anything at all before the slope follows them.

/// More points than this are thinned evenly: the slopes are as many as the
/// pairs of points.
const POINTS_MAX: usize = 240;
/// Fewer points say nothing about their own scatter.
const POINTS_MIN: usize = 4;
/// The bounds hold 95 of 100 times.
const NORMAL_QUANTILE: f64 = 1.96;

/// A line, with how far its slope can be trusted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Line {
    /// Change of y for each x.
    pub(crate) slope: f64,
    /// The slope is at least this, 95 of 100 times.
    pub(crate) slope_from: f64,
    /// The slope is at most this, 95 of 100 times.
    pub(crate) slope_to: f64,
    at_zero: f64,
}

impl Line {
    /// The line through `points` of x and y; `None` for fewer than four of
    /// them, or where no two differ in x.
    pub(crate) fn through(points: &[(f64, f64)]) -> Option<Self> {
        let step = points.len().div_ceil(POINTS_MAX).max(1);
        // Counted from the newest, which has to stay.
        let points: Vec<(f64, f64)> = points.iter().rev().step_by(step).copied().collect();
        if points.len() < POINTS_MIN {
            return None;
        }
        let mut slopes = slopes(&points);
        let slope = median(&mut slopes)?;
        let (slope_from, slope_to) = bounds(&slopes, points.len())?;
        let mut starts: Vec<f64> = points.iter().map(|(x, y)| y - slope * x).collect();
        Some(Self {
            slope,
            slope_from,
            slope_to,
            at_zero: median(&mut starts)?,
        })
    }

    /// The height of the line at `x`.
    pub(crate) fn at(&self, x: f64) -> f64 {
        self.at_zero + self.slope * x
    }
}

fn slopes(points: &[(f64, f64)]) -> Vec<f64> {
    let mut slopes = Vec::new();
    for (done, (x, y)) in points.iter().enumerate() {
        let others = points.iter().skip(done + 1);
        slopes.extend(
            others
                .map(|(other_x, other_y)| (other_y - y) / (other_x - x))
                .filter(|slope| slope.is_finite()),
        );
    }
    slopes
}

/// The middle of `numbers`, which are left sorted.
pub(crate) fn median(numbers: &mut [f64]) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    let upper = *numbers.get(middle)?;
    if numbers.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *numbers.get(middle.checked_sub(1)?)?;
    Some(f64::midpoint(lower, upper))
}

/// The slopes whose ranks bound the median, the outer of two where the rank is
/// between them; the outermost where there are too few points to leave any out.
fn bounds(sorted: &[f64], points: usize) -> Option<(f64, f64)> {
    let points = points as f64;
    let scatter = (points * (points - 1.0) * (2.0 * points + 5.0) / 18.0).sqrt();
    let rank = (sorted.len() as f64 - NORMAL_QUANTILE * scatter) / 2.0;
    let left_out = usize::try_from(whole(rank) - 1).unwrap_or(0);
    let from = sorted.get(left_out)?;
    let to = sorted.iter().rev().nth(left_out)?;
    Some((*from, *to))
}

/// The whole number below; a number too large for it becomes the largest.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a cast from float to whole saturates, which is what is wanted"
)]
pub(crate) fn whole(number: f64) -> i64 {
    number.floor() as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found}, not {expected}");
    }

    #[test]
    fn points_on_a_line_give_that_line() {
        let points: Vec<(f64, f64)> = (0..10).map(|x| (f64::from(x), 3.0)).collect();
        let flat = Line::through(&points).unwrap();
        near(flat.slope, 0.0);
        let points: Vec<(f64, f64)> = points.iter().map(|(x, _)| (*x, 7.0 - 0.5 * x)).collect();
        let falling = Line::through(&points).unwrap();
        near(falling.slope_from, -0.5);
        near(falling.slope_to, -0.5);
        near(falling.at(4.0), 5.0);
    }

    #[test]
    fn the_bounds_are_slopes_by_rank() {
        // Of 15 slopes, (15 − 1.96 · 5.32) / 2 = 2.28: the second from each end.
        let heights = [1.0, 2.1, 2.9, 4.4, 4.9, 6.3];
        let points: Vec<(f64, f64)> = (1..=6).map(f64::from).zip(heights).collect();
        let line = Line::through(&points).unwrap();
        let mut slopes = slopes(&points);
        slopes.sort_by(f64::total_cmp);
        near(line.slope_from, slopes[1]);
        near(line.slope_to, slopes[13]);
    }

    #[test]
    fn too_few_points_are_no_line() {
        assert!(Line::through(&[(0.0, 0.0), (1.0, 1.0), (2.0, 2.0)]).is_none());
        assert!(Line::through(&[(1.0, 0.0); 9]).is_none(), "all at one time");
    }

    proptest! {
        #[test]
        fn a_quarter_of_nonsense_moves_no_slope(
            slope in -5.0..5.0_f64,
            wild in proptest::collection::vec(-1e6..1e6_f64, 10),
        ) {
            let mut points: Vec<(f64, f64)> =
                (0..50).map(|x| (f64::from(x), slope * f64::from(x))).collect();
            for (at, y) in wild.iter().enumerate() {
                points[at * 5].1 = *y;
            }
            let line = Line::through(&points).unwrap();
            prop_assert!((line.slope - slope).abs() < 0.5, "{} for {slope}", line.slope);
            prop_assert!(line.slope_from <= line.slope && line.slope <= line.slope_to);
        }

        #[test]
        fn any_points_give_a_line_or_none(
            points in proptest::collection::vec((-1e9..1e9_f64, -1e9..1e9_f64), 0..600),
        ) {
            if let Some(line) = Line::through(&points) {
                prop_assert!(line.slope.is_finite() && line.slope_from <= line.slope_to);
            }
        }
    }
}
