//! `[trap] latitude` and `longitude`: where the trap stands.

use super::check::Checker;

pub use crate::sun::Place;

impl Checker<'_> {
    pub(super) fn place(&mut self) -> Option<Place> {
        let latitude = self.degrees("trap.latitude", 90.0);
        let longitude = self.degrees("trap.longitude", 180.0);
        let (missing, other) = match (latitude, longitude) {
            (Some(latitude), Some(longitude)) => {
                return Some(Place {
                    latitude,
                    longitude,
                });
            }
            (None, None) => return None,
            (Some(_), None) => ("trap.longitude", "trap.latitude"),
            (None, Some(_)) => ("trap.latitude", "trap.longitude"),
        };
        if self.text(missing).is_empty() {
            let message = format!("`{missing}` is not set but `{other}` is; a place needs both");
            self.complain(missing, message);
        }
        None
    }

    fn degrees(&mut self, key: &str, most: f64) -> Option<f64> {
        let text = self.text(key);
        if text.is_empty() {
            return None;
        }
        let degrees = text.trim().parse::<f64>().ok();
        let degrees = degrees.filter(|degrees| degrees.abs() <= most);
        if degrees.is_none() {
            let message = format!(
                "`{key}` needs degrees between -{most} and {most} with a point, like \"47.3769\", \
                 not {text:?}"
            );
            self.complain(key, message);
        }
        degrees
    }
}
