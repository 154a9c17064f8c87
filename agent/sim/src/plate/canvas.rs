//! Pixels in linear light, and soft-edged shapes painted on them.

/// Linear red, green and blue, 0 to 1.
pub(crate) type Rgb = [f32; 3];

/// A picture before light and lens.
#[derive(Debug, Clone, Default)]
pub(crate) struct Canvas {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) pixels: Vec<Rgb>,
}

/// A rectangle in pixels, edges not rounded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) left: f32,
    pub(crate) top: f32,
    pub(crate) right: f32,
    pub(crate) bottom: f32,
}

impl Bounds {
    /// What holds nothing yet.
    pub(crate) const EMPTY: Self = Self {
        left: f32::INFINITY,
        top: f32::INFINITY,
        right: f32::NEG_INFINITY,
        bottom: f32::NEG_INFINITY,
    };

    /// The smallest rectangle that holds both.
    pub(crate) fn union(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }
}

/// One shape in pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// An ellipse with half axes `rx`, `ry`, the first turned by `angle` radians.
    Ellipse {
        x: f32,
        y: f32,
        rx: f32,
        ry: f32,
        angle: f32,
    },
    /// A line with round ends that gets thinner from `r0` to `r1`.
    Limb {
        x0: f32,
        y0: f32,
        x1: f32,
        y1: f32,
        r0: f32,
        r1: f32,
    },
}

/// How a shape covers what is below it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ink {
    pub(crate) color: Rgb,
    /// 1 hides what is below.
    pub(crate) alpha: f32,
    /// Width of the edge in pixels; 1 is sharp.
    pub(crate) soft_px: f32,
}

impl Ink {
    /// A sharp-edged ink.
    pub(crate) fn sharp(color: Rgb, alpha: f32) -> Self {
        Self {
            color,
            alpha,
            soft_px: 1.0,
        }
    }
}

impl Shape {
    /// The rectangle that holds the shape.
    pub(crate) fn bounds(&self) -> Bounds {
        match *self {
            Self::Ellipse {
                x,
                y,
                rx,
                ry,
                angle,
            } => {
                let (sin, cos) = angle.sin_cos();
                let half_width = (rx * cos).hypot(ry * sin);
                let half_height = (rx * sin).hypot(ry * cos);
                Bounds {
                    left: x - half_width,
                    top: y - half_height,
                    right: x + half_width,
                    bottom: y + half_height,
                }
            }
            Self::Limb {
                x0,
                y0,
                x1,
                y1,
                r0,
                r1,
            } => Bounds {
                left: (x0 - r0).min(x1 - r1),
                top: (y0 - r0).min(y1 - r1),
                right: (x0 + r0).max(x1 + r1),
                bottom: (y0 + r0).max(y1 + r1),
            },
        }
    }

    /// How far a point is outside, in pixels, about; negative inside.
    fn distance(&self, px: f32, py: f32) -> f32 {
        match *self {
            Self::Ellipse {
                x,
                y,
                rx,
                ry,
                angle,
            } => {
                let (sin, cos) = angle.sin_cos();
                let (dx, dy) = (px - x, py - y);
                let (u, v) = (dx * cos + dy * sin, dy * cos - dx * sin);
                let reach = (u / rx).hypot(v / ry);
                let slope = (u / (rx * rx)).hypot(v / (ry * ry)).max(1e-6);
                if reach < 1e-3 {
                    -rx.min(ry)
                } else {
                    reach * (reach - 1.0) / slope
                }
            }
            Self::Limb {
                x0,
                y0,
                x1,
                y1,
                r0,
                r1,
            } => {
                let (dx, dy) = (x1 - x0, y1 - y0);
                let length2 = (dx * dx + dy * dy).max(1e-9);
                let along = (((px - x0) * dx + (py - y0) * dy) / length2).clamp(0.0, 1.0);
                let (qx, qy) = (x0 + dx * along, y0 + dy * along);
                (px - qx).hypot(py - qy) - (r0 + (r1 - r0) * along)
            }
        }
    }

    /// The shape widened to at least a pixel, and how much of that pixel it really fills.
    fn visible(self) -> (Self, f32) {
        match self {
            Self::Ellipse {
                x,
                y,
                rx,
                ry,
                angle,
            } => {
                let fill = (rx / 0.5).min(1.0) * (ry / 0.5).min(1.0);
                let (rx, ry) = (rx.max(0.5), ry.max(0.5));
                (
                    Self::Ellipse {
                        x,
                        y,
                        rx,
                        ry,
                        angle,
                    },
                    fill,
                )
            }
            Self::Limb {
                x0,
                y0,
                x1,
                y1,
                r0,
                r1,
            } => {
                let fill = ((r0 + r1) / 1.0).min(1.0);
                let (r0, r1) = (r0.max(0.5), r1.max(0.5));
                (
                    Self::Limb {
                        x0,
                        y0,
                        x1,
                        y1,
                        r0,
                        r1,
                    },
                    fill,
                )
            }
        }
    }
}

impl Canvas {
    /// All pixels of one color.
    pub(crate) fn new(width: usize, height: usize, color: Rgb) -> Self {
        Self {
            width,
            height,
            pixels: vec![color; width * height],
        }
    }

    /// Paints a shape over what is there.
    pub(crate) fn paint(&mut self, shape: Shape, ink: Ink) {
        let (shape, fill) = shape.visible();
        let reach = ink.soft_px.max(1.0);
        let bounds = shape.bounds();
        let columns = clip(bounds.left - reach, bounds.right + reach, self.width);
        let rows = clip(bounds.top - reach, bounds.bottom + reach, self.height);
        let alpha = ink.alpha * fill;
        for y in rows {
            let start = y * self.width;
            let Some(row) = self
                .pixels
                .get_mut(start + columns.start..start + columns.end)
            else {
                continue;
            };
            for (x, pixel) in columns.clone().zip(row) {
                let outside = shape.distance(center(x), center(y));
                let cover = (0.5 - outside / reach).clamp(0.0, 1.0) * alpha;
                if cover > 0.0 {
                    blend(pixel, ink.color, cover);
                }
            }
        }
    }
}

/// Moves a pixel towards a color.
pub(crate) fn blend(pixel: &mut Rgb, color: Rgb, alpha: f32) {
    for (channel, wanted) in pixel.iter_mut().zip(color) {
        *channel += (wanted - *channel) * alpha;
    }
}

/// Where the middle of a pixel is.
#[expect(clippy::cast_precision_loss, reason = "pictures are far smaller")]
pub(crate) fn center(index: usize) -> f32 {
    index as f32 + 0.5
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "clamped to the picture first"
)]
fn clip(from: f32, until: f32, size: usize) -> std::ops::Range<usize> {
    let limit = size as f32;
    let start = from.floor().clamp(0.0, limit) as usize;
    let end = until.ceil().clamp(0.0, limit) as usize;
    start..end.max(start)
}
