//! Looking at the settings.

use super::EXIT_CONFIG;
use super::print::say;
use crate::config::{Loaded, shown};
use std::process::ExitCode;

pub(super) fn check(loaded: &Loaded) -> anyhow::Result<ExitCode> {
    if loaded.faults.is_empty() {
        say("The settings are right.\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!(
        "The overlay is wrong:\n{}\n",
        loaded.faults.join("\n")
    ))?;
    Ok(ExitCode::from(EXIT_CONFIG))
}

pub(super) fn show(loaded: &Loaded, with_origin: bool) -> anyhow::Result<()> {
    let mut text = String::new();
    for (key, entry) in &loaded.entries {
        let value = shown(key, &entry.value);
        text.push_str(&format!("{key} = {value}"));
        if with_origin {
            text.push_str(&format!("  # {}", entry.origin));
        }
        text.push('\n');
    }
    for fault in &loaded.faults {
        text.push_str(&format!("# {fault}\n"));
    }
    say(&text)
}
