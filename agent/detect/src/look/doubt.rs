//! Boxes that nobody is sure of, and which of them are looked at again although nothing changed there.
//!
//! The score of the same insect wavers a little from picture to picture. A box that is carried over keeps its first
//! one, so an insect that was a hair too weak once would not be shown until the next whole look, and one that was a
//! hair too strong would be shown as long. So a few of those near the threshold have their turn at every look.

use crate::boxes::Detection;

/// A score this far below the threshold may be above it in the next picture.
const BELOW: f32 = 0.25;
/// One this far above it may be below. It is less, because what was seen well once is there until its place changes.
const ABOVE: f32 = 0.05;
/// Share of the whole work that may be spent on them.
const SHARE: f32 = 0.03;

/// Those whose turn it is: `looks` counts up from look to look, `square_px2` is what one costs and `whole_px2` what a
/// whole look does.
pub(super) fn in_turn(
    known: &[Detection],
    score: f32,
    looks: u32,
    (square_px2, whole_px2): (f32, f32),
) -> Vec<Detection> {
    let is_doubtful = |known: &&Detection| (score - BELOW..score + ABOVE).contains(&known.score);
    let mut doubtful: Vec<Detection> = known.iter().filter(is_doubtful).copied().collect();
    // By place, because scores change the order in which they come.
    doubtful.sort_by(|a, b| {
        let by_row = a.y_px.total_cmp(&b.y_px);
        by_row.then_with(|| a.x_px.total_cmp(&b.x_px))
    });
    let many = crate::change::flat::floor(SHARE * whole_px2 / square_px2.max(1.0));
    let many = many.min(doubtful.len());
    if let Some(first) = (looks as usize * many).checked_rem(doubtful.len()) {
        doubtful.rotate_left(first);
    }
    doubtful.truncate(many);
    doubtful
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(scores: &[f32]) -> Vec<Detection> {
        let at = |(number, &score): (usize, &f32)| Detection {
            x_px: number as f32,
            y_px: 5.0,
            width_px: 20.0,
            height_px: 20.0,
            score,
            class: 0,
        };
        scores.iter().enumerate().map(at).collect()
    }

    fn places(scores: &[f32], looks: u32, whole_px2: f32) -> Vec<f32> {
        let turn = in_turn(&known(scores), 0.5, looks, (100.0, whole_px2));
        turn.iter().map(|known| known.x_px).collect()
    }

    #[test]
    fn all_near_the_threshold_have_their_turn_and_no_others() {
        let scores = [0.9, 0.45, 0.53, 0.2, 0.4, 0.3, 0.51];
        assert_eq!(places(&scores, 0, 7_000.0), [1.0, 2.0]);
        assert_eq!(places(&scores, 1, 7_000.0), [4.0, 5.0]);
        assert_eq!(places(&scores, 2, 7_000.0), [6.0, 1.0]);
        assert_eq!(places(&scores, 9, 1e9).len(), 5);
    }

    #[test]
    fn what_would_cost_too_much_is_left() {
        assert!(places(&[0.5], 3, 3_000.0).is_empty());
        assert!(places(&[], 3, 1e9).is_empty());
        assert!(places(&[0.5], u32::MAX, 1e9).len() == 1);
    }
}
