//! The Pi's I²C bus through the kernel's character device.
//!
//! A transfer is believed only if the kernel says that all of it happened: some
//! adapter drivers report a sensor that did not answer as a transfer cut short,
//! which looks like success with zeros. How long a transfer on a hanging bus
//! lasts is the adapter driver's business, usually a second.

use crate::bus_sensors::OpenBus;
use crate::error::{DeviceError, FaultKind};
use crate::scan::{Scan, What, scan};
use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation};
use linux_embedded_hal::Delay;
use linux_embedded_hal::i2cdev::core::{I2CMessage, I2CTransfer};
use linux_embedded_hal::i2cdev::linux::{LinuxI2CDevice, LinuxI2CMessage};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fmt, io};

/// The bus at pins 3 and 5 of the header.
pub const HEADER_BUS: &str = "/dev/i2c-1";

/// Where the kernel shows its devices.
const DEVICES: &str = "/dev";

/// Opens one bus of the kernel for each round.
#[derive(Debug, Clone)]
pub struct KernelBus {
    file: PathBuf,
}

impl KernelBus {
    /// The bus at `file`; nothing is opened yet.
    #[must_use]
    pub fn new(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
        }
    }

    /// The bus that the kernel numbers so.
    #[must_use]
    pub fn numbered(number: u32) -> Self {
        Self::new(&Path::new(DEVICES).join(format!("i2c-{number}")))
    }
}

/// Every bus that the kernel offers, by number.
#[must_use]
pub fn all_buses() -> Vec<PathBuf> {
    buses(Path::new(DEVICES))
}

impl Default for KernelBus {
    fn default() -> Self {
        Self::new(Path::new(HEADER_BUS))
    }
}

impl OpenBus for KernelBus {
    type Bus = LinuxBus;
    type Delay = Delay;

    fn open(&mut self, device: &'static str) -> Result<(LinuxBus, Delay), DeviceError> {
        let bus = LinuxBus::open(&self.file).map_err(|e| {
            let file = self.file.display();
            let message = format!(
                "cannot open {file}; switch I²C on (`dtparam=i2c_arm=on` in config.txt), or allow it for the agent's group"
            );
            DeviceError::new(device, FaultKind::Absent, message).caused_by(e)
        })?;
        Ok((bus, Delay))
    }
}

/// The buses that the kernel offers in `folder`, which is `/dev` on a Pi, by number.
#[must_use]
pub fn buses(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let numbered = entries.filter_map(|entry| {
        let name = entry.file_name();
        let number: u32 = name.to_str()?.strip_prefix("i2c-")?.parse().ok()?;
        Some((number, entry.path()))
    });
    let numbered: BTreeMap<u32, PathBuf> = numbered.collect();
    numbered.into_values().collect()
}

/// Where the kernel tells what its own drivers hold.
const HELD: &str = "/sys/bus/i2c/devices";

/// Asks every address of the bus at `file` who is there.
///
/// # Errors
/// [`DeviceError`] of `sensors` when the bus cannot be opened.
pub fn scan_bus(file: &Path) -> Result<Scan, DeviceError> {
    let (mut bus, mut delay) = KernelBus::new(file).open("sensors")?;
    let is_held = |failure: &BusFailure| matches!(failure, BusFailure::Held);
    let mut scan = scan(&file.display().to_string(), &mut bus, &mut delay, is_held);
    for found in &mut scan.found {
        if let What::Kernel { driver } = &mut found.what {
            *driver = holder(Path::new(HELD), file, found.address);
        }
    }
    Ok(scan)
}

/// The kernel's name of the part that it holds at `address` of the bus at `file`.
fn holder(held: &Path, file: &Path, address: u8) -> Option<String> {
    let bus = file.file_name()?.to_str()?.strip_prefix("i2c-")?;
    let name = std::fs::read_to_string(held.join(format!("{bus}-{address:04x}/name"))).ok()?;
    Some(name.trim().to_owned())
}

/// An open bus.
pub struct LinuxBus {
    file: PathBuf,
    /// The device at the address that was spoken to last.
    open: Option<(u8, LinuxI2CDevice)>,
}

impl LinuxBus {
    /// Opens the bus at `file`.
    ///
    /// # Errors
    /// The kernel's reason.
    pub fn open(file: &Path) -> io::Result<Self> {
        std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(file)?;
        Ok(Self {
            file: file.to_owned(),
            open: None,
        })
    }

    /// The device at `address`; the kernel refuses one that a driver of its own holds.
    fn device(&mut self, address: u8) -> io::Result<&mut LinuxI2CDevice> {
        if self.open.as_ref().is_none_or(|(at, _)| *at != address) {
            let device = LinuxI2CDevice::new(&self.file, address.into())?;
            self.open = Some((address, device));
        }
        let open = self.open.as_mut().map(|(_, device)| device);
        open.ok_or_else(|| io::Error::other("the bus was closed"))
    }
}

