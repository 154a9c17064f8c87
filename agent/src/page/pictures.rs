//! The last pictures with their boxes, and pictures out of turn.

use super::answer::{Refused, json, sent};
use super::guard::REQUEST_LIMIT;
use super::hall::Hall;
use super::smaller::Wish;
use crate::asks::ShotCause;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use trapline_store::{CaptureRow, InspectionRow, InspectionState, PictureState, StoreError, View};
use trapline_wire::CaptureId;
use trapline_wire::v1::InspectionOutcome;

/// Pictures that are listed.
const LISTED: u64 = 12;
/// Boxes of one picture that are sent, the best first.
const BOXES_MAX: usize = 400;
/// Longest sides of the pictures that can be had.
const SIDES_PX: [u32; 2] = [480, 1600];
/// Small pictures that are kept while the page is open.
const KEPT_BYTES_MAX: usize = 1_500_000;

/// A picture never changes, and is asked for whenever the list is drawn.
const KEPT_BY_PHONE: &str = "private, max-age=3600";

#[derive(Serialize)]
struct Listed {
    id: CaptureId,
    unix_ms: i64,
    clock: &'static str,
    width_px: Option<u32>,
    height_px: Option<u32>,
    /// Whether there is a picture to show.
    shown: bool,
    /// `waiting`, `seen` or `gave_up`.
    state: &'static str,
    insects: Option<u64>,
    /// Left, top, width, height, in pixels of the large picture.
    boxes: Vec<[f32; 4]>,
}

/// `GET /api/pictures`: the newest first.
pub(super) async fn list(State(hall): State<Arc<Hall>>) -> Result<Response, Refused> {
    Ok(json(&hall.read(newest).await?))
}

fn newest(view: &View) -> Result<Vec<Listed>, StoreError> {
    let Some(last) = view.summary(i64::MAX)?.last_capture else {
        return Ok(Vec::new());
    };
    let before = CaptureId::new(last.id.ledger, last.id.seq.saturating_sub(LISTED));
    let rows = view.captures(Some(before), u32::try_from(LISTED).unwrap_or(1))?;
    let listed = rows.iter().rev().map(|row| {
        let inspections = view.inspections(row.record.id)?;
        Ok(listed(row, &inspections))
    });
    listed.collect()
}

fn listed(row: &CaptureRow, inspections: &[InspectionRow]) -> Listed {
    let record = &row.record;
    let last = inspections.last();
    let boxes = match last.map(|inspection| &inspection.record) {
        Some(inspection) => match &inspection.outcome {
            InspectionOutcome::Seen { detections, .. } => detections
                .iter()
                .filter(|found| found.score >= inspection.model.threshold)
                .take(BOXES_MAX)
                .map(|found| [found.x_px, found.y_px, found.width_px, found.height_px])
                .collect(),
            InspectionOutcome::GaveUp { .. } => Vec::new(),
        },
        None => Vec::new(),
    };
    Listed {
        id: record.id,
        unix_ms: record.stamp.unix_ms,
        clock: record.stamp.quality.word(),
        width_px: record.picture.width_px,
        height_px: record.picture.height_px,
        shown: matches!(row.picture, PictureState::OnCard | PictureState::Safe),
        state: match row.inspection {
            InspectionState::Fresh => "waiting",
            InspectionState::Seen => "seen",
            InspectionState::GaveUp => "gave_up",
        },
        insects: last.and_then(|inspection| inspection.insects),
        boxes,
    }
}

/// `GET /api/pictures/{id}/{side}`: a JPEG with no side longer than that.
pub(super) async fn one(
    State(hall): State<Arc<Hall>>,
    Path((id, side)): Path<(String, String)>,
) -> Result<Response, Refused> {
    let id: CaptureId = id.parse().map_err(|_| Refused::unknown())?;
    let side_px = SIDES_PX.into_iter().find(|px| px.to_string() == side);
    let side_px = side_px.ok_or_else(Refused::unknown)?;
    let jpeg = match hall.kept.find(id, side_px) {
        Some(jpeg) => jpeg,
        None => {
            let file = hall.read(move |view| match view.capture(id)? {
                Some(_) => view.picture(id).map(Some),
                None => Ok(None),
            });
            let file = file.await?.ok_or_else(Refused::unknown)?;
            let small = hall.smaller(Wish::Whole { side_px }, file).await?;
            let jpeg = Bytes::from(small.jpeg);
            hall.kept.keep(id, side_px, jpeg.clone());
            jpeg
        }
    };
    let mut response = sent(jpeg, "image/jpeg");
    let headers = response.headers_mut();
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static(KEPT_BY_PHONE),
    );
    Ok(response)
}

#[derive(Serialize)]
struct Taken {
    id: CaptureId,
}

/// `POST /api/shot`: takes a picture now and keeps it.
pub(super) async fn shoot(State(hall): State<Arc<Hall>>) -> Result<Response, Refused> {
    let shot = hall.desk.asks.shot(ShotCause::Visit);
    match tokio::time::timeout(REQUEST_LIMIT, shot).await {
        Ok(Ok(id)) => Ok(json(&Taken { id })),
        Ok(Err(why)) => Err(Refused::trouble(why)),
        Err(_) => Err(Refused::trouble(
            "the camera is busy; try again in a moment",
        )),
    }
}

/// Small pictures, the last made last.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<VecDeque<(CaptureId, u32, Bytes)>>);

impl Kept {
    fn find(&self, id: CaptureId, side_px: u32) -> Option<Bytes> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = kept.iter();
        let found = all.find(|(of, side, _)| *of == id && *side == side_px);
        found.map(|(_, _, jpeg)| jpeg.clone())
    }

    fn keep(&self, id: CaptureId, side_px: u32, jpeg: Bytes) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back((id, side_px, jpeg));
        while kept.iter().map(|(_, _, jpeg)| jpeg.len()).sum::<usize>() > KEPT_BYTES_MAX {
            kept.pop_front();
        }
    }
}
