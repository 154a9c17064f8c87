//! A folder of rendered pictures as the folder camera reads it, with the truth beside them.

use super::{CardNumber, Insect, Plate, Size, TruthBox};
use crate::world::spans::Span;
use crate::world::{DAY_MS, HOUR_MS, Trouble, World};
use anyhow::Context as _;
use serde::Serialize;
use std::path::Path;

/// What to render.
#[derive(Debug, Clone, Copy)]
pub struct FolderPlan {
    /// How many pictures.
    pub count: u32,
    /// How large they are.
    pub size: Size,
    /// From which seed.
    pub seed: u64,
    /// Minutes of the simulated day between two pictures.
    pub every_minutes: u32,
}

/// The first of June 2026, five in the morning UTC: sunrise on the simulated site.
const START_MS: i64 = 1_780_272_000_000 + 4 * HOUR_MS;

/// The truth in COCO form.
#[derive(Debug, Serialize)]
struct Truth {
    images: Vec<TruthImage>,
    annotations: Vec<TruthAnnotation>,
    categories: [TruthCategory; 1],
}

#[derive(Debug, Serialize)]
struct TruthImage {
    id: u32,
    file_name: String,
    width: u16,
    height: u16,
}

#[derive(Debug, Serialize)]
struct TruthAnnotation {
    id: usize,
    image_id: u32,
    category_id: u32,
    bbox: [f32; 4],
    area: f32,
    iscrowd: u8,
    kind: super::Kind,
}

#[derive(Debug, Serialize)]
struct TruthCategory {
    id: u32,
    name: &'static str,
}

/// Writes the pictures, `readings.csv` and `truth.json`; gives the number of insects in the last picture.
///
/// # Errors
/// When the folder or a file in it cannot be written.
pub fn write(folder: &Path, plan: &FolderPlan) -> anyhow::Result<usize> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let season = Span {
        from_ms: START_MS,
        until_ms: START_MS + 30 * DAY_MS,
    };
    let world = World::new(plan.seed, 1, season, &Trouble::default());
    let number = CardNumber {
        seed: plan.seed,
        trap: 1,
        card: 0,
    };
    let plate = Plate::hang(number, plan.size);
    let mut truth = Truth {
        images: Vec::new(),
        annotations: Vec::new(),
        categories: [TruthCategory {
            id: 1,
            name: "insect",
        }],
    };
    let mut readings = csv::Writer::from_writer(Vec::new());
    readings.write_record([
        "file",
        "temperature_c",
        "humidity_percent",
        "light_lux",
        "battery_v",
    ])?;
    let mut shown = 0;
    for shot in 0..plan.count {
        let now_ms = START_MS + i64::from(shot) * i64::from(plan.every_minutes) * 60_000;
        let weather = world.weather(now_ms);
        let insects = on_card(&world, START_MS - DAY_MS, now_ms);
        let (jpeg, boxes) = plate.shoot(&insects, &weather.light(u64::from(shot)), 88)?;
        let file_name = format!("plate-{shot:05}.jpg");
        put(&folder.join(&file_name), &jpeg)?;
        readings.write_record([
            file_name.clone(),
            format!("{:.2}", weather.temperature_c),
            format!("{:.1}", weather.humidity_percent),
            format!("{:.0}", weather.light_lux),
            format!(
                "{:.2}",
                12.1 + 0.9 * (weather.light_lux / 60_000.0).min(1.0)
            ),
        ])?;
        shown = boxes.len();
        truth.add(shot, file_name, plan.size, &boxes);
    }
    put(&folder.join("readings.csv"), &readings.into_inner()?)?;
    put(&folder.join("truth.json"), &serde_json::to_vec(&truth)?)?;
    Ok(shown)
}

/// The insects that came to the card in a span of time.
fn on_card(world: &World, hung_ms: i64, now_ms: i64) -> Vec<Insect> {
    (hung_ms.div_euclid(HOUR_MS)..=now_ms.div_euclid(HOUR_MS))
        .flat_map(|hour| world.arrivals(hour))
        .filter(|(at_ms, _)| (hung_ms..=now_ms).contains(at_ms))
        .map(|(_, insect)| insect)
        .collect()
}

impl Truth {
    fn add(&mut self, shot: u32, file_name: String, size: Size, boxes: &[TruthBox]) {
        self.images.push(TruthImage {
            id: shot,
            file_name,
            width: size.width_px,
            height: size.height_px,
        });
        for found in boxes {
            self.annotations.push(TruthAnnotation {
                id: self.annotations.len() + 1,
                image_id: shot,
                category_id: 1,
                bbox: [found.x_px, found.y_px, found.width_px, found.height_px],
                area: found.width_px * found.height_px,
                iscrowd: 0,
                kind: found.kind,
            });
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "rendered anew from the seed at any time: nothing to lose in a power cut"
)]
fn put(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    std::fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))
}
