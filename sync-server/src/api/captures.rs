//! `GET /api/v1/captures` and one capture with everything known of it.

use super::question::{Asked, Filters, page};
use crate::auth::Researcher;
use crate::db::{CaptureRow, Db};
use crate::problem::{Failure, json, not_found};
use crate::state::State;
use axum::extract::{self, Path};
use axum::http::StatusCode;
use axum::response::Response;
use trapline_wire::read::CaptureDetail;

pub(super) async fn list(
    extract::State(state): extract::State<State>,
    _researcher: Researcher,
    Asked(asked): Asked<Filters>,
) -> Result<Response, Failure> {
    let captures = state
        .work(move |shared| {
            let db = shared.reader();
            let limit = asked.limit()?;
            let rows = db.captures(&asked.captures(&db)?, limit + 1)?;
            Ok(page(
                rows,
                limit,
                |row| row.cursor().to_string(),
                |row| row.summary(),
            ))
        })
        .await?;
    Ok(json(StatusCode::OK, &captures))
}

pub(super) async fn one(
    extract::State(state): extract::State<State>,
    _researcher: Researcher,
    Path((trap, capture)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let detail = state
        .work(move |shared| {
            let db = shared.reader();
            let row = find(&db, &trap, &capture)?;
            detail(&db, row)
        })
        .await?;
    Ok(json(StatusCode::OK, &detail))
}

/// The capture that an address names.
pub(super) fn find(db: &Db, trap: &str, capture: &str) -> Result<CaptureRow, Failure> {
    let no_such_capture = || not_found("there is no such capture");
    let trap = trap.parse().map_err(|_| no_such_capture())?;
    let capture = capture.parse().map_err(|_| no_such_capture())?;
    db.capture(&trap, capture)?.ok_or_else(no_such_capture)
}

fn detail(db: &Db, row: CaptureRow) -> Result<CaptureDetail, Failure> {
    let reading = match row.record.reading {
        Some(id) => db.reading(row.trap_number, id)?,
        None => None,
    };
    Ok(CaptureDetail {
        summary: row.summary(),
        reading,
        inspections: db.inspections(row.number)?,
        arrivals: db.arrived_in(row.trap_number, row.cursor())?,
        previous: db.neighbour(row.trap_number, row.cursor(), true)?,
        next: db.neighbour(row.trap_number, row.cursor(), false)?,
        trap_name: row.trap_name,
        stamp: row.record.stamp,
        picture: row.record.picture,
        shot: row.record.shot,
        quality: row.record.quality,
        stored_ms: row.stored_ms,
    })
}
