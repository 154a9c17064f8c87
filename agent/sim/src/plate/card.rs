//! The card without insects: what is behind it, its yellow, print, glue and dirt.

use super::canvas::{Canvas, Ink, Rgb, Shape, blend, center};
use super::letters;
use super::noise::{clouds, field, lerp, step};
use crate::chance::Chance;

/// Where the card lies in the picture: a plane seen at a slight angle.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// From card (across, along, 1) to pixels, row by row.
    to_px: [f32; 9],
    /// And back.
    from_px: [f32; 9],
    /// Length of the card's long side in pixels.
    pub(crate) long_px: f32,
    /// Length of its short side.
    pub(crate) short_px: f32,
}

impl Place {
    /// A place drawn by chance: shifted, turned and tilted a little.
    #[expect(clippy::cast_precision_loss, reason = "pictures are far smaller")]
    pub(crate) fn draw(width: usize, height: usize, chance: &mut Chance) -> Self {
        let lying = width > height;
        let (w, h) = (width as f32, height as f32);
        let (long_side, short_side) = if lying { (w, h) } else { (h, w) };
        let long_px = long_side * chance.near(0.88, 0.92);
        let short_px = (long_px * 0.56).min(short_side * 0.86);
        let (half_long, half_short) = (long_px / 2.0, short_px / 2.0);
        let turn = chance.near(-0.025, 0.025);
        let (sin, cos) = turn.sin_cos();
        let shift = [chance.near(-0.02, 0.02), chance.near(-0.015, 0.015)];
        // Corners in the order (across, along): 00, 10, 11, 01.
        let corners = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)].map(|(a, b)| {
            let across = a * half_short * chance.near(0.965, 1.0);
            let along = b * half_long * chance.near(0.98, 1.0);
            let (x, y) = if lying {
                (along, -across)
            } else {
                (across, along)
            };
            (
                w * (0.5 + shift[0]) + x * cos - y * sin,
                h * (0.5 + shift[1]) + x * sin + y * cos,
            )
        });
        let to_px = square_to_corners(corners);
        Self {
            from_px: adjugate(to_px),
            to_px,
            long_px,
            short_px,
        }
    }

    /// Where a point of the card is in the picture.
    pub(crate) fn to_px(&self, across: f32, along: f32) -> [f32; 2] {
        project(&self.to_px, across, along)
    }

    fn of_px(&self, x: f32, y: f32) -> [f32; 2] {
        project(&self.from_px, x, y)
    }

    /// How much of a pixel the card covers.
    fn cover(&self, across: f32, along: f32) -> f32 {
        let side = across.min(1.0 - across) * self.short_px;
        let end = along.min(1.0 - along) * self.long_px;
        (0.5 + side.min(end)).clamp(0.0, 1.0)
    }
}

/// Paints everything that stays the same while one card hangs; also says, for
/// each pixel, how much of it is card and not background.
pub(crate) fn paint(
    canvas: &mut Canvas,
    place: &Place,
    trap: u32,
    chance: &mut Chance,
) -> Vec<f32> {
    let noise_seed = u32::try_from(chance.bits() >> 32).unwrap_or(0);
    backdrop(canvas, chance, noise_seed);
    let mask = sheet(canvas, place, noise_seed);
    ghosts(canvas, place, chance);
    print(canvas, place, chance);
    dirt(canvas, place, chance);
    label(canvas, place, trap, chance);
    mask
}

/// Leaves out of focus, or a plastered wall.
fn backdrop(canvas: &mut Canvas, chance: &mut Chance, seed: u32) {
    let leaves = chance.happens(0.7);
    let (width, height) = (canvas.width, canvas.height);
    let scale = 6.0 / center(width.max(height));
    for y in 0..height {
        let row = canvas.pixels.iter_mut().skip(y * width).take(width);
        for (x, pixel) in row.enumerate() {
            let (u, v) = (center(x) * scale, center(y) * scale);
            let depth = clouds(seed ^ 1, u, v);
            *pixel = if leaves {
                [
                    0.03 + 0.10 * depth,
                    0.07 + 0.17 * depth,
                    0.02 + 0.05 * depth,
                ]
            } else {
                let grain = clouds(seed ^ 2, u * 9.0, v * 9.0);
                [0.5, 0.49, 0.46].map(|c: f32| c * (0.8 + 0.25 * depth + 0.12 * grain))
            };
        }
    }
    if leaves {
        let size_px = center(width.max(height));
        for _ in 0..190 {
            let ripe = chance.near(0.0, 1.0);
            let bright = chance.near(0.3, 1.5);
            let r = size_px * chance.near(0.012, 0.06);
            let leaf = Shape::Ellipse {
                x: chance.near(0.0, center(width)),
                y: chance.near(0.0, center(height)),
                rx: r * chance.near(1.2, 2.2),
                ry: r * 0.5,
                angle: chance.near(-1.4, 1.4),
            };
            let color: Rgb = [lerp(0.05, 0.16, ripe), 0.20, 0.035].map(|c: f32| c * bright);
            let ink = Ink {
                color,
                alpha: chance.near(0.35, 0.8),
                soft_px: r * chance.near(0.15, 0.6),
            };
            canvas.paint(leaf, ink);
        }
    }
}

