//! What a lamp's owner and its guard say to each other: one line each way.
//!
//! No times but durations cross the pipe, so the two need no common clock.

use crate::error::FaultKind;
use crate::lines::Level;

/// A longer line is nothing that either of them says.
pub(super) const LINE_BYTES_MAX: usize = 512;

/// What the owner asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    On { level: Level, max_on_ms: u64 },
    Off,
}

/// What the guard says: one [`Reply::Ready`] or fault at first, then one line for each command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// It has the line, and the lamp is dark.
    Ready { dims: bool },
    /// Done; `by_limit` when the maximum on-time had put the lamp out since the last command.
    Done { by_limit: bool },
    /// Not done.
    Fault { kind: FaultKind, message: String },
}

const KINDS: [(&str, FaultKind); 4] = [
    ("absent", FaultKind::Absent),
    ("busy", FaultKind::Busy),
    ("transient", FaultKind::Transient),
    ("broken", FaultKind::Broken),
];

impl Command {
    pub(super) fn to_line(self) -> String {
        match self {
            Self::On { level, max_on_ms } => format!("on {} {max_on_ms}\n", level.permille()),
            Self::Off => "off\n".to_owned(),
        }
    }

    pub(super) fn from_line(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["off"] => Some(Self::Off),
            ["on", level, max_on_ms] => Some(Self::On {
                level: Level::new(level.parse().ok()?)?,
                max_on_ms: max_on_ms.parse().ok()?,
            }),
            _ => None,
        }
    }
}

impl Reply {
    pub(super) fn to_line(&self) -> String {
        match self {
            Self::Ready { dims: true } => "ready dims\n".to_owned(),
            Self::Ready { dims: false } => "ready switches\n".to_owned(),
            Self::Done { by_limit: false } => "done\n".to_owned(),
            Self::Done { by_limit: true } => "done by-limit\n".to_owned(),
            Self::Fault { kind, message } => {
                let word = KINDS.iter().find(|(_, known)| known == kind);
                let word = word.map_or("broken", |(word, _)| word);
                let message: String = message.chars().filter(|c| !c.is_control()).collect();
                // A character is at most four bytes, so the line stays within its limit.
                let message: String = message.chars().take(LINE_BYTES_MAX / 4 - 8).collect();
                format!("fault {word} {message}\n")
            }
        }
    }

    pub(super) fn from_line(line: &str) -> Option<Self> {
        match line {
            "ready dims" => return Some(Self::Ready { dims: true }),
            "ready switches" => return Some(Self::Ready { dims: false }),
            "done" => return Some(Self::Done { by_limit: false }),
            "done by-limit" => return Some(Self::Done { by_limit: true }),
            _ => {}
        }
        let (word, message) = line.strip_prefix("fault ")?.split_once(' ')?;
        let (_, kind) = KINDS.iter().find(|(known, _)| *known == word)?;
        Some(Self::Fault {
            kind: *kind,
            message: message.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_comes_back_as_it_went() {
        let dim = Level::new(250).unwrap();
        for command in [
            Command::Off,
            Command::On {
                level: dim,
                max_on_ms: 5_000,
            },
        ] {
            let line = command.to_line();
            assert_eq!(Command::from_line(line.trim_end()), Some(command));
        }
        let fault = Reply::Fault {
            kind: FaultKind::Busy,
            message: "GPIO17 is held by \"a fan\"".to_owned(),
        };
        for reply in [
            Reply::Ready { dims: true },
            Reply::Ready { dims: false },
            Reply::Done { by_limit: true },
            Reply::Done { by_limit: false },
            fault,
        ] {
            let line = reply.to_line();
            assert_eq!(Reply::from_line(line.trim_end()), Some(reply));
        }
    }

    #[test]
    fn what_is_cut_or_foreign_is_no_command() {
        for line in [
            "",
            "o",
            "on",
            "on 1000",
            "on 1001 5",
            "on 1000 -5",
            "on 1000 5 5",
            "OFF",
            "running 1 test",
        ] {
            assert_eq!(Command::from_line(line), None, "{line}");
        }
    }

    #[test]
    fn a_long_complaint_is_cut_to_one_line() {
        let reply = Reply::Fault {
            kind: FaultKind::Broken,
            message: format!("two\nlines and {}", "ü".repeat(1_000)),
        };
        let line = reply.to_line();
        assert!(line.len() <= LINE_BYTES_MAX && line.lines().count() == 1);
        assert!(Reply::from_line(line.trim_end()).is_some());
    }
}
