//! Micro-kernels in plain Rust, for processors without one of the instruction sets below.

use crate::kernel::{Form, Kernel, Rectangle, Width};

const CHANNELS: usize = 16;
const PIXELS: usize = 4;

pub(crate) static KERNEL: Kernel = Kernel {
    form: Form::Unsigned,
    pixels: PIXELS,
    step_bytes: 4,
    widths: &[Width {
        channels: CHANNELS,
        many: rectangle::<PIXELS>,
        one: rectangle::<1>,
    }],
};

/// # Safety
/// As [`crate::kernel::Micro`].
unsafe fn rectangle<const P: usize>(work: &Rectangle<'_>) {
    let mut sums = [[0_i32; CHANNELS]; P];
    let mut weights = work.weights.cast::<[[i8; 4]; CHANNELS]>();
    for run in work.runs {
        for step in 0..work.run_steps {
            // SAFETY: one of runs x run_steps blocks of weights, each CHANNELS x 4 bytes.
            let block = unsafe { &*weights };
            // SAFETY: at most one past the last block.
            weights = unsafe { weights.add(1) };
            for (pixel, sums) in sums.iter_mut().enumerate() {
                let offset = pixel * work.pixel_stride_bytes + run + step * 4;
                // SAFETY: `Rectangle::input` promises these four bytes; an array of bytes has no alignment.
                let bytes = unsafe { *work.input.add(offset).cast::<[u8; 4]>() };
                for (sum, weights) in sums.iter_mut().zip(block) {
                    for (byte, weight) in bytes.iter().zip(weights) {
                        *sum += i32::from(*byte) * i32::from(*weight);
                    }
                }
            }
        }
    }
    // SAFETY: `bias` and `multipliers` hold CHANNELS numbers each.
    let (bias, multipliers) = unsafe {
        (
            &*work.bias.cast::<[i32; CHANNELS]>(),
            &*work.multipliers.cast::<[f32; CHANNELS]>(),
        )
    };
    for (pixel, sums) in sums.iter().enumerate() {
        let channels = sums.iter().zip(bias).zip(multipliers).take(work.channels);
        for (channel, ((sum, bias), multiplier)) in channels.enumerate() {
            let byte = requantize(sum + bias, *multiplier, work);
            // SAFETY: `channels` elements of each pixel can be written.
            unsafe { *work.output.add(pixel * work.output_stride_bytes + channel) = byte };
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "to the nearest f32 is what the contract says"
)]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "cut to a byte before"
)]
fn requantize(sum: i32, multiplier: f32, work: &Rectangle<'_>) -> u8 {
    let scaled = (sum as f32 * multiplier).clamp(work.lowest, work.highest);
    (scaled.round_ties_even() as i32 + work.zero) as u8
}
