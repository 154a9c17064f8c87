//! Offered models: what was offered, how far it is, and every step of it.
//!
//! | state | means | leaves it by |
//! |---|---|---|
//! | `fetching` | its bytes are coming | all there and right → `trying`; wrong twice → `refused` |
//! | `trying` | looks at stored pictures beside the model in use | as good → `probation`; not → `refused` |
//! | `probation` | looks at new pictures, the one before stands ready | enough good looks → `in_use`; trouble → `refused` |
//! | `in_use` | the trap's model | another takes over → `kept` |
//! | `kept` | was in use before | the one after it fails → `in_use`; offered again → `fetching` |
//! | `refused` | not used and not fetched again; the reason is kept | – |
//! | `withdrawn` | the offer was taken back before the trap was done | offered again → `fetching` |
//!
//! No row in `probation` or `in_use` means that the settings' own model is used.

mod row;

use crate::error::{Halt, StoreError};
use crate::ledger::rows::parse_word;
use crate::ledger::text::clip;
use crate::ledger::{Ledger, View};
use row::{COLUMNS, model_row, one, stage_of};
use rusqlite::{OptionalExtension as _, Transaction, params};
use trapline_wire::v1::ModelOffer;
use trapline_wire::{CaptureId, Sha256};

pub use row::{ModelRow, ModelStage, ModelStep};

/// Steps that are kept.
const STEPS_MAX: u64 = 1_000;

impl View {
    /// Every model that was ever offered, the last offer first.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) or [`Corrupt`](StoreError::Corrupt).
    pub fn models(&self) -> Result<Vec<ModelRow>, StoreError> {
        self.read(|connection| {
            let sql = format!("SELECT {COLUMNS} FROM models ORDER BY offered DESC");
            let mut statement = connection.prepare(&sql)?;
            let mut rows = statement.query([])?;
            let mut models = Vec::new();
            while let Some(row) = rows.next()? {
                models.push(model_row(row)?);
            }
            Ok(models)
        })
    }

    /// What happened to models, the newest step first.
    ///
    /// # Errors
    /// As [`models`](Self::models).
    pub fn model_steps(&self, limit: u32) -> Result<Vec<ModelStep>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT models.id, model_steps.state, model_steps.reason, unix_ms
                 FROM model_steps JOIN models ON models.seq = model
                 ORDER BY model_steps.seq DESC LIMIT ?1",
            )?;
            let mut rows = statement.query([limit])?;
            let mut steps = Vec::new();
            while let Some(row) = rows.next()? {
                steps.push(ModelStep {
                    id: row.get(0)?,
                    stage: parse_word(row, 1, stage_of)?,
                    reason: row.get(2)?,
                    unix_ms: row.get(3)?,
                });
            }
            Ok(steps)
        })
    }

    /// How long the newest good looks took, in milliseconds: at most `limit` of
    /// this model, and at most `limit` of those before it.
    ///
    /// # Errors
    /// As [`models`](Self::models).
    pub fn looks_took_ms(
        &self,
        model: &ModelRow,
        limit: u32,
    ) -> Result<(Vec<u64>, Vec<u64>), StoreError> {
        self.read(|connection| {
            let took = |comparison: &str| -> Result<Vec<u64>, Halt> {
                let mut statement = connection.prepare(&format!(
                    "SELECT took_ms FROM inspections
                     WHERE (model = ?1 AND model_sha256 = ?2) {comparison} TRUE
                       AND insects IS NOT NULL
                     ORDER BY seq DESC LIMIT ?3"
                ))?;
                let (id, sha256) = (&model.offer.id, model.offer.sha256.as_bytes());
                let rows = statement.query_map(params![id, sha256, limit], |row| row.get(0))?;
                Ok(rows.collect::<Result<_, _>>()?)
            };
            Ok((took("IS")?, took("IS NOT")?))
        })
    }

    /// The newest captures that were looked at and whose picture is on the card, at most `limit`.
    ///
    /// # Errors
    /// As [`models`](Self::models).
    pub fn newest_seen(&self, limit: u32) -> Result<Vec<CaptureId>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT seq FROM captures
                 WHERE inspection = 'seen' AND picture IN ('on_card', 'safe')
                 ORDER BY seq DESC LIMIT ?1",
            )?;
            let rows = statement.query_map([limit], |row| row.get::<_, u64>(0))?;
            let seqs: Vec<u64> = rows.collect::<Result<_, _>>()?;
            Ok(seqs.into_iter().map(|seq| self.capture_id(seq)).collect())
        })
    }
}