const YELLOW: Rgb = [0.90, 0.66, 0.008];

/// The yellow plastic, uneven, with glue that has run along the card.
fn sheet(canvas: &mut Canvas, place: &Place, seed: u32) -> Vec<f32> {
    let width = canvas.width;
    let mut mask = vec![0.0; canvas.pixels.len()];
    let rim = 10.0 / place.short_px.max(10.0);
    for (index, (pixel, covered)) in canvas.pixels.iter_mut().zip(&mut mask).enumerate() {
        let (x, y) = (index % width, index / width);
        let [across, along] = place.of_px(center(x), center(y));
        if !(-0.1..=1.1).contains(&across) || !(-0.1..=1.1).contains(&along) {
            continue;
        }
        // The shadow that the card throws on what is behind it.
        let drop = place.cover(across - 0.012, along - 0.008);
        blend(pixel, pixel.map(|c| c * 0.45), drop * 0.8);
        let cover = place.cover(across, along);
        if cover <= 0.0 {
            continue;
        }
        let runs = field(
            seed ^ 3,
            across * 70.0 + 3.0 * field(seed ^ 4, across * 5.0, along * 9.0),
            along * 9.0,
        );
        let ripple = field(seed ^ 5, across * 130.0, along * 60.0);
        let wear = clouds(seed ^ 6, across * 3.0, along * 6.0);
        let thread = step(0.46, 0.5, runs) * step(0.54, 0.5, runs);
        let tone = 0.90 + 0.10 * wear + 0.035 * (ripple - 0.5) - 0.07 * thread;
        let edge = step(0.0, rim, across.min(1.0 - across));
        let tone = tone * lerp(0.88, 1.0, edge);
        let mut color = YELLOW.map(|c| c * tone);
        color[1] *= 0.97 + 0.05 * wear;
        color[2] += 0.012 * thread;
        blend(pixel, color, cover);
        *covered = cover;
    }
    mask
}

/// Insects on the other side of the card shine through as soft greenish spots.
fn ghosts(canvas: &mut Canvas, place: &Place, chance: &mut Chance) {
    for _ in 0..34 {
        let [x, y] = place.to_px(chance.near(0.04, 0.96), chance.near(0.08, 0.96));
        let r = place.long_px * chance.near(0.004, 0.013);
        let ink = Ink {
            color: [0.30, 0.29, 0.012],
            alpha: chance.near(0.15, 0.5),
            soft_px: r * 1.5,
        };
        let (wide, turn) = (chance.near(0.8, 1.9), chance.near(0.0, 3.1));
        canvas.paint(
            Shape::Ellipse {
                x,
                y,
                rx: r * wide,
                ry: r,
                angle: turn,
            },
            ink,
        );
    }
}

/// The maker's lines, name and hole.
fn print(canvas: &mut Canvas, place: &Place, chance: &mut Chance) {
    let ink = Ink::sharp([0.012, 0.030, 0.016], chance.near(0.75, 0.95));
    let radius = place.long_px * 0.00105;
    for line in 1_u8..=5 {
        let along = f32::from(line) / 5.7;
        dashes(canvas, place, [[0.0, along], [1.0, along]], (radius, ink));
    }
    dashes(canvas, place, [[0.5, 0.175], [0.5, 0.95]], (radius, ink));
    let green = Ink::sharp([0.008, 0.085, 0.040], ink.alpha);
    text(canvas, place, "TRAPLINE", (0.29, 0.115, 0.038), green);
    text(canvas, place, "PLATE", (0.39, 0.735, 0.030), green);
    let [x, y] = place.to_px(0.5, 0.968);
    let r = place.long_px * 0.011;
    canvas.paint(
        Shape::Ellipse {
            x,
            y,
            rx: r,
            ry: r,
            angle: 0.0,
        },
        Ink::sharp([0.16, 0.17, 0.13], 0.95),
    );
}

fn dashes(canvas: &mut Canvas, place: &Place, ends: [[f32; 2]; 2], pen: (f32, Ink)) {
    let [from, to] = ends;
    for dash in 0_u8..30 {
        let start = f32::from(dash) / 30.0;
        let point = |t: f32| place.to_px(lerp(from[0], to[0], t), lerp(from[1], to[1], t));
        stroke(canvas, point(start), point(start + 0.02), pen);
    }
}

/// Writes along the card at (across, along) in letters of a width given as fraction of the card's width.
fn text(canvas: &mut Canvas, place: &Place, words: &str, at: (f32, f32, f32), ink: Ink) {
    let (across, along, size) = at;
    let tall = size * place.short_px / place.long_px;
    let radius = place.short_px * size * 0.11;
    let mut left = across;
    for letter in words.chars() {
        for &[x0, y0, x1, y1] in letters::strokes(letter) {
            let from = place.to_px(left + x0 * size, along + y0 * tall);
            let to = place.to_px(left + x1 * size, along + y1 * tall);
            stroke(canvas, from, to, (radius, ink));
        }
        left += size * 1.42;
    }
}

