//! `cargo xtask train` and `cargo xtask eval`: how the shipped model was made, and how good it is on drawn boxes.

use crate::{build, process, say, setup};
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the photographs of the shipped model lie, beside the repository.
const DATA: &str = "../shared/data/sticky-traps";

#[derive(clap::Args)]
pub(crate) struct EvalArgs {
    /// Photographs with drawn boxes, in the COCO manner.
    #[arg(value_name = "DATASET.json")]
    dataset: PathBuf,
    /// From which overlap on a box is right: iou50 is the rule of AP50, iou33 that of Sticky Pi's counts.
    #[arg(long, value_parser = ["iou33", "iou50"], default_value = "iou50")]
    rule: String,
    /// Another model than the one built in.
    #[arg(long, value_name = "MANIFEST.toml")]
    model: Option<PathBuf>,
    /// Write what was found, per photograph.
    #[arg(long, value_name = "FILE.json")]
    boxes: Option<PathBuf>,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub(crate) struct TrainArgs {
    /// A COCO file, or a folder with images/ and labels/ in the manner of YOLO; may be given more than once.
    #[arg(long, value_name = "DATASET")]
    data: Vec<PathBuf>,
    /// Photographs that are held back; the figures at the end come from them.
    #[arg(long, value_name = "DATASET.json")]
    val: Option<PathBuf>,
    /// How many times 16 crops are learned from.
    #[arg(long, default_value_t = 9000)]
    steps: u32,
    /// Where chance comes from.
    #[arg(long, default_value_t = 7)]
    seed: u32,
    /// Score from which a box is shown and counted.
    #[arg(long, default_value_t = 0.4)]
    threshold: f32,
    /// The new model's name.
    #[arg(long, default_value = "insect-new")]
    id: String,
    /// Where the model and its manifest go.
    #[arg(long, value_name = "DIR", default_value = "target/models")]
    out: PathBuf,
}

pub(crate) fn eval(args: &EvalArgs) -> Result<()> {
    if !args.dataset.exists() {
        bail!(
            "{} is not there; name a COCO file beside its photographs",
            args.dataset.display()
        );
    }
    let mut command = build::cargo(&[
        "run",
        "--release",
        "--quiet",
        "-p",
        "trapline-detect",
        "--example",
        "evaluate",
        "--",
    ]);
    command.arg(std::path::absolute(&args.dataset)?);
    command.args(["--rule", &args.rule]);
    for (word, path) in [("--model", &args.model), ("--boxes", &args.boxes)] {
        if let Some(path) = path {
            command.arg(word).arg(std::path::absolute(path)?);
        }
    }
    if args.json {
        command.arg("--json");
    }
    process::run(&mut command)
}

pub(crate) fn train(args: &TrainArgs) -> Result<()> {
    let mut data = args.data.clone();
    if data.is_empty() {
        data.push(process::root().join(DATA).join("train.json"));
    }
    if let Some(missing) = data.iter().find(|path| !path.exists()) {
        bail!(
            "no photographs at {}; name some with --data",
            missing.display()
        );
    }
    let python = environment()?;
    let scripts = process::root().join("agent/detect/train");
    let out = std::path::absolute(&args.out)?;
    std::fs::create_dir_all(&out)?;
    let weights = out.join(format!("{}.pt", args.id));
    let run = |script: &str| {
        let mut command = Command::new(&python);
        command.arg(scripts.join(script));
        for path in &data {
            command.arg("--data").arg(path);
        }
        command
    };
    say::line(&format!(
        "training for {} steps; a step takes about a third of a second of one processor core",
        args.steps
    ));
    process::run(
        run("train.py")
            .args(["--steps", &args.steps.to_string()])
            .args(["--seed", &args.seed.to_string()])
            .arg("--out")
            .arg(&weights),
    )?;
    process::run(
        run("export.py")
            .arg("--weights")
            .arg(&weights)
            .args(["--id", &args.id])
            .args(["--threshold", &args.threshold.to_string()])
            .arg("--out")
            .arg(&out),
    )?;
    let val = args.val.clone();
    let val = val.unwrap_or_else(|| process::root().join(DATA).join("val.json"));
    if !val.exists() {
        say::line("no photographs held back (--val), so no figures");
        return Ok(());
    }
    for name in [args.id.clone(), format!("{}-float", args.id)] {
        eval(&EvalArgs {
            dataset: val.clone(),
            rule: "iou50".to_owned(),
            model: Some(out.join(format!("{name}.toml"))),
            boxes: None,
            json: false,
        })?;
    }
    Ok(())
}

/// A Python of its own under the target folder, with exactly the packages of the training.
fn environment() -> Result<PathBuf> {
    setup::need_python_venv()?;
    let folder = build::target_folder()?.join("train-env");
    let python = folder.join("bin/python");
    let listed = process::root().join("agent/detect/train/requirements.txt");
    if !python.exists() {
        process::run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    }
    say::line("installing the packages of the training (torch brings 3 GB along the first time)");
    pip(&python, &listed)?;
    Ok(python)
}

fn pip(python: &Path, listed: &Path) -> Result<()> {
    process::run(
        Command::new(python)
            .args(["-m", "pip", "install", "--quiet", "-r"])
            .arg(listed),
    )
}
