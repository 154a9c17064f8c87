//! The world around the traps: sun, weather, insects, battery, and all that fails.
//!
//! Everything is a function of the seed, the trap and the time, so that any
//! moment can be asked for in any order and is always the same.

pub mod spans;
pub mod sun;

use crate::chance::{Chance, mix};
use crate::plate::{Insect, Light};
use spans::{Habit, Span, Spans, hours_ms};
pub use sun::{Site, Sun};

/// An hour in milliseconds.
pub const HOUR_MS: i64 = 3_600_000;
/// A day in milliseconds.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// The sky and the air at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weather {
    /// The sun.
    pub sun: Sun,
    /// Share of the sky under clouds, 0 to 1.
    pub cloud: f64,
    /// Air temperature, degrees Celsius.
    pub temperature_c: f64,
    /// Relative humidity, percent.
    pub humidity_percent: f64,
    /// Illuminance, lux.
    pub light_lux: f64,
}

impl Weather {
    /// The light that a camera sees.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "degrees fit an f32")]
    pub fn light(&self, shot: u64) -> Light {
        Light {
            sun_elevation_deg: self.sun.elevation_deg as f32,
            sun_way: self.sun.way as f32,
            cloud: self.cloud as f32,
            shot,
        }
    }
}

/// The world of one trap over one season.
#[derive(Debug, Clone)]
pub struct World {
    seed: u64,
    trap: u32,
    site: Site,
    season: Span,
    /// When the trap is without power.
    pub power_cuts: Spans,
    /// When its radio reaches nobody.
    pub radio_silence: Spans,
    /// When its camera gives nothing.
    pub camera_faults: Spans,
    /// When its climate sensor does not answer.
    pub climate_faults: Spans,
}

/// How unkind the world is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trouble {
    /// Power cuts.
    pub power: Habit,
    /// Radio silence.
    pub radio: Habit,
    /// Camera failures.
    pub camera: Habit,
    /// Sensor failures.
    pub climate: Habit,
}

impl Default for Trouble {
    /// About a power cut a day and a bad radio.
    fn default() -> Self {
        let habit = |every_hours, lasts_hours| Habit {
            every_hours,
            lasts_hours,
        };
        Self {
            power: habit(26.0, 0.5),
            radio: habit(15.0, 1.5),
            camera: habit(110.0, 0.7),
            climate: habit(80.0, 2.0),
        }
    }
}

impl World {
    /// The world of a trap, drawn by chance.
    #[must_use]
    pub fn new(seed: u64, trap: u32, season: Span, trouble: &Trouble) -> Self {
        let spans = |which: u64, habit| {
            let mut chance = Chance::new(seed, &[u64::from(trap), 100 + which]);
            Spans::draw(season, habit, &mut chance)
        };
        let mut chance = Chance::new(seed, &[u64::from(trap), 99]);
        Self {
            seed,
            trap,
            site: Site {
                latitude_deg: 51.9 + chance.between(-0.05, 0.05),
                longitude_deg: 5.6 + chance.between(-0.05, 0.05),
            },
            season,
            power_cuts: spans(1, trouble.power),
            radio_silence: spans(2, trouble.radio),
            camera_faults: spans(3, trouble.camera),
            climate_faults: spans(4, trouble.climate),
        }
    }

    /// The same place on the half of the earth where it is summer at a time:
    /// a demo in November wants insects too.
    #[must_use]
    pub fn where_it_is_summer(mut self, unix_ms: i64) -> Self {
        let north = self.site.latitude_deg.abs();
        let is_north = self.site.sun(unix_ms).declination_deg >= 0.0;
        self.site.latitude_deg = if is_north { north } else { -north };
        self
    }

    /// The season of this world.
    #[must_use]
    pub fn season(&self) -> Span {
        self.season
    }

