//! Where messages go: into the journal with their fields when systemd started
//! us, else to standard error. A message reads alone; the fields are for searching.

use log::kv::{Error, Key, Value, VisitSource};
use log::{LevelFilter, Log, Metadata, Record};
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};
use systemd_journal_logger::{JournalLog, connected_to_journal};

/// Starts logging from `level` on; only the first call counts.
pub fn start(level: LevelFilter) {
    let target: Box<dyn Log> = match connected_to_journal().then(JournalLog::new) {
        Some(Ok(journal)) => Box::new(journal),
        Some(Err(_)) | None => Box::new(StandardError),
    };
    if log::set_boxed_logger(Box::new(Filtered { target })).is_ok() {
        log::set_max_level(level);
    }
}

/// The last messages, for whoever looks at the technician's page; the journal keeps them all.
static RECENT: Mutex<VecDeque<Message>> = Mutex::new(VecDeque::new());
const RECENT_MAX: usize = 120;
const MESSAGE_CHARS_MAX: usize = 300;

/// A message that was logged.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Message {
    /// When, by the system's clock as it was then, UTC in milliseconds since 1970.
    pub unix_ms: i64,
    /// `ERROR` to `TRACE`.
    pub level: &'static str,
    /// What was said.
    pub text: String,
}

/// The last messages, the oldest first.
#[must_use]
pub fn recent() -> Vec<Message> {
    let recent = RECENT.lock().unwrap_or_else(PoisonError::into_inner);
    recent.iter().cloned().collect()
}

fn remember(record: &Record<'_>) {
    let text = record.args().to_string();
    let message = Message {
        unix_ms: jiff::Timestamp::now().as_millisecond(),
        level: record.level().as_str(),
        text: text.chars().take(MESSAGE_CHARS_MAX).collect(),
    };
    let mut recent = RECENT.lock().unwrap_or_else(PoisonError::into_inner);
    if recent.len() >= RECENT_MAX {
        recent.pop_front();
    }
    recent.push_back(message);
}

/// Ours from the chosen level on, other crates' only when they warn.
struct Filtered {
    target: Box<dyn Log>,
}

impl Log for Filtered {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Warn || metadata.target().starts_with("trapline")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            remember(record);
            self.target.log(record);
        }
    }

    fn flush(&self) {
        self.target.flush();
    }
}

struct StandardError;

impl Log for StandardError {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let mut line = format!("{:5} {}", record.level(), record.args());
        let mut fields = Fields(&mut line);
        // Fields that cannot be written are left out; the message stands.
        drop(record.key_values().visit(&mut fields));
        line.push('\n');
        drop(std::io::stderr().lock().write_all(line.as_bytes()));
    }

    fn flush(&self) {}
}

struct Fields<'a>(&'a mut String);

impl<'kvs> VisitSource<'kvs> for Fields<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        write!(self.0, " {key}={value}")?;
        Ok(())
    }
}