impl Ledger {
    /// Takes note of an offer; the same offer again changes nothing. A model that
    /// was refused stays refused, and another one that was on its way is given up.
    ///
    /// # Errors
    /// [`Full`](StoreError::Full) or [`Io`](StoreError::Io) when the card refuses.
    pub fn offer_model(&mut self, offer: &ModelOffer, now_ms: i64) -> Result<ModelRow, StoreError> {
        let newest = self.models()?.into_iter().next();
        if let Some(row) = newest {
            let is_over = matches!(row.stage, ModelStage::Kept | ModelStage::Withdrawn);
            if row.offer.manifest_sha256 == offer.manifest_sha256 && !is_over {
                return Ok(row);
            }
        }
        self.write(|transaction| {
            withdraw(transaction, Some(offer.manifest_sha256), now_ms)?;
            let known = transaction
                .query_row(
                    "SELECT seq, state FROM models WHERE manifest_sha256 = ?1",
                    [offer.manifest_sha256.as_bytes()],
                    |row| Ok((row.get::<_, u64>(0)?, row.get::<_, String>(1)?)),
                )
                .optional()?;
            let number = "(SELECT coalesce(max(offered), 0) + 1 FROM models)";
            let seq = match known {
                None => {
                    let id = clip(&offer.id);
                    transaction.execute(
                        &format!(
                            "INSERT INTO models (id, sha256, size_bytes, manifest_sha256,
                                 manifest_size_bytes, state, since_ms, offered)
                             VALUES (?1, ?2, ?3, ?4, ?5, 'fetching', ?6, {number})"
                        ),
                        params![
                            id,
                            offer.sha256.as_bytes(),
                            offer.size_bytes,
                            offer.manifest_sha256.as_bytes(),
                            offer.manifest_size_bytes,
                            now_ms
                        ],
                    )?;
                    let seq = u64::try_from(transaction.last_insert_rowid()).unwrap_or(0);
                    note_step(transaction, seq, ModelStage::Fetching, "", now_ms)?;
                    seq
                }
                Some((seq, state)) => {
                    transaction.execute(
                        &format!("UPDATE models SET offered = {number} WHERE seq = ?1"),
                        [seq],
                    )?;
                    if state == "kept" || state == "withdrawn" {
                        enter(transaction, seq, ModelStage::Fetching, "", now_ms)?;
                    }
                    seq
                }
            };
            one(transaction, seq)
        })
    }

    /// No offer stands any more: what was on its way is given up. Returns how many.
    ///
    /// # Errors
    /// As [`offer_model`](Self::offer_model).
    pub fn withdraw_models(&mut self, now_ms: i64) -> Result<usize, StoreError> {
        let is_on_its_way =
            |row: &ModelRow| matches!(row.stage, ModelStage::Fetching | ModelStage::Trying);
        if !self.models()?.iter().any(is_on_its_way) {
            return Ok(0);
        }
        self.write(|transaction| withdraw(transaction, None, now_ms))
    }

    /// The model's bytes are all there and right: it may be tried.
    ///
    /// # Errors
    /// As [`offer_model`](Self::offer_model).
    pub fn model_fetched(&mut self, seq: u64, now_ms: i64) -> Result<(), StoreError> {
        self.write(|transaction| enter(transaction, seq, ModelStage::Trying, "", now_ms))
    }

    /// All bytes came and were not the right ones; returns how often that was.
    ///
    /// # Errors
    /// As [`offer_model`](Self::offer_model).
    pub fn model_was_wrong(&mut self, seq: u64) -> Result<u32, StoreError> {
        self.write(|transaction| {
            transaction.execute("UPDATE models SET wrong = wrong + 1 WHERE seq = ?1", [seq])?;
            Ok(one(transaction, seq)?.wrong)
        })
    }

    /// A trial, or a look on probation, is about to start; returns how many were.
    /// Committed before the work, so that one that takes the trap down is counted.
    ///
    /// # Errors
    /// As [`offer_model`](Self::offer_model).
    pub fn model_starts(&mut self, seq: u64) -> Result<u32, StoreError> {
        self.write(|transaction| {
            transaction.execute(
                "UPDATE models SET starts = starts + 1 WHERE seq = ?1",
                [seq],
            )?;
            Ok(one(transaction, seq)?.starts)
        })
    }

    /// A look on probation ended; returns the model with its new counts.
    ///
    /// # Errors
    /// As [`offer_model`](Self::offer_model).
    pub fn model_looked(&mut self, seq: u64, is_good: bool) -> Result<ModelRow, StoreError> {
        self.write(|transaction| {
            transaction.execute(
                "UPDATE models SET looks = looks + ?2, failures = failures + ?3 WHERE seq = ?1",
                params![seq, u32::from(is_good), u32::from(!is_good)],
            )?;
            one(transaction, seq)
        })
    }

    /// The model takes over, on probation; the one before it is kept.
    ///
    /// # Errors
    /// As [`offer_model`](Self::offer_model).
    pub fn switch_model(&mut self, seq: u64, now_ms: i64) -> Result<(), StoreError> {
        self.write(|transaction| {
            let before = transaction
                .query_row(
                    "SELECT seq FROM models WHERE state IN ('probation', 'in_use')",
                    [],
                    |row| row.get::<_, u64>(0),
                )
                .optional()?;
            if let Some(before) = before {
                enter(transaction, before, ModelStage::Kept, "", now_ms)?;
            }
            enter(transaction, seq, ModelStage::Probation, "", now_ms)?;
            transaction.execute(
                "UPDATE models SET before = ?2 WHERE seq = ?1",
                params![seq, before],
            )?;
            Ok(())
        })
    }

    /// The model has proved itself.
    ///
    /// # Errors
    /// As [`offer_model`](Self::offer_model).
    pub fn settle_model(&mut self, seq: u64, now_ms: i64) -> Result<(), StoreError> {
        self.write(|transaction| enter(transaction, seq, ModelStage::InUse, "", now_ms))
    }

    /// The model is not used, now or later; if it was, the one before it is again.
    ///
    /// # Errors
    /// As [`offer_model`](Self::offer_model).
    pub fn refuse_model(&mut self, seq: u64, reason: &str, now_ms: i64) -> Result<(), StoreError> {
        self.write(|transaction| {
            let row = one(transaction, seq)?;
            let was_used = matches!(row.stage, ModelStage::Probation | ModelStage::InUse);
            enter(transaction, seq, ModelStage::Refused, &clip(reason), now_ms)?;
            if let Some(before) = row.before.filter(|_| was_used)
                && one(transaction, before)?.stage == ModelStage::Kept
            {
                enter(transaction, before, ModelStage::InUse, "", now_ms)?;
            }
            Ok(())
        })
    }
}

