//! A scenario: the trap's settings, what happens in its world, and what must come of it. A file of steps, played from
//! above; those that look wait until it is so, at most `within_s` seconds of the guest.

use crate::process;
use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// How long a look waits unless the step says otherwise, in seconds of the guest.
const WITHIN_S: f64 = 60.0;

/// One file of `scenarios/`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenario {
    /// The file's name.
    #[serde(skip)]
    pub(super) name: String,
    /// What it shows, in one sentence.
    pub(super) about: String,
    /// Whether `cargo xtask test` plays it.
    #[serde(default)]
    pub(super) short: bool,
    /// The clock at power-on: `1970-01-01T00:00:00`; the desk's without it.
    #[serde(default)]
    pub(super) clock: Option<String>,
    /// Lines of `trapline.toml` on the card, over the rig's own settings.
    #[serde(default)]
    pub(super) settings: String,
    pub(super) steps: Vec<Step>,
}

/// One step, and how long it may take.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Step {
    #[serde(flatten)]
    pub(super) what: What,
    within_s: Option<f64>,
}

impl Step {
    pub(super) fn within_s(&self) -> f64 {
        self.within_s.unwrap_or(WITHIN_S)
    }
}

/// What is done to the trap, or looked for.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum What {
    Deed(Deed),
    Look(Look),
}

/// What happens at once.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Deed {
    /// A line to the bus: `set air_c 30`, `unplug sht31`.
    Bus(String),
    /// The wires of a line: `up`, `down`.
    Line { gpio: u8, pull: String },
    /// `feed`, or `stop`: the camera is there and gives no more pictures.
    Camera(String),
    /// `down`, `up`, or how bad it is, in the words of netem: `delay 300ms loss 10%`.
    Link(String),
    /// The clock jumps by so many seconds.
    Clock(i64),
    /// `start`, `stop`, `kill` (the program alone), `kill group` (all of its process group).
    Agent(String),
    /// A command of the guest that must end well.
    Guest(String),
    /// So many seconds of the guest go by.
    Pass(f64),
}

/// What has to be so, sooner or later.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Look {
    /// So many more pictures are taken.
    Captures(u64),
    /// A fault of a part whose words contain these.
    Fault { part: String, says: String },
    /// No fault of that part any more.
    NoFault(String),
    /// A value of the newest reading.
    Reading {
        column: String,
        near: f64,
        tolerance: f64,
    },
    /// The newest reading has no such value.
    NoReading(String),
    /// A row of an exported table whose cells contain these.
    Row {
        table: String,
        cells: std::collections::BTreeMap<String, String>,
    },
    /// A line is high.
    High(u8),
    /// A line is low.
    Low(u8),
    /// The display shows these words.
    Display(String),
    /// The display is dark, or it is not.
    DisplayDark(bool),
    /// All that the trap has taken so far is on the server, records and pictures.
    Arrived(Everything),
    /// The agent's log contains these words.
    Log(String),
    /// What `status --json` says at a place (`clock/quality`) contains these words.
    Status { at: String, says: String },
}

/// There is no half of it.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Everything {
    Everything,
}

/// All of the house, by name.
pub(super) fn all() -> Result<Vec<Scenario>> {
    let folder = folder();
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .with_context(|| format!("cannot read {}", folder.display()))?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    files.sort();
    files.iter().map(|file| read(file)).collect()
}

/// Those that were named, or all.
pub(super) fn chosen(names: &[String]) -> Result<Vec<Scenario>> {
    if names.is_empty() {
        return all();
    }
    let one = |name: &String| {
        let ours = folder().join(format!("{name}.toml"));
        let file = if ours.exists() {
            ours
        } else {
            PathBuf::from(name)
        };
        if !file.exists() {
            bail!("no scenario is called `{name}`; `cargo xtask rig list` lists them");
        }
        read(&file)
    };
    names.iter().map(one).collect()
}

fn folder() -> PathBuf {
    process::root().join(".ci/xtask/src/rig/scenarios")
}

fn read(file: &Path) -> Result<Scenario> {
    let text = std::fs::read_to_string(file)?;
    let mut scenario: Scenario =
        toml::from_str(&text).with_context(|| format!("in {}", file.display()))?;
    let name = file.file_stem().unwrap_or_default();
    scenario.name = name.to_string_lossy().into_owned();
    Ok(scenario)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_scenarios_of_the_house_can_be_read() {
        let all = all().unwrap();
        assert!(all.iter().any(|scenario| scenario.short));
        for scenario in &all {
            assert!(!scenario.steps.is_empty(), "{}", scenario.name);
            let settings: toml::Table = toml::from_str(&scenario.settings).unwrap();
            assert!(settings.len() < 20);
        }
    }

    #[test]
    fn a_step_that_nobody_knows_is_refused() {
        let step = |text: &str| toml::from_str::<Step>(text);
        assert!(step("captures = 3\nwithin_s = 10").is_ok());
        assert!(step("pictures = 3").is_err());
    }
}
