//! Sensors that the kernel already has a driver for, by name: under IIO, as the
//! DHT22 with the `dht11` overlay, and under hwmon.
//!
//! A sensor is looked for by its name at each reading, so one that went and
//! came back under another number is found again. The kernel's units are
//! thousandths of a degree, of a percent and of a volt, and whole lux.

use crate::ambient::{Ambient, AmbientReading};
use crate::drivers::{Climate, Sample, Supply};
use crate::error::{DeviceError, FaultKind};
use crate::power::{Power, PowerReading};
use crate::units::{Celsius, DividerRatio, Lux, RelativeHumidity, Volts};
use crate::watch::Watch;
use rustix::io::Errno;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

/// Where the kernel lists its sensors, below the root.
const LISTS: [&str; 2] = ["sys/bus/iio/devices", "sys/class/hwmon"];
/// What people call a sensor, and the driver that serves it.
const ALIASES: [(&str, &str); 2] = [("dht22", "dht11"), ("am2302", "dht11")];
/// These steps are coarse: a tenth of a degree, of a percent.
const SAME_READINGS_MAX: u32 = 500;

/// The kernel's lists of sensors.
#[derive(Debug, Clone)]
pub struct KernelSensors {
    root: PathBuf,
}

impl Default for KernelSensors {
    fn default() -> Self {
        Self::under(Path::new("/"))
    }
}

/// A sensor that the kernel offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KernelSensor {
    /// The kernel's name of it, as `dht11@4`.
    pub name: String,
    /// Where its numbers are.
    pub folder: PathBuf,
    /// What it measures, of that which a trap uses.
    pub measures: Vec<Quantity>,
}

/// What a sensor of the kernel measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Temperature.
    Temperature,
    /// Relative humidity.
    Humidity,
    /// Illuminance.
    Light,
    /// Voltage, on one or several channels.
    Voltage,
}

impl Quantity {
    const ALL: [(Self, [&'static str; 2]); 4] = [
        (Self::Temperature, ["in_temp", "temp1"]),
        (Self::Humidity, ["in_humidityrelative", "humidity1"]),
        (Self::Light, ["in_illuminance", "in_illuminance0"]),
        (Self::Voltage, ["in_voltage0", "in1"]),
    ];
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Temperature => "temperature",
            Self::Humidity => "humidity",
            Self::Light => "light",
            Self::Voltage => "voltage",
        })
    }
}

impl fmt::Display for KernelSensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let measures: Vec<String> = self.measures.iter().map(Quantity::to_string).collect();
        write!(f, "{}  {}", self.name, measures.join(", "))
    }
}

