//! Networks that the kernels must not run, each with a text that says which layer and why.

use trapline_qconv::{Chain, Convolution, Network, Path};

fn layer(channels_in: usize, channels_out: usize) -> Convolution {
    Convolution {
        channels_in,
        channels_out,
        window: [3, 3],
        stride: [1, 1],
        dilation: [1, 1],
        padding: [1; 4],
        weights: vec![1; channels_in * channels_out * 9],
        bias: vec![0; channels_out],
        zero_in: 0,
        multipliers: vec![0.01; channels_out],
        zero_out: 0,
    }
}

fn network() -> Network {
    Network {
        input: [3, 8, 8],
        body: vec![layer(3, 4)],
        heads: vec![layer(4, 1), layer(4, 2)],
    }
}

fn problem(spoil: impl FnOnce(&mut Network)) -> String {
    let mut network = network();
    spoil(&mut network);
    let refused = Chain::new(&network, Path::Portable).err();
    refused.map_or_else(|| "it runs".to_owned(), |error| error.to_string())
}

fn body(network: &mut Network) -> &mut Convolution {
    network.body.first_mut().expect("one layer")
}

#[test]
fn a_sound_network_is_taken() {
    assert_eq!(network().check(), Ok(()));
    assert_eq!(network().macs(), 64 * 9 * (12 + 4 + 8));
}

#[test]
fn what_does_not_fit_together_is_named() {
    let gap = problem(|network| *body(network) = layer(5, 4));
    assert_eq!(gap, "convolution 0: it takes 5 channels and gets 3");
    let short = problem(|network| body(network).bias.truncate(3));
    assert!(short.contains("3 biases"), "{short}");
    let silent = problem(|network| network.heads.clear());
    assert!(silent.contains("no head"), "{silent}");
    let small = problem(|network| body(network).dilation = [5, 5]);
    assert!(small.contains("larger than 8x8"), "{small}");
    let two = problem(|network| {
        if let Some(head) = network.heads.last_mut() {
            head.zero_in = 9;
        }
    });
    assert!(two.starts_with("convolution 2: the heads"), "{two}");
}

#[test]
fn numbers_that_the_arithmetic_cannot_hold_are_named() {
    let weight = problem(|network| body(network).weights.fill(-128));
    assert!(weight.contains("-127 to 127"), "{weight}");
    let scale = problem(|network| body(network).multipliers.fill(f32::NAN));
    assert!(scale.contains("no number"), "{scale}");
    let sum = problem(|network| body(network).bias.fill(i32::MIN));
    assert!(sum.contains("32 bits"), "{sum}");
}

#[test]
fn sizes_beyond_memory_are_named() {
    let empty = problem(|network| network.input = [3, 0, 8]);
    assert!(empty.contains("empty or too large"), "{empty}");
    let huge = problem(|network| network.input = [3, usize::MAX, 8]);
    assert!(huge.contains("empty or too large"), "{huge}");
    let padded = problem(|network| body(network).padding = [usize::MAX; 4]);
    assert!(padded.contains("end at 64"), "{padded}");
}
