//! How good the boxes are: detections held against boxes that people drew.
//!
//! A detection is right when it overlaps a drawn box by enough of an intersection over union ([`Rule`]) and no
//! stronger detection has taken that box.

mod coco;

use serde::Serialize;

use crate::boxes::Detection;
pub use coco::{Photograph, read_coco};

/// Areas of drawn boxes, in square pixels, between which size classes are told apart; the ones that Sticky Pi's
/// authors report recall for.
pub const AREAS_PX2: [f32; 4] = [500.0, 1000.0, 2000.0, 5000.0];

/// From which overlap on a detection counts as the drawn insect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    /// One third: the insect was counted, its outline may be loose. Sticky Pi's rule.
    Iou33,
    /// One half: the COCO rule behind "AP50".
    #[default]
    Iou50,
}

impl Rule {
    fn iou_min(self) -> f32 {
        match self {
            Self::Iou33 => 0.33,
            Self::Iou50 => 0.5,
        }
    }
}

/// What has been seen so far; add photographs, then ask.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    rule: Rule,
    judged: Vec<Judged>,
    drawn_area_px2: Vec<f32>,
}

#[derive(Debug, Clone, Copy)]
struct Judged {
    score: f32,
    /// Area of the drawn box that was found, or of the wrong detection.
    area_px2: f32,
    is_right: bool,
}

/// Right and wrong at one score threshold, over all insects or those of one size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figures {
    /// Drawn boxes.
    pub drawn: usize,
    /// Drawn boxes that were found.
    pub found: usize,
    /// Detections without a drawn box.
    pub wrong: usize,
}

impl Figures {
    /// Share of the detections that are right; 0 if there are none.
    #[must_use]
    pub fn precision(&self) -> f64 {
        share(self.found, self.found + self.wrong)
    }

    /// Share of the drawn boxes that were found; 0 if there are none.
    #[must_use]
    pub fn recall(&self) -> f64 {
        share(self.found, self.drawn)
    }