fn stroke(canvas: &mut Canvas, from: [f32; 2], to: [f32; 2], pen: (f32, Ink)) {
    let (radius, ink) = pen;
    let ([x0, y0], [x1, y1]) = (from, to);
    canvas.paint(
        Shape::Limb {
            x0,
            y0,
            x1,
            y1,
            r0: radius,
            r1: radius,
        },
        ink,
    );
}

/// Dust, thrips and crumbs: too small for anybody to count.
fn dirt(canvas: &mut Canvas, place: &Place, chance: &mut Chance) {
    for _ in 0..320 {
        let [x, y] = place.to_px(chance.near(0.02, 0.98), chance.near(0.03, 0.98));
        let r = place.long_px * chance.near(0.0003, 0.0013);
        let shape = Shape::Ellipse {
            x,
            y,
            rx: r * chance.near(1.0, 2.2),
            ry: r,
            angle: chance.near(0.0, 3.1),
        };
        canvas.paint(
            shape,
            Ink::sharp([0.03, 0.02, 0.006], chance.near(0.25, 0.9)),
        );
    }
    // Fibres and bubbles in the glue.
    for _ in 0..14 {
        let start = [chance.near(0.05, 0.9), chance.near(0.05, 0.9)];
        let end = [
            start[0] + chance.near(-0.05, 0.05),
            start[1] + chance.near(-0.02, 0.02),
        ];
        let (from, to) = (place.to_px(start[0], start[1]), place.to_px(end[0], end[1]));
        let ink = Ink::sharp([0.95, 0.9, 0.5], chance.near(0.1, 0.35));
        stroke(canvas, from, to, (place.long_px * 0.0006, ink));
    }
}

/// A paper tag over the card's end with the trap's number, written by hand.
fn label(canvas: &mut Canvas, place: &Place, trap: u32, chance: &mut Chance) {
    let tilt = chance.near(-0.008, 0.008);
    for (offset, color) in [(0.006, [0.2, 0.15, 0.02]), (0.0, [0.80, 0.80, 0.78])] {
        let soft_px = if offset > 0.0 {
            place.long_px * 0.008
        } else {
            1.0
        };
        let alpha = if offset > 0.0 { 0.5 } else { 1.0 };
        let half = 0.030 * place.long_px;
        let [x0, y0] = place.to_px(0.16 + offset, 0.041 + offset - tilt);
        let [x1, y1] = place.to_px(0.84 + offset, 0.041 + offset + tilt);
        let ink = Ink {
            color,
            alpha,
            soft_px,
        };
        let angle = (y1 - y0).atan2(x1 - x0);
        let steps = 200_u8;
        for part in 0..=steps {
            let t = f32::from(part) / f32::from(steps);
            let (x, y) = (lerp(x0, x1, t), lerp(y0, y1, t));
            let (sin, cos) = (angle + std::f32::consts::FRAC_PI_2).sin_cos();
            let limb = Shape::Limb {
                x0: x - cos * half,
                y0: y - sin * half,
                x1: x + cos * half,
                y1: y + sin * half,
                r0: place.short_px * 0.009,
                r1: place.short_px * 0.009,
            };
            canvas.paint(limb, ink);
        }
    }
    let pen = Ink::sharp([0.02, 0.02, 0.03], 0.92);
    text(
        canvas,
        place,
        &format!("TRAP {trap:02}"),
        (0.27, 0.027, 0.042),
        pen,
    );
}

fn project(m: &[f32; 9], x: f32, y: f32) -> [f32; 2] {
    let w = m[6] * x + m[7] * y + m[8];
    [
        (m[0] * x + m[1] * y + m[2]) / w,
        (m[3] * x + m[4] * y + m[5]) / w,
    ]
}

/// The projective map that takes the unit square's corners 00, 10, 11, 01 to these points.
fn square_to_corners(corners: [(f32, f32); 4]) -> [f32; 9] {
    let [(x0, y0), (x1, y1), (x2, y2), (x3, y3)] = corners;
    let (dx1, dy1) = (x1 - x2, y1 - y2);
    let (dx2, dy2) = (x3 - x2, y3 - y2);
    let (sx, sy) = (x0 - x1 + x2 - x3, y0 - y1 + y2 - y3);
    let area = dx1 * dy2 - dx2 * dy1;
    let g = (sx * dy2 - dx2 * sy) / area;
    let h = (dx1 * sy - sx * dy1) / area;
    [
        x1 - x0 + g * x1,
        x3 - x0 + h * x3,
        x0,
        y1 - y0 + g * y1,
        y3 - y0 + h * y3,
        y0,
        g,
        h,
        1.0,
    ]
}

/// The inverse of a projective map, up to a factor that does not matter.
fn adjugate(m: [f32; 9]) -> [f32; 9] {
    let [a, b, c, d, e, f, g, h, i] = m;
    [
        e * i - f * h,
        c * h - b * i,
        b * f - c * e,
        f * g - d * i,
        a * i - c * g,
        c * d - a * f,
        d * h - e * g,
        b * g - a * h,
        a * e - b * d,
    ]
}
