//! The care of the battery-backed clock: what it says, whether it jumped, how
//! fast it runs, and setting it while the trap knows the time.
//!
//! Captures never wait for it: a clock that hangs, jumps or is gone is a fault
//! in words and nothing else.

use crate::desk::Desk;
use crate::health::RtcFacts;
use crate::lent::{Lent, NotBack};
use crate::stage::{StageError, device_words};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use trapline_hal::rtc::drift::{ClockPair, drift};
use trapline_hal::rtc::{BackupClock, RtcJump, jump};
use trapline_hal::{ClockQuality, DeviceError, FaultKind, Stamp};

/// Finds the clock, anew for each look: it may have been plugged in meanwhile.
pub type OpenRtc = Box<dyn FnMut() -> Result<Box<dyn BackupClock>, DeviceError> + Send>;

/// Part of its faults.
const PART: &str = "rtc";
const META: &str = "rtc";
const LOOK_MS: u64 = 10 * 60_000;
/// Two readings in whole seconds may differ by so much.
const SAME_S: i64 = 2;
/// A clock that does not keep its time is not set more often.
const SET_APART_MS: u64 = 3_600_000;
const PAIR_APART_MS: i64 = 3_600_000;
/// Two days of pairs tell the drift well enough.
const PAIRS_MAX: usize = 48;
const READ_DEADLINE: Duration = Duration::from_secs(5);
/// `hwclock` has ten seconds of its own.
const SET_DEADLINE: Duration = Duration::from_secs(15);
pub(super) const DEADLINES: Duration = Duration::from_secs(20);

/// What is remembered over starts: the last reading, and pairs for the drift.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    said_s: Option<i64>,
    pairs: Vec<(i64, i64)>,
}

pub(super) struct BackupClockCare {
    desk: Desk,
    open: Lent<OpenRtc>,
    kept: Option<Kept>,
    /// What it said, and at which uptime.
    before: Option<(i64, u64)>,
    looked_ms: Option<u64>,
    set_ms: Option<u64>,
}

impl BackupClockCare {
    pub(super) fn new(desk: Desk, open: Option<OpenRtc>) -> Self {
        Self {
            desk,
            open: open.map_or_else(Lent::empty, Lent::of),
            kept: None,
            before: None,
            looked_ms: None,
            set_ms: None,
        }
    }

    /// Looks at the clock, every ten minutes.
    ///
    /// # Errors
    /// When the ledger does not keep what was seen.
    pub(super) async fn look(&mut self, now: &Stamp) -> Result<(), StageError> {
        let is_due = |at: u64| now.uptime_ms.saturating_sub(at) >= LOOK_MS;
        if !self.looked_ms.is_none_or(is_due) || !self.open.is_here() {
            return Ok(());
        }
        self.looked_ms = Some(now.uptime_ms);
        let read = self.read().await;
        // One that lost its time only needs to be set.
        let is_lost = matches!(&read, Err(Some(fault)) if fault.kind == FaultKind::Transient);
        let Some((name, said_s)) = self.believe(read, now) else {
            if is_lost {
                self.set(now).await;
            }
            return Ok(());
        };
        // Reading may have taken its time.
        let now = self.desk.clock.stamp();
        let mut kept = match self.kept.take() {
            Some(kept) => kept,
            None => self.load().await?,
        };
        let jumped = self.jumped(&kept, said_s, &now);
        self.tell(jumped, said_s, &now);
        kept.said_s = Some(said_s);
        self.before = Some((said_s, now.uptime_ms));
        pair(&mut kept, said_s, &now);
        self.note(name, &kept, said_s, &now);
        let text = serde_json::to_string(&kept).unwrap_or_default();
        self.kept = Some(kept);
        let saved = self
            .desk
            .books
            .with(move |ledger| ledger.set_meta(META, &text));
        saved.await?;
        if differs_s(said_s, &now).abs() > SAME_S {
            self.set(&now).await;
        }
        Ok(())
    }

    async fn read(&mut self) -> Result<(String, i64), Option<DeviceError>> {
        let read = self.open.job(self.desk.hands, READ_DEADLINE, |open| {
            let mut clock = open()?;
            Ok((clock.name(), clock.read()?))
        });
        match read.await {
            Ok(read) => read.map_err(Some),
            Err(NotBack::Away) => Err(None),
            Err(NotBack::Hung | NotBack::Panicked(_)) => Err(Some(DeviceError::new(
                PART,
                FaultKind::Transient,
                "the battery-backed clock does not answer; check its wires, or restart the trap",
            ))),
        }
    }

