//! What is left when a season is over: every ledger, every card, and what the
//! server shows a researcher. The laws judge nothing else.

use crate::devices::camera::Film;
use crate::link::hub::{Hub, NoServer};
use crate::world::spans::Span;
use anyhow::Context as _;
use axum::body::Body;
use axum::http::{Request, header};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use trapline_agent::schedule::Schedule;
use trapline_store::{
    CaptureRow, EffortRow, InspectionRow, ModelRow, PictureState, ReadingRow, TrackRow, View,
};
use trapline_wire::read::{self, CaptureDetail, CaptureSummary, Page};
use trapline_wire::{CaptureId, Sha256, TrapId};

/// Rows that are read at a time.
const PAGE: u32 = 500;

/// Everything about one trap.
#[derive(Debug, Clone)]
pub struct TrapEvidence {
    /// Its name.
    pub name: String,
    /// Its id on the server.
    pub id: TrapId,
    /// What it was to do.
    pub schedule: Schedule,
    /// When it first knew the time, UTC in milliseconds.
    pub known_from_ms: i64,
    /// When its clock did not know the time.
    pub unset: Vec<Span>,
    /// When it was stopped.
    pub ended_ms: i64,
    /// Its captures.
    pub captures: Vec<CaptureRow>,
    /// Its effort.
    pub efforts: Vec<EffortRow>,
    /// Its readings.
    pub readings: Vec<ReadingRow>,
    /// The insects that it followed.
    pub tracks: Vec<TrackRow>,
    /// Its inspections, by capture.
    pub inspections: BTreeMap<CaptureId, Vec<InspectionRow>>,
    /// What the card really holds of each picture that was not removed; the
    /// reason when it cannot be read.
    pub card: BTreeMap<CaptureId, Result<Sha256, String>>,
    /// The models that were offered to it, the last offer first.
    pub models: Vec<ModelRow>,
    /// What its camera handed out.
    pub film: Film,
    /// What the server has of it.
    pub server: ServerEvidence,
}

/// What the server shows of one trap.
#[derive(Debug, Clone, Default)]
pub struct ServerEvidence {
    /// Captures with all that is known of them.
    pub captures: Vec<CaptureDetail>,
    /// Hash and size of each picture as a researcher downloads it.
    pub pictures: BTreeMap<CaptureId, (Sha256, u64)>,
    /// Effort.
    pub efforts: Vec<read::EffortRow>,
    /// Readings.
    pub readings: Vec<read::ReadingRow>,
    /// Tracks.
    pub tracks: Vec<read::TrackRow>,
}

/// What the season knows of a trap beside its ledger.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its name.
    pub name: String,
    /// Its id on the server.
    pub id: TrapId,
    /// What it was to do.
    pub schedule: Schedule,
    /// When it first knew the time.
    pub known_from_ms: i64,
    /// When its clock did not know the time.
    pub unset: Vec<Span>,
    /// When it was stopped.
    pub ended_ms: i64,
    /// What its camera handed out.
    pub film: Film,
}

/// Reads a trap's ledger and card.
///
/// # Errors
/// When the ledger cannot be read.
pub fn of_trap(view: &View, known: Known) -> anyhow::Result<TrapEvidence> {
    let captures =
        pages(|last: Option<&CaptureRow>| view.captures(last.map(|row| row.record.id), PAGE))?;
    let efforts =
        pages(|last: Option<&EffortRow>| view.efforts(last.map(|row| row.record.id), PAGE))?;
    let readings =
        pages(|last: Option<&ReadingRow>| view.readings(last.map(|row| row.record.id), PAGE))?;
    let tracks = pages(|last: Option<&TrackRow>| view.tracks(last.map(|row| row.record.id), PAGE))?;
    let mut inspections = BTreeMap::new();
    let mut card = BTreeMap::new();
    for row in &captures {
        let id = row.record.id;
        inspections.insert(id, view.inspections(id)?);
        if row.picture != PictureState::Pruned {
            let held = view.picture(id).map(|bytes| Sha256::of(&bytes));
            card.insert(id, held.map_err(|error| error.to_string()));
        }
    }
    Ok(TrapEvidence {
        name: known.name,
        id: known.id,
        schedule: known.schedule,
        known_from_ms: known.known_from_ms,
        unset: known.unset,
        ended_ms: known.ended_ms,
        captures,
        efforts,
        readings,
        tracks,
        inspections,
        card,
        models: view.models()?,
        film: known.film,
        server: ServerEvidence::default(),
    })
}

fn pages<T, E: std::error::Error + Send + Sync + 'static>(
    mut page: impl FnMut(Option<&T>) -> Result<Vec<T>, E>,
) -> anyhow::Result<Vec<T>> {
    let mut all: Vec<T> = Vec::new();
    loop {
        let next = page(all.last())?;
        if next.is_empty() {
            return Ok(all);
        }
        all.extend(next);
    }
}

/// Asks the server, as a researcher does, for everything it has of a trap.
///
/// # Errors
/// When an answer is not what the protocol promises.
pub async fn of_server(hub: &Hub, cookie: &str, trap: &TrapId) -> anyhow::Result<ServerEvidence> {
    let asker = Asker { hub, cookie };
    let summaries: Vec<CaptureSummary> = asker
        .pages(&format!("/api/v1/captures?trap={trap}&order=oldest"))
        .await?;
    let mut server = ServerEvidence {
        efforts: asker.pages(&format!("/api/v1/effort?trap={trap}")).await?,
        readings: asker
            .pages(&format!("/api/v1/readings?trap={trap}"))
            .await?,
        tracks: asker.pages(&format!("/api/v1/tracks?trap={trap}")).await?,
        ..ServerEvidence::default()
    };
    for summary in summaries {
        let path = format!("/api/v1/captures/{trap}/{}", summary.id);
        let detail: CaptureDetail = asker.json(&path).await?;
        if detail.summary.picture_state != read::PictureState::OnTrap {
            let bytes = asker.bytes(&format!("{path}/picture")).await?;
            let size_bytes = u64::try_from(bytes.len())?;
            server
                .pictures
                .insert(summary.id, (Sha256::of(&bytes), size_bytes));
        }
        server.captures.push(detail);
    }
    Ok(server)
}

struct Asker<'a> {
    hub: &'a Hub,
    cookie: &'a str,
}

impl Asker<'_> {
    async fn pages<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<Vec<T>> {
        let mut all = Vec::new();
        let mut after = String::new();
        loop {
            let page: Page<T> = self.json(&format!("{path}&limit={PAGE}{after}")).await?;
            all.extend(page.items);
            match page.next {
                Some(cursor) => after = format!("&after={cursor}"),
                None => return Ok(all),
            }
        }
    }

    async fn json<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let bytes = self.bytes(path).await?;
        serde_json::from_slice(&bytes).with_context(|| format!("the answer of {path}"))
    }

    async fn bytes(&self, path: &str) -> anyhow::Result<axum::body::Bytes> {
        let request = Request::get(path)
            .header(header::COOKIE, self.cookie)
            .body(Body::empty())?;
        let answer = self.hub.call(request).await;
        let answer = answer.map_err(|NoServer(why)| anyhow::anyhow!("{path}: {why}"))?;
        anyhow::ensure!(
            answer.status.is_success(),
            "{path} answered {}: {}",
            answer.status,
            String::from_utf8_lossy(&answer.body)
        );
        Ok(answer.body)
    }
}
