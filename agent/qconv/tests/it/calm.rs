//! Weights at the border where a path may add more products in 16 bits than it could for any weights.

use trapline_qconv::{Chain, Convolution, Network, Path, Pixels, reference};

const CHANNELS: usize = 64;
const SIDE_PX: usize = 6;

/// Four weights that lie 8 channels apart are added first; together they reach 255 or just more.
#[test]
fn sums_at_the_border_are_exact() {
    for fourth in [62, 63, 64, 65, 127] {
        for sign in [1, -1] {
            let network = layer(&[64, 64, 64, fourth].map(|w: i8| w * sign));
            for byte in [0, 1, 127, 128, 255] {
                let input = vec![byte; CHANNELS * SIDE_PX * SIDE_PX];
                let right = reference::run(&network, &input);
                for path in Path::available() {
                    let chain = Chain::new(&network, path).unwrap();
                    let answers = chain.run(Pixels::Planar(&input), &mut chain.buffers());
                    assert_eq!(answers, right, "{path}: {fourth} x {sign} on {byte}");
                }
            }
        }
    }
}

/// Weights in this order, each for 8 channels, again and again.
fn layer(weights: &[i8]) -> Network {
    let channel = weights.iter().flat_map(|w| [*w; 8]).cycle().take(CHANNELS);
    let head = Convolution {
        channels_in: CHANNELS,
        channels_out: 4,
        window: [1, 1],
        stride: [1, 1],
        dilation: [1, 1],
        padding: [0; 4],
        weights: channel.cycle().take(4 * CHANNELS).collect(),
        bias: vec![0, 7, -7, 100_000],
        zero_in: 128,
        multipliers: vec![1.0 / 8192.0; 4],
        zero_out: 128,
    };
    Network {
        input: [CHANNELS, SIDE_PX, SIDE_PX],
        body: Vec::new(),
        heads: vec![head],
    }
}
