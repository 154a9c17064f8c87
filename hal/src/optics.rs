//! How a camera is told to look: exposure, gain, focus and white. Each of them
//! by itself or fixed; a fixed one makes the pictures of a season comparable.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// What a camera is told, whichever it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Optics {
    /// How long to expose, in microseconds; `None` leaves it to the camera.
    pub exposure_us: Option<u32>,
    /// The camera's own measure of amplification; `None` leaves it to the camera.
    pub gain: Option<f64>,
    /// Where to focus.
    pub focus: Focus,
    /// What is white.
    pub white: White,
}

/// Where to focus.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub enum Focus {
    /// The camera finds it; one without a motor stays where it was screwed.
    #[default]
    Auto,
    /// The lens stays there: dioptres at the ribbon cable, the camera's own measure at USB.
    At(f64),
}

/// What is taken to be white.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub enum White {
    /// The camera guesses it from the picture.
    #[default]
    Auto,
    /// The light that it is lit by.
    Under(Light),
    /// A colour temperature in kelvin; only cameras at USB know it.
    Kelvin(u32),
    /// Factors of red and blue; only cameras at the ribbon cable know them.
    Gains {
        /// Red against green.
        red: f64,
        /// Blue against green.
        blue: f64,
    },
}

/// A part of the field, in parts of its width and height.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Region {
    /// What is left out on the left.
    pub left: f64,
    /// What is left out above.
    pub top: f64,
    /// What is kept of the width.
    pub width: f64,
    /// What is kept of the height.
    pub height: f64,
}

/// Lights that cameras know by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Light {
    /// A bulb.
    Incandescent,
    /// A halogen lamp.
    Tungsten,
    /// A tube.
    Fluorescent,
    /// A room.
    Indoor,
    /// The sun.
    Daylight,
    /// A covered sky.
    Cloudy,
}

/// Colour temperatures that cameras understand at all.
const KELVIN: std::ops::RangeInclusive<u32> = 1_000..=20_000;

impl Light {
    /// Every light, with the word for it and its usual colour temperature.
    pub const ALL: [(&'static str, Self, u32); 6] = [
        ("incandescent", Self::Incandescent, 2_700),
        ("tungsten", Self::Tungsten, 3_000),
        ("fluorescent", Self::Fluorescent, 4_000),
        ("indoor", Self::Indoor, 3_500),
        ("daylight", Self::Daylight, 5_500),
        ("cloudy", Self::Cloudy, 6_500),
    ];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, light, _)| *light == self);
        found.map_or("auto", |(word, _, _)| word)
    }

    /// Its usual colour temperature in kelvin.
    #[must_use]
    pub fn kelvin(self) -> u32 {
        let found = Self::ALL.iter().find(|(_, light, _)| *light == self);
        found.map_or(5_500, |(_, _, kelvin)| *kelvin)
    }
}

/// What is no setting of a camera.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoOptics {
    /// No focus.
    #[error("write \"auto\" or where the lens stays, like \"4.5\", not {0:?}")]
    Focus(String),
    /// No region.
    #[error(
        "write left, top, width and height in parts of the whole, like \"0.25,0.25,0.5,0.5\" for the middle, not {0:?}"
    )]
    Region(String),
    /// No white.
    #[error(
        "write \"auto\", a light like \"daylight\" or \"indoor\", kelvin like \"4600\" for a camera at USB, or factors of red and blue like \"1.9,1.4\" for one at the ribbon cable, not {0:?}"
    )]
    White(String),
}

impl FromStr for Focus {
    type Err = NoOptics;

    fn from_str(text: &str) -> Result<Self, NoOptics> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let place = positive(text).ok_or_else(|| NoOptics::Focus(text.to_owned()))?;
        Ok(Self::At(place))
    }
}

impl FromStr for White {
    type Err = NoOptics;

    fn from_str(text: &str) -> Result<Self, NoOptics> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        if let Some((_, light, _)) = Light::ALL.iter().find(|(word, ..)| *word == text) {
            return Ok(Self::Under(*light));
        }
        let no_white = || NoOptics::White(text.to_owned());
        if let Some((red, blue)) = text.split_once(',') {
            let gains = positive(red.trim()).zip(positive(blue.trim()));
            let (red, blue) = gains.ok_or_else(no_white)?;
            return Ok(Self::Gains { red, blue });
        }
        let kelvin = text.trim_end_matches(['K', 'k']).parse().ok();
        let kelvin = kelvin.filter(|kelvin| KELVIN.contains(kelvin));
        kelvin.map(Self::Kelvin).ok_or_else(no_white)
    }
}

impl FromStr for Region {
    type Err = NoOptics;

    fn from_str(text: &str) -> Result<Self, NoOptics> {
        let numbers: Option<Vec<f64>> = text.split(',').map(|part| positive(part.trim())).collect();
        let region = match numbers.as_deref() {
            Some(&[left, top, width, height]) => Some(Self {
                left,
                top,
                width,
                height,
            }),
            _ => None,
        };
        let is_inside = |r: &Self| {
            let is_something = r.width > 0.0 && r.height > 0.0;
            is_something && r.left + r.width <= 1.0 && r.top + r.height <= 1.0
        };
        let region = region.filter(is_inside);
        region.ok_or_else(|| NoOptics::Region(text.to_owned()))
    }
}

fn positive(text: &str) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_focus_and_white() {
        assert_eq!("auto".parse(), Ok(Focus::Auto));
        assert_eq!("4.5".parse(), Ok(Focus::At(4.5)));
        assert_eq!("auto".parse(), Ok(White::Auto));
        assert_eq!("daylight".parse(), Ok(White::Under(Light::Daylight)));
        assert_eq!("4600".parse(), Ok(White::Kelvin(4_600)));
        let gains = White::Gains {
            red: 1.9,
            blue: 1.4,
        };
        assert_eq!("1.9, 1.4".parse(), Ok(gains));
        for wrong in ["", "near", "-1", "nan"] {
            assert!(wrong.parse::<Focus>().is_err(), "{wrong}");
        }
        for wrong in ["", "moonlight", "40", "1.9,", "-1,2"] {
            assert!(wrong.parse::<White>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_region_lies_in_the_field() {
        let middle: Region = "0.25, 0.25, 0.5, 0.5".parse().unwrap();
        assert!((middle.left - 0.25).abs() < f64::EPSILON);
        for wrong in ["", "0,0,1", "0.6,0,0.5,1", "0,0,0,1", "0,0,1,1,1"] {
            assert!(wrong.parse::<Region>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn each_light_has_its_word_and_its_kelvin() {
        for (word, light, kelvin) in Light::ALL {
            assert_eq!((light.word(), light.kelvin()), (word, kelvin));
        }
    }
}
