//! How many insects came in a span of frames, and how sure that is.

use std::ops::Range;

use super::{Origin, TrackView};

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

/// One of so many arrivals may be dirt, or an insect may be missing for it: on sequences of real insects with known
/// truth, 14 of 16 six-hour counts had the truth within an eighth, rounded up.
const MISTAKEN: u32 = 8;

/// Arrivals in a span of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Confirmed arrivals first seen in the span.
    pub counted: u32,
    /// At least so many, if all that is unsure was none, or came before, less the detector's usual mistakes.
    pub low: u32,
    /// At most so many, if all that is unsure was one, or came earlier than first seen, and the usual mistakes.
    pub high: u32,
}

/// Counts the tracks that arrived in `frames`. `looks` are the notes of the frames in and around the span, in order.
///
/// The bounds widen with tracks that are not confirmed yet, with tracks that could be an insect that walked far, and
/// with poor or missing frames at either end of the span, because an insect that came then is first seen later.
/// They are wider by the detector's own mistakes, an eighth of the count rounded up.
/// Whether the clock that put frames into intervals can be trusted is for the caller to say.
#[must_use]
pub fn arrivals_between<'a>(
    tracks: impl IntoIterator<Item = &'a TrackView>,
    looks: &[LookNote],
    frames: Range<u64>,
) -> Count {
    let (early, late) = (blurred(looks, frames.start), blurred(looks, frames.end));
    let (mut counted, mut low, mut high) = (0_u32, 0_u32, 0_u32);
    for track in tracks
        .into_iter()
        .filter(|track| track.origin == Origin::Arrived)
    {
        let is_over = track.end.is_some() && !track.is_confirmed;
        if is_over {
            continue;
        }
        let is_within = frames.contains(&track.first);
        let is_sure = track.is_confirmed && track.maybe_number.is_none();
        counted += u32::from(is_within && track.is_confirmed);
        low += u32::from(is_within && is_sure && early != Some(track.first));
        high += u32::from(is_within || late == Some(track.first));
    }
    let mistaken = counted.div_ceil(MISTAKEN);
    Count {
        counted,
        low: low.saturating_sub(mistaken),
        high: high.saturating_add(mistaken),
    }
}

/// The first good frame from `border` on, if between the last good frame before the border and it pictures are poor
/// or missing: what is first seen in it may have come on either side of the border.
fn blurred(looks: &[LookNote], border: u64) -> Option<u64> {
    let from = looks.partition_point(|look| look.frame < border);
    let (before, after) = looks.split_at_checked(from)?;
    let good = after.iter().position(|look| !look.is_poor)?;
    let passed = after.get(..=good)?;
    let is_blurred = before.last().is_some_and(|look| look.is_poor)
        || passed
            .iter()
            .any(|look| look.is_poor || look.missing_before > 0);
    let first = passed.last()?;
    is_blurred.then_some(first.frame)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Detection;

    fn track(first: u64, is_confirmed: bool) -> TrackView {
        TrackView {
            number: 1,
            first,
            last: first + 9,
            best: first,
            best_box: Detection {
                x_px: 0.0,
                y_px: 0.0,
                width_px: 9.0,
                height_px: 9.0,
                score: 0.9,
                class: 0,
            },
            score: 0.9,
            class: 0,
            seen: 5,
            origin: Origin::Arrived,
            is_confirmed,
            maybe_number: None,
            end: None,
        }
    }

    /// Frames 0 to 19, of which some are poor, and one comes after missing pictures.
    fn looks(poor: &[u64], after_missing: Option<u64>) -> Vec<LookNote> {
        (0..20)
            .map(|frame| LookNote {
                frame,
                is_poor: poor.contains(&frame),
                missing_before: if after_missing == Some(frame) { 4 } else { 0 },
            })
            .collect()
    }

    #[track_caller]
    fn check(tracks: &[TrackView], looks: &[LookNote], expected: [u32; 3]) {
        let Count { counted, low, high } = arrivals_between(tracks, looks, 3..6);
        assert_eq!([counted, low, high], expected);
    }

    #[test]
    fn what_is_sure_may_still_be_a_mistake() {
        let tracks = [
            track(2, true),
            track(3, true),
            track(5, true),
            track(6, true),
        ];
        check(&tracks, &looks(&[], None), [2, 1, 3]);
        check(&tracks, &looks(&[4], None), [2, 1, 3]);
        check(&[], &looks(&[], None), [0, 0, 0]);
        check(&tracks, &[], [2, 1, 3]);
        check(&[track(4, true); 17], &looks(&[], None), [17, 14, 20]);
    }

    #[test]
    fn what_is_not_confirmed_may_be_one() {
        check(&[track(4, false)], &looks(&[], None), [0, 0, 1]);
        let flicker = TrackView {
            end: Some(super::super::End::Gone),
            ..track(4, false)
        };
        check(&[flicker], &looks(&[], None), [0, 0, 0]);
    }

    #[test]
    fn a_far_walk_may_be_none_and_presence_never_is() {
        let jump = TrackView {
            maybe_number: Some(7),
            ..track(4, true)
        };
        check(&[jump], &looks(&[], None), [1, 0, 2]);
        let present = TrackView {
            origin: Origin::Present,
            ..track(4, true)
        };
        check(&[present], &looks(&[], None), [0, 0, 0]);
    }

    #[test]
    fn poor_and_missing_frames_at_the_borders_blur_them() {
        let tracks = [track(3, true), track(4, true), track(6, true)];
        check(&tracks, &looks(&[2], None), [2, 0, 3]);
        check(&tracks, &looks(&[], Some(3)), [2, 0, 3]);
        check(&tracks, &looks(&[5], None), [2, 1, 4]);
        check(&tracks, &looks(&[], Some(6)), [2, 1, 4]);
        check(&[track(7, true)], &looks(&[6], None), [0, 0, 1]);
    }
}
