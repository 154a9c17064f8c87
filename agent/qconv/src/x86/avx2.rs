//! AVX2 without byte products: activations and weights as 16 bits, two products and their sum per lane.
//!
//! The byte products that AVX2 has (`vpmaddubsw`) saturate in 16 bits, so they give wrong sums for large inputs; pairs
//! of 16-bit products are exact in 32 bits. Maps hold 16-bit elements for this path, so nothing is widened in the loop.

use std::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_load_si256, _mm256_madd_epi16, _mm256_set1_epi32,
    _mm256_setzero_si256,
};

use super::store256::{LANES, store};
use crate::kernel::{Form, Kernel, Rectangle, Width};

const PIXELS: usize = 4;

pub(crate) static KERNEL: Kernel = Kernel {
    form: Form::Wide,
    pixels: PIXELS,
    step_bytes: 4,
    widths: &[
        Width {
            channels: 2 * LANES,
            many: rectangle::<PIXELS, 2>,
            one: rectangle::<1, 2>,
        },
        Width {
            channels: LANES,
            many: rectangle::<PIXELS, 1>,
            one: rectangle::<1, 1>,
        },
    ],
};

/// # Safety
/// As [`crate::kernel::Micro`]; the processor has AVX2.
#[target_feature(enable = "avx2")]
unsafe fn rectangle<const P: usize, const V: usize>(work: &Rectangle<'_>) {
    let mut sums = [[_mm256_setzero_si256(); V]; P];
    let mut weights = work.weights.cast::<__m256i>();
    for run in work.runs {
        // SAFETY: the run begins inside the input's map.
        let mut input = unsafe { work.input.add(*run) };
        for _ in 0..work.run_steps {
            // SAFETY: one of runs x run_steps blocks of V registers, on a border of 64 bytes.
            let block: [__m256i; V] =
                std::array::from_fn(|v| unsafe { _mm256_load_si256(weights.add(v)) });
            // SAFETY: at most one past the last block.
            weights = unsafe { weights.add(V) };
            for (pixel, sums) in sums.iter_mut().enumerate() {
                // SAFETY: `Rectangle::input` promises these four bytes.
                let pair = unsafe {
                    input
                        .add(pixel * work.pixel_stride_bytes)
                        .cast::<i32>()
                        .read_unaligned()
                };
                let pair = _mm256_set1_epi32(pair);
                for (sum, weights) in sums.iter_mut().zip(block) {
                    *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(pair, weights));
                }
            }
            // SAFETY: at most the end of the run.
            input = unsafe { input.add(4) };
        }
    }
    // SAFETY: the caller's promises about `work`, handed on.
    unsafe { store::<P, V>(&sums, work, Form::Wide) };
}
