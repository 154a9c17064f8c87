//! Micro-kernels for x86-64, and whether this processor can run them.

use crate::choose::Path;
use crate::kernel::Kernel;

mod avx2;
mod avx512_vnni;
mod avx_vnni;
mod rectangle;
mod store256;

pub(crate) fn kernel(path: Path) -> Option<&'static Kernel> {
    let has_avx2 = is_x86_feature_detected!("avx2");
    let has_avx512 = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
    match path {
        Path::Avx2 => has_avx2.then_some(&avx2::KERNEL),
        Path::AvxVnni => {
            (has_avx2 && is_x86_feature_detected!("avxvnni")).then_some(&avx_vnni::KERNEL)
        }
        Path::Avx512Vnni => {
            (has_avx512 && is_x86_feature_detected!("avx512vnni")).then_some(&avx512_vnni::KERNEL)
        }
        Path::Portable | Path::NeonSmull | Path::NeonSdot => None,
    }
}
