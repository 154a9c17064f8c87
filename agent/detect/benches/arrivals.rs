//! What following insects costs per frame: an ordinary card, a full one, and one that was just bumped.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use trapline_detect::arrivals::{Appearance, Frame, Settings, Sighting, Tracker, appearance};
use trapline_detect::{CardSeen, Detection, Picture};

/// So many insects in rows, none on top of another, all pushed aside by so many pixels.
fn frame(count: u16, pushed_px: f32) -> Frame {
    let sightings = (0..count).map(|index| {
        let mixed = u32::from(index).wrapping_mul(2_654_435_761) >> 16;
        let length_px = 18.0 + (mixed % 30) as f32;
        Sighting {
            detection: Detection {
                x_px: f32::from(index % 60) * 40.0 + (mixed % 11) as f32 + pushed_px,
                y_px: f32::from(index / 60) * 40.0 + (mixed % 7) as f32 - pushed_px,
                width_px: length_px,
                height_px: length_px * 0.7,
                score: 0.8,
                class: 0,
            },
            appearance: Appearance::plain(u8::try_from(mixed % 256).unwrap_or_default()),
            is_carried: false,
        }
    });
    Frame {
        sightings: sightings.collect(),
        shift_px: None,
        card: CardSeen::Same,
        is_poor: false,
    }
}

fn follow(criterion: &mut Criterion) {
    for (name, count, pushed_px) in [
        ("200 insects", 200, 0.3),
        ("200 insects after a bump", 200, 55.0),
        ("2000 insects", 2000, 0.3),
    ] {
        let mut tracker = Tracker::new(Settings::default());
        tracker.observe(&frame(count, 0.0));
        let next = frame(count, pushed_px);
        criterion.bench_function(&format!("arrivals, {name}"), |bencher| {
            bencher.iter_batched(
                || tracker.clone(),
                |mut tracker| black_box(tracker.observe(&next)),
                BatchSize::LargeInput,
            );
        });
    }
}

fn look(criterion: &mut Criterion) {
    let picture = Picture {
        width_px: 600,
        height_px: 600,
        rgb: (0..600 * 600 * 3_u32)
            .map(|at| u8::try_from(at % 251).unwrap_or_default())
            .collect(),
    };
    let detection = Detection {
        x_px: 300.0,
        y_px: 280.0,
        width_px: 40.0,
        height_px: 30.0,
        score: 0.9,
        class: 0,
    };
    criterion.bench_function("arrivals, appearance of one box", |bencher| {
        bencher.iter(|| appearance(black_box(&picture), black_box(&detection)));
    });
}

criterion_group!(benches, follow, look);
criterion_main!(benches);
