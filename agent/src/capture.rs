//! The capture stage: takes the shot that is due, with light and climate, and
//! admits it to the ledger. Whatever fails, the shot ends with a reason.

mod admit;
mod asked;
mod attract;
pub mod fittings;
mod flash;
mod recovery;
mod sensors;
mod shutter;
mod worth;

use crate::asks::{LampUse, ShotCause};
use crate::desk::Desk;
use crate::effort::{self, Known};
use crate::lent::Lent;
use crate::moment::wire_stamp;
use crate::schedule::{Schedule, Slots};
use crate::stage::{Next, Stage, StageError};
use attract::Attract;
use fittings::Fittings;
use sensors::{Sensors, has_a_value};
use shutter::{Shutter, Wish};
use std::fmt;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use trapline_hal::{Ambient, Camera, ClockQuality, DeviceError, Power, Stamp};
use trapline_store::{NewReading, Planned, Span};
use trapline_wire::CaptureId;
use trapline_wire::v1::MissReason;

/// The clock is looked at this often while waiting, because it may be set.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Sensors are read so long before a slot, so that the picture need not wait for them and a
/// lamp that is lit for it does not shine on the light sensor.
const SENSE_BEFORE_MS: u64 = 1_000;
/// A shot that is in progress when the agent is stopped may go on this long.
const STOP_GRACE: Duration = Duration::from_secs(5);
/// The lamp is not looked after so shortly before a shot.
const TEND_BEFORE_MS: u64 = 15_000;
/// A picture for the ledger.
const KEPT: Wish = Wish {
    only_to_look: false,
    lamp: LampUse::AsUsual,
};
/// When the last shot on a set clock was due, kept while the clock is unset.
const META_TRUE_DUE: &str = "last_true_due_ms";

/// Opens the camera, going on after the replayed file of that name.
pub type OpenCamera = Box<dyn FnMut(Option<&str>) -> Result<Box<dyn Camera>, DeviceError> + Send>;

/// What became of a shot: the capture, or why there is none, in words for people.
pub type Taken = Result<CaptureId, String>;

/// The devices of the stage.
pub struct Devices {
    /// Opens the camera at the first shot, and again after it failed for good.
    pub open_camera: OpenCamera,
    /// Climate and light.
    pub ambient: Box<dyn Ambient>,
    /// The battery.
    pub power: Box<dyn Power>,
    /// Lamps and supplies.
    pub fittings: Fittings,
}

impl fmt::Debug for Devices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Devices").finish_non_exhaustive()
    }
}

/// The stage.
pub struct Capture {
    desk: Desk,
    shutter: Shutter,
    sensors: Sensors,
    attract: Attract,
    /// The one who measures pictures, one at a time.
    measurer: Lent<()>,
    last_due_ms: Option<i64>,
    last_true_due_ms: Option<i64>,
    before: Option<Stamp>,
    /// When the shot in hand began.
    began: Instant,
    /// What the sensors said for the slot that comes next.
    sensed: Option<(i64, NewReading)>,
    is_settled: bool,
    /// The ledger could not be written, so the next gap is not the schedule's doing.
    is_blocked: bool,
}

impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capture").finish_non_exhaustive()
    }
}

impl Capture {
    /// The stage with its devices; none is touched yet.
    #[must_use]
    pub fn new(desk: Desk, devices: Devices) -> Self {
        let mut fittings = devices.fittings;
        let supply = fittings.sensor_supply.take();
        Self {
            attract: Attract::new(desk.clone(), fittings.attract.take()),
            shutter: Shutter::new(desk.clone(), devices.open_camera, &mut fittings),
            sensors: Sensors::new(desk.clone(), (devices.ambient, devices.power), supply),
            measurer: Lent::of(()),
            desk,
            last_due_ms: None,
            last_true_due_ms: None,
            before: None,
            began: Instant::now(),
            sensed: None,
            is_settled: false,
            is_blocked: false,
        }
    }

    /// What the ledger knows of the time before this start.
    async fn settle(&mut self, now: &Stamp) -> Result<(), StageError> {
        let is_unset = now.quality == ClockQuality::Unset;
        let (last, last_true) = self
            .desk
            .books
            .with(move |ledger| {
                let last = ledger.last_due_ms()?;
                let kept = ledger.get_meta(META_TRUE_DUE)?;
                let kept = kept.and_then(|text| text.parse::<i64>().ok());
                let last_true = last.filter(|due| effort::is_true_time(*due)).or(kept);
                // The last row will soon be one of a clock that knows nothing.
                if let Some(due) = last_true.filter(|due| is_unset && Some(*due) != kept) {
                    ledger.set_meta(META_TRUE_DUE, &due.to_string())?;
                }
                Ok((last, last_true))
            })
            .await?;
        self.last_due_ms = last;
        self.last_true_due_ms = last_true;
        self.is_settled = true;
        Ok(())
    }

