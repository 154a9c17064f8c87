//! Insects over time: lists of tracks, one track with its pictures, and the
//! arrivals of a trap interval by interval.

use super::captures::find;
use super::pictures::{cached, is_known};
use super::question::{Asked, AskedArrivals, Filters, no_such_trap, page};
use crate::auth::Researcher;
use crate::db::{Db, TrackListed};
use crate::problem::{Failure, bad_request, json, not_found};
use crate::state::State;
use crate::thumbnail;
use axum::body::Body;
use axum::extract::{self, Path};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use std::sync::PoisonError;
use trapline_wire::read::{Arrivals, PictureState, TrackDetail, TrackMoment};
use trapline_wire::v1::{InspectionOutcome, InspectionRecord, TrackBox};
use trapline_wire::{CaptureId, TrapId};

/// Pictures between the first and the last of a track that are shown.
const MOMENTS: usize = 8;

pub(super) async fn list(
    extract::State(state): extract::State<State>,
    _researcher: Researcher,
    Asked(asked): Asked<Filters>,
) -> Result<Response, Failure> {
    let tracks = state
        .work(move |shared| {
            let db = shared.reader();
            let limit = asked.limit()?;
            let rows = db.tracks(
                &asked.tracks(&db)?,
                asked.window(),
                asked.after()?,
                limit + 1,
            )?;
            Ok(page(
                rows,
                limit,
                |listed| listed.cursor().to_string(),
                |listed| listed.row,
            ))
        })
        .await?;
    Ok(json(StatusCode::OK, &tracks))
}

pub(super) async fn one(
    extract::State(state): extract::State<State>,
    _researcher: Researcher,
    Path((trap, track)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let detail = state
        .work(move |shared| {
            let db = shared.reader();
            let listed = find_track(&db, &trap, &track)?;
            let moments = moments(&db, &listed)?;
            Ok(TrackDetail {
                row: listed.row,
                trap_name: listed.trap_name,
                moments,
            })
        })
        .await?;
    Ok(json(StatusCode::OK, &detail))
}

pub(super) async fn arrivals(
    extract::State(state): extract::State<State>,
    _researcher: Researcher,
    Path(trap): Path<String>,
    Asked(asked): Asked<AskedArrivals>,
) -> Result<Response, Failure> {
    let arrivals = state
        .work(move |shared| {
            let span = asked.span(shared.now_ms())?;
            let id: TrapId = trap.parse().map_err(|_| no_such_trap())?;
            let db = shared.reader();
            let trap = db.trap_number(&id)?.ok_or_else(no_such_trap)?;
            let counted = db.arrivals(trap, span.from_ms, span.step_ms, span.length)?;
            Ok(Arrivals {
                from_ms: span.from_ms,
                until_ms: span.until_ms(),
                step_ms: span.step_ms,
                intervals: counted.intervals,
                total: counted.total,
                models: counted.models,
            })
        })
        .await?;
    Ok(json(StatusCode::OK, &arrivals))
}

/// In which picture of the track.
#[derive(Debug, Deserialize)]
pub(super) struct AskedCrop {
    capture: Option<String>,
}

/// The insect, cut from its best picture or from the one that is asked for.
pub(super) async fn crop(
    extract::State(state): extract::State<State>,
    _researcher: Researcher,
    Path((trap, track)): Path<(String, String)>,
    Asked(asked): Asked<AskedCrop>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let (sha256, place) = state
        .work(move |shared| {
            let db = shared.reader();
            let listed = find_track(&db, &trap, &track)?;
            let best = &listed.row.track;
            let capture = asked.capture.unwrap_or_else(|| best.best.to_string());
            let row = find(&db, &trap, &capture)?;
            let place = if row.record.id == best.best {
                Some(best.best_box)
            } else {
                place_of(&db.inspections(row.number)?, &listed)
            };
            let place = place.ok_or_else(|| not_found("that picture does not show this insect"))?;
            match row.picture_state {
                PictureState::OnTrap => Err(not_found("the picture is still on the trap")),
                PictureState::Unreadable => Err(not_found("no viewer can open this picture")),
                PictureState::Stored => Ok((row.record.picture.sha256, place)),
            }
        })
        .await?;
    let tag = format!(
        "\"{sha256}-{}-{}-{}-{}\"",
        place.x_px, place.y_px, place.width_px, place.height_px
    );
    if is_known(&headers, &tag) {
        return Ok(cached(StatusCode::NOT_MODIFIED.into_response(), &tag));
    }
    let jpeg = state
        .work(move |shared| {
            let Some(picture) = shared.blobs.picture_bytes(&sha256)? else {
                return Err(Failure::Broken(format!(
                    "the stored picture {sha256} is not in its place"
                )));
            };
            // One large picture in memory at a time.
            let _alone = shared
                .decoding
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            thumbnail::crop(&picture, &place)
                .map_err(|reason| not_found(format!("there is no crop: {reason}")))
        })
        .await?;
    let mut response = Body::from(jpeg).into_response();
    let kind = HeaderValue::from_static("image/jpeg");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    let mut response = cached(response, &tag);
    // The best picture of a track may become another one.
    response.headers_mut().insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, max-age=3600"),
    );
    Ok(response)
}

