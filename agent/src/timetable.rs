//! The schedule in force: that of the settings, at the place that is known.
//!
//! The place of the settings counts; where they have none, the last that somebody
//! told on the technician's page, which the ledger keeps.

use crate::config::Config;
use crate::schedule::Schedule;
use crate::schedule::next::PlaceFrom;
use crate::sun::Place;
use std::sync::{Arc, Mutex, PoisonError};
use trapline_store::{StoreError, View};

/// The schedule of a running agent, which moves with the trap.
#[derive(Debug)]
pub struct Timetable {
    settings: Schedule,
    in_force: Mutex<Arc<Schedule>>,
}

impl Timetable {
    /// The schedule of the settings, where the ledger last knew the trap.
    #[must_use]
    pub fn of(config: &Config, view: &View) -> Self {
        let (schedule, _) = at_last_place(config, Some(view)).unwrap_or_else(|error| {
            let why = crate::stage::in_full(&error);
            log::warn!("where the trap stands cannot be read: {why}");
            (config.schedule.clone(), None)
        });
        Self {
            settings: config.schedule.clone(),
            in_force: Mutex::new(Arc::new(schedule)),
        }
    }

    /// The schedule now.
    #[must_use]
    pub fn now(&self) -> Arc<Schedule> {
        Arc::clone(&self.lock())
    }

    /// Somebody said where the trap stands; a place of the settings holds all the same.
    pub fn stands_at(&self, place: Place) {
        if self.settings.place().is_none() {
            *self.lock() = Arc::new(self.settings.clone().at(Some(place)));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Arc<Schedule>> {
        self.in_force.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The schedule of the settings at the last place that is known, and who said so.
///
/// # Errors
/// When the ledger cannot be read.
pub fn at_last_place(
    config: &Config,
    view: Option<&View>,
) -> Result<(Schedule, Option<PlaceFrom>), StoreError> {
    let schedule = config.schedule.clone();
    if schedule.place().is_some() {
        return Ok((schedule, Some(PlaceFrom::Settings)));
    }
    let told = match view {
        Some(view) => view.last_place()?,
        None => None,
    };
    let place = told.map(|place| Place {
        latitude: place.latitude,
        longitude: place.longitude,
    });
    Ok((schedule.at(place), place.map(|_| PlaceFrom::Page)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moment::wire_stamp;
    use trapline_hal::{ClockQuality, Stamp};
    use trapline_store::{DeploymentFacts, Ledger, OsDisk, Place as Told, PlaceSource};
    use trapline_wire::LedgerId;

    const WINDOWS: &str =
        "[camera]\nkind = \"none\"\n[schedule]\nwindows = [\"sunset..sunrise\"]\n";

    fn config(more: &str) -> Config {
        Config::from_text("test", &format!("{WINDOWS}{more}")).unwrap()
    }

    fn facts(latitude: Option<f64>) -> DeploymentFacts {
        DeploymentFacts {
            site: "orchard".to_owned(),
            bait: String::new(),
            notes: String::new(),
            technician: String::new(),
            height_cm: None,
            facing_deg: None,
            place: latitude.map(|latitude| Told {
                latitude,
                longitude: 8.5,
                accuracy_m: None,
                source: PlaceSource::Typed,
            }),
        }
    }

    #[test]
    fn the_last_place_that_was_told_counts_where_the_settings_have_none() {
        let folder = tempfile::tempdir().unwrap();
        let now = wire_stamp(&Stamp {
            unix_ms: 1_780_272_000_000,
            quality: ClockQuality::Synced,
            boot_id: "boot".to_owned(),
            uptime_ms: 0,
        });
        let disk = Arc::new(OsDisk);
        let (mut ledger, _) = Ledger::open(folder.path(), disk, || LedgerId(7), &now).unwrap();
        let of = |config: &Config, ledger: &Ledger| {
            let (schedule, from) = at_last_place(config, Some(ledger)).unwrap();
            (schedule.place().map(|place| place.latitude), from)
        };
        let unplaced = config("");
        assert_eq!(of(&unplaced, &ledger), (None, None));
        for latitude in [Some(40.0), Some(47.4), None] {
            ledger
                .record_deployment(&facts(latitude), None, &now)
                .unwrap();
        }
        assert_eq!(of(&unplaced, &ledger), (Some(47.4), Some(PlaceFrom::Page)));
        let placed = config("[trap]\nlatitude = \"60.0\"\nlongitude = \"10.0\"\n");
        assert_eq!(
            of(&placed, &ledger),
            (Some(60.0), Some(PlaceFrom::Settings))
        );
        let there = Place {
            latitude: -33.9,
            longitude: 151.2,
        };
        for (config, latitude) in [(&unplaced, -33.9), (&placed, 60.0)] {
            let timetable = Timetable::of(config, &ledger);
            timetable.stands_at(there);
            let place = timetable.now().place().unwrap();
            assert!((place.latitude - latitude).abs() < 1e-9);
        }
    }
}
