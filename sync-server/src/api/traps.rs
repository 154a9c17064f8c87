//! `GET /api/v1/traps` and `/api/v1/traps/{trap}`.

use super::question::{Asked, DAY_MS, Since, no_such_trap, page};
use crate::auth::Researcher;
use crate::problem::{Failure, json};
use crate::state::State;
use axum::extract::{self, Path};
use axum::http::StatusCode;
use axum::response::Response;
use trapline_wire::TrapId;

pub(super) async fn list(
    extract::State(state): extract::State<State>,
    _researcher: Researcher,
    Asked(asked): Asked<Since>,
) -> Result<Response, Failure> {
    let traps = state
        .work(move |shared| {
            let (limit, after) = (asked.limit()?, asked.after()?);
            let since_ms = asked.since_ms.unwrap_or(shared.now_ms() - DAY_MS);
            let rows = shared.reader().trap_summaries(after, limit + 1, since_ms)?;
            Ok(page(
                rows,
                limit,
                |(number, _)| number.to_string(),
                |(_, summary)| summary,
            ))
        })
        .await?;
    Ok(json(StatusCode::OK, &traps))
}

pub(super) async fn one(
    extract::State(state): extract::State<State>,
    _researcher: Researcher,
    Path(trap): Path<String>,
    Asked(asked): Asked<Since>,
) -> Result<Response, Failure> {
    let summary = state
        .work(move |shared| {
            let id: TrapId = trap.parse().map_err(|_| no_such_trap())?;
            let since_ms = asked.since_ms.unwrap_or(shared.now_ms() - DAY_MS);
            shared
                .reader()
                .trap_summary(&id, since_ms)?
                .ok_or_else(no_such_trap)
        })
        .await?;
    Ok(json(StatusCode::OK, &summary))
}
