//! `cargo xtask bench detect`: the detector's network beside other people's engines, and its instructions on a Pi.
//!
//! ```text
//! bake      the shipped model in each engine's own file, at each size of tile; the tiles
//! workers   each engine as a program of its own, all loaded at once, taking turns tile by tile
//! emulate   our kernels and the library's on emulated Pis: instructions per tile, and whether the bytes are the same
//! table     what is printed
//! ```
//!
//! Turns are what makes the figures comparable: whatever else the machine does hits every engine alike, and the
//! ratio of two medians of the same minute says more than either. An engine that cannot be had is a row that says why.

mod bake;
mod emulate;
mod table;
mod workers;

use crate::cli::BenchDetectArgs;
use crate::{build, say};
use anyhow::Result;
use bake::Baked;
use std::path::{Path, PathBuf};
use workers::Worker;

/// One engine at one size of tile.
#[derive(serde::Serialize)]
struct Row {
    engine: String,
    tile_px: u32,
    /// Median over all measured tiles, in milliseconds.
    tile_ms: Option<f64>,
    /// Against onnxruntime's int8 of the same size; less is faster.
    ratio: Option<f64>,
    /// Resident at the worst moment, above what was resident before the model was read.
    peak_mib: Option<f64>,
    /// The largest distance of any answer from that of our fastest kernels, in the answers' own units.
    largest_difference: Option<f32>,
    note: String,
}

#[derive(serde::Serialize)]
struct Report {
    model: String,
    rows: Vec<Row>,
    emulated: Vec<emulate::Row>,
}

/// How often every engine runs every tile.
struct Rounds {
    tiles: usize,
    warm: usize,
    measured: usize,
}

pub(crate) fn run(args: &BenchDetectArgs) -> Result<()> {
    if args.json {
        say::only_results();
    }
    let rounds = Rounds {
        tiles: 4,
        warm: 2,
        measured: if args.quick { 3 } else { 12 },
    };
    let model = match &args.model {
        Some(path) => bake::Model::at(path)?,
        None => bake::Model::shipped()?,
    };
    let folder = build::target_folder()?.join("bench-detect");
    std::fs::create_dir_all(&folder)?;
    say::step("building our kernels and the inference library");
    let engines = engines_program(
        build::cargo(&["build", "--release"]),
        &build::target_folder()?,
    )?;
    let baked = bake::bake(&model, &folder, rounds.tiles)?;
    let mut rows = Vec::new();
    for tile_px in baked.sizes() {
        say::step(&format!("tiles of {tile_px} x {tile_px} pixels"));
        rows.extend(measure(&engines, &baked, tile_px, &rounds)?);
    }
    let emulated = if args.quick {
        Vec::new()
    } else {
        say::step("emulated Pis");
        emulate::run(&engines, &baked, &folder)?
    };
    let report = Report {
        model: model.name(),
        rows,
        emulated,
    };
    if args.json {
        say::line(&serde_json::to_string_pretty(&report)?);
    } else {
        table::print(&report);
    }
    Ok(())
}

/// Builds agent/detect/benches/engines.rs with `command`, which names compiler and profile.
fn engines_program(command: std::process::Command, target_folder: &Path) -> Result<PathBuf> {
    build::bench_program(command, ("trapline-detect", "engines"), target_folder)
}

/// All engines in turns; ours first.
fn measure(engines: &Path, baked: &Baked, tile_px: u32, rounds: &Rounds) -> Result<Vec<Row>> {
    let mut workers = workers::start_all(engines, baked, tile_px)?;
    for round in 0..rounds.warm + rounds.measured {
        for worker in &mut workers {
            worker.round(round >= rounds.warm);
        }
        say::progress(&format!(
            "round {} of {}",
            round + 1,
            rounds.warm + rounds.measured
        ));
    }
    say::progress_done();
    let answers: Vec<Option<Vec<f32>>> = workers
        .iter_mut()
        .map(|worker| worker.answers(&baked.folder))
        .collect();
    let ours = answers.iter().flatten().next();
    let yardstick = workers
        .iter()
        .find(|worker| worker.name == "onnxruntime int8")
        .and_then(Worker::median_ms);
    let rows = workers.iter_mut().zip(&answers).map(|(worker, answers)| {
        let tile_ms = worker.median_ms();
        Row {
            engine: worker.name.clone(),
            tile_px,
            tile_ms,
            ratio: tile_ms.zip(yardstick).map(|(ms, yardstick)| ms / yardstick),
            peak_mib: worker.peak_mib(),
            largest_difference: answers.as_ref().zip(ours).map(largest_difference),
            note: worker.note.clone(),
        }
    });
    Ok(rows.collect())
}

/// Infinite where one engine gives other numbers of answers.
fn largest_difference((some, other): (&Vec<f32>, &Vec<f32>)) -> f32 {
    if some.len() != other.len() {
        return f32::INFINITY;
    }
    let distances = some.iter().zip(other).map(|(a, b)| (a - b).abs());
    distances.fold(0.0, f32::max)
}
