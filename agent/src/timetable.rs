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