    /// Takes one shot for the slot `due_ms`, whatever the schedule says. What comes back is the
    /// capture, or why there is none; either is in the ledger then.
    ///
    /// # Errors
    /// When the ledger fails; a device that fails is a missed shot.
    pub async fn shoot(&mut self, due_ms: i64, cause: ShotCause) -> Result<Taken, StageError> {
        log::debug!("a shot, because of {cause:?}");
        self.began = Instant::now();
        let opened = wire_stamp(&self.desk.clock.stamp());
        let planned = self
            .desk
            .books
            .with(move |ledger| ledger.open_shot(due_ms, &opened))
            .await?;
        self.last_due_ms = Some(due_ms);
        let reading = self.sensed.take().filter(|(due, _)| *due == due_ms);
        let reading = match reading {
            Some((_, reading)) => reading,
            None => Box::pin(self.sensors.read()).await,
        };
        self.attract.note_light(reading.light_lux);
        if self.desk.card_full.load(Ordering::Relaxed) {
            let why = "the card has no room for pictures".to_owned();
            return self
                .miss(planned, MissReason::Disk, why, Some(reading))
                .await;
        }
        // Somebody who is there may see a picture all the same.
        let refusal = self.desk.power.battery.refusal(&self.desk.clock.stamp());
        if let Some(why) = refusal.filter(|_| cause != ShotCause::Visit) {
            return self
                .miss(planned, MissReason::Battery, why, Some(reading))
                .await;
        }
        let stop = self.desk.stop.clone();
        let camera_started = Instant::now();
        let frame = tokio::select! {
            biased;
            frame = Box::pin(self.shutter.take_picture(KEPT)) => frame.map_err(|why| (MissReason::Camera, why)),
            () = stop.over(STOP_GRACE) => {
                Err((MissReason::Cut, "the agent was stopped during the shot".to_owned()))
            }
        };
        let camera_ms = camera_started.elapsed().as_millis();
        log::debug!("the camera took {camera_ms} ms");
        match frame {
            // Futures that hold a picture's whole way are kept off the stack of whoever waits for them.
            Ok(frame) => Box::pin(self.admit(planned, frame, reading, cause)).await,
            Err((reason, why)) => self.miss(planned, reason, why, Some(reading)).await,
        }
    }

    async fn miss(
        &mut self,
        planned: Planned,
        reason: MissReason,
        why: String,
        reading: Option<NewReading>,
    ) -> Result<Taken, StageError> {
        log::warn!(due_ms = planned.due_ms(); "missed a shot: {why}");
        let now = wire_stamp(&self.desk.clock.stamp());
        let said = why.clone();
        self.desk
            .books
            .with(move |ledger| {
                ledger
                    .miss(planned, reason, &why, &now)
                    .map_err(|returned| returned.error)?;
                if let Some(reading) = reading.filter(has_a_value) {
                    ledger.record_reading(&reading)?;
                }
                Ok(())
            })
            .await?;
        self.desk.wakes.sync.notify_one();
        Ok(Err(said))
    }

    async fn miss_span(
        &mut self,
        missed: Slots,
        reason: MissReason,
        now: &Stamp,
    ) -> Result<(), StageError> {
        let why = match reason {
            MissReason::Off => "the trap was off or the agent was not running",
            MissReason::Clock => "the clock was set forward over these shots",
            MissReason::Overrun => "the shot before took longer than the interval",
            MissReason::Disk => "the card could not be written",
            MissReason::Camera | MissReason::Cut | MissReason::Battery => "",
        };
        log::warn!(shots = missed.shots; "missed {} shots: {why}", missed.shots);
        let now = wire_stamp(now);
        let span = Span {
            due_ms: missed.first_ms,
            last_due_ms: missed.last_ms,
            shots: missed.shots,
        };
        self.desk
            .books
            .with(move |ledger| ledger.miss_span(span, reason, why, &now))
            .await?;
        self.last_due_ms = Some(missed.last_ms);
        self.desk.wakes.sync.notify_one();
        Ok(())
    }

    fn note_clock(&self, now: &Stamp) {
        let health = &self.desk.health;
        if now.quality == ClockQuality::Unset {
            let why = "the clock was never set; pictures are taken day and night and dated by \
                       uptime until the trap hears the time";
            health.raise("clock", why, now.unix_ms);
        } else {
            health.clear("clock");
        }
    }

