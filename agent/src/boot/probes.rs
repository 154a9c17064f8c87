//! What checks touch beside the stages: each sensor by itself, the battery-backed
//! clock, the detector, and another way to the server.

use super::enrol;
use super::sensors::sensors;
use crate::config::sensors::{Sensor, SensorsConfig};
use crate::config::{CameraKind, Config};
use crate::inspect::{Asked, Detect as _};
use crate::inspector::Inspector;
use crate::lent::Lent;
use crate::probes::{LookOnce, OpenUplink, Probe, Probes, ReadPart};
use trapline_hal::bus_sensors::{BatteryPart, ClimatePart, LightPart};
use trapline_hal::pi::clock::SystemClock;
use trapline_hal::pi::rtc::KernelClocks;
use trapline_hal::{
    Ambient, AmbientReading, Clock as _, ClockQuality, DeviceError, FaultKind, PowerReading,
};

/// A battery-backed clock that differs by more from a clock that knows the time is wrong.
const RTC_DIFFERS_S: i64 = 120;
const WIRES: &str = "check its plug and its wires";

/// Everything that checks touch.
pub(super) fn probes(config: &Config, settings: &[String]) -> Probes {
    let mut parts = each_sensor(&config.sensors);
    if parts.is_empty()
        && let CameraKind::Folder { .. } = &config.camera.kind
    {
        parts.push(recorded(config));
    }
    parts.extend(backup_clock(config.clock.rtc.clone()));
    let has_battery = !config.sensors.battery.is_empty();
    Probes {
        settings: settings.to_vec(),
        parts,
        battery: has_battery.then(|| Lent::of(sensors(&config.sensors).1)),
        look: Some(Lent::of(look(config))),
        open_wake: super::power::open_wake(config).map(Lent::of),
        open_uplink: open_uplink(config),
    }
}

/// One probe for each sensor, so that none hides behind another.
fn each_sensor(config: &SensorsConfig) -> Vec<Probe> {
    let none = SensorsConfig {
        climate: Vec::new(),
        light: Vec::new(),
        battery: Vec::new(),
        ..config.clone()
    };
    let mut probes = Vec::new();
    for sensor in &config.climate {
        let only = SensorsConfig {
            climate: vec![sensor.clone()],
            ..none.clone()
        };
        let name = name(sensor, |part| called(part, &ClimatePart::NAMES));
        probes.push(ambient_probe(format!("climate {name}"), &only));
    }
    for sensor in &config.light {
        let only = SensorsConfig {
            light: vec![sensor.clone()],
            ..none.clone()
        };
        let name = name(sensor, |part| called(part, &LightPart::NAMES));
        probes.push(ambient_probe(format!("light {name}"), &only));
    }
    for sensor in &config.battery {
        let only = SensorsConfig {
            battery: vec![sensor.clone()],
            ..none.clone()
        };
        let name = name(sensor, |part| match part {
            BatteryPart::Ina219(_) => "ina219",
            BatteryPart::Ina260 => "ina260",
            BatteryPart::Ads1115(_) => "ads1115",
        });
        let mut battery = sensors(&only).1;
        let read: ReadPart = Box::new(move || battery_words(battery.read()));
        probes.push(Probe::new(format!("battery {name}"), WIRES, read));
    }
    probes
}

fn ambient_probe(part: String, only: &SensorsConfig) -> Probe {
    let mut ambient: Box<dyn Ambient> = sensors(only).0;
    let read: ReadPart = Box::new(move || ambient_words(ambient.read()));
    Probe::new(part, WIRES, read)
}

/// A sensor as the settings call it.
fn name<P>(sensor: &Sensor<P>, called: impl Fn(&P) -> &'static str) -> String {
    match sensor {
        Sensor::Kernel(name) => format!("kernel:{name}"),
        Sensor::Bus {
            part,
            address: None,
        } => called(part).to_owned(),
        Sensor::Bus {
            part,
            address: Some(address),
        } => format!("{}@{address:#04x}", called(part)),
    }
}

