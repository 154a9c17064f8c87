//! What sticks to the card: kinds of insects, each drawn from ellipses and limbs.
//!
//! An insect is drawn in its own coordinates, one long, head towards +x, and
//! then turned, scaled and placed. Two of a kind differ in wings, legs and
//! tint, all drawn from the insect's own seed.

mod pen;

use super::canvas::{Bounds, Canvas, Ink, Rgb, blend};
use crate::chance::Chance;
pub(crate) use pen::Pose;
use pen::{Legs, Pen, Wing, feelers, legs, wings};
use serde::{Deserialize, Serialize};

/// What kind of insect it is; the detector knows only one class, this is for the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Fungus gnats and midges: slender, long legs.
    Gnat,
    /// House flies and their like: stout, two wings.
    Fly,
    /// Small parasitic wasps: narrow waist, long feelers.
    Wasp,
    /// Aphids: a pale green drop on thin legs.
    Aphid,
    /// Whiteflies: small and almost white.
    Whitefly,
    /// Beetles: a dark glossy oval.
    Beetle,
    /// Moths: broad mottled wings.
    Moth,
}

/// One insect on the card.
#[derive(Debug, Clone, PartialEq)]
pub struct Insect {
    /// What it is.
    pub kind: Kind,
    /// Place across the card, 0 to 1.
    pub across: f32,
    /// Place along the card, 0 to 1.
    pub along: f32,
    /// Body length as a fraction of the card's long side.
    pub length: f32,
    /// Where its head points, radians.
    pub heading: f32,
    /// Its own seed, for everything else.
    pub seed: u64,
}

