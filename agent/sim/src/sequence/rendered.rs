//! Sequences of drawn insects on drawn cards.

use super::{Cards, Footprint, Painting};
use crate::plate::{CardNumber, Insect, Plate, Size};

/// Fresh cards of one simulated trap.
pub(crate) struct Rendered {
    plates: Vec<Plate>,
}

impl Rendered {
    /// Two cards: one to begin with, and one for a change.
    pub(crate) fn new(seed: u64, size: Size) -> Self {
        let hang = |card| {
            Plate::hang(
                CardNumber {
                    seed,
                    trap: 1,
                    card,
                },
                size,
            )
        };
        Self {
            plates: (0..2).map(hang).collect(),
        }
    }

    fn plate(&self, card: u32) -> Option<&Plate> {
        self.plates.iter().cycle().nth(usize::try_from(card).ok()?)
    }
}

impl Cards for Rendered {
    fn kind(&self) -> &'static str {
        "rendered"
    }

    fn footprint(&self, card: u32, insect: &Insect) -> Option<Footprint> {
        let is_on = (0.02..0.98).contains(&insect.across) && (0.02..0.98).contains(&insect.along);
        let ([x_px, y_px], length_px) = self.plate(card)?.footprint_px(insect);
        is_on.then_some(Footprint {
            x_px,
            y_px,
            length_px,
            length: insect.length,
        })
    }

    fn residents(&self, _card: u32) -> Vec<[f32; 4]> {
        Vec::new()
    }

    fn draw(&self, card: u32, insects: &[Insect]) -> Painting {
        let painted = self.plate(card).map(|plate| plate.paint(insects));
        let (canvas, mask, boxes) = painted.unwrap_or_default();
        let boxes = boxes
            .iter()
            .map(|one| [one.x_px, one.y_px, one.width_px, one.height_px]);
        Painting {
            canvas,
            mask,
            boxes: boxes.collect(),
        }
    }
}