fn find_track(db: &Db, trap: &str, track: &str) -> Result<TrackListed, Failure> {
    let no_such_track = || not_found("there is no such track");
    let trap: TrapId = trap.parse().map_err(|_| no_such_track())?;
    db.track(&trap, track)?.ok_or_else(no_such_track)
}

/// Some of the pictures that show the insect, the first, best and last among them.
fn moments(db: &Db, listed: &TrackListed) -> Result<Vec<TrackMoment>, Failure> {
    let row = &listed.row;
    let (from_ms, to_ms) = (row.first_ms.min(row.last_ms), row.first_ms.max(row.last_ms));
    let all = db.looked_at(listed.trap_number, from_ms, to_ms)?;
    let step = all.len().div_ceil(MOMENTS).max(1);
    let is_named = |id: &CaptureId| [row.track.first, row.track.best, row.track.last].contains(id);
    let chosen = all
        .iter()
        .enumerate()
        .filter(|(place, id)| place % step == 0 || is_named(id))
        .map(|(_, id)| *id);
    let mut moments = Vec::new();
    for id in chosen {
        let Some(capture) = db.capture(&row.trap, id)? else {
            continue;
        };
        let place = if id == row.track.best {
            Some(row.track.best_box)
        } else {
            place_of(&db.inspections(capture.number)?, listed)
        };
        if let Some(place) = place {
            moments.push(TrackMoment {
                capture: id,
                taken_ms: capture.record.stamp.unix_ms,
                picture_state: capture.picture_state,
                place,
            });
        }
    }
    Ok(moments)
}

/// Where the insect is in a picture, by the inspection that followed it.
fn place_of(inspections: &[InspectionRecord], listed: &TrackListed) -> Option<TrackBox> {
    let id = listed.row.track.id;
    let same_ledger = |inspection: &&InspectionRecord| inspection.capture.ledger == id.ledger;
    inspections
        .iter()
        .filter(same_ledger)
        .filter_map(|inspection| match &inspection.outcome {
            InspectionOutcome::Seen { detections, .. } => Some(detections),
            InspectionOutcome::GaveUp { .. } => None,
        })
        .flatten()
        .find(|found| found.track == Some(id.seq))
        .map(|found| TrackBox {
            x_px: found.x_px,
            y_px: found.y_px,
            width_px: found.width_px,
            height_px: found.height_px,
        })
}

/// The intervals of a question.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) from_ms: i64,
    pub(super) step_ms: i64,
    pub(super) length: usize,
}

impl Span {
    /// The whole intervals from `from_ms` that reach over `until_ms`.
    pub(super) fn over(from_ms: i64, until_ms: i64, step_ms: i64) -> Result<Self, Failure> {
        const INTERVALS_MAX: i64 = 10_000;
        if from_ms >= until_ms {
            return Err(bad_request("`from_ms` must be before `until_ms`"));
        }
        let length = until_ms.saturating_sub(from_ms).saturating_sub(1) / step_ms + 1;
        if length > INTERVALS_MAX {
            return Err(bad_request(format!(
                "these are more than {INTERVALS_MAX} intervals: ask for a shorter window, or by \
                 day"
            )));
        }
        Ok(Self {
            from_ms,
            step_ms,
            length: usize::try_from(length).unwrap_or(0),
        })
    }

    fn until_ms(&self) -> i64 {
        let length = i64::try_from(self.length).unwrap_or(i64::MAX);
        self.from_ms
            .saturating_add(self.step_ms.saturating_mul(length))
    }
}