    fn note_sun(&self, schedule: &Schedule, now: &Stamp) {
        let is_set = now.quality != ClockQuality::Unset;
        match schedule.trouble(now.unix_ms).filter(|_| is_set) {
            Some(why) => self.desk.health.raise("schedule", &why, now.unix_ms),
            None => self.desk.health.clear("schedule"),
        }
    }

    /// No shot is due, however long it waits.
    fn idle(&self) -> Next {
        let why = "no shot falls into the windows".to_owned();
        self.desk.health.note(|facts| facts.idle = Some(why));
        if self.attract.is_there() {
            Next::Rest(LOOK_EVERY)
        } else {
            Next::RestUntilWoken
        }
    }

    /// A folder was played to its end: only who asks is answered.
    async fn after_the_last(&mut self) -> Result<Next, StageError> {
        if let Some(ask) = self.desk.asks.next() {
            self.answer(ask).await?;
            return Ok(Next::Again);
        }
        let idle = "all pictures of the folder were replayed".to_owned();
        log::info!("{idle}; no more shots are planned");
        self.desk.health.note(|facts| {
            facts.next_due_ms = None;
            facts.idle = Some(idle);
        });
        self.desk.wakes.sync.notify_one();
        Ok(Next::RestUntilWoken)
    }
}

impl Stage for Capture {
    fn name(&self) -> &'static str {
        "capture"
    }

    fn step_limit(&self) -> Duration {
        // All that is tried ends with the deadline; lamps, slack and the ledger have their own time.
        2 * self.desk.config.camera.deadline + sensors::DEADLINE + Duration::from_mins(2)
    }

    fn grace(&self) -> Duration {
        STOP_GRACE + Duration::from_secs(3)
    }

    fn wake<'a>(&self, desk: &'a Desk) -> &'a Notify {
        &desk.wakes.capture
    }

    async fn step(&mut self) -> Result<Next, StageError> {
        if self.is_settled && self.shutter.is_exhausted() {
            return self.after_the_last().await;
        }
        let now = self.desk.clock.stamp();
        self.note_clock(&now);
        self.attract.tend(&now).await;
        if !self.is_settled {
            self.settle(&now).await?;
            // A folder that was played to its end must not miss shots for ever.
            let _said = self.shutter.ready().await;
            if self.shutter.is_exhausted() {
                return Ok(Next::Again);
            }
        }
        let known = Known {
            last_due_ms: self.last_due_ms,
            last_true_due_ms: self.last_true_due_ms,
            before: self.before.as_ref(),
            now: &now,
        };
        let schedule = self.desk.timetable.now();
        self.note_sun(&schedule, &now);
        let account = effort::account(&schedule, known);
        if let Some((missed, reason)) = account.missed {
            let reason = if self.is_blocked {
                MissReason::Disk
            } else {
                reason
            };
            self.miss_span(missed, reason, &now).await?;
        }
        self.is_blocked = false;
        self.before = Some(now.clone());
        let wait_ms = |due_ms: i64| u64::try_from(due_ms.saturating_sub(now.unix_ms)).unwrap_or(0);
        if account.due_ms.is_none_or(|due_ms| wait_ms(due_ms) > 0)
            && let Some(ask) = self.desk.asks.next()
        {
            self.answer(ask).await?;
            return Ok(Next::Again);
        }
        let Some(due_ms) = account.due_ms else {
            return Ok(self.idle());
        };
        let wait_ms = wait_ms(due_ms);
        if wait_ms > 0 {
            self.desk
                .health
                .note(|facts| facts.next_due_ms = Some(due_ms));
            if wait_ms > TEND_BEFORE_MS {
                self.shutter.tend().await;
            }
            let until_sense_ms = wait_ms.saturating_sub(SENSE_BEFORE_MS);
            let is_sensed = self.sensed.as_ref().is_some_and(|(due, _)| *due == due_ms);
            if until_sense_ms == 0 && !is_sensed {
                self.sensed = Some((due_ms, Box::pin(self.sensors.read()).await));
                return Ok(Next::Again);
            }
            let rest_ms = if is_sensed { wait_ms } else { until_sense_ms };
            return Ok(Next::Rest(Duration::from_millis(rest_ms).min(LOOK_EVERY)));
        }
        let shot = Box::pin(self.shoot(due_ms, ShotCause::Schedule)).await;
        self.is_blocked = shot.is_err();
        let _in_the_ledger = shot?;
        Ok(Next::Again)
    }
}
