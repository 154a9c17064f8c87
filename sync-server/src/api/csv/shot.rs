//! The cells that say how a picture was taken and what it is worth.

use super::table::or_empty;
use trapline_wire::cell::guarded;
use trapline_wire::v1::{CaptureRecord, ShotCause};

/// From `cause` to the end of the heading of `captures.csv`.
pub(super) fn cells(record: &CaptureRecord, cells: &mut Vec<String>) {
    let shot = record.shot.clone().unwrap_or_default();
    cells.extend([
        or_empty(record.cause.map(ShotCause::word)),
        or_empty(shot.exposure_us),
        or_empty(shot.gain),
        or_empty(shot.lens_dioptres),
        or_empty(shot.white_balance_k),
        or_empty(shot.sensor_c),
        guarded(shot.sensor_model.as_deref().unwrap_or_default()),
        record.flaws_cell(),
    ]);
    let quality = record.quality.as_ref();
    let values = [
        quality.map(|quality| quality.sharpness),
        quality.map(|quality| quality.mean_luma),
        quality.map(|quality| quality.contrast),
        quality.map(|quality| quality.dark_share),
        quality.map(|quality| quality.bright_share),
        quality.map(|quality| quality.cast),
        quality.map(|quality| quality.hue_degrees),
    ];
    cells.extend(values.map(or_empty));
}
