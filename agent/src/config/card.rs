//! `trapline.toml` on the card: the one file that a technician edits, with any
//! editor of any computer. Read leniently in its form, strictly in its words:
//! whatever is wrong is said with line, column and remedy, all of it at once.
//!
//! Everything stands in few sections of its own (`[trap]`, `[server]`,
//! `[[wifi]]`, `[hotspot]`, `[ssh]`); `[agent.…]` takes any setting of the
//! agent. What comes out is checked like the agent's own settings.

mod advice;
pub mod compose;
mod door_keys;
pub mod file;
pub mod handover;
mod reader;
mod text;
mod wifi;

use super::raw::{self, Entries, Origin};
use super::{Config, check};
use reader::Reader;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
pub use wifi::{Hotspot, HotspotUse, SSID_BYTES_MAX, Wifi};

/// How the file is called, on the card and in messages.
pub const CARD_FILE: &str = "trapline.toml";
/// A longer file is no card's.
pub const BYTES_MAX: u64 = 65_536;
/// Lists of problems end here; who mends ten has learned the rest.
const PROBLEMS_MAX: usize = 12;

/// Something wrong with the card's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardProblem {
    /// From 1; `None` when it is about the file as a whole.
    pub line: Option<usize>,
    /// In letters, from 1.
    pub column: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it; empty where the message says it already.
    pub remedy: String,
}

impl CardProblem {
    /// A problem of the file as a whole.
    #[must_use]
    pub fn of_file(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            line: None,
            column: None,
            message: message.into(),
            remedy: remedy.into(),
        }
    }
}

impl fmt::Display for CardProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(CARD_FILE)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(column) = self.column {
            write!(f, ":{column}")?;
        }
        write!(f, ": {}", self.message)?;
        if !self.remedy.is_empty() {
            write!(f, "; {}", self.remedy)?;
        }
        Ok(())
    }
}

/// What the card says, checked.
#[derive(Debug, Clone)]
pub struct Card {
    /// The trap's name, if it has one.
    pub name: Option<String>,
    /// Where its radio works, as two letters.
    pub country: Option<String>,
    /// Networks that it may use, the preferred one first.
    pub wifi: Vec<Wifi>,
    /// The trap's own network.
    pub hotspot: Hotspot,
    /// Public keys that open a shell.
    pub ssh_keys: Vec<String>,
    /// The agent's settings.
    pub config: Config,
    /// The same as the text of an `agent.toml`.
    pub agent_toml: String,
    /// What was not quite as it should be, and was understood all the same.
    pub notes: Vec<String>,
}

/// What holds where a card says nothing.
#[derive(Debug, Clone)]
pub struct Base(Entries);

impl Default for Base {
    fn default() -> Self {
        let known = raw::defaults();
        let built_in = raw::parse(BASE_NAME, BASE_TOML, &known, &mut Vec::new());
        Self(built_in.unwrap_or_default())
    }
}

impl Base {
    /// What is built in, with a board's own settings over it.
    ///
    /// # Errors
    /// What is wrong with the board's settings, in words.
    pub fn new(board: Option<&str>) -> Result<Self, String> {
        let known = raw::defaults();
        let mut problems = Vec::new();
        let Self(mut entries) = Self::default();
        if let Some(text) = board {
            entries.extend(raw::parse("board", text, &known, &mut problems).unwrap_or_default());
        }
        if let Some(problem) = problems.first() {
            return Err(problem.to_string());
        }
        let base = Self(entries);
        match base.check(&Entries::new()) {
            (Some(_), _) => Ok(base),
            (None, problems) => Err(problems
                .first()
                .map(ToString::to_string)
                .unwrap_or_default()),
        }
    }

    fn check(&self, layer: &Entries) -> (Option<Config>, Vec<raw::Problem>) {
        let mut entries = raw::defaults();
        entries.extend(self.0.clone());
        entries.extend(layer.clone());
        check::check(&entries)
    }
}

const BASE_NAME: &str = "built-in settings of the image";
const BASE_TOML: &str = include_str!("card/base.toml");

/// Reads a card's file.
///
/// # Errors
/// Everything that is wrong with it; nothing of it should be used then.
pub fn read(bytes: &[u8], base: &Base) -> Result<Card, Vec<CardProblem>> {
    if bytes.is_empty() {
        return Err(vec![CardProblem::of_file(
            "the file is empty",
            "write it again; a computer may have been unplugged before it had finished",
        )]);
    }
    let (text, notes) = text::decode(bytes).map_err(|problem| vec![problem])?;
    let mut reader = Reader::read(&text)?;
    let (config, problems) = base.check(&reader.agent);
    for problem in problems {
        reader.add_agent_problem(&problem);
    }
    if reader.problems.is_empty()
        && let Some(config) = config
    {
        return Ok(reader.card(base, config, notes));
    }
    Err(reader.sorted_problems())
}

/// Reads a file that was right once, perhaps for an older program: what is wrong now is left
/// out, so that an update does not cut a trap off from its network.
#[must_use]
pub fn read_kept(bytes: &[u8], base: &Base) -> Option<Card> {
    let (text, notes) = text::decode(bytes).ok()?;
    let mut reader = Reader::read(&text).ok()?;
    let (mut config, problems) = base.check(&reader.agent);
    if config.is_none() {
        let wrong: BTreeSet<Origin> = problems.into_iter().map(|p| p.origin).collect();
        reader
            .agent
            .retain(|_, entry| !wrong.contains(&entry.origin));
        config = base.check(&reader.agent).0;
    }
    if config.is_none() {
        reader.agent.clear();
        config = base.check(&reader.agent).0;
    }
    Some(reader.card(base, config?, notes))
}

/// What holds without any card.
#[must_use]
pub fn without_card(base: &Base) -> Option<Card> {
    read(b"#\n", base).ok()
}

#[cfg(test)]
mod tests;