    /// The weather at a time.
    #[must_use]
    pub fn weather(&self, unix_ms: i64) -> Weather {
        let sun = self.site.sun(unix_ms);
        let hours = hours(unix_ms);
        let cloud_field = 0.7 * self.wave(1, hours / 14.0) + 0.3 * self.wave(2, hours / 1.7);
        let cloud = ((cloud_field - 0.25) * 1.9).clamp(0.0, 1.0);
        // The air lags behind the sun by about two hours.
        let earlier = self.site.sun(unix_ms - 2 * HOUR_MS).elevation_deg;
        let season_c = 9.5 + 0.36 * sun.declination_deg * self.site.latitude_deg.signum();
        let spell_c = 9.0 * (self.wave(3, hours / 70.0) - 0.5);
        let day_c = earlier.max(-12.0) * 0.19 * (1.0 - 0.55 * cloud);
        let gust_c = 1.2 * (self.wave(4, hours / 0.6) - 0.5);
        let temperature_c = season_c + spell_c + day_c + gust_c;
        let dry = day_c * 3.1 + 10.0 * (self.wave(5, hours / 20.0) - 0.5) - 14.0 * (cloud - 0.5);
        let humidity_percent = (74.0 - dry).clamp(18.0, 99.5);
        let clear_lux = 105_000.0 * (sun.elevation_deg / 90.0 * 1.35).clamp(0.0, 1.0).powf(1.25);
        let twilight_lux = 400.0 * (sun.elevation_deg.min(4.0) / 2.2).exp();
        let shade = 1.0 - 0.78 * cloud;
        let light_lux = ((clear_lux * 0.6 + twilight_lux) * shade).clamp(0.0, 120_000.0);
        Weather {
            sun,
            cloud,
            temperature_c,
            humidity_percent,
            light_lux,
        }
    }

    /// Insects that come per hour in such weather.
    #[must_use]
    pub fn arrivals_per_hour(weather: &Weather) -> f64 {
        let warmth = ((weather.temperature_c - 6.0) / 12.0).clamp(0.0, 1.6);
        let day = if weather.sun.elevation_deg > 0.0 {
            1.0
        } else {
            0.12
        };
        // Most small flies swarm when the sun is low.
        let low = (weather.sun.elevation_deg - 3.0) / 6.0;
        let dusk = 2.2 * (-low * low).exp();
        let noon_heat = if weather.temperature_c > 29.0 {
            0.5
        } else {
            1.0
        };
        1.1 * warmth * (day * noon_heat + dusk)
    }

    /// The card that hangs at a time and when it was hung up.
    #[must_use]
    pub fn card(&self, unix_ms: i64) -> (u32, i64) {
        // Somebody changes the card every eight days, each trap on its own day.
        let round_ms = 8 * DAY_MS;
        let phase_ms = i64::from(self.trap % 8) * DAY_MS + 9 * HOUR_MS;
        let card = (unix_ms - phase_ms).div_euclid(round_ms);
        let hung_ms = (card * round_ms + phase_ms).max(self.season.from_ms - 2 * DAY_MS);
        (u32::try_from(card).unwrap_or(0), hung_ms)
    }

    /// The insects of one hour on this trap, in the order of their coming.
    #[must_use]
    pub fn arrivals(&self, hour: i64) -> Vec<(i64, Insect)> {
        let from_ms = hour * HOUR_MS;
        let mut chance = Chance::new(self.seed, &[u64::from(self.trap), 7, hour.unsigned_abs()]);
        let weather = self.weather(from_ms + HOUR_MS / 2);
        let mut insects: Vec<_> = (0..chance.poisson(Self::arrivals_per_hour(&weather)))
            .map(|_| {
                let at_ms = from_ms + hours_ms(chance.unit());
                (at_ms, Insect::draw(&mut chance))
            })
            .collect();
        insects.sort_by_key(|(at_ms, _)| *at_ms);
        insects
    }

    /// Battery charge after an hour, 0 to 1, from the charge before it.
    #[must_use]
    pub fn charge_after_hour(&self, charge: f64, hour: i64) -> f64 {
        let weather = self.weather(hour * HOUR_MS + HOUR_MS / 2);
        let sun = if self.is_shaded() { 0.4 } else { 1.0 };
        let panel = 0.075 * sun * (weather.light_lux / 60_000.0).min(1.0);
        (charge + panel - 0.012).clamp(0.02, 1.0)
    }

