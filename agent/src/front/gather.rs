//! From ledger, health and settings to what the display says.

use super::board::Shown;
use crate::desk::Desk;
use crate::enrol::EnrolState;
use crate::health;
use crate::lent::Lent;
use crate::schedule::DAY_MS;
use crate::screen::{
    Battery, Check, Doing, Facts, Insects, Invitation, LastDay, NextPicture, Problem, Queue,
    SdCard, TimeOfDay, Today,
};
use jiff::tz::{Offset, TimeZone};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use trapline_hal::battery::gate::Level;
use trapline_hal::{ClockQuality, Stamp};
use trapline_store::{OsDisk, StoreError, Summary, View};
use trapline_wire::arrivals::Count;

/// A ledger that takes longer is left out this time.
const DEADLINE: Duration = Duration::from_secs(5);
/// A verdict stays among the pages for so long.
const VERDICT: Duration = Duration::from_mins(10);
const HOUR_MS: i64 = 3_600_000;

/// What of the ledger is shown.
#[derive(Debug, Clone, Default)]
struct FromLedger {
    summary: Summary,
    arrivals: Option<Count>,
}

/// Gathers facts with a view of its own, so that no stage waits for it.
pub(super) struct Gatherer {
    desk: Desk,
    folder: Option<PathBuf>,
    view: Lent<Option<View>>,
    last: FromLedger,
}

impl Gatherer {
    pub(super) fn new(desk: Desk) -> Self {
        Self {
            desk,
            folder: None,
            view: Lent::of(None),
            last: FromLedger::default(),
        }
    }

    /// Everything that the pages say now. While nobody looks, what changes from minute to
    /// minute is left out.
    pub(super) async fn gather(&mut self, shown: &Shown, is_looked_at: bool) -> Facts {
        let stamp = self.desk.clock.stamp();
        self.read(&stamp).await;
        let health = self.desk.health.facts();
        let doing = self.doing(&health, &stamp);
        Facts {
            trap: self.desk.config.trap.name.clone(),
            doing: match doing {
                Doing::Shooting | Doing::Looking | Doing::Sending if !is_looked_at => {
                    Doing::Waiting
                }
                Doing::Starting
                | Doing::Waiting
                | Doing::Shooting
                | Doing::Looking
                | Doing::Sending
                | Doing::Saving
                | Doing::Stopping => doing,
            },
            next: next_picture(&health, &stamp, self.desk.config.schedule.utc_offset_ms()),
            today: today(&self.last, self.desk.config.detector.enabled),
            queue: queue(&self.last.summary, &health, &stamp),
            battery: battery(&health),
            sd_card: SdCard {
                free_bytes: health.card_free_bytes.unwrap_or(0),
                hours_left: health.card_hours_left,
            },
            last_day: last_day(&health, &stamp, self.desk.config.schedule.utc_offset_ms()),
            check: check(shown),
            problems: problems(&health),
            invitation: shown.invitation.clone().or_else(|| enrolment(&health)),
        }
    }

    /// Reads the ledger; what cannot be read stays as it was.
    async fn read(&mut self, stamp: &Stamp) {
        let folder = match &self.folder {
            Some(folder) => folder.clone(),
            None => {
                let folder = |ledger: &mut trapline_store::Ledger| Ok(ledger.folder().to_owned());
                match self.desk.books.with(folder).await {
                    Ok(folder) => self.folder.insert(folder).clone(),
                    Err(error) => {
                        log::debug!("the display cannot find the ledger: {}", error.in_full());
                        return;
                    }
                }
            }
        };
        let offset_ms = self.desk.config.schedule.utc_offset_ms();
        let local_ms = stamp.unix_ms.saturating_add(offset_ms);
        let midnight_ms = stamp.unix_ms.saturating_sub(local_ms.rem_euclid(DAY_MS));
        let read = self
            .view
            .job(self.desk.hands, DEADLINE, move |view| {
                let read = look_up(view, &folder, midnight_ms);
                if read.is_err() {
                    *view = None;
                }
                read
            })
            .await;
        match read {
            Ok(Ok(read)) => self.last = read,
            Ok(Err(error)) => log::debug!("the display cannot read the ledger: {error}"),
            Err(not_back) => log::debug!("the display cannot read the ledger: {not_back:?}"),
        }
    }

    fn doing(&self, health: &health::Facts, stamp: &Stamp) -> Doing {
        let summary = &self.last.summary;
        let config = &self.desk.config;
        let is_sending = config.server.is_some()
            && health.sync_error.is_none()
            && summary.records_waiting + summary.pictures_waiting > 0;
        let is_due = health
            .next_due_ms
            .is_some_and(|due_ms| due_ms <= stamp.unix_ms);
        if self.desk.stop.is_asked() {
            Doing::Stopping
        } else if health.next_due_ms.is_none() && health.idle.is_none() {
            Doing::Starting
        } else if is_saving(health) {
            Doing::Saving
        } else if is_due {
            Doing::Shooting
        } else if config.detector.enabled && summary.inspections_waiting > 0 {
            Doing::Looking
        } else if is_sending {
            Doing::Sending
        } else {
            Doing::Waiting
        }
    }
}

