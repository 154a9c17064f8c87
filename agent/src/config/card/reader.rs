//! Goes through the sections of the file and keeps what is right of them.

use super::wifi::{Hotspot, Wifi};
use super::{Base, CARD_FILE, Card, CardProblem, PROBLEMS_MAX, advice, compose, door_keys};
use crate::config::Config;
use crate::config::raw::{self, Entries, Entry, Origin, Problem, Value};
use crate::config::written::parse_offset;
use std::collections::BTreeSet;
use toml::de::{DeTable, DeValue};

/// The sections of the card's own, with their keys.
const KEYS: [&str; 10] = [
    "trap.name",
    "trap.latitude",
    "trap.longitude",
    "trap.country",
    "trap.time_zone",
    "server.url",
    "server.token",
    "hotspot.use",
    "hotspot.password",
    "ssh.key",
];
const SECTIONS: [&str; 6] = ["trap", "server", "wifi", "hotspot", "ssh", "agent"];

/// What was found so far.
pub(super) struct Reader<'a> {
    text: &'a str,
    known: Entries,
    pub(super) problems: Vec<CardProblem>,
    /// Settings of the agent by their dotted names.
    pub(super) agent: Entries,
    /// Those of them that stand below `[agent.…]`.
    below_agent: BTreeSet<String>,
    country: Option<String>,
    pub(super) networks: Vec<Wifi>,
    pub(super) hotspot: Hotspot,
    ssh_keys: Vec<String>,
}

impl<'a> Reader<'a> {
    /// Reads the text; what is wrong with its words is in `problems`.
    ///
    /// # Errors
    /// Where it is no TOML.
    pub(super) fn read(text: &'a str) -> Result<Self, Vec<CardProblem>> {
        let (table, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            let mut problems: Vec<CardProblem> = Vec::new();
            for error in errors {
                let at = error.span().map_or(0, |span| span.start);
                let problem = advice::of_toml(text, at, error.message());
                // A line that is broken once breaks its parser several times.
                if problems.iter().all(|known| known.line != problem.line) {
                    problems.push(problem);
                }
            }
            problems.sort_by_key(|problem| (problem.line, problem.column));
            problems.truncate(PROBLEMS_MAX);
            return Err(problems);
        }
        let mut reader = Self {
            text,
            known: raw::defaults(),
            problems: Vec::new(),
            agent: Entries::new(),
            below_agent: BTreeSet::new(),
            country: None,
            networks: Vec::new(),
            hotspot: Hotspot::default(),
            ssh_keys: Vec::new(),
        };
        reader.sections(table.get_ref());
        Ok(reader)
    }

    pub(super) fn card(self, base: &Base, config: Config, notes: Vec<String>) -> Card {
        let mut entries = base.0.clone();
        let name = self
            .agent
            .get("trap.name")
            .map(|_| config.trap.name.clone());
        entries.extend(self.agent);
        Card {
            name,
            country: self.country,
            wifi: self.networks,
            hotspot: self.hotspot,
            ssh_keys: self.ssh_keys,
            agent_toml: compose::agent_toml(&entries),
            config,
            notes,
        }
    }

    pub(super) fn sorted_problems(mut self) -> Vec<CardProblem> {
        self.problems
            .sort_by_key(|problem| (problem.line, problem.column));
        self.problems.truncate(PROBLEMS_MAX);
        self.problems
    }

    /// What the check of the agent's settings found.
    pub(super) fn add_agent_problem(&mut self, problem: &Problem) {
        let mut message = problem.message.clone();
        for key in &self.below_agent {
            message = message.replace(&format!("`{key}`"), &format!("`agent.{key}`"));
        }
        let message = message
            .replace("`schedule.utc_offset`", "`time_zone`")
            .replace("trapline-agent.toml", CARD_FILE);
        let is_here = *problem.origin.source == *CARD_FILE;
        self.problems.push(CardProblem {
            line: problem.origin.line.filter(|_| is_here),
            column: None,
            message,
            remedy: String::new(),
        });
    }

    fn sections(&mut self, table: &DeTable<'_>) {
        for (name, value) in table {
            let at = name.span().start;
            let name: &str = name.get_ref();
            match (name, value.get_ref()) {
                ("wifi", value) => self.wifi(at, value),
                ("agent", DeValue::Table(table)) => self.agent_section("", table),
                ("trap" | "server" | "hotspot" | "ssh", DeValue::Table(table)) => {
                    self.section(name, table);
                }
                (name, _) if SECTIONS.contains(&name) => {
                    let remedy =
                        format!("write [{name}] on a line of its own, and the settings below it");
                    self.complain(at, format!("`{name}` is a section"), &remedy);
                }
                (name, _) => self.unknown_section(at, name),
            }
        }
    }

