//! One insect, one box: drops what a neighbouring tile sees better, then takes together what overlaps.

use crate::boxes::Detection;
use crate::tile::Tile;

/// A box this near to a tile's border may be cut by it.
const BORDER_PX: f32 = 3.0;
/// Of what lies between two tiles each keeps its half and this much more, because both guess the same middle a little
/// differently.
const SHARED_PX: f32 = 4.0;
/// Boxes that overlap the strongest by this much say where the insect ends, too.
const SAME_IOU: f32 = 0.6;
/// A cut piece goes when this much of it lies in a stronger box.
const COVERED: f32 = 0.7;

/// A box on its way to the list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The box, in picture pixels.
    pub detection: Detection,
    /// Whether it touches a border that its tile shares with another tile.
    pub is_cut: bool,
}

impl Candidate {
    /// A box that no border cuts.
    #[must_use]
    pub fn whole(detection: Detection) -> Self {
        Self {
            detection,
            is_cut: false,
        }
    }
}

/// Judges a box at its tile's inner borders: `None` if a neighbour sees the whole of it, or more around it, else the
/// candidate.
///
/// What is around an insect counts for its score, so a tile has nothing to say where its neighbour sees further.
#[must_use]
pub fn at_borders(detection: Detection, tile: &Tile) -> Option<Candidate> {
    let across = Span {
        start: detection.x_px,
        end: detection.x_px + detection.width_px,
        tile_start: tile.x_px,
        tile_end: tile.x_px + tile.size_px,
        before_end: tile.left_neighbour_end_px,
        after_start: tile.right_neighbour_px,
    };
    let down = Span {
        start: detection.y_px,
        end: detection.y_px + detection.height_px,
        tile_start: tile.y_px,
        tile_end: tile.y_px + tile.size_px,
        before_end: tile.upper_neighbour_end_px,
        after_start: tile.lower_neighbour_px,
    };
    if across.is_seen_better_beside() || down.is_seen_better_beside() {
        return None;
    }
    Some(Candidate {
        detection,
        is_cut: across.is_cut() || down.is_cut(),
    })
}

/// A box and its tile along one axis, in picture pixels.
struct Span {
    start: f32,
    end: f32,
    tile_start: u32,
    tile_end: u32,
    before_end: Option<u32>,
    after_start: Option<u32>,
}

impl Span {
    fn touches_start(&self) -> bool {
        self.before_end.is_some() && self.start < self.tile_start as f32 + BORDER_PX
    }

    fn touches_end(&self) -> bool {
        self.after_start.is_some() && self.end > self.tile_end as f32 - BORDER_PX
    }

    fn is_cut(&self) -> bool {
        self.touches_start() || self.touches_end()
    }

    fn is_seen_better_beside(&self) -> bool {
        self.is_whole_beside() || self.is_nearer_beside()
    }

    /// The middle of the box lies in the neighbour's half of what both see.
    fn is_nearer_beside(&self) -> bool {
        let middle = f32::midpoint(self.start, self.end);
        let half = |a: u32, b: u32| f32::midpoint(a as f32, b as f32);
        let before = self
            .before_end
            .is_some_and(|end| middle < half(self.tile_start, end) - SHARED_PX);
        let after = self
            .after_start
            .is_some_and(|start| middle > half(start, self.tile_end) + SHARED_PX);
        before || after
    }

    /// The far end of a cut box lies inside the neighbour, which therefore sees all of it (or at least more).
    fn is_whole_beside(&self) -> bool {
        let before = self
            .before_end
            .is_some_and(|end| self.end < end as f32 - BORDER_PX);
        let after = self
            .after_start
            .is_some_and(|start| self.start > start as f32 + BORDER_PX);
        (self.touches_start() && before) || (self.touches_end() && after)
    }
}

