//! One list out of boxes that are taken over and boxes that were found anew, without doubles where both meet.

use crate::boxes::Detection;
use crate::change::windows::Window;
use crate::suppress::{self, Candidate};

/// A box this near to a window's border may be cut by it.
const BORDER_PX: f32 = 3.0;
/// A box found anew at this overlap is one that was known.
const SAME_IOU: f32 = 0.3;

/// A box and whether it was taken over from the last picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Merged {
    pub(super) detection: Detection,
    pub(super) is_carried: bool,
}

/// What a window says about a box that was found in it: a candidate if its middle is in the core, or if it is a known
/// box whose middle was there.
///
/// The second keeps an insect on the core's edge whose box moved by a hair from being nobody's.
pub(super) fn judge(found: Detection, window: &Window, known: &[Detection]) -> Option<Candidate> {
    let is_known_here = |known: &Detection| {
        window.core.has_middle_of(known)
            && known.class == found.class
            && known.iou(&found) >= SAME_IOU
    };
    if !window.core.has_middle_of(&found) && !known.iter().any(is_known_here) {
        return None;
    }
    let end = |start: u32| (start + window.size_px) as f32 - BORDER_PX;
    let is_cut = (window.core.left.is_finite() && found.x_px < window.x_px as f32 + BORDER_PX)
        || (window.core.top.is_finite() && found.y_px < window.y_px as f32 + BORDER_PX)
        || (window.core.right.is_finite() && found.x_px + found.width_px > end(window.x_px))
        || (window.core.bottom.is_finite() && found.y_px + found.height_px > end(window.y_px));
    Some(Candidate {
        detection: found,
        is_cut,
    })
}

/// The boxes of the picture, best first: those found in the windows, and the known ones whose place no window saw.
pub(super) fn merge(
    known: &[Detection],
    found: Vec<Candidate>,
    windows: &[Window],
    nms_iou: f32,
) -> Vec<Merged> {
    let found = suppress::strongest(found, nms_iou);
    let is_seen_anew = |known: &Detection| {
        let is_in_core = windows
            .iter()
            .any(|window| window.core.has_middle_of(known));
        is_in_core
            || found
                .iter()
                .any(|found| found.class == known.class && found.iou(known) >= nms_iou.min(0.4))
    };
    let carried = known.iter().filter(|known| !is_seen_anew(known));
    let merged = |is_carried| {
        move |&detection: &Detection| Merged {
            detection,
            is_carried,
        }
    };
    let mut all: Vec<Merged> = carried.map(merged(true)).collect();
    all.extend(found.iter().map(merged(false)));
    all.sort_by(|a, b| suppress::order(&b.detection, &a.detection));
    all
}
