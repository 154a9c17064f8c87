//! The models that a trap carries, and which of them looks at its pictures.
//!
//! There is the built-in one, those that a technician put into
//! `detector.models_dir`, and those that came from the server. The settings
//! win: with `detector.manifest` or `detector.model` the trap uses that one
//! and declines offers. Otherwise it uses the offered model that proved itself
//! last, or the built-in one.
//!
//! ```text
//! sync reply: offer ─► fetch (pieces, proved) ─► trial on stored pictures ─► probation on new ones ─► in use
//!                        │ wrong bytes, wrong      │ fails, or is slower       │ fails twice, or is slower
//!                        ▼ manifest                ▼                           ▼
//!                      refused, and remembered; the model before goes on, its files were never touched
//! ```
//!
//! Every step is a row of the ledger before anything follows from it, so a
//! power cut anywhere repeats at most the step that it cut. A model that takes
//! the trap down is counted before each start, and refused after a few.
//! `facts.model_offer` is what heartbeat, status and the server say of it.

pub mod carried;
pub mod fetch;
pub mod judge;
pub mod shelf;
pub mod trial;

use crate::config::Config;
use crate::desk::Desk;
use crate::stage::StageError;
use carried::Carried;
use std::path::PathBuf;
use trapline_store::{Ledger, ModelFile, ModelRow, ModelStage, StoreError, View};
use trapline_wire::Sha256;
use trapline_wire::v1::{ModelAnswer, ModelOffer, ModelState};

/// The part under which trouble with offered models is filed.
pub const PART: &str = "model";
/// A model on probation that was started so often without an end takes the trap down.
const UNENDED_MAX: u32 = 3;
/// Looks that a model's time is taken from.
const LOOKS_TIMED: u32 = 20;

/// The model that is to look at pictures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// Its manifest; `None` for the built-in model.
    pub manifest: Option<PathBuf>,
    /// Its row, if the server offered it.
    pub offered: Option<u64>,
    /// The id that it was offered under.
    pub id: Option<String>,
    /// SHA-256 of the model file that was proved, if it was.
    pub sha256: Option<Sha256>,
    /// Whether it is watched until it has proved itself.
    pub on_probation: bool,
    /// Why the model that the settings name is not there.
    pub trouble: Option<String>,
}

/// How a look on probation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The whole picture was looked at.
    Well,
    /// The picture could not be looked at by anybody.
    NoPicture,
    /// The model crashed, hung, or was stopped.
    Failed,
}

/// The model that the settings or the ledger choose now.
///
/// # Errors
/// What the ledger says.
pub async fn choice(desk: &Desk) -> Result<Choice, StageError> {
    if let Some(manifest) = pinned(&desk.config) {
        let (manifest, trouble) = match manifest {
            Ok(manifest) => (Some(manifest), None),
            Err(why) => (None, Some(why)),
        };
        return Ok(Choice {
            manifest,
            trouble,
            ..Choice::default()
        });
    }
    desk.books.with(|ledger| current(ledger)).await
}

fn is_pinned(config: &Config) -> bool {
    config.detector.manifest.is_some() || config.detector.model.is_some()
}

/// The model that the settings name, or why it is not there; `None` when they name none.
fn pinned(config: &Config) -> Option<Result<PathBuf, String>> {
    let detector = &config.detector;
    if let Some(manifest) = &detector.manifest {
        return Some(Ok(manifest.clone()));
    }
    let id = detector.model.as_deref()?;
    Some(Carried::of(config).named(id))
}

fn current(ledger: &Ledger) -> Result<Choice, StoreError> {
    let is_current =
        |row: &&ModelRow| matches!(row.stage, ModelStage::Probation | ModelStage::InUse);
    let models = ledger.models()?;
    Ok(match models.iter().find(is_current) {
        Some(row) => of_row(ledger, row),
        None => Choice::default(),
    })
}

/// The choice of an offered model.
fn of_row(view: &View, row: &ModelRow) -> Choice {
    let is_built_in = row.offer.manifest_sha256 == carried::built_in_sha256();
    Choice {
        manifest: (!is_built_in).then(|| view.model_manifest(row)),
        offered: Some(row.seq),
        id: Some(row.offer.id.clone()),
        sha256: Some(row.offer.sha256),
        on_probation: row.stage == ModelStage::Probation,
        trouble: None,
    }
}

