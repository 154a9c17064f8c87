//! The real detector and the real tracker on a sequence, held against its truth.
//!
//! Every frame is looked at twice: gated, with the memory of the frame before, as a trap does; and whole. Both
//! feed a tracker of their own. Only frames with light count for recall.

use super::{Sequence, SequenceFrame, read};
use anyhow::Context as _;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use trapline_detect::arrivals::{Frame, Settings, Sighting, appearance, is_poor, scene};
use trapline_detect::evaluate::Tally;
use trapline_detect::{Detection, Detector, Limits, Look, LookSettings, jpeg};

mod counting;
use counting::Book;
pub use counting::{Arrivals, Double, Interval};

/// Boxes that overlap a drawn one this much are that insect: the counting rule of insect traps.
const SAME_IOU: f32 = 0.33;

/// What was measured on one sequence.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// `rendered` or `photographs`.
    pub kind: String,
    /// The model's id.
    pub model: String,
    /// Frames looked at.
    pub frames: usize,
    /// Insects that were ever there.
    pub insects: usize,
    /// What the gated looks cost against whole ones.
    pub work: Work,
    /// What whole looks found.
    pub whole: Found,
    /// What gated looks found.
    pub gated: Found,
    /// Best F1 of whole looks at an overlap of one half.
    pub f1_whole: f64,
    /// Arrivals counted from whole looks.
    pub arrivals_whole: Arrivals,
    /// Arrivals counted from gated looks.
    pub arrivals_gated: Arrivals,
}

/// Cost of gated looks.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Work {
    /// Pixels given to the network, gated against whole, over all frames.
    pub share: f64,
    /// Windows the network ran on in gated looks.
    pub tiles_run: u32,
    /// Tiles of all frames.
    pub tiles: u32,
    /// Gated looks that ran everything, by reason.
    pub whole_because: BTreeMap<String, u32>,
    /// The share of every frame, in order.
    pub shares: Vec<f32>,
    /// Milliseconds of gated looks per frame, with everything but the decoding of the JPEG.
    pub took_gated_ms: f64,
    /// The same of whole looks.
    pub took_whole_ms: f64,
}

/// Boxes of at least the shown score.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Insects in all frames with light.
    pub drawn: u32,
    /// Of these found.
    pub found: u32,
    /// Boxes without an insect.
    pub wrong: u32,
}

impl Found {
    /// Share of the insects that was found, from 0 to 1.
    #[must_use]
    pub fn recall(&self) -> f64 {
        f64::from(self.found) / f64::from(self.drawn.max(1))
    }
}

