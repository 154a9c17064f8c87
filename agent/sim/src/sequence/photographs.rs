//! Sequences of real insects on real cards: crops from photographs with drawn boxes, laid on photographs of cards that
//! hold few.
//!
//! A crop is laid on by its transparency: how much darker or brighter it is than the card around it, channel by
//! channel. So it takes on the light of its new place, and no edge of the crop shows.

use super::{Cards, Footprint, Painting};
use crate::chance::Chance;
use crate::plate::{Canvas, Insect};
use anyhow::Context as _;
use std::path::Path;
use trapline_detect::evaluate::{Photograph, read_coco};
use trapline_detect::{Limits, Picture, jpeg};

mod crop;
use crop::{Crop, is_card, linear, lonely, to_index};

/// Cards are photographs with so many boxes at most.
const RESIDENTS_MAX: usize = 45;
/// So many photographs give crops, and each so many at most.
const CROP_PHOTOGRAPHS: usize = 14;
const CROPS_EACH: usize = 30;
/// A cell of the map of where insects can stick.
const CELL_PX: usize = 32;
/// What has less than this of the card's light around it is something on the card.
const DARK: f32 = 0.7;
/// So much of a free place may be dark: a grid line that crosses it.
const DARK_SHARE_MAX: f32 = 0.12;

/// Cards and insects of a folder of photographs.
pub(crate) struct Photographs {
    cards: Vec<Card>,
    crops: Vec<Crop>,
}

struct Card {
    canvas: Canvas,
    residents: Vec<[f32; 4]>,
    /// Row by row, whether the cell is bare card.
    bare: Vec<bool>,
    columns: usize,
}

impl Photographs {
    /// Reads two cards and some hundred crops, chosen by the seed.
    pub(crate) fn read(coco: &Path, seed: u64) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(coco)
            .with_context(|| format!("cannot read {}", coco.display()))?;
        let photographs =
            read_coco(&text).with_context(|| format!("{} is no COCO file", coco.display()))?;
        let folder = coco.parent().unwrap_or(Path::new(""));
        let mut chance = Chance::new(seed, &[43]);
        let sparse: Vec<&Photograph> = photographs
            .iter()
            .filter(|photograph| (5..=RESIDENTS_MAX).contains(&photograph.drawn.len()))
            .collect();
        let mut cards: Vec<Card> = Vec::new();
        // Both cards hang before the same camera, so the second one must have the first one's size.
        for _ in 0..sparse.len() * 4 {
            let chosen = pick(&sparse, &mut chance).context("no photograph has few insects")?;
            let picture = decode(folder, chosen)?;
            let fits =
                |first: &Card| (first.canvas.width, first.canvas.height) == size_of(&picture);
            if cards.first().is_none_or(fits) {
                cards.push(Card::new(&picture, chosen));
            }
            if cards.len() == 2 {
                break;
            }
        }
        anyhow::ensure!(!cards.is_empty(), "no photograph has few insects");
        let mut crops = Vec::new();
        for _ in 0..CROP_PHOTOGRAPHS {
            let chosen = chance.below(photographs.len() as u64);
            let chosen = usize::try_from(chosen)
                .ok()
                .and_then(|index| photographs.get(index));
            let chosen = chosen.context("no photographs")?;
            let picture = decode(folder, chosen)?;
            crops.extend(
                lonely(chosen)
                    .filter_map(|drawn| Crop::cut(&picture, drawn))
                    .take(CROPS_EACH),
            );
        }
        anyhow::ensure!(
            !crops.is_empty(),
            "no photograph shows an insect that lies alone"
        );
        Ok(Self { cards, crops })
    }

    fn card(&self, card: u32) -> Option<&Card> {
        self.cards.iter().cycle().nth(usize::try_from(card).ok()?)
    }

    fn crop(&self, insect: &Insect) -> Option<&Crop> {
        let count = self.crops.len() as u64;
        let index = (insect.seed >> 8).checked_rem(count)?;
        self.crops.get(usize::try_from(index).ok()?)
    }
}

fn pick<'a>(from: &[&'a Photograph], chance: &mut Chance) -> Option<&'a Photograph> {
    from.get(usize::try_from(chance.below(from.len() as u64)).ok()?)
        .copied()
}

fn decode(folder: &Path, photograph: &Photograph) -> anyhow::Result<Picture> {
    let path = folder.join(&photograph.file_name);
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    jpeg::decode(&bytes, &Limits::default())
        .with_context(|| format!("cannot use {}", path.display()))
}

fn size_of(picture: &Picture) -> (usize, usize) {
    (
        to_index(picture.width_px as f32),
        to_index(picture.height_px as f32),
    )
}

