//! The camera of the capture stage: opened when needed, lit, and when it gives
//! no picture, helped as far as the deadline of the shot allows.

use super::OpenCamera;
use super::fittings::Fittings;
use super::flash::Flash;
use super::recovery::{Ladder, Rung, Wrong, told};
use crate::asks::LampUse;
use crate::desk::Desk;
use crate::lent::{AWAY_MAX, Lent, NotBack};
use crate::moment::millis;
use std::time::Duration;
use tokio::time::Instant;
use trapline_hal::lamp::Light;
use trapline_hal::switch::Supply;
use trapline_hal::{Camera, Frame, ShotSettings};

/// A camera that keeps the deadline itself may take this much longer to say so.
const ANSWER_SLACK: Duration = Duration::from_secs(1);
/// Settings that a camera did not take are a fault of this part.
const REMARKS: &str = "camera settings";

/// What is wanted of a picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    /// It is looked at and not kept.
    pub(super) only_to_look: bool,
    /// What the lamp does.
    pub(super) lamp: LampUse,
}

/// Why a try gave no picture.
struct Failure {
    wrong: Wrong,
    why: String,
}

pub(super) struct Shutter {
    desk: Desk,
    open_camera: Lent<OpenCamera>,
    camera: Lent<Box<dyn Camera>>,
    supply: Option<Lent<Box<dyn Supply>>>,
    flash: Flash,
    ladder: Ladder,
}

impl Shutter {
    pub(super) fn new(desk: Desk, open_camera: OpenCamera, fittings: &mut Fittings) -> Self {
        let flash: Option<Box<dyn Light>> = fittings.flash.take();
        let supply = fittings.camera_supply.take();
        Self {
            open_camera: Lent::of(open_camera),
            camera: Lent::empty(),
            ladder: Ladder::new(fittings.camera_recovers, supply.is_some()),
            supply: supply.map(Lent::of),
            flash: Flash::new(desk.clone(), flash),
            desk,
        }
    }

    /// Whether the camera has said that no picture will ever come again.
    pub(super) fn is_exhausted(&self) -> bool {
        self.camera.get().is_some_and(|c| c.is_exhausted())
    }

    /// Looks after the lamp while no picture is taken.
    pub(super) async fn tend(&mut self) {
        self.flash.tend().await;
    }

    /// Takes one picture, or says why there is none and what was tried. Whatever hangs, this
    /// ends with the camera's deadline and a little slack.
    pub(super) async fn take_picture(&mut self, wish: Wish) -> Result<Frame, String> {
        let until = Instant::now() + self.desk.config.camera.deadline;
        let mut tried = Vec::new();
        if let Some(rung) = self.ladder.first() {
            self.climb(rung, until).await;
            tried.push(rung);
        }
        loop {
            let began = Instant::now();
            let limit = self.ladder.share(until.saturating_duration_since(began));
            let Failure { wrong, why } = match self.attempt(began + limit, wish).await {
                Ok(frame) => {
                    self.ladder.worked(began.elapsed());
                    self.worked(&tried);
                    return Ok(frame);
                }
                Err(failure) => failure,
            };
            let left = until.saturating_duration_since(Instant::now());
            let Some(rung) = self.ladder.next(wrong, &tried, left) else {
                // Whoever only looks is there, and sees that there is nothing.
                if !wish.only_to_look {
                    self.ladder.gave_up();
                }
                let why = told(&why, &tried);
                self.raise(&why);
                return Err(why);
            };
            log::info!("{why}; the camera is tried {}", rung.words());
            self.climb(rung, until).await;
            tried.push(rung);
        }
    }

    /// Does what may help.
    async fn climb(&mut self, rung: Rung, until: Instant) {
        if rung == Rung::Again {
            return;
        }
        // What is closed here is opened by the next try.
        self.camera.drop_here();
        let left = until.saturating_duration_since(Instant::now());
        if let Some(supply) = self.supply.as_mut().filter(|_| rung == Rung::Power) {
            let hands = self.desk.hands;
            let cycled = supply.job(hands, left, |supply| supply.cycle()).await;
            match cycled {
                Ok(Ok(())) => {}
                Ok(Err(error)) => log::warn!("{}", crate::stage::device_words(&error)),
                Err(_) => log::warn!("the switch of the camera's supply does not answer"),
            }
        }
    }

