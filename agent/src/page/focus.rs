//! The live focus view: a picture that nobody keeps, and how sharp it is.

use super::answer::{Refused, read_json, sent};
use super::guard::REQUEST_LIMIT;
use super::hall::Hall;
use super::smaller::Wish;
use crate::asks::LampUse;
use crate::moment::millis;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const ASK_BYTES_MAX: usize = 1_000;
const SIDE_PX: u32 = 1_000;
/// Where the figures stand beside the picture.
const FIGURES: HeaderName = HeaderName::from_static("x-focus");

#[derive(Deserialize)]
struct Asked {
    zoom: bool,
    #[serde(default)]
    dark: bool,
}

#[derive(Serialize)]
struct Figures {
    /// Of the middle in its own pixels, 0 to 1.
    sharpness: f32,
    /// As in the ledger, 0 to 1.
    whole_sharpness: f32,
    mean_luma: f32,
    clipped_share: f32,
    width_px: u32,
    height_px: u32,
    took_ms: u64,
}

/// `POST /api/focus`: a JPEG, and its figures in a header.
pub(super) async fn look(State(hall): State<Arc<Hall>>, body: Body) -> Result<Response, Refused> {
    let asked: Asked = read_json(body, ASK_BYTES_MAX).await?;
    let Ok(_turn) = hall.focus.try_acquire() else {
        return Err(Refused::trouble("another phone is focusing this camera"));
    };
    let began = Instant::now();
    let lamp = if asked.dark {
        LampUse::Dark
    } else {
        LampUse::AsUsual
    };
    // A planned shot goes first; then the camera may have to be opened.
    let patience = 2 * hall.desk.config.camera.deadline + Duration::from_secs(10);
    let looked = tokio::time::timeout(patience.min(REQUEST_LIMIT), hall.desk.asks.look(lamp));
    let frame = match looked.await {
        Ok(frame) => frame.map_err(Refused::trouble)?,
        Err(_) => {
            return Err(Refused::trouble(
                "the camera is busy; try again in a moment",
            ));
        }
    };
    let wish = Wish::Focus {
        zoom: asked.zoom,
        side_px: SIDE_PX,
    };
    let done = hall.smaller(wish, frame.jpeg).await?;
    let (width_px, height_px) = done.facts.of_px;
    let middle = done.facts.middle.unwrap_or_default();
    let whole = done.facts.whole.unwrap_or_default();
    let figures = Figures {
        sharpness: middle.sharpness,
        whole_sharpness: whole.sharpness,
        mean_luma: whole.mean_luma,
        clipped_share: whole.clipped_share,
        width_px,
        height_px,
        took_ms: millis(began.elapsed()),
    };
    let mut response = sent(done.jpeg, "image/jpeg");
    let figures = serde_json::to_string(&figures).unwrap_or_default();
    if let Ok(value) = HeaderValue::from_str(&figures) {
        response.headers_mut().insert(FIGURES, value);
    }
    Ok(response)
}