/// One box for every insect, best first: its score is the strongest's, its sides are the mean of all that nearly agree.
///
/// A box goes when a stronger one of its class overlaps it by more than `iou`, or, if a tile's border cut it, covers
/// most of it. Small whole boxes inside large ones stay: a thrips may sit on a moth.
#[must_use]
pub fn strongest(mut candidates: Vec<Candidate>, iou: f32) -> Vec<Detection> {
    candidates.sort_by(|a, b| order(&b.detection, &a.detection));
    let mut kept: Vec<Agreed> = Vec::new();
    for Candidate { detection, is_cut } in candidates {
        let is_double = |agreed: &&mut Agreed| {
            let stronger = &agreed.strongest;
            stronger.class == detection.class
                && (stronger.iou(&detection) > iou
                    || (is_cut && stronger.shared_px2(&detection) > COVERED * detection.area_px2()))
        };
        match kept.iter_mut().find(is_double) {
            Some(agreed) if !is_cut => agreed.hear(&detection),
            Some(_) => {}
            None => kept.push(Agreed::of(detection)),
        }
    }
    kept.iter().map(Agreed::detection).collect()
}

/// A box, and the sum of those that mean the same insect, each weighed by its score and by how well it agrees.
struct Agreed {
    strongest: Detection,
    /// Left, top, width, height, each times the weight.
    sides: [f32; 4],
    weight: f32,
}

impl Agreed {
    fn of(strongest: Detection) -> Self {
        let mut agreed = Self {
            strongest,
            sides: [0.0; 4],
            weight: 0.0,
        };
        agreed.hear(&strongest);
        agreed
    }

    fn hear(&mut self, other: &Detection) {
        let agreement = self.strongest.iou(other);
        if agreement < SAME_IOU {
            return;
        }
        let weight = other.score * agreement;
        let theirs = [other.x_px, other.y_px, other.width_px, other.height_px];
        for (sum, side) in self.sides.iter_mut().zip(theirs) {
            *sum += weight * side;
        }
        self.weight += weight;
    }

    fn detection(&self) -> Detection {
        // A box without an area agrees with nobody, not even with itself.
        if self.weight <= 0.0 {
            return self.strongest;
        }
        let [x_px, y_px, width_px, height_px] = self.sides.map(|sum| sum / self.weight);
        Detection {
            x_px,
            y_px,
            width_px,
            height_px,
            ..self.strongest
        }
    }
}

