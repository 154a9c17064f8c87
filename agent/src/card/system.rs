//! What the card's settings touch of the running system, behind a seam: the
//! host's name, radio, mounts, addresses, NetworkManager.

use super::hotspot::{Device, Seen};
use super::network::HOTSPOT;
use serde::Deserialize;
use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// The running system.
pub trait System {
    /// Gives the host its name until the next boot.
    ///
    /// # Errors
    /// What the system says.
    fn name_host(&self, name: &str) -> io::Result<()>;

    /// Tells the radio in which country it is.
    ///
    /// # Errors
    /// What the system says.
    fn name_country(&self, country: &str) -> io::Result<()>;

    /// Whether the folder is a mount that must not be written now.
    fn is_mounted_read_only(&self, folder: &Path) -> bool;

    /// Changes that.
    ///
    /// # Errors
    /// What the system says.
    fn remount(&self, folder: &Path, writable: bool) -> io::Result<()>;

    /// The number of a group.
    fn group(&self, name: &str) -> Option<u32>;

    /// Interfaces with their addresses.
    fn addresses(&self) -> Vec<String>;
}

/// This machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsSystem;

impl System for OsSystem {
    fn name_host(&self, name: &str) -> io::Result<()> {
        Ok(rustix::system::sethostname(name.as_bytes())?)
    }

    fn name_country(&self, country: &str) -> io::Result<()> {
        said("iw", ["reg", "set", country]).map(|_nothing| ())
    }

    fn is_mounted_read_only(&self, folder: &Path) -> bool {
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let folder = folder.display().to_string();
        // The last mount of a folder is the one that is seen.
        let options = mounts.lines().rev().find_map(|line| {
            let mut words = line.split(' ');
            let _device = words.next()?;
            (words.next()? == folder).then(|| words.nth(1).map(str::to_owned))?
        });
        options.is_some_and(|options| options.split(',').any(|option| option == "ro"))
    }

    fn remount(&self, folder: &Path, writable: bool) -> io::Result<()> {
        let how = if writable { "remount,rw" } else { "remount,ro" };
        let words = [OsStr::new("-o"), OsStr::new(how), folder.as_os_str()];
        said("mount", words).map(|_nothing| ())
    }

    fn group(&self, name: &str) -> Option<u32> {
        let groups = std::fs::read_to_string("/etc/group").ok()?;
        let mut entries = groups.lines().map(|line| line.split(':'));
        entries.find_map(|mut words| (words.next()? == name).then(|| words.nth(1)?.parse().ok())?)
    }

    fn addresses(&self) -> Vec<String> {
        let Ok(json) = said("ip", ["-j", "-4", "addr", "show", "scope", "global"]) else {
            return Vec::new();
        };
        let interfaces: Vec<Interface> = serde_json::from_str(&json).unwrap_or_default();
        let lines = interfaces.into_iter().filter(|i| !i.addr_info.is_empty());
        lines
            .map(|i| {
                let addresses: Vec<String> = i.addr_info.into_iter().map(|a| a.local).collect();
                format!("{} {}", i.ifname, addresses.join(" "))
            })
            .collect()
    }
}

#[derive(Deserialize)]
struct Interface {
    #[serde(default)]
    ifname: String,
    #[serde(default)]
    addr_info: Vec<Address>,
}

#[derive(Deserialize)]
struct Address {
    local: String,
}

/// What NetworkManager says of the devices now.
///
/// # Errors
/// When it does not answer.
pub fn look_around(uptime_ms: u64) -> io::Result<Seen> {
    let words = [
        "-t",
        "-e",
        "no",
        "-f",
        "DEVICE,TYPE,STATE,CONNECTION",
        "device",
    ];
    let devices: Vec<Device> = said("nmcli", words)?
        .lines()
        .filter_map(Device::parse)
        .collect();
    let own = devices.iter().find(|device| device.is_hotspot());
    let guests = own.and_then(|own| {
        let stations = said("iw", ["dev", &own.name, "station", "dump"]).ok()?;
        Some(
            stations
                .lines()
                .filter(|line| line.starts_with("Station "))
                .count(),
        )
    });
    Ok(Seen {
        uptime_ms,
        devices,
        guests: guests.unwrap_or(0),
    })
}

/// Opens or closes the trap's own network.
///
/// # Errors
/// What NetworkManager says.
pub fn switch_hotspot(on: bool) -> io::Result<()> {
    let word = if on { "up" } else { "down" };
    // "down" leaves the radio free to join the networks that it knows.
    said("nmcli", ["-w", "30", "connection", word, HOTSPOT]).map(|_nothing| ())
}

fn said<W: AsRef<OsStr>>(program: &str, words: impl IntoIterator<Item = W>) -> io::Result<String> {
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::null());
    let output = command
        .output()
        .map_err(|error| io::Error::other(format!("`{program}` cannot be started: {error}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let why = String::from_utf8_lossy(&output.stderr);
    let why = why.trim();
    Err(io::Error::other(format!("`{program}` failed: {why}")))
}
