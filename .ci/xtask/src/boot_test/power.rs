//! A machine with a disk under test: switched on, looked into, cut off.

use super::disk::Disk;
use crate::emulator::{Emulator, Guest};
use crate::machine::{BUS_AND_SHELL, Console, Machine};
use crate::process;
use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A guest that has not come up by then will not.
const BOOT_MAX: Duration = Duration::from_secs(600);
const OFF_MAX: Duration = Duration::from_secs(300);
/// The port at which the agent's own words come out.
const WITNESS: [&str; 4] = [
    "-chardev",
    "file,id=witness,path=witness.log,append=on",
    "-device",
    "virtserialport,chardev=witness,name=witness",
];

/// What a machine is started from.
pub(super) struct Desk<'a> {
    pub(super) emulator: &'a Emulator,
    /// U-Boot for the machine.
    pub(super) firmware: &'a Path,
    /// The program that plays the bus.
    pub(super) bus: &'a Path,
}

/// A machine that is on.
pub(super) struct Powered {
    pub(super) machine: Machine,
    since: Instant,
    folder: PathBuf,
}

impl Desk<'_> {
    /// Switches a machine with that disk on; its console, shell and witness are in `folder`.
    pub(super) fn power_on(&self, disk: &Disk, folder: &Path) -> Result<Powered> {
        std::fs::create_dir_all(folder)?;
        let mut guest = Guest::new(&disk.path, self.firmware);
        // The bus and the machine share its memory.
        let memory = format!(
            "memory-backend-memfd,id=memory,size={}M,share=on",
            guest.memory_mb
        );
        guest.words = ["-machine", "memory-backend=memory", "-object", &memory]
            .iter()
            .chain(&BUS_AND_SHELL)
            .chain(&WITNESS)
            .map(|word| (*word).to_owned())
            .collect();
        let mut command = guest.command(self.emulator);
        let since = Instant::now();
        let machine = Machine::power_on(self.bus, &mut command, folder, Console::File)?;
        Ok(Powered {
            machine,
            since,
            folder: folder.to_owned(),
        })
    }
}

impl Powered {
    /// Seconds since it was switched on, on the desk's clock.
    pub(super) fn on_for_s(&self) -> f64 {
        self.since.elapsed().as_secs_f64()
    }

    /// Waits for the guest's shell; gives the seconds since power-on.
    pub(super) fn up(&mut self) -> Result<f64> {
        let folder = self.folder.clone();
        self.machine
            .ask("true")
            .with_context(|| format!("it did not boot; see {}", folder.display()))?;
        Ok(self.on_for_s())
    }

    /// Waits until `is_so` finds what it looks for in what a line of shell prints in the guest.
    pub(super) fn until(
        &mut self,
        what: &str,
        line: &str,
        is_so: impl Fn(&str) -> bool,
    ) -> Result<String> {
        let mut last = String::new();
        let machine = &mut self.machine;
        let waited = process::until(what, BOOT_MAX, || {
            last = machine.ask(line)?.text;
            let found = is_so(&last);
            if !found {
                process::pause(1_000);
            }
            Ok(found)
        });
        waited.with_context(|| format!("the last answer was: {}", last.trim()))?;
        Ok(last)
    }

    /// Whether the guest's shell has answered within a moment.
    pub(super) fn is_up(&mut self) -> bool {
        self.machine.answers()
    }

    /// The power is gone, and with the machine what was around it.
    pub(super) fn cut(mut self) -> Result<()> {
        self.machine.cut()
    }

    /// Switches the guest off in order, and waits for it.
    pub(super) fn off(&mut self) -> Result<()> {
        self.machine.tell("systemctl poweroff --no-block")?;
        process::until("the guest to switch itself off", OFF_MAX, || {
            Ok(self.machine.is_off())
        })
    }

    /// A table as `trapline-agent export` writes it.
    pub(super) fn table(&mut self, name: &str) -> Result<String> {
        self.machine.tell(&format!(
            "rm -rf /run/rig-export; trapline-agent export /run/rig-export >/dev/null 2>&1; \
             cat /run/rig-export/{name}.csv"
        ))
    }

    /// An error, with what the guest's own log ends with.
    pub(super) fn with_logs<T>(&mut self, error: anyhow::Error) -> Result<T> {
        let log = self
            .machine
            .ask(
                "systemctl --failed --no-legend; journalctl -b -n 60 --no-pager -o short-monotonic",
            )
            .map_or_else(|error| error.to_string(), |answer| answer.text);
        std::fs::write(self.folder.join("guest.log"), log)?;
        Err(error.context(format!(
            "see guest.log and console.log in {}",
            self.folder.display()
        )))
    }

    /// What the boot loader and the kernel said since it was switched on.
    pub(super) fn console(&self) -> String {
        let bytes = std::fs::read(self.folder.join("console.log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// What the agent said so far in all boots of this folder, as it said it.
    pub(super) fn witness(&self) -> String {
        let bytes = std::fs::read(self.folder.join("witness.log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
