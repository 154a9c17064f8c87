//! `trapline.toml` of one card: a template with the words of one trap put in,
//! remarks and all else left as they are.

use crate::traps::Trap;
use anyhow::{Context as _, Result, ensure};

/// How the file is called on the card.
pub const CARD_FILE: &str = "trapline.toml";
/// What a card without such a file gets.
pub const TEMPLATE: &str = include_str!("../../trapline.toml");

/// The template with the trap's words; lines end as the template's do.
///
/// # Errors
/// When the template is no TOML, or does not take the words.
pub fn fill(template: &str, trap: &Trap) -> Result<String> {
    let mut text = template.replace("\r\n", "\n");
    let _table: toml::Table = text
        .parse()
        .context("the template for trapline.toml is not right")?;
    let settings = [
        ("trap", "name", &trap.name),
        ("trap", "latitude", &trap.latitude),
        ("trap", "longitude", &trap.longitude),
        ("trap", "country", &trap.country),
        ("trap", "time_zone", &trap.time_zone),
        ("server", "url", &trap.server),
        ("server", "token", &trap.token),
        ("hotspot", "password", &trap.hotspot_password),
        ("ssh", "key", &trap.ssh_key),
    ];
    for (section, key, value) in settings {
        if !value.is_empty() {
            text = set(&text, section, key, &quoted(value));
        }
    }
    if !trap.wifi.is_empty() {
        text = text.trim_end().to_owned();
        text.push_str(&format!("\n\n[[wifi]]\nssid = {}\n", quoted(&trap.wifi)));
        if !trap.wifi_password.is_empty() {
            text.push_str(&format!("password = {}\n", quoted(&trap.wifi_password)));
        }
    }
    let table: toml::Table = text
        .parse()
        .context("the template does not take these words")?;
    for (section, key, value) in settings {
        let kept = table.get(section).and_then(|section| section.get(key));
        let is_there = value.is_empty() || kept.is_some();
        ensure!(is_there, "the template's [{section}] does not take `{key}`");
    }
    Ok(text)
}

/// As Windows wants it.
#[must_use]
pub fn for_windows(text: &str) -> Vec<u8> {
    text.replace("\r\n", "\n")
        .replace('\n', "\r\n")
        .into_bytes()
}

/// The settings of a card that labels show.
#[must_use]
pub fn setting(text: &str, section: &str, key: &str) -> Option<String> {
    let table: toml::Table = text.parse().ok()?;
    let value = table.get(section)?.get(key)?;
    Some(
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned),
    )
}

/// Puts a line into a section: over the one that is there, a remark or not, else after its head.
fn set(text: &str, section: &str, key: &str, value: &str) -> String {
    let line = format!("{key} = {value}");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let head = format!("[{section}]");
    let Some(at) = lines.iter().position(|line| line.trim() == head) else {
        return format!("{}\n\n{head}\n{line}\n", text.trim_end());
    };
    let is_head = |line: &String| line.trim_start().starts_with('[');
    let end = lines
        .iter()
        .skip(at + 1)
        .position(is_head)
        .map_or(lines.len(), |more| at + 1 + more);
    let is_key = |line: &str| {
        let line = line.trim_start().trim_start_matches('#').trim_start();
        line.strip_prefix(key)
            .is_some_and(|rest| rest.trim_start().starts_with('='))
    };
    let own = |is_remark: bool| {
        let section = lines.iter().enumerate().take(end).skip(at + 1);
        let mut found = section
            .filter(|(_, line)| is_key(line) && line.trim_start().starts_with('#') == is_remark);
        found.next().map(|(index, _)| index)
    };
    match own(false).or_else(|| own(true)) {
        Some(index) => {
            if let Some(place) = lines.get_mut(index) {
                *place = line;
            }
        }
        None => lines.insert(at + 1, line),
    }
    lines.join("\n") + "\n"
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
