//! The kernel's battery-backed clocks: found by name, read, set, and their
//! wake alarm written and read back.
//!
//! Setting one is an ioctl, which rustix has only in its unsafe general form;
//! hal has no unsafe code, so `hwclock` of util-linux sets it, as a child with
//! a deadline. It has no way to name a time zone, so it is given UTC as its own.
//!
//! What is read back from `wakealarm` is what the kernel will tell the chip and
//! has told it without an error; the kernel offers no way to ask the chip
//! itself. The kernel refuses an alarm over another (hence the 0 first), takes
//! one that is past for none at all, and offers the file only where the chip's
//! interrupt can wake something. Source: `drivers/rtc/sysfs.c` and
//! `interface.c` of Linux.

use super::child::{self, ChildFailure};
use crate::error::{DeviceError, FaultKind};
use crate::rtc::{BackupClock, RtcKind};
use crate::wake::{Armed, PowerCut, WakeAbility, WakeSource, WakeWhen, prove, refused, rings_s};
use crate::wall;
use rustix::io::Errno;
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

const CLOCKS: &str = "sys/class/rtc";
const DEVICES: &str = "dev";
const DEVICE: &str = "clock";
/// `hwclock` waits for the right half of a second, twice at most.
const SET_DEADLINE_MS: u64 = 10_000;
/// A clock that was set says its time and what passed since, but for whole seconds.
const SET_WITHIN_S: i64 = 2;
/// An alarm has no year on most chips, and a trap no business longer than this.
const AHEAD_S_MAX: i64 = 27 * 86_400;

/// The kernel's list of clocks.
#[derive(Debug, Clone)]
pub struct KernelClocks {
    root: PathBuf,
    hwclock: OsString,
}

impl Default for KernelClocks {
    fn default() -> Self {
        Self::under(Path::new("/"), "hwclock")
    }
}

impl KernelClocks {
    /// The list below another root than `/`, and another program than `hwclock`.
    #[must_use]
    pub fn under(root: &Path, hwclock: impl Into<OsString>) -> Self {
        Self {
            root: root.to_owned(),
            hwclock: hwclock.into(),
        }
    }

    /// All clocks, by number.
    #[must_use]
    pub fn list(&self) -> Vec<KernelClock> {
        let entries = fs::read_dir(self.root.join(CLOCKS));
        let entries = entries.into_iter().flatten().flatten();
        let mut clocks: Vec<KernelClock> = entries
            .filter_map(|entry| self.clock(&entry.path()))
            .collect();
        clocks.sort_by(|one, other| (one.number, &one.folder).cmp(&(other.number, &other.folder)));
        clocks
    }

    /// The clock called `wanted`: `rtc1`, `ds3231`, or the kernel's `rtc-ds1307`.
    /// Without a name the first that can wake the trap, else the first.
    ///
    /// # Errors
    /// Names what there is instead.
    pub fn find(&self, wanted: Option<&str>) -> Result<KernelClock, DeviceError> {
        let clocks = self.list();
        let names: Vec<String> = clocks.iter().map(KernelClock::to_string).collect();
        let found = match wanted {
            Some(wanted) => clocks.into_iter().find(|clock| clock.is_called(wanted)),
            None => {
                let wakes = clocks.iter().position(KernelClock::can_wake);
                clocks.into_iter().nth(wakes.unwrap_or(0))
            }
        };
        found.ok_or_else(|| {
            let offered = match names.as_slice() {
                [] => "none at all".to_owned(),
                names => format!("only {}", names.join(", ")),
            };
            let wanted = wanted.map_or_else(String::new, |name| format!(" `{name}`"));
            let message = format!(
                "of clocks the kernel offers {offered}; is the line of the clock{wanted} in config.txt (`dtoverlay=i2c-rtc,…`), and is it plugged in?"
            );
            fault(FaultKind::Absent, message)
        })
    }

    fn clock(&self, folder: &Path) -> Option<KernelClock> {
        let number = folder.file_name()?.to_str()?.strip_prefix("rtc")?;
        let name = fs::read_to_string(folder.join("name")).ok()?;
        let chip = fs::read_to_string(folder.join("device/name")).ok();
        let sets_system = fs::read_to_string(folder.join("hctosys"));
        Some(KernelClock {
            number: number.parse().ok()?,
            kind: RtcKind::named(name.trim(), chip.as_deref().map(str::trim)),
            name: name.trim().to_owned(),
            sets_system: sets_system.is_ok_and(|text| text.trim() == "1"),
            device: self.root.join(DEVICES).join(folder.file_name()?),
            folder: folder.to_owned(),
            hwclock: self.hwclock.clone(),
        })
    }
}

