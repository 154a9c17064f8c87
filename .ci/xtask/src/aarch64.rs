//! The Pi's processor on a desk: cross compiler, emulator, and a count of the instructions that a program runs.
//!
//! Everything comes from Debian by package name: a Rust compiler whose standard library exists for arm64 as well,
//! the GNU cross linker, and `qemu-user`, whose dynamically linked binary loads plugins. `.cargo/config.toml` names
//! linker and runner, so `cargo test --target aarch64-unknown-linux-gnu` works by hand too.
//!
//! What emulation cannot show: time. The emulator knows no cycles, no caches, no memory, no dual issue; a count of
//! instructions is exact and repeatable, and that is all it is. Floating point is emulated in software, so only the
//! counts of float networks mean something, never their speed here.

pub(crate) mod count;
pub(crate) mod cross;
