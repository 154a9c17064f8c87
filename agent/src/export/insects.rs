//! Insects over time: each track, and the arrivals of each hour.

use super::table::Table;
use super::{PAGE, optional};
use crate::moment::utc_text;
use std::collections::BTreeMap;
use std::path::Path;
use trapline_store::View;
use trapline_wire::CaptureId;
use trapline_wire::v1::{TrackEnd, TrackRecord};

const HOUR_MS: i64 = 3_600_000;
/// More hours than ten years have are a clock that jumped.
const HOURS_MAX: i64 = 88_000;

pub(super) fn export(view: &View, dir: &Path) -> anyhow::Result<()> {
    let times = times(view)?;
    export_tracks(view, dir, &times)?;
    export_arrivals(view, dir, &times)
}

/// When each capture was taken.
fn times(view: &View) -> anyhow::Result<BTreeMap<CaptureId, i64>> {
    let mut times = BTreeMap::new();
    let mut after = None;
    loop {
        let page = view.captures(after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = Some(last.record.id);
        times.extend(
            page.iter()
                .map(|row| (row.record.id, row.record.stamp.unix_ms)),
        );
    }
    Ok(times)
}

fn export_tracks(view: &View, dir: &Path, times: &BTreeMap<CaptureId, i64>) -> anyhow::Result<()> {
    let mut table = Table::new(
        dir,
        "tracks.csv",
        &[
            "track",
            "card",
            "first_utc",
            "last_utc",
            "first_capture",
            "last_capture",
            "best_capture",
            "seen",
            "origin",
            "confirmed",
            "end",
            "could_be",
            "class",
            "score",
            "model",
            "model_sha256",
            "threshold",
        ],
    )?;
    let mut after = None;
    loop {
        let page = view.tracks(after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = Some(last.record.id);
        for row in &page {
            table.row(&cells(&row.record, times))?;
        }
    }
    table.finish()
}

fn cells(track: &TrackRecord, times: &BTreeMap<CaptureId, i64>) -> Vec<String> {
    let utc = |id: &CaptureId| optional(times.get(id).map(|at_ms| utc_text(*at_ms)));
    vec![
        track.id.to_string(),
        track.card.to_string(),
        utc(&track.first),
        utc(&track.last),
        track.first.to_string(),
        track.last.to_string(),
        track.best.to_string(),
        track.seen.to_string(),
        track.origin.word().to_owned(),
        track.is_confirmed.to_string(),
        track.end.map_or("", TrackEnd::word).to_owned(),
        optional(track.could_be),
        track.class.clone(),
        track.score.to_string(),
        track.model.id.clone(),
        track.model.sha256.to_string(),
        track.model.threshold.to_string(),
    ]
}

fn export_arrivals(
    view: &View,
    dir: &Path,
    times: &BTreeMap<CaptureId, i64>,
) -> anyhow::Result<()> {
    let mut table = Table::new(
        dir,
        "arrivals.csv",
        &[
            "from_utc",
            "from_ms",
            "until_ms",
            "arrivals",
            "low",
            "high",
            "looks",
            "failed",
            "clock_doubtful",
        ],
    )?;
    let (first_ms, last_ms) = (times.values().min(), times.values().max());
    if let (Some(first_ms), Some(last_ms)) = (first_ms, last_ms) {
        let end = last_ms.div_euclid(HOUR_MS) + 1;
        let begin = first_ms.div_euclid(HOUR_MS).max(end - HOURS_MAX);
        let hours = u32::try_from(end - begin).unwrap_or(0);
        for interval in view.arrivals(begin * HOUR_MS, HOUR_MS, hours)? {
            let count = interval.arrivals;
            table.row(&[
                utc_text(interval.from_ms),
                interval.from_ms.to_string(),
                interval.until_ms.to_string(),
                optional(count.map(|count| count.counted)),
                optional(count.map(|count| count.low)),
                optional(count.map(|count| count.high)),
                interval.looks.to_string(),
                interval.failed.to_string(),
                interval.clock_doubtful.to_string(),
            ])?;
        }
    }
    table.finish()
}
