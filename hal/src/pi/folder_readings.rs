//! The sensors of a replayed folder: `readings.csv` beside the pictures.
//!
//! Columns by heading, in any order, each optional: `file`, `temperature_c`,
//! `humidity_percent`, `light_lux`, `battery_v`. One row per shot, from the
//! start again after the last; `file` is there for people and is not read.

use crate::ambient::{Ambient, AmbientReading};
use crate::error::{DeviceError, FaultKind};
use crate::power::{Power, PowerReading};
use crate::units::{Celsius, Lux, RelativeHumidity, Volts};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// The name of the table beside the pictures.
pub const FILE_NAME: &str = "readings.csv";

#[derive(Debug, Clone, Copy, Default)]
struct Row {
    temperature: Option<Celsius>,
    humidity: Option<RelativeHumidity>,
    light: Option<Lux>,
    battery: Option<Volts>,
}

/// The rows of `readings.csv`, handed out one per shot.
#[derive(Debug, Clone)]
pub struct FolderReadings {
    rows: Arc<Vec<Row>>,
    next: Arc<Mutex<usize>>,
}

impl FolderReadings {
    /// Reads the table of `folder`, if there is one, and starts at row
    /// `already_played`, so that a restarted replay goes on where it was.
    ///
    /// # Errors
    /// [`FaultKind::Broken`] when the table exists and a cell is no number, with its line.
    pub fn open(folder: &Path, already_played: usize) -> Result<Option<Self>, DeviceError> {
        let path = folder.join(FILE_NAME);
        if !path.exists() {
            return Ok(None);
        }
        let rows = read_rows(&path)?;
        Ok(Some(Self {
            rows: Arc::new(rows),
            next: Arc::new(Mutex::new(already_played)),
        }))
    }

    fn row(&self, shot: usize) -> Row {
        let place = shot.checked_rem(self.rows.len()).unwrap_or(0);
        self.rows.get(place).copied().unwrap_or_default()
    }
}

impl Ambient for FolderReadings {
    fn read(&mut self) -> AmbientReading {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let row = self.row(*next);
        *next += 1;
        AmbientReading {
            temperature: row.temperature,
            humidity: row.humidity,
            light: row.light,
            faults: Vec::new(),
        }
    }
}

impl Power for FolderReadings {
    fn read(&mut self) -> PowerReading {
        // The battery of the row that the sensors were read from last.
        let next = *self.next.lock().unwrap_or_else(PoisonError::into_inner);
        PowerReading {
            battery: self.row(next.saturating_sub(1)).battery,
            ..PowerReading::default()
        }
    }
}

fn read_rows(path: &Path) -> Result<Vec<Row>, DeviceError> {
    let broken = |why: String| {
        DeviceError::new(
            "climate",
            FaultKind::Broken,
            format!("{}: {why}", path.display()),
        )
    };
    let mut table = csv::Reader::from_path(path)
        .map_err(|e| broken("cannot be read".to_owned()).caused_by(e))?;
    let headings = table
        .headers()
        .map_err(|e| broken("has no heading line".to_owned()).caused_by(e))?
        .clone();
    let mut rows = Vec::new();
    for record in table.records() {
        let record = record.map_err(|e| broken("cannot be read".to_owned()).caused_by(e))?;
        let line = record.position().map_or(0, csv::Position::line);
        let mut row = Row::default();
        for (heading, cell) in headings.iter().zip(record.iter()) {
            set(&mut row, heading.trim(), cell.trim())
                .map_err(|why| broken(format!("line {line}: {why}")))?;
        }
        rows.push(row);
    }
    Ok(rows)
}

fn set(row: &mut Row, heading: &str, cell: &str) -> Result<(), String> {
    if cell.is_empty() || heading == "file" {
        return Ok(());
    }
    let number = || {
        cell.parse::<f64>()
            .map_err(|_| format!("`{cell}` under `{heading}` is no number"))
    };
    match heading {
        "temperature_c" => row.temperature = Celsius::new(number()?),
        "humidity_percent" => row.humidity = RelativeHumidity::new(number()?),
        "light_lux" => row.light = Lux::new(number()?),
        "battery_v" => row.battery = Volts::new(number()?),
        other => return Err(format!("unknown heading `{other}`")),
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "test files need no durability")]
mod tests {
    use super::*;

    fn folder_with(text: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
        folder
    }

    #[test]
    fn rows_follow_each_other_and_a_restart_goes_on() {
        let folder = folder_with("temperature_c,light_lux\n20.5,100\n,200\n");
        let mut readings = FolderReadings::open(folder.path(), 1).unwrap().unwrap();
        let second = Ambient::read(&mut readings);
        assert_eq!((second.temperature, second.light), (None, Lux::new(200.0)));
        let again = Ambient::read(&mut readings);
        assert_eq!(again.temperature, Celsius::new(20.5));
    }

    #[test]
    fn a_wrong_cell_is_named_by_its_line() {
        let folder = folder_with("light_lux\n1\nbright\n");
        let error = FolderReadings::open(folder.path(), 0).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("line 3: `bright` under `light_lux`"),
            "{error}"
        );
    }

    #[test]
    fn no_table_means_no_sensors() {
        let folder = tempfile::tempdir().unwrap();
        assert!(FolderReadings::open(folder.path(), 0).unwrap().is_none());
    }
}
