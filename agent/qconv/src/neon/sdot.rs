//! Four byte products per lane and instruction: the dot product of ARMv8.2, as the Pi 5 has it.
//!
//! A vector of weights holds four channels x four bytes of the run; one lane of the input holds the same four bytes of
//! one pixel. Four pixels x 24 channels are 24 vectors of sums, which leaves eight registers for what is multiplied:
//! 16 bytes of each pixel stay in four of them while the weights of four steps stream through the others. That is all
//! 32 registers, so this loop is written out; a compiler moves loads ahead of their use and spills. Fewer channels
//! (the heads, and what 24 leaves) have registers to spare and are plain Rust.

use core::arch::aarch64::{int8x16_t, int32x4_t, vld1q_s8, vld1q_s32};
use core::arch::asm;

use super::requantize::{self, GROUP};
use crate::kernel::{Form, Kernel, Rectangle, Width};

const PIXELS: usize = 4;
/// Steps of 4 bytes in one vector of input.
const LANES: usize = 4;
/// Groups of channels of the widest rectangle.
const WIDEST: usize = 6;

pub(crate) static KERNEL: Kernel = Kernel {
    form: Form::Signed,
    pixels: PIXELS,
    step_bytes: 4,
    widths: &[
        Width {
            channels: WIDEST * GROUP,
            many: widest,
            one: narrow::<1, WIDEST>,
        },
        width::<4>(),
        width::<2>(),
        width::<1>(),
    ],
};

const fn width<const G: usize>() -> Width {
    Width {
        channels: G * GROUP,
        many: narrow::<PIXELS, G>,
        one: narrow::<1, G>,
    }
}

/// # Safety
/// As [`crate::kernel::Micro`], and the processor has the dot product.
#[target_feature(enable = "dotprod")]
unsafe fn widest(work: &Rectangle<'_>) {
    // SAFETY: `bias` holds 24 numbers.
    let mut sums = unsafe { biases::<PIXELS, WIDEST>(work) };
    let mut weights = work.weights;
    for run in work.runs {
        // SAFETY: inputs can be read to the end of the run and 64 bytes past it, weights to the end of the run.
        weights = unsafe { run_widest(&mut sums, work, *run, weights) };
    }
    // SAFETY: the caller's promise.
    unsafe { requantize::store(&sums, work) };
}

/// Sixteen products of one vector of weights: a group of channels x four pixels, at one lane of the pixels.
macro_rules! products {
    ($weights:literal, $lane:literal, $a:literal, $b:literal, $c:literal, $d:literal) => {
        concat!(
            "sdot v",
            $a,
            ".4s, v",
            $weights,
            ".16b, v24.4b[",
            $lane,
            "]\n",
            "sdot v",
            $b,
            ".4s, v",
            $weights,
            ".16b, v25.4b[",
            $lane,
            "]\n",
            "sdot v",
            $c,
            ".4s, v",
            $weights,
            ".16b, v26.4b[",
            $lane,
            "]\n",
            "sdot v",
            $d,
            ".4s, v",
            $weights,
            ".16b, v27.4b[",
            $lane,
            "]\n",
        )
    };
}

/// One step: 4 bytes of four pixels x 24 channels. Sums are v0 to v23, pixel by pixel.
macro_rules! step {
    ($lane:literal) => {
        concat!(
            "ldp q28, q29, [{weights}], #32\n",
            "ldp q30, q31, [{weights}], #32\n",
            products!("28", $lane, "0", "6", "12", "18"),
            products!("29", $lane, "1", "7", "13", "19"),
            "ldp q28, q29, [{weights}], #32\n",
            products!("30", $lane, "2", "8", "14", "20"),
            products!("31", $lane, "3", "9", "15", "21"),
            products!("28", $lane, "4", "10", "16", "22"),
            products!("29", $lane, "5", "11", "17", "23"),
        )
    };
}