/// By score, then by place, so that the same picture always gives the same list.
pub(crate) fn order(a: &Detection, b: &Detection) -> std::cmp::Ordering {
    a.score
        .total_cmp(&b.score)
        .then_with(|| b.y_px.total_cmp(&a.y_px))
        .then_with(|| b.x_px.total_cmp(&a.x_px))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x_px: f32, y_px: f32, width_px: f32, height_px: f32, score: f32) -> Detection {
        Detection {
            x_px,
            y_px,
            width_px,
            height_px,
            score,
            class: 0,
        }
    }

    fn check(candidates: &[Candidate], expected: &[f32]) {
        let scores: Vec<f32> = strongest(candidates.to_vec(), 0.5)
            .iter()
            .map(|kept| kept.score)
            .collect();
        assert_eq!(scores, expected);
    }

    #[test]
    fn a_weaker_double_goes_and_neighbours_stay() {
        check(&[], &[]);
        check(&[Candidate::whole(at(0.0, 0.0, 10.0, 10.0, 0.5))], &[0.5]);
        // Shifted by 2 of 10: 80 shared of 120, IoU 0.67.
        check(
            &[
                Candidate::whole(at(0.0, 0.0, 10.0, 10.0, 0.5)),
                Candidate::whole(at(2.0, 0.0, 10.0, 10.0, 0.9)),
            ],
            &[0.9],
        );
        // Shifted by 5 of 10: IoU 0.33, two insects side by side.
        check(
            &[
                Candidate::whole(at(0.0, 0.0, 10.0, 10.0, 0.5)),
                Candidate::whole(at(5.0, 0.0, 10.0, 10.0, 0.9)),
            ],
            &[0.9, 0.5],
        );
        check(
            &[
                Candidate::whole(at(0.0, 0.0, 10.0, 10.0, 0.5)),
                Candidate::whole(at(50.0, 0.0, 10.0, 10.0, 0.9)),
            ],
            &[0.9, 0.5],
        );
    }

    #[test]
    fn boxes_that_nearly_agree_are_averaged_by_score() {
        let boxes = [
            at(0.0, 0.0, 10.0, 10.0, 0.9),
            at(2.0, 0.0, 10.0, 10.0, 0.6),
            // IoU 0.54: the same insect, but too far off to say where it ends.
            at(3.0, 0.0, 10.0, 10.0, 0.8),
        ];
        let kept = strongest(boxes.map(Candidate::whole).to_vec(), 0.5);
        let [only] = kept[..] else {
            panic!("one insect, not {}", kept.len());
        };
        // Weights 0.9 × 1 and 0.6 × 2/3.
        assert!((only.x_px - 0.8 / 1.3).abs() < 1e-5, "{only:?}");
        for (found, wanted) in [(only.y_px, 0.0), (only.width_px, 10.0), (only.score, 0.9)] {
            assert!((found - wanted).abs() < 1e-6, "{only:?}");
        }
        let flat = at(5.0, 5.0, 0.0, 0.0, 0.4);
        assert_eq!(strongest(vec![Candidate::whole(flat)], 0.5), [flat]);
    }

    #[test]
    fn a_double_of_a_double_that_went_stays() {
        // B is a double of A; C overlaps only B, which is gone.
        let (a, b, c) = (
            at(0.0, 0.0, 10.0, 10.0, 0.9),
            at(3.0, 0.0, 10.0, 10.0, 0.8),
            at(6.0, 0.0, 10.0, 10.0, 0.7),
        );
        check(
            &[
                Candidate::whole(c),
                Candidate::whole(a),
                Candidate::whole(b),
            ],
            &[0.9, 0.7],
        );
    }

    #[test]
    fn only_a_cut_piece_goes_for_lying_inside() {
        let (large, inside) = (at(0.0, 0.0, 40.0, 40.0, 0.6), at(4.0, 4.0, 10.0, 10.0, 0.5));
        check(
            &[Candidate::whole(large), Candidate::whole(inside)],
            &[0.6, 0.5],
        );
        check(
            &[
                Candidate::whole(large),
                Candidate {
                    detection: inside,
                    is_cut: true,
                },
            ],
            &[0.6],
        );
    }

    #[test]
    fn classes_do_not_suppress_each_other() {
        let a = at(0.0, 0.0, 10.0, 10.0, 0.9);
        check(
            &[
                Candidate::whole(a),
                Candidate::whole(Detection {
                    class: 1,
                    score: 0.8,
                    ..a
                }),
            ],
            &[0.9, 0.8],
        );
    }

    #[test]
    fn a_cut_box_goes_when_the_neighbour_sees_it_whole() {
        // Two tiles of 100 side by side, sharing 76..100.
        let tiles = crate::tile::plan(176, 100, 100, 24, 1);
        let [left, right] = [tiles[0], tiles[1]];
        assert_eq!((left.x_px, right.x_px), (0, 76));
        let judge = |tile: &Tile, x: f32, width: f32| {
            at_borders(at(x, 40.0, width, 10.0, 0.5), tile).map(|candidate| candidate.is_cut)
        };
        assert_eq!(judge(&left, 20.0, 20.0), Some(false), "far from the border");
        assert_eq!(judge(&left, 85.0, 15.0), None, "whole in the right tile");
        assert_eq!(
            judge(&left, 60.0, 40.0),
            Some(true),
            "too long for the strip: nobody sees the whole"
        );
        assert_eq!(judge(&right, 76.0, 15.0), None, "whole in the left tile");
        assert_eq!(judge(&right, 76.0, 40.0), Some(true));
        assert_eq!(
            judge(&left, 0.0, 10.0),
            Some(false),
            "the picture's own edge cuts nothing"
        );
        assert_eq!(judge(&right, 166.0, 10.0), Some(false));
        // Both see 76..100, and each is trusted to 88 and a little more.
        assert_eq!(judge(&left, 79.0, 10.0), Some(false));
        assert_eq!(judge(&left, 86.0, 10.0), Some(false), "middle at 91");
        assert_eq!(judge(&left, 88.0, 9.0), None, "middle at 92.5");
        assert_eq!(judge(&right, 79.0, 9.0), None, "middle at 83.5");
        assert_eq!(judge(&right, 80.0, 10.0), Some(false), "middle at 85");
    }
}
