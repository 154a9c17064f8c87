//! Byte products in 16 bits, for every 64-bit ARM: the A53 of the Pi 3 and Zero 2 W, the A72 of the Pi 4.
//!
//! Sixteen bytes of a run are multiplied in two halves into the same eight lanes of 16 bits, then neighbours are added
//! into four sums of 32 bits. Two products fit: a stored activation reaches -128, a weight 127, and 2 x 128 x 127 is
//! less than 2^15. So three instructions make sixteen products. Where the weights are calm (see `is_calm` of `pack`),
//! as trained ones nearly always are, even four products fit, and five instructions make 32. The four sums of a pixel
//! and channel are added up only when all runs are done.
//!
//! Four pixels x four channels are 16 vectors of sums; with two steps of four pixels (8), four weights and four
//! vectors of 16 bits that is all 32 registers, so this loop is written out. Products of the four pixels follow each
//! other, because the A53 runs instructions in order and waits for each result.

use core::arch::aarch64::{
    int8x16_t, int32x4_t, vaddq_s32, vdupq_n_s32, vget_low_s8, vld1q_s8, vld1q_s32, vmlal_high_s8,
    vmull_s8, vpadalq_s16, vpaddq_s32,
};
use core::arch::asm;

use super::requantize::{self, GROUP};
use crate::kernel::{Form, Kernel, Rectangle, Width};

const PIXELS: usize = 4;
const STEP_BYTES: usize = 16;

pub(crate) static KERNEL: Kernel = Kernel {
    form: Form::Signed,
    pixels: PIXELS,
    step_bytes: STEP_BYTES,
    widths: &[Width {
        channels: GROUP,
        many: four_pixels,
        one: one_pixel,
    }],
};

/// # Safety
/// As [`crate::kernel::Micro`].
#[target_feature(enable = "neon")]
unsafe fn four_pixels(work: &Rectangle<'_>) {
    let mut sums = [[vdupq_n_s32(0); GROUP]; PIXELS];
    let mut weights = work.weights;
    for run in work.runs {
        // SAFETY: inputs can be read to the end of the run and 64 bytes past it, weights to the end of the run.
        weights = unsafe {
            if work.is_calm {
                run_calm(&mut sums, work, *run, weights)
            } else {
                run_any(&mut sums, work, *run, weights)
            }
        };
    }
    // SAFETY: the caller's promise.
    unsafe { finish(&sums, work) };
}

/// 64 x 4 products: one channel's 16 weights x four pixels.
macro_rules! products {
    ($weights:literal, [$p:literal, $q:literal, $r:literal, $s:literal], [$a:literal, $b:literal, $c:literal, $d:literal]) => {
        concat!(
            "smull v28.8h, v",
            $p,
            ".8b, v",
            $weights,
            ".8b\n",
            "smull v29.8h, v",
            $q,
            ".8b, v",
            $weights,
            ".8b\n",
            "smull v30.8h, v",
            $r,
            ".8b, v",
            $weights,
            ".8b\n",
            "smull v31.8h, v",
            $s,
            ".8b, v",
            $weights,
            ".8b\n",
            "smlal2 v28.8h, v",
            $p,
            ".16b, v",
            $weights,
            ".16b\n",
            "smlal2 v29.8h, v",
            $q,
            ".16b, v",
            $weights,
            ".16b\n",
            "smlal2 v30.8h, v",
            $r,
            ".16b, v",
            $weights,
            ".16b\n",
            "smlal2 v31.8h, v",
            $s,
            ".16b, v",
            $weights,
            ".16b\n",
            "sadalp v",
            $a,
            ".4s, v28.8h\n",
            "sadalp v",
            $b,
            ".4s, v29.8h\n",
            "sadalp v",
            $c,
            ".4s, v30.8h\n",
            "sadalp v",
            $d,
            ".4s, v31.8h\n",
        )
    };
}