impl KernelSensors {
    /// The lists below another root than `/`.
    #[must_use]
    pub fn under(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// All sensors that measure something a trap uses, in a fixed order.
    #[must_use]
    pub fn list(&self) -> Vec<KernelSensor> {
        let folders = LISTS.iter().flat_map(|list| folders(&self.root.join(list)));
        let sensors = folders.filter_map(|folder| {
            let name = fs::read_to_string(folder.join("name")).ok()?;
            let measures: Vec<Quantity> = Quantity::ALL
                .iter()
                .filter(|(_, stems)| stems.iter().any(|stem| has(&folder, stem)))
                .map(|(quantity, _)| *quantity)
                .collect();
            let name = name.trim().to_owned();
            (!measures.is_empty()).then_some(KernelSensor {
                name,
                folder,
                measures,
            })
        });
        sensors.collect()
    }

    /// The sensor called `name`: by the kernel, with or without its place, or by people.
    fn find(&self, device: &'static str, name: &str) -> Result<KernelSensor, DeviceError> {
        let wanted = ALIASES.iter().find(|(alias, _)| *alias == name);
        let wanted = wanted.map_or(name, |(_, driver)| driver);
        let all = self.list();
        let names: Vec<&str> = all.iter().map(|sensor| sensor.name.as_str()).collect();
        let offered = match names.as_slice() {
            [] => "none at all".to_owned(),
            names => format!("only {}", names.join(", ")),
        };
        let absent = format!(
            "of sensors the kernel offers {offered}; is the overlay of `{name}` in config.txt, and is it plugged in?"
        );
        let found = all.into_iter().find(|sensor| {
            let place = sensor.name.strip_prefix(wanted);
            place.is_some_and(|place| place.is_empty() || place.starts_with('@'))
        });
        found.ok_or_else(|| DeviceError::new(device, FaultKind::Absent, absent))
    }
}

/// The folders in `list`, sorted; none where there is no such list.
fn folders(list: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(list) else {
        return Vec::new();
    };
    let mut folders: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    folders.sort();
    folders
}

fn has(folder: &Path, stem: &str) -> bool {
    let there = |kind: &str| folder.join(format!("{stem}_{kind}")).exists();
    there("input") || there("raw")
}

/// The number called `stem`: as it is, or from its raw form, offset and scale.
fn number(folder: &Path, stem: &str) -> io::Result<f64> {
    match read_number(folder, stem, "input") {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        done => return done,
    }
    let raw = read_number(folder, stem, "raw")?;
    let offset = or_shared(folder, stem, "offset").unwrap_or(0.0);
    let scale = or_shared(folder, stem, "scale").unwrap_or(1.0);
    Ok((raw + offset) * scale)
}

/// Channels that are alike share their scale in a file without the channel's number.
fn or_shared(folder: &Path, stem: &str, kind: &str) -> io::Result<f64> {
    read_number(folder, stem, kind).or_else(|_| {
        let shared = stem.trim_end_matches(|c: char| c.is_ascii_digit());
        read_number(folder, shared, kind)
    })
}

fn read_number(folder: &Path, stem: &str, kind: &str) -> io::Result<f64> {
    let text = fs::read_to_string(folder.join(format!("{stem}_{kind}")))?;
    let number = text.trim().parse();
    number.map_err(|_| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("`{}` is no number", text.trim()),
        )
    })
}

/// One sensor of the kernel and what it said before.
#[derive(Debug)]
struct Named {
    device: &'static str,
    name: String,
    watch: Watch,
}

impl Named {
    fn new(device: &'static str, name: &str) -> Self {
        Self {
            device,
            name: name.to_owned(),
            watch: Watch::default(),
        }
    }

    /// Reads with one retry: a DHT22 misses its moment about once in ten times.
    fn read<R: Sample>(
        &mut self,
        kernel: &KernelSensors,
        read: impl Fn(&KernelSensor) -> io::Result<Option<R>>,
    ) -> Result<R, DeviceError> {
        let sensor = kernel.find(self.device, &self.name)?;
        let reading = read(&sensor).or_else(|_| read(&sensor));
        let reading = reading.map_err(|e| self.unreadable(&sensor, e))?;
        let reading = reading.ok_or_else(|| {
            let words = "says what cannot be true; let it dry, then replace it";
            self.fault(FaultKind::Transient, words)
        })?;
        let stuck = self.watch.refuse_stuck(&reading, SAME_READINGS_MAX);
        stuck.map_err(|words| self.fault(FaultKind::Broken, &words))?;
        Ok(reading)
    }

    fn unreadable(&self, sensor: &KernelSensor, error: io::Error) -> DeviceError {
        let absent = error.kind() == io::ErrorKind::NotFound;
        let fault = match Errno::from_io_error(&error) {
            Some(Errno::TIMEDOUT | Errno::IO | Errno::REMOTEIO | Errno::NXIO) => self.fault(
                FaultKind::Transient,
                "did not answer, twice; check its wires, and shorten them if it happens often",
            ),
            _ if absent => {
                let measures = sensor.to_string();
                let words = format!("does not measure that; it is {measures}");
                self.fault(FaultKind::Broken, &words)
            }
            _ => self.fault(FaultKind::Transient, "cannot be read"),
        };
        fault.caused_by(error)
    }

