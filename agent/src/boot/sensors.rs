//! The sensors that the settings name: on the bus, or served by the kernel.

use crate::config::sensors::{Sensor, SensorsConfig};
use trapline_hal::ambient::Together;
use trapline_hal::pi::kernel_sensors::{KernelAmbient, KernelBattery, KernelSensors};
use trapline_hal::{Ambient, Power};

/// Climate and light, and the battery.
pub(super) fn sensors(config: &SensorsConfig) -> (Box<dyn Ambient>, Box<dyn Power>) {
    let kernel = |name: &str, is_climate: bool| -> Box<dyn Ambient> {
        let (climate, light) = if is_climate {
            (Some(name), None)
        } else {
            (None, Some(name))
        };
        Box::new(KernelAmbient::new(KernelSensors::default(), climate, light))
    };
    let mut all: Vec<Box<dyn Ambient>> = Vec::new();
    all.extend(bus::ambient(config));
    all.extend(named(&config.climate).map(|name| kernel(name, true)));
    all.extend(named(&config.light).map(|name| kernel(name, false)));
    (Box::new(Together(all)), battery(config))
}

fn battery(config: &SensorsConfig) -> Box<dyn Power> {
    if let Some(battery) = bus::battery(config) {
        return battery;
    }
    let Some(name) = named(&config.battery).next() else {
        return Box::new(super::NoPower);
    };
    // The channel stands behind the name; most sensors of the kernel measure the supply on their first.
    let (name, channel) = name.split_once('/').unwrap_or((name, "in1"));
    let kernel = KernelSensors::default();
    Box::new(KernelBattery::new(kernel, name, channel, config.divider))
}

/// The names of those that the kernel serves.
fn named<P>(sensors: &[Sensor<P>]) -> impl Iterator<Item = &str> {
    sensors.iter().filter_map(|sensor| match sensor {
        Sensor::Kernel(name) => Some(name.as_str()),
        Sensor::Bus { .. } => None,
    })
}

#[cfg(feature = "pi")]
mod bus {
    use super::{Sensor, SensorsConfig};
    use trapline_hal::bus_sensors::{BusAmbient, BusBattery, Fitted};
    use trapline_hal::pi::i2c::KernelBus;
    use trapline_hal::{Ambient, Power};

    pub(super) fn ambient(config: &SensorsConfig) -> Option<Box<dyn Ambient>> {
        let (climate, light) = (fitted(&config.climate), fitted(&config.light));
        let bus = KernelBus::numbered(config.bus);
        let is_any = !climate.is_empty() || !light.is_empty();
        is_any.then(|| {
            Box::new(BusAmbient {
                bus,
                climate,
                light,
            }) as Box<dyn Ambient>
        })
    }

    pub(super) fn battery(config: &SensorsConfig) -> Option<Box<dyn Power>> {
        let battery = fitted(&config.battery);
        let bus = KernelBus::numbered(config.bus);
        (!battery.is_empty()).then(|| Box::new(BusBattery { bus, battery }) as Box<dyn Power>)
    }

    fn fitted<P: Copy>(sensors: &[Sensor<P>]) -> Vec<Fitted<P>>
    where
        Fitted<P>: From<P>,
    {
        let on_bus = sensors.iter().filter_map(|sensor| match sensor {
            Sensor::Bus { part, address } => Some(match address {
                Some(address) => Fitted::at(*part, *address),
                None => (*part).into(),
            }),
            Sensor::Kernel(_) => None,
        });
        on_bus.collect()
    }
}

#[cfg(not(feature = "pi"))]
mod bus {
    use super::{Sensor, SensorsConfig};
    use crate::boot::Unreadable;
    use trapline_hal::{Ambient, DeviceError, FaultKind, Power, PowerReading};

    const WHY: &str = "this program was built without I²C; build it with `--features pi`";

    pub(super) fn ambient(config: &SensorsConfig) -> Option<Box<dyn Ambient>> {
        let is_any = is_on_bus(&config.climate) || is_on_bus(&config.light);
        is_any.then(|| Box::new(Unreadable(WHY.to_owned())) as Box<dyn Ambient>)
    }

    pub(super) fn battery(config: &SensorsConfig) -> Option<Box<dyn Power>> {
        is_on_bus(&config.battery).then(|| Box::new(NoBus) as Box<dyn Power>)
    }

    fn is_on_bus<P>(sensors: &[Sensor<P>]) -> bool {
        let mut sensors = sensors.iter();
        sensors.any(|sensor| matches!(sensor, Sensor::Bus { .. }))
    }

    struct NoBus;

    impl Power for NoBus {
        fn read(&mut self) -> PowerReading {
            PowerReading {
                fault: Some(DeviceError::new("battery", FaultKind::Absent, WHY)),
                ..PowerReading::default()
            }
        }
    }
}