fn called<P: PartialEq>(part: &P, names: &[(&'static str, P)]) -> &'static str {
    let found = names.iter().find(|(_, known)| known == part);
    found.map_or("sensor", |(name, _)| name)
}

fn ambient_words(reading: AmbientReading) -> Result<String, DeviceError> {
    if let Some(fault) = reading.faults.into_iter().next() {
        return Err(fault);
    }
    let values = [
        reading
            .temperature
            .map(|value| format!("{:.1} °C", value.celsius())),
        reading
            .humidity
            .map(|value| format!("{:.0} %", value.percent())),
        reading.light.map(|value| format!("{:.0} lx", value.lux())),
    ];
    some_of(values.into_iter().flatten().collect())
}

fn battery_words(reading: PowerReading) -> Result<String, DeviceError> {
    if let Some(fault) = reading.fault {
        return Err(fault);
    }
    let values = [
        reading
            .battery
            .map(|value| format!("{:.2} V", value.volts())),
        reading
            .current
            .map(|value| format!("{:.2} A", value.amperes())),
    ];
    some_of(values.into_iter().flatten().collect())
}

fn some_of(values: Vec<String>) -> Result<String, DeviceError> {
    if values.is_empty() {
        let why = "it answers, but says nothing";
        return Err(DeviceError::new("sensors", FaultKind::Transient, why));
    }
    Ok(values.join(", "))
}

/// What was recorded with the pictures of a folder.
fn recorded(config: &Config) -> Probe {
    let mut devices = super::devices(config, 0);
    let read: ReadPart = Box::new(move || {
        let (ambient, power) = (devices.ambient.read(), devices.power.read());
        let is_silent = ambient.faults.is_empty() && power.fault.is_none();
        let words: Vec<String> = [ambient_words(ambient), battery_words(power)]
            .into_iter()
            .filter_map(|words| match words {
                Err(_) if is_silent => None,
                words => Some(words),
            })
            .collect::<Result<_, _>>()?;
        if words.is_empty() {
            return Ok("none are connected".to_owned());
        }
        Ok(words.join(", "))
    });
    Probe::new("sensors", "mend `readings.csv` of `camera.folder`", read)
}

/// The battery-backed clock, where one is named or the kernel has one.
fn backup_clock(wanted: Option<String>) -> Option<Probe> {
    let clocks = KernelClocks::default();
    if wanted.is_none() && clocks.list().is_empty() {
        return None;
    }
    let read: ReadPart = Box::new(move || {
        let clock = clocks.find(wanted.as_deref())?;
        let says_s = clock.read()?;
        let now = SystemClock::new().stamp();
        let ahead_s = says_s.saturating_sub(now.unix_ms.div_euclid(1_000));
        let words = format!("the {clock} differs by {ahead_s} s");
        let knows_time = now.quality == ClockQuality::Synced;
        if knows_time && ahead_s.saturating_abs() > RTC_DIFFERS_S {
            let why = format!("{words}; set it, and replace its battery if that does not last");
            return Err(DeviceError::new("rtc", FaultKind::Transient, why));
        }
        Ok(words)
    });
    Some(Probe::new("rtc", "check its plug and its battery", read))
}

fn look(config: &Config) -> LookOnce {
    let manifest = config.detector.manifest.clone();
    let memory_limit_bytes = config.detector.memory_limit_bytes;
    Box::new(move |jpeg| {
        let mut detector = Inspector::start(manifest.as_deref(), memory_limit_bytes)?;
        let id = detector.model().id;
        let id = match detector.arithmetic() {
            Some(with) => format!("{id} ({with})"),
            None => id,
        };
        let Some(jpeg) = jpeg else {
            return Ok(format!("{id} loads; there was no picture to look at"));
        };
        let seen = detector.look(&Asked::alone(jpeg), &mut || true);
        let seen = seen.map_err(|error| error.to_string())?;
        Ok(format!(
            "{id} looked at the picture: {} boxes, {} of {} tiles",
            seen.boxes.len(),
            seen.facts.tiles_run,
            seen.facts.tiles
        ))
    })
}

fn open_uplink(config: &Config) -> Option<OpenUplink> {
    config.server.as_ref()?;
    let config = config.clone();
    Some(Box::new(move || enrol::another(&config)))
}
