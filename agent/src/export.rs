//! Pictures and tables of the ledger, copied into a folder. Each picture is
//! checked against the hash under which it was admitted; one that is there
//! already and right is left alone, so an export that was cut off goes on.

use crate::moment::utc_text;
use anyhow::Context as _;
use serde::Serialize;
use std::fmt;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use table::{Table, part_of, put_in_place};
use trapline_store::{CaptureRow, OsDisk, PictureState, View};
use trapline_wire::v1::{
    CaptureRecord, CaptureSource, EffortOutcome, InspectionOutcome, PictureQuality, ShotCause,
};
use trapline_wire::{CaptureId, Sha256, TrackId};

mod deployments;
mod insects;
mod table;

const PAGE: u32 = 200;
const PICTURES: &str = "pictures";
const CAPTURES: &[&str] = &[
    "capture",
    "time_utc",
    "unix_ms",
    "clock",
    "source",
    "file",
    "sha256",
    "size_bytes",
    "width_px",
    "height_px",
    "picture",
    "reading",
    "inspection",
    "insects",
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
const DETECTIONS: &[&str] = &[
    "capture",
    "time_utc",
    "model",
    "model_sha256",
    "threshold",
    "class",
    "score",
    "x_px",
    "y_px",
    "width_px",
    "height_px",
    "track",
    "carried",
    "flaws",
];

/// What came of an export.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Pictures copied now.
    pub copied: u64,
    /// Pictures that were there already, checked again.
    pub already_there: u64,
    /// Pictures that are on the server alone.
    pub pruned: u64,
    /// Pictures that cannot be read, each with its reason.
    pub damaged: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} pictures copied and checked", self.copied)?;
        if self.already_there > 0 {
            write!(f, ", {} were there already", self.already_there)?;
        }
        if self.pruned > 0 {
            write!(f, ", {} are on the server alone", self.pruned)?;
        }
        for damaged in &self.damaged {
            write!(f, "\nnot copied: {damaged}")?;
        }
        Ok(())
    }
}

/// Copies the ledger in `ledger_dir` into `dir`, telling how many pictures are done of how many.
///
/// # Errors
/// When the ledger cannot be read or the folder cannot be written.
pub fn export(
    ledger_dir: &Path,
    dir: &Path,
    tell: &mut dyn FnMut(u64, u64),
) -> anyhow::Result<Report> {
    let view = View::open(ledger_dir, Arc::new(OsDisk))
        .with_context(|| format!("cannot read the ledger in {}", ledger_dir.display()))?;
    let pictures = dir.join(PICTURES);
    std::fs::create_dir_all(&pictures)
        .with_context(|| format!("cannot make the folder {}", pictures.display()))?;
    let report = export_captures(&view, dir, tell)?;
    export_efforts(&view, dir)?;
    export_readings(&view, dir)?;
    insects::export(&view, dir)?;
    deployments::export(&view, dir)?;
    Ok(report)
}

