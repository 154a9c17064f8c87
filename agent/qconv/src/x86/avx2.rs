//! AVX2 without byte products: activations and weights as 16 bits, two products and their sum per lane.
//!
//! The byte products that AVX2 has (`vpmaddubsw`) saturate in 16 bits, so they give wrong sums for large inputs; pairs
//! of 16-bit products are exact in 32 bits. Maps hold 16-bit elements for this path, so nothing is widened in the loop.

use std::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_load_si256, _mm256_madd_epi16, _mm256_set1_epi32,
    _mm256_setzero_si256,
};

use super::rectangle::rectangle;
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

rectangle! {
    features: "avx2",
    register: __m256i,
    zero: _mm256_setzero_si256,
    load: _mm256_load_si256,
    spread: _mm256_set1_epi32,
    products: |sums, pair, weights| _mm256_add_epi32(sums, _mm256_madd_epi16(pair, weights)),
    store: store as Form::Wide,
}
