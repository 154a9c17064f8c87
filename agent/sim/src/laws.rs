//! The laws of Trapline, judged from what is left when a season is over.
//!
//! Each law is a function from the evidence of one trap to the places where
//! it is broken. Tests plant a violation of each and see it found.

mod agreement;
pub mod effort;

use crate::evidence::TrapEvidence;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use trapline_store::{PictureState, RecordState};
use trapline_wire::read::CaptureDetail;
use trapline_wire::{CaptureId, Sha256};

/// A law by its short name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Law {
    /// Every admitted capture is on the server exactly once, byte for byte, or
    /// is whole on the card and listed as waiting.
    NothingLost,
    /// The server has no capture that the trap never admitted, and the trap
    /// none that its camera never took.
    NothingInvented,
    /// Every planned shot ended as done or missed with a reason, exactly once,
    /// spans without power counted in.
    EveryShot,
    /// Nothing was removed from a card without a receipt.
    NoBlindDeletion,
    /// Ledger and server agree on every record that the server has taken.
    Agreement,
    /// Record numbers have no gaps.
    NoGaps,
    /// A receipt's hash is that of the file that the server serves.
    TrueReceipts,
    /// After hours of good weather nothing waits any more.
    GetsThrough,
}

/// All laws in the order in which they are shown.
pub const ALL: [Law; 8] = [
    Law::NothingLost,
    Law::NothingInvented,
    Law::EveryShot,
    Law::NoBlindDeletion,
    Law::Agreement,
    Law::NoGaps,
    Law::TrueReceipts,
    Law::GetsThrough,
];

impl Law {
    /// The law in a sentence.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::NothingLost => "every capture is on the server once, byte for byte, or waits",
            Self::NothingInvented => "no capture that no camera took or no trap admitted",
            Self::EveryShot => "every planned shot is done or missed, exactly once",
            Self::NoBlindDeletion => "nothing removed from a card without a receipt",
            Self::Agreement => "ledger and server agree, record for record",
            Self::NoGaps => "record numbers without gaps",
            Self::TrueReceipts => "receipts name the hash of the stored file",
            Self::GetsThrough => "nothing waits after hours of good weather",
        }
    }
}

/// A place where a law is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The law.
    pub law: Law,
    /// The trap.
    pub trap: String,
    /// What is wrong, with the record's id.
    pub what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} on {}: {}", self.law, self.trap, self.what)
    }
}

/// Every place where a law is broken.
#[must_use]
pub fn judge(traps: &[TrapEvidence]) -> Vec<Broken> {
    let mut broken = Vec::new();
    for trap in traps {
        let court = Court::new(trap);
        for law in ALL {
            let found = match law {
                Law::NothingLost => court.nothing_lost(),
                Law::NothingInvented => court.nothing_invented(),
                Law::EveryShot => effort::every_shot(trap),
                Law::NoBlindDeletion => court.no_blind_deletion(),
                Law::Agreement => court.agreement(),
                Law::NoGaps => court.no_gaps(),
                Law::TrueReceipts => court.true_receipts(),
                Law::GetsThrough => court.gets_through(),
            };
            broken.extend(found.into_iter().map(|what| Broken {
                law,
                trap: trap.name.clone(),
                what,
            }));
        }
    }
    broken
}

struct Court<'a> {
    trap: &'a TrapEvidence,
    on_server: BTreeMap<CaptureId, Vec<&'a CaptureDetail>>,
}

impl<'a> Court<'a> {
    fn new(trap: &'a TrapEvidence) -> Self {
        let mut on_server: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for detail in &trap.server.captures {
            on_server.entry(detail.summary.id).or_default().push(detail);
        }
        Self { trap, on_server }
    }

    fn served(&self, id: CaptureId) -> Option<&(Sha256, u64)> {
        self.trap.server.pictures.get(&id)
    }

    fn nothing_lost(&self) -> Vec<String> {
        let mut found = Vec::new();
        for row in &self.trap.captures {
            let (id, picture) = (row.record.id, &row.record.picture);
            let copies = self.on_server.get(&id).map_or(0, Vec::len);
            let is_told = row.record_state != RecordState::Waiting;
            if copies > 1 || (is_told && copies == 0) {
                found.push(format!("capture {id} is on the server {copies} times"));
            }
            let is_served = self.served(id) == Some(&(picture.sha256, picture.size_bytes));
            let is_on_card = self.trap.card.get(&id) == Some(&Ok(picture.sha256));
            let is_kept = match &row.picture {
                PictureState::Safe | PictureState::Pruned => is_served,
                PictureState::OnCard => is_on_card,
                PictureState::Damaged(_) => false,
            };
            if !is_kept {
                found.push(format!(
                    "the picture of capture {id} is {:?}, served as {:?}, on the card as {:?}",
                    row.picture,
                    self.served(id),
                    self.trap.card.get(&id),
                ));
            }
        }
        found
    }

