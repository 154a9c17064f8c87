//! How long battery and card last, from what the ledger holds: so a restart,
//! or a trap that sleeps most of the day, forgets nothing.

use crate::config::Config;
use trapline_hal::Volts;
use trapline_hal::battery::forecast::{ChargeAt, NoForecast, Trend};
use trapline_hal::card::{self, CardForecast, FreeAt, NoCardForecast};
use trapline_hal::{battery, battery::Charge};
use trapline_store::{StoreError, View};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// What a trap wrote longer ago says little about next week.
const CARD_DAYS: i64 = 14;
/// Finer steps than these change no forecast of days.
const CARD_STEP_MS: i64 = 6 * HOUR_MS;
/// A reading each half minute for a day, more than any trap needs.
const READINGS_MAX: u32 = 3_000;

/// What is to be expected.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecasts {
    /// Where the battery's charge is going.
    pub trend: Result<Trend, NoForecast>,
    /// The newest voltage of the last hour, as a charge.
    pub charge: Option<Charge>,
    /// When the card is full of what nobody else has.
    pub card: Result<CardForecast, NoCardForecast>,
    /// Free bytes of the card.
    pub free_bytes: u64,
}

/// What forecasts are made of; making them takes longer than reading it, and
/// the ledger is not held meanwhile.
#[derive(Debug)]
pub struct Basis {
    charges: Vec<(i64, Charge)>,
    room: Vec<FreeAt>,
    free_bytes: u64,
}

impl Basis {
    /// Reads what there is at `now_ms`.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn read(view: &View, config: &Config, now_ms: i64) -> Result<Self, StoreError> {
        let usage = view.usage()?;
        // What is safe on the server makes room when it is needed, and half of what has to
        // stay free is never written with pictures.
        let room_bytes = usage
            .free_bytes
            .saturating_add(usage.prunable_bytes)
            .saturating_sub(config.ledger.free_bytes_min / 2);
        Ok(Self {
            charges: charges(view, config, now_ms)?,
            room: room_over_time(view, room_bytes, now_ms)?,
            free_bytes: usage.free_bytes,
        })
    }

    /// What is to be expected at `now_ms`, of a battery that is empty at so many percent.
    #[must_use]
    pub fn forecasts(&self, empty_percent: f64, now_ms: i64) -> Forecasts {
        let now_s = now_ms.div_euclid(1_000);
        let points = self.charges.iter().map(|(unix_s, charge)| ChargeAt {
            unix_s: *unix_s,
            percent: charge.percent,
        });
        let points: Vec<ChargeAt> = points.collect();
        let newest = self.charges.last();
        let newest = newest.filter(|(unix_s, _)| now_s - unix_s <= 3_600);
        Forecasts {
            trend: battery::forecast::forecast(&points, empty_percent, now_s),
            charge: newest.map(|(_, charge)| *charge),
            card: card::forecast(&self.room, now_s),
            free_bytes: self.free_bytes,
        }
    }
}

/// The charges of the last day, in seconds since 1970.
fn charges(view: &View, config: &Config, now_ms: i64) -> Result<Vec<(i64, Charge)>, StoreError> {
    let Some(battery) = config.power.battery else {
        return Ok(Vec::new());
    };
    let readings = view.battery_since(now_ms - DAY_MS, READINGS_MAX)?;
    let charge = |(unix_ms, volts): (i64, f64)| {
        let charge = battery.chemistry.charge(Volts::new(volts)?, None);
        Some((unix_ms.div_euclid(1_000), charge))
    };
    Ok(readings.into_iter().filter_map(charge).collect())
}

/// How much room there was, as if nothing had ever been removed.
fn room_over_time(view: &View, room_bytes: u64, now_ms: i64) -> Result<Vec<FreeAt>, StoreError> {
    let since_ms = now_ms - CARD_DAYS * DAY_MS;
    let taken = view.taken_since(since_ms, CARD_STEP_MS)?;
    let Some((first_ms, _)) = taken.first() else {
        return Ok(Vec::new());
    };
    let mut room = Vec::new();
    let mut left: u64 = taken.iter().map(|(_, bytes)| bytes).sum();
    let mut steps = taken.iter().peekable();
    let mut at_ms = *first_ms;
    while at_ms < now_ms {
        room.push(FreeAt {
            unix_s: at_ms.div_euclid(1_000),
            free_bytes: room_bytes.saturating_add(left),
        });
        if let Some((_, bytes)) = steps.next_if(|(start_ms, _)| *start_ms == at_ms) {
            left = left.saturating_sub(*bytes);
        }
        at_ms += CARD_STEP_MS;
    }
    room.push(FreeAt {
        unix_s: now_ms.div_euclid(1_000),
        free_bytes: room_bytes,
    });
    Ok(room)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moment::wire_stamp;
    use std::sync::Arc;
    use trapline_hal::{ClockQuality, Stamp};
    use trapline_store::{Ledger, NewCapture, NewReading, OsDisk, Worth};
    use trapline_wire::LedgerId;
    use trapline_wire::v1::{CaptureSource, ShotCause, ShotFacts};

    const NOW_MS: i64 = 1_795_279_200_000;

    fn at(unix_ms: i64) -> trapline_wire::v1::Stamp {
        wire_stamp(&Stamp {
            unix_ms,
            quality: ClockQuality::Rtc,
            boot_id: "boot".to_owned(),
            uptime_ms: 0,
        })
    }

    #[test]
    fn a_ledger_of_three_days_tells_how_long_battery_and_card_last() {
        let folder = tempfile::tempdir().unwrap();
        let now = at(NOW_MS);
        let disk = Arc::new(OsDisk);
        let (mut ledger, _) = Ledger::open(folder.path(), disk, || LedgerId(7), &now).unwrap();
        // A picture of 100 kB each hour; the battery falls by 1 % an hour.
        for back in (0..72).rev() {
            let unix_ms = NOW_MS - back * HOUR_MS;
            let shot = ledger.open_shot(unix_ms, &at(unix_ms)).unwrap();
            let reading = NewReading {
                stamp: at(unix_ms),
                temperature_c: None,
                humidity_percent: None,
                light_lux: None,
                battery_v: Some(11.8 + 0.0145 * back as f64),
            };
            let capture = NewCapture {
                stamp: at(unix_ms),
                source: CaptureSource::Simulated,
                width_px: None,
                height_px: None,
                reading: Some(reading),
                cause: ShotCause::Schedule,
                shot: ShotFacts::default(),
                worth: Worth::Known(None),
            };
            ledger.admit(shot, capture, &vec![7; 100_000]).unwrap();
        }
        let text = "[camera]\nkind = \"none\"\n[power]\nbattery = \"lead-acid-12v\"\n";
        let config = Config::from_text("test", text).unwrap();
        let basis = Basis::read(&ledger, &config, NOW_MS).unwrap();
        let found = basis.forecasts(10.0, NOW_MS);
        let Ok(Trend::Falling { hours_left, .. }) = found.trend else {
            panic!("{:?}", found.trend);
        };
        assert!((17.0..22.0).contains(&hours_left), "{hours_left}");
        assert!((found.charge.unwrap().percent - 29.3).abs() < 1.0);
        let card = found.card.unwrap();
        assert!((2.3e6..2.5e6).contains(&card.bytes_per_day), "{card:?}");
    }
}