/// One step: 16 bytes of four pixels, in the registers named, x four channels. Sums are v0 to v15, pixel by pixel.
macro_rules! step {
    ($p:literal, $q:literal, $r:literal, $s:literal) => {
        concat!(
            "ldp q24, q25, [{weights}], #32\n",
            "ldp q26, q27, [{weights}], #32\n",
            products!("24", [$p, $q, $r, $s], ["0", "4", "8", "12"]),
            products!("25", [$p, $q, $r, $s], ["1", "5", "9", "13"]),
            products!("26", [$p, $q, $r, $s], ["2", "6", "10", "14"]),
            products!("27", [$p, $q, $r, $s], ["3", "7", "11", "15"]),
        )
    };
}

/// 128 x 4 products: one channel's 16 weights of two steps x four pixels, all in 16 bits.
macro_rules! calm_products {
    ($first:literal, $second:literal, [$a:literal, $b:literal, $c:literal, $d:literal]) => {
        concat!(
            "smull v28.8h, v16.8b, v",
            $first,
            ".8b\n",
            "smull v29.8h, v17.8b, v",
            $first,
            ".8b\n",
            "smull v30.8h, v18.8b, v",
            $first,
            ".8b\n",
            "smull v31.8h, v19.8b, v",
            $first,
            ".8b\n",
            "smlal2 v28.8h, v16.16b, v",
            $first,
            ".16b\n",
            "smlal2 v29.8h, v17.16b, v",
            $first,
            ".16b\n",
            "smlal2 v30.8h, v18.16b, v",
            $first,
            ".16b\n",
            "smlal2 v31.8h, v19.16b, v",
            $first,
            ".16b\n",
            "smlal v28.8h, v20.8b, v",
            $second,
            ".8b\n",
            "smlal v29.8h, v21.8b, v",
            $second,
            ".8b\n",
            "smlal v30.8h, v22.8b, v",
            $second,
            ".8b\n",
            "smlal v31.8h, v23.8b, v",
            $second,
            ".8b\n",
            "smlal2 v28.8h, v20.16b, v",
            $second,
            ".16b\n",
            "smlal2 v29.8h, v21.16b, v",
            $second,
            ".16b\n",
            "smlal2 v30.8h, v22.16b, v",
            $second,
            ".16b\n",
            "smlal2 v31.8h, v23.16b, v",
            $second,
            ".16b\n",
            "sadalp v",
            $a,
            ".4s, v28.8h\n",
            "sadalp v",
            $b,
            ".4s, v29.8h\n",
            "sadalp v",
            $c,
            ".4s, v30.8h\n",
            "sadalp v",
            $d,
            ".4s, v31.8h\n",
        )
    };
}

/// Two steps with weights of any size.
macro_rules! any_pair {
    () => {
        concat!(step!("16", "17", "18", "19"), step!("20", "21", "22", "23"))
    };
}

/// Two steps with calm weights; those of the second step lie 64 bytes behind those of the first.
macro_rules! calm_pair {
    () => {
        concat!(
            "ldp q24, q25, [{weights}], #32\n",
            "ldp q26, q27, [{weights}, #32]\n",
            calm_products!("24", "26", ["0", "4", "8", "12"]),
            calm_products!("25", "27", ["1", "5", "9", "13"]),
            "ldp q24, q25, [{weights}], #96\n",
            "ldp q26, q27, [{weights}, #-32]\n",
            calm_products!("24", "26", ["2", "6", "10", "14"]),
            calm_products!("25", "27", ["3", "7", "11", "15"]),
        )
    };
}

