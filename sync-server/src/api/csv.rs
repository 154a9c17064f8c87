//! The lists as CSV (RFC 4180), all rows, sent as they are read.
//!
//! Text that a person or a trap wrote is guarded: a spreadsheet would run a
//! cell that starts with `=` as a formula, so such a cell gets an apostrophe.

use super::question::{Asked, Filters};
use crate::auth::Researcher;
use crate::db::{CaptureRow, Cursor, Db};
use crate::problem::Failure;
use crate::state::State;
use axum::extract;
use axum::response::Response;
use table::{ROWS, last, or_empty, table, utc};
use trapline_wire::TrackId;
use trapline_wire::cell::guarded;
use trapline_wire::read::PictureState;
use trapline_wire::v1::{CaptureSource, EffortOutcome, InspectionOutcome};

mod shot;
mod table;
pub(super) mod tracks;

pub(super) async fn captures(
    extract::State(state): extract::State<State>,
    _researcher: Researcher,
    Asked(asked): Asked<Filters>,
) -> Result<Response, Failure> {
    const HEADING: &[&str] = &[
        "trap_id",
        "trap_name",
        "capture_id",
        "taken_utc",
        "taken_ms",
        "clock",
        "picture_state",
        "sha256",
        "size_bytes",
        "width_px",
        "height_px",
        "insects",
        "gave_up",
        "source",
        "source_detail",
        "reading_id",
        "cause",
        "exposure_us",
        "gain",
        "lens_dioptres",
        "white_balance_k",
        "sensor_c",
        "sensor_model",
        "flaws",
        "sharpness",
        "mean_luma",
        "contrast",
        "dark_share",
        "bright_share",
        "cast",
        "hue_degrees",
    ];
    table(state, asked, "captures.csv", HEADING, |db, asked, after| {
        let rows = capture_rows(db, asked, after)?;
        let next = last(&rows, CaptureRow::cursor);
        Ok((rows.iter().map(capture_cells).collect(), next))
    })
    .await
}

pub(super) async fn detections(
    extract::State(state): extract::State<State>,
    _researcher: Researcher,
    Asked(asked): Asked<Filters>,
) -> Result<Response, Failure> {
    const HEADING: &[&str] = &[
        "trap_id",
        "trap_name",
        "capture_id",
        "taken_utc",
        "taken_ms",
        "clock",
        "model_id",
        "model_sha256",
        "threshold",
        "class",
        "score",
        "at_threshold",
        "x_px",
        "y_px",
        "width_px",
        "height_px",
        "track_id",
        "carried",
        "flaws",
    ];
    table(
        state,
        asked,
        "detections.csv",
        HEADING,
        |db, asked, after| {
            let rows = capture_rows(db, asked, after)?;
            let next = last(&rows, CaptureRow::cursor);
            let mut cells = Vec::new();
            for row in &rows {
                detection_cells(db, row, &mut cells)?;
            }
            Ok((cells, next))
        },
    )
    .await
}

pub(super) async fn readings(
    extract::State(state): extract::State<State>,
    _researcher: Researcher,
    Asked(asked): Asked<Filters>,
) -> Result<Response, Failure> {
    const HEADING: &[&str] = &[
        "trap_id",
        "trap_name",
        "reading_id",
        "taken_utc",
        "taken_ms",
        "clock",
        "temperature_c",
        "humidity_percent",
        "light_lux",
        "battery_v",
    ];
    table(state, asked, "readings.csv", HEADING, |db, asked, after| {
        let rows = db.readings(asked.trap(db)?, asked.window(), after, ROWS)?;
        let next = last(&rows, |(cursor, _, _)| *cursor);
        let cells = rows.iter().map(|(_, trap_name, row)| {
            vec![
                row.trap.to_string(),
                guarded(trap_name),
                row.id.clone(),
                utc(row.taken_ms),
                row.taken_ms.to_string(),
                row.clock.word().to_owned(),
                or_empty(row.temperature_c),
                or_empty(row.humidity_percent),
                or_empty(row.light_lux),
                or_empty(row.battery_v),
            ]
        });
        Ok((cells.collect(), next))
    })
    .await
}

