//! What pictures are worth, and what is said of darkened, blurred, tinted and covered copies of them:
//! `cargo run -p trapline-detect --example quality -- FOLDER [plain]`, whose pictures count as one trap's, in the order
//! of their names; `plain` leaves the copies out. This is what the thresholds in `quality.rs` were chosen by.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a tool that prints for people who choose thresholds"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use trapline_detect::jpeg::{self, Limits, Picture};
use trapline_detect::quality::{Measured, measure};

type Spoil = fn(&Picture) -> Picture;

const SPOILS: &[(&str, Spoil)] = &[
    ("as it is", |picture| picture.clone()),
    ("half the light", |picture| lit(picture, [0.5; 3])),
    ("a quarter of the light", |picture| lit(picture, [0.25; 3])),
    ("a tenth of the light", |picture| lit(picture, [0.1; 3])),
    ("nearly no light", |picture| lit(picture, [0.02; 3])),
    ("1.5 × the light", |picture| lit(picture, [1.5; 3])),
    ("2.5 × the light", |picture| lit(picture, [2.5; 3])),
    ("blurred by 3 px", |picture| blurred(picture, 1)),
    ("blurred by 7 px", |picture| blurred(picture, 3)),
    ("blurred by 13 px", |picture| blurred(picture, 6)),
    ("blurred by 25 px", |picture| blurred(picture, 12)),
    ("warm lamp", |picture| lit(picture, [1.0, 0.8, 0.55])),
    ("blue dusk", |picture| lit(picture, [0.7, 0.85, 1.0])),
    ("no red", |picture| lit(picture, [0.1, 0.9, 0.9])),
    ("magenta", |picture| lit(picture, [1.0, 0.5, 1.0])),
    ("covered, grey", |picture| covered(picture, 60)),
    ("covered, black", |picture| covered(picture, 2)),
];

fn main() {
    let folder = std::env::args().nth(1).expect("the folder of pictures");
    let spoils = match std::env::args().nth(2) {
        Some(_plain) => SPOILS.get(..1).unwrap_or_default(),
        None => SPOILS,
    };
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "jpg"))
        .collect();
    paths.sort();
    let mut recent: BTreeMap<String, Vec<Measured>> = BTreeMap::new();
    let mut said: BTreeMap<(usize, &str), BTreeMap<String, u32>> = BTreeMap::new();
    let mut ranges: BTreeMap<(usize, &str), Vec<Measured>> = BTreeMap::new();
    for path in &paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let trap: String = name.chars().take_while(|letter| *letter != '_').collect();
        let bytes = std::fs::read(path).unwrap();
        let itself = measure(&bytes).unwrap();
        let lately = recent.entry(trap).or_default();
        println!("{name}\t{}\t{:?}", line(&itself), itself.flaws(lately));
        let picture = jpeg::decode(&bytes, &Limits::default()).unwrap();
        for (place, (what, spoil)) in spoils.iter().enumerate() {
            let measured = measure(&encoded(&spoil(&picture))).unwrap();
            let flaws = format!("{:?}", measured.flaws(lately));
            *said
                .entry((place, what))
                .or_default()
                .entry(flaws)
                .or_default() += 1;
            ranges.entry((place, what)).or_default().push(measured);
        }
        lately.push(itself);
        let gone = lately.len().saturating_sub(72);
        lately.drain(..gone);
    }
    for (key, flaws) in &said {
        println!("{}\t{flaws:?}", key.1);
        let all = ranges.get(key).map(Vec::as_slice).unwrap_or_default();
        let show = |name: &str, value: fn(&Measured) -> f32| {
            let mut values: Vec<f32> = all.iter().map(value).collect();
            values.sort_by(f32::total_cmp);
            let at = |share: usize| values.get((values.len() - 1) * share / 100).unwrap();
            println!(
                "    {name}: {:.2} .. {:.2} .. {:.2} .. {:.2}",
                at(0),
                at(5),
                at(50),
                at(100)
            );
        };
        show("sharpness", |one| one.quality.sharpness);
        show("mean luma", |one| one.quality.mean_luma);
        show("contrast", |one| one.contrast);
        show("bright", |one| one.bright_share);
        show("cast", |one| one.cast);
    }
}

fn line(one: &Measured) -> String {
    format!(
        "sharp {:.3} luma {:.0} contrast {:.0} dark {:.3} bright {:.3} cast {:.2} hue {:.0}",
        one.quality.sharpness,
        one.quality.mean_luma,
        one.contrast,
        one.dark_share,
        one.bright_share,
        one.cast,
        one.hue_degrees
    )
}

fn encoded(picture: &Picture) -> Vec<u8> {
    let mut jpeg = Vec::new();
    let size = |px: u32| u16::try_from(px).unwrap();
    jpeg_encoder::Encoder::new(&mut jpeg, 88)
        .encode(
            &picture.rgb,
            size(picture.width_px),
            size(picture.height_px),
            jpeg_encoder::ColorType::Rgb,
        )
        .unwrap();
    jpeg
}

/// A little noise, as sensors have it, the same each time.
fn noise(place: usize) -> f32 {
    let mixed = (place as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 59;
    mixed as f32 / 31.0 * 4.0 - 2.0
}

fn lit(picture: &Picture, light: [f32; 3]) -> Picture {
    let mut spoilt = picture.clone();
    for (place, (value, light)) in spoilt.rgb.iter_mut().zip(light.iter().cycle()).enumerate() {
        *value = (f32::from(*value) * light + noise(place)).clamp(0.0, 255.0) as u8;
    }
    spoilt
}

fn covered(picture: &Picture, luma: u8) -> Picture {
    let mut spoilt = picture.clone();
    for (place, value) in spoilt.rgb.iter_mut().enumerate() {
        *value = (f32::from(luma) + noise(place)).clamp(0.0, 255.0) as u8;
    }
    spoilt
}

/// A box blur to both sides, along rows and then along columns.
fn blurred(picture: &Picture, radius: usize) -> Picture {
    let (width, height) = (picture.width_px as usize, picture.height_px as usize);
    let mut rows = picture.clone();
    blur_lines(
        &picture.rgb,
        &mut rows.rgb,
        (height, width * 3),
        (width, 3),
        radius,
    );
    let mut spoilt = rows.clone();
    blur_lines(
        &rows.rgb,
        &mut spoilt.rgb,
        (width, 3),
        (height, width * 3),
        radius,
    );
    spoilt
}

/// Blurs lines of `(count, stride)` over their places of `(count, stride)`, in each of three colours.
fn blur_lines(
    from: &[u8],
    to: &mut [u8],
    lines: (usize, usize),
    places: (usize, usize),
    radius: usize,
) {
    for start in (0..lines.0).flat_map(|line| (0..3).map(move |colour| line * lines.1 + colour)) {
        let value = |place: usize| {
            let place = place.min(places.0 - 1);
            from.get(start + place * places.1)
                .copied()
                .unwrap_or_default()
        };
        let mut sum: u32 = (0..=radius).map(|place| u32::from(value(place))).sum();
        sum += u32::from(value(0)) * radius as u32;
        for place in 0..places.0 {
            if let Some(out) = to.get_mut(start + place * places.1) {
                *out = (sum / (2 * radius as u32 + 1)) as u8;
            }
            sum += u32::from(value(place + radius + 1));
            sum -= u32::from(value(place.saturating_sub(radius)));
        }
    }
}
