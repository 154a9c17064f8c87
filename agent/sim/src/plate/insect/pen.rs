//! A pen that draws in the coordinates of one insect: bodies, legs, wings, feelers.

use super::super::canvas::{Bounds, Canvas, Ink, Rgb, Shape};
use super::{BROWN, SMOKE};
use crate::chance::Chance;

/// Where an insect is in the picture.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pose {
    pub(crate) x_px: f32,
    pub(crate) y_px: f32,
    pub(crate) length_px: f32,
    pub(crate) heading: f32,
}

#[derive(Clone, Copy)]
pub(super) struct Legs {
    pub(super) count: u8,
    pub(super) reach: f32,
    pub(super) radius: f32,
    pub(super) tint: Rgb,
}

/// Legs in pairs, each with a knee, crumpled as they are in glue.
pub(super) fn legs(pen: &mut Pen<'_>, chance: &mut Chance, legs: Legs) {
    for leg in 0..legs.count {
        let side = if leg % 2 == 0 { 1.0 } else { -1.0 };
        let hip = 0.22 - 0.11 * f32::from(leg / 2);
        let aim = 0.9 + 0.65 * f32::from(leg / 2) + chance.near(-0.45, 0.45);
        let bend = aim + chance.near(-0.3, 1.2);
        let knee_reach = legs.reach * chance.near(0.4, 0.6);
        let foot_reach = legs.reach * chance.near(0.3, 0.65);
        let knee = [hip + knee_reach * aim.cos(), side * knee_reach * aim.sin()];
        let foot = [
            knee[0] + foot_reach * bend.cos(),
            knee[1] + side * foot_reach * bend.sin(),
        ];
        let ink = Ink::sharp(legs.tint, 0.92);
        pen.limb([hip, 0.0], knee, [legs.radius * 1.3, legs.radius], ink);
        pen.limb(knee, foot, [legs.radius, legs.radius * 0.7], ink);
    }
}

#[derive(Clone, Copy)]
pub(super) struct Wing {
    pub(super) length: f32,
    pub(super) width: f32,
    pub(super) spread: f32,
    pub(super) alpha: f32,
}

/// Two see-through wings with a dark front edge, opened by chance.
pub(super) fn wings(pen: &mut Pen<'_>, chance: &mut Chance, wing: Wing) {
    for side in [-1.0_f32, 1.0] {
        if chance.happens(0.12) {
            continue; // torn off or hidden below the body
        }
        let turn = std::f32::consts::PI - side * chance.near(0.12, 0.3 + wing.spread);
        let length = wing.length * chance.near(0.85, 1.1);
        let (sin, cos) = turn.sin_cos();
        let root = [0.12, 0.03 * side];
        let middle = [root[0] + cos * length / 2.0, root[1] + sin * length / 2.0];
        let tip = [root[0] + cos * length * 0.95, root[1] + sin * length * 0.95];
        pen.oval(
            middle,
            [length / 2.0, wing.width],
            turn,
            Ink::sharp(SMOKE, wing.alpha),
        );
        pen.limb(root, tip, [0.018, 0.008], Ink::sharp(BROWN, 0.75));
        let vein = [
            middle[0] - sin * wing.width * 0.5,
            middle[1] + cos * wing.width * 0.5,
        ];
        pen.limb(root, vein, [0.008, 0.006], Ink::sharp(BROWN, 0.5));
    }
}

pub(super) fn feelers(pen: &mut Pen<'_>, chance: &mut Chance, length: f32, tint: Rgb) {
    for side in [-1.0, 1.0] {
        let aim: f32 = side * chance.near(0.2, 0.7);
        let tip = [0.32 + length * aim.cos(), length * aim.sin()];
        pen.limb(
            [0.32, side * 0.03],
            tip,
            [0.014, 0.009],
            Ink::sharp(tint, 0.85),
        );
    }
}

/// Paints in the coordinates of one insect and remembers where it has been.
pub(super) struct Pen<'a> {
    canvas: &'a mut Canvas,
    pose: Pose,
    seen: Bounds,
}

impl<'a> Pen<'a> {
    pub(super) fn new(canvas: &'a mut Canvas, pose: Pose) -> Self {
        Self {
            canvas,
            pose,
            seen: Bounds::EMPTY,
        }
    }

    /// The rectangle around all that was painted.
    pub(super) fn seen(&self) -> Bounds {
        self.seen
    }

    pub(super) fn oval(&mut self, at: [f32; 2], half: [f32; 2], turn: f32, ink: Ink) {
        let [x, y] = self.place(at);
        let scale = self.pose.length_px;
        let shape = Shape::Ellipse {
            x,
            y,
            rx: half[0] * scale,
            ry: half[1] * scale,
            angle: self.pose.heading + turn,
        };
        self.put(shape, ink);
    }

    pub(super) fn limb(&mut self, from: [f32; 2], to: [f32; 2], radius: [f32; 2], ink: Ink) {
        let ([x0, y0], [x1, y1]) = (self.place(from), self.place(to));
        let scale = self.pose.length_px;
        let shape = Shape::Limb {
            x0,
            y0,
            x1,
            y1,
            r0: radius[0] * scale,
            r1: radius[1] * scale,
        };
        self.put(shape, ink);
    }

    /// The shine of something glossy; it is inside the body, so the rectangle stays.
    pub(super) fn glint(&mut self, at: [f32; 2], radius: f32, alpha: f32) {
        let [x, y] = self.place(at);
        let r = radius * self.pose.length_px;
        let ink = Ink {
            color: [0.8, 0.8, 0.75],
            alpha,
            soft_px: (r * 1.4).max(1.0),
        };
        self.canvas.paint(
            Shape::Ellipse {
                x,
                y,
                rx: r * 0.5,
                ry: r * 0.4,
                angle: 0.0,
            },
            ink,
        );
    }

    /// What the body keeps from the card below, a little to the lower right.
    pub(super) fn shadow(&mut self) {
        let r = self.pose.length_px * 0.34;
        let shape = Shape::Ellipse {
            x: self.pose.x_px + r * 0.3,
            y: self.pose.y_px + r * 0.4,
            rx: r,
            ry: r * 0.6,
            angle: self.pose.heading,
        };
        let ink = Ink {
            color: [0.25, 0.17, 0.004],
            alpha: 0.3,
            soft_px: (r * 1.2).max(1.0),
        };
        self.canvas.paint(shape, ink);
    }

    fn put(&mut self, shape: Shape, ink: Ink) {
        self.seen = self.seen.union(shape.bounds());
        self.canvas.paint(shape, ink);
    }

    fn place(&self, at: [f32; 2]) -> [f32; 2] {
        let (sin, cos) = self.pose.heading.sin_cos();
        let [x, y] = at.map(|part| part * self.pose.length_px);
        [
            self.pose.x_px + x * cos - y * sin,
            self.pose.y_px + x * sin + y * cos,
        ]
    }
}
