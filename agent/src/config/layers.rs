//! Which files and variables make the configuration, and what happens when the
//! overlay on the boot partition is broken: the last one that passed stays in force.

use super::card::handover::{Handover, RUN_DIR};
use super::check;
use super::raw::{self, Entries, Entry, Origin, Problem, Value};
use super::{Config, Loaded, Problems};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The configuration of an installed trap.
pub const SYSTEM_FILE: &str = "/etc/trapline/agent.toml";
/// The technician's few keys, on the part of the card that every computer reads.
pub const OVERLAY_FILE: &str = "/boot/firmware/trapline-agent.toml";
/// The overlay that passed last, kept in the ledger's folder.
const KEPT_OVERLAY: &str = "overlay-that-passed.toml";
const ENVIRONMENT: &str = "environment";
const PREFIX: &str = "TRAPLINE_";

/// Where the layers come from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// `--config`; without it [`SYSTEM_FILE`], if that exists.
    pub file: Option<PathBuf>,
    /// `--overlay`; without it [`OVERLAY_FILE`], if that exists.
    pub overlay: Option<PathBuf>,
    /// Variables whose names start with `TRAPLINE_`.
    pub variables: BTreeMap<String, String>,
    /// Where the card's reader leaves what is wrong with `trapline.toml`, if there is one.
    pub handover: Option<PathBuf>,
}

impl Sources {
    /// The sources of this process, with its environment.
    #[must_use]
    pub fn of_process(file: Option<PathBuf>, overlay: Option<PathBuf>) -> Self {
        let ours = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            let name = name.into_string().ok().filter(|n| n.starts_with(PREFIX))?;
            Some((name, value.to_string_lossy().into_owned()))
        };
        Self {
            file,
            overlay,
            variables: std::env::vars_os().filter_map(ours).collect(),
            handover: Some(RUN_DIR.into()),
        }
    }
}

/// Reads all layers.
///
/// # Errors
/// Every problem of every layer at once. Problems of the overlay alone are no
/// error: the result then says them in `faults` and uses the overlay that passed last.
pub fn load(sources: &Sources) -> Result<Loaded, Problems> {
    let mut loaded = load_layers(sources)?;
    let handover = sources.handover.as_deref().and_then(Handover::read);
    loaded.card_fault = handover.and_then(|handover| handover.fault());
    Ok(loaded)
}

fn load_layers(sources: &Sources) -> Result<Loaded, Problems> {
    let known = raw::defaults();
    let mut problems = Vec::new();
    let mut base = known.clone();
    let file = sources.file.as_deref().unwrap_or(Path::new(SYSTEM_FILE));
    let text = read(file, sources.file.is_some(), &mut problems);
    let name = file.display().to_string();
    match text.map(|text| raw::parse(&name, &text, &known, &mut problems)) {
        Some(Some(layer)) => base.extend(layer),
        None if problems.is_empty() => {}
        // Whatever else seems to be wrong may only be missing from this file.
        Some(None) | None => return Err(Problems(problems)),
    }
    let variables = entries_of_variables(&sources.variables, &known, &mut problems);
    let overlay_path = sources
        .overlay
        .clone()
        .unwrap_or_else(|| OVERLAY_FILE.into());
    let mut overlay_problems = Vec::new();
    let overlay = read(
        &overlay_path,
        sources.overlay.is_some(),
        &mut overlay_problems,
    );

    let merged = |layer: Entries| {
        let mut entries = base.clone();
        entries.extend(layer);
        entries.extend(variables.clone());
        entries
    };
    if let Some(text) = &overlay {
        let name = overlay_path.display().to_string();
        let layer = raw::parse(&name, text, &known, &mut overlay_problems).unwrap_or_default();
        let (config, found) = check::check(&merged(layer.clone()));
        // Only what the overlay itself says wrong is held against it.
        let (its_own, others): (Vec<Problem>, Vec<Problem>) =
            found.into_iter().partition(|p| *p.origin.source == *name);
        overlay_problems.extend(its_own);
        if let (Some(config), true) = (config, overlay_problems.is_empty() && others.is_empty()) {
            return finish(config, merged(layer), problems, Vec::new(), overlay);
        }
    }
    let (layer, faults) = if overlay_problems.is_empty() {
        (Entries::new(), Vec::new())
    } else {
        let (config, _) = check::check(&merged(Entries::new()));
        let kept = config.and_then(|config| kept_overlay(&config, &known));
        let what = match &kept {
            Some(_) => "the last settings that passed are used",
            None => "it is left out",
        };
        let say = |p: Problem| format!("{p} ({what} until this is mended)");
        let faults = overlay_problems.into_iter().map(say).collect();
        (kept.unwrap_or_default(), faults)
    };
    let entries = merged(layer);
    let (config, found) = check::check(&entries);
    problems.extend(found);
    match config {
        Some(config) => finish(config, entries, problems, faults, None),
        None => Err(Problems(problems)),
    }
}

