//! Where the sun stands, well enough for a trap: a degree or so.

use std::f64::consts::{PI, TAU};

const DAY_MS: f64 = 86_400_000.0;

/// Where a trap hangs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Site {
    /// North is positive.
    pub latitude_deg: f64,
    /// East is positive.
    pub longitude_deg: f64,
}

/// Where the sun stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sun {
    /// Above the horizon; negative at night.
    pub elevation_deg: f64,
    /// Its way over the day: 0 at six in the morning of local solar time, 1 at six in the evening.
    pub way: f64,
    /// Declination, −23.4 (December) to 23.4 (June).
    pub declination_deg: f64,
}

impl Site {
    /// The sun over this place at a time, UTC in milliseconds since 1970.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "a millisecond is far more than needed"
    )]
    pub fn sun(&self, unix_ms: i64) -> Sun {
        let days = unix_ms as f64 / DAY_MS;
        let of_year = (days / 365.2422).fract();
        let declination = (-23.44_f64).to_radians() * (TAU * (of_year + 10.0 / 365.0)).cos();
        let solar_hours = (days.fract() * 24.0 + self.longitude_deg / 15.0).rem_euclid(24.0);
        let hour_angle = (solar_hours - 12.0) * PI / 12.0;
        let latitude = self.latitude_deg.to_radians();
        let sine = latitude.sin() * declination.sin()
            + latitude.cos() * declination.cos() * hour_angle.cos();
        Sun {
            elevation_deg: sine.asin().to_degrees(),
            way: ((solar_hours - 6.0) / 12.0).clamp(0.0, 1.0),
            declination_deg: declination.to_degrees(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-06-21 in Wageningen: sunrise 03:19, noon 11:39, sunset 19:59 UTC, 61.5° at noon.
    #[test]
    fn a_june_day_in_the_netherlands() {
        let site = Site {
            latitude_deg: 51.97,
            longitude_deg: 5.67,
        };
        let midnight_ms = 1_781_913_600_000_i64 + 86_400_000;
        let at = |hours: f64| {
            let offset_ms = crate::world::spans::hours_ms(hours);
            site.sun(midnight_ms + offset_ms).elevation_deg
        };
        assert!((at(11.65) - 61.5).abs() < 1.0, "{}", at(11.65));
        assert!(at(3.0) < 0.0 && at(4.0) > 0.0);
        assert!(at(19.5) > 0.0 && at(20.5) < 0.0);
        assert!(at(0.0) < -10.0);
    }
}
