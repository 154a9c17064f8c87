//! One tile of 320 pixels through a chain of the insect network's shape, with random weights, by instruction set.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use trapline_qconv::{Chain, Convolution, Network, Path, Pixels};

const TILE_PX: usize = 320;
/// Channels out, stride, dilation.
const BODY: [(usize, usize, usize); 8] = [
    (24, 2, 1),
    (48, 2, 1),
    (48, 1, 1),
    (96, 2, 1),
    (96, 1, 1),
    (96, 1, 2),
    (96, 1, 2),
    (96, 1, 1),
];

fn bytes(count: usize) -> impl Iterator<Item = u8> {
    (0..count).map(|i| ((i * 7919) >> 3).to_le_bytes()[0])
}

fn layer(from: usize, to: usize, side: usize, stride: usize, dilation: usize) -> Convolution {
    let count = from * side * side;
    Convolution {
        channels_in: from,
        channels_out: to,
        window: [side; 2],
        stride: [stride; 2],
        dilation: [dilation; 2],
        padding: [dilation * (side / 2); 4],
        weights: bytes(count * to)
            .map(|byte| i8::from_le_bytes([byte]).max(-127))
            .collect(),
        bias: vec![0; to],
        zero_in: 0,
        multipliers: vec![1.0 / ((count as f32).sqrt() * 80.0); to],
        zero_out: 0,
    }
}

fn network() -> Network {
    let mut channels = 3;
    let mut body = Vec::new();
    for (channels_out, stride, dilation) in BODY {
        body.push(layer(channels, channels_out, 3, stride, dilation));
        channels = channels_out;
    }
    Network {
        input: [3, TILE_PX, TILE_PX],
        body,
        heads: vec![layer(channels, 1, 1, 1, 1), layer(channels, 4, 1, 1, 1)],
    }
}

fn chains(criterion: &mut Criterion) {
    let network = network();
    let planes: Vec<u8> = bytes(3 * TILE_PX * TILE_PX).collect();
    let mut group = criterion.benchmark_group("tile of 320 px");
    group.throughput(Throughput::Elements(network.macs()));
    group.sample_size(20);
    for path in Path::available() {
        let chain = Chain::new(&network, path).expect("a network that makes sense");
        let mut buffers = chain.buffers();
        group.bench_function(path.name(), |bencher| {
            bencher.iter(|| chain.run(Pixels::Planar(black_box(&planes)), &mut buffers));
        });
    }
    group.finish();
}

criterion_group!(benches, chains);
criterion_main!(benches);