    /// Whether the panel hangs under leaves, so that the battery sinks for days.
    fn is_shaded(&self) -> bool {
        self.trap % 4 == 3
    }

    /// A slow random wave, 0 to 1, one hill per unit.
    fn wave(&self, which: u64, place: f64) -> f64 {
        let cell = place.floor();
        let t = place - cell;
        let ease = t * t * (3.0 - 2.0 * t);
        let corner = |number: f64| {
            // The weather is the same for all traps but for a little.
            let common = mix(self.seed ^ mix(which) ^ number.to_bits());
            let own = mix(common ^ u64::from(self.trap));
            unit(common) * 0.85 + unit(own) * 0.15
        };
        let (left, right) = (corner(cell), corner(cell + 1.0));
        left + (right - left) * ease
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "hours with fractions of a second"
)]
fn hours(unix_ms: i64) -> f64 {
    unix_ms as f64 / 3_600_000.0
}

#[expect(clippy::cast_precision_loss, reason = "53 bits fit an f64 exactly")]
fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn june() -> World {
        let from_ms = 1_780_272_000_000; // 2026-06-01
        let season = Span {
            from_ms,
            until_ms: from_ms + 30 * DAY_MS,
        };
        World::new(7, 1, season, &Trouble::default())
    }

    #[test]
    fn every_reading_of_a_month_is_one_a_sensor_could_give() {
        let world = june();
        let (mut coldest, mut warmest, mut brightest) = (99.0_f64, -99.0_f64, 0.0_f64);
        for step in 0..30 * 48 {
            let weather = world.weather(world.season().from_ms + step * HOUR_MS / 2);
            assert!((10.0..=100.0).contains(&weather.humidity_percent));
            assert!(weather.light_lux >= 0.0);
            coldest = coldest.min(weather.temperature_c);
            warmest = warmest.max(weather.temperature_c);
            brightest = brightest.max(weather.light_lux);
        }
        assert!((2.0..14.0).contains(&coldest), "{coldest}");
        assert!((18.0..34.0).contains(&warmest), "{warmest}");
        assert!((30_000.0..90_000.0).contains(&brightest), "{brightest}");
    }

    #[test]
    fn insects_come_by_day_and_are_the_same_again() {
        let world = june();
        let first_hour = world.season().from_ms / HOUR_MS;
        let per_hour: Vec<usize> = (0..240)
            .map(|hour| world.arrivals(first_hour + hour).len())
            .collect();
        let total: usize = per_hour.iter().sum();
        assert!((150..600).contains(&total), "{total} in ten days");
        let night: usize = per_hour.iter().skip(23).step_by(24).sum();
        assert!(night * 12 < total, "{night} of {total} before midnight");
        assert_eq!(
            world.arrivals(first_hour + 12),
            june().arrivals(first_hour + 12)
        );
    }

    #[test]
    fn a_battery_in_the_shade_sinks_below_all_thresholds() {
        let season = june().season();
        let world = World::new(7, 3, season, &Trouble::default());
        let first_hour = season.from_ms / HOUR_MS;
        let after_days = |days: i64| {
            (0..24 * days).fold(0.8, |charge, hour| {
                world.charge_after_hour(charge, first_hour + hour)
            })
        };
        assert!(after_days(1) > 0.3 && after_days(12) < 0.15);
    }

    #[test]
    fn the_battery_lives_through_a_month() {
        let world = june();
        let first_hour = world.season().from_ms / HOUR_MS;
        let mut charge = 0.8;
        let mut lowest = 1.0_f64;
        for hour in 0..720 {
            charge = world.charge_after_hour(charge, first_hour + hour);
            lowest = lowest.min(charge);
        }
        assert!((0.1..0.95).contains(&lowest), "{lowest}");
    }
}
