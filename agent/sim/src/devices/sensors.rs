//! The simulated climate, light and battery.

use super::SharedScene;
use crate::world::HOUR_MS;
use trapline_hal::{
    Ambient, AmbientReading, Celsius, DeviceError, FaultKind, Lux, Power, PowerReading,
    RelativeHumidity, Volts,
};

/// Climate and light around the card.
#[derive(Debug)]
pub struct SimAmbient {
    scene: SharedScene,
}

impl SimAmbient {
    /// The sensors of a scene.
    #[must_use]
    pub fn new(scene: SharedScene) -> Self {
        Self { scene }
    }
}

impl Ambient for SimAmbient {
    fn read(&mut self) -> AmbientReading {
        let now_ms = self.scene.time.now_ms();
        let weather = self.scene.world.weather(now_ms);
        let light = Lux::new(weather.light_lux.round());
        if self.scene.world.climate_faults.at(now_ms).is_some() {
            let fault = DeviceError::new(
                "climate",
                FaultKind::Transient,
                "the sensor does not acknowledge its address",
            );
            return AmbientReading {
                light,
                faults: vec![fault],
                ..AmbientReading::default()
            };
        }
        AmbientReading {
            // As the sensors resolve it.
            temperature: Celsius::new((weather.temperature_c * 100.0).round() / 100.0),
            humidity: RelativeHumidity::new((weather.humidity_percent * 10.0).round() / 10.0),
            light,
            faults: Vec::new(),
        }
    }
}

/// The battery, charged by a small panel.
#[derive(Debug)]
pub struct SimPower {
    scene: SharedScene,
    charge: f64,
    until_hour: i64,
}

impl SimPower {
    /// The battery of a scene, four fifths full when the season starts.
    #[must_use]
    pub fn new(scene: SharedScene) -> Self {
        let until_hour = scene.world.season().from_ms.div_euclid(HOUR_MS);
        Self {
            scene,
            charge: 0.8,
            until_hour,
        }
    }
}

impl Power for SimPower {
    fn read(&mut self) -> PowerReading {
        let this_hour = self.scene.time.now_ms().div_euclid(HOUR_MS);
        while self.until_hour < this_hour {
            self.charge = self
                .scene
                .world
                .charge_after_hour(self.charge, self.until_hour);
            self.until_hour += 1;
        }
        // A lead-acid battery at rest: almost a straight line.
        let volts = 11.36 + 1.37 * self.charge;
        PowerReading {
            battery: Volts::new((volts * 100.0).round() / 100.0),
            ..PowerReading::default()
        }
    }
}
