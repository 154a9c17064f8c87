//! What the texts promise: paths that exist, settings that are explained, nothing left unsaid.

use super::Complaint;
use super::tree::Tree;
use std::collections::BTreeSet;

const MAP: &str = "docs/ARCHITECTURE.md";
const RAW_CONFIG: &str = "agent/src/config/raw.rs";
const DEFAULTS: &str = "agent/src/agent.default.toml";

pub(super) fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = check_map(tree);
    complaints.extend(check_settings(tree));
    complaints.extend(tree.files.iter().flat_map(|file| {
        let text = file.text.as_deref().unwrap_or_default();
        check_leftovers(&file.path, text)
    }));
    complaints
}

/// Every path that the map names in backticks exists.
fn check_map(tree: &Tree) -> Vec<Complaint> {
    let Some(map) = tree.text(MAP) else {
        return vec![format!("{MAP} is missing")];
    };
    let mut complaints = Vec::new();
    for path in quoted_paths(map) {
        let folder = format!("{}/", path.trim_end_matches('/'));
        let exists = tree
            .files
            .iter()
            .any(|file| file.path == path || file.path.starts_with(&folder));
        if !exists {
            complaints.push(format!("{MAP} names `{path}`, which does not exist"));
        }
    }
    complaints
}

/// The words in backticks that have the form of a path of this repository.
fn quoted_paths(map: &str) -> BTreeSet<&str> {
    let tops = [
        "hal/",
        "agent/",
        "sync-server/",
        "systemd/",
        "image/",
        "docs/",
        ".ci/",
        ".cargo/",
    ];
    map.split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| tops.iter().any(|top| word.starts_with(top)))
        .filter(|word| !word.contains(|c: char| c.is_whitespace() || "*{…<".contains(c)))
        .collect()
}

/// Every setting that can be written is explained in the file of defaults.
fn check_settings(tree: &Tree) -> Vec<Complaint> {
    let (Some(raw), Some(defaults)) = (tree.text(RAW_CONFIG), tree.text(DEFAULTS)) else {
        return Vec::new();
    };
    let fields = raw
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub(crate) "));
    let names = fields
        .filter_map(|rest| rest.split_once(": "))
        .map(|(name, _)| name);
    names
        .filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        .filter(|name| !defaults.contains(*name))
        .map(|name| format!("{RAW_CONFIG} reads `{name}`, which {DEFAULTS} does not explain"))
        .collect()
}

fn check_leftovers(path: &str, text: &str) -> Vec<Complaint> {
    let is_source = [".rs", ".ts", ".svelte", ".py", ".sh"]
        .iter()
        .any(|ending| path.ends_with(ending));
    if !is_source {
        return Vec::new();
    }
    // Split, so that this file does not find itself.
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("unimplemented", "!("),
    ];
    let mut complaints = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for mark in marks.iter().filter(|mark| line.contains(**mark)) {
            complaints.push(format!(
                "{path}:{}: `{mark}`: do it now, or write an issue",
                number + 1
            ));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_from_other_quoted_words() {
        let map = "See `agent/src/retain.rs`, `plan`, `hal/src/pi/`, `agent/src/{a,b}.rs`.";
        let paths: Vec<&str> = quoted_paths(map).into_iter().collect();
        assert_eq!(paths, ["agent/src/retain.rs", "hal/src/pi/"]);
    }

    #[test]
    fn what_was_left_for_later_is_said_with_its_line() {
        let text = format!("fn a() {{}}\n// {}: later\n", concat!("TO", "DO"));
        let complaints = check_leftovers("agent/src/a.rs", &text);
        assert_eq!(complaints.len(), 1);
        assert!(
            complaints[0].starts_with("agent/src/a.rs:2:"),
            "{complaints:?}"
        );
    }
}
