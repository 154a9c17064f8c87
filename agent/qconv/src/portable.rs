//! Micro-kernels in plain Rust, for processors without one of the instruction sets below.

use crate::kernel::{Form, Kernel, Rectangle, Width};

const CHANNELS: usize = 8;
const PIXELS: usize = 2;

pub(crate) static KERNEL: Kernel = Kernel {
    form: Form::Wide,
    pixels: PIXELS,
    step_bytes: 2,
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
    let mut weights = work.weights.cast::<[i16; CHANNELS]>();
    for run in work.runs {
        for step in 0..work.run_steps {
            // SAFETY: one of runs x run_steps blocks of weights, each CHANNELS x 2 bytes.
            let block = unsafe { &*weights };
            // SAFETY: at most one past the last block.
            weights = unsafe { weights.add(1) };
            for (pixel, sums) in sums.iter_mut().enumerate() {
                let offset = pixel * work.pixel_stride_bytes + run + step * 2;
                // SAFETY: `Rectangle::input` promises these two bytes.
                let value = unsafe { work.input.add(offset).cast::<i16>().read_unaligned() };
                for (sum, weight) in sums.iter_mut().zip(block) {
                    *sum += i32::from(value) * i32::from(*weight);
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
            unsafe {
                let element = work
                    .output
                    .add(pixel * work.output_stride_bytes + channel * 2);
                element.cast::<u16>().write_unaligned(u16::from(byte));
            }
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
