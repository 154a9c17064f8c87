//! A detector that knows where the insects are, because the camera told it.
//! It calls itself `sim-truth`, so that nobody takes its boxes for a model's.

use crate::chance::Chance;
use crate::plate::TruthBox;
use crate::tally::Tally;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use trapline_agent::inspect::{Detect, LookError};
use trapline_wire::Sha256;
use trapline_wire::v1::{DetectionRecord, ModelRef};

/// The name that its records carry.
pub const MODEL_ID: &str = "sim-truth";
/// More boxes of one picture are not remembered: a season has many pictures.
const BOXES_MAX: usize = 16;

/// What the camera has seen, by picture.
#[derive(Debug, Clone, Default)]
pub struct Knowledge(Arc<Mutex<BTreeMap<Sha256, Vec<DetectionRecord>>>>);

impl Knowledge {
    /// Remembers the boxes of a picture, the newest insects first.
    pub fn learn(&self, sha256: Sha256, boxes: &[TruthBox]) {
        let records = boxes
            .iter()
            .rev()
            .take(BOXES_MAX)
            .map(|found| DetectionRecord {
                x_px: found.x_px,
                y_px: found.y_px,
                width_px: found.width_px,
                height_px: found.height_px,
                score: 1.0,
                class: "insect".to_owned(),
            });
        self.lock().insert(sha256, records.collect());
    }

    fn of(&self, sha256: &Sha256) -> Option<Vec<DetectionRecord>> {
        self.lock().get(sha256).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Sha256, Vec<DetectionRecord>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The detector of one boot.
#[derive(Debug)]
pub struct SimDetector {
    knowledge: Knowledge,
    tally: Arc<Tally>,
    chance: Chance,
}

impl SimDetector {
    /// A detector that knows what the camera knows.
    #[must_use]
    pub fn new(knowledge: Knowledge, tally: Arc<Tally>, chance: Chance) -> Self {
        Self {
            knowledge,
            tally,
            chance,
        }
    }
}

impl Detect for SimDetector {
    fn model(&self) -> ModelRef {
        ModelRef {
            id: MODEL_ID.to_owned(),
            sha256: Sha256::of(MODEL_ID.as_bytes()),
            threshold: 0.5,
        }
    }

    fn look(
        &mut self,
        jpeg: &[u8],
        keep_going: &mut dyn FnMut() -> bool,
    ) -> Result<Vec<DetectionRecord>, LookError> {
        let sha256 = Sha256::of(jpeg);
        let is_poison = sha256.as_bytes().first().is_some_and(|byte| *byte == 0);
        if is_poison || self.chance.happens(0.01) {
            self.tally.add(|counts| counts.detector_faults += 1);
            return Err(LookError::Failed("out of memory in a tile".to_owned()));
        }
        if !keep_going() {
            return Err(LookError::Failed("stopped".to_owned()));
        }
        if !jpeg.ends_with(&[0xff, 0xd9]) {
            return Err(LookError::Unreadable("the JPEG breaks off".to_owned()));
        }
        Ok(self.knowledge.of(&sha256).unwrap_or_default())
    }
}
