//! Which values a record may have: finite, in range, within the wire's limits.

use trapline_wire::limits::{DETECTIONS_MAX, FAULTS_MAX, TEXT_BYTES_MAX};
use trapline_wire::v1::{
    CaptureRecord, CaptureSource, DetectionRecord, EffortOutcome, EffortRecord, Heartbeat,
    InspectionOutcome, InspectionRecord, LookFacts, PictureQuality, ReadingRecord, ShotFacts,
    Stamp, TrackRecord, UpdateState,
};

/// The largest whole number that every JSON reader holds exactly.
const WHOLE_MAX: u64 = 1 << 53;
/// The end of the year 9999.
const TIME_MAX_MS: i64 = 253_402_300_799_999;

/// More words than there are of flaws, today and for a while.
const FLAWS_MAX: usize = 16;

type Checked = Result<(), String>;

pub(super) fn effort(record: &EffortRecord) -> Checked {
    number("id", record.id.seq)?;
    time("due_ms", record.due_ms)?;
    time("last_due_ms", record.last_due_ms)?;
    ensure(
        record.due_ms <= record.last_due_ms,
        "`last_due_ms` is before `due_ms`",
    )?;
    ensure(record.shots >= 1, "`shots` is 0")?;
    stamp("closed", &record.closed)?;
    match &record.outcome {
        EffortOutcome::Done { capture } => number("outcome.capture", capture.seq),
        EffortOutcome::Missed { detail, .. } => text("outcome.detail", detail),
    }
}

pub(super) fn reading(record: &ReadingRecord) -> Checked {
    number("id", record.id.seq)?;
    stamp("stamp", &record.stamp)?;
    measured("temperature_c", record.temperature_c)?;
    measured("humidity_percent", record.humidity_percent)?;
    measured("light_lux", record.light_lux)?;
    measured("battery_v", record.battery_v)
}

pub(super) fn capture(record: &CaptureRecord) -> Checked {
    number("id", record.id.seq)?;
    stamp("stamp", &record.stamp)?;
    whole("picture.size_bytes", record.picture.size_bytes)?;
    match &record.source {
        CaptureSource::Camera { model } => text("source.model", model),
        CaptureSource::Replayed { file_name } => text("source.file_name", file_name),
        CaptureSource::Simulated => Ok(()),
    }?;
    record.shot.as_ref().map_or(Ok(()), shot_facts)?;
    record.quality.as_ref().map_or(Ok(()), picture_quality)
}

fn shot_facts(shot: &ShotFacts) -> Checked {
    whole("shot.exposure_us", shot.exposure_us.unwrap_or(0))?;
    measured("shot.gain", shot.gain)?;
    measured("shot.lens_dioptres", shot.lens_dioptres)?;
    measured("shot.sensor_c", shot.sensor_c)?;
    text(
        "shot.sensor_model",
        shot.sensor_model.as_deref().unwrap_or_default(),
    )
}

fn picture_quality(quality: &PictureQuality) -> Checked {
    let values = [
        quality.sharpness,
        quality.mean_luma,
        quality.contrast,
        quality.cast,
        quality.hue_degrees,
    ];
    ensure(
        values.iter().all(|value| value.is_finite()),
        "a value of `quality` is not a number",
    )?;
    share("quality.dark_share", quality.dark_share)?;
    share("quality.bright_share", quality.bright_share)?;
    ensure(
        quality.flaws.len() <= FLAWS_MAX,
        &format!("`quality.flaws` has more than {FLAWS_MAX} words"),
    )
}

pub(super) fn inspection(record: &InspectionRecord) -> Checked {
    number("capture", record.capture.seq)?;
    stamp("stamp", &record.stamp)?;
    whole("took_ms", record.took_ms)?;
    text("model.id", &record.model.id)?;
    share("model.threshold", record.model.threshold)?;
    match &record.outcome {
        InspectionOutcome::GaveUp { reason, .. } => text("outcome.reason", reason),
        InspectionOutcome::Seen { detections, look } => {
            ensure(
                detections.len() <= DETECTIONS_MAX,
                &format!("more than {DETECTIONS_MAX} boxes"),
            )?;
            for (place, found) in detections.iter().enumerate() {
                detection(found)
                    .map_err(|problem| format!("outcome.detections[{place}]: {problem}"))?;
            }
            look.as_ref().map_or(Ok(()), look_facts)
        }
    }
}

