//! A season: N traps and their server over D days in virtual time.
//!
//! Each trap runs the real agent over the real ledger; each boot ends with a
//! power cut somewhere in its work, and its card forgets what was not synced.
//! The server restarts now and then. When the days are over the weather is
//! good for some hours, and then the laws are judged.

pub mod life;

use crate::chance::Chance;
use crate::devices::TrueTime;
use crate::evidence::{self, TrapEvidence};
use crate::laws::{self, Broken};
use crate::link::Lossy;
use crate::link::hub::Hub;
use crate::plate::Size;
use crate::tally::{Counts, Tally};
use crate::trace::Trace;
use crate::world::spans::{Habit, Span, Spans};
use crate::world::{DAY_MS, HOUR_MS, Trouble};
use anyhow::Context as _;
use futures_util::future::try_join_all;
use life::{Life, Yard};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use trapline_server::{Settings, Work};
use trapline_wire::Sha256;
use trapline_wire::v1::{EffortOutcome, MissReason};

/// The first day of every season: 2026-06-01 at midnight UTC.
pub const SEASON_START_MS: i64 = 1_780_272_000_000;
/// Hours of good weather at the end, in which everything must get through.
const CALM_MS: i64 = 6 * HOUR_MS;

/// What to run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How many traps.
    pub traps: u32,
    /// How many days of trouble.
    pub days: u32,
    /// Where all chance comes from.
    pub seed: u64,
    /// Between two shots.
    pub every: Duration,
    /// How large the pictures are.
    pub size: Size,
    /// How unkind the world is.
    pub trouble: Trouble,
    /// How bad the link is.
    pub lossy: Lossy,
    /// How often the server is killed.
    pub restarts: Habit,
    /// Manifests of models that are offered to every trap, one after the other
    /// over the days.
    pub models: Vec<PathBuf>,
}

impl Plan {
    /// A season with a power cut or more a day on every trap and a bad link.
    #[must_use]
    pub fn new(traps: u32, days: u32, seed: u64) -> Self {
        Self {
            traps,
            days,
            seed,
            every: Duration::from_mins(20),
            size: Size {
                width_px: 96,
                height_px: 128,
            },
            trouble: Trouble::default(),
            lossy: Lossy::default(),
            restarts: Habit {
                every_hours: 30.0,
                lasts_hours: 0.1,
            },
            models: Vec::new(),
        }
    }

    fn span(&self) -> Span {
        Span {
            from_ms: SEASON_START_MS,
            until_ms: SEASON_START_MS + i64::from(self.days) * DAY_MS,
        }
    }

    fn end_ms(&self) -> i64 {
        // Between two shots, so that the last one has had its time.
        let every_ms = i64::try_from(self.every.as_millis()).unwrap_or(DAY_MS);
        self.span().until_ms + CALM_MS + every_ms / 2
    }
}

/// Where a season is.
#[derive(Debug, Clone)]
pub struct Progress {
    /// Days that are over.
    pub day: u32,
    /// What went wrong so far.
    pub counts: Counts,
}

/// What is left of a season.
#[derive(Debug)]
pub struct Season {
    /// Where laws are broken.
    pub broken: Vec<Broken>,
    /// What went wrong.
    pub counts: Counts,
    /// Captures of all traps.
    pub captures: usize,
    /// Shots that were missed, by reason.
    pub missed: BTreeMap<MissReason, u64>,
    /// SHA-256 of the trace.
    pub digest: Sha256,
    /// The trace.
    pub trace: String,
    /// Everything that the laws were judged from.
    pub evidence: Vec<TrapEvidence>,
}

/// Runs a season in `folder`, which must exist and be empty; says each day how far it is.
///
/// # Errors
/// When the season cannot be run at all; a broken law is no error.
pub fn run(
    plan: &Plan,
    folder: &Path,
    progress: &mut dyn FnMut(Progress),
) -> anyhow::Result<Season> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .context("no runtime")?;
    runtime.block_on(play(plan, folder, progress))
}

async fn play(
    plan: &Plan,
    folder: &Path,
    progress: &mut dyn FnMut(Progress),
) -> anyhow::Result<Season> {
    let time = TrueTime::starting_at(SEASON_START_MS);
    let trace = Arc::new(Trace::of_folder(folder));
    let tally = Arc::new(Tally::default());
    let hub = Arc::new(Hub::new(server_settings(
        plan,
        folder.join("server"),
        time.clone(),
    )));
    hub.start()?;
    let yard = Yard {
        plan: plan.clone(),
        season: plan.span(),
        end_ms: plan.end_ms(),
        time,
        hub: Arc::clone(&hub),
        tally: Arc::clone(&tally),
        trace: Arc::clone(&trace),
        folder: folder.to_owned(),
    };
    let lives = (1..=plan.traps)
        .map(|number| Life::new(&yard, number))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let all = try_join_all(lives.into_iter().map(Life::live));
    let others = async {
        tokio::join!(keep_server(&yard), tell(&yard, progress), offer(&yard));
        std::future::pending::<()>().await;
    };
    let lived = tokio::select! {
        biased;
        lived = all => lived?,
        () = others => Vec::new(),
    };
    hub.start()?;
    let cookie = hub.log_in().await?;
    let mut evidence = Vec::new();
    for life in lived {
        let mut trap = life.evidence()?;
        trap.server = evidence::of_server(&hub, &cookie, &trap.id).await?;
        evidence.push(trap);
    }
    for trap in &evidence {
        note_outcome(&trace, trap);
    }
    let broken = laws::judge(&evidence);
    Ok(Season {
        broken,
        counts: tally.counts(),
        captures: evidence.iter().map(|trap| trap.captures.len()).sum(),
        missed: missed(&evidence),
        digest: trace.digest(),
        trace: trace.text(),
        evidence,
    })
}