    fn fault(&self, kind: FaultKind, words: &str) -> DeviceError {
        let message = format!("the kernel's sensor {} {words}", self.name);
        DeviceError::new(self.device, kind, message)
    }
}

/// The first of `stems` that the sensor has.
fn first(sensor: &KernelSensor, stems: [&str; 2]) -> io::Result<f64> {
    let [usual, other] = stems;
    let stem = if has(&sensor.folder, usual) {
        usual
    } else {
        other
    };
    number(&sensor.folder, stem)
}

fn climate(sensor: &KernelSensor) -> io::Result<Option<Climate>> {
    let temperature = Celsius::new(first(sensor, ["in_temp", "temp1"])? / 1_000.0);
    let humidity = first(sensor, ["in_humidityrelative", "humidity1"])?;
    let humidity = RelativeHumidity::new(humidity / 1_000.0);
    Ok(temperature
        .zip(humidity)
        .map(|(temperature, humidity)| Climate {
            temperature,
            humidity,
            pressure: None,
        }))
}

fn light(sensor: &KernelSensor) -> io::Result<Option<Lux>> {
    first(sensor, ["in_illuminance", "in_illuminance0"]).map(Lux::new)
}

/// The kernel's sensors for climate and light.
#[derive(Debug)]
pub struct KernelAmbient {
    kernel: KernelSensors,
    climate: Option<Named>,
    light: Option<Named>,
}

impl KernelAmbient {
    /// The sensors of these names; nothing is read yet.
    #[must_use]
    pub fn new(kernel: KernelSensors, climate: Option<&str>, light: Option<&str>) -> Self {
        Self {
            kernel,
            climate: climate.map(|name| Named::new("climate", name)),
            light: light.map(|name| Named::new("light", name)),
        }
    }
}

impl Ambient for KernelAmbient {
    fn read(&mut self) -> AmbientReading {
        let mut reading = AmbientReading::default();
        if let Some(named) = &mut self.climate {
            match named.read(&self.kernel, climate) {
                Ok(climate) => {
                    reading.temperature = Some(climate.temperature);
                    reading.humidity = Some(climate.humidity);
                }
                Err(fault) => reading.faults.push(fault),
            }
        }
        if let Some(named) = &mut self.light {
            match named.read(&self.kernel, light) {
                Ok(light) => reading.light = Some(light),
                Err(fault) => reading.faults.push(fault),
            }
        }
        reading
    }
}

/// A channel of the kernel's that measures the battery.
#[derive(Debug)]
pub struct KernelBattery {
    kernel: KernelSensors,
    named: Named,
    channel: String,
    divider: DividerRatio,
}

impl KernelBattery {
    /// The `channel` of the sensor called `name`, as `in1` of an `ina219` or
    /// `in_voltage2` of an `ads1015`, behind `divider`.
    #[must_use]
    pub fn new(kernel: KernelSensors, name: &str, channel: &str, divider: DividerRatio) -> Self {
        Self {
            kernel,
            named: Named::new("battery", name),
            channel: channel.to_owned(),
            divider,
        }
    }

    fn voltage(&mut self) -> Result<Volts, DeviceError> {
        let (channel, ratio) = (&self.channel, self.divider.ratio());
        let supply = self.named.read(&self.kernel, |sensor| {
            let volts = number(&sensor.folder, channel)? / 1_000.0 * ratio;
            Ok(Volts::new(volts).map(|voltage| Supply {
                voltage,
                current: None,
            }))
        })?;
        Ok(supply.voltage)
    }
}

impl Power for KernelBattery {
    fn read(&mut self) -> PowerReading {
        match self.voltage() {
            Ok(voltage) => PowerReading {
                battery: Some(voltage),
                ..PowerReading::default()
            },
            Err(fault) => PowerReading {
                fault: Some(fault),
                ..PowerReading::default()
            },
        }
    }
}

#[cfg(test)]
mod tests;
