//! `GET /healthz`: whether the server can do its work, for whoever watches it.

use crate::problem::json;
use crate::state::State;
use axum::extract;
use axum::http::StatusCode;
use axum::response::Response;

pub(crate) async fn check(extract::State(state): extract::State<State>) -> Response {
    let checked = state
        .work(|shared| {
            shared.writer().check()?;
            shared.blobs.free_bytes()
        })
        .await;
    let free_bytes_min = state.shared().settings.free_bytes_min;
    match checked {
        Ok(free_bytes) if free_bytes < free_bytes_min => {
            answer(StatusCode::SERVICE_UNAVAILABLE, "the disk is nearly full")
        }
        Ok(_) => answer(StatusCode::OK, "ok"),
        Err(failure) => {
            log::error!("not healthy: {failure}");
            answer(
                StatusCode::SERVICE_UNAVAILABLE,
                "the database or the data folder cannot be used",
            )
        }
    }
}

fn answer(status: StatusCode, text: &str) -> Response {
    json(status, &serde_json::json!({ "status": text }))
}
