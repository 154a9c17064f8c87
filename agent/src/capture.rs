//! The capture stage: takes the shot that is due, with light and climate, and
//! admits it to the ledger. Whatever fails, the shot ends with a reason.

use crate::config::CameraConfig;
use crate::desk::Desk;
use crate::effort::{self, Known};
use crate::lent::{AWAY_MAX, Lent, NotBack};
use crate::moment::wire_stamp;
use crate::schedule::Slots;
use crate::stage::{Next, Stage, StageError};
use std::fmt;
use std::time::Duration;
use tokio::sync::Notify;
use trapline_hal::{
    Ambient, AmbientReading, Camera, ClockQuality, DeviceError, Frame, FrameSource, Power,
    PowerReading, ShotSettings, Stamp,
};
use trapline_store::{NewCapture, NewReading, Planned};
use trapline_wire::v1::{CaptureSource, MissReason};

/// The clock is looked at this often while waiting, because it may be set.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// A camera that keeps the deadline itself may take this much longer to say so.
const ANSWER_SLACK: Duration = Duration::from_secs(1);
/// Sensors that take longer are left out of this shot.
const READING_DEADLINE: Duration = Duration::from_secs(5);
/// A shot that is in progress when the agent is stopped may go on this long.
const STOP_GRACE: Duration = Duration::from_secs(5);
/// When the last shot on a set clock was due, kept while the clock is unset.
const META_TRUE_DUE: &str = "last_true_due_ms";

/// Opens the camera, going on after the replayed file of that name.
pub type OpenCamera = Box<dyn FnMut(Option<&str>) -> Result<Box<dyn Camera>, DeviceError> + Send>;

/// The devices of the stage.
pub struct Devices {
    /// Opens the camera at the first shot, and again after it failed for good.
    pub open_camera: OpenCamera,
    /// Climate and light.
    pub ambient: Box<dyn Ambient>,
    /// The battery.
    pub power: Box<dyn Power>,
}

impl fmt::Debug for Devices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Devices").finish_non_exhaustive()
    }
}

struct Sensors {
    ambient: Box<dyn Ambient>,
    power: Box<dyn Power>,
}

/// The stage.
pub struct Capture {
    desk: Desk,
    open_camera: Lent<OpenCamera>,
    camera: Lent<Box<dyn Camera>>,
    sensors: Lent<Sensors>,
    last_due_ms: Option<i64>,
    last_true_due_ms: Option<i64>,
    before: Option<Stamp>,
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
        let Devices {
            open_camera,
            ambient,
            power,
        } = devices;
        Self {
            desk,
            open_camera: Lent::of(open_camera),
            camera: Lent::empty(),
            sensors: Lent::of(Sensors { ambient, power }),
            last_due_ms: None,
            last_true_due_ms: None,
            before: None,
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

    /// Takes one shot for the slot `due_ms`, whatever the schedule says.
    ///
    /// # Errors
    /// When the ledger fails; a device that fails is a missed shot.
    pub async fn shoot(&mut self, due_ms: i64) -> Result<(), StageError> {
        let opened = wire_stamp(&self.desk.clock.stamp());
        let planned = self
            .desk
            .books
            .with(move |ledger| ledger.open_shot(due_ms, &opened))
            .await?;
        self.last_due_ms = Some(due_ms);
        let reading = self.read_sensors().await;
        let stop = self.desk.stop.clone();
        let frame = tokio::select! {
            biased;
            frame = self.take_picture() => frame,
            () = stop.over(STOP_GRACE) => {
                Err((MissReason::Cut, "the agent was stopped during the shot".to_owned()))
            }
        };
        match frame {
            Ok(frame) => self.admit(planned, frame, reading).await,
            Err((reason, why)) => self.miss(planned, reason, why, Some(reading)).await,
        }
    }

    async fn take_picture(&mut self) -> Result<Frame, (MissReason, String)> {
        let camera_failed = |why: String| (MissReason::Camera, why);
        let CameraConfig { deadline, .. } = self.desk.config.camera;
        self.ready_camera(deadline).await.map_err(camera_failed)?;
        let settings = ShotSettings {
            deadline_ms: u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX),
        };
        let shot = self
            .camera
            .job(self.desk.hands, deadline + ANSWER_SLACK, move |camera| {
                camera.shoot(&settings)
            })
            .await;
        let now_ms = self.desk.clock.stamp().unix_ms;
        let why = match shot {
            Ok(Ok(frame)) => {
                self.desk.health.clear("camera");
                return Ok(frame);
            }
            Ok(Err(error)) => crate::stage::in_full(&error),
            Err(NotBack::Hung) => {
                format!("the camera gave no picture in {deadline:?} and is opened anew")
            }
            Err(NotBack::Away) => "the camera still hangs".to_owned(),
            Err(NotBack::Panicked(words)) => format!("the camera's driver failed: {words}"),
        };
        self.desk.health.raise("camera", &why, now_ms);
        Err(camera_failed(why))
    }

