//! Micro-kernels for 64-bit ARM, and whether this processor can run them.
//!
//! ```text
//! smull         every 64-bit ARM: byte products in 16 bits, two added there, then pairs added into 32
//! sdot          ARMv8.2 with the dot product: four byte products per lane, added into 32 bits at once
//! requantize    from sums to stored bytes, shared
//! ```
//!
//! Both multiply signed bytes, so activations are stored as `x - 128`.

use crate::choose::Path;
use crate::kernel::Kernel;

mod requantize;
mod sdot;
mod smull;

pub(crate) fn kernel(path: Path) -> Option<&'static Kernel> {
    match path {
        Path::NeonSdot if std::arch::is_aarch64_feature_detected!("dotprod") => Some(&sdot::KERNEL),
        Path::NeonSmull if std::arch::is_aarch64_feature_detected!("neon") => Some(&smull::KERNEL),
        Path::NeonSdot
        | Path::NeonSmull
        | Path::Portable
        | Path::Avx2
        | Path::AvxVnni
        | Path::Avx512Vnni => None,
    }
}