    /// One try, which ends at `until`.
    async fn attempt(&mut self, until: Instant, wish: Wish) -> Result<Frame, Failure> {
        self.power_on(until).await;
        self.ready_until(until).await?;
        let left = || until.saturating_duration_since(Instant::now());
        if wish.lamp == LampUse::AsUsual {
            self.flash.light(left()).await;
        }
        let limit = left();
        let settings = ShotSettings {
            deadline_ms: millis(limit).max(1),
            only_to_look: wish.only_to_look,
        };
        let shot = self
            .camera
            .job(self.desk.hands, limit + ANSWER_SLACK, move |camera| {
                let frame = camera.shoot(&settings);
                (frame, camera.remarks().to_vec())
            })
            .await;
        self.flash.put_out(matches!(&shot, Ok((Ok(_), _)))).await;
        let why = match shot {
            Ok((Ok(frame), remarks)) => {
                self.note_remarks(&remarks);
                return Ok(frame);
            }
            Ok((Err(error), _)) => {
                return Err(Failure {
                    wrong: Wrong::Said(error.kind),
                    why: crate::stage::device_words(&error),
                });
            }
            Err(NotBack::Hung) => {
                format!("the camera gave no picture in {limit:.0?} and is opened anew")
            }
            Err(NotBack::Away) => "the camera still hangs".to_owned(),
            Err(NotBack::Panicked(words)) => format!("the camera's driver failed: {words}"),
        };
        let wrong = Wrong::Lost;
        Err(Failure { wrong, why })
    }

    /// Gives the camera power, if that can be switched; a switch that fails may have given it.
    async fn power_on(&mut self, until: Instant) {
        let Some(supply) = &mut self.supply else {
            return;
        };
        let left = until.saturating_duration_since(Instant::now());
        let given = supply
            .job(self.desk.hands, left / 2, |supply| supply.on())
            .await;
        let now_ms = self.desk.clock.stamp().unix_ms;
        let health = &self.desk.health;
        match given {
            Ok(Ok(())) => health.clear("camera power"),
            Ok(Err(error)) => {
                let why = crate::stage::device_words(&error);
                health.raise("camera power", &why, now_ms);
            }
            Err(_) => {
                let why = "the switch of the camera's supply does not answer; check `camera.power`";
                health.raise("camera power", why, now_ms);
            }
        }
    }

    /// Makes sure that a camera is here, opening one if need be.
    pub(super) async fn ready(&mut self) -> Result<(), String> {
        let until = Instant::now() + self.desk.config.camera.deadline;
        let ready = self.ready_until(until).await;
        ready.map_err(|failure| {
            self.raise(&failure.why);
            failure.why
        })
    }

    async fn ready_until(&mut self, until: Instant) -> Result<(), Failure> {
        if self.camera.is_here() {
            return Ok(());
        }
        let lost = |why: String| Failure {
            wrong: Wrong::Lost,
            why,
        };
        let hanging = self.camera.hanging();
        if hanging >= AWAY_MAX {
            return Err(lost(format!(
                "the camera hangs in {hanging} tries; unplug and replug it, or restart the trap"
            )));
        }
        let last = self.desk.books.with(|ledger| ledger.last_replayed()).await;
        let last = last.map_err(|error| lost(error.in_full()))?;
        let left = until.saturating_duration_since(Instant::now());
        let opened = self
            .open_camera
            .job(self.desk.hands, left, move |open| open(last.as_deref()))
            .await;
        match opened {
            Ok(Ok(camera)) => {
                self.camera.put(camera);
                Ok(())
            }
            Ok(Err(error)) => Err(Failure {
                wrong: Wrong::Said(error.kind),
                why: crate::stage::device_words(&error),
            }),
            Err(_) => Err(lost(
                "the camera cannot be opened: its driver does not answer".to_owned(),
            )),
        }
    }

    fn worked(&self, tried: &[Rung]) {
        self.desk.health.clear("camera");
        if let Some(rung) = tried.last() {
            log::warn!(
                "the camera gave a picture, but first it was tried {}",
                rung.words()
            );
        }
    }

    fn note_remarks(&self, remarks: &[String]) {
        if remarks.is_empty() {
            self.desk.health.clear(REMARKS);
        } else {
            let now_ms = self.desk.clock.stamp().unix_ms;
            let why = format!("the camera: {}", remarks.join("; "));
            self.desk.health.raise(REMARKS, &why, now_ms);
        }
    }

    fn raise(&self, why: &str) {
        let now_ms = self.desk.clock.stamp().unix_ms;
        self.desk.health.raise("camera", why, now_ms);
    }
}

#[cfg(test)]
mod tests;
