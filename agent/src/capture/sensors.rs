//! The sensors of the capture stage: read together, never in the way of a picture.

use crate::desk::Desk;
use crate::lent::Lent;
use crate::moment::wire_stamp;
use std::time::Duration;
use trapline_hal::switch::Supply;
use trapline_hal::{Ambient, AmbientReading, Power, PowerReading};
use trapline_store::NewReading;

/// Sensors that take longer are left out of this shot.
pub(super) const DEADLINE: Duration = Duration::from_secs(5);

/// Climate and light, and the battery.
type Both = (Box<dyn Ambient>, Box<dyn Power>);

/// After so many readings with a fault, one after the other, the sensors lose their power.
const FAULTY_MAX: u32 = 3;
/// A switch that takes longer is not waited for.
const SWITCH_MAX: Duration = Duration::from_secs(10);

pub(super) struct Sensors {
    desk: Desk,
    both: Lent<Both>,
    supply: Option<Lent<Box<dyn Supply>>>,
    faulty: u32,
}

impl Sensors {
    pub(super) fn new(desk: Desk, both: Both, supply: Option<Box<dyn Supply>>) -> Self {
        Self {
            desk,
            both: Lent::of(both),
            supply: supply.map(Lent::of),
            faulty: 0,
        }
    }

    /// Gives the sensors power, where that can be switched; takes it away for a moment first when
    /// they failed again and again.
    async fn power_on(&mut self) {
        let Some(supply) = &mut self.supply else {
            return;
        };
        let cycles = self.faulty >= FAULTY_MAX;
        if cycles {
            self.faulty = 0;
            log::warn!("the sensors fail, so they lose their power for a moment");
        }
        let switched = supply
            .job(self.desk.hands, SWITCH_MAX, move |supply| {
                if cycles { supply.cycle() } else { supply.on() }
            })
            .await;
        let now_ms = self.desk.clock.stamp().unix_ms;
        let why = match switched {
            Ok(Ok(())) => return self.desk.health.clear("sensor power"),
            Ok(Err(error)) => crate::stage::device_words(&error),
            Err(_) => "the switch of the sensors' supply does not answer; check `sensors.power`"
                .to_owned(),
        };
        self.desk.health.raise("sensor power", &why, now_ms);
    }

    /// Reads all sensors; one that fails is `None` and a fault.
    pub(super) async fn read(&mut self) -> NewReading {
        self.power_on().await;
        let stamp = self.desk.clock.stamp();
        let read = self
            .both
            .job(self.desk.hands, DEADLINE, |(ambient, power)| {
                // The climate first: a replayed battery belongs to the row that was read last.
                let ambient = ambient.read();
                (ambient, power.read())
            })
            .await;
        let is_back = read.is_ok();
        let health = &self.desk.health;
        let (ambient, power) = match read {
            Ok(readings) => {
                health.clear("sensors");
                readings
            }
            Err(_) => {
                let why = "the sensors do not answer; check their cable, or restart the trap";
                health.raise("sensors", why, stamp.unix_ms);
                (AmbientReading::default(), PowerReading::default())
            }
        };
        let faults = ambient.faults.iter().chain(&power.fault);
        let mut failed = Vec::new();
        for fault in faults {
            health.raise(
                fault.device,
                &crate::stage::device_words(fault),
                stamp.unix_ms,
            );
            failed.push(fault.device);
        }
        for device in ["climate", "light", "battery"] {
            if !failed.contains(&device) {
                health.clear(device);
            }
        }
        self.faulty = if is_back && failed.is_empty() {
            0
        } else {
            self.faulty.saturating_add(1)
        };
        self.desk.power.battery.take(&power, &stamp);
        self.desk.wakes.power.notify_one();
        let battery_v = power.battery.map(trapline_hal::Volts::volts);
        health.note(|facts| facts.battery_v = battery_v);
        NewReading {
            stamp: wire_stamp(&stamp),
            temperature_c: ambient.temperature.map(trapline_hal::Celsius::celsius),
            humidity_percent: ambient
                .humidity
                .map(trapline_hal::RelativeHumidity::percent),
            light_lux: ambient.light.map(trapline_hal::Lux::lux),
            battery_v,
        }
    }
}

/// Whether any sensor said anything.
pub(super) fn has_a_value(reading: &NewReading) -> bool {
    reading.temperature_c.is_some()
        || reading.humidity_percent.is_some()
        || reading.light_lux.is_some()
        || reading.battery_v.is_some()
}
