//! The test shot: as sharp as this trap can be, neither black nor burnt out, and
//! brighter with the lamp than without.

use crate::asks::LampUse;
use crate::desk::Desk;
use crate::selftest::look;
use crate::selftest::tour::{Found, Tour, on_thread};
use std::sync::Arc;
use std::time::Duration;
use trapline_detect::change::grey::Grey;
use trapline_detect::{Limits, Quality, jpeg};
use trapline_hal::Frame;
use trapline_store::{OsDisk, StoreError, View};
use trapline_wire::v1::InspectionOutcome;

/// Decoding a large picture on a small trap.
const DECODE: Duration = Duration::from_secs(30);
/// So many of the newest pictures are this trap's past.
const PAST: u32 = 200;
/// Less of the best sharpness than this is worth a word ...
const BLURRED: f32 = 0.75;
/// ... and than this a reason to stay.
const BLIND: f32 = 0.45;
/// Mean brightness of 0 to 255 outside of which a card shows little.
const DIM: f32 = 40.0;
const BLACK: f32 = 16.0;
const GLARING: f32 = 225.0;
/// Share of black or white pixels.
const CLIPPED: f32 = 0.3;
const BURNT_OUT: f32 = 0.8;
/// The lamp must raise the mean by this much.
const LAMP_LUMA: f32 = 6.0;

/// What the test shot is worth; `None` without a picture that can be read.
pub(super) async fn seen(desk: &Desk, frame: Option<&Frame>) -> Option<Quality> {
    let jpeg = frame?.jpeg.clone();
    let measured = on_thread(desk, DECODE, move || {
        let picture = jpeg::decode(&jpeg, &Limits::default()).ok()?;
        Some(Grey::of(&picture).1)
    });
    measured.await.ok().flatten()
}

/// The sharpness of this trap's pictures so far: the best and the newest.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Past {
    best: f32,
    newest: f32,
}

/// The test shot beside the best and the newest picture of this trap.
pub(super) async fn sharpness_row(desk: &Desk, seen: &Quality) -> Found {
    let dir = desk.config.ledger.dir.clone();
    // A check beside a ledger of its own still knows the trap's past.
    let known = on_thread(desk, DECODE, move || {
        let view = View::open(&dir, Arc::new(OsDisk))?;
        past(&view)
    });
    let known = match known.await {
        Ok(Ok(known)) => Ok(known),
        _ => desk.books.with(|ledger| past(ledger)).await,
    };
    match known {
        Ok(past) => judge(seen.sharpness, past),
        Err(error) => Found::care(error.in_full(), "check the card"),
    }
}

fn judge(sharpness: f32, past: Option<Past>) -> Found {
    let Some(Past { best, newest }) = past else {
        return Found::good(format!(
            "{sharpness:.2}; this trap has no pictures yet to compare it with"
        ));
    };
    let words = format!("{sharpness:.2}; its best was {best:.2}, the last {newest:.2}");
    let remedy = "wipe the lens, look for condensed water, check focus and distance";
    if sharpness < best * BLIND {
        Found::bad(words, remedy)
    } else if sharpness < best * BLURRED {
        Found::care(words, remedy)
    } else {
        Found::good(words)
    }
}

fn past(ledger: &View) -> Result<Option<Past>, StoreError> {
    let mut past: Option<Past> = None;
    for capture in ledger.newest_seen(PAST)? {
        let seen = ledger.inspections(capture)?.into_iter().rev();
        let sharpness = seen
            .filter_map(|row| match row.record.outcome {
                InspectionOutcome::Seen { look, .. } => look,
                InspectionOutcome::GaveUp { .. } => None,
            })
            .find(|look| !look.is_poor)
            .map(|look| look.sharpness);
        if let Some(sharpness) = sharpness {
            let past = past.get_or_insert(Past {
                best: sharpness,
                newest: sharpness,
            });
            past.best = past.best.max(sharpness);
        }
    }
    Ok(past)
}

