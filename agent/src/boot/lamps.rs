//! Lamps behind their guards, and supplies behind their lines.

use crate::capture::fittings::Fittings;
use crate::config::{CameraKind, Config};

/// What is wired to the trap beside its camera and sensors.
pub(super) fn fittings(config: &Config) -> Fittings {
    Fittings {
        flash: config
            .flash
            .as_ref()
            .map(|flash| wired::lamp("lamp", &flash.lamp)),
        attract: config
            .attract
            .as_ref()
            .map(|light| wired::lamp("attract", &light.lamp)),
        camera_supply: config
            .camera
            .power
            .as_ref()
            .map(|supply| wired::supply("camera", supply)),
        sensor_supply: config
            .sensors
            .power
            .as_ref()
            .map(|supply| wired::supply("sensors", supply)),
        camera_recovers: matches!(config.camera.kind, CameraKind::Csi | CameraKind::Uvc(_)),
    }
}

#[cfg(feature = "pi")]
mod wired {
    use crate::apart::{LAMP_GUARD, THIS_PROGRAM};
    use crate::config::camera::Supply as SupplyConfig;
    use crate::config::lamps::LampWiring;
    use std::ffi::OsString;
    use trapline_hal::lamp::{Lamp, Light};
    use trapline_hal::pi::switched::SwitchedSupply;
    use trapline_hal::switch::Supply;

    pub(super) fn lamp(device: &'static str, wiring: &LampWiring) -> Box<dyn Light> {
        let order = wiring.order().to_args().map(OsString::from);
        let mut args = vec![OsString::from(LAMP_GUARD)];
        args.extend(order);
        Box::new(Lamp::new(device, THIS_PROGRAM.into(), args))
    }

    pub(super) fn supply(device: &'static str, supply: &SupplyConfig) -> Box<dyn Supply> {
        let settle_ms = u32::try_from(supply.settle.as_millis()).unwrap_or(u32::MAX);
        let line = supply.line.clone();
        Box::new(SwitchedSupply::new(device, line, settle_ms))
    }
}

#[cfg(not(feature = "pi"))]
mod wired {
    use crate::config::camera::Supply as SupplyConfig;
    use crate::config::lamps::LampWiring;
    use trapline_hal::lamp::{Light, PutOut};
    use trapline_hal::lines::Level;
    use trapline_hal::switch::Supply;
    use trapline_hal::{DeviceError, FaultKind};

    pub(super) fn lamp(device: &'static str, _wiring: &LampWiring) -> Box<dyn Light> {
        Box::new(NoLines(device))
    }

    pub(super) fn supply(device: &'static str, _supply: &SupplyConfig) -> Box<dyn Supply> {
        Box::new(NoLines(device))
    }

    /// A line of a program that was built without any.
    struct NoLines(&'static str);

    impl NoLines {
        fn why(&self) -> DeviceError {
            let why = "this program was built without lines; build it with `--features pi`";
            DeviceError::new(self.0, FaultKind::Absent, why)
        }
    }

    impl Light for NoLines {
        fn on(&mut self, _level: Level, _max_on_ms: u64) -> Result<PutOut, DeviceError> {
            Err(self.why())
        }

        fn off(&mut self) -> Result<PutOut, DeviceError> {
            Err(self.why())
        }

        fn tend(&mut self) -> Result<(), DeviceError> {
            Err(self.why())
        }
    }

    impl Supply for NoLines {
        fn on(&mut self) -> Result<(), DeviceError> {
            Err(self.why())
        }

        fn cycle(&mut self) -> Result<(), DeviceError> {
            Err(self.why())
        }
    }
}