    fn nothing_invented(&self) -> Vec<String> {
        let mut found = Vec::new();
        let known: BTreeSet<CaptureId> =
            self.trap.captures.iter().map(|row| row.record.id).collect();
        for id in self.on_server.keys().filter(|id| !known.contains(id)) {
            found.push(format!(
                "the server has capture {id}, which the trap never admitted"
            ));
        }
        for row in &self.trap.captures {
            if !self.trap.film.has(&row.record.picture.sha256) {
                let id = row.record.id;
                found.push(format!("no camera took the picture of capture {id}"));
            }
        }
        found
    }

    fn no_blind_deletion(&self) -> Vec<String> {
        let mut found = Vec::new();
        for row in &self.trap.captures {
            let id = row.record.id;
            let is_gone = row.picture == PictureState::Pruned
                || !matches!(self.trap.card.get(&id), Some(Ok(_)));
            let has_receipt = row.received_ms.is_some();
            if is_gone && !(has_receipt && self.served(id).is_some()) {
                found.push(format!(
                    "the picture of capture {id} is gone without a receipt"
                ));
            }
        }
        found
    }

    fn no_gaps(&self) -> Vec<String> {
        let trap = self.trap;
        let mut found = Vec::new();
        let mut check = |kind: &str, numbers: Vec<u64>| {
            for (number, expected) in numbers.iter().zip(1..) {
                if *number != expected {
                    found.push(format!("{kind} {number} comes where {expected} should"));
                    return;
                }
            }
        };
        check(
            "capture",
            trap.captures.iter().map(|row| row.record.id.seq).collect(),
        );
        check(
            "effort",
            trap.efforts.iter().map(|row| row.record.id.seq).collect(),
        );
        check(
            "reading",
            trap.readings.iter().map(|row| row.record.id.seq).collect(),
        );
        found
    }

    fn true_receipts(&self) -> Vec<String> {
        let mut found = Vec::new();
        for row in &self.trap.captures {
            let (id, picture) = (row.record.id, &row.record.picture);
            let Some(received_ms) = row.received_ms else {
                continue;
            };
            let detail = self.on_server.get(&id).and_then(|list| list.first());
            let stored_ms = detail.and_then(|detail| detail.stored_ms);
            if stored_ms != Some(received_ms) {
                found.push(format!(
                    "the receipt of capture {id} says {received_ms}, the server {stored_ms:?}"
                ));
            }
            if self.served(id) != Some(&(picture.sha256, picture.size_bytes)) {
                found.push(format!(
                    "there is a receipt for {} of capture {id}, the server serves {:?}",
                    picture.sha256,
                    self.served(id)
                ));
            }
        }
        found
    }

    fn gets_through(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut check = |kind: &str, id: String, state: &RecordState| {
            if *state == RecordState::Waiting {
                found.push(format!("{kind} {id} still waits"));
            }
        };
        for row in &self.trap.captures {
            let id = row.record.id;
            check("capture", id.to_string(), &row.record_state);
            if row.picture == PictureState::OnCard {
                check(
                    "the picture of capture",
                    id.to_string(),
                    &RecordState::Waiting,
                );
            }
            let looks = self.trap.inspections.get(&id);
            for look in looks.into_iter().flatten() {
                check(
                    "an inspection of capture",
                    id.to_string(),
                    &look.record_state,
                );
            }
            if looks.is_none_or(Vec::is_empty) {
                check(
                    "the inspection itself of capture",
                    id.to_string(),
                    &RecordState::Waiting,
                );
            }
        }
        for row in &self.trap.efforts {
            check("effort", row.record.id.to_string(), &row.record_state);
        }
        for row in &self.trap.readings {
            check("reading", row.record.id.to_string(), &row.record_state);
        }
        for row in &self.trap.tracks {
            check("track", row.record.id.to_string(), &row.record_state);
        }
        found
    }
}
