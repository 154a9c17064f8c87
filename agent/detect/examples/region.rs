//! What the region of the card saves: `region COCO.json` finds the card on every photograph of a data set, as it is and
//! at half its size before bark, and counts the drawn insects whose box does not lie in it whole.
//!
//! Prints a line per photograph, then both sums. The share is that of the tiles, which is that of the work of a whole
//! look.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use trapline_detect::change::card::Region;
use trapline_detect::evaluate::read_coco;
use trapline_detect::{Detection, Limits, Picture, jpeg, preprocess, tile};

type Error = Box<dyn std::error::Error>;

/// As the built-in model has them.
const TILE_PX: u32 = 512;
const OVERLAP_PX: u32 = 96;
const STRIDE_PX: u32 = 8;

fn main() -> ExitCode {
    let outcome = match std::env::args().nth(1) {
        Some(coco) => measure(Path::new(&coco)),
        None => Err("usage: region COCO.json".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            writeln!(std::io::stderr(), "error: {error}").ok();
            ExitCode::FAILURE
        }
    }
}

/// Sums over the photographs.
#[derive(Default)]
struct Sums {
    drawn: usize,
    lost: usize,
    tiles: usize,
    tiles_run: usize,
}

fn measure(coco: &Path) -> Result<(), Error> {
    let mut out = std::io::stdout();
    let folder = coco.parent().unwrap_or(Path::new("."));
    let (mut alone, mut on_bark) = (Sums::default(), Sums::default());
    for photograph in read_coco(&std::fs::read_to_string(coco)?)? {
        let bytes = std::fs::read(folder.join(&photograph.file_name))?;
        let picture = jpeg::decode(&bytes, &Limits::default())?;
        writeln!(out, "{}:", photograph.file_name)?;
        alone.add(&picture, &photograph.drawn)?;
        let (left_px, top_px) = (picture.width_px / 5, picture.height_px / 3);
        let half = |drawn: &Detection| Detection {
            x_px: drawn.x_px / 2.0 + left_px as f32,
            y_px: drawn.y_px / 2.0 + top_px as f32,
            width_px: drawn.width_px / 2.0,
            height_px: drawn.height_px / 2.0,
            ..*drawn
        };
        let drawn: Vec<Detection> = photograph.drawn.iter().map(half).collect();
        on_bark.add(&before_bark(&picture, left_px, top_px), &drawn)?;
    }
    for (what, sums) in [("alone", alone), ("before bark", on_bark)] {
        writeln!(
            out,
            "{what}: {} of {} tiles, {:.1} % saved; {} of {} drawn insects outside",
            sums.tiles_run,
            sums.tiles,
            100.0 * (1.0 - sums.tiles_run as f64 / sums.tiles.max(1) as f64),
            sums.lost,
            sums.drawn
        )?;
    }
    Ok(())
}

impl Sums {
    fn add(&mut self, picture: &Picture, drawn: &[Detection]) -> Result<(), Error> {
        let region = Region::of(picture);
        let is_outside = |one: &&Detection| {
            one.x_px < region.left
                || one.y_px < region.top
                || one.x_px + one.width_px > region.right
                || one.y_px + one.height_px > region.bottom
        };
        let whole = Region::whole(picture.width_px, picture.height_px);
        let tiles = |region: &Region| {
            let (_, _, width_px, height_px) = region.pixels(picture, TILE_PX, STRIDE_PX);
            tile::plan(width_px, height_px, TILE_PX, OVERLAP_PX, STRIDE_PX).len()
        };
        let lost = drawn.iter().filter(is_outside).count();
        self.drawn += drawn.len();
        self.lost += lost;
        self.tiles += tiles(&whole);
        self.tiles_run += tiles(&region);
        writeln!(
            std::io::stdout(),
            "  {region:?} of {} x {}, {lost} outside",
            picture.width_px,
            picture.height_px
        )?;
        Ok(())
    }
}

/// The photograph at half its size on rough bark of its own size.
fn before_bark(picture: &Picture, left_px: u32, top_px: u32) -> Picture {
    let half = preprocess::halved(picture);
    let mut rgb = Vec::with_capacity(picture.rgb.len());
    for y in 0..picture.height_px {
        for x in 0..picture.width_px {
            let (u, v) = (x.wrapping_sub(left_px), y.wrapping_sub(top_px));
            if u < half.width_px && v < half.height_px {
                let at = 3 * (v * half.width_px + u) as usize;
                rgb.extend_from_slice(half.rgb.get(at..at + 3).unwrap_or(&[0; 3]));
            } else {
                rgb.extend(bark(x, y));
            }
        }
    }
    Picture { rgb, ..*picture }
}

/// Brown and grey plates with dark furrows.
fn bark(x: u32, y: u32) -> [u8; 3] {
    let hash = |x: u32, y: u32| {
        let mixed =
            (x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca77)).wrapping_mul(0xc2b2_ae3d);
        mixed.to_be_bytes()[0]
    };
    let plate = u32::from(hash(x / 41, y / 97));
    let is_furrow = (x + y / 7) % 41 < 6 || (y + plate) % 97 < 5;
    let grain = u32::from(hash(x / 2, y / 5)) / 6;
    let light = if is_furrow {
        30 + grain / 2
    } else {
        90 + plate / 4 + grain
    };
    [10, 8, 6].map(|part: u32| u8::try_from(light * part / 10).unwrap_or(u8::MAX))
}