/// One run for four pixels x 24 channels; where the next run's weights begin.
///
/// # Safety
/// 16 bytes of each pixel for every begun four steps of the run can be read, and the run's weights.
#[inline]
#[target_feature(enable = "dotprod")]
unsafe fn run_widest(
    sums: &mut [[int32x4_t; WIDEST]; PIXELS],
    work: &Rectangle<'_>,
    run: usize,
    mut weights: *const u8,
) -> *const u8 {
    let pixel = |p: usize| work.input.wrapping_add(run + p * work.pixel_stride_bytes);
    // SAFETY: reads what the caller promises and nothing else; every register that it writes is named.
    unsafe {
        asm!(
            "subs {whole}, {whole}, #1",
            "b.lo 3f",
            "2:",
            "ldr q24, [{a}], #16",
            "ldr q25, [{b}], #16",
            "ldr q26, [{c}], #16",
            "ldr q27, [{d}], #16",
            step!("0"),
            step!("1"),
            step!("2"),
            step!("3"),
            "subs {whole}, {whole}, #1",
            "b.hs 2b",
            "3:",
            "cbz {rest}, 4f",
            "ldr q24, [{a}]",
            "ldr q25, [{b}]",
            "ldr q26, [{c}]",
            "ldr q27, [{d}]",
            step!("0"),
            "cmp {rest}, #2",
            "b.lo 4f",
            step!("1"),
            "b.eq 4f",
            step!("2"),
            "4:",
            whole = inout(reg) work.run_steps / LANES => _,
            rest = in(reg) work.run_steps % LANES,
            weights = inout(reg) weights,
            a = inout(reg) pixel(0) => _,
            b = inout(reg) pixel(1) => _,
            c = inout(reg) pixel(2) => _,
            d = inout(reg) pixel(3) => _,
            inout("v0") sums[0][0], inout("v1") sums[0][1], inout("v2") sums[0][2],
            inout("v3") sums[0][3], inout("v4") sums[0][4], inout("v5") sums[0][5],
            inout("v6") sums[1][0], inout("v7") sums[1][1], inout("v8") sums[1][2],
            inout("v9") sums[1][3], inout("v10") sums[1][4], inout("v11") sums[1][5],
            inout("v12") sums[2][0], inout("v13") sums[2][1], inout("v14") sums[2][2],
            inout("v15") sums[2][3], inout("v16") sums[2][4], inout("v17") sums[2][5],
            inout("v18") sums[3][0], inout("v19") sums[3][1], inout("v20") sums[3][2],
            inout("v21") sums[3][3], inout("v22") sums[3][4], inout("v23") sums[3][5],
            out("v24") _, out("v25") _, out("v26") _, out("v27") _,
            out("v28") _, out("v29") _, out("v30") _, out("v31") _,
            options(readonly, nostack),
        );
    }
    weights
}

/// # Safety
/// As [`crate::kernel::Micro`], and the processor has the dot product.
#[target_feature(enable = "dotprod")]
unsafe fn narrow<const P: usize, const G: usize>(work: &Rectangle<'_>) {
    // SAFETY: `bias` holds 4 x G numbers.
    let mut sums = unsafe { biases::<P, G>(work) };
    let mut weights = work.weights.cast::<i8>();
    for run in work.runs {
        let mut input = work.input.wrapping_add(*run).cast::<i8>();
        for _ in 0..work.run_steps {
            // SAFETY: 16 bytes of each pixel can be read: the step's four and some of the 64 past the run.
            let pixels: [int8x16_t; P] = core::array::from_fn(|p| unsafe {
                vld1q_s8(input.wrapping_add(p * work.pixel_stride_bytes))
            });
            // SAFETY: G vectors of weights can be read.
            let vectors: [int8x16_t; G] =
                core::array::from_fn(|g| unsafe { vld1q_s8(weights.wrapping_add(g * 16)) });
            for (sums, pixel) in sums.iter_mut().zip(&pixels) {
                for (sum, vector) in sums.iter_mut().zip(&vectors) {
                    *sum = dot(*sum, *vector, *pixel);
                }
            }
            input = input.wrapping_add(4);
            weights = weights.wrapping_add(G * 16);
        }
    }
    // SAFETY: the caller's promise.
    unsafe { requantize::store(&sums, work) };
}

/// Adds the products of 4 x 4 weights with the first four bytes of `pixel`.
#[inline]
#[target_feature(enable = "dotprod")]
fn dot(mut sum: int32x4_t, weights: int8x16_t, pixel: int8x16_t) -> int32x4_t {
    // The intrinsic for this instruction is not stable yet.
    // SAFETY: registers in, registers out; the processor has the instruction.
    unsafe {
        asm!(
            "sdot {sum:v}.4s, {weights:v}.16b, {pixel:v}.4b[0]",
            sum = inout(vreg) sum,
            weights = in(vreg) weights,
            pixel = in(vreg) pixel,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sum
}

/// The sums of P pixels before the first product.
///
/// # Safety
/// `work` holds 4 x G biases.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn biases<const P: usize, const G: usize>(work: &Rectangle<'_>) -> [[int32x4_t; G]; P] {
    // SAFETY: the caller's promise.
    [core::array::from_fn(|g| unsafe { vld1q_s32(work.bias.wrapping_add(g * GROUP)) }); P]
}
