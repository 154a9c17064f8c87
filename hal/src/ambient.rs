//! Light and climate around the card.

use crate::error::DeviceError;
use crate::units::{Celsius, Lux, RelativeHumidity};

/// What the sensors say now; a sensor that is absent or failed is `None`.
#[derive(Debug, Default)]
pub struct AmbientReading {
    /// Air temperature.
    pub temperature: Option<Celsius>,
    /// Relative humidity.
    pub humidity: Option<RelativeHumidity>,
    /// Illuminance.
    pub light: Option<Lux>,
    /// Why something is `None`, one for each sensor that failed.
    pub faults: Vec<DeviceError>,
}

/// The sensors around the card, read together.
pub trait Ambient: Send {
    /// Reads all of them; never fails as a whole.
    fn read(&mut self) -> AmbientReading;
}

/// Sensors of several kinds, one asked after the other: those of a bus and
/// those of the kernel, say.
pub struct Together(pub Vec<Box<dyn Ambient>>);

impl Ambient for Together {
    /// Of two that measure the same the first that has a number is believed.
    fn read(&mut self) -> AmbientReading {
        let mut all = AmbientReading::default();
        for sensors in &mut self.0 {
            let reading = sensors.read();
            all.temperature = all.temperature.or(reading.temperature);
            all.humidity = all.humidity.or(reading.humidity);
            all.light = all.light.or(reading.light);
            all.faults.extend(reading.faults);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::FaultKind;

    struct Says(Option<f64>, Option<f64>);

    impl Ambient for Says {
        fn read(&mut self) -> AmbientReading {
            let fault = || DeviceError::new("light", FaultKind::Absent, "unplugged");
            AmbientReading {
                temperature: self.0.and_then(Celsius::new),
                light: self.1.and_then(Lux::new),
                faults: self.1.is_none().then(fault).into_iter().collect(),
                ..AmbientReading::default()
            }
        }
    }

    #[test]
    fn the_first_number_counts_and_every_fault_is_told() {
        let first = Says(Some(20.0), None);
        let second = Says(Some(30.0), Some(500.0));
        let reading = Together(vec![Box::new(first), Box::new(second)]).read();
        assert_eq!(reading.temperature, Celsius::new(20.0));
        assert_eq!(reading.light, Lux::new(500.0));
        assert_eq!(reading.faults.len(), 1);
    }
}
