//! The settings with which the trap ran last for a good while, kept beside the
//! ledger: the service that starts when nothing else helps runs with them.

use super::raw::{self, DEFAULT_NAME, Entries, Entry, Origin, Problem, Value};
use super::{Loaded, Problems, check};
use std::io;
use std::path::Path;
use trapline_store::{Disk, OsDisk};

/// In the ledger's folder.
pub const WORKED_FILE: &str = "settings-that-worked.toml";
const DETECTOR: &str = "detector.enabled";

/// Everything that differs from the defaults, from whichever layer it came, one key in a line.
#[must_use]
pub fn text(entries: &Entries) -> String {
    let own = entries
        .iter()
        .filter(|(_, entry)| *entry.origin.source != *DEFAULT_NAME);
    let lines = own.map(|(key, entry)| format!("{key} = {}\n", in_toml(&entry.value)));
    lines.collect()
}

/// JSON's texts and lists mean the same in TOML.
fn in_toml(value: &Value) -> String {
    let json = match value {
        Value::Text(text) => serde_json::Value::from(text.as_str()),
        Value::List(texts) => serde_json::Value::from(texts.as_slice()),
        Value::Whole(_) | Value::Switch(_) => return value.to_string(),
    };
    json.to_string()
}

/// Keeps that text in the ledger's folder, whole or not at all; nothing is written when it stands there already.
///
/// # Errors
/// When the folder cannot be written.
pub fn keep(ledger_dir: &Path, text: &str) -> io::Result<()> {
    let path = ledger_dir.join(WORKED_FILE);
    if std::fs::read_to_string(&path).is_ok_and(|kept| kept == text) {
        return Ok(());
    }
    let part = path.with_extension("toml.part");
    // What a power cut left of the last try.
    match OsDisk.remove(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OsDisk.create(&part)?;
    file.write(text.as_bytes())?;
    file.sync()?;
    OsDisk.rename(&part, &path)?;
    OsDisk.sync_folder(ledger_dir)
}

/// The settings of `file` over the defaults, without any other layer and without the detector, which may be what
/// failed: pictures go on, and wait to be inspected. What is said of it in `faults` reaches the server.
///
/// # Errors
/// The file cannot be read, or this program does not know its settings any more.
pub fn load(file: &Path) -> Result<Loaded, Problems> {
    let source = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|error| {
        let origin = Origin {
            source: source.as_str().into(),
            line: None,
        };
        let message = format!("cannot be read: {error}");
        Problems(vec![Problem { origin, message }])
    })?;
    let known = raw::defaults();
    let mut problems = Vec::new();
    let mut entries = known.clone();
    match raw::parse(&source, &text, &known, &mut problems) {
        Some(layer) => entries.extend(layer),
        None => return Err(Problems(problems)),
    }
    let origin = Origin {
        source: "pictures alone".into(),
        line: None,
    };
    let value = Value::Switch(false);
    entries.insert(DETECTOR.to_owned(), Entry { value, origin });
    let (config, found) = check::check(&entries);
    problems.extend(found);
    match config {
        Some(config) if problems.is_empty() => Ok(Loaded {
            config,
            entries,
            faults: vec![
                "the trap did not start with its settings and takes pictures with those that last worked; \
                 `journalctl -u trapline-agent` says why, then `systemctl restart trapline-agent`"
                    .to_owned(),
            ],
            overlay: None,
            card_fault: None,
        }),
        _ => Err(Problems(problems)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Sources;
    use super::*;

    #[test]
    fn what_worked_is_what_holds_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("agent.toml");
        let own = "[trap]\nname = 'meadow \"3\"'\n[camera]\nkind = 'uvc'\n[schedule]\nwindows = ['05:00..22:00']\n";
        #[expect(clippy::disallowed_methods, reason = "a test's own file")]
        std::fs::write(&file, own).unwrap();
        let sources = Sources {
            file: Some(file),
            ..Sources::default()
        };
        let loaded = super::super::load(&sources).unwrap();
        let kept = text(&loaded.entries);
        assert_eq!(kept.lines().count(), 3, "only what is no default: {kept}");
        for _ in 0..2 {
            keep(folder.path(), &kept).unwrap();
        }
        let again = load(&folder.path().join(WORKED_FILE)).unwrap();
        assert_eq!(again.config.trap.name, "meadow \"3\"");
        assert_eq!(again.config.camera.kind, loaded.config.camera.kind);
        assert_eq!(text(&again.entries).lines().count(), 4);
        assert!(!again.config.detector.enabled);
        assert_eq!(again.faults.len(), 1);
    }

    #[test]
    fn nothing_kept_is_said() {
        let problems = load(Path::new("/nowhere/settings.toml")).unwrap_err();
        assert!(problems.to_string().starts_with("/nowhere/settings.toml"));
    }
}
