//! Clocks that go on without the trap: which there are, what a wrong one looks
//! like, and how fast it runs.
//!
//! Everything here is pure. `pi/rtc.rs` reads the kernel's clocks, and
//! `drivers/witty_pi4.rs` the one on that board.

pub mod drift;

use crate::error::DeviceError;
use std::fmt;

/// A clock that goes wrong by more than this, in seconds for each second, is broken.
pub(crate) const RATE_ERROR_MAX: f64 = 500e-6;
/// Two readings in whole seconds differ by up to this without meaning anything.
pub(crate) const READING_ERROR_S: f64 = 2.0;
/// A clock that says the same for so long stands still.
const STANDS_STILL_MS: u64 = 3_000;

/// A battery-backed clock, as the kernel names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RtcKind {
    /// The clock in a Raspberry Pi 5, driver `rpi-rtc`.
    RaspberryPi5,
    /// Maxim DS3231, driver `rtc-ds1307` with the chip's name beside it.
    Ds3231,
    /// NXP PCF8563, driver `rtc-pcf8563`.
    Pcf8563,
    /// NXP PCF85063, driver `rtc-pcf85063`.
    Pcf85063,
    /// Another, by the kernel's name.
    Other(String),
}

impl RtcKind {
    /// The clock that the kernel calls `name` (driver and place, as
    /// `rtc-ds1307 1-0068`) and whose chip it calls `chip`, where it tells.
    #[must_use]
    pub fn named(name: &str, chip: Option<&str>) -> Self {
        let driver = name.split_whitespace().next().unwrap_or_default();
        match (driver, chip) {
            ("rpi-rtc", _) => Self::RaspberryPi5,
            (_, Some("ds3231")) => Self::Ds3231,
            (_, Some("pcf85063" | "pcf85063a" | "pcf85063tp")) | ("rtc-pcf85063", _) => {
                Self::Pcf85063
            }
            (_, Some("pcf8563")) | ("rtc-pcf8563", _) => Self::Pcf8563,
            (_, Some(chip)) => Self::Other(chip.to_owned()),
            (driver, None) => Self::Other(driver.to_owned()),
        }
    }

    /// To how many seconds its alarm can be set: a PCF8563 compares minutes.
    #[must_use]
    pub fn alarm_step_s(&self) -> i64 {
        match self {
            Self::Pcf8563 => 60,
            Self::RaspberryPi5 | Self::Ds3231 | Self::Pcf85063 | Self::Other(_) => 1,
        }
    }

    /// What lets it wake the trap, for a person who edits `config.txt`.
    #[must_use]
    pub fn wake_remedy(&self) -> &'static str {
        match self {
            Self::RaspberryPi5 => {
                "set POWER_OFF_ON_HALT=1 with `rpi-eeprom-config --edit`, and update the kernel"
            }
            Self::Ds3231 => {
                "add `wakeup-source` to its line in config.txt (`dtoverlay=i2c-rtc,ds3231,wakeup-source`)"
            }
            Self::Pcf8563 => {
                "add `wakeup-source` to its line in config.txt (`dtoverlay=i2c-rtc,pcf8563,wakeup-source`)"
            }
            Self::Pcf85063 => {
                "add `wakeup-source` to its line in config.txt (`dtoverlay=i2c-rtc,pcf85063,wakeup-source`)"
            }
            Self::Other(_) => "use another clock, or another way to wake",
        }
    }
}

impl fmt::Display for RtcKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RaspberryPi5 => "Raspberry Pi 5 clock",
            Self::Ds3231 => "DS3231",
            Self::Pcf8563 => "PCF8563",
            Self::Pcf85063 => "PCF85063",
            Self::Other(name) => name,
        })
    }
}

/// A battery-backed clock that can be read and set.
pub trait BackupClock: Send {
    /// Which it is, for people.
    fn name(&self) -> String;

    /// What it says, whole seconds since 1970.
    ///
    /// # Errors
    /// When it does not answer, or knows that it lost its time.
    fn read(&mut self) -> Result<i64, DeviceError>;

    /// Sets it, and reads it back.
    ///
    /// # Errors
    /// When it did not take the time, or says another afterwards.
    fn set(&mut self, unix_s: i64) -> Result<(), DeviceError>;
}

/// What is wrong between two readings of a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RtcJump {
    /// It says an earlier time than before.
    Backwards {
        /// By how much.
        by_s: i64,
    },
    /// It went ahead of, or fell behind, the time that passed.
    Leapt {
        /// By how much; negative is behind.
        by_s: i64,
    },
    /// It says the same although time passed.
    StandsStill,
}

