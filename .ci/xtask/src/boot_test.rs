//! `cargo xtask boot-test`: the whole card, booted in an emulator as a technician would plug it in, with chips, lines and
//! a camera around it and a real server on this machine; then broken in the ways in which cards are broken.
//!
//! What is tested is the image that `cargo xtask image --board virt` made. Over a copy of it are laid what a machine
//! without a Raspberry Pi's parts needs to have devices, and a shell for this tool ([`extras`]); nothing else differs.

mod card;
mod cuts;
mod disk;
mod extras;
mod first;
mod pi;
mod power;
mod times;
mod update;

use crate::build::{self, Profile, Programs};
use crate::cli::{Board, BootTestArgs, BootTestPart};
use crate::emulator::{self, Emulator};
use crate::rig::pictures;
use crate::{image, process, say};
use anyhow::{Context as _, Result, bail};
use disk::Disk;
use extras::Extras;
use power::Desk;
use std::path::PathBuf;
use std::time::Duration;

/// The number of the partition of the slot that a fresh card boots.
const SLOT_A: usize = 2;
/// On an emulated machine all takes long; a trap that has not delivered by then does not deliver.
const ARRIVAL_MAX: Duration = Duration::from_secs(900);

/// What all parts of the test share.
struct Bench<'a> {
    desk: Desk<'a>,
    programs: &'a Programs,
    /// The folder in which the image was made.
    made: PathBuf,
    extras: Extras,
    folder: PathBuf,
}

impl Bench<'_> {
    /// An empty folder for a part of the test.
    fn fresh(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// A fresh card with the devices of a trap.
    fn disk(&self, folder: &std::path::Path) -> Result<Disk> {
        let disk = Disk::copy(&self.made.join("disk.img"), &folder.join("disk.img"))?;
        disk.lay(SLOT_A, &self.extras.files, &self.extras.links())?;
        Ok(disk)
    }

    /// The units that are ours.
    fn units(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for folder in [
            "systemd",
            "image/root/etc/systemd/system",
            "image/root/usr/lib/systemd/system",
        ] {
            let Ok(entries) = std::fs::read_dir(process::root().join(folder)) else {
                continue;
            };
            for entry in entries.flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                let is_unit = [".service", ".timer", ".path"]
                    .iter()
                    .any(|ending| name.ends_with(ending));
                if name.starts_with("trapline-") && is_unit {
                    names.push(name);
                }
            }
        }
        Ok(names)
    }
}

pub(crate) fn run(args: &BootTestArgs) -> Result<()> {
    let made = image::made(args.image.as_deref(), Board::Virt)?;
    let kernel =
        std::fs::read_to_string(made.join("kernel")).context("an image names its kernel")?;
    let emulator: Emulator = emulator::ready()?;
    say::step("the server and the bus");
    let programs = build::programs(Profile::Debug, pictures::cast())?;
    process::run(&mut build::cargo(&[
        "build",
        "--quiet",
        "-p",
        "trapline-rig",
    ]))?;
    let target = build::target_folder()?;
    let folder = target.join("boot-test");
    std::fs::create_dir_all(&folder)?;
    let bus = target.join("debug/trapline-rig");
    let extras = Extras::ready(&folder, kernel.trim(), &programs)?;
    let firmware = made.join("u-boot.bin");
    let bench = Bench {
        desk: Desk {
            emulator: &emulator,
            firmware: &firmware,
            bus: &bus,
        },
        programs: &programs,
        made,
        extras,
        folder,
    };
    let wants = |part| args.only.is_empty() || args.only.contains(&part);
    let asked_for =
        |part| args.only.contains(&part) || (args.only.is_empty() && args.power_cuts > 0);
    // Each part has its own machine and server, so one that fails keeps no other from being tried.
    let mut failed = Vec::new();
    let mut attempt = |name: &'static str, is_wanted: bool, part: &dyn Fn() -> Result<()>| {
        if is_wanted && let Err(error) = part() {
            say::failure(&format!("{name}: {error:#}"));
            failed.push(name);
        }
    };
    let cuts = args.power_cuts.max(1);
    attempt("first", wants(BootTestPart::First), &|| first::run(&bench));
    attempt("card", wants(BootTestPart::Card), &|| card::run(&bench));
    attempt("cuts", asked_for(BootTestPart::Cuts), &|| {
        cuts::run(&bench, cuts, args.seed)
    });
    attempt("update", asked_for(BootTestPart::Update), &|| {
        update::run(&bench)
    });
    attempt("pi", wants(BootTestPart::Pi), &|| pi::run(&bench));
    if !failed.is_empty() {
        bail!("did not hold: {}", failed.join(", "));
    }
    say::line("boot-test: all of it held");
    Ok(())
}