/// Runs the embedded model over a folder; `tell` hears of every frame.
///
/// # Errors
/// When a file is absent or damaged, or the detector fails.
pub fn measure(
    folder: &Path,
    settings: &LookSettings,
    tell: &mut dyn FnMut(usize, usize),
) -> anyhow::Result<Report> {
    let sequence = read(folder)?;
    let detector = Detector::embedded().context("the embedded model")?;
    let score = detector.model().thresholds.score;
    let tracking = Settings {
        score,
        ..Settings::default()
    };
    let (mut gated_book, mut whole_book) = (Book::new(tracking), Book::new(tracking));
    let (mut gated, mut whole, mut work) = (Found::default(), Found::default(), Work::default());
    let mut tally = Tally::default();
    let mut memory = None;
    for (index, frame) in sequence.frames.iter().enumerate() {
        tell(index, sequence.frames.len());
        let file = folder.join(&frame.file);
        let bytes =
            std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let picture =
            jpeg::decode(&bytes, &Limits::default()).with_context(|| frame.file.clone())?;
        let started = now();
        let all = detector.detect(&picture)?;
        let between = now();
        let (look, next) = detector.look(&picture, memory.take(), settings, &mut |_| true)?;
        work.took_whole_ms += (between - started).as_secs_f64() * 1e3;
        work.took_gated_ms += between.elapsed().as_secs_f64() * 1e3;
        memory = Some(next);
        work.add(&look);
        if !frame.is_poor {
            whole.add(frame, &all, score);
            gated.add(frame, &look.detections, score);
            tally.add(&drawn(frame), &all);
        }
        let sightings = |detections: &[Detection], carried: &[bool]| -> Vec<Sighting> {
            let carried = carried.iter().copied().chain(std::iter::repeat(false));
            let sighting = |(detection, is_carried): (&Detection, bool)| Sighting {
                detection: *detection,
                appearance: appearance(&picture, detection),
                is_carried,
            };
            detections.iter().zip(carried).map(sighting).collect()
        };
        let as_seen = |sightings| Frame {
            sightings,
            shift_px: look.shift_px,
            card: look.card,
            is_poor: is_poor(&look.quality),
        };
        let scene = scene(&picture);
        let gated_frame = as_seen(sightings(&look.detections, &look.carried));
        gated_book.take(&sequence, index, &gated_frame, &scene);
        let whole_frame = as_seen(sightings(&all, &[]));
        whole_book.take(&sequence, index, &whole_frame, &scene);
    }
    let frames = sequence.frames.len();
    let per_frame = 1.0 / frames.max(1) as f64;
    work.share = work.shares.iter().copied().map(f64::from).sum::<f64>() * per_frame;
    work.took_gated_ms *= per_frame;
    work.took_whole_ms *= per_frame;
    let seen = whole_book.insects_seen();
    Ok(Report {
        kind: sequence.kind.clone(),
        model: detector.model().id.clone(),
        frames,
        insects: sequence.insects.len(),
        work,
        whole,
        gated,
        f1_whole: tally.best().map_or(0.0, |(_, figures)| figures.f1()),
        arrivals_whole: whole_book.arrivals(&sequence, &seen),
        arrivals_gated: gated_book.arrivals(&sequence, &seen),
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the cost of real work is what is measured"
)]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

impl Work {
    fn add(&mut self, look: &Look) {
        self.shares.push(look.work_share);
        self.tiles += look.tiles;
        self.tiles_run += look.tiles_run;
        if let Some(because) = look.whole {
            *self
                .whole_because
                .entry(format!("{because:?}").to_lowercase())
                .or_default() += 1;
        }
    }
}

impl Found {
    fn add(&mut self, frame: &SequenceFrame, detections: &[Detection], score: f32) {
        let shown: Vec<Detection> = detections
            .iter()
            .filter(|one| one.score >= score)
            .copied()
            .collect();
        let matched = matches(frame, &shown);
        let found = matched.iter().flatten().count();
        let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        self.drawn += count(frame.boxes.len());
        self.found += count(found);
        self.wrong += count(shown.len() - found);
    }
}

/// The insect of each detection; best scores choose first.
fn matches(frame: &SequenceFrame, detections: &[Detection]) -> Vec<Option<u32>> {
    let truth = drawn(frame);
    let mut order: Vec<(usize, &Detection)> = detections.iter().enumerate().collect();
    order.sort_by(|(_, a), (_, b)| b.score.total_cmp(&a.score));
    let mut is_taken = vec![false; truth.len()];
    let mut matched = vec![None; detections.len()];
    for (index, detection) in order {
        let free = truth
            .iter()
            .enumerate()
            .filter(|(place, _)| is_taken.get(*place) == Some(&false));
        let best = free
            .map(|(place, one)| (place, one.iou(detection)))
            .max_by(|(_, a), (_, b)| a.total_cmp(b));
        if let Some((place, _)) = best.filter(|(_, iou)| *iou >= SAME_IOU)
            && let (Some(taken), Some(entry)) = (is_taken.get_mut(place), matched.get_mut(index))
        {
            *taken = true;
            *entry = frame.boxes.get(place).map(|one| one.insect);
        }
    }
    matched
}

fn drawn(frame: &SequenceFrame) -> Vec<Detection> {
    let boxes = frame.boxes.iter().map(|one| Detection {
        x_px: one.x_px,
        y_px: one.y_px,
        width_px: one.width_px,
        height_px: one.height_px,
        score: 1.0,
        class: 0,
    });
    boxes.collect()
}

/// Minutes of a frame.
fn minute(sequence: &Sequence, frame: usize) -> u32 {
    sequence.frames.get(frame).map_or(0, |frame| frame.minute)
}
