//! The agent's settings as the text of an `agent.toml`, from what image, board and card say.

use crate::config::raw::{Entries, Value};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const HEADER: &str = "\
# Made from trapline.toml on the card at each start; changes here do not last.
# What is not here is as built in: `trapline-agent config show --origin` prints it all.
";

/// The text; each section stands once.
#[must_use]
pub fn agent_toml(entries: &Entries) -> String {
    let mut sections: BTreeMap<&str, Vec<(&str, &Value)>> = BTreeMap::new();
    for (key, entry) in entries {
        if let Some((section, name)) = key.rsplit_once('.') {
            sections
                .entry(section)
                .or_default()
                .push((name, &entry.value));
        }
    }
    let mut text = HEADER.to_owned();
    for (section, settings) in sections {
        let _infallible = write!(text, "\n[{section}]\n");
        for (name, value) in settings {
            let _infallible = writeln!(text, "{name} = {}", written(value));
        }
    }
    text
}

fn written(value: &Value) -> String {
    let text = |text: &String| toml::Value::String(text.clone());
    match value {
        Value::Text(one) => text(one).to_string(),
        Value::Whole(number) => number.to_string(),
        Value::Switch(on) => on.to_string(),
        Value::List(texts) => toml::Value::Array(texts.iter().map(text).collect()).to_string(),
    }
}