/// A sync reply came, with or without an offer.
///
/// # Errors
/// What the ledger says.
pub async fn heard(desk: &Desk, offer: Option<&ModelOffer>) -> Result<(), StageError> {
    let now_ms = desk.clock.stamp().unix_ms;
    let Some(offer) = offer.cloned() else {
        let withdrawn = desk
            .books
            .with(move |ledger| ledger.withdraw_models(now_ms))
            .await?;
        if withdrawn > 0 {
            log::info!("the server took its offer of a model back");
            desk.health.note(|facts| facts.model_offer = None);
            desk.health.clear(PART);
        }
        return Ok(());
    };
    if is_pinned(&desk.config) {
        decline(desk, offer, now_ms);
        return Ok(());
    }
    if !desk.config.detector.enabled {
        return Ok(());
    }
    let (row, was_new) = desk
        .books
        .with(move |ledger| {
            let before = ledger.models()?.into_iter().next();
            let row = ledger.offer_model(&offer, now_ms)?;
            let was_new =
                before.is_none_or(|before| before.seq != row.seq || before.stage != row.stage);
            Ok((row, was_new))
        })
        .await?;
    if was_new {
        let id = row.offer.id.as_str();
        log::info!(model = id; "the server offers the model {id}");
        desk.health.clear(PART);
        tell(desk).await?;
    }
    Ok(())
}

/// The settings name a model: the server is told so, and nothing is fetched.
fn decline(desk: &Desk, offer: ModelOffer, now_ms: i64) {
    let known = desk.health.facts().model_offer;
    if known.is_some_and(|answer| answer.manifest_sha256 == offer.manifest_sha256) {
        return;
    }
    let id = offer.id.as_str();
    log::info!(model = id; "the offered model {id} is declined: the settings name one");
    desk.health.note(|facts| {
        facts.model_offer = Some(ModelAnswer {
            id: offer.id,
            manifest_sha256: offer.manifest_sha256,
            state: ModelState::Refused {
                reason: "the trap's settings name its model (`detector.manifest` or \
                         `detector.model`)"
                    .to_owned(),
            },
            since_ms: now_ms,
        });
    });
    desk.health.announce();
}

/// Writes down what became of the last offer, for heartbeat and status.
///
/// # Errors
/// What the ledger says.
pub async fn note(desk: &Desk) -> Result<(), StageError> {
    if is_pinned(&desk.config) {
        return Ok(());
    }
    let probation = desk.config.detector.probation_pictures;
    let answer = desk
        .books
        .with(move |ledger| answer(ledger, probation))
        .await?;
    desk.health.note(|facts| facts.model_offer = answer);
    Ok(())
}

/// Writes it down, and lets the server know soon.
///
/// # Errors
/// What the ledger says.
pub async fn tell(desk: &Desk) -> Result<(), StageError> {
    note(desk).await?;
    desk.health.announce();
    desk.wakes.sync.notify_one();
    Ok(())
}

/// What became of the last offer.
///
/// # Errors
/// What the ledger says.
pub fn answer(view: &View, probation_pictures: u32) -> Result<Option<ModelAnswer>, StoreError> {
    let Some(row) = view.models()?.into_iter().next() else {
        return Ok(None);
    };
    let state = match row.stage {
        ModelStage::Fetching => ModelState::Fetching {
            done_bytes: done_bytes(view, &row)?,
            size_bytes: row.offer.size_bytes + row.offer.manifest_size_bytes,
        },
        ModelStage::Trying => ModelState::Trying,
        ModelStage::Probation => ModelState::Probation {
            pictures_left: probation_pictures.saturating_sub(row.looks),
        },
        ModelStage::InUse => ModelState::InUse,
        ModelStage::Refused => ModelState::Refused { reason: row.reason },
        ModelStage::Kept | ModelStage::Withdrawn => return Ok(None),
    };
    Ok(Some(ModelAnswer {
        id: row.offer.id,
        manifest_sha256: row.offer.manifest_sha256,
        state,
        since_ms: row.since_ms,
    }))
}

fn done_bytes(view: &View, row: &ModelRow) -> Result<u64, StoreError> {
    let name = fetch::network_name(view, row);
    let manifest = view.model_bytes(row, ModelFile::Manifest, None)?;
    Ok(manifest + view.model_bytes(row, ModelFile::Network, name.as_deref())?)
}

