//! Chains of int8 convolutions, exact to the bit on every machine.
//!
//! A small network of plain convolutions spends its time in one loop: multiply bytes, add up in 32 bits, scale back
//! to a byte. This crate is that loop, for the processors that traps and servers have, and nothing else. It is also
//! the one crate of the house that may write `unsafe`: vector instructions and raw rows stay behind a safe [`Chain`].
//!
//! ```text
//! spec      what a convolution is: weights, zero points, scales           checked once, in words
//! reference plain loops over the spec: the definition of right            tests hold everything else against it
//! choose    which instruction set runs                                    found at run time, or asked for
//! pack      weights in the order in which a kernel reads them             once per model
//! map       a feature map in memory: pixels in rows, a border around them
//! run       the chain: two maps that take turns, planned once             no allocation per tile, no branch per tap
//! kernel    the contract between `run` and the micro-kernels below it
//! portable, x86/*, neon/*   a few output pixels x a few output channels, by instruction set
//! ```
//!
//! # The arithmetic
//!
//! Inputs are bytes with a zero point, weights whole numbers from -127 to 127. Products are added exactly in 32 bits
//! (the spec refuses layers that could overflow). The sum goes to `f32` (nearest, ties to even), is multiplied by one
//! `f32` per output channel, rounded (ties to even), moved by the output's zero point and cut to 0..=255. That is what
//! `QLinearConv` of ONNX says, without fused multiply-add and without estimates, so every path gives the same bytes.
//! A ReLU is an output zero point of 0.
//!
//! # Why a border
//!
//! A feature map is stored as rows of pixels, the channels of a pixel side by side, with a border as wide as the next
//! layer's padding, filled with the zero point. So the taps of a kernel row are one run of bytes and the inner loop has
//! no edges to think of.
#![deny(unsafe_op_in_unsafe_fn)]
#![expect(
    unsafe_code,
    reason = "vector instructions; this crate is the one place for them"
)]

mod choose;
mod kernel;
mod lines;
mod map;
mod pack;
mod portable;
pub mod reference;
mod run;
pub mod spec;

#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use choose::Path;
pub use run::{Buffers, Chain, Pixels};
pub use spec::{Convolution, Network, SpecError};