    /// Makes sure that a camera is here, opening one if need be.
    async fn ready_camera(&mut self, deadline: Duration) -> Result<(), String> {
        if self.camera.is_here() {
            return Ok(());
        }
        let hanging = self.camera.hanging();
        if hanging >= AWAY_MAX {
            return Err(format!(
                "the camera hangs in {hanging} tries; unplug and replug it, or restart the trap"
            ));
        }
        let last = self.desk.books.with(|ledger| ledger.last_replayed()).await;
        let last = last.map_err(|error| error.in_full())?;
        let opened = self
            .open_camera
            .job(self.desk.hands, deadline, move |open| open(last.as_deref()))
            .await;
        let camera = match opened {
            Ok(Ok(camera)) => camera,
            Ok(Err(error)) => {
                let why = crate::stage::in_full(&error);
                self.raise_camera(&why);
                return Err(why);
            }
            Err(_) => {
                let why = "the camera cannot be opened: its driver does not answer".to_owned();
                self.raise_camera(&why);
                return Err(why);
            }
        };
        self.camera.put(camera);
        Ok(())
    }

    fn raise_camera(&self, why: &str) {
        let now_ms = self.desk.clock.stamp().unix_ms;
        self.desk.health.raise("camera", why, now_ms);
    }

    async fn read_sensors(&mut self) -> NewReading {
        let stamp = self.desk.clock.stamp();
        let read = self
            .sensors
            .job(self.desk.hands, READING_DEADLINE, |sensors| {
                // The climate first: a replayed battery belongs to the row that was read last.
                let ambient = sensors.ambient.read();
                (ambient, sensors.power.read())
            })
            .await;
        let health = &self.desk.health;
        let (ambient, power) = match read {
            Ok(readings) => {
                health.clear("sensors");
                readings
            }
            Err(_) => {
                let why = "the sensors do not answer; check their cable, or restart the trap";
                health.raise("sensors", why, stamp.unix_ms);
                (AmbientReading::default(), PowerReading::default())
            }
        };
        let faults = ambient.faults.iter().chain(&power.fault);
        let mut failed = Vec::new();
        for fault in faults {
            health.raise(fault.device, &crate::stage::in_full(fault), stamp.unix_ms);
            failed.push(fault.device);
        }
        for device in ["climate", "light", "battery"] {
            if !failed.contains(&device) {
                health.clear(device);
            }
        }
        let battery_v = power.battery.map(trapline_hal::Volts::volts);
        health.note(|facts| facts.battery_v = battery_v);
        NewReading {
            stamp: wire_stamp(&stamp),
            temperature_c: ambient.temperature.map(trapline_hal::Celsius::celsius),
            humidity_percent: ambient
                .humidity
                .map(trapline_hal::RelativeHumidity::percent),
            light_lux: ambient.light.map(trapline_hal::Lux::lux),
            battery_v,
        }
    }

    async fn admit(
        &mut self,
        planned: Planned,
        frame: Frame,
        reading: NewReading,
    ) -> Result<(), StageError> {
        let stamp = wire_stamp(&self.desk.clock.stamp());
        let admitted = self
            .desk
            .books
            .with(move |ledger| {
                let Frame { jpeg, source } = frame;
                let size = trapline_detect::jpeg::dimensions(&jpeg).ok();
                let capture = NewCapture {
                    stamp,
                    source: wire_source(source),
                    width_px: size.map(|(width, _)| width),
                    height_px: size.map(|(_, height)| height),
                    reading: has_a_value(&reading).then_some(reading),
                };
                Ok(ledger.admit(planned, capture, &jpeg))
            })
            .await?;
        match admitted {
            Ok(id) => {
                log::info!(capture = id.to_string(); "took picture {id}");
                self.desk.health.clear("disk");
                self.desk.wakes.inspect.notify_one();
                self.desk.wakes.sync.notify_one();
                Ok(())
            }
            Err(returned) => {
                let why = crate::stage::in_full(&returned.error);
                let now_ms = self.desk.clock.stamp().unix_ms;
                self.desk.health.raise("disk", &why, now_ms);
                self.desk.wakes.retain.notify_one();
                self.miss(returned.token, MissReason::Disk, why, None).await
            }
        }
    }

