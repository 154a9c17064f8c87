//! The light for the pictures, around a shot. A lamp that fails makes a dark
//! picture and a fault, and never costs the picture.

use crate::config::lamps::FlashConfig;
use crate::desk::Desk;
use crate::lent::{Lent, NotBack};
use crate::moment::millis;
use std::time::Duration;
use trapline_hal::DeviceError;
use trapline_hal::flash::{Flash as Timed, FlashPlan};
use trapline_hal::lamp::{Light, PutOut};

const PART: &str = "lamp";
/// A lamp that does not answer in this time is left dark, or left to its guard.
const ANSWER: Duration = Duration::from_secs(3);
/// Starting its guard from a slow card takes longer; nobody waits for a picture then.
const START: Duration = Duration::from_secs(11);

/// The lamp, if there is one.
pub(super) struct Flash {
    pub(super) desk: Desk,
    lamp: Lent<Box<dyn Light>>,
    is_lit: bool,
}

impl Flash {
    pub(super) fn new(desk: Desk, lamp: Option<Box<dyn Light>>) -> Self {
        Self {
            desk,
            lamp: lamp.map_or_else(Lent::empty, Lent::of),
            is_lit: false,
        }
    }

    /// Lights the lamp for a shot of at most `shot`, and waits until it is bright.
    pub(super) async fn light(&mut self, shot: Duration) {
        let Some(config) = self.desk.config.flash.clone() else {
            return;
        };
        let max_on_ms = timed(&config, shot).max_on_ms;
        let level = config.lamp.level;
        let lit = self
            .job(ANSWER, move |lamp| lamp.on(level, max_on_ms))
            .await;
        match lit {
            Ok(_) => {
                self.is_lit = true;
                tokio::time::sleep(config.lead).await;
            }
            Err(why) => self.raise(&format!("{why}; the picture is taken without it")),
        }
    }

    /// Puts it out after the shot, `taken` or not.
    pub(super) async fn put_out(&mut self, taken: bool) {
        if !std::mem::take(&mut self.is_lit) {
            return;
        }
        match self.job(ANSWER, |lamp| lamp.off()).await {
            Ok(PutOut::ByLimit) if taken => self.raise(
                "the lamp reached `lamp.max_on` before the picture was there; allow it more, if \
                 it bears that",
            ),
            Ok(_) => self.desk.health.clear(PART),
            Err(why) => self.raise(&format!(
                "{why}; its guard puts it out after `lamp.max_on` at the latest"
            )),
        }
    }

    /// Looks after the lamp while there is time for it.
    pub(super) async fn tend(&mut self) {
        if self.desk.config.flash.is_none() {
            return;
        }
        // A shot that was dropped in its midst left it lit.
        self.put_out(false).await;
        if let Err(why) = self.job(START, |lamp| lamp.tend()).await {
            self.raise(&why);
        }
    }

    async fn job<R: Send + 'static>(
        &mut self,
        within: Duration,
        work: impl FnOnce(&mut Box<dyn Light>) -> Result<R, DeviceError> + Send + 'static,
    ) -> Result<R, String> {
        answered(self.lamp.job(self.desk.hands, within, work).await)
    }

    fn raise(&self, why: &str) {
        let now_ms = self.desk.clock.stamp().unix_ms;
        self.desk.health.raise(PART, why, now_ms);
    }
}

/// What a lamp answered, or why it did not.
pub(super) fn answered<R>(job: Result<Result<R, DeviceError>, NotBack>) -> Result<R, String> {
    match job {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(crate::stage::device_words(&error)),
        Err(NotBack::Hung | NotBack::Away) => {
            Err("the lamp does not answer; check its wiring, or restart the trap".to_owned())
        }
        Err(NotBack::Panicked(words)) => Err(format!("the lamp's driver failed: {words}")),
    }
}

/// The flash of a camera that does not say when it exposes: as long as its whole shot, if the
/// lamp may be on for that.
fn timed(config: &FlashConfig, shot: Duration) -> Timed {
    let (lead_ms, cap_ms) = (millis(config.lead), millis(config.lamp.max_on));
    let plan = FlashPlan {
        lead_ms,
        exposure_ms: millis(shot).min(cap_ms.saturating_sub(lead_ms)),
        trail_ms: 0,
    };
    // It is cut to the lamp's limit, so that it is never too long.
    plan.at(0, 0, cap_ms).unwrap_or(Timed {
        on_at_ms: 0,
        expose_at_ms: lead_ms,
        off_at_ms: cap_ms,
        max_on_ms: cap_ms,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::lamps::LampWiring;
    use trapline_hal::lines::{Level, OutputKind};

    #[test]
    fn the_guard_is_told_the_shot_or_the_limit() {
        let config = FlashConfig {
            lamp: LampWiring {
                line: "GPIO18".parse().unwrap(),
                kind: OutputKind::Switch,
                level: Level::FULL,
                max_on: Duration::from_secs(10),
            },
            lead: Duration::from_millis(300),
        };
        let max_on = |shot_s| timed(&config, Duration::from_secs(shot_s)).max_on_ms;
        assert_eq!(max_on(4), 4_550, "lead, shot and what is spared");
        assert_eq!(max_on(60), 10_000);
    }
}
