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

/// Reads what there is at `now_ms`.
///
/// # Errors
/// When the ledger cannot be read.
pub fn read(view: &View, config: &Config, now_ms: i64) -> Result<Forecasts, StoreError> {
    let charges = charges(view, config, now_ms)?;
    let now_s = now_ms.div_euclid(1_000);
    let points: Vec<ChargeAt> = charges
        .iter()
        .map(|(unix_s, charge)| ChargeAt {
            unix_s: *unix_s,
            percent: charge.percent,
        })
        .collect();
    let newest = charges.last().filter(|(unix_s, _)| now_s - unix_s <= 3_600);
    let usage = view.usage()?;
    // What is safe on the server makes room when it is needed, and half of what has to
    // stay free is never written with pictures.
    let room_bytes = usage
        .free_bytes
        .saturating_add(usage.prunable_bytes)
        .saturating_sub(config.ledger.free_bytes_min / 2);
    let room = room_over_time(view, room_bytes, now_ms)?;
    Ok(Forecasts {
        trend: battery::forecast::forecast(
            &points,
            config.power.thresholds.shutdown_percent,
            now_s,
        ),
        charge: newest.map(|(_, charge)| *charge),
        card: card::forecast(&room, now_s),
        free_bytes: usage.free_bytes,
    })
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
