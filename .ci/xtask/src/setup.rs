//! What the commands need on a machine beside Rust and Node, installed by
//! package name and said aloud: what, and why.

use crate::{process, say};
use anyhow::{Context as _, Result, bail};
use std::path::Path;
use std::process::Command;

/// Node and npm, which build the web app.
pub(crate) fn need_node() -> Result<()> {
    let version = process::output(Command::new("node").arg("--version"))
        .context("the web app is built with Node 20 or newer; install Node and npm first")?;
    let major: u32 = version
        .trim()
        .trim_start_matches('v')
        .split('.')
        .next()
        .unwrap_or("0")
        .parse()?;
    if major < 20 {
        bail!(
            "the web app needs Node 20 or newer; this machine has {}",
            version.trim()
        );
    }
    Ok(())
}

/// A C compiler, with which SQLite is built into the binaries.
pub(crate) fn need_c_compiler() -> Result<()> {
    if found("cc") {
        return Ok(());
    }
    install(
        &["build-essential"],
        "SQLite and the TLS library are built from C sources",
    )
}

/// Debian's Chromium, in which the web app is tested.
pub(crate) fn need_chromium() -> Result<()> {
    if Path::new("/usr/bin/chromium").exists() {
        return Ok(());
    }
    install(
        &["chromium"],
        "the web app is tested in a real, headless browser",
    )
}

/// Python's venv, in which the foreign upload client is installed for its test.
pub(crate) fn need_python_venv() -> Result<()> {
    let works = Command::new("python3")
        .args(["-c", "import venv, ensurepip"])
        .output();
    if works.is_ok_and(|output| output.status.success()) {
        return Ok(());
    }
    install(
        &["python3", "python3-venv"],
        "a foreign upload client in Python talks to the server in a test",
    )
}

/// Debian's Rust with a standard library for arm64, the cross linker, and an emulator that loads plugins.
///
/// Where rustup's own compiler has the target already, the linker and the emulator are enough, but both compilers
/// do no harm beside each other: `aarch64::cross` takes the first that can.
pub(crate) fn need_cross(has_compiler: bool) -> Result<()> {
    let mut packages = Vec::new();
    if !has_compiler {
        packages.extend(["rustc-web", "cargo-web", "libstd-rust-web-dev:arm64"]);
    }
    if !found("aarch64-linux-gnu-gcc") {
        packages.extend(["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"]);
    }
    // The programs under the emulator find their C library where Debian's multiarch puts it.
    if !found("qemu-aarch64") || !Path::new("/lib/ld-linux-aarch64.so.1").exists() {
        packages.extend(["qemu-user", "libc6:arm64", "libgcc-s1:arm64"]);
    }
    if packages.is_empty() {
        return Ok(());
    }
    if found("dpkg") {
        privileged("dpkg", &["--add-architecture", "arm64"])?;
    }
    install(
        &packages,
        "the kernels of the Pi are built, tested and counted under emulation",
    )
}

/// All that building the agent takes, for this machine and for a Pi.
pub(crate) fn run() -> Result<()> {
    need_c_compiler()?;
    need_bindings()?;
    crate::aarch64::cross::ready()?;
    need_rig()?;
    say::line(
        "ready; on this machine `cargo build -p trapline-agent --features pi` builds the agent with all its devices",
    );
    say::line(&format!(
        "and for a Pi `{}` does",
        crate::aarch64::cross::by_hand()
    ));
    Ok(())
}

/// What unpacks and compiles the parts of the emulated machine; the parts themselves are never installed.
pub(crate) fn need_rig() -> Result<()> {
    need_c_compiler()?;
    let mut packages = Vec::new();
    for (program, package) in [("make", "make"), ("xz", "xz-utils")] {
        if !found(program) {
            packages.push(package);
        }
    }
    if !packages.is_empty() {
        install(
            &packages,
            "modules of the emulated trap's kernel are built from Debian's sources",
        )?;
    }
    if !found("apt-get") {
        bail!("the emulated trap is made of Debian's packages, and this machine has no apt-get");
    }
    // Lists that were fetched before arm64 was added do not name its packages.
    let known = process::output(Command::new("apt-cache").args(["policy", "busybox-static:arm64"]));
    if known.is_ok_and(|text| text.contains("Candidate:")) {
        return Ok(());
    }
    say::line("fetching the lists of Debian's arm64 packages: an emulated trap is made of them");
    privileged("dpkg", &["--add-architecture", "arm64"])?;
    apt(&["update", "-qq"])
}

