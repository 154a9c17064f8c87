//! The processors that programs are built for.

/// A processor, as `--target` calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Target {
    /// Pi 3, 4, 5 and Zero 2 W with a 64-bit system.
    Aarch64,
    /// The same with a 32-bit system, and the Pi 2.
    Armv7,
    /// Pi Zero W and Pi 1, in the containers of `cross` only.
    Armv6,
    /// This machine.
    Host,
}

impl Target {
    /// As the compiler calls it.
    pub(crate) fn triple(self) -> &'static str {
        match self {
            Self::Aarch64 => crate::aarch64::cross::TARGET,
            Self::Armv7 => "armv7-unknown-linux-gnueabihf",
            Self::Armv6 => "arm-unknown-linux-gnueabihf",
            Self::Host => match std::env::consts::ARCH {
                "aarch64" => crate::aarch64::cross::TARGET,
                _ => "x86_64-unknown-linux-gnu",
            },
        }
    }
}
