//! How the trap is: what `status` says and a little more, its settings, its last
//! messages.

use super::answer::{Refused, json};
use super::hall::Hall;
use crate::health::BatteryFacts;
use crate::moment::wire_stamp;
use crate::status::Status;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use trapline_wire::v1::Stamp;

#[derive(Serialize)]
struct Now {
    trap: String,
    version: &'static str,
    clock: Stamp,
    /// Whether the phone may set it.
    clock_can_be_set: bool,
    utc_offset_ms: i64,
    has_server: bool,
    status: Status,
    /// Since midnight of the trap's local time.
    pictures_today: u64,
    missed_today: u64,
    battery: Option<BatteryFacts>,
    card_hours_left: Option<u32>,
    wakes_ms: Option<i64>,
    /// `null` when the page stays open.
    page_left_s: Option<u64>,
}

/// `GET /api/state`
pub(super) async fn now(State(hall): State<Arc<Hall>>) -> Result<Response, Refused> {
    let stamp = hall.desk.clock.stamp();
    let now_ms = stamp.unix_ms;
    let facts = hall.desk.health.facts();
    let midnight_ms = hall.desk.config.schedule.midnight_before(now_ms);
    let (battery, card_hours_left) = (facts.battery, facts.card_hours_left);
    let wakes_ms = facts.wakes_ms;
    let folder = hall.folder.clone();
    let read = hall.work(move || Status::of_running(&folder, facts, now_ms));
    let status = read.await?;
    let status = status.map_err(|error| Refused::trouble(format!("{error:#}")))?;
    let today = hall.read(move |view| view.summary(midnight_ms)).await?;
    let left = hall.desk.page.left();
    Ok(json(&Now {
        trap: hall.desk.config.trap.name.clone(),
        version: env!("CARGO_PKG_VERSION"),
        clock_can_be_set: super::place::is_doubtful(stamp.quality),
        clock: wire_stamp(&stamp),
        has_server: hall.desk.config.server.is_some(),
        utc_offset_ms: hall.desk.config.schedule.utc_offset_ms(),
        status,
        pictures_today: today.captures_since,
        missed_today: today.missed_since.values().sum(),
        battery,
        card_hours_left,
        wakes_ms,
        page_left_s: (left < Duration::MAX).then_some(left.as_secs()),
    }))
}

/// `GET /api/settings`
pub(super) async fn settings(State(hall): State<Arc<Hall>>) -> Response {
    json(&*hall.desk.page.settings())
}

/// `GET /api/log`
pub(super) async fn log(State(_hall): State<Arc<Hall>>) -> Response {
    json(&crate::logging::recent())
}
