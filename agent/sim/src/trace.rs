//! What happened in a season, line by line, so that two runs can be compared:
//! the same seed must give the same lines, and the first line that differs
//! shows where chance came in from outside.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use trapline_wire::Sha256;

/// The lines of one season.
#[derive(Debug, Default)]
pub struct Trace {
    lines: Mutex<String>,
    /// Where the season is played; error texts name it, and it is another one each time.
    folder: String,
}

impl Trace {
    /// The trace of a season that is played in `folder`, whose name it leaves out.
    #[must_use]
    pub fn of_folder(folder: &Path) -> Self {
        Self {
            lines: Mutex::default(),
            folder: folder.to_string_lossy().into_owned(),
        }
    }

    /// Writes a line; `trap` is 0 for the server.
    pub fn note(&self, now_ms: i64, trap: u32, words: &str) {
        let words = if self.folder.is_empty() {
            words.to_owned()
        } else {
            words.replace(&self.folder, "SEASON")
        };
        let line = format!("{now_ms} {trap} {words}\n");
        self.lock().push_str(&line);
    }

    /// The SHA-256 of all lines.
    #[must_use]
    pub fn digest(&self) -> Sha256 {
        Sha256::of(self.lock().as_bytes())
    }

    /// All lines.
    #[must_use]
    pub fn text(&self) -> String {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first line in which two traces differ, with its number from 1.
#[must_use]
pub fn first_difference(one: &str, other: &str) -> Option<(usize, String, String)> {
    let (mut ones, mut others) = (one.lines(), other.lines());
    for number in 1.. {
        match (ones.next(), others.next()) {
            (None, None) => return None,
            (a, b) if a == b => {}
            (a, b) => {
                let line = |line: Option<&str>| line.unwrap_or("(the end)").to_owned();
                return Some((number, line(a), line(b)));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_season_is_no_part_of_its_trace() {
        let traces = ["/tmp/one", "/tmp/two"].map(|folder| {
            let trace = Trace::of_folder(Path::new(folder));
            trace.note(1, 2, &format!("no space left in {folder}/trap-01/pictures"));
            trace.text()
        });
        assert_eq!(traces[0], "1 2 no space left in SEASON/trap-01/pictures\n");
        assert_eq!(traces[0], traces[1]);
    }

    #[test]
    fn the_first_difference_is_found() {
        let trace = Trace::default();
        trace.note(1, 2, "boots");
        trace.note(3, 2, "cut");
        assert_eq!(first_difference(&trace.text(), &trace.text()), None);
        let found = first_difference(&trace.text(), "1 2 boots\n");
        assert_eq!(
            found,
            Some((2, "3 2 cut".to_owned(), "(the end)".to_owned()))
        );
    }
}