/// One clock of the kernel's.
#[derive(Debug, Clone)]
pub struct KernelClock {
    /// Its number: 0 is `rtc0`.
    pub number: u32,
    /// Which it is.
    pub kind: RtcKind,
    /// The kernel's name of it: driver and place.
    pub name: String,
    /// Whether the system's time came from it at boot.
    pub sets_system: bool,
    folder: PathBuf,
    device: PathBuf,
    hwclock: OsString,
}

impl std::fmt::Display for KernelClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (rtc{}, {})", self.kind, self.number, self.name)
    }
}

impl KernelClock {
    /// Whether the kernel lets it wake the trap.
    #[must_use]
    pub fn can_wake(&self) -> bool {
        self.alarm_file().exists()
    }

    fn is_called(&self, wanted: &str) -> bool {
        let driver = self.name.split_whitespace().next();
        let kind = self.kind.to_string();
        wanted == format!("rtc{}", self.number)
            || driver == Some(wanted)
            || self.name == wanted
            || kind.eq_ignore_ascii_case(wanted)
    }

    fn alarm_file(&self) -> PathBuf {
        self.folder.join("wakealarm")
    }

    /// What it says, whole seconds since 1970.
    ///
    /// # Errors
    /// When it does not answer, or knows that it lost its time.
    pub fn read(&self) -> Result<i64, DeviceError> {
        let said = fs::read_to_string(self.folder.join("since_epoch"));
        let said = said.map_err(|e| self.unreadable(e))?;
        let unix_s = said.trim().parse();
        unix_s.map_err(|_| {
            let message = format!("the {self} says `{}`, which is no time", said.trim());
            fault(FaultKind::Transient, message)
        })
    }

    fn unreadable(&self, error: io::Error) -> DeviceError {
        let (kind, words) = match Errno::from_io_error(&error) {
            Some(Errno::INVAL | Errno::NODATA) => (
                FaultKind::Transient,
                "lost its time; replace its battery, then set it",
            ),
            _ if error.kind() == io::ErrorKind::NotFound => {
                (FaultKind::Absent, "is gone; check its plug")
            }
            _ => (FaultKind::Transient, "did not answer; check its wires"),
        };
        fault(kind, format!("the {self} {words}")).caused_by(error)
    }

    /// Sets it, and reads it back. Takes up to about a second, since a clock's
    /// second starts when it is set.
    ///
    /// # Errors
    /// When `hwclock` is missing, hangs or fails, or when the clock says
    /// another time afterwards.
    pub fn set(&self, unix_s: i64) -> Result<(), DeviceError> {
        let mut command = Command::new(&self.hwclock);
        command.args(["--set", "--utc", "--noadjfile", "--rtc"]);
        command.arg(&self.device);
        command.arg("--date").arg(wall::date_time(unix_s));
        command.env("TZ", "UTC").env("LC_ALL", "C");
        let start_ms = child::monotonic_ms();
        child::output(&mut command, SET_DEADLINE_MS).map_err(|e| self.not_set(e))?;
        let says_s = self.read()?;
        let passed_ms = child::monotonic_ms().saturating_sub(start_ms);
        let passed_s = i64::try_from(passed_ms / 1_000).unwrap_or(i64::MAX);
        let latest_s = passed_s.saturating_add(SET_WITHIN_S);
        if (-SET_WITHIN_S..=latest_s).contains(&says_s.saturating_sub(unix_s)) {
            return Ok(());
        }
        let message = format!(
            "the {self} was set to {} UTC and says {}; replace its battery, then the clock",
            wall::date_time(unix_s),
            wall::date_time(says_s)
        );
        Err(fault(FaultKind::Broken, message))
    }

