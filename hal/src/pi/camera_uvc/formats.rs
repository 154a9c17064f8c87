//! Which of the pictures that a camera offers is asked for.

use super::UvcFormat;

/// One way in which a camera gives pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) width_px: u32,
    pub(super) height_px: u32,
    pub(super) format: UvcFormat,
    /// Pictures in a second.
    pub(super) rate: u32,
}

/// Slower ones take long to warm up; faster ones expose shorter and fill the bus.
const RATE_MIN: u32 = 5;

/// The ways to try, the best first.
pub(super) fn choose(offered: &[Way], size_px: Option<(u32, u32)>, format: UvcFormat) -> Vec<Way> {
    let is_wanted = |way: &&Way| format == UvcFormat::Any || way.format == format;
    let wanted: Vec<Way> = offered.iter().filter(is_wanted).copied().collect();
    let mut ways = wanted.clone();
    // A camera that gives any size lists only the smallest and the largest.
    let (width_px, height_px) = size_px.unwrap_or_default();
    if size_px.is_some() {
        ways.extend(wanted.into_iter().map(|way| Way {
            width_px,
            height_px,
            ..way
        }));
    }
    ways.sort_by_key(|way| {
        let far = match size_px {
            Some(_) => way.width_px.abs_diff(width_px) + way.height_px.abs_diff(height_px),
            None => 0,
        };
        let area = u64::from(way.width_px) * u64::from(way.height_px);
        let is_slow = way.rate < RATE_MIN;
        let slowness = if is_slow {
            u32::MAX - way.rate
        } else {
            way.rate
        };
        (far, u64::MAX - area, rank(way.format), slowness)
    });
    ways.dedup();
    ways
}

fn rank(format: UvcFormat) -> u8 {
    match format {
        UvcFormat::Mjpeg | UvcFormat::Any => 0,
        UvcFormat::Yuyv => 1,
        UvcFormat::Nv12 => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use UvcFormat::{Any, Mjpeg, Yuyv};

    fn way(width_px: u32, height_px: u32, format: UvcFormat, rate: u32) -> Way {
        Way {
            width_px,
            height_px,
            format,
            rate,
        }
    }

    fn webcam() -> Vec<Way> {
        vec![
            way(640, 480, Yuyv, 30),
            way(1_920, 1_080, Yuyv, 5),
            way(640, 480, Mjpeg, 30),
            way(1_920, 1_080, Mjpeg, 2),
            way(1_920, 1_080, Mjpeg, 30),
            way(1_920, 1_080, Mjpeg, 5),
        ]
    }

    #[test]
    fn without_a_wish_it_is_the_largest_jpeg_at_a_calm_rate() {
        let ways = choose(&webcam(), None, Any);
        let rates: Vec<u32> = ways.iter().take(3).map(|way| way.rate).collect();
        assert_eq!(ways[0], way(1_920, 1_080, Mjpeg, 5));
        assert_eq!(rates, [5, 30, 2]);
    }

    #[test]
    fn size_and_format_are_as_wanted() {
        let ways = choose(&webcam(), Some((640, 480)), Yuyv);
        assert_eq!(ways[0].format, Yuyv);
        assert_eq!((ways[0].width_px, ways[0].height_px), (640, 480));
        assert!(ways.iter().all(|way| way.format == Yuyv));
    }

    #[test]
    fn a_size_that_is_not_listed_is_tried_and_then_the_nearest() {
        let ways = choose(&webcam(), Some((1_280, 720)), Mjpeg);
        assert_eq!((ways[0].width_px, ways[0].height_px), (1_280, 720));
        let listed = ways.iter().find(|way| way.width_px != 1_280).unwrap();
        assert_eq!(
            listed.width_px,
            640 + 1_280 * u32::from(listed.width_px != 640)
        );
    }

    #[test]
    fn a_camera_without_that_format_gives_nothing() {
        assert_eq!(choose(&webcam(), None, UvcFormat::Nv12), []);
    }
}
