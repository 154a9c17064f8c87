//! Holds a detector against boxes that people drew: `evaluate COCO.json [MANIFEST.toml]`.
//!
//! Prints average precision, the best threshold, and precision and recall at the manifest's threshold, by insect
//! length; every photograph goes through the same tiles as on a trap. Without a manifest the built-in model is used.
//! With `BOXES.json` as a third argument the boxes are written there, per photograph.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use trapline_detect::evaluate::{Figures, LENGTHS_PX, Tally, read_coco};
use trapline_detect::{Detector, Limits, jpeg};

type Error = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        [coco] => evaluate(coco, "", ""),
        [coco, manifest] => evaluate(coco, manifest, ""),
        [coco, manifest, boxes] => evaluate(coco, manifest, boxes),
        _ => Err("usage: evaluate COCO.json [MANIFEST.toml [BOXES.json]]".into()),
    };
    let report = match &outcome {
        Ok(text) => text.clone(),
        Err(error) => format!("error: {error}\n"),
    };
    let is_told = std::io::stdout().write_all(report.as_bytes()).is_ok();
    if outcome.is_ok() && is_told {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn evaluate(coco: &str, manifest: &str, boxes: &str) -> Result<String, Error> {
    let detector = match manifest {
        "" => Detector::embedded()?,
        path => Detector::load(Path::new(path))?,
    };
    let folder = Path::new(coco).parent().unwrap_or(Path::new(""));
    let mut tally = Tally::default();
    let mut listed = serde_json::Map::new();
    for photograph in read_coco(&std::fs::read_to_string(coco)?)? {
        let picture = jpeg::decode(
            &std::fs::read(folder.join(&photograph.file_name))?,
            &Limits::default(),
        )?;
        let found = detector.detect(&picture)?;
        tally.add(&photograph.drawn, &found);
        let rows: Vec<_> = found
            .iter()
            .map(|f| [f.x_px, f.y_px, f.width_px, f.height_px, f.score])
            .collect();
        listed.insert(photograph.file_name, serde_json::to_value(rows)?);
    }
    if !boxes.is_empty() {
        serde_json::to_writer(std::fs::File::create(boxes)?, &listed)?;
    }
    Ok(report(&tally, detector.model().thresholds.score))
}

fn report(tally: &Tally, score: f32) -> String {
    let row = |name: &str, figures: Figures| {
        format!(
            "{name:<22} drawn {:>5}  found {:>5}  wrong {:>5}  precision {:.3}  recall {:.3}  F1 {:.3}\n",
            figures.drawn,
            figures.found,
            figures.wrong,
            figures.precision(),
            figures.recall(),
            figures.f1()
        )
    };
    let mut text = format!("AP50 {:.3}\n", tally.ap50());
    if let Some((score, figures)) = tally.best() {
        text += &row(&format!("best F1, score {score:.3}"), figures);
    }
    text += &row(&format!("shown, score {score:.3}"), tally.at(score));
    let [small, large] = LENGTHS_PX;
    let names = [
        format!("  below {small} px"),
        format!("  {small} to {large} px"),
        format!("  from {large} px"),
    ];
    for (name, figures) in names.iter().zip(tally.at_by_length(score)) {
        text += &row(name, figures);
    }
    text
}