fn export_captures(
    view: &View,
    dir: &Path,
    tell: &mut dyn FnMut(u64, u64),
) -> anyhow::Result<Report> {
    let mut captures = Table::new(dir, "captures.csv", CAPTURES)?;
    let mut detections = Table::new(dir, "detections.csv", DETECTIONS)?;
    let mut report = Report::default();
    let all = view.summary(i64::MAX)?.captures;
    let mut after: Option<CaptureId> = None;
    let mut done = 0;
    loop {
        let page = view.captures(after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = Some(last.record.id);
        for row in &page {
            export_picture(view, dir, row, &mut report)?;
            export_capture(view, row, &mut captures, &mut detections)?;
            done += 1;
            tell(done, all);
        }
    }
    captures.finish()?;
    detections.finish()?;
    Ok(report)
}

fn export_picture(
    view: &View,
    dir: &Path,
    row: &CaptureRow,
    report: &mut Report,
) -> anyhow::Result<()> {
    let path = dir.join(PICTURES).join(picture_name(row));
    if std::fs::read(&path).is_ok_and(|bytes| Sha256::of(&bytes) == row.record.picture.sha256) {
        report.already_there += 1;
        return Ok(());
    }
    if row.picture == PictureState::Pruned {
        report.pruned += 1;
        return Ok(());
    }
    // The ledger checks size and hash while it reads.
    let bytes = match view.picture(row.record.id) {
        Ok(bytes) => bytes,
        Err(error) => {
            report.damaged.push(crate::stage::in_full(&error));
            return Ok(());
        }
    };
    let part = part_of(&path);
    let failed = || format!("cannot write {}", part.display());
    let mut file = File::create(&part).with_context(failed)?;
    file.write_all(&bytes).with_context(failed)?;
    put_in_place(&file, &path)?;
    let copied = std::fs::read(&path).with_context(failed)?;
    anyhow::ensure!(
        Sha256::of(&copied) == row.record.picture.sha256,
        "{} does not read back as it was written; use another disk",
        path.display()
    );
    report.copied += 1;
    Ok(())
}

fn picture_name(row: &CaptureRow) -> String {
    format!("{}.jpg", row.record.id)
}

fn export_capture(
    view: &View,
    row: &CaptureRow,
    captures: &mut Table,
    detections: &mut Table,
) -> anyhow::Result<()> {
    let record = &row.record;
    let inspections = view.inspections(record.id)?;
    let insects = inspections.last().and_then(|inspection| inspection.insects);
    let (source, file) = match &record.source {
        CaptureSource::Camera { model } => ("camera", model.clone()),
        CaptureSource::Replayed { file_name } => ("replayed", file_name.clone()),
        CaptureSource::Simulated => ("simulated", String::new()),
    };
    let picture = match &row.picture {
        PictureState::OnCard => "on_card",
        PictureState::Damaged(_) => "damaged",
        PictureState::Safe => "safe",
        PictureState::Pruned => "pruned",
    };
    let inspection = match inspections.last().map(|i| &i.record.outcome) {
        None => "waiting",
        Some(InspectionOutcome::Seen { .. }) => "seen",
        Some(InspectionOutcome::GaveUp { .. }) => "gave_up",
    };
    let mut cells = vec![
        record.id.to_string(),
        utc_text(record.stamp.unix_ms),
        record.stamp.unix_ms.to_string(),
        record.stamp.quality.word().to_owned(),
        source.to_owned(),
        file,
        record.picture.sha256.to_string(),
        record.picture.size_bytes.to_string(),
        optional(record.picture.width_px),
        optional(record.picture.height_px),
        picture.to_owned(),
        optional(record.reading),
        inspection.to_owned(),
        optional(insects),
    ];
    cells.extend(shot_cells(record));
    captures.row(&cells)?;
    for inspection in &inspections {
        let InspectionOutcome::Seen {
            detections: boxes, ..
        } = &inspection.record.outcome
        else {
            continue;
        };
        let model = &inspection.record.model;
        for found in boxes {
            detections.row(&[
                record.id.to_string(),
                utc_text(record.stamp.unix_ms),
                model.id.clone(),
                model.sha256.to_string(),
                model.threshold.to_string(),
                found.class.clone(),
                found.score.to_string(),
                found.x_px.to_string(),
                found.y_px.to_string(),
                found.width_px.to_string(),
                found.height_px.to_string(),
                optional(found.track.map(|seq| TrackId::new(record.id.ledger, seq))),
                found.carried.to_string(),
                record.flaws_cell(),
            ])?;
        }
    }
    Ok(())
}

/// How the picture was taken and what it is worth: the columns from `cause` on.
fn shot_cells(record: &CaptureRecord) -> [String; 15] {
    let shot = record.shot.as_ref();
    let quality = record.quality.as_ref();
    let measured = |value: fn(&PictureQuality) -> f32| optional(quality.map(value));
    [
        optional(record.cause.map(ShotCause::word)),
        optional(shot.and_then(|shot| shot.exposure_us)),
        optional(shot.and_then(|shot| shot.gain)),
        optional(shot.and_then(|shot| shot.lens_dioptres)),
        optional(shot.and_then(|shot| shot.white_balance_k)),
        optional(shot.and_then(|shot| shot.sensor_c)),
        optional(shot.and_then(|shot| shot.sensor_model.as_deref())),
        record.flaws_cell(),
        measured(|quality| quality.sharpness),
        measured(|quality| quality.mean_luma),
        measured(|quality| quality.contrast),
        measured(|quality| quality.dark_share),
        measured(|quality| quality.bright_share),
        measured(|quality| quality.cast),
        measured(|quality| quality.hue_degrees),
    ]
}

fn export_efforts(view: &View, dir: &Path) -> anyhow::Result<()> {
    let mut table = Table::new(
        dir,
        "effort.csv",
        &[
            "effort",
            "due_utc",
            "due_ms",
            "last_due_ms",
            "shots",
            "outcome",
            "capture",
            "reason",
            "detail",
            "closed_ms",
            "clock",
        ],
    )?;
    let mut after = None;
    loop {
        let page = view.efforts(after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = Some(last.record.id);
        for row in &page {
            let record = &row.record;
            let (outcome, capture, reason, detail) = match &record.outcome {
                EffortOutcome::Done { capture } => ("done", capture.to_string(), "", ""),
                EffortOutcome::Missed { reason, detail } => {
                    ("missed", String::new(), reason.word(), detail.as_str())
                }
            };
            table.row(&[
                record.id.to_string(),
                utc_text(record.due_ms),
                record.due_ms.to_string(),
                record.last_due_ms.to_string(),
                record.shots.to_string(),
                outcome.to_owned(),
                capture,
                reason.to_owned(),
                detail.to_owned(),
                record.closed.unix_ms.to_string(),
                record.closed.quality.word().to_owned(),
            ])?;
        }
    }
    table.finish()
}

fn export_readings(view: &View, dir: &Path) -> anyhow::Result<()> {
    let mut table = Table::new(
        dir,
        "readings.csv",
        &[
            "reading",
            "time_utc",
            "unix_ms",
            "clock",
            "temperature_c",
            "humidity_percent",
            "light_lux",
            "battery_v",
        ],
    )?;
    let mut after = None;
    loop {
        let page = view.readings(after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = Some(last.record.id);
        for row in &page {
            let record = &row.record;
            table.row(&[
                record.id.to_string(),
                utc_text(record.stamp.unix_ms),
                record.stamp.unix_ms.to_string(),
                record.stamp.quality.word().to_owned(),
                optional(record.temperature_c),
                optional(record.humidity_percent),
                optional(record.light_lux),
                optional(record.battery_v),
            ])?;
        }
    }
    table.finish()
}

fn optional(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}
