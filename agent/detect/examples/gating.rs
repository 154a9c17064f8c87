//! What gating saves and what it costs: `gating FOLDER [MANIFEST.toml]` looks at every frame of a sequence twice, once
//! wholly and once with a memory, and holds both against the true insects.
//!
//! The folder holds the frames and a `sequence.json` that lists them with the boxes of their insects, as
//! `trapline-sim sequence` writes them. Prints a line per frame, then the share of the work by what made it, and the
//! loss of recall in points.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use serde::Deserialize;
use trapline_detect::{Detection, Detector, Limits, LookSettings, Memory, jpeg};

type Error = Box<dyn std::error::Error>;

#[derive(Deserialize)]
struct Sequence {
    frames: Vec<Frame>,
}

#[derive(Deserialize)]
struct Frame {
    file: String,
    boxes: Vec<TrueBox>,
}

#[derive(Deserialize)]
struct TrueBox {
    x_px: f32,
    y_px: f32,
    width_px: f32,
    height_px: f32,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.as_slice() {
        [folder] => Detector::embedded()
            .map_err(Error::from)
            .and_then(|detector| measure(Path::new(folder), &detector)),
        [folder, manifest] => Detector::load(Path::new(manifest))
            .map_err(Error::from)
            .and_then(|detector| measure(Path::new(folder), &detector)),
        _ => Err("usage: gating FOLDER [MANIFEST.toml]".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            writeln!(std::io::stderr(), "error: {error}").ok();
            ExitCode::FAILURE
        }
    }
}

/// Sums over the frames.
#[derive(Default)]
struct Sums {
    there: usize,
    found_whole: usize,
    found_gated: usize,
    boxes_whole: usize,
    boxes_gated: usize,
    /// Looks and work, by what made them.
    work: BTreeMap<String, (usize, f32)>,
    took_ms: f64,
}

fn measure(folder: &Path, detector: &Detector) -> Result<(), Error> {
    let mut out = std::io::stdout();
    let text = std::fs::read_to_string(folder.join("sequence.json"))?;
    let sequence: Sequence = serde_json::from_str(&text)?;
    let score = detector.model().thresholds.score;
    let mut memory: Option<Memory> = None;
    let mut sums = Sums::default();
    for frame in &sequence.frames {
        let picture = jpeg::decode(
            &std::fs::read(folder.join(&frame.file))?,
            &Limits::default(),
        )?;
        let whole = shown(detector.detect(&picture)?, score);
        let settings = LookSettings::default();
        let started = now();
        let (look, remembered) =
            detector.look(&picture, memory.take(), &settings, &mut |_| true)?;
        sums.took_ms += started.elapsed().as_secs_f64() * 1e3;
        memory = Some(remembered);
        let because = look
            .whole
            .map_or_else(|| "windows".to_owned(), |because| format!("{because:?}"));
        let of_reason = sums.work.entry(because.clone()).or_default();
        *of_reason = (of_reason.0 + 1, of_reason.1 + look.work_share);
        let (tiles, card, shift) = (look.tiles_run, look.card, look.shift_px);
        let gated = shown(look.detections, score);
        let (found_whole, found_gated) = (found(&frame.boxes, &whole), found(&frame.boxes, &gated));
        sums.there += frame.boxes.len();
        sums.found_whole += found_whole;
        sums.found_gated += found_gated;
        sums.boxes_whole += whole.len();
        sums.boxes_gated += gated.len();
        writeln!(
            out,
            "{}: {tiles} squares, {:.3} of the work, {because}, {card:?}, {shift:?}, of {} found {found_whole} whole, {found_gated} gated, boxes {} whole, {} gated",
            frame.file,
            look.work_share,
            frame.boxes.len(),
            whole.len(),
            gated.len()
        )?;
    }
    sums.tell(sequence.frames.len())
}

impl Sums {
    fn tell(&self, frames: usize) -> Result<(), Error> {
        let mut out = std::io::stdout();
        let per_frame = 1.0 / frames.max(1) as f32;
        let work: f32 = self.work.values().map(|(_, work)| work).sum();
        let share = |part: usize| 100.0 * part as f64 / self.there.max(1) as f64;
        writeln!(
            out,
            "{frames} frames, {:.1} ms each: {:.4} of the work",
            self.took_ms / frames.max(1) as f64,
            work * per_frame
        )?;
        for (because, (looks, work)) in &self.work {
            writeln!(out, "  {because}: {looks} looks, {:.4}", work * per_frame)?;
        }
        writeln!(
            out,
            "recall {:.2} % whole, {:.2} % gated, loss {:.2} points; boxes {} whole, {} gated",
            share(self.found_whole),
            share(self.found_gated),
            share(self.found_whole) - share(self.found_gated),
            self.boxes_whole,
            self.boxes_gated
        )?;
        Ok(())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the cost of real work is what is measured"
)]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

fn shown(mut detections: Vec<Detection>, score: f32) -> Vec<Detection> {
    detections.retain(|detection| detection.score >= score);
    detections
}

/// True insects with a detection over them, one each.
fn found(there: &[TrueBox], detections: &[Detection]) -> usize {
    let mut left: Vec<&Detection> = detections.iter().collect();
    let is_found = |insect: &&TrueBox| {
        let drawn = Detection {
            x_px: insect.x_px,
            y_px: insect.y_px,
            width_px: insect.width_px,
            height_px: insect.height_px,
            score: 1.0,
            class: 0,
        };
        let place = left
            .iter()
            .position(|detection| detection.iou(&drawn) >= 0.5);
        place.map(|place| left.swap_remove(place)).is_some()
    };
    there.iter().filter(is_found).count()
}
