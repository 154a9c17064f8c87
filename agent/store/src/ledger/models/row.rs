//! An offered model as a row of the ledger: its columns, its words, and back.

use crate::error::Halt;
use crate::ledger::rows::parse_word;
use rusqlite::{Connection, Row};
use trapline_wire::Sha256;
use trapline_wire::v1::ModelOffer;

/// Columns that [`model_row`] reads, from column 0.
pub(super) const COLUMNS: &str = "seq, id, sha256, size_bytes, manifest_sha256, \
     manifest_size_bytes, state, reason, since_ms, wrong, starts, looks, failures, before";

/// How far an offered model is; the table in `ledger/models.rs` says what each means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelStage {
    /// Its bytes are coming.
    Fetching,
    /// It looks at stored pictures.
    Trying,
    /// It looks at new pictures, watched.
    Probation,
    /// It is the trap's model.
    InUse,
    /// It was the trap's model.
    Kept,
    /// It is not used and not fetched again.
    Refused,
    /// Its offer was taken back.
    Withdrawn,
}

const WORDS: [(&str, ModelStage); 7] = [
    ("fetching", ModelStage::Fetching),
    ("trying", ModelStage::Trying),
    ("probation", ModelStage::Probation),
    ("in_use", ModelStage::InUse),
    ("kept", ModelStage::Kept),
    ("refused", ModelStage::Refused),
    ("withdrawn", ModelStage::Withdrawn),
];

impl ModelStage {
    pub(super) fn word(self) -> &'static str {
        let found = WORDS.iter().find(|(_, stage)| *stage == self);
        found.map_or("refused", |(word, _)| word)
    }
}

/// An offered model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelRow {
    /// Its number in this ledger.
    pub seq: u64,
    /// What was offered.
    pub offer: ModelOffer,
    /// How far it is.
    pub stage: ModelStage,
    /// Why it was refused.
    pub reason: String,
    /// Since when it is so, believed UTC in milliseconds.
    pub since_ms: i64,
    /// Times that all bytes came and were not the right ones.
    pub wrong: u32,
    /// Trials or looks that were started in this stage.
    pub starts: u32,
    /// Looks that went well in this stage.
    pub looks: u32,
    /// Looks that failed in this stage.
    pub failures: u32,
    /// The model before it; `None` for the settings' own.
    pub before: Option<u64>,
}

/// One change of a model's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelStep {
    /// The model's id.
    pub id: String,
    /// The state that it came into.
    pub stage: ModelStage,
    /// Why.
    pub reason: String,
    /// When, believed UTC in milliseconds.
    pub unix_ms: i64,
}

pub(super) fn one(connection: &Connection, seq: u64) -> Result<ModelRow, Halt> {
    let sql = format!("SELECT {COLUMNS} FROM models WHERE seq = ?1");
    let mut statement = connection.prepare(&sql)?;
    Ok(statement.query_row([seq], model_row)?)
}

pub(super) fn model_row(row: &Row<'_>) -> Result<ModelRow, rusqlite::Error> {
    Ok(ModelRow {
        seq: row.get(0)?,
        offer: ModelOffer {
            id: row.get(1)?,
            sha256: Sha256::from_bytes(row.get(2)?),
            size_bytes: row.get(3)?,
            manifest_sha256: Sha256::from_bytes(row.get(4)?),
            manifest_size_bytes: row.get(5)?,
        },
        stage: parse_word(row, 6, stage_of)?,
        reason: row.get(7)?,
        since_ms: row.get(8)?,
        wrong: row.get(9)?,
        starts: row.get(10)?,
        looks: row.get(11)?,
        failures: row.get(12)?,
        before: row.get(13)?,
    })
}

pub(super) fn stage_of(word: &str) -> Option<ModelStage> {
    let found = WORDS.iter().find(|(known, _)| *known == word);
    found.map(|(_, stage)| *stage)
}
