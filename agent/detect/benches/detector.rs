//! What the built-in model takes for one tile, and for a picture of twelve megapixels from its JPEG bytes on.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use trapline_detect::{Detector, Limits, Picture, jpeg};

/// A yellow card with some dark spots and a little noise.
fn card(width_px: u32, height_px: u32) -> Picture {
    let pixels = (0..height_px).flat_map(|y| (0..width_px).map(move |x| (x, y)));
    let rgb = pixels.flat_map(|(x, y)| {
        let noise = (x.wrapping_mul(7919) ^ y.wrapping_mul(104_729)).to_le_bytes()[1] >> 4;
        let is_spot = (x % 331).abs_diff(60) < 14 && (y % 277).abs_diff(90) < 9;
        let card = if is_spot {
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

fn tile(criterion: &mut Criterion) {
    let detector = Detector::embedded().expect("the built-in model");
    let side_px = detector.model().input.tile_px;
    let picture = card(side_px, side_px);
    let name = format!("tile of {side_px} px, {}", detector.arithmetic());
    criterion.bench_function(&name, |bencher| {
        bencher.iter(|| detector.detect(black_box(&picture)));
    });
}

fn picture(criterion: &mut Criterion) {
    let detector = Detector::embedded().expect("the built-in model");
    let card = card(4056, 3040);
    let mut bytes = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut bytes, 90);
    encoder
        .encode(&card.rgb, 4056, 3040, jpeg_encoder::ColorType::Rgb)
        .expect("a JPEG in memory");
    let mut group = criterion.benchmark_group("picture of 12 megapixels");
    group.sample_size(10);
    let decode = || jpeg::decode(black_box(&bytes), &Limits::default());
    group.bench_function("decoded", |bencher| bencher.iter(decode));
    group.bench_function("decoded and looked at", |bencher| {
        bencher.iter(|| detector.detect(&decode().expect("our own JPEG")));
    });
    group.finish();
}

criterion_group!(benches, tile, picture);
criterion_main!(benches);
