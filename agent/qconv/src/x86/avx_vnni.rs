//! AVX-VNNI: four byte products and their sum per lane, in 256-bit registers.

use std::arch::x86_64::{
    __m256i, _mm256_dpbusd_avx_epi32, _mm256_load_si256, _mm256_set1_epi32, _mm256_setzero_si256,
};

use super::rectangle::rectangle;
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

rectangle! {
    features: "avx2,avxvnni",
    register: __m256i,
    zero: _mm256_setzero_si256,
    load: _mm256_load_si256,
    spread: _mm256_set1_epi32,
    products: |sums, group, weights| _mm256_dpbusd_avx_epi32(sums, group, weights),
    store: store as Form::Unsigned,
}
