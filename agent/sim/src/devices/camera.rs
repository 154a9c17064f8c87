//! The simulated camera: draws what hangs in front of it, and fails as cameras do.

use super::SharedScene;
use super::detector::Knowledge;
use crate::chance::Chance;
use crate::tally::Tally;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use trapline_hal::{Camera, DeviceError, FaultKind, Frame, FrameSource, ShotFacts, ShotSettings};
use trapline_wire::Sha256;

/// Every picture that a trap's camera ever handed out, by content.
#[derive(Debug, Clone, Default)]
pub struct Film(Arc<Mutex<BTreeSet<Sha256>>>);

impl Film {
    /// Whether the camera handed out this picture.
    #[must_use]
    pub fn has(&self, sha256: &Sha256) -> bool {
        self.lock().contains(sha256)
    }

    fn keep(&self, sha256: Sha256) {
        self.lock().insert(sha256);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<Sha256>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The camera of one boot.
#[derive(Debug)]
pub struct SimCamera {
    scene: SharedScene,
    film: Film,
    knowledge: Knowledge,
    tally: Arc<Tally>,
    /// Whether it fails on its own beside the world's camera faults.
    is_shaky: bool,
}

/// A picture of nothing: what a camera gives whose shutter hangs.
const BLACK: (u16, u16) = (64, 48);

impl SimCamera {
    /// The camera in front of a scene.
    #[must_use]
    pub fn new(scene: SharedScene, film: Film, knowledge: Knowledge, tally: Arc<Tally>) -> Self {
        Self {
            scene,
            film,
            knowledge,
            tally,
            is_shaky: true,
        }
    }

    /// The same camera without moods of its own, for the demo.
    #[must_use]
    pub fn steady(mut self) -> Self {
        self.is_shaky = false;
        self
    }

    fn fault(&self, now_ms: i64, chance: &mut Chance) -> Option<DeviceError> {
        let is_span = self.scene.world.camera_faults.at(now_ms).is_some();
        let fails = is_span || (self.is_shaky && chance.happens(0.004));
        if !fails {
            return None;
        }
        self.tally.add(|counts| counts.camera_faults += 1);
        let (kind, message) = match chance.below(3) {
            0 => (FaultKind::Absent, "no camera on the bus"),
            1 => (FaultKind::Busy, "another program holds the camera"),
            _ => (FaultKind::Transient, "the frame timed out"),
        };
        Some(DeviceError::new("camera", kind, message))
    }
}

impl Camera for SimCamera {
    fn shoot(&mut self, _settings: &ShotSettings) -> Result<Frame, DeviceError> {
        let now_ms = self.scene.time.now_ms();
        let mut chance = self.scene.chance(&[400, now_ms.unsigned_abs()]);
        if let Some(fault) = self.fault(now_ms, &mut chance) {
            return Err(fault);
        }
        let broken = |message: String| DeviceError::new("camera", FaultKind::Broken, message);
        let jpeg = if self.is_shaky && chance.happens(0.006) {
            self.tally.add(|counts| counts.black_pictures += 1);
            black().map_err(broken)?
        } else {
            let (mut jpeg, boxes) = self.scene.picture(chance.bits(), 85).map_err(broken)?;
            if self.is_shaky && chance.happens(0.006) {
                self.tally.add(|counts| counts.torn_pictures += 1);
                jpeg.truncate(jpeg.len() / 2);
            } else {
                let (card, _) = self.scene.world.card(now_ms);
                self.knowledge.learn(Sha256::of(&jpeg), card, &boxes);
            }
            jpeg
        };
        self.film.keep(Sha256::of(&jpeg));
        Ok(Frame {
            jpeg,
            source: FrameSource::Simulated,
            facts: ShotFacts::default(),
        })
    }
}

fn black() -> Result<Vec<u8>, String> {
    let (width, height) = BLACK;
    let pixels = vec![0; usize::from(width) * usize::from(height)];
    let mut jpeg = Vec::new();
    jpeg_encoder::Encoder::new(&mut jpeg, 60)
        .encode(&pixels, width, height, jpeg_encoder::ColorType::Luma)
        .map_err(|error| error.to_string())?;
    Ok(jpeg)
}