    async fn miss(
        &mut self,
        planned: Planned,
        reason: MissReason,
        why: String,
        reading: Option<NewReading>,
    ) -> Result<(), StageError> {
        log::warn!(due_ms = planned.due_ms(); "missed a shot: {why}");
        let now = wire_stamp(&self.desk.clock.stamp());
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
        Ok(())
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
        let span = (missed.first_ms, missed.last_ms);
        self.desk
            .books
            .with(move |ledger| ledger.miss_span(span, missed.shots, reason, why, &now))
            .await?;
        self.last_due_ms = Some(missed.last_ms);
        self.desk.wakes.sync.notify_one();
        Ok(())
    }

    /// Whether the camera has said that no picture will ever come again.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.camera.get().is_some_and(|c| c.is_exhausted())
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
}

impl Stage for Capture {
    fn name(&self) -> &'static str {
        "capture"
    }

    fn step_limit(&self) -> Duration {
        // Opening and shooting, each with its deadline, and the ledger's own time.
        2 * self.desk.config.camera.deadline + READING_DEADLINE + Duration::from_mins(2)
    }

    fn grace(&self) -> Duration {
        STOP_GRACE + Duration::from_secs(3)
    }

    fn wake<'a>(&self, desk: &'a Desk) -> &'a Notify {
        &desk.wakes.capture
    }

    async fn step(&mut self) -> Result<Next, StageError> {
        if self.is_exhausted() {
            let idle = "all pictures of the folder were replayed".to_owned();
            log::info!("{idle}; no more shots are planned");
            self.desk.health.note(|facts| {
                facts.next_due_ms = None;
                facts.idle = Some(idle);
            });
            self.desk.wakes.sync.notify_one();
            return Ok(Next::RestUntilWoken);
        }
        let now = self.desk.clock.stamp();
        self.note_clock(&now);
        if !self.is_settled {
            self.settle(&now).await?;
            let deadline = self.desk.config.camera.deadline;
            // A folder that was played to its end must not miss shots for ever.
            let _said = self.ready_camera(deadline).await;
            if self.is_exhausted() {
                return Ok(Next::Again);
            }
        }
        let known = Known {
            last_due_ms: self.last_due_ms,
            last_true_due_ms: self.last_true_due_ms,
            before: self.before.as_ref(),
            now: &now,
        };
        let account = effort::account(&self.desk.config.schedule, known);
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
        let Some(due_ms) = account.due_ms else {
            self.desk
                .health
                .note(|facts| facts.idle = Some("no shot falls into the windows".to_owned()));
            return Ok(Next::RestUntilWoken);
        };
        let wait_ms = u64::try_from(due_ms.saturating_sub(now.unix_ms)).unwrap_or(0);
        if wait_ms > 0 {
            self.desk
                .health
                .note(|facts| facts.next_due_ms = Some(due_ms));
            return Ok(Next::Rest(Duration::from_millis(wait_ms).min(LOOK_EVERY)));
        }
        let shot = self.shoot(due_ms).await;
        self.is_blocked = shot.is_err();
        shot?;
        Ok(Next::Again)
    }
}

fn has_a_value(reading: &NewReading) -> bool {
    reading.temperature_c.is_some()
        || reading.humidity_percent.is_some()
        || reading.light_lux.is_some()
        || reading.battery_v.is_some()
}

fn wire_source(source: FrameSource) -> CaptureSource {
    match source {
        FrameSource::Camera { model } => CaptureSource::Camera { model },
        FrameSource::Replayed { file_name } => CaptureSource::Replayed { file_name },
        FrameSource::Simulated => CaptureSource::Simulated,
    }
}