pub(super) async fn effort(
    extract::State(state): extract::State<State>,
    _researcher: Researcher,
    Asked(asked): Asked<Filters>,
) -> Result<Response, Failure> {
    const HEADING: &[&str] = &[
        "trap_id",
        "trap_name",
        "effort_id",
        "due_utc",
        "due_ms",
        "last_due_utc",
        "last_due_ms",
        "shots",
        "outcome",
        "capture_id",
        "reason",
        "detail",
    ];
    table(state, asked, "effort.csv", HEADING, |db, asked, after| {
        let rows = db.effort(asked.trap(db)?, asked.window(), after, ROWS)?;
        let next = last(&rows, |(cursor, _, _)| *cursor);
        let cells = rows.iter().map(|(_, trap_name, row)| {
            let (outcome, capture, reason, detail) = match &row.outcome {
                EffortOutcome::Done { capture } => {
                    ("done", capture.to_string(), String::new(), String::new())
                }
                EffortOutcome::Missed { reason, detail } => (
                    "missed",
                    String::new(),
                    reason.word().to_owned(),
                    guarded(detail),
                ),
            };
            vec![
                row.trap.to_string(),
                guarded(trap_name),
                row.id.clone(),
                utc(row.due_ms),
                row.due_ms.to_string(),
                utc(row.last_due_ms),
                row.last_due_ms.to_string(),
                row.shots.to_string(),
                outcome.to_owned(),
                capture,
                reason,
                detail,
            ]
        });
        Ok((cells.collect(), next))
    })
    .await
}

fn capture_rows(
    db: &Db,
    asked: &Filters,
    after: Option<Cursor>,
) -> Result<Vec<CaptureRow>, Failure> {
    let mut filter = asked.captures(db)?;
    filter.after = after.or(filter.after);
    db.captures(&filter, ROWS)
}

fn capture_cells(row: &CaptureRow) -> Vec<String> {
    let (source, detail) = match &row.record.source {
        CaptureSource::Camera { model } => ("camera", model.as_str()),
        CaptureSource::Replayed { file_name } => ("replayed", file_name.as_str()),
        CaptureSource::Simulated => ("simulated", ""),
    };
    let picture = &row.record.picture;
    let mut cells = capture_start(row);
    cells.extend([
        match row.picture_state {
            PictureState::OnTrap => "on_trap",
            PictureState::Stored => "stored",
            PictureState::Unreadable => "unreadable",
        }
        .to_owned(),
        picture.sha256.to_string(),
        picture.size_bytes.to_string(),
        or_empty(picture.width_px),
        or_empty(picture.height_px),
        or_empty(row.insects),
        guarded(row.gave_up.as_deref().unwrap_or_default()),
        source.to_owned(),
        guarded(detail),
        or_empty(row.record.reading),
    ]);
    shot::cells(&row.record, &mut cells);
    cells
}

fn capture_start(row: &CaptureRow) -> Vec<String> {
    let stamp = &row.record.stamp;
    vec![
        row.trap.to_string(),
        guarded(&row.trap_name),
        row.record.id.to_string(),
        utc(stamp.unix_ms),
        stamp.unix_ms.to_string(),
        stamp.quality.word().to_owned(),
    ]
}

fn detection_cells(db: &Db, row: &CaptureRow, cells: &mut Vec<Vec<String>>) -> Result<(), Failure> {
    for inspection in db.inspections(row.number)? {
        let InspectionOutcome::Seen { detections, .. } = &inspection.outcome else {
            continue;
        };
        let model = &inspection.model;
        for found in detections {
            let mut line = capture_start(row);
            line.extend([
                guarded(&model.id),
                model.sha256.to_string(),
                model.threshold.to_string(),
                guarded(&found.class),
                found.score.to_string(),
                (found.score >= model.threshold).to_string(),
                found.x_px.to_string(),
                found.y_px.to_string(),
                found.width_px.to_string(),
                found.height_px.to_string(),
                or_empty(
                    found
                        .track
                        .map(|seq| TrackId::new(row.record.id.ledger, seq)),
                ),
                found.carried.to_string(),
                row.record.flaws_cell(),
            ]);
            cells.push(line);
        }
    }
    Ok(())
}
