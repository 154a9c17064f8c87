//! When the sun rises and sets. Pure: a place and a day in, times out.
//!
//! The formulas are those of the solar calculator of NOAA's Global Monitoring
//! Laboratory, which follow Jean Meeus, *Astronomical Algorithms* (2nd edition,
//! chapters 22, 25 and 28). Between 1900 and 2100 and up to 72° of latitude they
//! are good to a minute; beyond that the sun runs so flat along the horizon that
//! the air's refraction alone is worth several. The sun counts as risen while its
//! upper edge is seen over a level horizon: 0.833° below it for its middle.

/// A place on earth, in degrees of WGS 84.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// North of the equator, −90 to 90.
    pub latitude: f64,
    /// East of Greenwich, −180 to 180.
    pub longitude: f64,
}

/// What the sun does at the horizon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crossing {
    /// It comes up.
    Sunrise,
    /// It goes down.
    Sunset,
}

/// What kind of day it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Daylight {
    /// The sun rises and sets.
    DayAndNight,
    /// The sun does not set.
    PolarDay,
    /// The sun does not rise.
    PolarNight,
}

const DAY_MS: i64 = 86_400_000;
const MINUTE_MS: i64 = 60_000;
/// Milliseconds in which the sun wanders over a degree of longitude.
const DEGREE_MS: f64 = 240_000.0;
/// Where the middle of the sun stands when its upper edge is seen at the horizon.
const ZENITH_DEG: f64 = 90.833;
/// 2000-01-01T12:00:00Z.
const J2000_MS: i64 = 946_728_000_000;
const CENTURY_MS: f64 = 36_525.0 * 86_400_000.0;
/// A crossing moves the sun it is computed from by less than a second after so many rounds.
const ROUNDS: u32 = 4;

impl Place {
    /// Noon of the mean sun on a day counted from 1970-01-01, UTC in milliseconds.
    #[must_use]
    pub fn mean_noon_ms(&self, day: i64) -> i64 {
        day * DAY_MS + DAY_MS / 2 - whole(self.longitude * DEGREE_MS)
    }

    /// The day whose [`mean_noon_ms`](Self::mean_noon_ms) is nearest to a time.
    #[must_use]
    pub fn day_of(&self, unix_ms: i64) -> i64 {
        unix_ms
            .saturating_add(whole(self.longitude * DEGREE_MS))
            .div_euclid(DAY_MS)
    }

    /// The sunrise before a day's noon or the sunset after it, UTC in milliseconds, to the minute.
    ///
    /// Where the sun does not set, both are the midnight of the sun before and
    /// after that noon; where it does not rise, both are the noon: what they
    /// tend to when the days become longer or shorter.
    #[must_use]
    pub fn crossing_ms(&self, day: i64, crossing: Crossing) -> i64 {
        let noon_ms = self.mean_noon_ms(day);
        let mut at_ms = noon_ms;
        for _ in 0..ROUNDS {
            let sun = Sun::at(at_ms);
            let away_ms = sun.half_day_deg(self.latitude).1 * DEGREE_MS;
            let away_ms = match crossing {
                Crossing::Sunrise => -away_ms,
                Crossing::Sunset => away_ms,
            };
            at_ms = noon_ms + whole(away_ms - sun.ahead_ms());
        }
        (at_ms + MINUTE_MS / 2).div_euclid(MINUTE_MS) * MINUTE_MS
    }

    /// Whether the sun rises and sets around a day's noon.
    #[must_use]
    pub fn daylight(&self, day: i64) -> Daylight {
        Sun::at(self.mean_noon_ms(day))
            .half_day_deg(self.latitude)
            .0
    }
}

/// The sun as the whole earth sees it.
struct Sun {
    declination_rad: f64,
    /// By how much true noon is before mean noon, in minutes.
    equation_of_time_min: f64,
}

impl Sun {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a millisecond is far more than needed"
    )]
    fn at(unix_ms: i64) -> Self {
        let t = unix_ms.saturating_sub(J2000_MS) as f64 / CENTURY_MS;
        let longitude = (280.466_46 + t * (36_000.769_83 + t * 0.000_303_2)).to_radians();
        let anomaly = (357.529_11 + t * (35_999.050_29 - t * 0.000_153_7)).to_radians();
        let eccentricity = 0.016_708_634 - t * (0.000_042_037 + t * 0.000_000_126_7);
        let centre_deg = anomaly.sin() * (1.914_602 - t * (0.004_817 + t * 0.000_014))
            + (2.0 * anomaly).sin() * (0.019_993 - t * 0.000_101)
            + (3.0 * anomaly).sin() * 0.000_289;
        let node = (125.04 - 1_934.136 * t).to_radians();
        let apparent_deg = longitude.to_degrees() + centre_deg - 0.005_69 - 0.004_78 * node.sin();
        let seconds = 21.448 - t * (46.815 + t * (0.000_59 - t * 0.001_813));
        let obliquity_deg = 23.0 + (26.0 + seconds / 60.0) / 60.0 + 0.002_56 * node.cos();
        let obliquity = obliquity_deg.to_radians();
        let y = (obliquity / 2.0).tan().powi(2);
        let equation = y * (2.0 * longitude).sin() - 2.0 * eccentricity * anomaly.sin()
            + 4.0 * eccentricity * y * anomaly.sin() * (2.0 * longitude).cos()
            - 0.5 * y * y * (4.0 * longitude).sin()
            - 1.25 * eccentricity * eccentricity * (2.0 * anomaly).sin();
        Self {
            declination_rad: (obliquity.sin() * apparent_deg.to_radians().sin()).asin(),
            equation_of_time_min: 4.0 * equation.to_degrees(),
        }
    }

    fn ahead_ms(&self) -> f64 {
        self.equation_of_time_min * 60_000.0
    }

    /// How far the earth turns between noon and a crossing, 0 to 180 degrees.
    fn half_day_deg(&self, latitude_deg: f64) -> (Daylight, f64) {
        let latitude = latitude_deg.to_radians();
        let cosine = ZENITH_DEG.to_radians().cos() / (latitude.cos() * self.declination_rad.cos())
            - latitude.tan() * self.declination_rad.tan();
        if cosine >= 1.0 {
            (Daylight::PolarNight, 0.0)
        } else if cosine <= -1.0 {
            (Daylight::PolarDay, 180.0)
        } else {
            (Daylight::DayAndNight, cosine.acos().to_degrees())
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "at most a day in milliseconds"
)]
fn whole(ms: f64) -> i64 {
    ms.round() as i64
}

#[cfg(test)]
mod tests;
