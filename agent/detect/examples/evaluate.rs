//! Holds a detector against boxes that people drew: `evaluate COCO.json [--rule iou33|iou50] [--model MANIFEST.toml]
//! [--boxes BOXES.json] [--json]`.
//!
//! Prints average precision, the best threshold, and precision and recall at the manifest's threshold, by insect
//! size; every photograph goes through the same tiles as on a trap. Without a manifest the built-in model is used.
//! `--boxes` writes what was found, per photograph.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use serde_json::json;
use trapline_detect::evaluate::{AREAS_PX2, Figures, Rule, Tally, read_coco};
use trapline_detect::{Detector, Limits, jpeg};

type Error = Box<dyn std::error::Error>;

/// The precision at which Sticky Pi's detector is quoted.
const PEER_PRECISION: f64 = 0.91;

#[derive(Default)]
struct Options {
    coco: String,
    model: String,
    boxes: String,
    rule: Rule,
    json: bool,
}

fn main() -> ExitCode {
    let outcome = options().and_then(|options| evaluate(&options));
    let is_told = match &outcome {
        Ok(text) => std::io::stdout().write_all(text.as_bytes()),
        Err(error) => writeln!(std::io::stderr(), "error: {error}"),
    };
    if outcome.is_ok() && is_told.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn options() -> Result<Options, Error> {
    let mut options = Options::default();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--model" => options.model = value()?,
            "--boxes" => options.boxes = value()?,
            "--json" => options.json = true,
            "--rule" => {
                options.rule = match value()?.as_str() {
                    "iou33" => Rule::Iou33,
                    "iou50" => Rule::Iou50,
                    other => {
                        return Err(format!("--rule is iou33 or iou50, not `{other}`").into());
                    }
                }
            }
            _ if options.coco.is_empty() && !word.starts_with('-') => options.coco = word,
            _ => return Err(format!("`{word}` is not understood").into()),
        }
    }
    if options.coco.is_empty() {
        return Err("name a COCO file: evaluate COCO.json".into());
    }
    Ok(options)
}

fn evaluate(options: &Options) -> Result<String, Error> {
    let detector = match options.model.as_str() {
        "" => Detector::embedded()?,
        path => Detector::load(Path::new(path))?,
    };
    let read = |path: &Path| {
        std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
    };
    let coco = Path::new(&options.coco);
    let folder = coco.parent().unwrap_or(Path::new(""));
    let photographs = read_coco(&String::from_utf8(read(coco)?)?)
        .map_err(|error| format!("{} is no COCO file: {error}", coco.display()))?;
    let mut tally = Tally::by(options.rule);
    let mut listed = serde_json::Map::new();
    for (place, photograph) in photographs.iter().enumerate() {
        let path = folder.join(&photograph.file_name);
        let picture = jpeg::decode(&read(&path)?, &Limits::default())
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let found = detector.detect(&picture)?;
        tally.add(&photograph.drawn, &found);
        let rows: Vec<_> = found
            .iter()
            .map(|f| [f.x_px, f.y_px, f.width_px, f.height_px, f.score])
            .collect();
        listed.insert(photograph.file_name.clone(), serde_json::to_value(rows)?);
        write!(
            std::io::stderr(),
            "\r{} of {}",
            place + 1,
            photographs.len()
        )?;
    }
    writeln!(std::io::stderr())?;
    if !options.boxes.is_empty() {
        serde_json::to_writer(std::fs::File::create(&options.boxes)?, &listed)?;
    }
    let manifest = detector.model();
    let score = manifest.thresholds.score;
    if options.json {
        return Ok(format!(
            "{}\n",
            summary(&tally, options, &manifest.id, score)
        ));
    }
    Ok(table(&tally, options, &manifest.id, score))
}

fn summary(tally: &Tally, options: &Options, model: &str, score: f32) -> serde_json::Value {
    let row = |figures: Figures| {
        json!({"drawn": figures.drawn, "found": figures.found, "wrong": figures.wrong,
            "precision": figures.precision(), "recall": figures.recall(), "f1": figures.f1()})
    };
    let with_score = |point: Option<(f32, Figures)>| {
        point.map(|(score, figures)| json!({"score": score, "figures": row(figures)}))
    };
    json!({
        "model": model,
        "rule": options.rule,
        "average_precision": tally.average_precision(),
        "best_f1": with_score(tally.best()),
        "shown": with_score(Some((score, tally.at(score)))),
        "most_at_precision_0_91": with_score(tally.most_at_precision(PEER_PRECISION)),
        "areas_px2": AREAS_PX2,
        "shown_by_area": tally.at_by_area(score).map(row),
    })
}

fn table(tally: &Tally, options: &Options, model: &str, score: f32) -> String {
    let row = |name: &str, figures: Figures| {
        format!(
            "{name:<26} drawn {:>5}  found {:>5}  wrong {:>5}  precision {:.3}  recall {:.3}  F1 {:.3}\n",
            figures.drawn,
            figures.found,
            figures.wrong,
            figures.precision(),
            figures.recall(),
            figures.f1()
        )
    };
    let (rule, name) = match options.rule {
        Rule::Iou33 => ("a box is right from IoU 0.33 on", "AP33"),
        Rule::Iou50 => ("a box is right from IoU 0.5 on", "AP50"),
    };
    let mut text = format!(
        "model {model}; {rule}\n{name} {:.3}\n",
        tally.average_precision()
    );
    if let Some((score, figures)) = tally.best() {
        text += &row(&format!("best F1, score {score:.3}"), figures);
    }
    match tally.most_at_precision(PEER_PRECISION) {
        Some((score, figures)) => {
            text += &row(&format!("precision 0.91, score {score:.3}"), figures);
        }
        None => text += "precision 0.91: not reached at any score\n",
    }
    text += &row(&format!("shown, score {score:.3}"), tally.at(score));
    let [a, b, c, d] = AREAS_PX2;
    let names = [
        format!("  below {a} px²"),
        format!("  {a} to {b} px²"),
        format!("  {b} to {c} px²"),
        format!("  {c} to {d} px²"),
        format!("  from {d} px²"),
    ];
    for (name, figures) in names.iter().zip(tally.at_by_area(score)) {
        text += &row(name, figures);
    }
    text
}