impl ErrorType for LinuxBus {
    type Error = BusFailure;
}

impl I2c for LinuxBus {
    fn transaction(
        &mut self,
        address: u8,
        operations: &mut [Operation<'_>],
    ) -> Result<(), BusFailure> {
        let device = self.device(address)?;
        let mut messages: Vec<LinuxI2CMessage<'_>> = operations
            .iter_mut()
            .map(|operation| match operation {
                Operation::Write(bytes) => LinuxI2CMessage::write(bytes),
                Operation::Read(bytes) => LinuxI2CMessage::read(bytes),
            })
            .collect();
        let carried = device.transfer(&mut messages).map_err(io::Error::from)?;
        if usize::try_from(carried).is_ok_and(|carried| carried == messages.len()) {
            Ok(())
        } else {
            Err(BusFailure::CutShort)
        }
    }
}

/// Why the kernel did not carry a transfer.
#[derive(thiserror::Error)]
pub enum BusFailure {
    /// It says so.
    #[error("{0}")]
    Kernel(io::Error),
    /// It carried a part of it.
    #[error("the transfer was cut short")]
    CutShort,
    /// It keeps the address for a driver of its own.
    #[error("a driver of the kernel holds this address; use the sensor by its kernel name instead")]
    Held,
}

/// Fault messages quote this, so it is in words too.
impl fmt::Debug for BusFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<io::Error> for BusFailure {
    fn from(error: io::Error) -> Self {
        match Errno::from_io_error(&error) {
            Some(Errno::BUSY) => Self::Held,
            _ => Self::Kernel(error),
        }
    }
}

impl embedded_hal::i2c::Error for BusFailure {
    /// What adapter drivers mean by their error numbers; `bcm2835` says
    /// EREMOTEIO where the kernel's table of fault codes says ENXIO, and EIO
    /// where a sensor held the clock for too long, which may go well next time.
    fn kind(&self) -> ErrorKind {
        let errno = match self {
            Self::Kernel(error) => Errno::from_io_error(error),
            Self::CutShort => Some(Errno::NXIO),
            Self::Held => None,
        };
        match errno {
            Some(Errno::NXIO | Errno::REMOTEIO | Errno::NODEV) => {
                ErrorKind::NoAcknowledge(NoAcknowledgeSource::Unknown)
            }
            Some(Errno::TIMEDOUT) => ErrorKind::Bus,
            Some(Errno::AGAIN) => ErrorKind::ArbitrationLoss,
            _ => ErrorKind::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_hal::i2c::Error as _;

    #[test]
    fn error_numbers_become_kinds() {
        let said = |errno: Errno| BusFailure::from(io::Error::from(errno)).kind();
        let silent = ErrorKind::NoAcknowledge(NoAcknowledgeSource::Unknown);
        assert_eq!(said(Errno::REMOTEIO), silent, "a Pi's sensor is unplugged");
        assert_eq!(said(Errno::NXIO), silent);
        assert_eq!(BusFailure::CutShort.kind(), silent, "zeros are no answer");
        assert_eq!(said(Errno::TIMEDOUT), ErrorKind::Bus, "a wire is held down");
        assert_eq!(said(Errno::IO), ErrorKind::Other, "worth another try");
        let held = BusFailure::from(io::Error::from(Errno::BUSY));
        assert_eq!(held.kind(), ErrorKind::Other);
        assert!(format!("{held:?}").contains("by its kernel name"));
    }

    #[test]
    fn without_the_bus_the_remedy_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut bus = KernelBus::new(&folder.path().join("i2c-1"));
        let fault = bus.open("light").err().unwrap();
        assert_eq!(fault.kind, FaultKind::Absent);
        assert!(fault.message.contains("dtparam=i2c_arm=on"), "{fault}");
    }

    #[test]
    fn buses_are_listed_by_number() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["i2c-10", "i2c-1", "i2c-x", "tty1"] {
            std::fs::File::create(folder.path().join(name)).unwrap();
        }
        let names = ["i2c-1", "i2c-10"].map(|name| folder.path().join(name));
        assert_eq!(buses(folder.path()), names);
        assert!(scan_bus(&folder.path().join("i2c-0")).is_err());
    }

    #[test]
    fn what_the_kernel_holds_has_a_name() {
        let held = tempfile::tempdir().unwrap();
        let part = held.path().join("1-0068");
        std::fs::create_dir(&part).unwrap();
        let mut name = std::fs::File::create(part.join("name")).unwrap();
        io::Write::write_all(&mut name, b"ds3231\n").unwrap();
        let bus = held.path().join("i2c-1");
        assert_eq!(holder(held.path(), &bus, 0x68).as_deref(), Some("ds3231"));
        assert_eq!(holder(held.path(), &bus, 0x51), None);
    }
}
