//! Inspection: each picture gets its turn with the detector, a bounded number of times.

use crate::error::{Halt, StoreError};
use crate::ledger::Ledger;
use crate::ledger::follow::{self, Following};
use crate::ledger::text::{clip, clip_stamp, keep_detections};
use crate::tokens::Fresh;
use rusqlite::{Connection, Transaction, params};
use trapline_wire::CaptureId;
use trapline_wire::v1::{DetectionRecord, InspectionOutcome, LookFacts, ModelRef, Stamp};

/// An inspection that ended, before its outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct NewInspection {
    /// The model that looked.
    pub model: ModelRef,
    /// When the inspection ended.
    pub stamp: Stamp,
    /// How long it took.
    pub took_ms: u64,
}

/// What was found in a picture.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Found {
    /// The boxes; `track` is in the follower's own numbers.
    pub detections: Vec<DetectionRecord>,
    /// How the picture was looked at.
    pub look: Option<LookFacts>,
    /// What the follower made of it; `None` when it was not shown to it.
    pub following: Option<Following>,
}

impl Found {
    /// Boxes and nothing else.
    #[must_use]
    pub fn boxes(detections: Vec<DetectionRecord>) -> Self {
        Self {
            detections,
            ..Self::default()
        }
    }
}

impl Ledger {
    /// Takes up the oldest capture that waits for the detector.
    ///
    /// The try is counted and committed before the picture is touched, so a
    /// picture that kills the agent ends after `attempts_max` tries: from then
    /// on it comes [`exhausted`](Fresh::exhausted), and the caller gives it up.
    /// Oldest first, because arrivals are counted from one picture to the next.
    ///
    /// # Errors
    /// [`Full`](StoreError::Full) or [`Io`](StoreError::Io) when the card refuses.
    pub fn next_fresh(&mut self, attempts_max: u32) -> Result<Option<Fresh>, StoreError> {
        let Some((seq, attempts)) = self.read(oldest_fresh)? else {
            return Ok(None);
        };
        let exhausted = attempts >= attempts_max;
        if !exhausted {
            self.write(|transaction| {
                transaction.execute(
                    "UPDATE captures SET inspection_attempts = inspection_attempts + 1
                     WHERE seq = ?1",
                    [seq],
                )?;
                Ok(())
            })?;
        }
        Ok(Some(Fresh {
            capture: self.capture_id(seq),
            attempts: attempts.saturating_add(u32::from(!exhausted)),
            exhausted,
        }))
    }

    /// How many captures wait for the detector.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) or [`Corrupt`](StoreError::Corrupt).
    pub fn fresh_waiting(&self) -> Result<u64, StoreError> {
        self.read(|connection| {
            let sql = "SELECT count(*) FROM captures WHERE inspection = 'fresh'";
            Ok(connection.query_row(sql, [], |row| row.get(0))?)
        })
    }

    /// Ends an inspection with what was found; an empty list means that nothing was.
    ///
    /// Keeps the strongest boxes first, at most as many as the wire allows, and
    /// leaves out boxes with a field that is not a number.
    ///
    /// # Errors
    /// [`Full`](StoreError::Full) or [`Io`](StoreError::Io) when the card
    /// refuses; the capture then waits for its next try.
    pub fn record_detections(
        &mut self,
        fresh: Fresh,
        inspection: &NewInspection,
        found: Found,
    ) -> Result<(), StoreError> {
        let outcome = InspectionOutcome::Seen {
            detections: keep_detections(found.detections),
            look: found.look,
        };
        self.end_inspection(&fresh, inspection, outcome, found.following.as_ref())
    }

    /// Ends an inspection of a picture that cannot be looked at; this is not "no insects".
    ///
    /// # Errors
    /// As [`record_detections`](Self::record_detections).
    pub fn give_up(
        &mut self,
        fresh: Fresh,
        inspection: &NewInspection,
        reason: &str,
    ) -> Result<(), StoreError> {
        let outcome = InspectionOutcome::GaveUp {
            reason: clip(reason),
            attempts: fresh.attempts,
        };
        self.end_inspection(&fresh, inspection, outcome, None)
    }

