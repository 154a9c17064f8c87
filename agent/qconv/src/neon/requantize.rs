//! From sums to the bytes that stand for them, four channels at a time.

use core::arch::aarch64::{
    float32x4_t, int32x4_t, vaddq_s32, vcombine_s16, vcvtnq_s32_f32, vcvtq_f32_s32, vdup_n_s16,
    vdupq_n_f32, vdupq_n_s32, vget_lane_s32, vld1q_f32, vmaxq_f32, vminq_f32, vmovn_s16, vmovn_s32,
    vmulq_f32, vreinterpret_s32_s8, vst1_s8,
};

use crate::kernel::Rectangle;

/// Channels of a vector of sums.
pub(super) const GROUP: usize = 4;

/// The constants of one rectangle with G groups of channels.
struct Requantizer<const G: usize> {
    multipliers: [float32x4_t; G],
    lowest: float32x4_t,
    highest: float32x4_t,
    zero: int32x4_t,
}

/// Turns the sums (bias included) of P pixels x G groups into bytes and stores those that `work` asks for.
///
/// # Safety
/// `work` keeps the promises of its fields for a width of 4 x G channels and P pixels.
#[inline(always)]
pub(super) unsafe fn store<const P: usize, const G: usize>(
    sums: &[[int32x4_t; G]; P],
    work: &Rectangle<'_>,
) {
    // SAFETY: every 64-bit ARM of this target has NEON; `work` holds 4 x G multipliers.
    let requantizer = unsafe { Requantizer::<G>::new(work) };
    let mut output = work.output;
    for pixel in sums {
        // SAFETY: each pixel's stored channels can be written, and no others are.
        unsafe {
            requantizer.store_pixel(pixel, output, work.channels);
        }
        output = output.wrapping_add(work.output_stride_bytes);
    }
}

impl<const G: usize> Requantizer<G> {
    #[inline(always)]
    unsafe fn new(work: &Rectangle<'_>) -> Self {
        // SAFETY: as in `store`.
        unsafe {
            Self {
                multipliers: core::array::from_fn(|g| vld1q_f32(work.multipliers.add(g * GROUP))),
                lowest: vdupq_n_f32(work.lowest),
                highest: vdupq_n_f32(work.highest),
                zero: vdupq_n_s32(work.zero),
            }
        }
    }

    #[inline(always)]
    unsafe fn bytes(&self, sum: int32x4_t, multiplier: float32x4_t) -> int32x4_t {
        // SAFETY: every 64-bit ARM of this target has NEON.
        unsafe {
            let scaled = vmulq_f32(vcvtq_f32_s32(sum), multiplier);
            let cut = vminq_f32(vmaxq_f32(scaled, self.lowest), self.highest);
            vaddq_s32(vcvtnq_s32_f32(cut), self.zero)
        }
    }

    #[inline(always)]
    unsafe fn store_pixel(&self, sums: &[int32x4_t; G], output: *mut u8, channels: usize) {
        let mut groups = sums.iter().zip(&self.multipliers).enumerate();
        while let Some((group, (sum, multiplier))) = groups.next() {
            let first = group * GROUP;
            // SAFETY: `channels` bytes of `output` can be written: eight where eight are asked for, four or fewer else.
            unsafe {
                let low = vmovn_s32(self.bytes(*sum, *multiplier));
                if channels >= first + 2 * GROUP
                    && let Some((_, (sum, multiplier))) = groups.next()
                {
                    let high = vmovn_s32(self.bytes(*sum, *multiplier));
                    vst1_s8(output.add(first).cast(), vmovn_s16(vcombine_s16(low, high)));
                    continue;
                }
                let four = vmovn_s16(vcombine_s16(low, vdup_n_s16(0)));
                let four = vget_lane_s32::<0>(vreinterpret_s32_s8(four)).to_ne_bytes();
                let count = channels.saturating_sub(first).min(GROUP);
                if count == GROUP {
                    output.add(first).cast::<[u8; GROUP]>().write(four);
                } else {
                    output
                        .add(first)
                        .copy_from_nonoverlapping(four.as_ptr(), count);
                }
            }
        }
    }
}