/// The model will not be used: says so, and remembers it for good.
///
/// # Errors
/// What the ledger says.
pub async fn refuse(desk: &Desk, row: &ModelRow, why: &str) -> Result<(), StageError> {
    let now_ms = desk.clock.stamp().unix_ms;
    let id = row.offer.id.as_str();
    let was_used = matches!(row.stage, ModelStage::Probation | ModelStage::InUse);
    let message = if was_used {
        format!("the model {id} is taken back, the one before it is in use again: {why}")
    } else {
        format!("the offered model {id} is refused: {why}")
    };
    let (seq, reason) = (row.seq, why.to_owned());
    desk.books
        .with(move |ledger| {
            ledger.refuse_model(seq, &reason, now_ms)?;
            sweep(ledger)
        })
        .await?;
    desk.health.raise(PART, &message, now_ms);
    tell(desk).await
}

/// The chosen model cannot be loaded: an offered one is given up. True when
/// another one is chosen now.
///
/// # Errors
/// What the ledger says.
pub async fn cannot_load(desk: &Desk, choice: &Choice, why: &str) -> Result<bool, StageError> {
    let Some(row) = offered(desk, choice).await? else {
        return Ok(false);
    };
    refuse(desk, &row, &format!("it cannot be loaded: {why}")).await?;
    Ok(true)
}

/// A look is about to start. False when the model was given up instead,
/// because its looks end with the trap.
///
/// # Errors
/// What the ledger says.
pub async fn look_starts(desk: &Desk, choice: &Choice) -> Result<bool, StageError> {
    let Some(seq) = choice.offered.filter(|_| choice.on_probation) else {
        return Ok(true);
    };
    let Some(row) = offered(desk, choice).await? else {
        return Ok(true);
    };
    let unended = row.starts.saturating_sub(row.looks + row.failures);
    if unended >= UNENDED_MAX {
        refuse(desk, &row, "the trap went down during its looks").await?;
        return Ok(false);
    }
    desk.books
        .with(move |ledger| ledger.model_starts(seq))
        .await?;
    Ok(true)
}

/// A look ended; its record is in the ledger. True when another model is chosen now.
///
/// # Errors
/// What the ledger says.
pub async fn look_ended(desk: &Desk, choice: &Choice, ended: Ended) -> Result<bool, StageError> {
    let Some(seq) = choice.offered.filter(|_| choice.on_probation) else {
        return Ok(false);
    };
    let is_good = ended != Ended::Failed;
    let (row, times) = desk
        .books
        .with(move |ledger| {
            let row = ledger.model_looked(seq, is_good)?;
            let (own, before) = ledger.looks_took_ms(&row, LOOKS_TIMED)?;
            Ok((row, judge::Times { own, before }))
        })
        .await?;
    let settings = &desk.config.detector;
    let verdict = judge::probation(
        &row,
        &times,
        settings.probation_pictures,
        settings.slower_max_percent,
    );
    match verdict {
        judge::Probation::GoesOn => {
            // The next heartbeat says it; a picture alone is no news.
            note(desk).await?;
            Ok(false)
        }
        judge::Probation::Passed => {
            let now_ms = desk.clock.stamp().unix_ms;
            let id = row.offer.id.as_str();
            log::info!(model = id; "the model {id} has proved itself");
            desk.books
                .with(move |ledger| {
                    ledger.settle_model(seq, now_ms)?;
                    sweep(ledger)
                })
                .await?;
            tell(desk).await?;
            Ok(true)
        }
        judge::Probation::Failed(why) => {
            refuse(desk, &row, &why).await?;
            Ok(true)
        }
    }
}

async fn offered(desk: &Desk, choice: &Choice) -> Result<Option<ModelRow>, StageError> {
    let Some(seq) = choice.offered else {
        return Ok(None);
    };
    let find = move |ledger: &mut Ledger| {
        let models = ledger.models()?;
        Ok(models.into_iter().find(|row| row.seq == seq))
    };
    desk.books.with(find).await
}

/// Removes the files of models that will not be needed again.
fn sweep(ledger: &mut Ledger) -> Result<(), StoreError> {
    let models = ledger.models()?;
    let before = models
        .iter()
        .filter(|row| matches!(row.stage, ModelStage::Probation | ModelStage::InUse))
        .filter_map(|row| row.before);
    let before: Vec<u64> = before.collect();
    let keep: Vec<ModelRow> = models
        .into_iter()
        .filter(|row| match row.stage {
            ModelStage::Refused => false,
            ModelStage::Kept => before.contains(&row.seq),
            ModelStage::Fetching
            | ModelStage::Trying
            | ModelStage::Probation
            | ModelStage::InUse
            | ModelStage::Withdrawn => true,
        })
        .collect();
    ledger.sweep_models(&keep)
}