fn withdraw(
    transaction: &Transaction<'_>,
    except: Option<Sha256>,
    now_ms: i64,
) -> Result<usize, Halt> {
    let mut statement = transaction
        .prepare("SELECT seq, manifest_sha256 FROM models WHERE state IN ('fetching', 'trying')")?;
    let rows = statement.query_map([], |row| {
        Ok((row.get::<_, u64>(0)?, Sha256::from_bytes(row.get(1)?)))
    })?;
    let rows: Vec<_> = rows.collect::<Result<_, _>>()?;
    let others = rows.iter().filter(|(_, sha256)| Some(*sha256) != except);
    let mut withdrawn = 0;
    for (seq, _) in others {
        enter(transaction, *seq, ModelStage::Withdrawn, "", now_ms)?;
        withdrawn += 1;
    }
    Ok(withdrawn)
}

fn enter(
    transaction: &Transaction<'_>,
    seq: u64,
    stage: ModelStage,
    reason: &str,
    now_ms: i64,
) -> Result<(), Halt> {
    transaction.execute(
        "UPDATE models
         SET state = ?2, reason = ?3, since_ms = ?4, starts = 0, looks = 0, failures = 0
         WHERE seq = ?1",
        params![seq, stage.word(), reason, now_ms],
    )?;
    note_step(transaction, seq, stage, reason, now_ms)
}

fn note_step(
    transaction: &Transaction<'_>,
    seq: u64,
    stage: ModelStage,
    reason: &str,
    now_ms: i64,
) -> Result<(), Halt> {
    transaction.execute(
        "INSERT INTO model_steps (model, state, reason, unix_ms) VALUES (?1, ?2, ?3, ?4)",
        params![seq, stage.word(), reason, now_ms],
    )?;
    transaction.execute(
        "DELETE FROM model_steps WHERE seq <= (SELECT max(seq) FROM model_steps) - ?1",
        [STEPS_MAX],
    )?;
    Ok(())
}
