//! The trial of an offered model: it looks at the last stored pictures in the
//! detector's own process, and so does the model in use, one after the other
//! on the same picture, so that heat and load are the same for both.
//!
//! A picture on which the model in use fails too says nothing and is left out.
//! One step is one look, so that no step takes longer than any other look.

use super::{Choice, judge};
use crate::desk::Desk;
use crate::inspect::{Asked, Detect, LoadDetector, LookError};
use crate::lent::{Lent, NotBack};
use crate::moment::millis;
use crate::stage::StageError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use trapline_store::{Ledger, ModelRow, ModelStage};
use trapline_wire::CaptureId;

/// Pictures that both models look at.
const PICTURES: u32 = 3;
/// A trial that was started so often without an end takes the trap down.
const STARTS_MAX: u32 = 3;
/// A look may take this much longer than its limit until its thread notices.
const LIMIT_SLACK: Duration = Duration::from_mins(1);

/// A trial on its way; dropped and begun anew after a restart.
pub struct Trial {
    row: ModelRow,
    candidate: Lent<Box<dyn Detect>>,
    /// The pictures still to be looked at, the next one last.
    pictures: Vec<CaptureId>,
    /// What the candidate took for the picture that the model in use is to look at now.
    half: Option<Half>,
    pairs: Vec<judge::Pair>,
}

/// A picture, and what the candidate took for it.
type Half = (Arc<Vec<u8>>, Result<u64, String>);

impl fmt::Debug for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trial").finish_non_exhaustive()
    }
}

/// What a step of a trial came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// There is nothing to try.
    Nothing,
    /// A look was taken, or the trial has ended and the model in use stays.
    Step,
    /// The model takes over now.
    Switched,
}

/// Takes one step of the trial of the model that waits for one.
///
/// # Errors
/// What the ledger says.
pub async fn step(
    trial: &mut Option<Trial>,
    desk: &Desk,
    load: &mut Lent<LoadDetector>,
    current: &mut Lent<Box<dyn Detect>>,
) -> Result<Tried, StageError> {
    let Some(row) = waiting(desk).await? else {
        *trial = None;
        return Ok(Tried::Nothing);
    };
    if trial.as_ref().is_none_or(|trial| trial.row.seq != row.seq) {
        *trial = begin(desk, load, row).await?;
        return Ok(Tried::Step);
    }
    let Some(now) = trial.as_mut() else {
        return Ok(Tried::Step);
    };
    let ended = if now.half.is_some() {
        now.look_again(desk, current).await?
    } else {
        now.look_first(desk).await?
    };
    let Some(verdict) = ended else {
        return Ok(Tried::Step);
    };
    let row = now.row.clone();
    *trial = None;
    if let Err(why) = verdict {
        super::refuse(desk, &row, &why).await?;
        return Ok(Tried::Step);
    }
    let now_ms = desk.clock.stamp().unix_ms;
    let (seq, id) = (row.seq, row.offer.id.as_str());
    log::info!(model = id; "the model {id} takes over, on probation");
    desk.books
        .with(move |ledger| ledger.switch_model(seq, now_ms))
        .await?;
    super::tell(desk).await?;
    Ok(Tried::Switched)
}

/// The model whose trial is due: not while another is on probation.
async fn waiting(desk: &Desk) -> Result<Option<ModelRow>, StageError> {
    let find = |ledger: &mut Ledger| {
        let models = ledger.models()?;
        let is_busy = models.iter().any(|row| row.stage == ModelStage::Probation);
        let mut trying = models
            .into_iter()
            .filter(|row| row.stage == ModelStage::Trying);
        Ok(trying.next().filter(|_| !is_busy))
    };
    desk.books.with(find).await
}

