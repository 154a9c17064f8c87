//! From sums in 256-bit registers to stored bytes, shared by the two paths that have them.

use std::arch::x86_64::{
    __m256i, _mm_cvtsi128_si64, _mm_packus_epi16, _mm_packus_epi32, _mm_storeu_si128,
    _mm256_add_epi32, _mm256_castsi256_si128, _mm256_cvtepi32_ps, _mm256_cvtps_epi32,
    _mm256_extracti128_si256, _mm256_load_ps, _mm256_load_si256, _mm256_max_ps, _mm256_min_ps,
    _mm256_mul_ps, _mm256_set1_epi32, _mm256_set1_ps,
};

use crate::kernel::{Form, Rectangle};

/// 32-bit lanes of a register.
pub(super) const LANES: usize = 8;

/// Requantizes and stores P pixels x V registers.
///
/// # Safety
/// As [`crate::kernel::Micro`] with a width of `V * LANES`; the processor has AVX2.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) unsafe fn store<const P: usize, const V: usize>(
    sums: &[[__m256i; V]; P],
    work: &Rectangle<'_>,
    form: Form,
) {
    let (lowest, highest) = (_mm256_set1_ps(work.lowest), _mm256_set1_ps(work.highest));
    let zero = _mm256_set1_epi32(work.zero);
    for v in 0..V {
        let first = v * LANES;
        let Some(channels) = work.channels.checked_sub(first).filter(|rest| *rest > 0) else {
            break;
        };
        // SAFETY: `bias` and `multipliers` hold V registers each, on a border of 64 bytes.
        let (bias, multipliers) = unsafe {
            (
                _mm256_load_si256(work.bias.add(first).cast()),
                _mm256_load_ps(work.multipliers.add(first)),
            )
        };
        for (pixel, sums) in sums.iter().enumerate() {
            let Some(sum) = sums.get(v) else { break };
            let scaled = _mm256_mul_ps(
                _mm256_cvtepi32_ps(_mm256_add_epi32(*sum, bias)),
                multipliers,
            );
            let cut = _mm256_min_ps(_mm256_max_ps(scaled, lowest), highest);
            // The nearest, ties to even, is how the processor rounds unless told otherwise; nobody tells it.
            let whole = _mm256_add_epi32(_mm256_cvtps_epi32(cut), zero);
            let halves = _mm_packus_epi32(
                _mm256_castsi256_si128(whole),
                _mm256_extracti128_si256::<1>(whole),
            );
            let offset = pixel * work.output_stride_bytes + first * form.element_bytes();
            // SAFETY: the pixel's place in the output; `channels` elements from here can be written.
            unsafe {
                let to = work.output.add(offset);
                if form.element_bytes() == 2 {
                    if channels >= LANES {
                        _mm_storeu_si128(to.cast(), halves);
                    } else {
                        let elements: [u8; 16] = std::mem::transmute(halves);
                        std::ptr::copy_nonoverlapping(elements.as_ptr(), to, channels * 2);
                    }
                } else {
                    let bytes = _mm_cvtsi128_si64(_mm_packus_epi16(halves, halves)).to_le_bytes();
                    if channels >= LANES {
                        to.cast::<[u8; LANES]>().write(bytes);
                    } else {
                        std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, channels);
                    }
                }
            }
        }
    }
}
