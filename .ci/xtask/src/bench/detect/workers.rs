//! Each engine as a child process that obeys lines: `round`, `answers FILE`, `memory`.
//!
//! Ours are in agent/detect/benches/engines.rs, the others in .ci/xtask/bench/worker.py.

use super::bake::Baked;
use crate::bench::talk::Talk;
use crate::process;
use anyhow::Result;
use std::path::Path;
use std::process::Command;

/// A foreign engine: what the table says, what worker.py calls it.
const FOREIGN: &[(&str, &str)] = &[
    ("onnxruntime int8", "onnxruntime-int8"),
    ("onnxruntime f32", "onnxruntime-float"),
    ("LiteRT (XNNPACK) int8", "litert-int8"),
    ("ncnn int8", "ncnn-int8"),
    ("ncnn f32", "ncnn-float"),
];

/// One engine, loaded or unavailable.
pub(super) struct Worker {
    pub(super) name: String,
    /// Its version, or why it is not available.
    pub(super) note: String,
    talk: Option<Talk>,
    took_ms: Vec<f64>,
}

/// All engines at one size of tile, loaded; ours first, fastest first.
pub(super) fn start_all(engines: &Path, baked: &Baked, tile_px: u32) -> Result<Vec<Worker>> {
    let list = process::output(Command::new(engines).arg("list"))?;
    let tiles = baked.tiles(tile_px);
    let mut workers = Vec::new();
    let ours = list
        .lines()
        .map(|path| (format!("ours, {path}"), path, "int8"));
    let library = [
        ("tract int8".to_owned(), "library", "int8"),
        ("tract f32".to_owned(), "library", "float"),
    ];
    for (name, engine, kind) in ours.chain(library) {
        let model = baked.onnx(kind, tile_px);
        let mut command = Command::new(engines);
        command.args(["serve", engine]).arg(&model).arg(&tiles);
        workers.push(match model.exists() {
            true => Worker::start(name, command),
            false => Worker::missing(name, &baked.python_problem()),
        });
    }
    for (name, engine) in FOREIGN {
        let name = (*name).to_owned();
        workers.push(match &baked.python {
            Ok(python) => {
                let mut command = Command::new(python);
                let script = process::root().join(".ci/xtask/bench/worker.py");
                command.arg(script).arg(engine).arg(&baked.folder);
                command.arg(&tiles).arg(tile_px.to_string());
                Worker::start(name, command)
            }
            Err(problem) => Worker::missing(name, problem),
        });
    }
    Ok(workers)
}

impl Worker {
    fn missing(name: String, why: &str) -> Self {
        Self {
            name,
            note: format!("not available: {why}"),
            talk: None,
            took_ms: Vec::new(),
        }
    }

    fn start(name: String, mut command: Command) -> Self {
        command
            .env("OMP_NUM_THREADS", "1")
            .env("OPENBLAS_NUM_THREADS", "1");
        match Talk::start("an engine", &mut command) {
            Ok((talk, version)) => Self {
                name,
                note: version,
                talk: Some(talk),
                took_ms: Vec::new(),
            },
            Err(error) => Self::missing(name, &format!("{error:#}")),
        }
    }

    /// Asks, and gives up on a worker that does not answer.
    fn ask(&mut self, line: &str) -> Option<String> {
        match self.talk.as_mut()?.ask(line) {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.talk = None;
                self.took_ms.clear();
                self.note = format!("not available: {error:#}");
                None
            }
        }
    }

    /// Every tile once.
    pub(super) fn round(&mut self, is_measured: bool) {
        let Some(answer) = self.ask("round") else {
            return;
        };
        let took_ms = answer
            .split_whitespace()
            .filter_map(|word| word.parse::<f64>().ok());
        if is_measured {
            self.took_ms.extend(took_ms);
        }
    }

    /// All answers to all tiles.
    pub(super) fn answers(&mut self, folder: &Path) -> Option<Vec<f32>> {
        let file = folder.join("answers.bin");
        self.ask(&format!("answers {}", file.display()))?;
        let bytes = std::fs::read(file).ok()?;
        let (numbers, _) = bytes.as_chunks::<4>();
        Some(numbers.iter().map(|n| f32::from_le_bytes(*n)).collect())
    }

    #[expect(clippy::cast_precision_loss, reason = "KiB of one process")]
    pub(super) fn peak_mib(&mut self) -> Option<f64> {
        let kib: u64 = self.ask("memory")?.trim().parse().ok()?;
        Some(kib as f64 / 1024.0)
    }

    pub(super) fn median_ms(&self) -> Option<f64> {
        let mut sorted = self.took_ms.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied()
    }
}