/// A configuration from one text over the defaults, for simulations and tests.
///
/// # Errors
/// Every problem of the text at once.
pub fn from_text(name: &str, text: &str) -> Result<Config, Problems> {
    let known = raw::defaults();
    let mut problems = Vec::new();
    let mut entries = known.clone();
    match raw::parse(name, text, &known, &mut problems) {
        Some(layer) => entries.extend(layer),
        None => return Err(Problems(problems)),
    }
    let (config, found) = check::check(&entries);
    problems.extend(found);
    match config {
        Some(config) if problems.is_empty() => Ok(config),
        _ => Err(Problems(problems)),
    }
}

/// Keeps the text of an overlay that passed, for the day on which it is broken.
///
/// # Errors
/// When the ledger's folder cannot be written.
#[expect(
    clippy::disallowed_methods,
    reason = "losing this copy loses nothing that the boot partition does not hold"
)]
pub fn keep_overlay(ledger_dir: &Path, text: &str) -> std::io::Result<()> {
    let path = ledger_dir.join(KEPT_OVERLAY);
    if std::fs::read_to_string(&path).is_ok_and(|kept| kept == text) {
        return Ok(());
    }
    std::fs::write(path, text)
}

fn kept_overlay(config: &Config, known: &Entries) -> Option<Entries> {
    let path = config.ledger.dir.join(KEPT_OVERLAY);
    let text = std::fs::read_to_string(&path).ok()?;
    let mut problems = Vec::new();
    let layer = raw::parse(&path.display().to_string(), &text, known, &mut problems);
    layer.filter(|_| problems.is_empty())
}

fn finish(
    config: Config,
    entries: Entries,
    problems: Vec<Problem>,
    faults: Vec<String>,
    overlay: Option<String>,
) -> Result<Loaded, Problems> {
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    Ok(Loaded {
        config,
        entries,
        faults,
        card_fault: None,
        overlay,
    })
}

fn read(path: &Path, is_needed: bool, problems: &mut Vec<Problem>) -> Option<String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !is_needed => None,
        Err(error) => {
            let origin = Origin {
                source: path.display().to_string().into(),
                line: None,
            };
            let message = format!("cannot be read: {error}");
            problems.push(Problem { origin, message });
            None
        }
    }
}

/// `TRAPLINE_SERVER_KEY` is `server.key`: the first word is the section.
fn entries_of_variables(
    variables: &BTreeMap<String, String>,
    known: &Entries,
    problems: &mut Vec<Problem>,
) -> Entries {
    let mut entries = Entries::new();
    for (name, text) in variables {
        let stem = name.trim_start_matches(PREFIX).to_ascii_lowercase();
        let key = stem.replacen('_', ".", 1);
        let origin = Origin {
            source: format!("{ENVIRONMENT} variable {name}").into(),
            line: None,
        };
        let value = typed_like(known.get(&key).map(|entry| &entry.value), text);
        match raw::complaint(&key, &value, known) {
            Some(message) => problems.push(Problem { origin, message }),
            None => {
                entries.insert(key, Entry { value, origin });
            }
        }
    }
    entries
}

fn typed_like(default: Option<&Value>, text: &str) -> Value {
    let as_text = || Value::Text(text.to_owned());
    match default {
        Some(Value::Whole(_)) => text.parse().map_or_else(|_| as_text(), Value::Whole),
        Some(Value::Switch(_)) => text.parse().map_or_else(|_| as_text(), Value::Switch),
        Some(Value::List(_)) => {
            let texts = text.split(',').map(str::trim).filter(|t| !t.is_empty());
            Value::List(texts.map(str::to_owned).collect())
        }
        Some(Value::Text(_)) | None => as_text(),
    }
}
