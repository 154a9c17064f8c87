//! `trapline-agent hal scan`: what is wired to the buses and what the kernel serves, as a technician names it.

use serde::Serialize;
use std::fmt;
use trapline_hal::pi::kernel_sensors::KernelSensors;

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hardware {
    /// Each I²C bus.
    pub buses: Vec<Bus>,
    /// Why buses could not be asked.
    pub trouble: Vec<String>,
    /// Sensors that the kernel serves, by its names.
    pub kernel_sensors: Vec<KernelSensor>,
}

/// What answers on one bus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bus {
    /// Its device file.
    pub bus: String,
    /// What answers, by address.
    pub parts: Vec<Part>,
    /// Whether the bus hung before the last address was asked.
    pub hangs: bool,
    /// The same for people.
    #[serde(skip)]
    text: String,
}

/// What is at an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// The address.
    pub address: u8,
    /// What it is, in words that say how sure that is.
    pub what: String,
}

/// A sensor that the kernel serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KernelSensor {
    /// The kernel's name of it.
    pub name: String,
    /// What it measures.
    pub measures: Vec<String>,
}

impl Hardware {
    /// Asks every bus and the kernel. Takes well under a second for each bus that is well.
    #[must_use]
    pub fn scan() -> Self {
        let (buses, trouble) = buses();
        let sensors = KernelSensors::default().list();
        let kernel_sensors = sensors.iter().map(|sensor| KernelSensor {
            name: sensor.name.clone(),
            measures: sensor.measures.iter().map(ToString::to_string).collect(),
        });
        Self {
            buses,
            trouble,
            kernel_sensors: kernel_sensors.collect(),
        }
    }
}

#[cfg(feature = "pi")]
fn buses() -> (Vec<Bus>, Vec<String>) {
    use trapline_hal::pi::i2c::{all_buses, scan_bus};
    let (mut buses, mut trouble) = (Vec::new(), Vec::new());
    for file in all_buses() {
        match scan_bus(&file) {
            Ok(scan) => buses.push(Bus {
                text: scan.to_string(),
                parts: scan
                    .found
                    .iter()
                    .map(|found| Part {
                        address: found.address,
                        what: found.what.to_string(),
                    })
                    .collect(),
                bus: scan.bus,
                hangs: scan.hangs,
            }),
            Err(error) => trouble.push(crate::stage::in_full(&error)),
        }
    }
    if buses.is_empty() && trouble.is_empty() {
        let none = "there is no I²C bus; switch it on with `dtparam=i2c_arm=on` in config.txt";
        trouble.push(none.to_owned());
    }
    (buses, trouble)
}

#[cfg(not(feature = "pi"))]
fn buses() -> (Vec<Bus>, Vec<String>) {
    let why = "this program was built without I²C; build it with `--features pi`";
    (Vec::new(), vec![why.to_owned()])
}

impl fmt::Display for Hardware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for bus in &self.buses {
            write!(f, "{}", bus.text)?;
        }
        for trouble in &self.trouble {
            writeln!(f, "{trouble}")?;
        }
        if !self.kernel_sensors.is_empty() {
            writeln!(f, "sensors of the kernel")?;
        }
        for sensor in &self.kernel_sensors {
            writeln!(
                f,
                "  kernel:{}  {}",
                sensor.name,
                sensor.measures.join(", ")
            )?;
        }
        Ok(())
    }
}
