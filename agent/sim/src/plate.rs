//! Pictures of sticky cards, drawn so that they could be photographs.
//!
//! One [`Plate`] is one card hanging in front of one camera: what stays the
//! same from shot to shot is painted once. [`Plate::shoot`] adds the insects
//! and the light of the moment. The same seed, trap, card, insects and light
//! give the same bytes, and [`Plate::shoot`] says where the insects are.

mod canvas;
mod card;
pub mod folder;
mod insect;
mod letters;
mod light;
mod noise;

use crate::chance::Chance;
use canvas::Bounds;
pub(crate) use canvas::{Canvas, Rgb};
use card::Place;
pub use insect::{Insect, Kind};
use jpeg_encoder::{ColorType, Encoder, EncodingError};
pub use light::Light;
pub(crate) use light::expose;

/// Width and height of a picture in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Width, at least 16.
    pub width_px: u16,
    /// Height, at least 16.
    pub height_px: u16,
}

/// Which card it is, for everything that chance decides about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CardNumber {
    /// The simulation's seed.
    pub seed: u64,
    /// The trap, from 1; written on the label.
    pub trap: u32,
    /// The card of that trap, counted up each time somebody changes it.
    pub card: u32,
}

/// Where an insect is in the picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TruthBox {
    /// What it is.
    pub kind: Kind,
    /// Left edge.
    pub x_px: f32,
    /// Top edge.
    pub y_px: f32,
    /// Width.
    pub width_px: f32,
    /// Height.
    pub height_px: f32,
}

/// A card in front of a camera.
#[derive(Debug, Clone)]
pub struct Plate {
    number: CardNumber,
    place: Place,
    blank: Canvas,
    mask: Vec<f32>,
}

impl Plate {
    /// Hangs up a fresh card.
    #[must_use]
    pub fn hang(number: CardNumber, size: Size) -> Self {
        let path = [u64::from(number.trap), u64::from(number.card)];
        let mut chance = Chance::new(number.seed, &path);
        let (width, height) = (
            usize::from(size.width_px).max(16),
            usize::from(size.height_px).max(16),
        );
        let place = Place::draw(width, height, &mut chance);
        let mut blank = Canvas::new(width, height, [0.0; 3]);
        let mask = card::paint(&mut blank, &place, number.trap, &mut chance);
        Self {
            number,
            place,
            blank,
            mask,
        }
    }

    /// Takes a picture: the whole JPEG file, and the box of each insect that is in it.
    ///
    /// # Errors
    /// [`EncodingError`], which a picture of this size never is.
    pub fn shoot(
        &self,
        insects: &[Insect],
        light: &Light,
        quality: u8,
    ) -> Result<(Vec<u8>, Vec<TruthBox>), EncodingError> {
        let (canvas, mask, boxes) = self.paint(insects);
        let rgb = light::expose(&canvas, &mask, self.number.seed, light);
        let mut jpeg = Vec::with_capacity(rgb.len() / 8);
        let side = |length: usize| u16::try_from(length).unwrap_or(u16::MAX);
        Encoder::new(&mut jpeg, quality).encode(
            &rgb,
            side(canvas.width),
            side(canvas.height),
            ColorType::Rgb,
        )?;
        Ok((jpeg, boxes))
    }

    /// The card with insects before light and camera, how much of each pixel is card, and the insects' boxes.
    pub(crate) fn paint(&self, insects: &[Insect]) -> (Canvas, Vec<f32>, Vec<TruthBox>) {
        let mut canvas = self.blank.clone();
        let stuck = insects.iter().map(|insect| {
            let seen = self.stick(&mut canvas, insect);
            truth(insect.kind, seen, &canvas)
        });
        let boxes = stuck.collect();
        (canvas, self.mask.clone(), boxes)
    }

    /// Where the insect's middle would be and how long it would be, in pixels.
    pub(crate) fn footprint_px(&self, insect: &Insect) -> ([f32; 2], f32) {
        let middle = self.place.to_px(insect.across, insect.along);
        (middle, insect.length * self.place.long_px)
    }

    fn stick(&self, canvas: &mut Canvas, insect: &Insect) -> Bounds {
        let [x_px, y_px] = self.place.to_px(insect.across, insect.along);
        let pose = insect::Pose {
            x_px,
            y_px,
            length_px: insect.length * self.place.long_px,
            heading: insect.heading,
        };
        insect::paint(canvas, insect, pose)
    }
}

/// The box cut to the picture.
fn truth(kind: Kind, seen: Bounds, canvas: &Canvas) -> TruthBox {
    let (right_limit, bottom_limit) = (
        canvas::center(canvas.width) - 0.5,
        canvas::center(canvas.height) - 0.5,
    );
    let left = seen.left.clamp(0.0, right_limit);
    let top = seen.top.clamp(0.0, bottom_limit);
    TruthBox {
        kind,
        x_px: left,
        y_px: top,
        width_px: seen.right.clamp(0.0, right_limit) - left,
        height_px: seen.bottom.clamp(0.0, bottom_limit) - top,
    }
}
