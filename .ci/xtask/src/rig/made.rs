//! What does not change with our own code: emulator, kernel, modules and the guest's programs, made once for each
//! kernel and each recipe.

use super::modules::Sources;
use crate::packages::Packages;
use crate::{process, say};
use anyhow::Result;
use sha2::{Digest as _, Sha256};
use std::path::Path;
use std::process::Command;

const FEED: &str = include_str!("guest/feed.c");
/// Everything that decides what is made; when it changes all is made anew.
const RECIPE: [&str; 4] = [
    include_str!("../packages.rs"),
    include_str!("modules.rs"),
    include_str!("made.rs"),
    FEED,
];
/// Where the libraries above come from, and what else the guest runs.
const GUEST_PACKAGES: [&str; 13] = [
    "busybox-static:arm64",
    "iproute2:arm64",
    "libc6:arm64",
    "libgcc-s1:arm64",
    "libbpf1:arm64",
    "libelf1:arm64",
    "libmnl0:arm64",
    "libbsd0:arm64",
    "libmd0:arm64",
    "libcap2:arm64",
    "libxtables12:arm64",
    "zlib1g:arm64",
    "ca-certificates",
];
/// Settings of the modules that the guest loads.
const MODULE_OPTIONS: [(&str, &str); 1] = [(
    "v4l2loopback.ko",
    "devices=1 video_nr=0 exclusive_caps=1 max_buffers=2 card_label=Rig_camera",
)];
/// Unpacks and compiles what does not change with our own code.
pub(super) fn make(folder: &Path, debs: &Path, release: &str, version: &str) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    let packages = Packages::kept_in(debs)?;
    packages.programs(&["qemu-system-arm"], &folder.join("tools"))?;
    let guest = folder.join("guest");
    packages.alone(&[&format!("linux-image-{release}:arm64")], &guest)?;
    packages.alone(&GUEST_PACKAGES, &guest)?;
    let base = release.trim_end_matches("-arm64");
    let sources = folder.join("sources");
    let named = [
        format!("linux-headers-{release}:arm64"),
        format!("linux-headers-{base}-common"),
        format!("linux-kbuild-{base}"),
        format!("linux-source-6.12={version}"),
        "v4l2loopback-dkms".to_owned(),
    ];
    packages.alone(&named.each_ref().map(String::as_str), &sources)?;
    say::line("compiling i2c-virtio, gpio-sim and v4l2loopback, which Debian's kernel has not");
    let from = Sources {
        unpacked: &sources,
        release,
        tools_release: base,
    };
    let compiled = from.compile(&folder.join("work"))?;
    let from = Sources {
        unpacked: &guest,
        release,
        tools_release: base,
    };
    let order = from.gather(&compiled, &folder.join("modules"))?;
    let options = |file: &str| MODULE_OPTIONS.iter().find(|(name, _)| *name == file);
    let lines = order.iter().map(|file| match options(file) {
        Some((_, options)) => format!("{file} {options}\n"),
        None => format!("{file}\n"),
    });
    std::fs::write(folder.join("modules/order"), lines.collect::<String>())?;
    // 1.5 GB that nothing needs any more.
    std::fs::remove_dir_all(&sources)?;
    let mut compiler = Command::new("aarch64-linux-gnu-gcc");
    let feed = folder.join("feed.c");
    std::fs::write(&feed, FEED)?;
    compiler
        .args(["-O2", "-static", "-o"])
        .arg(folder.join("feed"))
        .arg(&feed);
    process::run(&mut compiler)
}

/// A short name for the recipe.
pub(super) fn recipe() -> String {
    let mut all = Sha256::new();
    for text in RECIPE {
        all.update(text);
    }
    all.finalize()
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
