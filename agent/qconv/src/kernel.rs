//! The contract between [`crate::run`] and the micro-kernels below it.
//!
//! A micro-kernel computes a small rectangle of the answer: [`Kernel::pixels`] output pixels side by side (or one) x
//! [`Width::channels`] output channels, all taps included, and stores it as bytes. Everything else (rows, tails,
//! borders, zero points) is the driver's work.
//!
//! ```text
//! for each run r                       one kernel row of taps (dilation 1), or one tap
//!   for each step s of the run         `step_bytes` bytes of input per pixel
//!     for each pixel p                 x = input + p * pixel_stride + runs[r] + s * step_bytes
//!       for each channel c             acc[p][c] += dot(x[..step], weights[r][s][c][..step])
//! for each p, c                        output + p * output_stride + c * element_bytes  =  requantized acc[p][c] + bias[c]
//! ```
//!
//! # How activations are stored
//!
//! An input byte `x` is stored in one of three [`Form`]s, the same for all maps of a chain, so that a kernel finds what
//! its instructions multiply: `Unsigned` (a byte), `Signed` (`x - 128` in an `i8`), `Wide` (`x` in an `i16`). The driver
//! has already moved the difference, and the input's zero point, into `bias`; a kernel multiplies what it finds.
//!
//! # Requantization
//!
//! `v = (acc + bias) as f32` (nearest, ties to even) `* multiplier[c]`; cut to `lowest..=highest`; rounded, ties to even;
//! `+ zero`; stored as one element. `lowest`, `highest` and `zero` are in the stored form's numbers: for `Signed`, `zero`
//! is the output's zero point - 128. No fused multiply-add, no other order: the bytes must equal the reference.
//! Cutting before rounding is the same as after it (the limits are whole numbers) and keeps the conversion in range.
//!
//! # What a kernel may read and write
//!
//! Reads past the end of a run are allowed up to [`SLACK_BYTES`]: the weights there are zero for the rest of a step,
//! the buffer is longer by that much. Writes are not: only `channels` elements of each of the pixels.

/// Readable bytes behind the last one that a run needs, in every map and in the packed weights.
pub(crate) const SLACK_BYTES: usize = 64;

/// How an activation is stored; see above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    #[cfg_attr(
        not(target_arch = "x86_64"),
        expect(dead_code, reason = "what VNNI multiplies")
    )]
    Unsigned,
    #[cfg_attr(
        not(target_arch = "aarch64"),
        expect(dead_code, reason = "what NEON multiplies")
    )]
    Signed,
    Wide,
}

impl Form {
    pub(crate) const fn element_bytes(self) -> usize {
        match self {
            Self::Unsigned | Self::Signed => 1,
            Self::Wide => 2,
        }
    }

    /// What is taken off a byte before it is stored.
    pub(crate) const fn offset(self) -> i32 {
        match self {
            Self::Signed => 128,
            Self::Unsigned | Self::Wide => 0,
        }
    }
}

/// A family of micro-kernels for one instruction set.
pub(crate) struct Kernel {
    pub(crate) form: Form,
    /// Output pixels of [`Width::many`].
    pub(crate) pixels: usize,
    /// Bytes of input per pixel and step; 4 for most. Runs are rounded up to whole steps with zero weights.
    pub(crate) step_bytes: usize,
    /// By channels, widest first; at least one. The driver covers a layer's channels with the widest, and what remains
    /// with the narrowest that holds it.
    pub(crate) widths: &'static [Width],
}

/// The micro-kernels for one number of output channels.
pub(crate) struct Width {
    pub(crate) channels: usize,
    /// [`Kernel::pixels`] pixels.
    pub(crate) many: Micro,
    /// One pixel.
    pub(crate) one: Micro,
}

/// Computes one rectangle.
///
/// # Safety
/// The processor has the kernel's instructions, and `Rectangle` keeps the promises of its fields.
pub(crate) type Micro = unsafe fn(&Rectangle<'_>);

/// The work of one call.
pub(crate) struct Rectangle<'a> {
    /// The first tap of the first output pixel. All `pixels x runs x run_steps x step_bytes` bytes named by the fields
    /// below, and [`SLACK_BYTES`] more, can be read.
    pub(crate) input: *const u8,
    /// From the first tap of one output pixel to that of the next.
    pub(crate) pixel_stride_bytes: usize,
    /// Where each run begins, from `input`.
    pub(crate) runs: &'a [usize],
    /// Steps of each run, at least 1.
    pub(crate) run_steps: usize,
    /// `runs x run_steps x Width::channels x step_bytes` bytes, in that order, on a border of 64 bytes: `i8` for `Unsigned`
    /// and `Signed`, `i16` for `Wide`.
    pub(crate) weights: *const u8,
    /// Four products of neighbouring vectors of weights fit in 16 bits, see [`crate::pack::is_calm`].
    #[cfg_attr(
        not(target_arch = "aarch64"),
        expect(dead_code, reason = "what NEON asks without a dot product")
    )]
    pub(crate) is_calm: bool,
    /// [`Width::channels`] each, on a border of 64 bytes.
    pub(crate) bias: *const i32,
    pub(crate) multipliers: *const f32,
    pub(crate) lowest: f32,
    pub(crate) highest: f32,
    pub(crate) zero: i32,
    /// The first channel of the first pixel of the answer; all that is named below can be written.
    pub(crate) output: *mut u8,
    pub(crate) output_stride_bytes: usize,
    /// How many of the [`Width::channels`] are stored, at least 1.
    pub(crate) channels: usize,
}
