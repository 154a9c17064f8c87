//! Keeps what enters the ledger within the limits of the wire, so that no
//! single record can make the server refuse a whole batch.

use trapline_wire::limits::TEXT_BYTES_MAX;
use trapline_wire::v1::{CaptureSource, DetectionRecord, PictureQuality, ShotFacts, Stamp};

/// Bytes of JSON that one inspection may take: half a batch, so that it always fits in one.
const DETECTIONS_BYTES_MAX: usize = trapline_wire::limits::BATCH_BYTES_MAX / 2;

/// `text`, cut at the end when it is longer than the wire allows.
pub(super) fn clip(text: &str) -> String {
    let mut end = text.len().min(TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}

pub(super) fn clip_stamp(stamp: &Stamp) -> Stamp {
    Stamp {
        boot_id: clip(&stamp.boot_id),
        ..stamp.clone()
    }
}

pub(super) fn source_words(source: &CaptureSource) -> (&'static str, String) {
    match source {
        CaptureSource::Camera { model } => ("camera", clip(model)),
        CaptureSource::Replayed { file_name } => ("replayed", clip(file_name)),
        CaptureSource::Simulated => ("simulated", String::new()),
    }
}

/// A measured value; what is not a number was not measured.
pub(super) fn measured(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite())
}

/// How a picture was taken, as JSON of the wire; `None` when the camera said nothing.
pub(super) fn keep_shot(shot: &ShotFacts) -> Result<Option<String>, serde_json::Error> {
    let kept = ShotFacts {
        gain: measured(shot.gain),
        lens_dioptres: measured(shot.lens_dioptres),
        sensor_c: measured(shot.sensor_c),
        sensor_model: shot.sensor_model.as_deref().map(clip),
        ..shot.clone()
    };
    let kept = (!kept.is_empty()).then_some(kept);
    kept.as_ref().map(serde_json::to_string).transpose()
}

/// What a picture is worth, as JSON of the wire; JSON cannot say what is not a number.
pub(super) fn keep_quality(quality: &PictureQuality) -> Result<String, serde_json::Error> {
    let number = |value: f32| if value.is_finite() { value } else { 0.0 };
    serde_json::to_string(&PictureQuality {
        sharpness: number(quality.sharpness),
        mean_luma: number(quality.mean_luma),
        contrast: number(quality.contrast),
        dark_share: number(quality.dark_share),
        bright_share: number(quality.bright_share),
        cast: number(quality.cast),
        hue_degrees: number(quality.hue_degrees),
        flaws: quality.flaws.clone(),
    })
}

/// The strongest boxes first, as many as the wire takes; boxes that are not
/// numbers are left out, since JSON cannot say them.
pub(super) fn keep_detections(mut detections: Vec<DetectionRecord>) -> Vec<DetectionRecord> {
    detections.retain(|detection| {
        [
            detection.x_px,
            detection.y_px,
            detection.width_px,
            detection.height_px,
            detection.score,
        ]
        .iter()
        .all(|value| value.is_finite())
    });
    detections.sort_by(|a, b| b.score.total_cmp(&a.score));
    detections.truncate(trapline_wire::limits::DETECTIONS_MAX);
    for detection in &mut detections {
        detection.class = clip(&detection.class);
    }
    let mut bytes = 0;
    let fitting = detections
        .iter()
        .take_while(|detection| {
            bytes += serde_json::to_string(detection).map_or(0, |json| json.len() + 1);
            bytes <= DETECTIONS_BYTES_MAX
        })
        .count();
    detections.truncate(fitting);
    detections
}
