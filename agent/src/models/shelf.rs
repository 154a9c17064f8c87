//! All models of a trap as `trapline-agent models` shows them, read beside the
//! running agent. The JSON only ever gains fields.

use super::carried::{Carried, built_in_model};
use crate::config::Config;
use crate::moment::utc_text;
use anyhow::Context as _;
use serde::Serialize;
use std::fmt;
use std::sync::Arc;
use trapline_store::{ModelStage, OsDisk, StoreError, View};
use trapline_wire::v1::ModelState;

/// Steps of offered models that are shown.
const STEPS: u32 = 20;

/// The models of a trap.
#[derive(Debug, Clone, Serialize)]
pub struct Shelf {
    /// Built in, from the technician's folder, and offered, in this order.
    pub models: Vec<Entry>,
    /// Why the technician's folder cannot be read.
    pub trouble: Option<String>,
    /// What happened to offered models, the newest first.
    pub steps: Vec<StepShown>,
}

/// One model.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// Where it comes from: `built_in`, `folder` or `offered`.
    pub from: &'static str,
    /// Its id, or the manifest's path when that cannot be read.
    pub id: String,
    /// SHA-256 of the model file.
    pub sha256: Option<String>,
    /// The card it is for.
    pub card: Option<String>,
    /// What it is doing, or why it cannot.
    pub state: String,
    /// Whether it looks at new pictures.
    pub is_in_use: bool,
}

/// One step of an offered model.
#[derive(Debug, Clone, Serialize)]
pub struct StepShown {
    /// When, believed UTC in milliseconds.
    pub unix_ms: i64,
    /// The model's id.
    pub id: String,
    /// What it came to.
    pub state: &'static str,
    /// Why.
    pub reason: String,
}

impl Shelf {
    /// Reads settings, folder and ledger.
    ///
    /// # Errors
    /// When there is a ledger and it cannot be read.
    pub fn read(config: &Config) -> anyhow::Result<Self> {
        let (rows, steps) = match View::open(&config.ledger.dir, Arc::new(OsDisk)) {
            Ok(view) => (view.models()?, view.model_steps(STEPS)?),
            Err(StoreError::NoLedger { .. }) => (Vec::new(), Vec::new()),
            Err(error) => return Err(error).context("cannot read the ledger"),
        };
        let is_used = |stage| matches!(stage, ModelStage::Probation | ModelStage::InUse);
        let is_pinned = super::is_pinned(config);
        let none_offered = !rows.iter().any(|row| is_used(row.stage));
        let (id, sha256) = built_in_model();
        let mut models = vec![Entry {
            from: "built_in",
            id,
            sha256: Some(sha256.to_string()),
            card: None,
            state: "ready".to_owned(),
            is_in_use: !is_pinned && none_offered,
        }];
        let (carried, trouble) = carried(config);
        models.extend(carried);
        models.extend(rows.into_iter().map(|row| Entry {
            from: "offered",
            id: row.offer.id,
            sha256: Some(row.offer.sha256.to_string()),
            card: None,
            state: if row.reason.is_empty() {
                stage_words(row.stage).to_owned()
            } else {
                format!("{}: {}", stage_words(row.stage), row.reason)
            },
            is_in_use: !is_pinned && is_used(row.stage),
        }));
        Ok(Self {
            models,
            trouble,
            steps: steps
                .into_iter()
                .map(|step| StepShown {
                    unix_ms: step.unix_ms,
                    id: step.id,
                    state: stage_words(step.stage),
                    reason: step.reason,
                })
                .collect(),
        })
    }
}

/// What the technician brought, and what is wrong with the folder.
fn carried(config: &Config) -> (Vec<Entry>, Option<String>) {
    let detector = &config.detector;
    let carried = Carried::of(config);
    let mut models: Vec<Entry> = carried
        .found
        .into_iter()
        .map(|found| match found.says {
            Ok(manifest) => Entry {
                from: "folder",
                is_in_use: detector.model.as_ref() == Some(&manifest.id),
                id: manifest.id,
                sha256: Some(manifest.sha256),
                card: manifest.card,
                state: "ready".to_owned(),
            },
            Err(why) => Entry {
                from: "folder",
                id: found.manifest.display().to_string(),
                sha256: None,
                card: None,
                state: why,
                is_in_use: false,
            },
        })
        .collect();
    if let Some(manifest) = &detector.manifest {
        models.push(Entry {
            from: "folder",
            id: manifest.display().to_string(),
            sha256: None,
            card: None,
            state: "named by `detector.manifest`".to_owned(),
            is_in_use: true,
        });
    }
    (models, carried.trouble)
}

impl fmt::Display for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for model in &self.models {
            let mark = if model.is_in_use { "*" } else { " " };
            let from = match model.from {
                "built_in" => "built in",
                other => other,
            };
            writeln!(f, "{mark} {:20}  {from:8}  {}", model.id, model.state)?;
        }
        if let Some(trouble) = &self.trouble {
            writeln!(f, "{trouble}")?;
        }
        for step in &self.steps {
            let when = utc_text(step.unix_ms);
            write!(f, "{when}  {}: {}", step.id, step.state)?;
            if !step.reason.is_empty() {
                write!(f, ", {}", step.reason)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

fn stage_words(stage: ModelStage) -> &'static str {
    match stage {
        ModelStage::Fetching => "fetching",
        ModelStage::Trying => "trying on stored pictures",
        ModelStage::Probation => "in use, on probation",
        ModelStage::InUse => "in use",
        ModelStage::Kept => "was in use before",
        ModelStage::Refused => "refused",
        ModelStage::Withdrawn => "offer taken back",
    }
}

/// How far an offered model is, in words.
#[must_use]
pub fn state_words(state: &ModelState) -> String {
    match state {
        ModelState::Fetching {
            done_bytes,
            size_bytes,
        } => format!(
            "fetching, {} %",
            done_bytes.saturating_mul(100) / (*size_bytes).max(1)
        ),
        ModelState::Trying => "trying it on stored pictures".to_owned(),
        ModelState::Probation { pictures_left } => {
            format!("in use, {pictures_left} pictures left to prove itself")
        }
        ModelState::InUse => "in use".to_owned(),
        ModelState::Refused { reason } => format!("refused: {reason}"),
    }
}
