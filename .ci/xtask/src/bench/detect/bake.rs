//! The model in each engine's own file, and the tiles, all in a throw-away folder below the target folder.

use crate::{process, say, setup};
use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The size that published figures use, measured beside the model's own.
const COMMON_TILE_PX: u32 = 320;

/// An int8 ONNX file of the trap's form.
pub(super) struct Model {
    path: PathBuf,
    /// What the trap feeds it.
    tile_px: u32,
}

impl Model {
    /// The one that is built into the detector.
    pub(super) fn shipped() -> Result<Self> {
        let detect = process::root().join("agent/detect");
        let code = std::fs::read_to_string(detect.join("src/detector.rs"))?;
        let folder = std::fs::read_dir(detect.join("models"))?;
        let mut manifests = folder.flatten().map(|entry| entry.path());
        let manifest = manifests.find(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.ends_with(".toml") && code.contains(&*name)
        });
        let manifest =
            manifest.context("agent/detect/src/detector.rs names no manifest of models/")?;
        Self::at(&manifest.with_extension("onnx"))
    }

    /// Any other; its tile size comes from the manifest beside it, if there is one.
    pub(super) fn at(path: &Path) -> Result<Self> {
        let manifest = std::fs::read_to_string(path.with_extension("toml")).unwrap_or_default();
        let tile_px = manifest
            .lines()
            .find_map(|line| line.strip_prefix("tile_px = "))
            .map_or(Ok(COMMON_TILE_PX), str::parse)?;
        Ok(Self {
            path: std::path::absolute(path)?,
            tile_px,
        })
    }

    pub(super) fn name(&self) -> String {
        let stem = self.path.file_stem().unwrap_or_default();
        stem.to_string_lossy().into_owned()
    }
}

/// What the engines read.
pub(super) struct Baked {
    pub(super) folder: PathBuf,
    /// The Python with the foreign engines, or why there is none.
    pub(super) python: Result<PathBuf, String>,
    sizes: Vec<u32>,
}

impl Baked {
    pub(super) fn sizes(&self) -> Vec<u32> {
        self.sizes.clone()
    }

    /// `kind` is `int8` or `float`.
    pub(super) fn onnx(&self, kind: &str, tile_px: u32) -> PathBuf {
        self.folder.join(format!("{kind}-{tile_px}.onnx"))
    }

    pub(super) fn tiles(&self, tile_px: u32) -> PathBuf {
        self.folder.join(format!("tiles-{tile_px}.bin"))
    }

    /// Why a file is missing that Python should have written.
    pub(super) fn python_problem(&self) -> String {
        match &self.python {
            Ok(_) => "its file could not be made".to_owned(),
            Err(problem) => problem.clone(),
        }
    }
}

/// Makes everything; without Python, only the model as it is.
pub(super) fn bake(model: &Model, target: &Path, tiles: usize) -> Result<Baked> {
    let folder = target.join("models");
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder)?;
    let mut sizes = vec![COMMON_TILE_PX, model.tile_px];
    sizes.dedup();
    let python = prepare(model, target, &folder, &sizes).map_err(|error| format!("{error:#}"));
    if let Err(problem) = &python {
        say::step(&format!("no foreign engines: {problem}"));
        sizes = vec![model.tile_px];
        let file = folder.join(format!("int8-{}.onnx", model.tile_px));
        std::fs::copy(&model.path, file)?;
    }
    for tile_px in &sizes {
        let file = folder.join(format!("tiles-{tile_px}.bin"));
        std::fs::write(file, cards(*tile_px as usize, tiles))?;
    }
    Ok(Baked {
        folder,
        python,
        sizes,
    })
}

fn prepare(model: &Model, target: &Path, folder: &Path, sizes: &[u32]) -> Result<PathBuf> {
    let python = environment(&target.join("venv"))?;
    let script = process::root().join(".ci/xtask/bench/models.py");
    let mut command = Command::new(&python);
    command.arg(script).arg(&model.path).arg(folder);
    process::output(command.args(sizes.iter().map(ToString::to_string)))?;
    Ok(python)
}

/// The environment with exactly the packages of requirements.txt, made anew when that file changes.
fn environment(venv: &Path) -> Result<PathBuf> {
    let list = process::root().join(".ci/xtask/bench/requirements.txt");
    let wanted = std::fs::read_to_string(&list)?;
    let stamp = venv.join("requirements.txt");
    let python = venv.join("bin/python");
    if std::fs::read_to_string(&stamp).is_ok_and(|there| there == wanted) {
        return Ok(python);
    }
    setup::need_python_venv()?;
    say::step("installing other people's engines into a throw-away Python environment");
    drop(std::fs::remove_dir_all(venv));
    process::run(Command::new("python3").args(["-m", "venv"]).arg(venv))?;
    let install = |what: &[&str]| {
        let mut command = Command::new(venv.join("bin/pip"));
        command.args(["install", "--quiet"]).args(what);
        process::run(command.stdout(Stdio::null()))
    };
    if install(&["-r", &list.to_string_lossy()]).is_err() {
        // One engine that cannot be had is a row that says so, and no reason to miss the others.
        let packages = wanted.lines().filter(|line| line.contains("=="));
        for package in packages {
            if let Err(error) = install(&[package]) {
                say::step(&format!("{error:#}"));
            }
        }
    }
    std::fs::write(&stamp, &wanted)?;
    Ok(python)
}

/// Pieces of a yellow card with dark spots of several sizes and some noise, the same on every machine.
fn cards(tile_px: usize, tiles: usize) -> Vec<u8> {
    let mut seed = 1_u32;
    let mut chance = move || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed >> 16
    };
    let mut bytes = Vec::with_capacity(tiles * 3 * tile_px * tile_px);
    for _ in 0..tiles {
        let spots: Vec<[i64; 3]> = (0..20)
            .map(|_| {
                let place = |n: u32| i64::from(n) * tile_px as i64 / 65_536;
                [
                    place(chance()),
                    place(chance()),
                    i64::from(3 + chance() % 20),
                ]
            })
            .collect();
        for paint in [215, 190, 50] {
            for row in 0..tile_px as i64 {
                for column in 0..tile_px as i64 {
                    let is_dark = spots.iter().any(|[y, x, radius]| {
                        (row - y).pow(2) + 2 * (column - x).pow(2) < radius.pow(2)
                    });
                    let light = if is_dark { 40 } else { paint };
                    let noise = i64::from(chance() % 21) - 10;
                    bytes.push(u8::try_from(light + noise).unwrap_or(0));
                }
            }
        }
    }
    bytes
}
