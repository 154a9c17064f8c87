//! The detector's own process, asked as the agent asks it.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

fn look(words: &[&str], picture: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_trapline-agent"))
        .arg("look")
        .env("RUST_BACKTRACE", "0")
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A process that only describes its model does not wait for a picture.
    child.stdin.take().unwrap().write_all(picture).ok();
    child.wait_with_output().unwrap()
}

fn answer(words: &[&str], picture: &[u8]) -> serde_json::Value {
    let said = look(words, picture).stdout;
    let line = said.split(|byte| *byte == b'\n').next().unwrap();
    serde_json::from_slice(line).unwrap()
}

#[test]
fn it_says_which_model_it_has() {
    let answer = answer(&["--describe"], &[]);
    let [model, arithmetic] = [&answer["model"][0], &answer["model"][1]];
    assert_eq!(model["sha256"].as_str().unwrap().len(), 64, "{answer}");
    assert!(
        arithmetic.as_str().unwrap().starts_with("int8, "),
        "{answer}"
    );
}

#[test]
fn it_looks_at_a_picture() {
    let answer = answer(&[], &grey());
    assert!(answer["seen"]["boxes"].is_array(), "{answer}");
    assert_eq!(answer["seen"]["facts"]["whole"], "first");
}

#[test]
fn what_it_remembers_comes_back_with_the_next_picture() {
    let jpeg = grey();
    let said = look(&[], &jpeg).stdout;
    let end = said.iter().position(|byte| *byte == b'\n').unwrap();
    let memory = &said[end + 1..];
    assert!(!memory.is_empty());
    let again = |memory: &[u8]| {
        let words = format!("--memory-bytes={}", memory.len());
        let answer = answer(&[&words], &[memory, &jpeg].concat());
        answer["seen"]["facts"]["card"].as_str().unwrap().to_owned()
    };
    assert_eq!(again(memory), "same");
    assert_eq!(again(b"spoilt"), "first");
}

fn grey() -> Vec<u8> {
    let grey = vec![128; 64 * 48 * 3];
    let mut jpeg = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut jpeg, 90);
    encoder
        .encode(&grey, 64, 48, jpeg_encoder::ColorType::Rgb)
        .unwrap();
    jpeg
}

#[test]
fn what_is_no_picture_is_said_to_be_unreadable() {
    let answer = answer(&[], b"Dear diary");
    assert!(
        answer["unreadable"]
            .as_str()
            .unwrap()
            .contains("not a JPEG"),
        "{answer}"
    );
}

#[test]
fn another_model_than_the_expected_one_does_not_look() {
    let answer = answer(&["--expect", &"0".repeat(64)], b"Dear diary");
    assert!(
        answer["failed"].as_str().unwrap().contains("replaced"),
        "{answer}"
    );
}

#[test]
fn a_missing_model_is_named() {
    let answer = answer(&["--describe", "--manifest", "/nowhere/model.toml"], &[]);
    assert!(
        answer["failed"]
            .as_str()
            .unwrap()
            .contains("/nowhere/model.toml"),
        "{answer}"
    );
}

#[test]
fn a_picture_that_needs_too_much_memory_ends_its_process_alone() {
    let grey = vec![128; 2000 * 2000 * 3];
    let mut jpeg = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut jpeg, 90);
    encoder
        .encode(&grey, 2000, 2000, jpeg_encoder::ColorType::Rgb)
        .unwrap();
    let output = look(&["--memory-limit", "16000000"], &jpeg);
    assert!(!output.status.success());
    let words = String::from_utf8_lossy(&output.stderr);
    // Whoever asks for the byte too many: the allocator, or the network's own blocks of memory.
    let told = ["memory allocation of ", "failed to allocate "];
    assert!(told.iter().any(|told| words.contains(told)), "{words}");
    let enough = look(&["--memory-limit", "300000000"], &jpeg);
    assert!(enough.status.success());
}
