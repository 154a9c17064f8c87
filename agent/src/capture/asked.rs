//! What is done for those who ask out of turn; see [`Asks`](crate::asks::Asks).

use super::Capture;
use super::shutter::Wish;
use crate::asks::{Ask, LampUse};
use crate::stage::StageError;
use std::time::Duration;

/// A look that is in progress when the agent is stopped is not waited for.
const STOP_GRACE: Duration = Duration::ZERO;

impl Capture {
    /// Answers one ask. The asker may be gone by then, which is no matter.
    pub(crate) async fn answer(&mut self, ask: Ask) -> Result<(), StageError> {
        match ask {
            Ask::Shot { cause, answer } => {
                let now_ms = self.desk.clock.stamp().unix_ms;
                let _gone = answer.send(Box::pin(self.shoot(now_ms, cause)).await?);
            }
            Ask::Look { lamp, answer } => {
                let stop = self.desk.stop.clone();
                let frame = tokio::select! {
                    biased;
                    frame = self.shutter.look(lamp) => frame,
                    () = stop.over(STOP_GRACE) => Err("the trap stops".to_owned()),
                };
                let _gone = answer.send(frame);
            }
            Ask::Sense { answer } => {
                let _gone = answer.send(self.sensors.read().await);
            }
        }
        Ok(())
    }
}

impl super::Shutter {
    /// Takes a picture that nobody keeps.
    async fn look(&mut self, lamp: LampUse) -> Result<trapline_hal::Frame, String> {
        let only_to_look = true;
        self.take_picture(Wish { only_to_look, lamp }).await
    }
}
