//! What the reader of the card hands to the agent that starts after it: which
//! settings hold, and what is wrong with the card's. In memory, gone with the boot.

use super::CardProblem;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;

/// Where it lies on a trap.
pub const RUN_DIR: &str = "/run/trapline-card";
/// The file in it, for everybody to read.
pub const HANDOVER_FILE: &str = "handover.json";

/// Which settings hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// The card's.
    Card,
    /// Those of the card when it was right last.
    LastGood,
    /// The built-in ones.
    #[default]
    BuiltIn,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Card => "the settings of the card hold",
            Self::LastGood => "the settings that were right last hold until this is mended",
            Self::BuiltIn => "the built-in settings hold until this is mended",
        })
    }
}

/// The file's content.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handover {
    /// Which settings hold.
    pub held: Held,
    /// What is wrong with the card's.
    pub problems: Vec<CardProblem>,
    /// What could not be done with right ones.
    pub troubles: Vec<String>,
}

impl Handover {
    /// What was handed over in the folder `run`, if anything was.
    #[must_use]
    pub fn read(run: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(run.join(HANDOVER_FILE)).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// The fault that the agent shows, `None` when all is well.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        let problems = self.problems.iter().map(ToString::to_string);
        let mut said: Vec<String> = problems.chain(self.troubles.iter().cloned()).collect();
        if said.is_empty() {
            return None;
        }
        if !self.problems.is_empty() {
            said.push(self.held.to_string());
        }
        Some(said.join("; "))
    }
}