    fn unknown_section(&mut self, at: usize, name: &str) {
        let is_agents = self
            .known
            .keys()
            .any(|key| key.split('.').next() == Some(name));
        if is_agents {
            let message = format!("`[{name}]` is a section of the agent");
            return self.complain(at, message, &format!("write [agent.{name}]"));
        }
        let ending = format!(".{name}");
        if let Some(key) = KEYS.iter().find(|key| key.ends_with(&ending)) {
            let section = key.split('.').next().unwrap_or_default();
            let message = format!("`{name}` stands before its section");
            return self.complain(at, message, &format!("move it below the line [{section}]"));
        }
        let near = raw::nearest(name, SECTIONS.iter().chain(&KEYS).copied());
        let remedy = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "the sections are [trap], [server], [[wifi]], [hotspot], [ssh] and [agent.…]"
                .to_owned(),
        };
        self.complain(at, format!("`{name}` is no section or setting"), &remedy);
    }

    fn section(&mut self, section: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let at = name.span().start;
            let key = format!("{section}.{}", name.get_ref());
            let value = value.get_ref();
            match (key.as_str(), value) {
                ("trap.latitude" | "trap.longitude", value) => self.degrees(at, &key, value),
                ("ssh.key", value) => match door_keys::read(value) {
                    Ok(keys) => self.ssh_keys = keys,
                    Err((why, remedy)) => self.complain(at, why, &remedy),
                },
                (known, DeValue::String(text)) if KEYS.contains(&known) => {
                    self.text(at, known, text)
                }
                (known, _) if KEYS.contains(&known) => {
                    let message = format!("`{}` needs a text", name.get_ref());
                    self.complain(at, message, "write it between \"straight quotes\"");
                }
                (key, _) => self.unknown(at, key, &KEYS),
            }
        }
    }

    fn text(&mut self, at: usize, key: &str, text: &str) {
        match key {
            "trap.country" => self.country(at, text),
            "trap.time_zone" if parse_offset(text).is_none() => {
                let message = format!(
                    "`time_zone` needs a difference from UTC like \"+02:00\", not {text:?}"
                );
                self.complain(
                    at,
                    message,
                    "names of zones change with summer time, which a series of pictures must not",
                );
            }
            "trap.time_zone" => self.put(at, "schedule.utc_offset", text),
            "hotspot.use" => self.hotspot_use(at, text),
            "hotspot.password" => self.hotspot.password = self.password(at, text),
            _ => self.put(at, key, text.trim()),
        }
    }

    fn country(&mut self, at: usize, text: &str) {
        let letters = text.trim().to_ascii_uppercase();
        if letters.len() == 2 && letters.bytes().all(|b| b.is_ascii_uppercase()) {
            self.country = Some(letters);
        } else {
            let message = format!("`country` needs two letters, not {text:?}");
            self.complain(at, message, "CH, DE, FR, KE, BR, …");
        }
    }

    fn degrees(&mut self, at: usize, key: &str, value: &DeValue<'_>) {
        let written = match value {
            DeValue::String(text) => text.trim().to_owned(),
            DeValue::Float(number) => number.as_str().replace('_', ""),
            DeValue::Integer(number) => number.as_str().replace('_', ""),
            DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
                return self.complain(
                    at,
                    format!("`{key}` needs degrees"),
                    "write a number with a point, like 47.3769",
                );
            }
        };
        let most = if key == "trap.latitude" { 90.0 } else { 180.0 };
        let degrees = written.parse::<f64>().ok().filter(|d| d.abs() <= most);
        let name = key.rsplit('.').next().unwrap_or(key);
        match degrees {
            Some(_) => self.put(at, key, &written),
            None if written.is_empty() => {}
            None => {
                let message =
                    format!("`{name}` needs degrees between -{most} and {most}, not {written}");
                self.complain(at, message, "write a number with a point, like 47.3769; maps show it when you hold a finger on the spot");
            }
        }
    }

    fn agent_section(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let at = name.span().start;
            let key = match prefix {
                "" => name.get_ref().to_string(),
                _ => format!("{prefix}.{}", name.get_ref()),
            };
            if let DeValue::Table(inner) = value.get_ref() {
                self.agent_section(&key, inner);
                continue;
            }
            let Some(value) = raw::simple(value.get_ref()) else {
                let message = format!("`agent.{key}` has a value that no setting takes");
                self.complain(
                    at,
                    message,
                    "write a text, a whole number, true, false or a list of texts",
                );
                continue;
            };
            if KEYS.contains(&key.as_str()) {
                let section = key.split('.').next().unwrap_or_default().to_owned();
                let message = format!("`agent.{key}` has a place of its own");
                self.complain(at, message, &format!("write it below [{section}]"));
            } else if let Some(why) = raw::complaint(&key, &value, &self.known) {
                let why = why.replace('`', "\u{0}");
                let why = why
                    .replacen('\u{0}', "`agent.", 1)
                    .replace("mean \u{0}", "mean `agent.")
                    .replace('\u{0}', "`");
                self.complain(at, why, "");
            } else {
                self.below_agent.insert(key.clone());
                self.insert(at, &key, value);
            }
        }
    }

    fn put(&mut self, at: usize, key: &str, text: &str) {
        self.insert(at, key, Value::Text(text.to_owned()));
    }

    fn insert(&mut self, at: usize, key: &str, value: Value) {
        let (line, _) = place(self.text, at);
        let origin = Origin {
            source: CARD_FILE.into(),
            line: Some(line),
        };
        self.agent.insert(key.to_owned(), Entry { value, origin });
    }

    pub(super) fn unknown(&mut self, at: usize, key: &str, keys: &[&str]) {
        let (section, name) = key.split_once('.').unwrap_or_default();
        let remedy = match raw::nearest(key, keys.iter().copied()) {
            Some(near) => {
                let (its_section, its_name) = near.split_once('.').unwrap_or_default();
                if its_section == section {
                    format!("did you mean `{its_name}`?")
                } else {
                    format!("did you mean `{its_name}` below [{its_section}]?")
                }
            }
            None => "look into docs/CARD.md for what can be set".to_owned(),
        };
        self.complain(
            at,
            format!("`{name}` is no setting of [{section}]"),
            &remedy,
        );
    }

    pub(super) fn complain(&mut self, at: usize, message: String, remedy: &str) {
        let (line, column) = place(self.text, at);
        self.problems.push(CardProblem {
            line: Some(line),
            column: Some(column),
            message,
            remedy: remedy.to_owned(),
        });
    }
}

/// Line and column, in letters, of a byte; both from 1.
pub(super) fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    (line, column)
}
