//! Draws a sticky card with dark flies on it, with whole numbers only, so that it is the same everywhere.

use trapline_detect::Picture;

/// A yellow card with a fly (about 30 pixels) centred on each of the given points.
pub(crate) fn with_insects(width_px: u32, height_px: u32, flies: &[(i32, i32)]) -> Picture {
    let (width, height) = (
        i32::try_from(width_px).unwrap(),
        i32::try_from(height_px).unwrap(),
    );
    let mut rgb = Vec::new();
    for y in 0..height {
        for x in 0..width {
            // Paper is never even: a little noise that depends on the place alone.
            let grain = (x.wrapping_mul(7919) ^ y.wrapping_mul(104_729)).rem_euclid(13);
            let shade = flies
                .iter()
                .map(|&(fly_x, fly_y)| darkness(x - fly_x, y - fly_y))
                .max()
                .unwrap_or(0);
            for (paper, insect) in [(222, 30), (190, 26), (40, 22)] {
                let mixed = (paper * (100 - shade) + insect * shade) / 100 + grain - 6;
                rgb.push(u8::try_from(mixed.clamp(0, 255)).unwrap());
            }
        }
    }
    Picture {
        width_px,
        height_px,
        rgb,
    }
}

/// From 0 (paper) to 100 (body): a body of two ellipses, two wings spread sideways, six legs.
fn darkness(x: i32, y: i32) -> i32 {
    let is_in = |centre_x: i32, centre_y: i32, radius_x: i32, radius_y: i32| {
        let (dx, dy) = ((x - centre_x) * radius_y, (y - centre_y) * radius_x);
        dx * dx + dy * dy <= (radius_x * radius_y).pow(2)
    };
    let is_body = is_in(0, 4, 4, 10) || is_in(0, -9, 5, 5);
    let is_wing = is_in(-8, 3, 6, 9) || is_in(8, 3, 6, 9);
    let is_leg = x.abs() <= 15
        && [-8, 0, 8]
            .iter()
            .any(|leg| (y - leg - x.abs() / 3).abs() <= 0);
    if is_body {
        95
    } else if is_wing {
        55
    } else if is_leg {
        70
    } else {
        0
    }
}