    fn not_set(&self, failure: ChildFailure) -> DeviceError {
        let program = self.hwclock.display();
        let (kind, words) = match failure {
            ChildFailure::NotInstalled => (
                FaultKind::Absent,
                format!("`{program}` is not installed; apt install util-linux-extra"),
            ),
            ChildFailure::TooLate => (
                FaultKind::Transient,
                format!("`{program}` hung for {SET_DEADLINE_MS} ms and was stopped"),
            ),
            ChildFailure::Failed(complaint) => (
                FaultKind::Transient,
                format!("`{program}` ended with {complaint}"),
            ),
            ChildFailure::Lost(e) => {
                let message = format!("the {self} cannot be set: `{program}` did not run");
                return fault(FaultKind::Transient, message).caused_by(e);
            }
        };
        fault(kind, format!("the {self} cannot be set: {words}"))
    }

    /// The alarm that is set, if one is.
    fn alarm(&self) -> Result<Option<i64>, DeviceError> {
        let said = fs::read_to_string(self.alarm_file()).map_err(|e| self.no_alarm(e))?;
        Ok(said.trim().parse().ok().filter(|alarm_s| *alarm_s != 0))
    }

    fn write_alarm(&self, rings_s: i64) -> Result<(), DeviceError> {
        let write = || {
            let mut options = OpenOptions::new();
            // A file that is not there must not be made: the kernel's always is.
            let mut file = options.write(true).truncate(true).open(self.alarm_file())?;
            file.write_all(format!("{rings_s}\n").as_bytes())
        };
        write().map_err(|e| self.no_alarm(e))
    }

    fn no_alarm(&self, error: io::Error) -> DeviceError {
        let words = if error.kind() == io::ErrorKind::NotFound {
            let remedy = self.kind.wake_remedy();
            format!("cannot wake the trap: its driver has no wake alarm; {remedy}")
        } else if matches!(
            Errno::from_io_error(&error),
            Some(Errno::ACCESS | Errno::PERM | Errno::ROFS)
        ) {
            "cannot be told to wake: the agent may not write its alarm; its unit has to allow it"
                .to_owned()
        } else {
            "did not take its wake alarm; check its wires".to_owned()
        };
        refused(format!("the {self} {words}")).caused_by(error)
    }
}

impl BackupClock for KernelClock {
    fn name(&self) -> String {
        self.to_string()
    }

    fn read(&mut self) -> Result<i64, DeviceError> {
        Self::read(self)
    }

    fn set(&mut self, unix_s: i64) -> Result<(), DeviceError> {
        Self::set(self, unix_s)
    }
}

impl WakeSource for KernelClock {
    fn ability(&self) -> WakeAbility {
        WakeAbility {
            name: self.kind.to_string(),
            when: WakeWhen::At {
                ahead_s_max: AHEAD_S_MAX,
            },
            cut: PowerCut::ByItself,
        }
    }

    /// An alarm that only knows minutes is set to the minute before, so that
    /// the trap is not late; where that is past, to the one after.
    fn arm(&mut self, at_unix_s: i64, now_unix_s: i64) -> Result<Armed, DeviceError> {
        let name = self.kind.to_string();
        let clock_s = self.read()?;
        let exact_s = rings_s(&name, (at_unix_s, now_unix_s), clock_s, AHEAD_S_MAX)?;
        let step_s = self.kind.alarm_step_s();
        let before_s = exact_s - exact_s.rem_euclid(step_s);
        let is_ahead = before_s == exact_s || before_s > clock_s.saturating_add(step_s);
        let rings_s = if is_ahead {
            before_s
        } else {
            before_s + step_s
        };
        self.write_alarm(0)?;
        self.write_alarm(rings_s)?;
        prove(&name, rings_s, self.alarm()?)?;
        Ok(Armed {
            wakes_unix_s: at_unix_s + (rings_s - exact_s),
            by: name,
        })
    }

    fn disarm(&mut self) -> Result<(), DeviceError> {
        self.write_alarm(0)?;
        match self.alarm()? {
            None => Ok(()),
            Some(alarm_s) => {
                let still = wall::date_time(alarm_s);
                let message = format!("the {self} was told to forget its alarm and says {still}");
                Err(refused(message))
            }
        }
    }

    /// A Pi whose clock wakes it cuts its own power when it is halted.
    fn cut_power(&mut self) -> Result<(), DeviceError> {
        Ok(())
    }
}

fn fault(kind: FaultKind, message: String) -> DeviceError {
    DeviceError::new(DEVICE, kind, message)
}

#[cfg(test)]
mod tests;
