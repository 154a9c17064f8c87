//! AVX-512 VNNI: four byte products and their sum per lane, in 512-bit registers.

use std::arch::x86_64::{
    __m512i, _mm512_add_epi32, _mm512_cvtepi32_ps, _mm512_cvtps_epi32, _mm512_dpbusd_epi32,
    _mm512_load_ps, _mm512_load_si512, _mm512_mask_cvtepi32_storeu_epi8, _mm512_max_ps,
    _mm512_min_ps, _mm512_mul_ps, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_si512,
};

use super::rectangle::rectangle;
use crate::kernel::{Form, Kernel, Rectangle, Width};

const PIXELS: usize = 8;
/// 32-bit lanes of a register.
const LANES: usize = 16;

pub(crate) static KERNEL: Kernel = Kernel {
    form: Form::Unsigned,
    pixels: PIXELS,
    step_bytes: 4,
    widths: &[
        Width {
            channels: 3 * LANES,
            many: rectangle::<PIXELS, 3>,
            one: rectangle::<1, 3>,
        },
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

rectangle! {
    features: "avx512f,avx512bw,avx512vnni",
    register: __m512i,
    zero: _mm512_setzero_si512,
    load: _mm512_load_si512,
    spread: _mm512_set1_epi32,
    products: |sums, group, weights| _mm512_dpbusd_epi32(sums, group, weights),
    store: store,
}

/// Requantizes and stores P pixels x V registers.
///
/// # Safety
/// As [`rectangle`].
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
#[inline]
unsafe fn store<const P: usize, const V: usize>(sums: &[[__m512i; V]; P], work: &Rectangle<'_>) {
    let (lowest, highest) = (_mm512_set1_ps(work.lowest), _mm512_set1_ps(work.highest));
    let zero = _mm512_set1_epi32(work.zero);
    for v in 0..V {
        let first = v * LANES;
        let Some(channels) = work.channels.checked_sub(first).filter(|rest| *rest > 0) else {
            break;
        };
        let stored = u16::MAX >> LANES.saturating_sub(channels);
        // SAFETY: `bias` and `multipliers` hold V registers each, on a border of 64 bytes.
        let (bias, multipliers) = unsafe {
            (
                _mm512_load_si512(work.bias.add(first).cast()),
                _mm512_load_ps(work.multipliers.add(first)),
            )
        };
        for (pixel, sums) in sums.iter().enumerate() {
            let Some(sum) = sums.get(v) else { break };
            let scaled = _mm512_mul_ps(
                _mm512_cvtepi32_ps(_mm512_add_epi32(*sum, bias)),
                multipliers,
            );
            let cut = _mm512_min_ps(_mm512_max_ps(scaled, lowest), highest);
            // The nearest, ties to even, is how the processor rounds unless told otherwise; nobody tells it.
            let whole = _mm512_add_epi32(_mm512_cvtps_epi32(cut), zero);
            let offset = pixel * work.output_stride_bytes + first;
            // SAFETY: the pixel's place in the output; only `channels` elements from here are written.
            unsafe {
                _mm512_mask_cvtepi32_storeu_epi8(work.output.add(offset).cast(), stored, whole);
            }
        }
    }
}
