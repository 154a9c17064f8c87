//! Insects over time as CSV: each track with its model, and arrivals per interval.

use super::table::{Lines, ROWS, last, or_empty, table, utc};
use crate::api::question::{Asked, DAY_MS, Every, Filters};
use crate::api::tracks::Span;
use crate::auth::Researcher;
use crate::db::{Cursor, Db, TrackListed, card_name};
use crate::problem::Failure;
use crate::state::State;
use axum::extract;
use axum::response::Response;
use trapline_wire::arrivals::Interval;
use trapline_wire::cell::guarded;
use trapline_wire::v1::TrackEnd;

/// Without a window, arrivals reach this far back from the last look.
const DAYS_MAX: i64 = 366;

pub(in crate::api) async fn tracks(
    extract::State(state): extract::State<State>,
    _researcher: Researcher,
    Asked(asked): Asked<Filters>,
) -> Result<Response, Failure> {
    const HEADING: &[&str] = &[
        "trap_id",
        "trap_name",
        "track_id",
        "card",
        "first_utc",
        "first_ms",
        "first_clock",
        "last_utc",
        "last_ms",
        "first_capture_id",
        "last_capture_id",
        "best_capture_id",
        "seen",
        "origin",
        "confirmed",
        "end",
        "could_be",
        "class",
        "score",
        "x_px",
        "y_px",
        "width_px",
        "height_px",
        "model_id",
        "model_sha256",
        "threshold",
    ];
    table(state, asked, "tracks.csv", HEADING, |db, asked, after| {
        let rows = db.tracks(&asked.tracks(db)?, asked.window(), after, ROWS)?;
        let next = last(&rows, TrackListed::cursor);
        Ok((rows.iter().map(track_cells).collect(), next))
    })
    .await
}

fn track_cells(listed: &TrackListed) -> Vec<String> {
    let row = &listed.row;
    let track = &row.track;
    vec![
        row.trap.to_string(),
        guarded(&listed.trap_name),
        track.id.to_string(),
        card_name(track),
        utc(row.first_ms),
        row.first_ms.to_string(),
        row.first_clock.word().to_owned(),
        utc(row.last_ms),
        row.last_ms.to_string(),
        track.first.to_string(),
        track.last.to_string(),
        track.best.to_string(),
        track.seen.to_string(),
        track.origin.word().to_owned(),
        track.is_confirmed.to_string(),
        track.end.map_or("", TrackEnd::word).to_owned(),
        or_empty(track.could_be),
        guarded(&track.class),
        track.score.to_string(),
        track.best_box.x_px.to_string(),
        track.best_box.y_px.to_string(),
        track.best_box.width_px.to_string(),
        track.best_box.height_px.to_string(),
        guarded(&track.model.id),
        track.model.sha256.to_string(),
        track.model.threshold.to_string(),
    ]
}

pub(in crate::api) async fn arrivals(
    extract::State(state): extract::State<State>,
    _researcher: Researcher,
    Asked(asked): Asked<Filters>,
) -> Result<Response, Failure> {
    const HEADING: &[&str] = &[
        "trap_id",
        "trap_name",
        "from_utc",
        "from_ms",
        "until_ms",
        "arrivals",
        "low",
        "high",
        "looks",
        "failed",
        "clock_doubtful",
        "models",
    ];
    table(state, asked, "arrivals.csv", HEADING, of_one_trap).await
}

/// The lines of one trap; the cursor's number is the trap's.
fn of_one_trap(db: &Db, asked: &Filters, after: Option<Cursor>) -> Result<Lines, Failure> {
    let only = asked.trap(db)?;
    let before = only.map_or(after.map_or(0, |cursor| cursor.number), |trap| trap - 1);
    let Some((trap, id, name)) = db.trap_after(before)? else {
        return Ok((Vec::new(), None));
    };
    let next = only.is_none().then_some(Cursor {
        time_ms: 0,
        number: trap,
    });
    let step_ms = asked.every.unwrap_or(Every::Hour).step_ms();
    let Some(span) = span(db, asked, trap, step_ms)? else {
        return Ok((Vec::new(), next));
    };
    let counted = db.arrivals(trap, span.from_ms, span.step_ms, span.length)?;
    let models = guarded(&counted.models.join(" "));
    let cells = |interval: &Interval| {
        let count = interval.arrivals;
        vec![
            id.clone(),
            guarded(&name),
            utc(interval.from_ms),
            interval.from_ms.to_string(),
            interval.until_ms.to_string(),
            or_empty(count.map(|count| count.counted)),
            or_empty(count.map(|count| count.low)),
            or_empty(count.map(|count| count.high)),
            interval.looks.to_string(),
            interval.failed.to_string(),
            interval.clock_doubtful.to_string(),
            models.clone(),
        ]
    };
    Ok((counted.intervals.iter().map(cells).collect(), next))
}

/// The window that is asked for; without one, from the trap's first look to its last.
fn span(db: &Db, asked: &Filters, trap: i64, step_ms: i64) -> Result<Option<Span>, Failure> {
    let (from_ms, until_ms) = asked.edges();
    let looked = db.looked_span(trap)?;
    let Some(until_ms) = until_ms.or(looked.map(|(_, last_ms)| last_ms.saturating_add(1))) else {
        return Ok(None);
    };
    let earliest_ms = until_ms.saturating_sub(DAYS_MAX * DAY_MS);
    let begin = looked.map(|(first_ms, _)| first_ms.max(earliest_ms));
    let Some(from_ms) = from_ms.or(begin.map(|at_ms| at_ms - at_ms.rem_euclid(step_ms))) else {
        return Ok(None);
    };
    if from_ms >= until_ms {
        return Ok(None);
    }
    Span::over(from_ms, until_ms, step_ms).map(Some)
}