    /// Harmonic mean of both.
    #[must_use]
    pub fn f1(&self) -> f64 {
        share(
            2 * self.found,
            2 * self.found + self.wrong + (self.drawn - self.found),
        )
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

impl Tally {
    /// An empty tally that judges by `rule`.
    #[must_use]
    pub fn by(rule: Rule) -> Self {
        Self {
            rule,
            ..Self::default()
        }
    }

    /// Adds one photograph: what people drew, what the detector found (in any order).
    pub fn add(&mut self, drawn: &[Detection], found: &[Detection]) {
        let mut free: Vec<&Detection> = drawn.iter().collect();
        let mut found: Vec<&Detection> = found.iter().collect();
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        for detection in found {
            let best = free
                .iter()
                .enumerate()
                .map(|(place, drawn)| (place, drawn.iou(detection)))
                .max_by(|(_, a), (_, b)| a.total_cmp(b))
                .filter(|&(_, iou)| iou >= self.rule.iou_min());
            let area_px2 = match best {
                Some((place, _)) => area_px2(free.swap_remove(place)),
                None => area_px2(detection),
            };
            self.judged.push(Judged {
                score: detection.score,
                area_px2,
                is_right: best.is_some(),
            });
        }
        self.drawn_area_px2.extend(drawn.iter().map(area_px2));
    }

    /// Average precision, from 0 to 1: the precision at 101 evenly spread recalls, as COCO does it.
    #[must_use]
    pub fn average_precision(&self) -> f64 {
        let curve = self.curve();
        // The precision at a recall is the best one at that or any higher recall, so walk from the far end.
        let mut points = curve.iter().rev().peekable();
        let (mut best, mut sum) = (0.0_f64, 0.0);
        for recall in (0..=100).rev().map(|percent| f64::from(percent) / 100.0) {
            while let Some((_, figures)) = points.next_if(|(_, figures)| figures.recall() >= recall)
            {
                best = best.max(figures.precision());
            }
            sum += best;
        }
        sum / 101.0
    }

    /// The score threshold with the highest F1, and the figures there; `None` without detections.
    #[must_use]
    pub fn best(&self) -> Option<(f32, Figures)> {
        self.curve()
            .into_iter()
            .max_by(|(_, a), (_, b)| a.f1().total_cmp(&b.f1()))
    }

    /// The figures of all detections that score at least `score`.
    #[must_use]
    pub fn at(&self, score: f32) -> Figures {
        self.between(score, 0.0, f32::INFINITY)
    }

    /// The most that is found while at least the share `precision` of the detections is right, and the score
    /// threshold for it; `None` if no threshold gives that precision.
    #[must_use]
    pub fn most_at_precision(&self, precision: f64) -> Option<(f32, Figures)> {
        self.curve()
            .into_iter()
            .filter(|(_, figures)| figures.precision() >= precision)
            .max_by_key(|(_, figures)| figures.found)
    }

    /// As [`Tally::at`], for the size classes that [`AREAS_PX2`] tells apart, smallest first.
    #[must_use]
    pub fn at_by_area(&self, score: f32) -> [Figures; 5] {
        let [a, b, c, d] = AREAS_PX2;
        [(0.0, a), (a, b), (b, c), (c, d), (d, f32::INFINITY)]
            .map(|(from_px2, to_px2)| self.between(score, from_px2, to_px2))
    }

    fn between(&self, score: f32, from_px2: f32, to_px2: f32) -> Figures {
        let is_in = |area_px2: f32| (from_px2..to_px2).contains(&area_px2);
        let judged = self
            .judged
            .iter()
            .filter(|judged| judged.score >= score && is_in(judged.area_px2));
        let (found, wrong): (Vec<&Judged>, Vec<&Judged>) =
            judged.partition(|judged| judged.is_right);
        let drawn = self
            .drawn_area_px2
            .iter()
            .filter(|&&area_px2| is_in(area_px2))
            .count();
        Figures {
            drawn,
            found: found.len(),
            wrong: wrong.len(),
        }
    }

    /// The figures at every score that occurs, highest first.
    fn curve(&self) -> Vec<(f32, Figures)> {
        let mut judged = self.judged.clone();
        judged.sort_by(|a, b| b.score.total_cmp(&a.score));
        let mut figures = Figures {
            drawn: self.drawn_area_px2.len(),
            found: 0,
            wrong: 0,
        };
        judged
            .into_iter()
            .map(|judged| {
                if judged.is_right {
                    figures.found += 1;
                } else {
                    figures.wrong += 1;
                }
                (judged.score, figures)
            })
            .collect()
    }
}

fn area_px2(found: &Detection) -> f32 {
    found.width_px * found.height_px
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x_px: f32, length_px: f32, score: f32) -> Detection {
        Detection {
            x_px,
            y_px: 0.0,
            width_px: length_px,
            height_px: length_px,
            score,
            class: 0,
        }
    }

    fn wide(x_px: f32, width_px: f32, score: f32) -> Detection {
        Detection {
            width_px,
            ..at(x_px, 20.0, score)
        }
    }

    fn tally(drawn: &[Detection], found: &[Detection]) -> Tally {
        let mut tally = Tally::default();
        tally.add(drawn, found);
        tally
    }

    #[test]
    fn perfect_boxes_score_one_and_none_score_zero() {
        let drawn = [at(0.0, 20.0, 1.0), at(100.0, 30.0, 1.0)];
        let found = [at(0.0, 20.0, 0.9), at(101.0, 30.0, 0.3)];
        let perfect = tally(&drawn, &found);
        assert!(
            (perfect.average_precision() - 1.0).abs() < 1e-9,
            "{}",
            perfect.average_precision()
        );
        assert_eq!(perfect.best().map(|(score, _)| score), Some(0.3));
        assert_eq!(
            perfect.at(0.5),
            Figures {
                drawn: 2,
                found: 1,
                wrong: 0
            }
        );
        let nothing = tally(&drawn, &[]);
        assert!(nothing.average_precision().abs() < 1e-9);
        assert_eq!(nothing.best(), None);
        assert!(nothing.at(0.0).f1().abs() < 1e-9);
    }

    #[test]
    fn a_second_box_on_the_same_insect_is_wrong() {
        let double = tally(
            &[at(0.0, 20.0, 1.0)],
            &[at(1.0, 20.0, 0.5), at(0.0, 20.0, 0.8)],
        );
        assert_eq!(
            double.at(0.0),
            Figures {
                drawn: 1,
                found: 1,
                wrong: 1
            }
        );
        // The double comes after the insect is found, so it costs precision but no AP.
        assert!((double.average_precision() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_strong_wrong_box_halves_the_precision_of_all_after_it() {
        let wrong_first = tally(
            &[at(0.0, 20.0, 1.0)],
            &[at(500.0, 20.0, 0.9), at(0.0, 20.0, 0.8)],
        );
        assert!(
            (wrong_first.average_precision() - 0.5).abs() < 1e-9,
            "{}",
            wrong_first.average_precision()
        );
    }

    #[test]
    fn sizes_are_told_apart() {
        let drawn = [
            at(0.0, 20.0, 1.0),
            at(100.0, 30.0, 1.0),
            at(200.0, 80.0, 1.0),
        ];
        let found = [
            at(0.0, 20.0, 0.9),
            at(200.0, 80.0, 0.9),
            at(400.0, 30.0, 0.9),
        ];
        let sizes = tally(&drawn, &found)
            .at_by_area(0.5)
            .map(|figures| (figures.drawn, figures.found, figures.wrong));
        assert_eq!(
            sizes,
            [(1, 1, 0), (1, 0, 1), (0, 0, 0), (0, 0, 0), (1, 1, 0)]
        );
    }

    #[test]
    fn the_looser_rule_counts_an_insect_whose_box_is_loose() {
        // Overlap 400 of 1000 square pixels: an intersection over union of 0.4.
        let (drawn, found) = ([at(0.0, 20.0, 1.0)], [wide(0.0, 50.0, 0.9)]);
        for (rule, found_then) in [(Rule::Iou33, 1), (Rule::Iou50, 0)] {
            let mut tally = Tally::by(rule);
            tally.add(&drawn, &found);
            assert_eq!(tally.at(0.5).found, found_then, "{rule:?}");
        }
    }

    #[test]
    fn the_most_at_a_precision_stops_before_the_wrong_ones() {
        let drawn = [at(0.0, 20.0, 1.0), at(100.0, 20.0, 1.0)];
        let found = [
            at(0.0, 20.0, 0.9),
            at(300.0, 20.0, 0.8),
            at(100.0, 20.0, 0.7),
        ];
        let tally = tally(&drawn, &found);
        let (score, figures) = tally.most_at_precision(0.9).unwrap();
        assert_eq!((figures.found, figures.wrong), (1, 0));
        assert!((score - 0.9).abs() < 1e-6);
        assert_eq!(tally.most_at_precision(0.6).unwrap().1.found, 2);
    }
}
