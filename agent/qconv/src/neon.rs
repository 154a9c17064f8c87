//! Micro-kernels for 64-bit ARM, and whether this processor can run them.

use crate::choose::Path;
use crate::kernel::Kernel;

pub(crate) fn kernel(_path: Path) -> Option<&'static Kernel> {
    None
}
