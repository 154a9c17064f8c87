//! Settings: layers, everything wrong at once, and the overlay that never kills a trap.

use std::path::{Path, PathBuf};
use trapline_agent::config::{Access, Config, Sources, load, shown};
use trapline_wire::TrapKey;

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    #[expect(clippy::disallowed_methods, reason = "test files need no durability")]
    std::fs::write(&path, text).unwrap();
    path
}

fn complaints(text: &str) -> Vec<String> {
    let problems = Config::from_text("agent.toml", text).unwrap_err();
    problems.to_string().lines().map(str::to_owned).collect()
}

fn key() -> TrapKey {
    TrapKey::from_random(&[7; 25])
}

#[test]
fn everything_wrong_is_said_at_once_with_line_and_remedy() {
    let text = "\
[camera]
folder = \"/pictures\"
deadline = \"soon\"
[schedule]
evry = \"5m\"
windows = [\"5:00-22:00\"]
[server]
url = \"traps.example.org\"
key = \"trapk_wrong\"
[log]
level = \"loud\"
";
    let said = complaints(text);
    let begins = [
        "agent.toml:5: unknown key `schedule.evry`; did you mean `schedule.every`?",
        "agent.toml:6: `schedule.windows` needs windows like \"05:00..22:00\"",
        "agent.toml:3: `camera.deadline` needs a duration like \"20m\"",
        "agent.toml:8: `server.url` needs an address like",
        "agent.toml:9: `server.key`: a trap key has the form",
        "agent.toml:11: `log.level` needs one of \"error\", \"warn\"",
    ];
    assert_eq!(said.len(), begins.len(), "{said:#?}");
    for (said, begin) in said.iter().zip(begins) {
        assert!(said.starts_with(begin), "{said}\n{begin}");
    }
}

#[test]
fn a_folder_trap_needs_four_lines() {
    let config = Config::from_text("agent.toml", "[camera]\nfolder = \"/pictures\"\n").unwrap();
    assert!(config.server.is_none());
    assert_eq!(config.schedule.every_ms(), 20 * 60_000);
}

#[test]
fn a_mistyped_key_is_found_before_any_request() {
    let right = key().reveal().to_owned();
    let letter = right.chars().nth(20).unwrap();
    let wrong = if letter == 'a' { "b" } else { "a" };
    let mut typed = right;
    typed.replace_range(20..21, wrong);
    let text = format!(
        "[camera]\nkind = \"none\"\n[server]\nurl = \"http://localhost:1\"\nkey = \"{typed}\"\n"
    );
    let said = complaints(&text);
    assert!(said[0].contains("checksum does not fit"), "{said:?}");
    assert!(!said[0].contains(&typed), "a secret must not be printed");
}

#[test]
fn later_layers_override_and_the_secret_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(
        folder.path(),
        "agent.toml",
        "[camera]\nkind = \"none\"\n[server]\nurl = \"http://a.example\"\n",
    );
    let overlay = write(
        folder.path(),
        "overlay.toml",
        "[schedule]\nevery = \"5m\"\n",
    );
    let variable = ("TRAPLINE_SERVER_KEY".to_owned(), key().reveal().to_owned());
    let sources = Sources {
        file: Some(file),
        overlay: Some(overlay),
        variables: [variable].into(),
        handover: None,
    };
    let loaded = load(&sources).unwrap();
    assert_eq!(loaded.config.schedule.every_ms(), 300_000);
    let access = loaded.config.server.unwrap().access;
    assert_eq!(access, Access::Key(key()));
    let entry = &loaded.entries["server.key"];
    assert_eq!(
        entry.origin.to_string(),
        "environment variable TRAPLINE_SERVER_KEY"
    );
    let shown = shown("server.key", &entry.value);
    assert_eq!(shown, format!("\"{}\"", key()));
    assert!(shown.ends_with("_…\""), "{shown}");
    let every = &loaded.entries["schedule.every"];
    assert!(every.origin.to_string().ends_with("overlay.toml:2"));
}

#[test]
fn what_is_wrong_with_the_card_is_told_to_the_agent() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "agent.toml", "[camera]\nkind = \"none\"\n");
    let sources = Sources {
        file: Some(file),
        handover: Some(folder.path().to_owned()),
        ..Sources::default()
    };
    assert_eq!(load(&sources).unwrap().card_fault, None, "no card was read");
    let handed = r#"{"held":"last_good","troubles":[],"problems":[{"line":2,"column":1,
        "message":"`latiude` is no setting of [trap]","remedy":"did you mean `latitude`?"}]}"#;
    write(folder.path(), "handover.json", handed);
    let fault = load(&sources).unwrap().card_fault.unwrap();
    assert_eq!(
        fault,
        "trapline.toml:2:1: `latiude` is no setting of [trap]; did you mean `latitude`?; \
         the settings that were right last hold until this is mended"
    );
    write(folder.path(), "handover.json", "half a fi");
    assert_eq!(load(&sources).unwrap().card_fault, None);
}

#[test]
fn an_unknown_variable_is_a_mistake() {
    let sources = Sources {
        variables: [("TRAPLINE_SERVR_KEY".to_owned(), "x".to_owned())].into(),
        ..Sources::default()
    };
    let said = load(&sources).unwrap_err().to_string();
    assert!(said.contains("did you mean `server.key`?"), "{said}");
}

#[test]
fn a_broken_overlay_never_kills_a_trap() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "[camera]\nkind = \"none\"\n[ledger]\ndir = {:?}\n",
        folder.path().display().to_string()
    );
    let file = write(folder.path(), "agent.toml", &text);
    let sources = |overlay: &str| Sources {
        file: Some(file.clone()),
        overlay: Some(write(folder.path(), "overlay.toml", overlay)),
        ..Sources::default()
    };
    let first = load(&sources("[schedule]\nevery = \"often\"\n")).unwrap();
    assert_eq!(first.config.schedule.every_ms(), 1_200_000);
    assert!(
        first.faults[0].contains("overlay.toml:2: `schedule.every`"),
        "{:?}",
        first.faults
    );
    assert!(first.faults[0].contains("it is left out"));

    let good = load(&sources("[schedule]\nevery = \"7m\"\n")).unwrap();
    let kept = good.overlay.unwrap();
    trapline_agent::config::layers::keep_overlay(folder.path(), &kept).unwrap();
    let broken = load(&sources("every ==\n")).unwrap();
    assert_eq!(broken.config.schedule.every_ms(), 420_000);
    assert!(broken.faults[0].contains("the last settings that passed are used"));
}
