//! The emulator with a whole image: U-Boot, both slots, a watchdog and a network, as on a trap.
//!
//! QEMU comes from Debian's packages and is only unpacked. A machine is a child process: it is asked, and if need be
//! killed, when it is dropped, and [`Running::kill`] is the power cut.

use crate::packages::Packages;
use crate::process::Running;
use crate::{build, setup};
use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The unpacked emulator.
pub(crate) struct Emulator {
    tools: PathBuf,
}

/// Finds the emulator, or fetches and unpacks it.
pub(crate) fn ready() -> Result<Emulator> {
    setup::need_rig()?;
    let target = build::target_folder()?;
    let tools = target.join("image/emulator");
    let made = tools.join("unpacked");
    if !made.exists() {
        let packages = Packages::kept_in(&target.join("rig/debs"))?;
        packages.programs(&["qemu-system-arm"], &tools)?;
        std::fs::write(&made, "")?;
    }
    Ok(Emulator { tools })
}

impl Emulator {
    /// A command that starts `qemu-system-aarch64` with its own libraries and data.
    pub(crate) fn command(&self) -> Command {
        let usr = self.tools.join("usr");
        let mut command = Command::new(usr.join("bin/qemu-system-aarch64"));
        let places = [
            "usr/lib/x86_64-linux-gnu",
            "lib/x86_64-linux-gnu",
            "usr/lib/aarch64-linux-gnu",
        ];
        let libraries = places.map(|place| self.tools.join(place).display().to_string());
        command
            .env("LD_LIBRARY_PATH", libraries.join(":"))
            .arg("-L")
            .arg(usr.join("share/qemu"));
        command
    }
}

/// A machine of the kind `virt` that is about to be started from an image.
#[derive(Debug, Clone)]
pub(crate) struct Guest {
    /// The disk, written to as it runs.
    pub(crate) image: PathBuf,
    /// U-Boot for this machine.
    pub(crate) firmware: PathBuf,
    /// File for all that the console says; `None` gives the console to the terminal.
    pub(crate) console: Option<PathBuf>,
    /// Ports of the desk's loopback that lead to ports of the guest.
    pub(crate) forwards: Vec<(u16, u16)>,
    /// Clock at power-on, as `2026-07-01T12:00:00`; the desk's without it.
    pub(crate) clock: Option<String>,
    /// Memory in MiB.
    pub(crate) memory_mb: u32,
    /// A root shell on the console, for a developer; it comes in from outside, the image has none.
    pub(crate) shell: bool,
    /// Whatever else the emulator is told: drives, sockets, devices.
    pub(crate) words: Vec<String>,
}

impl Guest {
    pub(crate) fn new(image: &Path, firmware: &Path) -> Self {
        Self {
            image: image.to_owned(),
            firmware: firmware.to_owned(),
            console: Some(image.with_extension("console.log")),
            forwards: Vec::new(),
            clock: None,
            memory_mb: 1024,
            shell: false,
            words: Vec::new(),
        }
    }

    /// The command that powers it on, but for its console.
    pub(crate) fn command(&self, emulator: &Emulator) -> Command {
        let mut command = emulator.command();
        command.args(self.arguments());
        command
    }

    /// Powers it on; sockets named relatively lie in `folder`.
    pub(crate) fn start(&self, emulator: &Emulator, folder: &Path) -> Result<Running> {
        let mut command = self.command(emulator);
        command.current_dir(folder);
        match &self.console {
            Some(path) => {
                command
                    .args(["-monitor", "none", "-serial"])
                    .arg(format!("file:{}", path.display()))
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(std::fs::File::create(folder.join("emulator.log"))?);
            }
            None => {
                command.args(["-serial", "mon:stdio"]);
            }
        }
        Running::start("qemu-system-aarch64", &mut command)
            .with_context(|| format!("no machine from {}", self.image.display()))
    }

    fn arguments(&self) -> Vec<String> {
        let memory = self.memory_mb.to_string();
        let clock = self.clock.as_deref().unwrap_or("utc");
        let forwards = self.forwards.iter();
        let forwards: String = forwards
            .map(|(desk, guest)| format!(",hostfwd=tcp:127.0.0.1:{desk}-:{guest}"))
            .collect();
        let mut words = vec![
            "-M".to_owned(),
            "virt".to_owned(),
            "-cpu".to_owned(),
            "cortex-a53".to_owned(),
            "-accel".to_owned(),
            "tcg,thread=multi".to_owned(),
            "-smp".to_owned(),
            "2".to_owned(),
            "-m".to_owned(),
            memory,
            "-display".to_owned(),
            "none".to_owned(),
            "-rtc".to_owned(),
            format!("base={clock}"),
            "-bios".to_owned(),
            self.firmware.display().to_string(),
            "-drive".to_owned(),
            // Written through, so that a kill loses what a power cut would, and no more.
            format!(
                "file={},format=raw,if=none,id=card,cache=writethrough",
                self.image.display()
            ),
            "-device".to_owned(),
            "virtio-blk-pci,drive=card,serial=trapline".to_owned(),
            "-netdev".to_owned(),
            format!("user,id=net{forwards}"),
            "-device".to_owned(),
            "virtio-net-pci,netdev=net,romfile=".to_owned(),
            "-device".to_owned(),
            "virtio-rng-pci".to_owned(),
            "-device".to_owned(),
            "i6300esb".to_owned(),
        ];
        if self.shell {
            let unit = "[Service]%nExecStart=/bin/sh -i%nStandardInput=tty%nStandardOutput=tty%n\
                 TTYPath=/dev/ttyAMA0%nRestart=always%n"
                .replace("%n", "\n");
            // The emulator takes no longer names than these.
            let wanted = "[Unit]\nWants=a.service\n";
            for (name, text) in [
                ("systemd.extra-unit.a.service", unit.as_str()),
                ("systemd.unit-dropin.-.slice", wanted),
            ] {
                words.push("-fw_cfg".to_owned());
                words.push(format!(
                    "name=opt/io.systemd.credentials/{name},string={text}"
                ));
            }
        }
        words.extend(self.words.iter().cloned());
        words
    }
}