impl Card {
    fn new(picture: &Picture, photograph: &Photograph) -> Self {
        let canvas = to_linear(picture);
        let (columns, rows) = (canvas.width / CELL_PX, canvas.height / CELL_PX);
        let mut bare = Vec::with_capacity(columns * rows);
        for cell in 0..columns * rows {
            let (left, top) = (cell % columns * CELL_PX, cell / columns * CELL_PX);
            let lines = canvas.pixels.chunks(canvas.width).skip(top).take(CELL_PX);
            let pixels = lines.flat_map(|line| line.iter().skip(left).take(CELL_PX));
            bare.push(is_card(pixels));
        }
        let residents = photograph
            .drawn
            .iter()
            .map(|one| [one.x_px, one.y_px, one.width_px, one.height_px]);
        Self {
            canvas,
            residents: residents.collect(),
            bare,
            columns,
        }
    }

    /// Whether nothing lies there yet, drawn or not: on top of an insect that nobody drew, on print or on a leaf,
    /// nobody could say what came. A thin line of the card's grid may be there.
    fn is_empty(&self, x_px: f32, y_px: f32, length_px: f32) -> bool {
        let reach_px = length_px / 2.0 + 4.0;
        let (left, top) = (to_index(x_px - reach_px), to_index(y_px - reach_px));
        let side = to_index(2.0 * reach_px).max(1);
        let lines = self.canvas.pixels.chunks(self.canvas.width);
        let mut light: Vec<f32> = lines
            .skip(top)
            .take(side)
            .flat_map(|line| line.iter().skip(left).take(side))
            .map(|[red, green, _]| red + green)
            .collect();
        light.sort_by(f32::total_cmp);
        let card = light.get(light.len() * 4 / 5).copied().unwrap_or_default();
        let dark = light.partition_point(|value| *value < DARK * card);
        dark as f32 <= DARK_SHARE_MAX * light.len() as f32
    }

    /// Whether all cells around a point are bare card.
    fn is_bare(&self, x_px: f32, y_px: f32) -> bool {
        let (column, row) = (to_index(x_px) / CELL_PX, to_index(y_px) / CELL_PX);
        (row.saturating_sub(1)..=row + 1).all(|row| {
            (column.saturating_sub(1)..=column + 1).all(|column| {
                column < self.columns && self.bare.get(row * self.columns + column) == Some(&true)
            })
        })
    }
}

fn to_linear(picture: &Picture) -> Canvas {
    let table: Vec<f32> = (0..=255_u8).map(linear).collect();
    let value = |byte: u8| table.get(usize::from(byte)).copied().unwrap_or_default();
    let (width, height) = size_of(picture);
    let pixels = picture.rgb.chunks_exact(3).map(|pixel| match pixel {
        [red, green, blue] => [value(*red), value(*green), value(*blue)],
        _ => [0.0; 3],
    });
    Canvas {
        width,
        height,
        pixels: pixels.collect(),
    }
}

impl Cards for Photographs {
    fn kind(&self) -> &'static str {
        "photographs"
    }

    fn footprint(&self, card: u32, insect: &Insect) -> Option<Footprint> {
        let (card, crop) = (self.card(card)?, self.crop(insect)?);
        let x_px = insect.across * card.canvas.width as f32;
        let y_px = insect.along * card.canvas.height as f32;
        let length_px = (crop.width.max(crop.height) - 2 * crop.margin) as f32;
        let is_on = (0.0..1.0).contains(&insect.across)
            && card.is_bare(x_px, y_px)
            && card.is_empty(x_px, y_px, length_px);
        is_on.then_some(Footprint {
            x_px,
            y_px,
            length_px,
            length: length_px / card.canvas.height as f32,
        })
    }

    fn residents(&self, card: u32) -> Vec<[f32; 4]> {
        self.card(card)
            .map(|card| card.residents.clone())
            .unwrap_or_default()
    }

    fn draw(&self, card: u32, insects: &[Insect]) -> Painting {
        let mut canvas = self
            .card(card)
            .map(|card| card.canvas.clone())
            .unwrap_or_default();
        let middle = |insect: &Insect| {
            [
                insect.across * canvas.width as f32,
                insect.along * canvas.height as f32,
            ]
        };
        let middles: Vec<[f32; 2]> = insects.iter().map(middle).collect();
        let boxes = insects.iter().zip(middles).filter_map(|(insect, middle)| {
            let crop = self.crop(insect)?;
            Some(crop.lay(&mut canvas, middle, insect.seed))
        });
        let boxes = boxes.collect();
        let mask = vec![1.0; canvas.pixels.len()];
        Painting {
            canvas,
            mask,
            boxes,
        }
    }
}
