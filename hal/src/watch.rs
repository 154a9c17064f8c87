//! One sensor, asked again and again: the one retry, the reason in words, and
//! the value that never changes.
//!
//! A sensor that was unplugged needs nothing from here when it comes back: its
//! driver sets it up for each measurement. Counts, not times, decide.

use crate::drivers::{Part, Sample};
use crate::error::{DeviceError, FaultKind};

/// What is remembered of one sensor between readings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watch {
    last: Option<[u64; 3]>,
    same_readings: u32,
}

/// Why there is no reading.
#[derive(Debug)]
pub struct Missing {
    /// The reason in words, with the remedy.
    pub fault: DeviceError,
    /// Whether the whole bus is the matter, so that others need not be asked.
    pub bus_hangs: bool,
}

impl Watch {
    /// Measures, a second time if the first failed.
    ///
    /// A bus that hangs is not asked a second time: every transfer on it lasts
    /// until the kernel gives up, about a second.
    ///
    /// # Errors
    /// [`Missing`] when there is no reading, or when the sensor has given the
    /// same one so often that it cannot be measuring.
    pub fn read<P: Part>(&mut self, part: &mut P) -> Result<P::Reading, Missing> {
        let address = part.address();
        let reading = part.measure().or_else(|e| {
            if e.is_of_the_whole_bus() {
                Err(e)
            } else {
                part.measure()
            }
        });
        let reading = reading.map_err(|e| Missing {
            bus_hangs: e.is_of_the_whole_bus(),
            fault: e.at(P::DEVICE, P::NAME, address),
        })?;
        let place = format!("{} at I²C address {address:#04x}", P::NAME);
        self.refuse_stuck(&reading, P::SAME_READINGS_MAX)
            .map_err(|words| Missing {
                fault: DeviceError::new(P::DEVICE, FaultKind::Broken, format!("{place} {words}")),
                bus_hangs: false,
            })?;
        Ok(reading)
    }

    /// Counts equal readings; too many are a sensor that is stuck, until it says something else.
    ///
    /// # Errors
    /// What to say of it, after the sensor's name.
    pub fn refuse_stuck(
        &mut self,
        reading: &impl Sample,
        same_readings_max: u32,
    ) -> Result<(), String> {
        let trace = reading.trace();
        self.same_readings = match trace {
            None => 0,
            same if same == self.last => self.same_readings.saturating_add(1),
            Some(_) => 1,
        };
        self.last = trace;
        if self.same_readings < same_readings_max {
            return Ok(());
        }
        Err(format!(
            "has said exactly the same {same_readings_max} times and is stuck; unplug it and plug it in again"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drivers::sht3x::{ADDRESS, Sht3x};
    use crate::drivers::transcript::{SILENT, TestBus, close};
    use crate::units::Lux;
    use embedded_hal::i2c::ErrorKind;
    use embedded_hal_mock::eh1::i2c::Transaction;

    const GOOD: [u8; 6] = [0x80, 0x00, 0xa2, 0x80, 0x00, 0xa2];
    const OTHER: [u8; 6] = [0x80, 0x00, 0xa2, 0xbe, 0xef, 0x92];
    const DAMAGED: [u8; 6] = [0x80, 0x00, 0x00, 0x80, 0x00, 0xa2];

    fn says(answer: [u8; 6]) -> Vec<Transaction> {
        vec![
            Transaction::write(ADDRESS, vec![0x24, 0x00]),
            Transaction::read(ADDRESS, answer.to_vec()),
        ]
    }

    fn fails(failure: ErrorKind) -> Vec<Transaction> {
        vec![Transaction::write(ADDRESS, vec![0x24, 0x00]).with_error(failure)]
    }

    fn read(watch: &mut Watch, transcript: &[Vec<Transaction>]) -> Result<f64, Missing> {
        let bus = TestBus::lines(&transcript.concat());
        let reading = watch.read(&mut Sht3x::new(bus.clone(), bus.clone(), ADDRESS));
        bus.done();
        reading.map(|climate| climate.temperature.celsius())
    }

    #[test]
    fn one_failure_is_forgiven_and_the_second_is_told() {
        let mut watch = Watch::default();
        let mended = read(&mut watch, &[says(DAMAGED), says(GOOD)]).unwrap();
        close(mended, 42.5, 0.01);
        let silent = read(&mut watch, &[fails(SILENT), fails(SILENT)]).unwrap_err();
        assert_eq!(
            silent.fault.to_string(),
            "climate: SHT3x at I²C address 0x44 does not answer; check its plug and its four wires"
        );
        assert_eq!(silent.fault.kind, FaultKind::Absent);
        assert!(!silent.bus_hangs, "others may well answer");
        let back = read(&mut watch, &[says(GOOD)]).unwrap();
        close(back, 42.5, 0.01);
    }

    #[test]
    fn a_bus_that_hangs_is_asked_once() {
        let hangs = read(&mut Watch::default(), &[fails(ErrorKind::Bus)]).unwrap_err();
        assert!(hangs.bus_hangs);
        assert!(hangs.fault.message.contains("the bus hangs"));
    }

    #[test]
    fn a_value_that_never_changes_is_stuck_until_it_does() {
        let mut watch = Watch::default();
        for reading in 1..30 {
            assert!(read(&mut watch, &[says(GOOD)]).is_ok(), "{reading}");
        }
        for _ in 0..3 {
            let stuck = read(&mut watch, &[says(GOOD)]).unwrap_err().fault;
            assert_eq!(stuck.kind, FaultKind::Broken);
            assert!(stuck.message.contains("the same 30 times"), "{stuck}");
        }
        assert!(read(&mut watch, &[says(OTHER)]).is_ok(), "it moves again");
        assert!(read(&mut watch, &[says(GOOD)]).is_ok());
    }

    #[test]
    fn a_night_may_be_dark_for_long() {
        let mut watch = Watch::default();
        let dark = Lux::new(0.0).unwrap();
        assert!((0..1_000).all(|_| watch.refuse_stuck(&dark, 500).is_ok()));
        let noon = Lux::new(40_000.0).unwrap();
        assert!((1..500).all(|_| watch.refuse_stuck(&noon, 500).is_ok()));
        assert!(watch.refuse_stuck(&noon, 500).is_err());
    }
}