fn server_settings(plan: &Plan, data: PathBuf, time: TrueTime) -> Settings {
    let chance = Mutex::new(Chance::new(plan.seed, &[1_000_000]));
    Settings {
        work: Work::Inline,
        clock: Arc::new(move || time.now_ms()),
        random: Arc::new(move |bytes| {
            let mut chance = chance.lock().unwrap_or_else(PoisonError::into_inner);
            for chunk in bytes.chunks_mut(8) {
                let random = chance.bits().to_le_bytes();
                for (byte, random) in chunk.iter_mut().zip(random) {
                    *byte = random;
                }
            }
        }),
        free_bytes_min: 0,
        ..Settings::new(data)
    }
}

/// Kills and restarts the server through the season.
async fn keep_server(yard: &Yard) {
    let mut chance = Chance::new(yard.plan.seed, &[1_000_001]);
    let outages = Spans::draw(yard.season, yard.plan.restarts, &mut chance);
    let mut now_ms = yard.season.from_ms;
    while let Some(outage) = outages.next(now_ms) {
        tokio::time::sleep_until(yard.time.instant(outage.from_ms)).await;
        yard.hub.stop();
        yard.trace.note(outage.from_ms, 0, "server killed");
        let until_ms = outage.until_ms.min(yard.season.until_ms);
        tokio::time::sleep_until(yard.time.instant(until_ms)).await;
        let words = match yard.hub.start() {
            Ok(()) => "server started".to_owned(),
            Err(error) => format!("server does not start: {error:#}"),
        };
        yard.trace.note(until_ms, 0, &words);
        yard.tally.add(|counts| counts.server_restarts += 1);
        now_ms = outage.until_ms;
    }
}

/// Offers the models of the plan, evenly over the season, whenever the server runs.
async fn offer(yard: &Yard) {
    let models = &yard.plan.models;
    let length_ms = yard.season.until_ms - yard.season.from_ms;
    let many = i64::try_from(models.len()).unwrap_or(1);
    for (number, manifest) in (0..).zip(models) {
        let at_ms = yard.season.from_ms + length_ms * number / many.max(1) + HOUR_MS;
        tokio::time::sleep_until(yard.time.instant(at_ms)).await;
        let words = loop {
            match yard.hub.offer_model(manifest) {
                Some(Ok(id)) => break format!("{id} is offered"),
                Some(Err(error)) => break format!("a model is not offered: {error:#}"),
                None => tokio::time::sleep(Duration::from_mins(1)).await,
            }
        };
        yard.trace.note(at_ms, 0, &words);
    }
}

/// Says how far the season is, once a day.
async fn tell(yard: &Yard, progress: &mut dyn FnMut(Progress)) {
    for day in 1..=yard.plan.days {
        let at_ms = yard.season.from_ms + i64::from(day) * DAY_MS;
        tokio::time::sleep_until(yard.time.instant(at_ms)).await;
        progress(Progress {
            day,
            counts: yard.tally.counts(),
        });
    }
}

/// Writes the end of the season into the trace, so that it counts for the digest.
fn note_outcome(trace: &Trace, trap: &TrapEvidence) {
    for row in &trap.captures {
        let record = &row.record;
        let words = format!(
            "{} {} capture {} {} {:?} {:?}",
            trap.name,
            record.stamp.unix_ms,
            record.id,
            record.picture.sha256,
            row.picture,
            row.received_ms
        );
        trace.note(trap.ended_ms, 0, &words);
    }
    for row in &trap.efforts {
        let record = &row.record;
        let words = format!(
            "{} {} effort {} {} {:?}",
            trap.name, record.due_ms, record.id, record.shots, record.outcome
        );
        trace.note(trap.ended_ms, 0, &words);
    }
    for row in &trap.tracks {
        let words = format!("{} track {:?}", trap.name, row.record);
        trace.note(trap.ended_ms, 0, &words);
    }
    let server = &trap.server;
    let words = format!(
        "{} on the server: {} captures, {} effort, {} readings, {} tracks",
        trap.name,
        server.captures.len(),
        server.efforts.len(),
        server.readings.len(),
        server.tracks.len()
    );
    trace.note(trap.ended_ms, 0, &words);
}

fn missed(traps: &[TrapEvidence]) -> BTreeMap<MissReason, u64> {
    let mut missed = BTreeMap::new();
    for row in traps.iter().flat_map(|trap| &trap.efforts) {
        if let EffortOutcome::Missed { reason, .. } = &row.record.outcome {
            *missed.entry(*reason).or_default() += u64::from(row.record.shots);
        }
    }
    missed
}
