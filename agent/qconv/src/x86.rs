//! Micro-kernels for x86-64, and whether this processor can run them.

use crate::choose::Path;
use crate::kernel::Kernel;

mod avx2;
mod avx_vnni;
mod store256;

pub(crate) fn kernel(path: Path) -> Option<&'static Kernel> {
    let has_avx2 = is_x86_feature_detected!("avx2");
    match path {
        Path::Avx2 if has_avx2 => Some(&avx2::KERNEL),
        Path::AvxVnni if has_avx2 && is_x86_feature_detected!("avxvnni") => Some(&avx_vnni::KERNEL),
        Path::Avx2
        | Path::AvxVnni
        | Path::Avx512Vnni
        | Path::Portable
        | Path::NeonSmull
        | Path::NeonSdot => None,
    }
}
