//! From a frame to a capture: the note in its file, its row in the ledger, and,
//! once it is safe, what it is worth.

use super::worth::{self, RECENT};
use super::{Capture, Taken};
use crate::asks::ShotCause;
use crate::capture::sensors::has_a_value;
use crate::desk::Desk;
use crate::exif::{self, Note};
use crate::lent::NotBack;
use crate::moment::wire_stamp;
use crate::stage::StageError;
use std::time::Duration;
use trapline_detect::quality;
use trapline_hal::{self as hal, Frame, FrameSource};
use trapline_store::{NewCapture, NewReading, Planned, Worth};
use trapline_wire::CaptureId;
use trapline_wire::v1::{CaptureSource, MissReason, PictureQuality, ShotFacts};

/// A picture that is not measured by then is kept without.
const MEASURE_LIMIT: Duration = Duration::from_secs(20);

impl Capture {
    pub(super) async fn admit(
        &mut self,
        planned: Planned,
        frame: Frame,
        reading: NewReading,
        cause: ShotCause,
    ) -> Result<Taken, StageError> {
        let stamp = wire_stamp(&self.desk.clock.stamp());
        let place = self.desk.config.trap.place;
        let (admitted, jpeg) = self
            .desk
            .books
            .with(move |ledger| {
                let source = wire_source(frame.source);
                let shot = wire_facts(frame.facts);
                let jpeg = match ledger.next_capture_id() {
                    Ok(capture) => exif::noted(
                        frame.jpeg,
                        &Note {
                            capture,
                            stamp: &stamp,
                            source: &source,
                            cause,
                            shot: &shot,
                            place,
                        },
                    ),
                    // Admitting it finds the same fault, and gives the shot back.
                    Err(_) => frame.jpeg,
                };
                let size = trapline_detect::jpeg::dimensions(&jpeg).ok();
                let capture = NewCapture {
                    stamp,
                    source,
                    width_px: size.map(|(width, _)| width),
                    height_px: size.map(|(_, height)| height),
                    reading: has_a_value(&reading).then_some(reading),
                    cause,
                    shot,
                    worth: Worth::Later,
                };
                Ok((ledger.admit(planned, capture, &jpeg), jpeg))
            })
            .await?;
        match admitted {
            Ok(id) => {
                log::info!(capture = id.to_string(); "took picture {id}");
                let took_ms = self.began.elapsed().as_millis();
                log::debug!("it was on the card {took_ms} ms after the shot began");
                self.desk.health.clear("disk");
                self.desk.wakes.inspect.notify_one();
                self.desk.wakes.retain.notify_one();
                self.measure(id, jpeg).await;
                self.desk.wakes.sync.notify_one();
                Ok(Ok(id))
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

    /// Measures a picture that is safe on the card, so that it costs the shot no
    /// time; here and not beside the detector, which may be off or days behind.
    async fn measure(&mut self, capture: CaptureId, jpeg: Vec<u8>) {
        let work = move |(): &mut ()| quality::measure(&jpeg);
        let measured = self
            .measurer
            .job(self.desk.hands, MEASURE_LIMIT, work)
            .await;
        let why = match measured {
            Ok(Ok(measured)) => return judge(&self.desk, capture, Some(measured)).await,
            Ok(Err(error)) => crate::stage::in_full(&error),
            Err(NotBack::Hung | NotBack::Away) => "it takes too long".to_owned(),
            Err(NotBack::Panicked(words)) => {
                self.measurer.put(());
                words
            }
        };
        log::warn!(capture = capture.to_string(); "{capture} cannot be measured: {why}");
        judge(&self.desk, capture, None).await;
    }
}

/// Says what is wrong with the picture beside the ones before it. A ledger that
/// fails here costs no picture, and says it with the next one.
async fn judge(desk: &Desk, capture: CaptureId, measured: Option<quality::Measured>) {
    let written = desk
        .books
        .with(move |ledger| {
            let recent = ledger.recent_quality(RECENT)?;
            // The newest row is this picture's own, not measured yet.
            let before = recent.get(1..).unwrap_or_default();
            let quality = measured.map(|measured| worth::judged(&measured, before));
            ledger.record_quality(capture, quality.as_ref())?;
            let told = quality.map(|quality| (worth::trouble(&quality, before), quality));
            Ok(told)
        })
        .await;
    let health = &desk.health;
    match written {
        Ok(Some((trouble, quality))) => {
            note(capture, &quality);
            let now_ms = desk.clock.stamp().unix_ms;
            match trouble {
                Some(words) => health.raise(worth::PART, &words, now_ms),
                None if quality.flaws.is_empty() => health.clear(worth::PART),
                None => {}
            }
        }
        Ok(None) => {}
        Err(error) => {
            let why = error.in_full();
            log::warn!(capture = capture.to_string(); "what {capture} is worth cannot be kept: {why}");
        }
    }
}

fn note(capture: CaptureId, quality: &PictureQuality) {
    if let Some(flaw) = quality.flaws.first() {
        log::warn!(
            capture = capture.to_string(), mean_luma = quality.mean_luma, sharpness = quality.sharpness;
            "picture {capture} is {}", worth::words(*flaw)
        );
    }
}

fn wire_facts(facts: hal::ShotFacts) -> ShotFacts {
    let hal::ShotFacts {
        exposure_us,
        gain,
        lens_dioptres,
        white_balance_k,
        sensor_c,
        sensor_model,
    } = facts;
    ShotFacts {
        exposure_us,
        gain,
        lens_dioptres,
        white_balance_k,
        sensor_c,
        sensor_model,
    }
}

fn wire_source(source: FrameSource) -> CaptureSource {
    match source {
        FrameSource::Camera { model } => CaptureSource::Camera { model },
        FrameSource::Replayed { file_name } => CaptureSource::Replayed { file_name },
        FrameSource::Simulated => CaptureSource::Simulated,
    }
}
