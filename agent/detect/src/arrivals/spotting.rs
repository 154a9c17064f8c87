//! Which boxes of a frame can be used, in which order, and where they lie on the card.

use super::pose::Pose;
use super::track::Placed;
use super::{Frame, SIGHTINGS_MAX};
use crate::boxes::Detection;

/// The indices of the sightings that can be used, in an order that does not depend on how they were listed.
pub(super) fn in_order(frame: &Frame) -> Vec<usize> {
    let mut order: Vec<(usize, _)> = frame
        .sightings
        .iter()
        .enumerate()
        .filter(|(_, sighting)| {
            let detection = &sighting.detection;
            placed(detection, &Pose::HOME).is_sane() && (0.0..=1.0).contains(&detection.score)
        })
        .collect();
    order.sort_by(|(_, a), (_, b)| {
        let (one, other) = (&a.detection, &b.detection);
        other
            .score
            .total_cmp(&one.score)
            .then(one.y_px.total_cmp(&other.y_px))
            .then(one.x_px.total_cmp(&other.x_px))
            .then(one.width_px.total_cmp(&other.width_px))
            .then(one.height_px.total_cmp(&other.height_px))
            .then(one.class.cmp(&other.class))
            .then(a.appearance.cmp(&b.appearance))
            .then(a.is_carried.cmp(&b.is_carried))
    });
    order.truncate(SIGHTINGS_MAX);
    order.into_iter().map(|(index, _)| index).collect()
}

pub(super) fn placed(detection: &Detection, pose: &Pose) -> Placed {
    let middle = [
        detection.x_px + detection.width_px / 2.0,
        detection.y_px + detection.height_px / 2.0,
    ];
    let [x_px, y_px] = pose.apply(middle);
    Placed {
        x_px,
        y_px,
        width_px: detection.width_px,
        height_px: detection.height_px,
    }
}