/// Whether there is something to be seen.
pub(super) fn exposure_row(seen: &Quality) -> Found {
    let percent = seen.clipped_share * 100.0;
    let words = format!(
        "brightness {:.0} of 255, {percent:.0} % black or burnt out",
        seen.mean_luma
    );
    if seen.mean_luma < BLACK {
        Found::bad(words, "take off the lens cap; check the lamp")
    } else if seen.clipped_share > BURNT_OUT {
        Found::bad(words, "shade the card, or shorten the exposure")
    } else if seen.mean_luma < DIM {
        Found::care(words, "check the lamp, or lengthen the exposure")
    } else if seen.mean_luma > GLARING || seen.clipped_share > CLIPPED {
        Found::care(words, "shade the card, or shorten the exposure")
    } else {
        Found::good(words)
    }
}

/// A second picture without the lamp.
pub(super) async fn lamp(desk: &Desk, tour: &mut Tour<'_>, lit: Option<&Quality>) {
    if !has_lamp(desk) {
        let found = Found::absent("none is configured");
        tour.note("lamp", found, Duration::ZERO);
        return;
    }
    let Some(lit) = lit.copied() else {
        let found = Found::care("not tried without a picture", "mend the camera first");
        tour.note("lamp", found, Duration::ZERO);
        return;
    };
    let work = async {
        let dark = match look(desk, LampUse::Dark).await {
            Ok(frame) => seen(desk, Some(&frame)).await,
            Err(why) => return Found::care(why, "check the camera's cable"),
        };
        match dark {
            Some(dark) => judge_lamp(lit.mean_luma, dark.mean_luma),
            None => Found::care("the picture without it cannot be read", "check the camera"),
        }
    };
    let limit = 2 * DECODE + 4 * desk.config.camera.deadline + Duration::from_secs(60);
    tour.step("lamp", limit, work).await;
}

fn judge_lamp(lit: f32, dark: f32) -> Found {
    let words = format!("brightness {lit:.0} with it, {dark:.0} without");
    if lit - dark >= LAMP_LUMA {
        Found::good(words)
    } else if dark >= DIM {
        let remedy = "by day this may be; try it again with the card shaded";
        Found::care(format!("{words}: it makes no difference"), remedy)
    } else {
        let remedy = "check its wires and its fuse";
        Found::bad(format!("{words}: it does not light the card"), remedy)
    }
}

/// Whether a lamp is lit for pictures at all.
fn has_lamp(desk: &Desk) -> bool {
    desk.config.flash.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selftest::Outcome;

    #[test]
    fn a_picture_is_judged_by_this_traps_own_best() {
        let past = Some(Past {
            best: 0.8,
            newest: 0.7,
        });
        assert_eq!(
            judge(0.3, None).outcome(),
            Outcome::Passed,
            "the first ever"
        );
        assert_eq!(judge(0.61, past).outcome(), Outcome::Passed);
        assert_eq!(judge(0.5, past).outcome(), Outcome::Care);
        assert_eq!(judge(0.3, past).outcome(), Outcome::Failed);
    }

    #[test]
    fn a_lamp_is_judged_by_the_difference_it_makes() {
        assert_eq!(judge_lamp(90.0, 12.0).outcome(), Outcome::Passed);
        assert_eq!(judge_lamp(121.0, 120.0).outcome(), Outcome::Care, "by day");
        assert_eq!(judge_lamp(12.0, 11.0).outcome(), Outcome::Failed);
    }

    #[test]
    fn a_covered_lens_and_a_burnt_out_card_are_told() {
        let quality = |mean_luma, clipped_share| Quality {
            sharpness: 0.5,
            mean_luma,
            clipped_share,
        };
        assert_eq!(
            exposure_row(&quality(120.0, 0.01)).outcome(),
            Outcome::Passed
        );
        assert_eq!(exposure_row(&quality(30.0, 0.01)).outcome(), Outcome::Care);
        assert_eq!(exposure_row(&quality(2.0, 0.99)).outcome(), Outcome::Failed);
        assert_eq!(
            exposure_row(&quality(250.0, 0.9)).outcome(),
            Outcome::Failed
        );
    }
}
