//! Weights in the order in which a kernel reads them, and the constants that go with them.

use crate::kernel::{Kernel, Width};
use crate::lines::Lines;
use crate::map::Map;
use crate::spec::Convolution;

/// A layer's weights, cut into blocks of output channels.
pub(crate) struct Packed {
    pub(crate) blocks: Vec<Block>,
    /// Where each run begins, from the first tap.
    pub(crate) runs: Vec<usize>,
    pub(crate) run_steps: usize,
}

/// Some neighbouring output channels and the kernel that computes them.
pub(crate) struct Block {
    pub(crate) width: &'static Width,
    pub(crate) first_channel: usize,
    /// Channels that are stored: at most the width's, the output's padding included.
    pub(crate) channels: usize,
    pub(crate) weights: Lines,
    pub(crate) is_calm: bool,
    pub(crate) bias: Lines,
    pub(crate) multipliers: Lines,
}

/// Taps that lie side by side in memory.
struct Run {
    offset: usize,
    row: usize,
    columns: std::ops::Range<usize>,
}

pub(crate) fn pack(layer: &Convolution, input: &Map, kernel: &Kernel) -> Packed {
    let runs = runs_of(layer, input);
    let taps = runs.first().map_or(0, |run| run.columns.len());
    let run_steps = (taps * input.pixel_bytes()).div_ceil(kernel.step_bytes);
    let stored = layer.channels_out.next_multiple_of(4);
    let mut blocks = Vec::new();
    let mut first_channel = 0;
    while first_channel < stored {
        let rest = stored - first_channel;
        let narrowest = kernel.widths.iter().rev().find(|w| w.channels >= rest);
        let Some(width) = narrowest.or(kernel.widths.first()) else {
            break;
        };
        let channels = rest.min(width.channels);
        let (bias, multipliers) = constants(layer, first_channel, width, kernel);
        let place = (first_channel, width, run_steps);
        let weights = weights(layer, input, &runs, place, kernel);
        blocks.push(Block {
            is_calm: is_calm(&weights, width.channels, run_steps),
            weights,
            bias,
            multipliers,
            width,
            first_channel,
            channels,
        });
        first_channel += channels;
    }
    Packed {
        blocks,
        runs: runs.iter().map(|run| run.offset).collect(),
        run_steps,
    }
}

fn runs_of(layer: &Convolution, input: &Map) -> Vec<Run> {
    let [rows, columns] = layer.window;
    let mut runs = Vec::new();
    for row in 0..rows {
        let offset = row * layer.dilation[0] * input.row_bytes();
        if layer.dilation[1] == 1 {
            runs.push(Run {
                offset,
                row,
                columns: 0..columns,
            });
        } else {
            runs.extend((0..columns).map(|column| Run {
                offset: offset + column * layer.dilation[1] * input.pixel_bytes(),
                row,
                columns: column..column + 1,
            }));
        }
    }
    runs
}

/// Run, step, channel, element of the step; zeros for padding.
fn weights(
    layer: &Convolution,
    input: &Map,
    runs: &[Run],
    (first_channel, width, run_steps): (usize, &Width, usize),
    kernel: &Kernel,
) -> Lines {
    let element_bytes = kernel.form.element_bytes();
    let step = kernel.step_bytes / element_bytes;
    let channels_in = input.pixel_bytes() / element_bytes;
    let mut lines = Lines::zeroed(runs.len() * run_steps * width.channels * kernel.step_bytes);
    let mut elements = lines.bytes_mut().chunks_exact_mut(element_bytes);
    for run in runs {
        for first in (0..run_steps).map(|s| s * step) {
            for channel_out in first_channel..first_channel + width.channels {
                for k in first..first + step {
                    let column = run.columns.start + k / channels_in;
                    let weight = if run.columns.contains(&column) {
                        weight(layer, channel_out, k % channels_in, [run.row, column])
                    } else {
                        0
                    };
                    let Some(element) = elements.next() else {
                        continue;
                    };
                    let wide = i16::from(weight).to_le_bytes();
                    element
                        .iter_mut()
                        .zip(wide)
                        .for_each(|(to, from)| *to = from);
                }
            }
        }
    }
    lines
}

fn weight(layer: &Convolution, out: usize, channel: usize, [row, column]: [usize; 2]) -> i8 {
    if out >= layer.channels_out || channel >= layer.channels_in {
        return 0;
    }
    let index = ((out * layer.channels_in + channel) * layer.window[0] + row) * layer.window[1];
    layer.weights.get(index + column).copied().unwrap_or(0)
}

/// Whether four products of signed bytes can be added up in 16 bits: in every two neighbouring steps of 16 bytes of a
/// run, the four weights of a channel that lie 8 bytes apart are at most 255 together, because 128 x 255 is less than
/// 2^15. Trained weights nearly always are. For kernels with other steps it says nothing.
fn is_calm(weights: &Lines, channels: usize, run_steps: usize) -> bool {
    const STEP: usize = 16;
    let mut runs = weights
        .bytes()
        .chunks_exact((run_steps * channels * STEP).max(1));
    runs.all(|run| {
        let mut pairs = run.chunks_exact(2 * channels * STEP);
        pairs.all(|pair| {
            let (first, second) = pair.split_at(channels * STEP);
            let mut steps = first.chunks_exact(STEP).zip(second.chunks_exact(STEP));
            steps.all(|(first, second)| {
                let four = |lane| {
                    let weights = first.iter().chain(second).skip(lane).step_by(8);
                    weights
                        .map(|w| u32::from(w.cast_signed().unsigned_abs()))
                        .sum::<u32>()
                };
                (0..8).all(|lane| four(lane) <= 255)
            })
        })
    })
}

/// Biases that hold the zero point of the input, and multipliers; zeros for padding.
fn constants(
    layer: &Convolution,
    first_channel: usize,
    width: &Width,
    kernel: &Kernel,
) -> (Lines, Lines) {
    let mut bias = Lines::zeroed(width.channels * 4);
    let mut multipliers = Lines::zeroed(width.channels * 4);
    let shift = kernel.form.offset() - i32::from(layer.zero_in);
    let per_channel = layer
        .weights
        .chunks_exact(layer.weights_per_channel().max(1));
    let channels = per_channel
        .zip(&layer.bias)
        .zip(&layer.multipliers)
        .skip(first_channel);
    let places = bias.bytes_mut().chunks_exact_mut(4);
    let places = places.zip(multipliers.bytes_mut().chunks_exact_mut(4));
    for (((weights, bias), multiplier), (to_bias, to_multiplier)) in
        channels.zip(places).take(width.channels)
    {
        let sum: i32 = weights.iter().map(|w| i32::from(*w)).sum();
        to_bias.copy_from_slice(&(bias + shift * sum).to_ne_bytes());
        to_multiplier.copy_from_slice(&multiplier.to_ne_bytes());
    }
    (bias, multipliers)
}
