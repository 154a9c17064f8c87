//! Where things may stand: file names, sizes, and the one file of a foreign crate.

use super::Complaint;
use super::tree::{File, Tree};

const LINES_ADVISED: usize = 400;
const LINES_MAX: usize = 600;
const FILE_BYTES_MAX: u64 = 500 * 1024;
/// A trained network, and its float sibling for comparisons.
const MODEL_BYTES_MAX: u64 = 2 * 1024 * 1024;
const EMPTY_NAMES: &[&str] = &[
    "util", "utils", "helper", "helpers", "common", "misc", "mod",
];

/// A word of code and the only places that may say it.
const WORDS: &[(&str, &[&str], &str)] = &[
    (
        "tract_onnx::",
        &["agent/detect/src/net.rs", "agent/detect/src/net/"],
        "tract belongs to one file",
    ),
    (
        "reqwest::",
        &["agent/src/sync/http.rs"],
        "HTTP belongs to one file",
    ),
    (
        "rppal::",
        &["hal/src/pi/gpio_rppal.rs"],
        "rppal is retired by its author and stays in one file",
    ),
    (
        "gpiocdev::",
        &["hal/src/pi/gpio_cdev.rs"],
        "the character device of lines belongs to one file",
    ),
    (
        "systemd_journal_logger::",
        &["agent/src/logging.rs", "sync-server/src/logging.rs"],
        "only logging.rs names a logger",
    ),
    (
        "\"/dev/",
        &["hal/src/pi/", "image/flash/src/disks/"],
        "device paths are named in hal/src/pi alone, and where cards are flashed",
    ),
    (
        "\"/sys/",
        &["hal/src/pi/"],
        "device paths are named in hal/src/pi alone",
    ),
];

pub(super) fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in &tree.files {
        complaints.extend(check_file(file));
    }
    for (file, text) in tree.rust() {
        complaints.extend(check_rust(&file.path, text));
    }
    complaints
}

/// Files that will need a split soon.
pub(super) fn advice(tree: &Tree) -> Vec<Complaint> {
    let long = tree
        .files
        .iter()
        .filter_map(|file| Some((file, own_lines(file)?)));
    long.filter(|(_, lines)| (LINES_ADVISED..=LINES_MAX).contains(lines))
        .map(|(file, lines)| {
            format!(
                "{}: {lines} lines; split it by meaning before it grows",
                file.path
            )
        })
        .collect()
}

fn check_file(file: &File) -> Vec<Complaint> {
    let path = &file.path;
    let mut complaints = Vec::new();
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.split('.').next().unwrap_or(name);
    if name.ends_with(".rs") && EMPTY_NAMES.contains(&stem) {
        complaints.push(format!(
            "{path}: `{stem}` says nothing; name what the file is for"
        ));
    }
    if name.ends_with("clippy.toml") && path != ".clippy.toml" {
        complaints.push(format!(
            "{path}: a nested clippy.toml replaces the root's whole"
        ));
    }
    let bytes_max = if path.starts_with("agent/detect/models/") {
        MODEL_BYTES_MAX
    } else {
        FILE_BYTES_MAX
    };
    if file.size_bytes > bytes_max && !name.ends_with(".lock") && name != "package-lock.json" {
        complaints.push(format!(
            "{path}: {} bytes; at most {bytes_max}",
            file.size_bytes
        ));
    }
    if let Some(lines) = own_lines(file).filter(|lines| *lines > LINES_MAX) {
        complaints.push(format!(
            "{path}: {lines} lines; split it by meaning, at most {LINES_MAX}"
        ));
    }
    complaints
}

/// Lines of a source file outside tests; `None` for what is no source.
fn own_lines(file: &File) -> Option<usize> {
    let source = [".rs", ".ts", ".svelte", ".py"]
        .iter()
        .any(|ending| file.path.ends_with(ending));
    if !source || is_test(&file.path) {
        return None;
    }
    let text = file.text.as_deref()?;
    let own = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or(text);
    Some(own.lines().count())
}

fn is_test(path: &str) -> bool {
    path.contains("/tests/")
        || path.contains("/e2e/")
        || path.contains(".test.")
        || path.contains("/benches/")
}

/// Whether `word` stands in the line, and not as the end of a longer name.
fn says(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        let is_name = |letter: char| letter.is_alphanumeric() || letter == '_';
        !word.starts_with(is_name) || !before.is_some_and(is_name)
    })
}

fn check_rust(path: &str, text: &str) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let opening = text
        .lines()
        .find(|line| !line.starts_with("#!") && !line.trim().is_empty());
    if !opening.is_some_and(|line| line.starts_with("//!")) {
        complaints.push(format!(
            "{path}: open the module with a `//!` that says what it is for"
        ));
    }
    // The list of words itself stands in this tool.
    if is_test(path) || path.starts_with(".ci/") {
        return complaints;
    }
    for (word, places, why) in WORDS {
        let at_home = places.iter().any(|place| path.starts_with(place));
        let line = text
            .lines()
            .position(|line| says(line, word) && !line.trim_start().starts_with("//"));
        if let Some(line) = line.filter(|_| !at_home) {
            complaints.push(format!("{path}:{}: `{word}`: {why}", line + 1));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_crate_outside_its_file_is_said_with_its_line() {
        let complaints = check_rust(
            "agent/src/status.rs",
            "//! Status.\n\nuse reqwest::Client;\n",
        );
        assert_eq!(complaints.len(), 1);
        assert!(
            complaints[0].starts_with("agent/src/status.rs:3:"),
            "{complaints:?}"
        );
    }

    #[test]
    fn a_longer_name_is_not_the_crate() {
        let check = |line: &str| check_rust("hal/src/pi/gpio.rs", &format!("//! Lines.\n{line}\n"));
        assert_eq!(check("use super::gpio_rppal::RppalLines;"), [""; 0]);
        assert_eq!(check("use rppal::gpio::Gpio;").len(), 1);
        assert_eq!(check("let a = gpio_rppal::A; let b = ::rppal::B;").len(), 1);
    }

    #[test]
    fn a_module_without_a_purpose_is_said() {
        assert_eq!(check_rust("hal/src/lamp.rs", "use std::fs;\n").len(), 1);
        assert_eq!(
            check_rust("hal/src/lamp.rs", "#![x]\n//! Lamps.\n").len(),
            0
        );
    }

    #[test]
    fn names_that_say_nothing_are_refused() {
        let file = |path: &str| File {
            path: path.to_owned(),
            size_bytes: 1,
            text: Some(String::new()),
        };
        assert_eq!(check_file(&file("agent/src/utils.rs")).len(), 1);
        assert_eq!(check_file(&file("agent/clippy.toml")).len(), 1);
        assert_eq!(check_file(&file("agent/src/screen.rs")).len(), 0);
    }
}
