//! The command that switches the rig's machine on.

use super::parts::Parts;
use crate::machine::{BUS_AND_SHELL, Console};
use std::process::Command;

/// How a machine is started.
#[derive(Debug, Clone)]
pub(super) struct Start {
    /// The clock at power-on, as the emulator takes it: `1970-01-01T00:00:00`; the desk's without it.
    pub(super) clock: Option<String>,
    pub(super) console: Console,
}

impl Default for Start {
    fn default() -> Self {
        Self {
            clock: None,
            console: Console::File,
        }
    }
}

pub(super) fn emulator(parts: &Parts, start: &Start) -> Command {
    let usr = parts.tools.join("usr");
    let mut command = Command::new(usr.join("bin/qemu-system-aarch64"));
    let libraries: Vec<String> = [
        "usr/lib/x86_64-linux-gnu",
        "lib/x86_64-linux-gnu",
        "usr/lib/aarch64-linux-gnu",
    ]
    .iter()
    .map(|place| parts.tools.join(place).display().to_string())
    .collect();
    let shell = if start.console == Console::Person {
        " rig.shell"
    } else {
        ""
    };
    let clock = start.clock.as_deref().unwrap_or("utc");
    command
        .env("LD_LIBRARY_PATH", libraries.join(":"))
        .arg("-L")
        .arg(usr.join("share/qemu"))
        .args([
            "-M",
            "virt,memory-backend=memory",
            "-cpu",
            "cortex-a53",
            "-smp",
            "2",
            "-m",
            "768",
        ])
        .args([
            "-accel",
            "tcg,thread=multi",
            "-display",
            "none",
            "-no-reboot",
        ])
        .args([
            "-object",
            "memory-backend-memfd,id=memory,size=768M,share=on",
        ])
        .args(["-rtc", &format!("base={clock}")])
        .arg("-kernel")
        .arg(&parts.kernel)
        .arg("-initrd")
        .arg(&parts.initrd)
        .args([
            "-append",
            &format!("console=ttyAMA0 quiet rdinit=/init panic=-1{shell}"),
        ])
        .args([
            "-netdev",
            "user,id=net",
            "-device",
            "virtio-net-pci,netdev=net,romfile=",
        ])
        .args(BUS_AND_SHELL);
    command
}