/// One run for four pixels x four channels.
macro_rules! run {
    ($name:ident, $pair:ident) => {
        /// One run for four pixels x four channels; where the next run's weights begin.
        ///
        /// # Safety
        /// Every step's 16 bytes of each pixel can be read, and the run's weights.
        #[inline]
        #[target_feature(enable = "neon")]
        unsafe fn $name(
            sums: &mut [[int32x4_t; GROUP]; PIXELS],
            work: &Rectangle<'_>,
            run: usize,
            mut weights: *const u8,
        ) -> *const u8 {
            let pixel = |p: usize| work.input.wrapping_add(run + p * work.pixel_stride_bytes);
            // SAFETY: reads what the caller promises and nothing else; every register that it writes is named.
            unsafe {
                asm!(
                    "subs {pairs}, {pairs}, #1",
                    "b.lo 3f",
                    "2:",
                    "ldp q16, q20, [{a}], #32",
                    "ldp q17, q21, [{b}], #32",
                    "ldp q18, q22, [{c}], #32",
                    "ldp q19, q23, [{d}], #32",
                    $pair!(),
                    "subs {pairs}, {pairs}, #1",
                    "b.hs 2b",
                    "3:",
                    "cbz {rest}, 4f",
                    "ldr q16, [{a}]",
                    "ldr q17, [{b}]",
                    "ldr q18, [{c}]",
                    "ldr q19, [{d}]",
                    step!("16", "17", "18", "19"),
                    "4:",
                    pairs = inout(reg) work.run_steps / 2 => _,
                    rest = in(reg) work.run_steps % 2,
                    weights = inout(reg) weights,
                    a = inout(reg) pixel(0) => _,
                    b = inout(reg) pixel(1) => _,
                    c = inout(reg) pixel(2) => _,
                    d = inout(reg) pixel(3) => _,
                    inout("v0") sums[0][0], inout("v1") sums[0][1],
                    inout("v2") sums[0][2], inout("v3") sums[0][3],
                    inout("v4") sums[1][0], inout("v5") sums[1][1],
                    inout("v6") sums[1][2], inout("v7") sums[1][3],
                    inout("v8") sums[2][0], inout("v9") sums[2][1],
                    inout("v10") sums[2][2], inout("v11") sums[2][3],
                    inout("v12") sums[3][0], inout("v13") sums[3][1],
                    inout("v14") sums[3][2], inout("v15") sums[3][3],
                    out("v16") _, out("v17") _, out("v18") _, out("v19") _,
                    out("v20") _, out("v21") _, out("v22") _, out("v23") _,
                    out("v24") _, out("v25") _, out("v26") _, out("v27") _,
                    out("v28") _, out("v29") _, out("v30") _, out("v31") _,
                    options(readonly, nostack),
                );
            }
            weights
        }
    };
}

run!(run_any, any_pair);
run!(run_calm, calm_pair);

/// # Safety
/// As [`crate::kernel::Micro`].
#[target_feature(enable = "neon")]
unsafe fn one_pixel(work: &Rectangle<'_>) {
    let mut sums = [vdupq_n_s32(0); GROUP];
    let mut weights = work.weights.cast::<i8>();
    for run in work.runs {
        let mut input = work.input.wrapping_add(*run).cast::<i8>();
        for _ in 0..work.run_steps {
            // SAFETY: the step's 16 bytes can be read, and 16 weights of each channel.
            let (pixel, channels): (int8x16_t, [int8x16_t; GROUP]) = unsafe {
                let channel = |c| vld1q_s8(weights.wrapping_add(c * STEP_BYTES));
                (vld1q_s8(input), core::array::from_fn(channel))
            };
            for (sum, weights) in sums.iter_mut().zip(&channels) {
                let first = vmull_s8(vget_low_s8(pixel), vget_low_s8(*weights));
                *sum = vpadalq_s16(*sum, vmlal_high_s8(first, pixel, *weights));
            }
            input = input.wrapping_add(STEP_BYTES);
            weights = weights.wrapping_add(GROUP * STEP_BYTES);
        }
    }
    // SAFETY: the caller's promise.
    unsafe { finish(&[sums], work) };
}

/// Adds up the four sums of each pixel and channel, then stores bytes.
///
/// # Safety
/// As [`requantize::store`].
#[inline]
#[target_feature(enable = "neon")]
unsafe fn finish<const P: usize>(sums: &[[int32x4_t; GROUP]; P], work: &Rectangle<'_>) {
    // SAFETY: `bias` holds 4 numbers.
    let bias = unsafe { vld1q_s32(work.bias) };
    let sums = sums.map(|[a, b, c, d]| {
        let across = vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d));
        [vaddq_s32(across, bias)]
    });
    // SAFETY: the caller's promise.
    unsafe { requantize::store(&sums, work) };
}
