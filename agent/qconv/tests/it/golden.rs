//! A network of the detector's form, with made-up weights, gives the same bytes on every machine and path, for ever.
//!
//! The hash was taken on x86; `cargo xtask test` runs this on emulated ARM processors as well.

use std::collections::BTreeSet;

use trapline_qconv::{Chain, Convolution, Network, Path, Pixels, reference};

const TILE_PX: usize = 64;
const GOLDEN: u64 = 0x0c8e_6d57_78aa_5719;

/// Channels, stride, dilation.
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

#[test]
fn the_same_bytes_on_every_machine() {
    let (network, tile) = detector();
    let right = reference::run(&network, &tile);
    let different = right.iter().flatten().collect::<BTreeSet<_>>();
    assert!(
        different.len() > 64,
        "answers that hardly vary prove little"
    );
    assert_eq!(hash(&right), GOLDEN, "reference");
    for path in Path::available() {
        let chain = Chain::new(&network, path).unwrap();
        let answers = chain.run(Pixels::Planar(&tile), &mut chain.buffers());
        assert_eq!(hash(&answers), GOLDEN, "{path}");
    }
}

fn detector() -> (Network, Vec<u8>) {
    let mut chance = Chance(1);
    let mut channels = 3;
    let mut body = Vec::new();
    for (channels_out, stride, dilation) in BODY {
        body.push(chance.layer([channels, channels_out], 3, [stride, dilation], 0));
        channels = channels_out;
    }
    let heads = [1, 4].map(|out| chance.layer([channels, out], 1, [1, 1], 100));
    let network = Network {
        input: [3, TILE_PX, TILE_PX],
        body,
        heads: heads.to_vec(),
    };
    let tile = (0..3 * TILE_PX * TILE_PX).map(|_| chance.byte()).collect();
    (network, tile)
}

/// Numbers from a seed, the same everywhere.
struct Chance(u32);

impl Chance {
    fn byte(&mut self) -> u8 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0.to_le_bytes()[3]
    }

    /// Multipliers such that the answers of random weights neither vanish nor saturate.
    fn layer(
        &mut self,
        [channels_in, channels_out]: [usize; 2],
        window: usize,
        [stride, dilation]: [usize; 2],
        zero_out: u8,
    ) -> Convolution {
        let products = channels_in * window * window;
        let spread =
            1.0 / (45.0 * f32::from(u16::try_from(products).expect("a small window")).sqrt());
        Convolution {
            channels_in,
            channels_out,
            window: [window; 2],
            stride: [stride; 2],
            dilation: [dilation; 2],
            padding: [dilation * (window / 2); 4],
            weights: (0..products * channels_out)
                .map(|_| i8::from_le_bytes([self.byte()]).max(-127))
                .collect(),
            bias: (0..channels_out)
                .map(|_| (i32::from(self.byte()) - 128) * 100)
                .collect(),
            zero_in: 0,
            multipliers: vec![spread; channels_out],
            zero_out,
        }
    }
}

/// FNV-1a.
fn hash(answers: &[Vec<u8>]) -> u64 {
    let bytes = answers.iter().flatten();
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
