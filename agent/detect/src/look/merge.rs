//! One list out of boxes that are taken over and boxes that were found anew, without doubles where both meet.

use crate::boxes::Detection;
use crate::change::windows::Window;
use crate::suppress::{self, Candidate};

/// A box this near to a window's border may be cut by it.
const BORDER_PX: f32 = 3.0;
/// A box found anew at this overlap is one that was known.
const SAME_IOU: f32 = 0.3;

/// A cut piece belongs to a known box when this much of it lies in it.
const PIECE: f32 = 0.7;

/// A box and whether it was taken over from the last picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Merged {
    pub(super) detection: Detection,
    pub(super) is_carried: bool,
}

/// What a window says about a box that was found in it: a candidate if its middle is in the core, or if it is a known
/// box that the window sees.
///
/// The second keeps an insect on the core's edge whose box moved by a hair from being nobody's. A piece of a known box
/// that reaches out of the window is none: its other part did not change, or the window would be elsewhere.
pub(super) fn judge(found: Detection, window: &Window, known: &[Detection]) -> Option<Candidate> {
    let is_known_here = |known: &Detection| {
        sees(window, known) && known.class == found.class && known.iou(&found) >= SAME_IOU
    };
    let is_piece = |known: &Detection| {
        !sees(window, known)
            && known.class == found.class
            && known.shared_px2(&found) > PIECE * found.area_px2()
    };
    let is_cut = is_cut(&found, window);
    let is_here = window.core.has_middle_of(&found) || known.iter().any(is_known_here);
    let is_piece = is_cut && known.iter().any(is_piece);
    (is_here && !is_piece).then_some(Candidate {
        detection: found,
        is_cut,
    })
}

/// Whether a window shows all of a box, and its middle where it is trusted.
fn sees(window: &Window, known: &Detection) -> bool {
    window.core.has_middle_of(known) && !is_cut(known, window)
}

/// Whether a box touches a border of the window that is none of the picture's.
fn is_cut(detection: &Detection, window: &Window) -> bool {
    let end = |start: u32| (start + window.size_px) as f32 - BORDER_PX;
    let Detection {
        x_px,
        y_px,
        width_px,
        height_px,
        ..
    } = *detection;
    (window.core.left.is_finite() && x_px < window.x_px as f32 + BORDER_PX)
        || (window.core.top.is_finite() && y_px < window.y_px as f32 + BORDER_PX)
        || (window.core.right.is_finite() && x_px + width_px > end(window.x_px))
        || (window.core.bottom.is_finite() && y_px + height_px > end(window.y_px))
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
        windows.iter().any(|window| sees(window, known))
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