impl Insect {
    /// An insect drawn by chance, kinds and sizes as they are on real cards.
    pub fn draw(chance: &mut Chance) -> Self {
        let kind = match chance.below(100) {
            0..34 => Kind::Gnat,
            34..60 => Kind::Fly,
            60..72 => Kind::Wasp,
            72..80 => Kind::Aphid,
            80..85 => Kind::Whitefly,
            85..96 => Kind::Beetle,
            _ => Kind::Moth,
        };
        // Median length in pixels of a card that is 1843 pixels long, and its spread.
        let (median_px, spread): (f64, f64) = match kind {
            Kind::Gnat => (25.0, 0.26),
            Kind::Fly => (37.0, 0.34),
            Kind::Wasp => (34.0, 0.34),
            Kind::Aphid => (20.0, 0.2),
            Kind::Whitefly => (17.0, 0.12),
            Kind::Beetle => (25.0, 0.3),
            Kind::Moth => (68.0, 0.2),
        };
        let length = median_px / 1843.0 * (chance.normal() * spread).exp();
        Self {
            kind,
            across: chance.near(0.03, 0.97),
            along: chance.near(0.03, 0.97),
            length: chance.near(1.0, 1.0) * small(length),
            heading: chance.near(0.0, std::f32::consts::TAU),
            seed: chance.bits(),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a fraction of the card")]
fn small(value: f64) -> f32 {
    value as f32
}

/// Paints the insect and gives the rectangle that a careful person would draw around it.
pub(crate) fn paint(canvas: &mut Canvas, insect: &Insect, pose: Pose) -> Bounds {
    let mut pen = Pen::new(canvas, pose);
    let mut chance = Chance::new(insect.seed, &[]);
    pen.shadow();
    match insect.kind {
        Kind::Gnat => gnat(&mut pen, &mut chance),
        Kind::Fly => fly(&mut pen, &mut chance),
        Kind::Wasp => wasp(&mut pen, &mut chance),
        Kind::Aphid => aphid(&mut pen, &mut chance),
        Kind::Whitefly => whitefly(&mut pen, &mut chance),
        Kind::Beetle => beetle(&mut pen, &mut chance),
        Kind::Moth => moth(&mut pen, &mut chance),
    }
    pen.seen()
}

const BLACK: Rgb = [0.006, 0.006, 0.005];
const BROWN: Rgb = [0.045, 0.022, 0.008];
const SMOKE: Rgb = [0.10, 0.065, 0.012];

fn gnat(pen: &mut Pen<'_>, chance: &mut Chance) {
    let tint = between(BLACK, BROWN, chance.near(0.0, 0.9));
    legs(
        pen,
        chance,
        Legs {
            count: 6,
            reach: 0.62,
            radius: 0.016,
            tint,
        },
    );
    wings(
        pen,
        chance,
        Wing {
            length: 0.62,
            width: 0.11,
            spread: 0.55,
            alpha: 0.28,
        },
    );
    pen.oval(
        [-0.18, 0.0],
        [0.26, 0.062],
        chance.near(-0.1, 0.1),
        Ink::sharp(tint, 0.95),
    );
    pen.oval([0.12, 0.0], [0.12, 0.09], 0.0, Ink::sharp(tint, 1.0));
    pen.oval([0.27, 0.0], [0.06, 0.06], 0.0, Ink::sharp(BLACK, 1.0));
    feelers(pen, chance, 0.24, tint);
}

fn fly(pen: &mut Pen<'_>, chance: &mut Chance) {
    let tint = between(BLACK, BROWN, chance.near(0.0, 0.4));
    legs(
        pen,
        chance,
        Legs {
            count: 6,
            reach: 0.5,
            radius: 0.026,
            tint,
        },
    );
    wings(
        pen,
        chance,
        Wing {
            length: 0.66,
            width: 0.17,
            spread: 0.75,
            alpha: 0.42,
        },
    );
    pen.oval(
        [-0.2, 0.0],
        [0.28, 0.17],
        chance.near(-0.15, 0.15),
        Ink::sharp(tint, 1.0),
    );
    pen.oval([0.1, 0.0], [0.19, 0.165], 0.0, Ink::sharp(BLACK, 1.0));
    pen.oval([0.33, 0.0], [0.1, 0.13], 0.0, Ink::sharp(BLACK, 1.0));
    pen.oval(
        [0.35, 0.07],
        [0.045, 0.05],
        0.0,
        Ink::sharp([0.09, 0.015, 0.008], 0.9),
    );
    pen.glint([-0.2, 0.07], 0.07, 0.12);
}

fn wasp(pen: &mut Pen<'_>, chance: &mut Chance) {
    let tint = between(BLACK, [0.16, 0.05, 0.008], chance.near(0.0, 0.8));
    legs(
        pen,
        chance,
        Legs {
            count: 6,
            reach: 0.42,
            radius: 0.018,
            tint,
        },
    );
    wings(
        pen,
        chance,
        Wing {
            length: 0.56,
            width: 0.12,
            spread: 0.6,
            alpha: 0.25,
        },
    );
    let bend = chance.near(-0.3, 0.3);
    pen.oval(
        [-0.27, bend * 0.2],
        [0.23, 0.1],
        bend,
        Ink::sharp(tint, 1.0),
    );
    pen.limb(
        [-0.07, 0.0],
        [0.03, 0.0],
        [0.02, 0.03],
        Ink::sharp(BLACK, 1.0),
    );
    pen.oval([0.12, 0.0], [0.14, 0.1], 0.0, Ink::sharp(BLACK, 1.0));
    pen.oval([0.31, 0.0], [0.08, 0.09], 0.0, Ink::sharp(BLACK, 1.0));
    feelers(pen, chance, 0.36, BLACK);
}

fn aphid(pen: &mut Pen<'_>, chance: &mut Chance) {
    let tint = between([0.05, 0.06, 0.006], BROWN, chance.near(0.0, 1.0));
    legs(
        pen,
        chance,
        Legs {
            count: 6,
            reach: 0.5,
            radius: 0.015,
            tint: BROWN,
        },
    );
    pen.oval([-0.12, 0.0], [0.32, 0.22], 0.0, Ink::sharp(tint, 0.9));
    pen.oval([0.2, 0.0], [0.15, 0.13], 0.0, Ink::sharp(tint, 0.95));
    pen.limb(
        [-0.3, 0.12],
        [-0.46, 0.17],
        [0.02, 0.012],
        Ink::sharp(BLACK, 0.9),
    );
    pen.limb(
        [-0.3, -0.12],
        [-0.46, -0.17],
        [0.02, 0.012],
        Ink::sharp(BLACK, 0.9),
    );
    feelers(pen, chance, 0.4, BROWN);
}

fn whitefly(pen: &mut Pen<'_>, chance: &mut Chance) {
    let open = chance.near(0.12, 0.3);
    let pale: Rgb = [0.78, 0.74, 0.5];
    pen.oval(
        [-0.1, open * 0.6],
        [0.42, 0.19],
        0.2 + open,
        Ink::sharp([0.4, 0.28, 0.03], 0.6),
    );
    pen.oval(
        [-0.1, -open * 0.6],
        [0.4, 0.17],
        -0.2 - open,
        Ink::sharp(pale, 0.85),
    );
    pen.oval(
        [-0.1, open * 0.6],
        [0.38, 0.16],
        0.2 + open,
        Ink::sharp(pale, 0.85),
    );
    pen.oval(
        [0.1, 0.0],
        [0.26, 0.1],
        0.0,
        Ink::sharp([0.3, 0.18, 0.02], 0.9),
    );
    pen.oval([0.34, 0.0], [0.07, 0.09], 0.0, Ink::sharp(BLACK, 0.9));
}

fn beetle(pen: &mut Pen<'_>, chance: &mut Chance) {
    let tint = match chance.below(4) {
        0 => [0.12, 0.012, 0.008],
        1 => BROWN,
        _ => BLACK,
    };
    let width = chance.near(0.24, 0.36);
    legs(
        pen,
        chance,
        Legs {
            count: 6,
            reach: width + 0.16,
            radius: 0.028,
            tint: BLACK,
        },
    );
    pen.oval([-0.08, 0.0], [0.4, width], 0.0, Ink::sharp(tint, 1.0));
    pen.oval(
        [0.3, 0.0],
        [0.14, width * 0.72],
        0.0,
        Ink::sharp(BLACK, 1.0),
    );
    pen.limb(
        [-0.45, 0.0],
        [0.2, 0.0],
        [0.012, 0.012],
        Ink::sharp(BLACK, 0.8),
    );
    pen.glint([0.0, width * 0.4], width * 0.42, 0.3);
}

fn moth(pen: &mut Pen<'_>, chance: &mut Chance) {
    let grey: Rgb = [0.12, 0.085, 0.045];
    let tint = between(grey, [0.22, 0.16, 0.07], chance.near(0.0, 1.0));
    legs(
        pen,
        chance,
        Legs {
            count: 4,
            reach: 0.4,
            radius: 0.014,
            tint: BROWN,
        },
    );
    for side in [-1.0, 1.0] {
        let turn = chance.near(0.5, 0.85);
        for (size, shade) in [(0.36, 0.8), (0.44, 1.0)] {
            let ink = Ink::sharp(tint.map(|c| c * shade), 0.9);
            let back = if shade < 1.0 { -0.3 } else { -0.12 };
            pen.oval(
                [back, side * 0.24],
                [size, 0.19],
                side * (std::f32::consts::PI - turn),
                ink,
            );
        }
        for _ in 0..5 {
            let place = [chance.near(-0.4, 0.1), side * chance.near(0.1, 0.4)];
            let spot = [chance.near(0.02, 0.06), chance.near(0.015, 0.03)];
            pen.oval(place, spot, turn, Ink::sharp(BROWN, chance.near(0.3, 0.8)));
        }
    }
    pen.oval([0.0, 0.0], [0.36, 0.085], 0.0, Ink::sharp(BROWN, 1.0));
    pen.oval([0.36, 0.0], [0.08, 0.08], 0.0, Ink::sharp(BLACK, 1.0));
    feelers(pen, chance, 0.3, BROWN);
}

fn between(a: Rgb, b: Rgb, t: f32) -> Rgb {
    let mut color = a;
    blend(&mut color, b, t);
    color
}
