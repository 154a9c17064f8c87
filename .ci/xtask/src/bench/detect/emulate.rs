//! Our kernels and the library's on emulated Pis: instructions per tile, and whether the answers are the same bytes.

use super::bake::Baked;
use super::engines_program;
use crate::aarch64::count::Counter;
use crate::aarch64::cross::{self, Cpu};
use crate::{build, process, say};
use anyhow::{Context as _, Result};
use std::path::Path;
use std::process::Command;

/// One engine on one processor.
#[derive(serde::Serialize)]
pub(super) struct Row {
    pub(super) processor: &'static str,
    pub(super) engine: String,
    pub(super) tile_px: u32,
    pub(super) instructions: u64,
    /// How many times fewer than the library's float network.
    pub(super) fewer: Option<f64>,
    /// Whether the answers are those of this desk, byte by byte.
    pub(super) is_identical: bool,
}

/// Nothing where the cross packages cannot be had; says why.
pub(super) fn run(engines: &Path, baked: &Baked, folder: &Path) -> Result<Vec<Row>> {
    let cross = match cross::ready() {
        Ok(cross) => cross,
        Err(error) => {
            say::step(&format!("nothing was emulated: {error:#}"));
            return Ok(Vec::new());
        }
    };
    let target = build::target_folder()?.join("cross");
    let program = engines_program(cross.cargo(&["build", "--release"], Cpu::A53), &target)?;
    let counter = Counter::new(folder)?;
    let tile_px = *baked.sizes().first().context("no size of tile")?;
    let mut rows = Vec::new();
    for cpu in Cpu::ALL {
        // What the processor has decides which of our kernels run; the first it lists is the one a trap would take.
        let mut emulator = Command::new("qemu-aarch64");
        let list = process::output(
            emulator
                .args(["-cpu", cpu.name()])
                .arg(&program)
                .arg("list"),
        )?;
        let best = list
            .lines()
            .next()
            .context("no kernels on this processor")?;
        let mut of_cpu = Vec::new();
        for (name, engine, kind) in [
            (format!("ours, {best}"), best, "int8"),
            ("tract int8".to_owned(), "library", "int8"),
            ("tract f32".to_owned(), "library", "float"),
        ] {
            let model = baked.onnx(kind, tile_px);
            if !model.exists() {
                continue;
            }
            say::progress(&format!("{name} on an emulated {}", cpu.name()));
            let (model, tiles) = (model.display().to_string(), baked.tiles(tile_px));
            let tiles = tiles.display().to_string();
            let count = |times| {
                let words = ["count", engine, &model, &tiles, times];
                counter.run(&program, &words, cpu)
            };
            // Loading the model cancels out.
            let ((hash, two), (_, one)) = (count("2")?, count("1")?);
            let here = if kind == "int8" && engine != "library" {
                ["count", "portable", &model, &tiles, "1"]
            } else {
                ["count", engine, &model, &tiles, "1"]
            };
            let here = process::output(Command::new(engines).args(here))?;
            of_cpu.push(Row {
                processor: cpu.name(),
                engine: name,
                tile_px,
                instructions: two.saturating_sub(one),
                fewer: None,
                is_identical: here == hash,
            });
        }
        compare(&mut of_cpu);
        rows.extend(of_cpu);
    }
    say::progress_done();
    Ok(rows)
}

#[expect(clippy::cast_precision_loss, reason = "a ratio of large counts")]
fn compare(rows: &mut [Row]) {
    let float = rows.iter().find(|row| row.engine == "tract f32");
    let Some(float) = float.map(|row| row.instructions) else {
        return;
    };
    for row in rows {
        row.fewer = Some(float as f64 / row.instructions.max(1) as f64);
    }
}
