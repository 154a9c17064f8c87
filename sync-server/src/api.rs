//! What researchers ask: `/api/v1/…` behind a login.

mod captures;
mod csv;
mod pictures;
mod question;
mod series;
mod tracks;
mod traps;

use crate::auth::{login, origin};
use crate::problem::{not_found, refuse};
use crate::state::State;
use axum::Router;
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::{any, get};

/// Every route of the JSON API that researchers use.
pub(crate) fn router() -> Router<State> {
    Router::new()
        .route("/api/v1/traps", get(traps::list))
        .route("/api/v1/traps/{trap}", get(traps::one))
        .route("/api/v1/traps/{trap}/timeline", get(series::timeline))
        .route("/api/v1/captures", get(captures::list))
        .route("/api/v1/captures.csv", get(csv::captures))
        .route("/api/v1/detections.csv", get(csv::detections))
        .route("/api/v1/captures/{trap}/{capture}", get(captures::one))
        .route(
            "/api/v1/captures/{trap}/{capture}/picture",
            get(pictures::picture),
        )
        .route(
            "/api/v1/captures/{trap}/{capture}/thumbnail",
            get(pictures::thumbnail),
        )
        .route("/api/v1/traps/{trap}/arrivals", get(tracks::arrivals))
        .route("/api/v1/arrivals.csv", get(csv::tracks::arrivals))
        .route("/api/v1/tracks", get(tracks::list))
        .route("/api/v1/tracks.csv", get(csv::tracks::tracks))
        .route("/api/v1/tracks/{trap}/{track}", get(tracks::one))
        .route("/api/v1/tracks/{trap}/{track}/crop", get(tracks::crop))
        .route("/api/v1/readings", get(series::readings))
        .route("/api/v1/readings.csv", get(csv::readings))
        .route("/api/v1/effort", get(series::effort))
        .route("/api/v1/effort.csv", get(csv::effort))
        .layer(middleware::from_fn(origin::check))
        .merge(login::router())
        .route(
            "/api/{*rest}",
            any(async || not_found("there is no such call")),
        )
        .method_not_allowed_fallback(async || {
            refuse(
                StatusCode::METHOD_NOT_ALLOWED,
                "bad_method",
                "this address does not take this method",
            )
        })
}
