//! What a measured picture is worth beside the ones before it, and when poor ones
//! are a fault that somebody must mend.

use trapline_detect::look::Quality;
use trapline_detect::quality::{Flaw, Measured};
use trapline_wire::v1::{PictureFlaw, PictureQuality};

/// The part under which poor pictures are told.
pub(super) const PART: &str = "picture_quality";
/// A picture is compared with so many before it: a day of one every 20 minutes.
pub(super) const RECENT: u32 = 73;
/// One poor picture is a leaf or a walker; so many in a row are the trap.
const IN_A_ROW: usize = 3;

/// The picture's worth, beside the pictures before it, the newest first.
pub(super) fn judged(measured: &Measured, before: &[Option<PictureQuality>]) -> PictureQuality {
    let before: Vec<Measured> = before.iter().flatten().map(measured_of).collect();
    let flaws = measured.flaws(&before).into_iter().map(wire_flaw).collect();
    PictureQuality {
        sharpness: measured.quality.sharpness,
        mean_luma: measured.quality.mean_luma,
        contrast: measured.contrast,
        dark_share: measured.dark_share,
        bright_share: measured.bright_share,
        cast: measured.cast,
        hue_degrees: measured.hue_degrees,
        flaws,
    }
}

/// The fault of several poor pictures in a row, with its remedy.
pub(super) fn trouble(now: &PictureQuality, before: &[Option<PictureQuality>]) -> Option<String> {
    let worst = *now.flaws.first()?;
    let is_poor = |one: &&Option<PictureQuality>| {
        one.as_ref()
            .is_some_and(|quality| !quality.flaws.is_empty())
    };
    let poor_before = before.iter().take_while(is_poor).count();
    if poor_before + 1 < IN_A_ROW {
        return None;
    }
    Some(format!(
        "the pictures are {}: {}",
        words(worst),
        remedy(worst)
    ))
}

/// A flaw in words that follow "the picture is".
pub(super) fn words(flaw: PictureFlaw) -> &'static str {
    match flaw {
        PictureFlaw::Covered => "of nothing",
        PictureFlaw::Dark => "dark",
        PictureFlaw::Overexposed => "overexposed",
        PictureFlaw::Blurred => "blurred",
        PictureFlaw::Cast => "in another light than before",
        PictureFlaw::Other => "poor",
    }
}

fn remedy(flaw: PictureFlaw) -> &'static str {
    match flaw {
        PictureFlaw::Covered => "take the cover off the lens, and see that the lamp is on",
        PictureFlaw::Dark => {
            "is the lamp on? If it is, expose longer; if there is none, leave the night out of `schedule.windows`"
        }
        PictureFlaw::Overexposed => "shade the card from the sun, or expose shorter",
        PictureFlaw::Blurred => {
            "wipe dew and dirt off the lens, then check the focus and the distance to the card"
        }
        PictureFlaw::Cast => "has the lamp failed, or was a setting of the white balance changed?",
        PictureFlaw::Other => "look at one of them",
    }
}

fn measured_of(quality: &PictureQuality) -> Measured {
    Measured {
        quality: Quality {
            sharpness: quality.sharpness,
            mean_luma: quality.mean_luma,
            clipped_share: quality.dark_share + quality.bright_share,
        },
        contrast: quality.contrast,
        dark_share: quality.dark_share,
        bright_share: quality.bright_share,
        cast: quality.cast,
        hue_degrees: quality.hue_degrees,
    }
}

fn wire_flaw(flaw: Flaw) -> PictureFlaw {
    match flaw {
        Flaw::Covered => PictureFlaw::Covered,
        Flaw::Dark => PictureFlaw::Dark,
        Flaw::Overexposed => PictureFlaw::Overexposed,
        Flaw::Blurred => PictureFlaw::Blurred,
        Flaw::Cast => PictureFlaw::Cast,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poor(flaws: &[PictureFlaw]) -> PictureQuality {
        PictureQuality {
            flaws: flaws.to_vec(),
            ..PictureQuality::default()
        }
    }

    #[test]
    fn three_poor_pictures_in_a_row_are_a_fault() {
        let dark = poor(&[PictureFlaw::Dark, PictureFlaw::Blurred]);
        let (good, none) = (Some(poor(&[])), None);
        let blurred = Some(poor(&[PictureFlaw::Blurred]));
        assert_eq!(trouble(&dark, &[]), None);
        assert_eq!(
            trouble(&dark, &[blurred.clone(), good.clone(), blurred.clone()]),
            None
        );
        assert_eq!(
            trouble(&dark, &[blurred.clone(), none, blurred.clone()]),
            None
        );
        assert_eq!(
            trouble(&poor(&[]), &[blurred.clone(), blurred.clone()]),
            None
        );
        let words = trouble(&dark, &[blurred.clone(), blurred, good]).unwrap();
        assert!(
            words.starts_with("the pictures are dark: is the lamp on?"),
            "{words}"
        );
    }
}