/// Loads the candidate and chooses the pictures; `None` when the model was refused instead.
async fn begin(
    desk: &Desk,
    load: &mut Lent<LoadDetector>,
    row: ModelRow,
) -> Result<Option<Trial>, StageError> {
    let seq = row.seq;
    let of = row.clone();
    let (starts, choice, pictures) = desk
        .books
        .with(move |ledger| {
            let starts = ledger.model_starts(seq)?;
            let choice: Choice = super::of_row(ledger, &of);
            Ok((starts, choice, ledger.newest_seen(PICTURES)?))
        })
        .await?;
    let id = row.offer.id.as_str();
    log::info!(model = id; "the model {id} is tried on {} stored pictures", pictures.len());
    if starts > STARTS_MAX {
        super::refuse(desk, &row, "the trap went down during its trial").await?;
        return Ok(None);
    }
    let limit = desk.config.detector.time_limit;
    let loaded = load.job(desk.hands, limit, move |load| load(&choice)).await;
    let candidate = match loaded {
        Ok(Ok(detector)) if detector.model().sha256 == row.offer.sha256 => detector,
        Ok(Ok(_)) => {
            super::refuse(desk, &row, "another model was loaded in its place").await?;
            return Ok(None);
        }
        Ok(Err(why)) => {
            super::refuse(desk, &row, &format!("it cannot be loaded: {why}")).await?;
            return Ok(None);
        }
        Err(NotBack::Panicked(words)) => {
            super::refuse(desk, &row, &format!("loading it failed: {words}")).await?;
            return Ok(None);
        }
        Err(NotBack::Hung | NotBack::Away) => {
            super::refuse(desk, &row, "loading it takes too long").await?;
            return Ok(None);
        }
    };
    Ok(Some(Trial {
        row,
        candidate: Lent::of(candidate),
        pictures,
        half: None,
        pairs: Vec::new(),
    }))
}

/// Whether the model may take over; `None` while the trial goes on.
type Ending = Option<Result<(), String>>;

impl Trial {
    /// The candidate looks at the next picture, or all are done.
    async fn look_first(&mut self, desk: &Desk) -> Result<Ending, StageError> {
        let Some(capture) = self.pictures.pop() else {
            let slower_max_percent = desk.config.detector.slower_max_percent;
            let verdict = judge::trial(&self.pairs, slower_max_percent);
            return Ok(Some(verdict.map_or(Ok(()), Err)));
        };
        let read = desk
            .books
            .with(move |ledger| Ok(ledger.picture(capture)))
            .await?;
        // What the card has spoilt meanwhile is no matter of models.
        if let Ok(jpeg) = read {
            let jpeg = Arc::new(jpeg);
            let took = timed(desk, &mut self.candidate, Arc::clone(&jpeg)).await;
            self.half = Some((jpeg, took));
        }
        Ok(None)
    }

    /// The model in use looks at the same picture.
    async fn look_again(
        &mut self,
        desk: &Desk,
        current: &mut Lent<Box<dyn Detect>>,
    ) -> Result<Ending, StageError> {
        let Some((jpeg, candidate)) = self.half.take() else {
            return Ok(None);
        };
        // A model in use that cannot be loaded leaves nothing to compare with.
        let took = if current.is_here() {
            timed(desk, current, jpeg).await.map(Some)
        } else {
            Ok(None)
        };
        match (candidate, took) {
            (Ok(candidate_ms), Ok(Some(current_ms))) => self.pairs.push(judge::Pair {
                candidate_ms,
                current_ms,
            }),
            (Err(why), Ok(_)) => {
                let why = format!("it failed on a stored picture: {why}");
                return Ok(Some(Err(why)));
            }
            (Ok(_), Ok(None)) | (_, Err(_)) => {}
        }
        Ok(None)
    }
}

/// One look, with how long it took in milliseconds.
async fn timed(
    desk: &Desk,
    detector: &mut Lent<Box<dyn Detect>>,
    jpeg: Arc<Vec<u8>>,
) -> Result<u64, String> {
    let limit = desk.config.detector.time_limit;
    let runtime = tokio::runtime::Handle::current();
    let looked = detector
        .job(desk.hands, limit + LIMIT_SLACK, move |detector| {
            let _clock = runtime.enter();
            let began = Instant::now();
            let mut keep_going = || began.elapsed() <= limit;
            let found = detector.look(&Asked::alone(&jpeg), &mut keep_going);
            let took = detector.last_took().unwrap_or_else(|| began.elapsed());
            found.map(|_| millis(took))
        })
        .await;
    match looked {
        Ok(Ok(took_ms)) => Ok(took_ms),
        Ok(Err(LookError::TooSlow { limit_s })) => Err(format!("it took longer than {limit_s} s")),
        Ok(Err(LookError::Unreadable(why) | LookError::Failed(why))) => Err(why),
        Err(NotBack::Panicked(words)) => Err(format!("a mistake in the detector: {words}")),
        Err(NotBack::Hung | NotBack::Away) => Err("it does not come back".to_owned()),
    }
}
