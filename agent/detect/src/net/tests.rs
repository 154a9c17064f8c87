//! Small models with the answers that onnxruntime gives, and models that must not slip into floats unseen.
//!
//! `tests/models/make.py` writes both.

use std::path::Path;

use super::Net;
use crate::manifest::{Manifest, ModelError};

const TILE_PX: usize = 68;

fn manifest(arithmetic: &str) -> Manifest {
    let text = include_str!("../../models/insect-2.toml")
        .replace("tile_px = 512", "tile_px = 68")
        .replace("overlap_px = 96", "overlap_px = 8")
        .replace("stride_px = 8", "stride_px = 4")
        .replace("arithmetic = \"int8\"", arithmetic);
    Manifest::parse(&text, Path::new("test.toml")).expect("a manifest for the small models")
}

fn load(model: &[u8], arithmetic: &str) -> Result<Net, ModelError> {
    Net::load(model, &manifest(arithmetic), Path::new("test.onnx"))
}

fn problem(model: &[u8]) -> String {
    match load(model, "") {
        Ok(net) => panic!("it runs as {}", net.arithmetic()),
        Err(error) => error.to_string(),
    }
}

/// Heat and distances for the bytes that `make.py` uses.
fn answers(net: &Net) -> Vec<f32> {
    let bytes = (0..3 * TILE_PX * TILE_PX).map(|i| (i * 7919) >> 3);
    let planes: Vec<u8> = bytes.map(|value| value.to_le_bytes()[0]).collect();
    let mut all = Vec::new();
    net.run(&planes, |cells| {
        all.extend_from_slice(cells.heat);
        all.extend_from_slice(cells.distance);
    })
    .expect("a small model runs");
    all
}

fn numbers(answer: &[u8]) -> Vec<f32> {
    let (numbers, _) = answer.as_chunks::<4>();
    numbers.iter().copied().map(f32::from_le_bytes).collect()
}

#[test]
fn one_scale_for_all_channels_as_onnxruntime_answers() {
    let net = load(include_bytes!("../../tests/models/per-tensor.onnx"), "").expect("loads");
    let expected = numbers(include_bytes!("../../tests/models/per-tensor.answer"));
    assert_eq!(answers(&net), expected);
    assert!(net.arithmetic().starts_with("int8, "));
}

#[test]
fn a_scale_for_each_channel_as_onnxruntime_answers() {
    let net = load(include_bytes!("../../tests/models/per-channel.onnx"), "").expect("loads");
    let expected = numbers(include_bytes!("../../tests/models/per-channel.answer"));
    assert_eq!(answers(&net), expected);
}

#[test]
fn a_layer_in_floats_is_said() {
    let float_head = include_bytes!("../../tests/models/float-head.onnx");
    let problem = problem(float_head);
    assert!(problem.contains("cannot run in whole numbers"), "{problem}");
    let allowed = load(float_head, "arithmetic = \"float\"").expect("the manifest allows it");
    assert_eq!(allowed.arithmetic(), "float");
}

#[test]
fn a_layer_that_the_kernels_do_not_know_is_named() {
    let problem = problem(include_bytes!("../../tests/models/grouped.onnx"));
    assert!(
        problem.contains("grouped is split into groups"),
        "{problem}"
    );
}

#[test]
fn the_library_and_the_kernels_agree_but_for_rounding() {
    let model = include_bytes!("../../tests/models/per-tensor.onnx");
    let (ours, theirs) = ["", "arithmetic = \"float\""]
        .map(|arithmetic| answers(&load(model, arithmetic).expect("loads")))
        .into();
    let steps = |(a, b): (&f32, &f32)| (a - b).abs();
    let largest = ours.iter().zip(&theirs).map(steps).fold(0.0, f32::max);
    assert!(largest < 0.05, "{largest}");
}
