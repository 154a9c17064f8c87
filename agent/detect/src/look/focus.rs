//! How sharp a picture is, for somebody who turns the lens.

use super::Quality;
use crate::change::grey::Grey;
use crate::jpeg::Picture;

impl Quality {
    /// What a picture is worth, as a look measures it: on its small grey copy.
    #[must_use]
    pub fn of(picture: &Picture) -> Self {
        Grey::of(picture).1
    }

    /// The same on the picture's own pixels: its sharpness falls with the first pixel of blur,
    /// which the small copy does not see. For a part of a picture; a whole one takes long.
    #[must_use]
    pub fn in_own_pixels(picture: &Picture) -> Self {
        Grey::shrunk(picture, 1).1
    }
}

impl Picture {
    /// The middle of the picture, at most `side_px` wide and high.
    #[must_use]
    pub fn middle(&self, side_px: u32) -> Self {
        let (width_px, height_px) = (self.width_px.min(side_px), self.height_px.min(side_px));
        let left_px = (self.width_px - width_px) / 2;
        let top_px = (self.height_px - height_px) / 2;
        let line_bytes = (self.width_px as usize * 3).max(1);
        let lines = self.rgb.chunks_exact(line_bytes);
        let lines = lines.skip(top_px as usize).take(height_px as usize);
        let bytes = left_px as usize * 3..(left_px + width_px) as usize * 3;
        let rgb = lines.flat_map(|line| line.get(bytes.clone()).unwrap_or_default());
        Self {
            width_px,
            height_px,
            rgb: rgb.copied().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width_px: u32, height_px: u32, value: impl Fn(u32, u32) -> u8) -> Picture {
        let rgb = (0..height_px)
            .flat_map(|y| (0..width_px).map(move |x| (x, y)))
            .flat_map(|(x, y)| [value(x, y); 3])
            .collect();
        Picture {
            width_px,
            height_px,
            rgb,
        }
    }

    #[test]
    fn the_middle_is_the_middle() {
        let whole = picture(7, 5, |x, y| u8::try_from(10 * y + x).unwrap());
        let middle = whole.middle(3);
        assert_eq!((middle.width_px, middle.height_px), (3, 3));
        let first = |line: usize| middle.rgb[line * 9];
        assert_eq!((first(0), first(1), first(2)), (12, 22, 32));
        assert_eq!(whole.middle(100), whole);
    }

    #[test]
    fn blur_of_few_pixels_is_seen_in_own_pixels_alone() {
        let stripes = |ramp_px: u32| {
            picture(256, 128, move |x, _| {
                let along = x % 64;
                let up = along.min(ramp_px);
                let down = along.saturating_sub(32).min(ramp_px);
                u8::try_from(40 + 160 * (up - down) / ramp_px).unwrap()
            })
        };
        let fine = |ramp_px| Quality::in_own_pixels(&stripes(ramp_px)).sharpness;
        assert!(fine(4) < 0.8 * fine(1), "{} {}", fine(4), fine(1));
        assert!(fine(8) < 0.8 * fine(4), "{} {}", fine(8), fine(4));
        assert!(fine(1) <= 1.0);
    }
}