impl fmt::Display for RtcJump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Backwards { by_s } => write!(
                f,
                "the clock went back by {by_s} s; replace its battery, then set it"
            ),
            Self::Leapt { by_s } => {
                let way = if *by_s < 0 { "behind" } else { "ahead" };
                write!(
                    f,
                    "the clock leapt {way} by {} s; was it set, or is its battery empty?",
                    by_s.unsigned_abs()
                )
            }
            Self::StandsStill => {
                f.write_str("the clock stands still; set it once, else replace it")
            }
        }
    }
}

/// Whether a clock that said `before_s` and now says `after_s` jumped.
///
/// `passed_ms` is the time between by a clock that never jumps, in the same
/// boot. Over a boot it is not known, and only a clock that went back shows.
#[must_use]
pub fn jump(before_s: i64, after_s: i64, passed_ms: Option<u64>) -> Option<RtcJump> {
    let went_s = after_s.saturating_sub(before_s);
    if went_s < 0 {
        let by_s = went_s.saturating_neg();
        return Some(RtcJump::Backwards { by_s });
    }
    let passed_ms = passed_ms?;
    if went_s == 0 && passed_ms >= STANDS_STILL_MS {
        return Some(RtcJump::StandsStill);
    }
    let passed_s = passed_ms as f64 / 1_000.0;
    let by_s = went_s as f64 - passed_s;
    let honest_s = READING_ERROR_S + RATE_ERROR_MAX * passed_s;
    (by_s.abs() > honest_s).then(|| RtcJump::Leapt {
        by_s: crate::robust::whole(by_s.round()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn kinds_are_told_by_the_kernels_names() {
        let cases = [
            ("rpi-rtc soc:rpi_rtc", None, RtcKind::RaspberryPi5),
            ("rtc-ds1307 1-0068", Some("ds3231"), RtcKind::Ds3231),
            (
                "rtc-ds1307 1-0068",
                Some("ds1307"),
                RtcKind::Other("ds1307".into()),
            ),
            ("rtc-pcf8563 1-0051", Some("pcf8563"), RtcKind::Pcf8563),
            ("rtc-pcf8563 1-0051", None, RtcKind::Pcf8563),
            ("rtc-pcf85063 1-0051", Some("pcf85063a"), RtcKind::Pcf85063),
            ("rtc-efi rtc-efi.0", None, RtcKind::Other("rtc-efi".into())),
            ("", None, RtcKind::Other(String::new())),
        ];
        for (name, chip, kind) in cases {
            assert_eq!(RtcKind::named(name, chip), kind, "{name}");
        }
    }

    #[test]
    fn jumps_of_each_kind() {
        let hour = Some(3_600_000);
        assert_eq!(jump(1_000, 4_600, hour), None);
        assert_eq!(jump(1_000, 4_603, hour), None, "two seconds and 500 ppm");
        assert_eq!(jump(1_000, 4_610, hour), Some(RtcJump::Leapt { by_s: 10 }));
        assert_eq!(
            jump(1_000, 4_000, hour),
            Some(RtcJump::Leapt { by_s: -600 })
        );
        assert_eq!(jump(1_000, 1_000, Some(2_000)), None, "too soon to tell");
        assert_eq!(jump(1_000, 1_000, Some(3_000)), Some(RtcJump::StandsStill));
        let back = Some(RtcJump::Backwards { by_s: 400 });
        assert_eq!(jump(1_000, 600, None), back, "over a boot too");
        assert_eq!(jump(1_000, 900_000, None), None, "it was off for long");
        let words = jump(1_000, 4_000, hour).unwrap().to_string();
        assert!(
            words.starts_with("the clock leapt behind by 600 s"),
            "{words}"
        );
    }

    proptest! {
        #[test]
        fn an_honest_clock_never_jumps(
            start_s in 0..4_000_000_000_i64,
            fraction_ms in 0..1_000_u64,
            passed_ms in 5_000..90_000_000_u64,
            ppm in -400_i64..400,
        ) {
            let went_ms = i64::try_from(passed_ms + fraction_ms).unwrap();
            let went_ms = went_ms + went_ms * ppm / 1_000_000;
            prop_assert_eq!(jump(start_s, start_s + went_ms / 1_000, Some(passed_ms)), None);
        }
    }
}
