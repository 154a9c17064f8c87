//! What `cargo xtask bench detect` prints for people.

use super::{Report, Row, emulate};
use crate::say;

pub(super) fn print(report: &Report) {
    say::step(&format!("{}: one thread, medians of turns", report.model));
    say::line(&format!(
        "{:<24} {:>5} {:>9} {:>9} {:>9} {:>11}  {}",
        "engine", "tile", "ms/tile", "vs ort i8", "peak MiB", "difference", "version"
    ));
    for row in &report.rows {
        say::line(&timed(row));
    }
    say::line(
        "\nvs ort i8: against onnxruntime's int8 of the same size, less is faster. peak MiB: resident at the worst \
         moment above what was before the model was read. difference: the largest of any answer (logits of heat, \
         logarithms of distances) from our fastest kernels. LiteRT and ncnn get their tiles in their own layout, \
         prepared before the clock starts; all others get planes of bytes.",
    );
    if report.emulated.is_empty() {
        return;
    }
    say::step("instructions per tile on emulated Pis");
    say::line(&format!(
        "{:<12} {:<24} {:>5} {:>14} {:>16}  {}",
        "processor", "engine", "tile", "instructions", "fewer than f32", "answers"
    ));
    for row in &report.emulated {
        say::line(&counted(row));
    }
    say::line(
        "\nCounted by the emulator, start-up taken off. It shows no time: no cycles, no caches, no memory, no two \
         instructions at once. The A72 of a Pi 4 runs the same instructions as the A53.",
    );
}

fn timed(row: &Row) -> String {
    let number = |value: Option<f64>, digits: usize| {
        value.map_or("-".to_owned(), |value| format!("{value:.digits$}"))
    };
    let difference = row
        .largest_difference
        .map_or("-".to_owned(), |value| format!("{value:.4}"));
    format!(
        "{:<24} {:>5} {:>9} {:>9} {:>9} {:>11}  {}",
        row.engine,
        row.tile_px,
        number(row.tile_ms, 3),
        number(row.ratio, 2),
        number(row.peak_mib, 1),
        difference,
        row.note
    )
}

#[expect(clippy::cast_precision_loss, reason = "shown in millions")]
fn counted(row: &emulate::Row) -> String {
    let fewer = row
        .fewer
        .map_or("-".to_owned(), |fewer| format!("{fewer:.2} x"));
    let answers = if row.is_identical {
        "the same bytes as here"
    } else {
        "other bytes than here"
    };
    format!(
        "{:<12} {:<24} {:>5} {:>12.1} M {:>16}  {answers}",
        row.processor,
        row.engine,
        row.tile_px,
        row.instructions as f64 / 1e6,
        fewer
    )
}
