//! What comes by the schedule.

use super::print;
use crate::boot;
use crate::config::Config;
use crate::schedule::next::NextReport;
use crate::timetable::at_last_place;
use anyhow::Context as _;
use jiff::civil::DateTime;
use std::sync::Arc;
use trapline_hal::{Clock as _, ClockQuality};
use trapline_store::{OsDisk, StoreError, View};

pub(super) fn next(
    config: &Config,
    (count, after): (u16, Option<&str>),
    json: bool,
) -> anyhow::Result<()> {
    let dir = &config.ledger.dir;
    let view = match View::open(dir, Arc::new(OsDisk)) {
        Ok(view) => Some(view),
        Err(StoreError::NoLedger { .. }) => None,
        Err(error) => {
            return Err(error)
                .with_context(|| format!("cannot read the ledger in {}", dir.display()));
        }
    };
    let (schedule, place_from) = at_last_place(config, view.as_ref())?;
    let mut from = boot::power::clock(config).stamp();
    if let Some(text) = after {
        from.unix_ms = local_ms(text, schedule.utc_offset_ms())?;
        from.quality = ClockQuality::Synced;
    }
    let report = NextReport::of(schedule, place_from, &from, usize::from(count));
    print::report(&report, json)
}

/// A moment of local time as people write it.
fn local_ms(text: &str, utc_offset_ms: i64) -> anyhow::Result<i64> {
    let time: DateTime = text.parse().map_err(|_| {
        anyhow::anyhow!("--after needs a time like 2026-12-21 or 2026-12-21T18:00, not {text:?}")
    })?;
    let utc = jiff::tz::Offset::UTC
        .to_timestamp(time)
        .context("--after is out of bounds")?;
    Ok(utc.as_millisecond() - utc_offset_ms)
}
