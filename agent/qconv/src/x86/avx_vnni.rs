//! AVX-VNNI: four byte products and their sum per lane, in 256-bit registers.

use std::arch::x86_64::{
    __m256i, _mm256_dpbusd_avx_epi32, _mm256_load_si256, _mm256_set1_epi32, _mm256_setzero_si256,
};

use super::store256::{LANES, store};
use crate::kernel::{Form, Kernel, Rectangle, Width};

const PIXELS: usize = 5;

pub(crate) static KERNEL: Kernel = Kernel {
    form: Form::Unsigned,
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
/// As [`crate::kernel::Micro`]; the processor has AVX2 and AVX-VNNI.
#[target_feature(enable = "avx2,avxvnni")]
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
                let group = unsafe {
                    input
                        .add(pixel * work.pixel_stride_bytes)
                        .cast::<i32>()
                        .read_unaligned()
                };
                let group = _mm256_set1_epi32(group);
                for (sum, weights) in sums.iter_mut().zip(block) {
                    *sum = _mm256_dpbusd_avx_epi32(*sum, group, weights);
                }
            }
            // SAFETY: at most the end of the run.
            input = unsafe { input.add(4) };
        }
    }
    // SAFETY: the caller's promises about `work`, handed on.
    unsafe { store::<P, V>(&sums, work, Form::Unsigned) };
}
