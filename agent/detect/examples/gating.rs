//! What gating saves and what it costs: `gating FOLDER [MANIFEST.toml]` looks at every frame of a sequence twice, once
//! wholly and once with a memory, and holds both against the true insects.
//!
//! The folder holds the frames and a `sequence.json` that lists them with the boxes of their insects. Prints a line per
//! frame, then the share of the work and the loss of recall in points.

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

fn measure(folder: &Path, detector: &Detector) -> Result<(), Error> {
    let mut out = std::io::stdout();
    let text = std::fs::read_to_string(folder.join("sequence.json"))?;
    let sequence: Sequence = serde_json::from_str(&text)?;
    let score = detector.model().thresholds.score;
    let mut memory: Option<Memory> = None;
    let (mut work, mut there, mut found_whole, mut found_gated) = (0.0, 0, 0, 0);
    let (mut boxes_whole, mut boxes_gated) = (0, 0);
    for frame in &sequence.frames {
        let picture = jpeg::decode(
            &std::fs::read(folder.join(&frame.file))?,
            &Limits::default(),
        )?;
        let whole = shown(detector.detect(&picture)?, score);
        let settings = LookSettings::default();
        let (look, remembered) =
            detector.look(&picture, memory.take(), &settings, &mut |_| true)?;
        memory = Some(remembered);
        work += look.work_share;
        let (tiles, because, card) = (look.tiles_run, look.whole, look.card);
        let shift = look.shift_px;
        let gated = shown(look.detections, score);
        there += frame.boxes.len();
        found_whole += found(&frame.boxes, &whole);
        found_gated += found(&frame.boxes, &gated);
        boxes_whole += whole.len();
        boxes_gated += gated.len();
        writeln!(
            out,
            "{}: {tiles} squares, {:.3} of the work, {because:?}, {card:?}, {shift:?}, boxes {} whole, {} gated",
            frame.file,
            look.work_share,
            whole.len(),
            gated.len()
        )?;
    }
    let share = |part: usize| 100.0 * part as f64 / there.max(1) as f64;
    writeln!(
        out,
        "{} frames: {:.3} of the work; recall {:.2} % whole, {:.2} % gated, loss {:.2} points; boxes {boxes_whole} whole, {boxes_gated} gated",
        sequence.frames.len(),
        work / sequence.frames.len().max(1) as f32,
        share(found_whole),
        share(found_gated),
        share(found_whole) - share(found_gated)
    )?;
    Ok(())
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
