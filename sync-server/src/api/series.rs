//! Readings and effort as pages, and the time line of one trap.

use super::question::{Asked, AskedWindow, DAY_MS, Filters, no_such_trap, page};
use crate::auth::Researcher;
use crate::db::{CaptureFilter, Window, timeline_reading};
use crate::problem::{Failure, bad_request, json};
use crate::state::State;
use axum::extract::{self, Path};
use axum::http::StatusCode;
use axum::response::Response;
use trapline_wire::TrapId;
use trapline_wire::limits::TIMELINE_POINTS_MAX;
use trapline_wire::read::{Timeline, TimelineCapture};

pub(super) async fn readings(
    extract::State(state): extract::State<State>,
    _researcher: Researcher,
    Asked(asked): Asked<Filters>,
) -> Result<Response, Failure> {
    let readings = state
        .work(move |shared| {
            let db = shared.reader();
            let limit = asked.limit()?;
            let rows = db.readings(asked.trap(&db)?, asked.window(), asked.after()?, limit + 1)?;
            Ok(page(
                rows,
                limit,
                |(cursor, _, _)| cursor.to_string(),
                |(_, _, reading)| reading,
            ))
        })
        .await?;
    Ok(json(StatusCode::OK, &readings))
}

pub(super) async fn effort(
    extract::State(state): extract::State<State>,
    _researcher: Researcher,
    Asked(asked): Asked<Filters>,
) -> Result<Response, Failure> {
    let effort = state
        .work(move |shared| {
            let db = shared.reader();
            let limit = asked.limit()?;
            let rows = db.effort(asked.trap(&db)?, asked.window(), asked.after()?, limit + 1)?;
            Ok(page(
                rows,
                limit,
                |(cursor, _, _)| cursor.to_string(),
                |(_, _, effort)| effort,
            ))
        })
        .await?;
    Ok(json(StatusCode::OK, &effort))
}

/// One trap's strips; the last seven days if no window is named.
pub(super) async fn timeline(
    extract::State(state): extract::State<State>,
    _researcher: Researcher,
    Path(trap): Path<String>,
    Asked(asked): Asked<AskedWindow>,
) -> Result<Response, Failure> {
    let timeline = state
        .work(move |shared| {
            let until_ms = asked.until_ms.unwrap_or(shared.now_ms());
            let from_ms = asked.from_ms.unwrap_or(until_ms.saturating_sub(7 * DAY_MS));
            if from_ms >= until_ms {
                return Err(bad_request("`from_ms` must be before `until_ms`"));
            }
            let window = Window { from_ms, until_ms };
            let id: TrapId = trap.parse().map_err(|_| no_such_trap())?;
            let db = shared.reader();
            let trap = db.trap_number(&id)?.ok_or_else(no_such_trap)?;
            let limit = u32::try_from(TIMELINE_POINTS_MAX + 1).unwrap_or(u32::MAX);
            let filter = CaptureFilter {
                trap: Some(trap),
                window,
                has_detections: None,
                good: None,
                newest_first: false,
                after: None,
            };
            let readings = db.readings(Some(trap), window, None, limit)?;
            let captures = db.captures(&filter, limit)?;
            let mut timeline = Timeline {
                from_ms,
                until_ms,
                readings: readings
                    .iter()
                    .map(|(_, _, reading)| timeline_reading(reading))
                    .collect(),
                captures: captures.iter().map(TimelineCapture::from).collect(),
                missed: db.missed(trap, window, limit)?,
                truncated: false,
            };
            timeline.truncated = [
                cut(&mut timeline.readings),
                cut(&mut timeline.captures),
                cut(&mut timeline.missed),
            ]
            .contains(&true);
            Ok(timeline)
        })
        .await?;
    Ok(json(StatusCode::OK, &timeline))
}

fn cut<T>(list: &mut Vec<T>) -> bool {
    let too_long = list.len() > TIMELINE_POINTS_MAX;
    list.truncate(TIMELINE_POINTS_MAX);
    too_long
}
