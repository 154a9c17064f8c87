//! What is laid over a copy of the image so that a trap without a Raspberry Pi has devices, and a way to look inside:
//! three modules that Debian's kernel has not, a camera that is shown pictures, a shell and a witness at two ports.

use super::disk::Laid;
use crate::build::Programs;
use crate::packages::{self, Packages};
use crate::rig::modules::Sources;
use crate::rig::pictures;
use crate::{process, say};
use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

const FEED: &str = include_str!("../rig/guest/feed.c");
const DEVICES: &str = include_str!("guest/devices");
const UNITS: [(&str, &str); 3] = [
    (
        "rig-devices.service",
        include_str!("guest/rig-devices.service"),
    ),
    ("rig-shell.service", include_str!("guest/rig-shell.service")),
    (
        "rig-witness.service",
        include_str!("guest/rig-witness.service"),
    ),
];
const MODULES: [&str; 3] = ["i2c-virtio.ko", "gpio-sim.ko", "v4l2loopback.ko"];
/// Where systemd looks for units of the system's own.
const UNIT_FOLDER: &str = "/usr/lib/systemd/system";

/// The files and links that are laid into a root slot.
pub(super) struct Extras {
    pub(super) files: Vec<Laid>,
    links: Vec<(String, String)>,
}

impl Extras {
    /// Makes or finds them for the kernel `release` of an image.
    pub(super) fn ready(folder: &Path, release: &str, programs: &Programs) -> Result<Self> {
        let made = folder.join(format!("extras-{release}"));
        if !made.join("made").exists() {
            say::line("compiling i2c-virtio, gpio-sim and v4l2loopback for the image's kernel");
            modules(folder, release, &made)?;
            feeder(&made)?;
            std::fs::write(made.join("made"), "")?;
        }
        picture(&made, programs)?;
        std::fs::write(made.join("devices"), DEVICES)?;
        let mut files: Vec<Laid> = MODULES
            .iter()
            .chain(&["picture.jpg", "size", "feed", "devices"])
            .map(|name| Laid {
                from: made.join(name),
                to: format!("/usr/lib/rig/{name}"),
                is_program: ["feed", "devices"].contains(name),
            })
            .collect();
        let mut links = Vec::new();
        for (name, text) in UNITS {
            std::fs::write(made.join(name), text)?;
            files.push(Laid {
                from: made.join(name),
                to: format!("{UNIT_FOLDER}/{name}"),
                is_program: false,
            });
            let link = format!("{UNIT_FOLDER}/multi-user.target.wants/{name}");
            links.push((link, format!("../{name}")));
        }
        Ok(Self { files, links })
    }

    pub(super) fn links(&self) -> Vec<(&str, &str)> {
        self.links
            .iter()
            .map(|(link, target)| (link.as_str(), target.as_str()))
            .collect()
    }
}

fn modules(folder: &Path, release: &str, made: &Path) -> Result<()> {
    let sources = folder.join("sources");
    std::fs::create_dir_all(&sources)?;
    let kept = Packages::kept_in(&folder.join("debs"))?;
    let base = release.trim_end_matches("-arm64");
    let (tools_release, version) = packages::kernel()?;
    let tools_release = tools_release.trim_end_matches("-arm64").to_owned();
    kept.alone(
        &[
            &format!("linux-kbuild-{tools_release}"),
            &format!("linux-source-6.12={version}"),
            "v4l2loopback-dkms",
        ],
        &sources,
    )?;
    crate::image::unpack_of_release(
        &[
            &format!("linux-headers-{release}"),
            &format!("linux-headers-{base}-common"),
        ],
        &sources,
    )?;
    let from = Sources {
        unpacked: &sources,
        release,
        tools_release: &tools_release,
    };
    let compiled = from.compile(&folder.join("work"))?;
    std::fs::create_dir_all(made)?;
    for name in MODULES {
        let mut strip = Command::new("aarch64-linux-gnu-strip");
        strip.arg("-g").arg("-o").arg(made.join(name));
        process::run(strip.arg(compiled.join(name)))?;
    }
    std::fs::remove_dir_all(&sources)?;
    Ok(())
}

/// The program that shows the camera a picture.
fn feeder(made: &Path) -> Result<()> {
    let source = made.join("feed.c");
    std::fs::write(&source, FEED)?;
    let mut compiler = Command::new("aarch64-linux-gnu-gcc");
    compiler.args(["-O2", "-static", "-o"]);
    process::run(compiler.arg(made.join("feed")).arg(&source))
}

/// A photograph of a card where one is at hand, else a drawing, with its size beside it.
fn picture(made: &Path, programs: &Programs) -> Result<()> {
    let mut all: Vec<PathBuf> = pictures::photographs();
    if all.is_empty() {
        all = pictures::drawings(programs, made)?;
    }
    let first = all.first().context("no picture for the camera")?;
    let (width, height) = pictures::size_px(first).context("the camera's picture is no JPEG")?;
    std::fs::copy(first, made.join("picture.jpg"))?;
    std::fs::write(made.join("size"), format!("{width} {height}\n"))?;
    Ok(())
}
