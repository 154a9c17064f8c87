//! The image for a Pi 3 on the emulator's model of that board, as far as it goes.
//!
//! The model has the processor, the card's slot, the watchdog and a network at USB. It has no bus that our chips could
//! be played to, no camera of any kind and no display, so the camera is the kernel's own test picture and there are no
//! readings; and its boot ROM is not the real one: the emulator loads U-Boot itself, where a Pi's firmware would.

use super::disk::Laid;
use super::{ARRIVAL_MAX, Bench, card};
use crate::process::{self, Running};
use crate::say;
use crate::trap::Server;
use anyhow::{Context as _, Result};
use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

/// What is laid over the image: the kernel's test picture as a camera, and no watchdog. The board's waits 15 seconds
/// at most, of this machine's time, in which an emulated one may not get far.
const LAID: [(&str, &str, &str); 2] = [
    ("camera.conf", "vivid\n", "/usr/lib/modules-load.d/rig.conf"),
    (
        "watchdog.conf",
        "[Manager]\nRuntimeWatchdogSec=off\n",
        "/etc/systemd/system.conf.d/zz-emulated.conf",
    ),
];
/// What the machine says at its serial line.
const CONSOLE: &str = "console.log";
/// The emulator's own console.
const MONITOR: &str = "monitor";
/// What a Pi's firmware would load, from the card itself.
const FIRMWARE: &str = "u-boot.bin";
const BOARD: &str = "bcm2837-rpi-3-b.dtb";

pub(super) fn run(bench: &Bench<'_>) -> Result<()> {
    say::step("the image for a Pi 3 on the emulator's model of it");
    let made = crate::image::made(None, crate::cli::Board::Pi3)?;
    let folder = bench.fresh("pi3")?;
    let server = Server::start(bench.programs, &folder.join("server"), "127.0.0.1:0")?;
    let disk = super::disk::Disk::copy(&made.join("disk.img"), &folder.join("disk.img"))?;
    disk.put_on_card("trapline.toml", &card::pi_settings(&server)?)?;
    for name in [FIRMWARE, BOARD] {
        disk.take_from_card(name, &folder)?;
    }
    let laid = LAID.map(|(name, text, to)| {
        let from = folder.join(name);
        let to = to.to_owned();
        std::fs::write(&from, text).map(|()| Laid {
            from,
            to,
            is_program: false,
        })
    });
    let laid = laid.into_iter().collect::<std::io::Result<Vec<_>>>()?;
    disk.lay(super::SLOT_A, &laid, &[])?;
    let begun = Instant::now();
    let mut machine = power_on(bench, &disk.path, &folder)?;
    let mut first_s = None;
    let mut is_plugged_in = false;
    process::until("the first capture on the server", ARRIVAL_MAX * 2, || {
        anyhow::ensure!(machine.ended().is_none(), "the emulator ended");
        let counts = server.counts()?;
        if !is_plugged_in && is_past_u_boot(&folder) {
            plug_in(&folder.join(MONITOR))?;
            is_plugged_in = true;
        }
        if counts.pictures > 0 && first_s.is_none() {
            first_s = Some(begun.elapsed().as_secs());
        }
        Ok(counts.inspected > 0)
    })
    .with_context(|| format!("see console.log in {}", folder.display()))?;
    let counts = server.counts()?;
    say::line(&format!(
        "Pi 3: the first capture was on the server {} s after power-on; now {} captures, {} inspected",
        first_s.unwrap_or_default(),
        counts.captures,
        counts.inspected
    ));
    say::line(
        "not in this model: the boot ROM and firmware, sensors, display, a real camera, Wi-Fi, a Pi 4, 5 or Zero 2 W",
    );
    Ok(())
}

/// Plugs the network adapter in: the model's USB loses what was plugged in before Linux took it over from U-Boot. It
/// cannot be taken out again, for that ends this emulator.
fn plug_in(monitor: &Path) -> Result<()> {
    let mut monitor = UnixStream::connect(monitor).context("the emulator does not answer")?;
    writeln!(monitor, "device_add usb-net,netdev=net")?;
    Ok(())
}

/// Whether U-Boot has handed over to Linux, which does not look for what is at its USB yet.
fn is_past_u_boot(folder: &Path) -> bool {
    let bytes = std::fs::read(folder.join(CONSOLE)).unwrap_or_default();
    String::from_utf8_lossy(&bytes).contains("Starting kernel")
}

fn power_on(bench: &Bench<'_>, disk: &Path, folder: &Path) -> Result<Running> {
    let mut command = bench.desk.emulator.command();
    command
        .current_dir(folder)
        .args([
            "-M",
            "raspi3b",
            "-accel",
            "tcg,thread=multi",
            "-display",
            "none",
        ])
        .arg("-kernel")
        .arg(FIRMWARE)
        .arg("-dtb")
        .arg(BOARD)
        .arg("-drive")
        .arg(format!(
            "file={},format=raw,if=sd,cache=writethrough",
            disk.display()
        ))
        .args(["-netdev", "user,id=net", "-monitor"])
        .arg(format!("unix:{MONITOR},server=on,wait=off"))
        .args(["-serial", "file:uart0.log", "-serial", "file:console.log"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(folder.join("emulator.log"))?);
    Running::start("qemu-system-aarch64", &mut command)
}
