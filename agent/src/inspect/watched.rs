//! One look at one capture, with its time limit, and what becomes of its
//! failures.

use super::{Asked, Inspect, LIMIT_SLACK, LookError, Memory, Seen};
use crate::lent::NotBack;
use crate::models::{self, Ended};
use crate::stage::{StageError, in_full};
use tokio::time::Instant;
use trapline_store::StoreError;
use trapline_wire::CaptureId;

/// How a look ended.
pub(super) enum End {
    Seen(Box<Seen>),
    GiveUp(String),
    TryAgain(String),
}

impl Inspect {
    /// What is remembered of the picture before. What the card kept is taken
    /// from it, because it is worth nothing after this look.
    async fn remembered(&mut self) -> Option<Vec<u8>> {
        if matches!(self.memory, Memory::OnCard) {
            let kept = self.desk.books.with(|ledger| ledger.take_memory()).await;
            self.memory = match kept {
                Ok(Some(bytes)) => Memory::Here(bytes),
                Ok(None) => Memory::Nothing,
                Err(error) => {
                    let why = error.in_full();
                    log::warn!("what the detector remembered cannot be read: {why}");
                    Memory::Nothing
                }
            };
        }
        match &self.memory {
            Memory::Here(bytes) => Some(bytes.clone()),
            Memory::OnCard | Memory::Nothing => None,
        }
    }

    /// A look, its failures counted; `None` when the model was given up instead of
    /// the picture, which then waits for another model.
    pub(super) async fn watched_look(
        &mut self,
        capture: CaptureId,
    ) -> Result<Option<End>, StageError> {
        if !models::look_starts(&self.desk, &self.choice).await? {
            self.forget_model();
            return Ok(None);
        }
        let end = self.look(capture).await?;
        if let End::TryAgain(why) = &end
            && models::look_ended(&self.desk, &self.choice, Ended::Failed).await?
        {
            log::warn!(
                capture = capture.to_string();
                "{capture} waits for the model before this one: {why}"
            );
            self.forget_model();
            return Ok(None);
        }
        Ok(Some(self.count_failures(capture, end)))
    }

    /// A picture whose tries have all failed is given up.
    fn count_failures(&mut self, capture: CaptureId, end: End) -> End {
        let End::TryAgain(why) = end else {
            return end;
        };
        let before = self.failed.filter(|(of, _)| *of == capture);
        let failures = before.map_or(1, |(_, failures)| failures + 1);
        self.failed = Some((capture, failures));
        if failures < self.desk.config.detector.attempts_max {
            return End::TryAgain(why);
        }
        End::GiveUp(format!("every try failed, the last because: {why}"))
    }

    async fn look(&mut self, capture: CaptureId) -> Result<End, StageError> {
        let read = self
            .desk
            .books
            .with(move |ledger| Ok(ledger.picture(capture)))
            .await?;
        let jpeg = match read {
            Ok(jpeg) => jpeg,
            Err(error @ (StoreError::Damaged { .. } | StoreError::Refused { .. })) => {
                return Ok(End::GiveUp(in_full(&error)));
            }
            Err(error) => return Err(StageError::Store(error)),
        };
        let memory = self.remembered().await;
        let settings = self.care.level.settings();
        let limit = self.desk.config.detector.time_limit;
        let runtime = tokio::runtime::Handle::current();
        let looked = self
            .detector
            .job(self.desk.hands, limit + LIMIT_SLACK, move |detector| {
                let _clock = runtime.enter();
                let began = Instant::now();
                let mut is_over = false;
                let mut keep_going = || {
                    is_over = began.elapsed() > limit;
                    !is_over
                };
                let asked = Asked {
                    jpeg: &jpeg,
                    memory: memory.as_deref(),
                    settings,
                };
                let found = detector.look(&asked, &mut keep_going);
                match found {
                    Err(_) if is_over => Err(LookError::TooSlow {
                        limit_s: limit.as_secs(),
                    }),
                    found => found,
                }
            })
            .await;
        Ok(match looked {
            Ok(Ok(seen)) => End::Seen(Box::new(seen)),
            Ok(Err(LookError::Unreadable(why))) => End::GiveUp(why),
            Ok(Err(error @ (LookError::TooSlow { .. } | LookError::Failed(_)))) => {
                End::TryAgain(error.to_string())
            }
            Err(NotBack::Panicked(words)) => {
                End::TryAgain(format!("a mistake in the detector: {words}"))
            }
            Err(NotBack::Hung | NotBack::Away) => {
                End::TryAgain("the detector does not come back".to_owned())
            }
        })
    }
}
