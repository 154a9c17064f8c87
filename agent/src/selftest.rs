//! The self-test: every part once, for real, each with its own row, its time and
//! a remedy. It runs beside the stages and asks the one that holds a device, takes
//! no part in the schedule and writes nothing into the ledger.

pub(crate) mod tour;

mod devices;
mod surroundings;

use crate::desk::Desk;
use crate::screen::Verdict;
use serde::{Deserialize, Serialize};
use std::fmt;
use tour::Tour;

/// All checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Whether nothing failed.
    pub passed: bool,
    /// How long it took, in milliseconds.
    #[serde(default)]
    pub took_ms: u64,
    /// One for each part, in the order of a tour around the trap.
    pub checks: Vec<Check>,
}

/// How a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It works.
    Passed,
    /// It works, but somebody should know something.
    Care,
    /// It does not work.
    Failed,
    /// The trap has none, or it is switched off.
    Absent,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The part, as `camera` or `climate sht3x`.
    pub part: String,
    /// How it is.
    pub outcome: Outcome,
    /// Whether it did not fail.
    pub passed: bool,
    /// What was seen.
    pub found: String,
    /// What to do, when there is something to do.
    pub remedy: Option<String>,
    /// How long it took, in milliseconds.
    #[serde(default)]
    pub took_ms: u64,
}

impl Check {
    /// Whether somebody should read it before leaving.
    #[must_use]
    pub fn is_finding(&self) -> bool {
        matches!(self.outcome, Outcome::Care | Outcome::Failed)
    }

    /// What was seen and what to do about it.
    #[must_use]
    pub fn words(&self) -> String {
        match &self.remedy {
            Some(remedy) => format!("{}; {remedy}", self.found),
            None => self.found.clone(),
        }
    }
}

/// Rows for people: `✓ camera      took a picture of 4056 × 3040 pixels   (2.1 s)`.
pub(crate) fn write_rows(f: &mut fmt::Formatter<'_>, checks: &[Check]) -> fmt::Result {
    let width = checks.iter().map(|check| check.part.chars().count()).max();
    let width = width.unwrap_or(0).max(8);
    for check in checks {
        let mark = match check.outcome {
            Outcome::Passed => "✓",
            Outcome::Care => "!",
            Outcome::Failed => "✗",
            Outcome::Absent => "–",
        };
        let Check { part, found, .. } = check;
        write!(f, "{mark} {part:width$} {found}")?;
        match check.took_ms {
            0 => {}
            took_ms @ 1..1_000 => write!(f, " ({took_ms} ms)")?,
            took_ms => write!(f, " ({}.{} s)", took_ms / 1_000, took_ms / 100 % 10)?,
        }
        writeln!(f)?;
        if let Some(remedy) = &check.remedy {
            writeln!(f, "  {:width$} → {remedy}", "")?;
        }
    }
    Ok(())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_rows(f, &self.checks)?;
        let verdict = if self.passed {
            "Every part of this trap works."
        } else {
            "Not every part of this trap works."
        };
        writeln!(f, "{verdict}")
    }
}

/// Checks every part. The stages must run, or at least answer asks
/// ([`Agent::visit`](crate::agent::Agent::visit)); two checks at once wait for each other.
pub async fn selftest(desk: &Desk) -> Report {
    // A large future, kept off the stack of whoever asks.
    Box::pin(walk(desk)).await
}

async fn walk(desk: &Desk) -> Report {
    let probes = &mut *desk.probes.lock().await;
    let mut tour = Tour::new(desk, 11 + probes.parts.len());
    surroundings::settings(&mut tour, probes);
    let frame = devices::camera(desk, &mut tour).await;
    devices::sensors(desk, &mut tour, probes).await;
    surroundings::card(desk, &mut tour).await;
    surroundings::model(desk, &mut tour, probes, frame).await;
    surroundings::clock(desk, &mut tour);
    surroundings::wake(desk, &mut tour, probes).await;
    surroundings::server(desk, &mut tour, probes).await;
    // Last, because the display has shown this check meanwhile.
    devices::front(desk, &mut tour).await;
    let (verdict, checks, took_ms) = tour.end();
    Report {
        passed: verdict != Verdict::NotReady,
        took_ms,
        checks,
    }
}

pub(crate) use devices::{look, probe_battery, take_picture};
pub(crate) use surroundings::{card_row, clock_row, server_row, wake_row};
