//! What a look takes on a picture of twelve megapixels when nothing is new, when one insect is, and when all of it is
//! looked at.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use trapline_detect::{Detector, LookSettings, Memory, Picture};

/// A yellow card with dark spots at uneven places and noise from a seed; one spot more if something is new.
fn card(seed: u32, has_new: bool) -> Picture {
    let (width_px, height_px) = (4056, 3040);
    let pixels = (0..height_px).flat_map(|y| (0..width_px).map(move |x| (x, y)));
    let mut state = seed;
    let rgb = pixels.flat_map(|(x, y): (u32, u32)| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = state.to_le_bytes()[3] >> 4;
        let is_old = (x * 7 + y / 3) % 2_331 < 90 && (y + x / 5) % 277 < 12;
        let is_new = has_new && x.abs_diff(2_000) < 14 && y.abs_diff(1_500) < 9;
        let card = if is_old || is_new {
            [50, 44, 30]
        } else {
            [205, 180, 40]
        };
        card.map(|value: u8| value + noise)
    });
    Picture {
        width_px,
        height_px,
        rgb: rgb.collect(),
    }
}

fn gated(criterion: &mut Criterion) {
    let detector = Detector::embedded().expect("the built-in model");
    let settings = LookSettings::default();
    let look = |picture: &Picture, memory: Option<Memory>| {
        let (look, memory) = detector
            .look(black_box(picture), memory, &settings, &mut |_| true)
            .expect("a card");
        (look.work_share, memory)
    };
    let (_, memory) = look(&card(1, false), None);
    let mut group = criterion.benchmark_group("look at 12 megapixels");
    group.sample_size(10);
    for (name, picture, memory) in [
        ("whole", card(2, false), None),
        ("nothing new", card(2, false), Some(&memory)),
        ("one insect new", card(2, true), Some(&memory)),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| look(&picture, memory.cloned()));
        });
    }
    group.finish();
}

criterion_group!(benches, gated);
criterion_main!(benches);
