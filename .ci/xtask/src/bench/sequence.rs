//! `cargo xtask bench sequence`: what looking at changes alone saves and loses, and how well arrivals are counted, on
//! sequences whose truth is known.
//!
//! The work is done by `trapline-sim`: it renders a day and a half before one camera, once with drawn insects and,
//! where there are photographs with drawn boxes, once with real insects on real cards, and holds the real detector
//! and the real tracker against the truth. Frames go to a folder that is removed afterwards. With the usual 120 frames
//! it takes some five minutes on two cores beside the build; one seed is one draw, so judge a change by several.

use crate::build::{Cast, Profile, programs};
use crate::cli::BenchSequenceArgs;
use crate::{process, say};
use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where photographs with drawn boxes are, seen from the repository, on a workbench that has some.
const PHOTOGRAPHS: &str = "../shared/data/sticky-traps/train.json";

pub(crate) fn run(args: &BenchSequenceArgs) -> Result<()> {
    let sim = programs(Profile::Release, Cast::Simulated)?.sim;
    if let Some(folder) = &args.dir {
        return measure(&sim, folder, args.json);
    }
    let folder = Scratch::new()?;
    let photographs = args
        .from
        .clone()
        .unwrap_or_else(|| process::root().join(PHOTOGRAPHS));
    let mut kinds = vec![("rendered", None)];
    if photographs.exists() {
        kinds.push(("photographs", Some(photographs)));
    } else if !args.json {
        say::line(&format!("{PHOTOGRAPHS} is absent: rendered cards only"));
    }
    for (name, from) in kinds {
        if !args.json {
            say::step(&format!("sequence of {name}"));
        }
        let frames = folder.path.join(name);
        let mut render = Command::new(&sim);
        render.arg("sequence").arg("--out").arg(&frames);
        render.args([
            "--frames",
            &args.frames.to_string(),
            "--seed",
            &args.seed.to_string(),
        ]);
        if let Some(coco) = from {
            render.arg("--from").arg(coco);
        }
        let told = process::output(&mut render)?;
        if !args.json {
            say::line(told.trim());
        }
        measure(&sim, &frames, args.json)?;
    }
    Ok(())
}

fn measure(sim: &Path, frames: &Path, json: bool) -> Result<()> {
    let mut measure = Command::new(sim);
    measure.arg("measure").arg(frames);
    if json {
        measure.arg("--json");
    }
    process::run(&mut measure)
}

/// A folder for frames, removed at the end.
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("trapline-sequence-{}", std::process::id()));
        std::fs::create_dir_all(&path)
            .with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self { path })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays behind in a temporary folder harms nobody.
        drop(std::fs::remove_dir_all(&self.path));
    }
}