fn look_up(
    view: &mut Option<View>,
    folder: &std::path::Path,
    midnight_ms: i64,
) -> Result<FromLedger, StoreError> {
    let view = match view {
        Some(view) => view,
        none => none.insert(View::open(folder, Arc::new(OsDisk))?),
    };
    let today = view.arrivals(midnight_ms, DAY_MS, 1)?;
    Ok(FromLedger {
        summary: view.summary(midnight_ms)?,
        arrivals: today.first().and_then(|interval| interval.arrivals),
    })
}

fn is_saving(health: &health::Facts) -> bool {
    health
        .battery
        .is_some_and(|battery| battery.level >= Level::Refuse)
}

/// Times of day are told only by a clock that knows them.
fn is_trusted(stamp: &Stamp) -> bool {
    stamp.quality >= ClockQuality::Rtc
}

fn next_picture(health: &health::Facts, stamp: &Stamp, offset_ms: i64) -> Option<NextPicture> {
    let due_ms = health.next_due_ms?;
    let ahead_ms = due_ms.saturating_sub(stamp.unix_ms).max(0);
    let minutes = ahead_ms.saturating_add(59_999) / 60_000;
    let minute_of_day = due_ms.saturating_add(offset_ms).rem_euclid(DAY_MS) / 60_000;
    let time = || {
        Some(TimeOfDay {
            hour: u8::try_from(minute_of_day / 60).ok()?,
            minute: u8::try_from(minute_of_day % 60).ok()?,
        })
    };
    Some(NextPicture {
        in_minutes: u32::try_from(minutes).unwrap_or(u32::MAX),
        at: is_trusted(stamp).then(time).flatten(),
    })
}

fn today(read: &FromLedger, is_looked_for: bool) -> Today {
    let missed: u64 = read.summary.missed_since.values().sum();
    let insects = read
        .arrivals
        .filter(|_| is_looked_for)
        .map(|count| Insects {
            counted: count.counted,
            low: count.low,
            high: count.high,
        });
    Today {
        pictures: small(read.summary.captures_since),
        insects,
        missed: small(missed),
    }
}

fn queue(summary: &Summary, health: &health::Facts, stamp: &Stamp) -> Queue {
    let ago = |then_ms: i64| stamp.unix_ms.saturating_sub(then_ms).max(0) / 60_000;
    Queue {
        pictures: summary.pictures_waiting,
        records: summary.records_waiting,
        last_sync_minutes: health
            .last_sync_ms
            .and_then(|ms| u64::try_from(ago(ms)).ok()),
    }
}

fn battery(health: &health::Facts) -> Option<Battery> {
    let battery = health.battery?;
    Some(Battery {
        percent: rounded(battery.percent.clamp(0.0, 100.0)),
        hours_left: battery.hours_left.map(whole_hours),
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the caller keeps it within 0 to 100"
)]
fn rounded(percent: f64) -> u8 {
    percent.round() as u8
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from float saturates"
)]
fn whole_hours(hours: f64) -> u32 {
    hours.max(0.0) as u32
}

fn last_day(health: &health::Facts, stamp: &Stamp, offset_ms: i64) -> Option<LastDay> {
    let battery_hours = health.battery.and_then(|battery| battery.hours_left);
    let hours = [battery_hours.map(whole_hours), health.card_hours_left];
    let hours = hours
        .into_iter()
        .flatten()
        .min()
        .filter(|_| is_trusted(stamp))?;
    let end_ms = stamp
        .unix_ms
        .checked_add(i64::from(hours).checked_mul(HOUR_MS)?)?
        .checked_add(offset_ms)?;
    let utc = TimeZone::fixed(Offset::UTC);
    let end = jiff::Timestamp::from_millisecond(end_ms)
        .ok()?
        .to_zoned(utc);
    Some(LastDay {
        month: u8::try_from(end.month()).ok()?,
        day: u8::try_from(end.day()).ok()?,
    })
}

/// A check that runs, or whose verdict somebody may still want to read.
fn check(shown: &Shown) -> Option<Check> {
    let is_fresh = |at: Instant| at.elapsed() < VERDICT;
    match &shown.check {
        Some(Check::Over { .. }) if !shown.check_at.is_some_and(is_fresh) => None,
        check => check.clone(),
    }
}

/// The faults, those that cost pictures first.
fn problems(health: &health::Facts) -> Vec<Problem> {
    const ORDER: [&str; 9] = [
        "camera", "disk", "card", "charge", "clock", "lamp", "ledger", "enrol", "server",
    ];
    let rank = |part: &str| {
        let place = ORDER.iter().position(|known| *known == part);
        place.unwrap_or(ORDER.len())
    };
    let mut faults: Vec<_> = health.faults.values().collect();
    faults.sort_by_key(|fault| rank(&fault.part));
    faults
        .into_iter()
        .map(|fault| Problem {
            part: fault.part.clone(),
            words: fault.message.clone(),
        })
        .collect()
}

/// What to scan while the trap waits to be accepted.
fn enrolment(health: &health::Facts) -> Option<Invitation> {
    let facts = health.enrolment.as_ref()?;
    if facts.state != EnrolState::Pending {
        return None;
    }
    let address = format!("{}/enrolment", facts.server);
    Some(Invitation {
        what: "enrol".to_owned(),
        scan: format!("{address}?code={}", facts.code),
        address,
        code: facts.code.clone(),
    })
}

fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