    /// What was read; without a reading the reason becomes a fault, unless
    /// nobody ever said that there is such a clock.
    fn believe(
        &self,
        read: Result<(String, i64), Option<DeviceError>>,
        now: &Stamp,
    ) -> Option<(String, i64)> {
        match read {
            Ok(read) => Some(read),
            Err(fault) => {
                let is_wanted = self.desk.config.clock.rtc.is_some();
                let fault = fault?;
                if is_wanted || fault.kind != FaultKind::Absent {
                    self.raise(&device_words(&fault), now);
                }
                self.desk.health.note(|facts| facts.rtc = None);
                None
            }
        }
    }

    async fn load(&mut self) -> Result<Kept, StageError> {
        let text = self.desk.books.with(|ledger| ledger.get_meta(META)).await?;
        let kept = text.and_then(|text| serde_json::from_str(&text).ok());
        Ok(kept.unwrap_or_default())
    }

    fn jumped(&self, kept: &Kept, said_s: i64, now: &Stamp) -> Option<RtcJump> {
        match self.before {
            Some((before_s, uptime_ms)) => {
                let passed_ms = now.uptime_ms.saturating_sub(uptime_ms);
                jump(before_s, said_s, Some(passed_ms))
            }
            // Over a boot only a clock that went back shows.
            None => jump(kept.said_s?, said_s, None),
        }
    }

    fn tell(&self, jumped: Option<RtcJump>, said_s: i64, now: &Stamp) {
        let is_right = differs_s(said_s, now).abs() <= SAME_S;
        match jumped {
            // The kernel or we set it by a time that is known.
            Some(jumped) if is_right && now.quality == ClockQuality::Synced => {
                log::info!("the battery-backed clock was set: {jumped}");
                self.desk.health.clear(PART);
            }
            Some(jumped) => self.raise(&jumped.to_string(), now),
            None if is_right => self.desk.health.clear(PART),
            None => {}
        }
    }

    fn note(&self, name: String, kept: &Kept, said_s: i64, now: &Stamp) {
        let pairs: Vec<ClockPair> = kept
            .pairs
            .iter()
            .map(|(rtc_unix_s, trusted_unix_ms)| ClockPair {
                rtc_unix_s: *rtc_unix_s,
                trusted_unix_ms: *trusted_unix_ms,
            })
            .collect();
        let facts = RtcFacts {
            name,
            ahead_s: differs_s(said_s, now),
            drift: drift(&pairs).ok().map(|drift| drift.to_string()),
        };
        self.desk.health.note(|all| all.rtc = Some(facts));
    }

    /// Sets the clock, where the trap knows the time and may.
    async fn set(&mut self, now: &Stamp) {
        let is_long_ago = |at: u64| now.uptime_ms.saturating_sub(at) >= SET_APART_MS;
        let is_wanted = self.desk.config.clock.set_rtc
            && now.quality == ClockQuality::Synced
            && self.set_ms.is_none_or(is_long_ago)
            && self.open.is_here();
        if !is_wanted {
            return;
        }
        self.set_ms = Some(now.uptime_ms);
        let clock = std::sync::Arc::clone(&self.desk.clock);
        let set = self.open.job(self.desk.hands, SET_DEADLINE, move |open| {
            let mut rtc = open()?;
            rtc.set(clock.stamp().unix_ms.div_euclid(1_000))
        });
        match set.await {
            Ok(Ok(())) => {
                log::info!("set the battery-backed clock");
                // What it says from now on has nothing to do with what it said.
                self.before = None;
                if let Some(kept) = &mut self.kept {
                    kept.said_s = None;
                }
                self.desk.health.clear(PART);
                self.desk.health.note(|facts| {
                    if let Some(rtc) = &mut facts.rtc {
                        rtc.ahead_s = 0;
                    }
                });
            }
            Ok(Err(fault)) => self.raise(&device_words(&fault), now),
            Err(_) => {
                let why = "the battery-backed clock did not take the time; check its wires";
                self.raise(why, now);
            }
        }
    }

    fn raise(&self, why: &str, now: &Stamp) {
        self.desk.health.raise(PART, why, now.unix_ms);
    }
}

/// How far a clock that says `said_s` is ahead; a whole second stands for its middle.
fn differs_s(said_s: i64, now: &Stamp) -> i64 {
    let said_ms = said_s.saturating_mul(1_000).saturating_add(500);
    let differs_ms = said_ms.saturating_sub(now.unix_ms);
    (differs_ms + 499).div_euclid(1_000)
}

/// Keeps what the clock says beside a time that is known, once an hour.
fn pair(kept: &mut Kept, said_s: i64, now: &Stamp) {
    let last_ms = kept.pairs.last().map(|(_, trusted_ms)| *trusted_ms);
    let is_due = last_ms.is_none_or(|last| now.unix_ms.saturating_sub(last) >= PAIR_APART_MS);
    if now.quality != ClockQuality::Synced || !is_due {
        return;
    }
    kept.pairs.push((said_s, now.unix_ms));
    let surplus = kept.pairs.len().saturating_sub(PAIRS_MAX);
    kept.pairs.drain(..surplus);
}
