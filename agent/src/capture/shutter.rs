//! The camera of the capture stage: opened when needed, given up for a shot
//! when it hangs, and opened anew for the next.

use super::OpenCamera;
use crate::desk::Desk;
use crate::lent::{AWAY_MAX, Lent, NotBack};
use crate::moment::millis;
use std::time::Duration;
use trapline_hal::{Camera, Frame, ShotSettings};

/// A camera that keeps the deadline itself may take this much longer to say so.
const ANSWER_SLACK: Duration = Duration::from_secs(1);

pub(super) struct Shutter {
    desk: Desk,
    open_camera: Lent<OpenCamera>,
    camera: Lent<Box<dyn Camera>>,
}

impl Shutter {
    pub(super) fn new(desk: Desk, open_camera: OpenCamera) -> Self {
        Self {
            desk,
            open_camera: Lent::of(open_camera),
            camera: Lent::empty(),
        }
    }

    /// Whether the camera has said that no picture will ever come again.
    pub(super) fn is_exhausted(&self) -> bool {
        self.camera.get().is_some_and(|c| c.is_exhausted())
    }

    /// Takes one picture, or says why there is none.
    pub(super) async fn take_picture(&mut self, only_to_look: bool) -> Result<Frame, String> {
        let deadline = self.desk.config.camera.deadline;
        self.ready().await?;
        let settings = ShotSettings {
            deadline_ms: millis(deadline),
            only_to_look,
        };
        let shot = self
            .camera
            .job(self.desk.hands, deadline + ANSWER_SLACK, move |camera| {
                camera.shoot(&settings)
            })
            .await;
        let why = match shot {
            Ok(Ok(frame)) => {
                self.desk.health.clear("camera");
                return Ok(frame);
            }
            Ok(Err(error)) => crate::stage::device_words(&error),
            Err(NotBack::Hung) => {
                format!("the camera gave no picture in {deadline:?} and is opened anew")
            }
            Err(NotBack::Away) => "the camera still hangs".to_owned(),
            Err(NotBack::Panicked(words)) => format!("the camera's driver failed: {words}"),
        };
        self.raise(&why);
        Err(why)
    }

    /// Makes sure that a camera is here, opening one if need be.
    pub(super) async fn ready(&mut self) -> Result<(), String> {
        if self.camera.is_here() {
            return Ok(());
        }
        let deadline = self.desk.config.camera.deadline;
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
                let why = crate::stage::device_words(&error);
                self.raise(&why);
                return Err(why);
            }
            Err(_) => {
                let why = "the camera cannot be opened: its driver does not answer".to_owned();
                self.raise(&why);
                return Err(why);
            }
        };
        self.camera.put(camera);
        Ok(())
    }

    fn raise(&self, why: &str) {
        let now_ms = self.desk.clock.stamp().unix_ms;
        self.desk.health.raise("camera", why, now_ms);
    }
}