    fn end_inspection(
        &mut self,
        fresh: &Fresh,
        inspection: &NewInspection,
        mut outcome: InspectionOutcome,
        following: Option<&Following>,
    ) -> Result<(), StoreError> {
        let threshold = if inspection.model.threshold.is_finite() {
            inspection.model.threshold
        } else {
            1.0
        };
        let (state, insects) = match &outcome {
            InspectionOutcome::Seen { detections, .. } => {
                let sure = detections.iter().filter(|box_| box_.score >= threshold);
                ("seen", Some(sure.count()))
            }
            InspectionOutcome::GaveUp { .. } => ("gave_up", None),
        };
        let is_poor = matches!(
            &outcome,
            InspectionOutcome::Seen { look: Some(look), .. } if look.is_poor
        );
        let stamp = clip_stamp(&inspection.stamp);
        let seq = fresh.capture.seq;
        self.write(|transaction| {
            let place = following
                .map(|following| follow::begin(transaction, fresh.capture, following))
                .transpose()?;
            if let InspectionOutcome::Seen { detections, .. } = &mut outcome {
                for detection in detections {
                    detection.track = place.and_then(|place| place.track(detection.track?));
                }
            }
            let json = outcome_json(fresh.capture, &outcome)?;
            let frame = place
                .zip(following)
                .map(|(place, now)| place.frame(now.frame));
            end_capture(transaction, fresh.capture, state)?;
            transaction.execute(
                "INSERT INTO inspections (capture, model, model_sha256, model_threshold,
                                          unix_ms, clock, boot_id, uptime_ms,
                                          took_ms, outcome, insects, frame, is_poor)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
                params![
                    seq,
                    clip(&inspection.model.id),
                    inspection.model.sha256.as_bytes(),
                    threshold,
                    stamp.unix_ms,
                    stamp.quality.word(),
                    stamp.boot_id,
                    stamp.uptime_ms,
                    inspection.took_ms,
                    json,
                    insects,
                    frame,
                    is_poor,
                ],
            )?;
            // The server takes no inspection of a capture that it refused.
            transaction.execute(
                "UPDATE inspections SET record = 'refused', refusal = 'its capture was refused'
                 WHERE capture = ?1
                   AND (SELECT record FROM captures WHERE seq = ?1) = 'refused'",
                [seq],
            )?;
            if let Some((place, following)) = place.zip(following) {
                follow::finish(transaction, fresh.capture, place, inspection, following)?;
            }
            Ok(())
        })
    }
}

fn outcome_json(capture: CaptureId, outcome: &InspectionOutcome) -> Result<String, Halt> {
    serde_json::to_string(outcome).map_err(|error| {
        Halt::Rule(StoreError::Refused {
            what: format!("the inspection of capture {capture}"),
            reason: error.to_string(),
        })
    })
}

/// Ends the waiting of a capture and insists that it waited.
fn end_capture(transaction: &Transaction<'_>, capture: CaptureId, state: &str) -> Result<(), Halt> {
    let ended = transaction.execute(
        "UPDATE captures SET inspection = ?2 WHERE seq = ?1 AND inspection = 'fresh'",
        params![capture.seq, state],
    )?;
    if ended == 1 {
        return Ok(());
    }
    Err(Halt::Rule(StoreError::Refused {
        what: format!("capture {capture}"),
        reason: "it is inspected already or belongs to another ledger".to_owned(),
    }))
}

fn oldest_fresh(connection: &Connection) -> Result<Option<(u64, u32)>, Halt> {
    let mut statement = connection.prepare(
        "SELECT seq, inspection_attempts FROM captures
         WHERE inspection = 'fresh' ORDER BY seq LIMIT 1",
    )?;
    let mut rows = statement.query([])?;
    match rows.next()? {
        Some(row) => Ok(Some((row.get(0)?, row.get(1)?))),
        None => Ok(None),
    }
}
