//! Plain loops over the spec: slow, and the definition of right.

use crate::spec::{Convolution, Network};

/// Runs `network` on `input`, planes of bytes (channel, row, column). One answer per head, in the same order.
///
/// Only for networks that pass [`Network::check`]; a shorter input reads as zero points.
pub fn run(network: &Network, input: &[u8]) -> Vec<Vec<u8>> {
    let [_, mut height, mut width] = network.input;
    let mut map = input.to_vec();
    for layer in &network.body {
        map = convolve(layer, &map, [height, width]);
        [height, width] = layer.output_size(height, width).unwrap_or_default();
    }
    let head = |layer| convolve(layer, &map, [height, width]);
    network.heads.iter().map(head).collect()
}

fn convolve(layer: &Convolution, input: &[u8], size: [usize; 2]) -> Vec<u8> {
    let [high, wide] = layer.output_size(size[0], size[1]).unwrap_or_default();
    let mut output = Vec::with_capacity(layer.channels_out * high * wide);
    let channels = layer.weights.chunks_exact(layer.weights_per_channel());
    for ((weights, bias), multiplier) in channels.zip(&layer.bias).zip(&layer.multipliers) {
        for row in 0..high {
            for column in 0..wide {
                let sum = bias + products(layer, weights, input, size, [row, column]);
                output.push(requantize(sum, *multiplier, layer.zero_out));
            }
        }
    }
    output
}

fn products(
    layer: &Convolution,
    weights: &[i8],
    input: &[u8],
    [height, width]: [usize; 2],
    [row, column]: [usize; 2],
) -> i32 {
    let [top, left, ..] = layer.padding;
    let mut weights = weights.iter();
    let mut sum = 0;
    for channel in 0..layer.channels_in {
        for tap_row in 0..layer.window[0] {
            for tap_column in 0..layer.window[1] {
                let y = (row * layer.stride[0] + tap_row * layer.dilation[0]).checked_sub(top);
                let x =
                    (column * layer.stride[1] + tap_column * layer.dilation[1]).checked_sub(left);
                let byte = match (y, x) {
                    (Some(y), Some(x)) if y < height && x < width => {
                        input.get((channel * height + y) * width + x)
                    }
                    _ => None,
                };
                let byte = byte.copied().unwrap_or(layer.zero_in);
                let weight = weights.next().copied().unwrap_or(0);
                sum += (i32::from(byte) - i32::from(layer.zero_in)) * i32::from(weight);
            }
        }
    }
    sum
}

/// From a sum to the byte that stands for it.
#[expect(
    clippy::cast_precision_loss,
    reason = "to the nearest f32, as ONNX runtimes do"
)]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "cut to 0..=255 before"
)]
pub(crate) fn requantize(sum: i32, multiplier: f32, zero: u8) -> u8 {
    let scaled = (sum as f32 * multiplier).round_ties_even() + f32::from(zero);
    scaled.clamp(0.0, 255.0) as u8
}