/// What puts an image together: Debian in a namespace of its own, where the emulator runs what is for arm64.
pub(crate) fn need_image() -> Result<()> {
    need_rig()?;
    let mut packages = Vec::new();
    for (program, package) in [
        ("mmdebstrap", "mmdebstrap"),
        ("newuidmap", "uidmap"),
        ("arch-test", "arch-test"),
        ("xz", "xz-utils"),
    ] {
        if !found(program) {
            packages.push(package);
        }
    }
    let is_arm64 = cfg!(target_arch = "aarch64");
    if !is_arm64 && !Path::new("/usr/lib/binfmt.d/qemu-aarch64.conf").exists() {
        packages.push("qemu-user-static");
    }
    if !packages.is_empty() {
        install(
            &packages,
            "images are made of Debian's packages, in a user namespace",
        )?;
    }
    let user = process::output(Command::new("id").arg("-un"))?;
    let ids = std::fs::read_to_string("/etc/subuid").unwrap_or_default();
    if ids
        .lines()
        .any(|line| line.starts_with(&format!("{}:", user.trim())))
    {
        return Ok(());
    }
    say::line(
        "giving this user a range of subordinate ids (/etc/subuid, /etc/subgid), for files of other owners",
    );
    let range = "100000-165535";
    privileged(
        "usermod",
        &["--add-subuids", range, "--add-subgids", range, user.trim()],
    )
}

/// The library that reads C headers for the camera's bindings, and the headers of the Pi's C library.
pub(crate) fn need_bindings() -> Result<()> {
    // `libclang-cpp` is another library.
    let is_it = |name: &str| {
        let rest = name.strip_prefix("libclang");
        rest.and_then(|rest| rest.strip_prefix(['.', '-']))
            .is_some_and(|rest| !rest.starts_with("cpp"))
    };
    let places = ["/usr/lib/llvm*/lib", "/usr/lib/*-linux-gnu"].join(" ");
    let listed = process::output(Command::new("sh").args(["-c", &format!("ls {places}; true")]));
    if listed.is_ok_and(|names| names.lines().any(is_it)) {
        return Ok(());
    }
    install(
        &["libclang-dev"],
        "the bindings of the camera are made from the kernel's C headers",
    )
}

/// Debian's cross linker for 32-bit Pis, and the standard library's sources where no built one is at hand.
pub(crate) fn need_armv7(has_library: bool) -> Result<()> {
    let mut packages = Vec::new();
    if !found("arm-linux-gnueabihf-gcc") {
        packages.extend(["gcc-arm-linux-gnueabihf", "libc6-dev-armhf-cross"]);
    }
    if !has_library && !Path::new("/usr/bin/cargo").exists() {
        packages.extend(["rustc-web", "cargo-web"]);
    }
    if !has_library && !Path::new("/usr/lib/rustlib/src/rust/library").exists() {
        packages.push("rust-web-src");
    }
    if packages.is_empty() {
        return Ok(());
    }
    install(&packages, "programs for 32-bit Pis are built with them")
}

/// What reads a program's own tables.
pub(crate) fn need_readelf() -> Result<()> {
    if found("readelf") {
        return Ok(());
    }
    install(
        &["binutils"],
        "what a program asks of a system is read from its tables",
    )
}

/// What packs Debian packages.
pub(crate) fn need_packager() -> Result<()> {
    if found("dpkg-deb") {
        return Ok(());
    }
    install(&["dpkg"], "packages are packed by Debian's own tool")
}

/// rsync, which is measured beside our own way over a bad link.
pub(crate) fn need_rsync() -> Result<()> {
    if found("rsync") {
        return Ok(());
    }
    install(
        &["rsync"],
        "it is measured beside our own way over a bad link",
    )
}

/// Debian's judge of packages.
pub(crate) fn need_lintian() -> Result<()> {
    if found("lintian") {
        return Ok(());
    }
    install(&["lintian"], "packages are held against Debian's rules")
}

fn install(packages: &[&str], why: &str) -> Result<()> {
    say::line(&format!(
        "installing {} from Debian's packages: {why}",
        packages.join(", ")
    ));
    if !found("apt-get") {
        bail!(
            "no apt-get here: install {} by hand and run this again",
            packages.join(", ")
        );
    }
    apt(&["update", "-qq"])?;
    let mut words = vec!["install", "-y", "-qq", "--no-install-recommends"];
    words.extend(packages);
    apt(&words)
}

fn apt(words: &[&str]) -> Result<()> {
    privileged("apt-get", words)
}

fn privileged(program: &str, words: &[&str]) -> Result<()> {
    let root = process::output(Command::new("id").arg("-u"))?.trim() == "0";
    let mut command = if root {
        Command::new(program)
    } else {
        Command::new("sudo")
    };
    if !root {
        command.arg(program);
    }
    command
        .args(words)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdout(std::process::Stdio::null());
    process::run(&mut command)
}

pub(crate) fn found(program: &str) -> bool {
    Command::new("sh")
        .args(["-c", &format!("command -v {program}")])
        .output()
        .is_ok_and(|output| output.status.success())
}
