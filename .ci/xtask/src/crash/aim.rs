//! When a kill falls. A random moment mostly meets a program that waits, so most kills are aimed at work: the trap shows
//! by its files that a picture is being written or uploaded.

use crate::chance::Chance;
use crate::process;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Longest life of a program that is killed at any moment.
const LIFE_MS_MAX: u64 = 1_000;
/// How long an aimed kill waits for its moment.
const PATIENCE: Duration = Duration::from_millis(4_000);
/// An aimed kill falls within this time of the sign.
const AFTER_MICROS_MAX: u64 = 20_000;

/// What a kill is aimed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aim {
    /// Any moment of a life, its start included.
    Anywhere,
    /// A picture that is being written on the card.
    Writing,
    /// A picture that is on its way, from the first byte to the receipt.
    Uploading,
}

/// The folders whose files show what goes on.
pub(super) struct Marks {
    unfinished: PathBuf,
    uploads: PathBuf,
}

impl Marks {
    pub(super) fn of(ledger: &Path, data: &Path) -> Self {
        Self {
            unfinished: ledger.join("pictures/tmp"),
            uploads: data.join("uploads"),
        }
    }
}

impl Aim {
    pub(super) fn draw(chance: &mut Chance) -> Self {
        match chance.below(10) {
            0..3 => Self::Anywhere,
            3..6 => Self::Writing,
            _ => Self::Uploading,
        }
    }

    /// Waits for the moment; says whether what was aimed at was seen.
    pub(super) fn wait(self, marks: &Marks, chance: &mut Chance) -> bool {
        let folder = match self {
            Self::Anywhere => {
                process::pause(10 + chance.below(LIFE_MS_MAX));
                return true;
            }
            Self::Writing => &marks.unfinished,
            Self::Uploading => &marks.uploads,
        };
        // What the last kill left behind is no sign of work.
        let before = names(folder);
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if names(folder).iter().any(|name| !before.contains(name)) {
                let after = Duration::from_micros(chance.below(AFTER_MICROS_MAX));
                std::thread::sleep(after);
                return true;
            }
            std::thread::sleep(Duration::from_micros(300));
        }
        false
    }
}

fn names(folder: &Path) -> Vec<std::ffi::OsString> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries
        .filter_map(|entry| Some(entry.ok()?.file_name()))
        .collect()
}

/// What the kills of a run met.
#[derive(Default)]
pub(super) struct Hits {
    agent: Met,
    server: Met,
}

#[derive(Default)]
struct Met {
    anywhere: u32,
    writing: u32,
    uploading: u32,
    /// Aimed kills whose moment did not come.
    missed: u32,
}

impl Hits {
    pub(super) fn of_agent(&mut self, aim: Aim, hit: bool) {
        self.agent.count(aim, hit);
    }

    pub(super) fn of_server(&mut self, aim: Aim, hit: bool) {
        self.server.count(aim, hit);
    }
}

impl Met {
    fn count(&mut self, aim: Aim, hit: bool) {
        let counter = match aim {
            _ if !hit => &mut self.missed,
            Aim::Anywhere => &mut self.anywhere,
            Aim::Writing => &mut self.writing,
            Aim::Uploading => &mut self.uploading,
        };
        *counter += 1;
    }
}

impl fmt::Display for Hits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "kills of the agent: {}", self.agent)?;
        write!(f, "kills of the server: {}", self.server)
    }
}

impl fmt::Display for Met {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.anywhere + self.writing + self.uploading + self.missed;
        write!(
            f,
            "{all}, {} while a picture was written, {} during an upload, {} at any moment, {} aimed in vain",
            self.writing, self.uploading, self.anywhere, self.missed
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kills_are_drawn_of_every_kind_and_counted() {
        let mut chance = Chance::of(1);
        let mut hits = Hits::default();
        for kill in 0..100 {
            hits.of_agent(Aim::draw(&mut chance), kill % 10 > 0);
        }
        let met = &hits.agent;
        assert!(met.anywhere > 10 && met.writing > 10 && met.uploading > 20);
        assert_eq!(met.missed, 10);
        assert!(hits.to_string().starts_with("kills of the agent: 100, "));
    }
}
