//! What an emulated trap is made of, built once and kept under the target folder: emulator, kernel, modules, the
//! guest's files, the bus, and the agent as a Pi runs it.

use super::archive::Archive;
use super::{made, pictures};
use crate::aarch64::cross::{self, Cpu, TARGET};
use crate::build::{self, Cast, Profile, Programs};
use crate::{packages, process, say, setup};
use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};
use std::time::Instant;

const INIT: &str = include_str!("guest/init");
const GREETING: &str = include_str!("guest/motd");
const LIBRARIES: [&str; 12] = [
    "ld-linux-aarch64.so.1",
    "libc.so.6",
    "libm.so.6",
    "libgcc_s.so.1",
    "libbpf.so.1",
    "libelf.so.1",
    "libmnl.so.0",
    "libbsd.so.0",
    "libmd.so.0",
    "libcap.so.2",
    "libxtables.so.12",
    "libz.so.1",
];

/// Everything that a machine is started from.
pub(super) struct Parts {
    /// The folder of this recipe.
    pub(super) folder: PathBuf,
    /// Root of the unpacked emulator.
    pub(super) tools: PathBuf,
    pub(super) kernel: PathBuf,
    pub(super) initrd: PathBuf,
    /// The program that plays the bus.
    pub(super) bus: PathBuf,
    /// The desk's own programs: the server, above all.
    pub(super) programs: Programs,
    /// Width and height of the pictures that the camera is shown.
    pub(super) picture_px: (u32, u32),
}

/// Finds or makes all parts; `built` names the programs that were built already.
pub(super) fn ready(built: Option<Cast>) -> Result<Parts> {
    let started = Instant::now();
    let cross = cross::ready()?;
    setup::need_bindings()?;
    setup::need_rig()?;
    let root = build::target_folder()?.join("rig");
    let (release, version) = packages::kernel()?;
    let folder = root.join(format!("{release}-{}", made::recipe()));
    let (tools, unpacked) = (folder.join("tools"), folder.join("guest"));
    let made = folder.join("made");
    if !made.exists() {
        say::step(&format!(
            "the emulated machine: kernel {release}, modules, emulator"
        ));
        made::make(&folder, &root.join("debs"), &release, &version)?;
        std::fs::write(&made, "")?;
        say::line(&format!("made in {} s", started.elapsed().as_secs()));
    }
    let started = Instant::now();
    say::step("the agent for arm64");
    let agent = agent(&cross)?;
    say::line(&format!("built in {} s", started.elapsed().as_secs()));
    say::step("the bus and the server");
    let photographs = pictures::photographs();
    let cast = built.unwrap_or_else(pictures::cast);
    let programs = build::programs(Profile::Debug, cast)?;
    process::run(&mut build::cargo(&[
        "build",
        "--quiet",
        "-p",
        "trapline-rig",
    ]))?;
    let bus = build::target_folder()?.join("debug/trapline-rig");
    let pictures = if photographs.is_empty() {
        pictures::drawings(&programs, &folder)?
    } else {
        photographs
    };
    let picture_px = pictures.first().and_then(|path| pictures::size_px(path));
    let initrd = folder.join("initrd");
    pack(&initrd, &unpacked, &agent, &pictures)?;
    Ok(Parts {
        kernel: unpacked.join("boot").join(format!("vmlinuz-{release}")),
        folder,
        tools,
        initrd,
        bus,
        programs,
        picture_px: picture_px.context("the pictures for the camera are no JPEG files")?,
    })
}

/// The real agent with everything that a Pi's has, built soon rather than fast.
fn agent(cross: &cross::Cross) -> Result<PathBuf> {
    let words = [
        "build",
        "--profile",
        "rig",
        "-p",
        "trapline-agent",
        "--features",
        "pi",
    ];
    let folder = build::target_folder()?.join("cross");
    let mut command = cross.cargo(&words, Cpu::A53);
    process::run(command.env("CARGO_TARGET_DIR", &folder))?;
    Ok(folder.join(TARGET).join("rig/trapline-agent"))
}

/// Everything that the guest has, in one archive; made for each run, as the agent changes most.
fn pack(initrd: &Path, unpacked: &Path, agent: &Path, pictures: &[PathBuf]) -> Result<()> {
    let folder = initrd.parent().context("an archive lies in a folder")?;
    let mut archive = Archive::create(initrd)?;
    for name in [
        "bin",
        "dev",
        "etc",
        "etc/ssl",
        "etc/ssl/certs",
        "lib",
        "lib/modules",
        "proc",
        "rig",
        "rig/pictures",
        "root",
        "run",
        "sys",
    ] {
        archive.folder(name)?;
    }
    archive.link("lib/aarch64-linux-gnu", ".")?;
    archive.program("init", INIT.as_bytes())?;
    archive.program("etc/motd", GREETING.as_bytes())?;
    archive.program("etc/ssl/certs/ca-certificates.crt", &authorities(unpacked)?)?;
    archive.copy("bin/busybox", &find(unpacked, "busybox")?)?;
    archive.copy("bin/tc", &find(unpacked, "tc")?)?;
    archive.copy("bin/feed", &folder.join("feed"))?;
    archive.copy("bin/trapline-agent", agent)?;
    for library in LIBRARIES {
        archive.copy(&format!("lib/{library}"), &find(unpacked, library)?)?;
    }
    for entry in std::fs::read_dir(folder.join("modules"))?.flatten() {
        let name = entry.file_name();
        archive.copy(
            &format!("lib/modules/{}", name.to_string_lossy()),
            &entry.path(),
        )?;
    }
    for (number, picture) in pictures.iter().enumerate() {
        archive.copy(&format!("rig/pictures/{number}.jpg"), picture)?;
    }
    archive.finish()
}

/// Who vouches for servers, as on any Debian system: the agent's HTTPS refuses to start without.
fn authorities(unpacked: &Path) -> Result<Vec<u8>> {
    let folder = unpacked.join("usr/share/ca-certificates/mozilla");
    let mut all = Vec::new();
    for entry in std::fs::read_dir(&folder)?.flatten() {
        all.extend(std::fs::read(entry.path())?);
    }
    Ok(all)
}

/// The one file of that name among the unpacked programs and libraries.
fn find(unpacked: &Path, name: &str) -> Result<PathBuf> {
    fn within(folder: &Path, name: &str) -> Option<PathBuf> {
        let entries: Vec<_> = std::fs::read_dir(folder).ok()?.flatten().collect();
        let is_it =
            |entry: &&std::fs::DirEntry| entry.file_name() == name && entry.path().is_file();
        if let Some(entry) = entries.iter().find(is_it) {
            return Some(entry.path());
        }
        let folders = entries
            .iter()
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        folders
            .map(|entry| entry.path())
            .find_map(|folder| within(&folder, name))
    }
    // The modules' tree is large and holds neither.
    let places = [
        "bin",
        "sbin",
        "usr/bin",
        "usr/sbin",
        "lib/aarch64-linux-gnu",
        "usr/lib/aarch64-linux-gnu",
    ];
    let found = places
        .iter()
        .find_map(|place| within(&unpacked.join(place), name));
    found.with_context(|| format!("no {name} among the guest's packages"))
}
