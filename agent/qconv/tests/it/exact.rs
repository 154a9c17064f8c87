//! Random chains on every path of this processor: the same bytes as the plain loops, always.

use proptest::prelude::*;
use trapline_qconv::{Chain, Convolution, Network, Path, Pixels, reference};

/// What the bytes of a test are.
#[derive(Clone, Copy, Debug)]
enum Extent {
    Random,
    Lowest,
    Highest,
}

fn extent() -> impl Strategy<Value = Extent> {
    prop_oneof![
        4 => Just(Extent::Random),
        1 => Just(Extent::Lowest),
        1 => Just(Extent::Highest),
    ]
}

#[derive(Clone, Debug)]
struct Shape {
    channels: usize,
    window: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    padding: [usize; 4],
    zero_out: u8,
}

fn shape() -> impl Strategy<Value = Shape> {
    let window = prop_oneof![Just([3, 3]), Just([1, 1]), Just([3, 1]), Just([2, 5])];
    let channels = prop_oneof![1_usize..=40, Just(48), Just(96), Just(100)];
    let zero = prop_oneof![Just(0), Just(255), any::<u8>()];
    let paddings = prop_oneof![
        Just([1; 4]),
        Just([2; 4]),
        prop::array::uniform4(0_usize..3)
    ];
    let pair = || prop_oneof![Just([1, 1]), Just([2, 2]), Just([1, 2]), Just([3, 1])];
    (channels, window, pair(), pair(), paddings, zero).prop_map(
        |(channels, window, stride, dilation, padding, zero_out)| Shape {
            channels,
            window,
            stride,
            dilation,
            padding,
            zero_out,
        },
    )
}

/// Numbers from a seed, without a crate for chance: xorshift.
struct Bytes(u64);

impl Bytes {
    fn next(&mut self) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.to_le_bytes()[3]
    }

    fn weight(&mut self, extent: Extent) -> i8 {
        match extent {
            Extent::Random => i8::from_le_bytes([self.next()]).max(-127),
            Extent::Lowest => -127,
            Extent::Highest => 127,
        }
    }

    fn layer(&mut self, shape: &Shape, from: (usize, u8), weights: Extent) -> Convolution {
        let count = from.0 * shape.window[0] * shape.window[1];
        let spread = 1.0 / (count as f32).sqrt() / 127.0;
        Convolution {
            channels_in: from.0,
            channels_out: shape.channels,
            window: shape.window,
            stride: shape.stride,
            dilation: shape.dilation,
            padding: shape.padding,
            weights: (0..count * shape.channels)
                .map(|_| self.weight(weights))
                .collect(),
            bias: (0..shape.channels)
                .map(|_| (i32::from(self.next()) - 128) * 131)
                .collect(),
            zero_in: from.1,
            multipliers: (0..shape.channels)
                .map(|_| spread * f32::from(self.next()) / 100.0)
                .collect(),
            zero_out: shape.zero_out,
        }
    }
}

fn network(
    input: [usize; 3],
    zero_in: u8,
    shapes: &[Shape],
    seed: u64,
    weights: Extent,
) -> Option<Network> {
    let mut bytes = Bytes(seed | 1);
    let (mut channels, mut zero) = (input[0], zero_in);
    let mut network = Network {
        input,
        body: Vec::new(),
        heads: Vec::new(),
    };
    let (heads, body) = shapes.split_first()?;
    for shape in body {
        network
            .body
            .push(bytes.layer(shape, (channels, zero), weights));
        (channels, zero) = (shape.channels, shape.zero_out);
    }
    let other = Shape {
        channels: 4,
        window: [1, 1],
        dilation: [1, 1],
        ..heads.clone()
    };
    for head in [heads, &other] {
        network
            .heads
            .push(bytes.layer(head, (channels, zero), weights));
    }
    network.check().is_ok().then_some(network)
}

fn input(network: &Network, extent: Extent) -> Vec<u8> {
    let mut bytes = Bytes(99);
    let count = network.input.iter().product();
    match extent {
        Extent::Random => (0..count).map(|_| bytes.next()).collect(),
        Extent::Lowest => vec![0; count],
        Extent::Highest => vec![255; count],
    }
}

/// Planes turned into pixels, with some bytes between the rows.
fn interleaved([channels, height, width]: [usize; 3], planes: &[u8]) -> (Vec<u8>, usize) {
    let row_bytes = width * channels + 5;
    let mut bytes = vec![77; row_bytes * height];
    for (channel, plane) in planes.chunks_exact(height * width).enumerate() {
        for (row, line) in bytes.chunks_exact_mut(row_bytes).zip(plane.chunks(width)) {
            let places = row.iter_mut().skip(channel).step_by(channels);
            places.zip(line).for_each(|(to, from)| *to = *from);
        }
    }
    (bytes, row_bytes)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_path_gives_the_bytes_of_the_reference(
        channels in prop_oneof![Just(3_usize), 1_usize..9],
        size in (1_usize..30, 1_usize..40),
        zero_in in prop_oneof![Just(0), any::<u8>()],
        shapes in prop::collection::vec(shape(), 1..5),
        seed in any::<u64>(),
        (weights, pixels) in (extent(), extent()),
    ) {
        let built = network([channels, size.0, size.1], zero_in, &shapes, seed, weights);
        prop_assume!(built.is_some());
        let network = built.expect("checked in the line above");
        let planes = input(&network, pixels);
        let expected = reference::run(&network, &planes);
        let (rows, row_bytes) = interleaved(network.input, &planes);
        for path in Path::available() {
            let chain = Chain::new(&network, path).expect("a checked network");
            let mut buffers = chain.buffers();
            let answers = chain.run(Pixels::Planar(&planes), &mut buffers);
            prop_assert_eq!(&answers, &expected, "{}", path);
            let again = Pixels::Interleaved { bytes: &rows, row_bytes };
            prop_assert_eq!(&chain.run(again, &mut buffers), &expected, "{} again", path);
        }
    }
}
