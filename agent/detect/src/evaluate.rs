//! How good the boxes are: detections held against boxes that people drew.
//!
//! A detection is right when it overlaps a drawn box by an intersection over union of at least one half and no
//! stronger detection has taken that box; this is the COCO rule behind "AP50".

use serde::Deserialize;

use crate::boxes::Detection;

/// Overlap from which on a detection counts as the drawn insect.
const IOU_MIN: f32 = 0.5;
/// Insect lengths (longer side) that are told apart: below the first, between, from the second on.
pub const LENGTHS_PX: [f32; 2] = [25.0, 50.0];

/// One photograph with the boxes people drew on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Photograph {
    /// As the annotation file names it, relative to that file's folder.
    pub file_name: String,
    /// The drawn boxes; their score is 1.
    pub drawn: Vec<Detection>,
}

/// Reads the photographs of a COCO annotation file's text. All categories become class 0.
///
/// # Errors
/// The JSON reader's, naming line and column.
pub fn read_coco(json: &str) -> Result<Vec<Photograph>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Coco {
        images: Vec<Image>,
        annotations: Vec<Annotation>,
    }
    #[derive(Deserialize)]
    struct Image {
        id: u64,
        file_name: String,
    }
    #[derive(Deserialize)]
    struct Annotation {
        image_id: u64,
        bbox: [f32; 4],
    }
    let coco: Coco = serde_json::from_str(json)?;
    let drawn_on = |id| {
        let boxes = coco
            .annotations
            .iter()
            .filter(move |annotation| annotation.image_id == id);
        boxes.map(
            |&Annotation {
                 bbox: [x_px, y_px, width_px, height_px],
                 ..
             }| Detection {
                x_px,
                y_px,
                width_px,
                height_px,
                score: 1.0,
                class: 0,
            },
        )
    };
    let photograph = |image: &Image| Photograph {
        file_name: image.file_name.clone(),
        drawn: drawn_on(image.id).collect(),
    };
    Ok(coco.images.iter().map(photograph).collect())
}

/// What has been seen so far; add photographs, then ask.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    judged: Vec<Judged>,
    drawn_length_px: Vec<f32>,
}

#[derive(Debug, Clone, Copy)]
struct Judged {
    score: f32,
    /// Length of the drawn box that was found, or of the wrong detection.
    length_px: f32,
    is_right: bool,
}

/// Right and wrong at one score threshold, over all insects or those of one length.
#[derive(Debug, Clone, Copy, PartialEq)]
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
                .filter(|&(_, iou)| iou >= IOU_MIN);
            let length_px = match best {
                Some((place, _)) => free.swap_remove(place).length_px(),
                None => detection.length_px(),
            };
            self.judged.push(Judged {
                score: detection.score,
                length_px,
                is_right: best.is_some(),
            });
        }
        self.drawn_length_px
            .extend(drawn.iter().map(Detection::length_px));
    }

    /// Average precision at IoU 0.5, from 0 to 1: the precision at 101 evenly spread recalls, as COCO does it.
    #[must_use]
    pub fn ap50(&self) -> f64 {
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

    /// As [`Tally::at`], for the three insect lengths that [`LENGTHS_PX`] tells apart.
    #[must_use]
    pub fn at_by_length(&self, score: f32) -> [Figures; 3] {
        let [small, large] = LENGTHS_PX;
        [
            self.between(score, 0.0, small),
            self.between(score, small, large),
            self.between(score, large, f32::INFINITY),
        ]
    }

    fn between(&self, score: f32, from_px: f32, to_px: f32) -> Figures {
        let is_in = |length_px: f32| (from_px..to_px).contains(&length_px);
        let judged = self
            .judged
            .iter()
            .filter(|judged| judged.score >= score && is_in(judged.length_px));
        let (found, wrong): (Vec<&Judged>, Vec<&Judged>) =
            judged.partition(|judged| judged.is_right);
        let drawn = self
            .drawn_length_px
            .iter()
            .filter(|&&length_px| is_in(length_px))
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
            drawn: self.drawn_length_px.len(),
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
        assert!((perfect.ap50() - 1.0).abs() < 1e-9, "{}", perfect.ap50());
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
        assert!(nothing.ap50().abs() < 1e-9);
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
        assert!((double.ap50() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_strong_wrong_box_halves_the_precision_of_all_after_it() {
        let wrong_first = tally(
            &[at(0.0, 20.0, 1.0)],
            &[at(500.0, 20.0, 0.9), at(0.0, 20.0, 0.8)],
        );
        assert!(
            (wrong_first.ap50() - 0.5).abs() < 1e-9,
            "{}",
            wrong_first.ap50()
        );
    }

    #[test]
    fn lengths_are_told_apart() {
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
        let [small, middle, large] = tally(&drawn, &found).at_by_length(0.5);
        assert_eq!(
            small,
            Figures {
                drawn: 1,
                found: 1,
                wrong: 0
            }
        );
        assert_eq!(
            middle,
            Figures {
                drawn: 1,
                found: 0,
                wrong: 1
            }
        );
        assert_eq!(
            large,
            Figures {
                drawn: 1,
                found: 1,
                wrong: 0
            }
        );
    }

    #[test]
    fn coco_text_becomes_photographs() {
        let text = r#"{"images": [{"id": 7, "file_name": "a.jpg", "width": 9}, {"id": 8, "file_name": "b.jpg"}],
            "annotations": [{"image_id": 7, "bbox": [1, 2, 3.5, 4], "category_id": 1}], "categories": []}"#;
        let photographs = read_coco(text).unwrap();
        assert_eq!(photographs.len(), 2);
        let drawn = Detection {
            x_px: 1.0,
            y_px: 2.0,
            width_px: 3.5,
            height_px: 4.0,
            score: 1.0,
            class: 0,
        };
        assert_eq!(
            photographs[0],
            Photograph {
                file_name: "a.jpg".to_owned(),
                drawn: vec![drawn]
            }
        );
        assert!(photographs[1].drawn.is_empty());
        assert!(read_coco("{}").is_err());
    }
}
