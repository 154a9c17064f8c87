//! Which instruction set runs: the fastest that this processor has, or the one that is asked for.

use std::fmt;

use crate::kernel::Kernel;
use crate::portable;

/// A way to run the same arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// Plain Rust, for every processor.
    Portable,
    /// x86 with 256-bit registers: pairs of 16-bit products.
    Avx2,
    /// x86 with four byte products per lane in 256-bit registers.
    AvxVnni,
    /// x86 with four byte products per lane in 512-bit registers.
    Avx512Vnni,
    /// Every 64-bit ARM: pairs of byte products (Raspberry Pi 3, 4, Zero 2 W).
    NeonSmull,
    /// 64-bit ARM with four byte products per lane (Raspberry Pi 5).
    NeonSdot,
}

impl Path {
    /// What this processor can run, fastest first; never empty.
    pub fn available() -> Vec<Self> {
        let all = [
            Self::Avx512Vnni,
            Self::AvxVnni,
            Self::Avx2,
            Self::NeonSdot,
            Self::NeonSmull,
            Self::Portable,
        ];
        all.into_iter()
            .filter(|path| path.kernel().is_some())
            .collect()
    }

    /// The fastest that this processor can run.
    pub fn best() -> Self {
        Self::available().first().copied().unwrap_or(Self::Portable)
    }

    /// As in `avx512-vnni`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::AvxVnni => "avx-vnni",
            Self::Avx512Vnni => "avx512-vnni",
            Self::NeonSmull => "neon",
            Self::NeonSdot => "neon-dotprod",
        }
    }

    /// Its kernels, where this processor has the instructions for them.
    pub(crate) fn kernel(self) -> Option<&'static Kernel> {
        match self {
            Self::Portable => Some(&portable::KERNEL),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 | Self::AvxVnni | Self::Avx512Vnni => crate::x86::kernel(self),
            #[cfg(target_arch = "aarch64")]
            Self::NeonSmull | Self::NeonSdot => crate::neon::kernel(self),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::AvxVnni | Self::Avx512Vnni => None,
            #[cfg(not(target_arch = "aarch64"))]
            Self::NeonSmull | Self::NeonSdot => None,
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}