fn look_facts(look: &LookFacts) -> Checked {
    ensure(
        look.tiles_run <= look.tiles,
        "`outcome.look.tiles_run` is more than `tiles`",
    )?;
    let values = [
        look.shift_x_px.unwrap_or(0.0),
        look.shift_y_px.unwrap_or(0.0),
        look.sharpness,
        look.mean_luma,
    ];
    ensure(
        values.iter().all(|value| value.is_finite()),
        "a value of `outcome.look` is not a number",
    )?;
    share("outcome.look.clipped_share", look.clipped_share)
}

pub(super) fn track(record: &TrackRecord) -> Checked {
    number("id", record.id.seq)?;
    ensure(record.revision >= 1, "`revision` is 0")?;
    ensure(record.seen >= 1, "`seen` is 0")?;
    ensure(record.card >= 1, "`card` is 0")?;
    let captures = [record.first, record.best, record.last];
    ensure(
        captures.iter().all(|id| id.ledger == record.id.ledger),
        "a capture of another ledger",
    )?;
    ensure(
        captures.iter().map(|id| id.seq).is_sorted(),
        "`first`, `best` and `last` are not in order",
    )?;
    ensure(
        record.could_be.is_none_or(|other| other != record.id),
        "`could_be` is the track itself",
    )?;
    let place = &record.best_box;
    let edges = [place.x_px, place.y_px, place.width_px, place.height_px];
    ensure(
        edges.iter().all(|edge| edge.is_finite())
            && place.width_px >= 0.0
            && place.height_px >= 0.0,
        "`best_box` is no box",
    )?;
    share("score", record.score)?;
    share("model.threshold", record.model.threshold)?;
    text("model.id", &record.model.id)?;
    text("class", &record.class)
}

fn detection(found: &DetectionRecord) -> Checked {
    let edges = [found.x_px, found.y_px, found.width_px, found.height_px];
    ensure(
        edges.iter().all(|edge| edge.is_finite()),
        "an edge is not a number",
    )?;
    ensure(
        found.width_px >= 0.0 && found.height_px >= 0.0,
        "the size is negative",
    )?;
    share("score", found.score)?;
    text("class", &found.class)
}

/// A heartbeat is never refused, because it may be all that a broken trap can
/// still say: what is too long is cut.
pub(super) fn clamp(mut heartbeat: Heartbeat) -> Heartbeat {
    heartbeat.faults.truncate(FAULTS_MAX);
    for fault in &mut heartbeat.faults {
        cut(&mut fault.part);
        cut(&mut fault.message);
    }
    cut(&mut heartbeat.agent_version);
    cut(&mut heartbeat.stamp.boot_id);
    if let Some(model) = &mut heartbeat.model {
        cut(model);
    }
    if let Some(update) = &mut heartbeat.update {
        cut(&mut update.version);
        if let UpdateState::Refused { reason } | UpdateState::Returned { reason } =
            &mut update.state
        {
            cut(reason);
        }
    }
    heartbeat.battery_v = heartbeat.battery_v.filter(|volts| volts.is_finite());
    heartbeat
}

fn cut(text: &mut String) {
    let end = text.floor_char_boundary(TEXT_BYTES_MAX);
    text.truncate(end);
}

fn stamp(field: &str, stamp: &Stamp) -> Checked {
    time(&format!("{field}.unix_ms"), stamp.unix_ms)?;
    whole(&format!("{field}.uptime_ms"), stamp.uptime_ms)?;
    text(&format!("{field}.boot_id"), &stamp.boot_id)
}

fn number(field: &str, seq: u64) -> Checked {
    ensure(seq >= 1, &format!("`{field}`: numbers start at 1"))
}

fn time(field: &str, unix_ms: i64) -> Checked {
    ensure(
        (0..=TIME_MAX_MS).contains(&unix_ms),
        &format!("`{field}` is not between 1970 and 9999"),
    )
}

fn whole(field: &str, value: u64) -> Checked {
    ensure(
        value <= WHOLE_MAX,
        &format!("`{field}` is larger than 2^53"),
    )
}

fn measured(field: &str, value: Option<f64>) -> Checked {
    ensure(
        value.is_none_or(|value| value.is_finite() && value.abs() <= 1e9),
        &format!("`{field}` is no possible reading"),
    )
}

fn share(field: &str, value: f32) -> Checked {
    ensure(
        (0.0..=1.0).contains(&value),
        &format!("`{field}` is not between 0 and 1"),
    )
}

fn text(field: &str, value: &str) -> Checked {
    ensure(
        value.len() <= TEXT_BYTES_MAX,
        &format!("`{field}` is longer than {TEXT_BYTES_MAX} bytes"),
    )
}

fn ensure(fits: bool, problem: &str) -> Checked {
    if fits {
        Ok(())
    } else {
        Err(problem.to_owned())
    }
}
