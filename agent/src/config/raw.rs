//! One layer as text: its keys, each with its value and line, and what is
//! wrong with the text itself. The embedded defaults are the list of known keys.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use toml::de::{DeTable, DeValue};

/// The embedded defaults: every key that exists, with its documentation.
pub const DEFAULT_TOML: &str = include_str!("../agent.default.toml");
/// How the embedded defaults are called in messages.
pub const DEFAULT_NAME: &str = "built-in default";

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// A file's path, `environment`, or [`DEFAULT_NAME`].
    pub source: Arc<str>,
    /// Line in that file, from 1.
    pub line: Option<usize>,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.source),
            None => f.write_str(&self.source),
        }
    }
}

/// Something wrong with the configuration, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub origin: Origin,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.message)
    }
}

/// A setting's value as it was written.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `"text"`
    Text(String),
    /// `42`
    Whole(i64),
    /// `true`
    Switch(bool),
    /// `["a", "b"]`
    List(Vec<String>),
}

impl Value {
    fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text in quotes",
            Self::Whole(_) => "a whole number",
            Self::Switch(_) => "`true` or `false`",
            Self::List(_) => "a list of texts",
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Whole(number) => write!(f, "{number}"),
            Self::Switch(on) => write!(f, "{on}"),
            Self::List(texts) => write!(f, "{texts:?}"),
        }
    }
}

/// One key of one layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// What was written.
    pub value: Value,
    /// Where.
    pub origin: Origin,
}

/// The keys of one or more layers by their dotted name.
pub type Entries = BTreeMap<String, Entry>;

/// The embedded defaults as entries.
#[must_use]
pub fn defaults() -> Entries {
    entries_of(DEFAULT_NAME, DEFAULT_TOML, &mut Vec::new()).unwrap_or_default()
}

/// The keys of `text`, those that are unknown or of the wrong kind left out and
/// reported; `None` when the text is not TOML at all.
#[must_use]
pub fn parse(
    source: &str,
    text: &str,
    known: &Entries,
    problems: &mut Vec<Problem>,
) -> Option<Entries> {
    let mut entries = entries_of(source, text, problems)?;
    entries.retain(|key, entry| match complaint(key, &entry.value, known) {
        Some(message) => {
            let origin = entry.origin.clone();
            problems.push(Problem { origin, message });
            false
        }
        None => true,
    });
    Some(entries)
}

/// What is wrong with `key` having this value, if anything.
#[must_use]
pub fn complaint(key: &str, value: &Value, known: &Entries) -> Option<String> {
    let Some(expected) = known.get(key) else {
        let hint = match nearest(key, known.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`trapline-agent config show` lists all keys".to_owned(),
        };
        return Some(format!("unknown key `{key}`; {hint}"));
    };
    let same_kind = std::mem::discriminant(value) == std::mem::discriminant(&expected.value);
    (!same_kind).then(|| {
        let (expected, found) = (expected.value.kind(), value.kind());
        format!("`{key}` needs {expected}, but this is {found}")
    })
}

fn entries_of(source: &str, text: &str, problems: &mut Vec<Problem>) -> Option<Entries> {
    let mut reader = Reader {
        source: source.into(),
        text,
        entries: Entries::new(),
        problems,
    };
    match DeTable::parse(text) {
        Ok(table) => reader.table("", table.get_ref()),
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            let message = format!("this is not TOML: {}", error.message());
            reader.complain(at, message);
            return None;
        }
    }
    Some(reader.entries)
}

struct Reader<'a> {
    source: Arc<str>,
    text: &'a str,
    entries: Entries,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let key = match prefix {
                "" => name.get_ref().to_string(),
                _ => format!("{prefix}.{}", name.get_ref()),
            };
            let at = name.span().start;
            if let DeValue::Table(inner) = value.get_ref() {
                self.table(&key, inner);
                continue;
            }
            match simple(value.get_ref()) {
                Some(value) => {
                    let origin = self.origin(at);
                    self.entries.insert(key, Entry { value, origin });
                }
                None => self.complain(
                    at,
                    format!("`{key}` has a value that no setting takes; write a text, a whole number, `true`, `false` or a list of texts"),
                ),
            }
        }
    }

    fn origin(&self, at: usize) -> Origin {
        let before = self.text.as_bytes().iter().take(at);
        let line = 1 + before.filter(|&&byte| byte == b'\n').count();
        let is_file = &*self.source != DEFAULT_NAME;
        Origin {
            source: Arc::clone(&self.source),
            line: is_file.then_some(line),
        }
    }

    fn complain(&mut self, at: usize, message: String) {
        let origin = self.origin(at);
        self.problems.push(Problem { origin, message });
    }
}

/// A value of a kind that settings have.
pub(super) fn simple(value: &DeValue<'_>) -> Option<Value> {
    if let Some(text) = value.as_str() {
        return Some(Value::Text(text.to_owned()));
    }
    if let Some(number) = value.as_integer() {
        let number = i64::from_str_radix(number.as_str(), number.radix()).ok()?;
        return Some(Value::Whole(number));
    }
    if let Some(on) = value.as_bool() {
        return Some(Value::Switch(on));
    }
    let texts = value.as_array()?.iter();
    let texts = texts.map(|item| item.get_ref().as_str().map(str::to_owned));
    texts.collect::<Option<Vec<String>>>().map(Value::List)
}

/// The one of `known` that `key` was probably meant to be.
pub(super) fn nearest<'a>(key: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let known: Vec<&str> = known.collect();
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    let in_other_section = known.iter().find(|name| last(name) == last(key));
    let by_spelling = || {
        let distances = known.iter().map(|name| (edits(key, name), name));
        let (distance, name) = distances.min()?;
        (distance <= 1 + key.len() / 5).then_some(name)
    };
    in_other_section.or_else(by_spelling).copied()
}

/// How many letters must be added, dropped or changed to make `a` into `b`.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, &to) in row.iter_mut().skip(1).zip(&b) {
            let change = diagonal + usize::from(from != to);
            diagonal = *cell;
            left = change.min(left + 1).min(*cell + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        assert_eq!(edits("every", "evry"), 1);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("kitten", "sitting"), 3);
    }

    #[test]
    fn the_defaults_are_toml_with_simple_values() {
        let mut problems = Vec::new();
        let entries = entries_of(DEFAULT_NAME, DEFAULT_TOML, &mut problems).unwrap();
        assert_eq!(problems, []);
        assert!(entries.contains_key("schedule.every"));
    }

    #[test]
    fn a_wrong_key_is_named_with_its_line_and_the_right_one() {
        let mut problems = Vec::new();
        let text = "[schedule]\nevery = 5\nevry = \"1m\"\n[camera]\nurl = \"x\"\n";
        let entries = parse("agent.toml", text, &defaults(), &mut problems);
        assert_eq!(entries, Some(Entries::new()));
        let said: Vec<String> = problems.iter().map(Problem::to_string).collect();
        assert_eq!(
            said,
            [
                "agent.toml:5: unknown key `camera.url`; did you mean `server.url`?",
                "agent.toml:2: `schedule.every` needs a text in quotes, but this is a whole number",
                "agent.toml:3: unknown key `schedule.evry`; did you mean `schedule.every`?",
            ]
        );
    }
}
