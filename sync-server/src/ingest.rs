//! `POST /api/v1/sync`: a trap's records come in.
//!
//! A record that does not fit its type is refused alone, so that one bad record
//! never holds back the others; only a body that is no batch at all is a `400`.

mod check;
mod coding;

use crate::auth::Trap;
use crate::body;
use crate::ingest::coding::Coding;
use crate::problem::{Failure, bad_request, json, not_found, too_large};
use crate::state::State;
use axum::body::Body;
use axum::extract::{self, Path};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use trapline_wire::v1::{
    CaptureRecord, EffortRecord, Heartbeat, InspectionRecord, ReadingRecord, RecordKind, Refusal,
    RefusalReason, SyncReply, TrackRecord,
};
use trapline_wire::{Sha256, limits};

/// A batch, taken apart and checked.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) heartbeat: Option<Heartbeat>,
    pub(crate) effort: Vec<Incoming<EffortRecord>>,
    pub(crate) readings: Vec<Incoming<ReadingRecord>>,
    pub(crate) captures: Vec<Incoming<CaptureRecord>>,
    pub(crate) inspections: Vec<Incoming<InspectionRecord>>,
    pub(crate) tracks: Vec<Incoming<TrackRecord>>,
}

/// One record of a batch.
#[derive(Debug)]
pub(crate) enum Incoming<R> {
    /// It has its type's form and its values are in range.
    Fits(R),
    /// It has not, and never will.
    Refused(Refusal),
}

/// Answers `POST /api/v1/sync`.
pub(crate) async fn sync(
    extract::State(state): extract::State<State>,
    trap: Trap,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    let coding = Coding::of(&headers)?;
    let bytes = body::read_whole(body, limits::BATCH_BYTES_MAX).await?;
    let Trap { number, id } = trap;
    let reply = state
        .work(move |shared| {
            let bytes = coding.undo(bytes)?;
            let batch = read(&bytes)?;
            let name = Sha256::of(&bytes);
            let now_ms = shared.now_ms();
            shared.writer().store_batch(number, &batch, &name, now_ms)
        })
        .await?;
    if let Some(refusal) = reply.refused.first() {
        log::warn!(
            trap = id.as_str(), record = refusal.id.as_str();
            "trap {id}: {} records refused, the first is the {:?} `{}`: {}",
            reply.refused.len(), refusal.kind, refusal.id, refusal.message
        );
    }
    Ok(json(StatusCode::OK, &reply))
}

/// Answers `GET /api/v1/sync/{sha256}`: what this trap was told about the batch with this hash, for
/// one that did not hear it.
pub(crate) async fn again(
    extract::State(state): extract::State<State>,
    trap: Trap,
    Path(sha256): Path<String>,
) -> Result<Response, Failure> {
    let sha256: Sha256 = sha256
        .parse()
        .map_err(|error| bad_request(format!("{error}")))?;
    let told = state
        .work(move |shared| shared.reader().batch_reply(trap.number, &sha256))
        .await?;
    let told = told.ok_or_else(|| not_found("no such batch came of late: send it again"))?;
    let told: SyncReply = serde_json::from_str(&told)
        .map_err(|error| Failure::Broken(format!("a kept answer is none: {error}")))?;
    // The time is the one thing in it that must be new.
    let reply = SyncReply {
        server_time_ms: state.now_ms(),
        ..told
    };
    Ok(json(StatusCode::OK, &reply))
}

impl Batch {
    /// Whether it holds more than a heartbeat.
    pub(crate) fn has_records(&self) -> bool {
        !(self.effort.is_empty()
            && self.readings.is_empty()
            && self.captures.is_empty()
            && self.inspections.is_empty()
            && self.tracks.is_empty())
    }
}

/// The outside of a [`trapline_wire::v1::SyncBatch`], its records not yet looked at.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    heartbeat: Option<&'a RawValue>,
    #[serde(borrow, default)]
    effort: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    readings: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    captures: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    inspections: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    tracks: Vec<&'a RawValue>,
}

fn read(bytes: &[u8]) -> Result<Batch, Failure> {
    let envelope: Envelope<'_> = serde_json::from_slice(bytes)
        .map_err(|error| bad_request(format!("the body is no SyncBatch: {error}")))?;
    let heartbeat = match envelope.heartbeat {
        None => None,
        Some(raw) => Some(
            read_one::<Heartbeat>(raw)
                .map(check::clamp)
                .map_err(|problem| bad_request(format!("heartbeat: {problem}")))?,
        ),
    };
    Ok(Batch {
        heartbeat,
        effort: read_list(&envelope.effort, RecordKind::Effort, check::effort)?,
        readings: read_list(&envelope.readings, RecordKind::Reading, check::reading)?,
        captures: read_list(&envelope.captures, RecordKind::Capture, check::capture)?,
        inspections: read_list(
            &envelope.inspections,
            RecordKind::Inspection,
            check::inspection,
        )?,
        tracks: read_list(&envelope.tracks, RecordKind::Track, check::track)?,
    })
}

fn read_list<R: DeserializeOwned>(
    raw_records: &[&RawValue],
    kind: RecordKind,
    check: fn(&R) -> Result<(), String>,
) -> Result<Vec<Incoming<R>>, Failure> {
    if raw_records.len() > limits::BATCH_RECORDS_MAX {
        return Err(too_large(format!(
            "a batch has at most {} records of one kind; this one has {}: send it in parts",
            limits::BATCH_RECORDS_MAX,
            raw_records.len(),
        )));
    }
    let read = |raw: &&RawValue| {
        let checked = read_one::<R>(raw).and_then(|record| check(&record).map(|()| record));
        checked.map_or_else(
            |message| {
                Incoming::Refused(Refusal {
                    id: name_of(raw),
                    kind,
                    reason: RefusalReason::Invalid,
                    message,
                })
            },
            Incoming::Fits,
        )
    };
    Ok(raw_records.iter().map(read).collect())
}

fn read_one<R: DeserializeOwned>(raw: &RawValue) -> Result<R, String> {
    let mut reader = serde_json::Deserializer::from_str(raw.get());
    serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| format!("`{}`: {}", error.path(), error.inner()))
}

/// The name of a record that cannot be read as one: its `id`, or the capture it
/// speaks of; empty when there is neither.
fn name_of(raw: &RawValue) -> String {
    #[derive(Deserialize)]
    struct Named {
        id: Option<String>,
        capture: Option<String>,
    }
    serde_json::from_str::<Named>(raw.get())
        .ok()
        .and_then(|named| named.id.or(named.capture))
        .map(|name| name.chars().take(80).collect())
        .unwrap_or_default()
}
