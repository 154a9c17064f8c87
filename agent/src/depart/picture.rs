//! The test shot: as sharp as this trap can be, neither black nor burnt out, and
//! brighter with the lamp than without.

use crate::asks::LampUse;
use crate::desk::Desk;
use crate::selftest::look;
use crate::selftest::tour::{Found, Tour, on_thread};
use std::sync::Arc;
use std::time::Duration;
use trapline_detect::quality::{Flaw, Measured, measure};
use trapline_hal::Frame;
use trapline_store::{OsDisk, StoreError, View};

/// Measuring a large picture on a small trap, and reading the ledger.
const MEASURE: Duration = Duration::from_secs(30);
/// So many of the newest pictures are this trap's past.
const PAST: u32 = 500;
/// Less of the best sharpness than this is worth a word ...
const BLURRED: f32 = 0.8;
/// ... and than this a reason to stay.
const BLIND: f32 = 0.5;
/// Without the lamp it is day above this mean brightness of 0 to 255.
const DAY_LUMA: f32 = 40.0;
/// The lamp must raise the mean by this much.
const LAMP_LUMA: f32 = 6.0;

/// What the test shot is worth; `None` without a picture that can be read.
pub(super) async fn seen(desk: &Desk, frame: Option<&Frame>) -> Option<Measured> {
    let jpeg = frame?.jpeg.clone();
    let measured = on_thread(desk, MEASURE, move || measure(&jpeg));
    measured.await.ok()?.ok()
}

/// The sharpness of this trap's pictures so far: the best and the newest.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Past {
    best: f32,
    newest: f32,
}

/// The test shot beside the best and the newest picture of this trap.
pub(super) async fn sharpness_row(desk: &Desk, seen: &Measured) -> Found {
    let dir = desk.config.ledger.dir.clone();
    // A check beside a ledger of its own still knows the trap's past.
    let known = on_thread(desk, MEASURE, move || {
        let view = View::open(&dir, Arc::new(OsDisk))?;
        past(&view)
    });
    let known = match known.await {
        Ok(Ok(known)) => Ok(known),
        _ => desk.books.with(|ledger| past(ledger)).await,
    };
    match known {
        Ok(past) => judge(seen, past),
        Err(error) => Found::care(error.in_full(), "check the card"),
    }
}

fn judge(seen: &Measured, past: Option<Past>) -> Found {
    let remedy = "wipe the lens, look for condensed water, check focus and distance";
    let sharpness = seen.quality.sharpness;
    let is_foggy = seen.flaws(&[]).contains(&Flaw::Blurred);
    let Some(Past { best, newest }) = past else {
        let words = format!("{sharpness:.2}, and no picture yet to compare it with");
        return if is_foggy {
            Found::care(words, remedy)
        } else {
            Found::good(words)
        };
    };
    let words = format!("{sharpness:.2}, the best was {best:.2} and the last {newest:.2}");
    if sharpness < best * BLIND {
        Found::bad(words, remedy)
    } else if is_foggy || sharpness < best * BLURRED {
        Found::care(words, remedy)
    } else {
        Found::good(words)
    }
}

fn past(ledger: &View) -> Result<Option<Past>, StoreError> {
    let recent = ledger.recent_quality(PAST)?;
    let sharpness = recent
        .into_iter()
        .flatten()
        .map(|quality| quality.sharpness);
    Ok(
        sharpness.fold(None, |past: Option<Past>, sharpness| match past {
            None => Some(Past {
                best: sharpness,
                newest: sharpness,
            }),
            Some(past) => Some(Past {
                best: past.best.max(sharpness),
                ..past
            }),
        }),
    )
}

/// Whether there is something to be seen.
pub(super) fn exposure_row(seen: &Measured) -> Found {
    let percent = |share: f32| share * 100.0;
    let words = format!(
        "brightness {:.0} of 255, {:.0} % black, {:.0} % burnt out",
        seen.quality.mean_luma,
        percent(seen.dark_share),
        percent(seen.bright_share),
    );
    let flaws = seen.flaws(&[]);
    if flaws.contains(&Flaw::Covered) {
        Found::bad(words, "take the cover off the lens; check the lamp")
    } else if flaws.contains(&Flaw::Dark) {
        Found::care(words, "check the lamp, or expose longer")
    } else if flaws.contains(&Flaw::Overexposed) {
        Found::care(words, "shade the card, or expose shorter")
    } else {
        Found::good(words)
    }
}

/// A second picture without the lamp.
pub(super) async fn lamp(desk: &Desk, tour: &mut Tour<'_>, lit: Option<&Measured>) {
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
            Some(dark) => judge_lamp(lit.quality.mean_luma, dark.quality.mean_luma),
            None => Found::care("the picture without it cannot be read", "check the camera"),
        }
    };
    let limit = 2 * MEASURE + 4 * desk.config.camera.deadline + Duration::from_secs(60);
    tour.step("lamp", limit, work).await;
}

fn judge_lamp(lit: f32, dark: f32) -> Found {
    let words = format!("brightness {lit:.0} with it, {dark:.0} without");
    if lit - dark >= LAMP_LUMA {
        Found::good(words)
    } else if dark >= DAY_LUMA {
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
    use trapline_detect::Quality;

    fn sharp(sharpness: f32) -> Measured {
        Measured {
            quality: Quality {
                sharpness,
                mean_luma: 120.0,
                clipped_share: 0.0,
            },
            contrast: 40.0,
            ..Measured::default()
        }
    }

    #[test]
    fn a_picture_is_judged_by_this_traps_own_best() {
        let past = Some(Past {
            best: 0.9,
            newest: 0.8,
        });
        let judged = |sharpness, past| judge(&sharp(sharpness), past).outcome();
        assert_eq!(judged(0.8, None), Outcome::Passed, "the first ever");
        assert_eq!(judged(0.3, None), Outcome::Care, "fog at the first");
        assert_eq!(judged(0.75, past), Outcome::Passed);
        assert_eq!(judged(0.6, past), Outcome::Care);
        assert_eq!(judged(0.3, past), Outcome::Failed);
    }

    #[test]
    fn a_lamp_is_judged_by_the_difference_it_makes() {
        assert_eq!(judge_lamp(90.0, 12.0).outcome(), Outcome::Passed);
        assert_eq!(judge_lamp(121.0, 120.0).outcome(), Outcome::Care, "by day");
        assert_eq!(judge_lamp(12.0, 11.0).outcome(), Outcome::Failed);
    }

    #[test]
    fn a_covered_lens_and_a_burnt_out_card_are_told() {
        let judged = |change: &dyn Fn(&mut Measured)| {
            let mut seen = sharp(0.8);
            change(&mut seen);
            exposure_row(&seen).outcome()
        };
        assert_eq!(judged(&|_| ()), Outcome::Passed);
        let dark = |seen: &mut Measured| seen.quality.mean_luma = 30.0;
        assert_eq!(judged(&dark), Outcome::Care);
        let covered = |seen: &mut Measured| (seen.quality.mean_luma, seen.contrast) = (2.0, 1.0);
        assert_eq!(judged(&covered), Outcome::Failed);
        assert_eq!(judged(&|seen| seen.bright_share = 0.6), Outcome::Care);
    }
}
