//! The departure check: whether a trap can be left. A test shot beside the best
//! that this trap ever took, the lamp, the battery while the camera works, clock,
//! card, wake alarm and server; one verdict, on display, LED and for who asked.

mod battery_sag;
mod picture;

use crate::asks::LampUse;
use crate::desk::Desk;
use crate::screen::Verdict;
use crate::selftest::tour::{Found, Tour};
use crate::selftest::{
    Check, card_row, clock_row, look, server_row, take_picture, wake_row, write_rows,
};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// Nobody waits longer at a trap for one step.
const STEP: Duration = Duration::from_secs(60);

/// What the check came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Whether the trap can be left.
    pub verdict: Verdict,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What was looked at.
    pub checks: Vec<Check>,
}

impl Report {
    /// "ready to leave", "leave with care: …" or "not ready: …".
    #[must_use]
    pub fn verdict_line(&self) -> String {
        let findings = |failed: bool| {
            let checks = self.checks.iter().filter(|check| check.is_finding());
            let checks = checks.filter(|check| check.passed != failed);
            let words = checks.map(|check| format!("{}: {}", check.part, check.found));
            words.collect::<Vec<_>>().join("; ")
        };
        match self.verdict {
            Verdict::Ready => "ready to leave".to_owned(),
            Verdict::Care => format!("leave with care: {}", findings(false)),
            Verdict::NotReady => format!("not ready: {}", findings(true)),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_rows(f, &self.checks)?;
        writeln!(f, "{}", self.verdict_line())
    }
}

/// Checks whether the trap can be left. The stages must run, or at least answer
/// asks ([`Agent::visit`](crate::agent::Agent::visit)); nothing is written into the
/// ledger. Two checks at once wait for each other.
pub async fn depart(desk: &Desk) -> Report {
    // A large future, kept off the stack of whoever asks.
    Box::pin(walk(desk)).await
}

async fn walk(desk: &Desk) -> Report {
    let probes = &mut *desk.probes.lock().await;
    let mut tour = Tour::new(desk, 9);
    let before = battery_sag::at_rest(desk, probes).await;
    let mut loaded = None;
    let shot = async {
        let looked = look(desk, LampUse::AsUsual);
        let (frame, lowest) = battery_sag::while_working(desk, probes, looked).await;
        loaded = lowest;
        frame
    };
    let frame = take_picture(desk, &mut tour, shot).await;
    let seen = picture::seen(desk, frame.as_ref()).await;
    if let Some(seen) = &seen {
        let row = picture::sharpness_row(desk, seen);
        tour.step("sharpness", STEP, row).await;
        tour.note("exposure", picture::exposure_row(seen), Duration::ZERO);
    }
    picture::lamp(desk, &mut tour, seen.as_ref()).await;
    let battery = battery_sag::row(desk, before, loaded);
    tour.note("battery", battery, Duration::ZERO);
    tour.note("clock", clock_row(desk), Duration::ZERO);
    tour.step("card", STEP, card_row(desk)).await;
    tour.step("wake", STEP, wake_row(desk, probes)).await;
    let server = async {
        // Without a link everything stays on the card, which is no reason to stay here.
        server_row(desk, probes).await.at_worst_care()
    };
    tour.step("server", STEP, server).await;
    known_faults(desk, &mut tour);
    let (verdict, checks, took_ms) = tour.end();
    Report {
        verdict,
        took_ms,
        checks,
    }
}

/// What the trap complains about anyway and no row above has looked at.
fn known_faults(desk: &Desk, tour: &mut Tour<'_>) {
    const LOOKED_AT: [&str; 9] = [
        "camera", "battery", "charge", "clock", "card", "disk", "wake", "server", "lamp",
    ];
    let faults = desk.health.facts().faults;
    for fault in faults.into_values() {
        if LOOKED_AT.contains(&fault.part.as_str()) {
            continue;
        }
        let (what, remedy) = fault
            .message
            .split_once("; ")
            .unwrap_or((&fault.message, "`trapline-agent selftest` tells more"));
        tour.note(&fault.part, Found::care(what, remedy), Duration::ZERO);
    }
}
