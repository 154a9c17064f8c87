//! The processor's temperature as Linux tells it.

use crate::power::Thermal;
use crate::units::ChipCelsius;
use std::path::PathBuf;

/// Where a Pi says it, in thousandths of a degree.
const ZONE: &str = "/sys/class/thermal/thermal_zone0/temp";

/// A thermal zone of the kernel.
#[derive(Debug, Clone)]
pub struct ThermalZone {
    file: PathBuf,
}

impl Default for ThermalZone {
    fn default() -> Self {
        Self { file: ZONE.into() }
    }
}

impl ThermalZone {
    /// Reads another file than the first zone's, in the same form.
    #[must_use]
    pub fn at(file: PathBuf) -> Self {
        Self { file }
    }
}

impl Thermal for ThermalZone {
    fn soc(&mut self) -> Option<ChipCelsius> {
        let text = std::fs::read_to_string(&self.file).ok()?;
        let thousandths: i32 = text.trim().parse().ok()?;
        ChipCelsius::new(f64::from(thousandths) / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_read_and_anything_else_is_no_temperature() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("temp");
        let read = |text: &str| {
            std::io::Write::write_all(&mut std::fs::File::create(&file).unwrap(), text.as_bytes())
                .unwrap();
            let found = ThermalZone::at(file.clone()).soc();
            found.map(ChipCelsius::celsius)
        };
        assert_eq!(read("54321\n"), Some(54.321));
        assert_eq!(read("warm"), None);
        assert_eq!(read(""), None);
        let nowhere = folder.path().join("nowhere");
        assert!(ThermalZone::at(nowhere).soc().is_none());
    }
}
