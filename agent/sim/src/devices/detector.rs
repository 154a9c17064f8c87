//! A detector that knows where the insects are, because the camera told it.
//! It calls itself `sim-truth`, so that nobody takes its boxes for a model's.

use crate::chance::Chance;
use crate::plate::TruthBox;
use crate::tally::Tally;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use trapline_agent::inspect::{Asked, Detect, LookError, Seen, SeenBox};
use trapline_detect::arrivals::{Appearance, appearance};
use trapline_detect::{Detection, Picture};
use trapline_wire::Sha256;
use trapline_wire::v1::{CardSeen, LookFacts, ModelRef, WholeBecause};

/// The name that its records carry.
pub const MODEL_ID: &str = "sim-truth";
/// More boxes of one picture are not remembered: a season has many pictures.
const BOXES_MAX: usize = 48;
/// Tiles of each picture, for the facts of a look.
const TILES: u32 = 6;

/// What the camera has seen, by picture.
#[derive(Debug, Clone, Default)]
pub struct Knowledge(Arc<Mutex<BTreeMap<Sha256, Shown>>>);

/// What one picture shows.
#[derive(Debug, Clone, Default)]
struct Shown {
    card: u32,
    boxes: Vec<SeenBox>,
}

impl Knowledge {
    /// Remembers the boxes of a picture of the card, the newest insects first.
    pub fn learn(&self, sha256: Sha256, card: u32, boxes: &[TruthBox]) {
        let boxes = boxes.iter().rev().take(BOXES_MAX).map(|found| SeenBox {
            x_px: found.x_px,
            y_px: found.y_px,
            width_px: found.width_px,
            height_px: found.height_px,
            score: 1.0,
            class: 0,
            carried: false,
            appearance: look_of(found),
        });
        let boxes = boxes.collect();
        self.lock().insert(sha256, Shown { card, boxes });
    }

    fn of(&self, sha256: &Sha256) -> Option<Shown> {
        self.lock().get(sha256).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Sha256, Shown>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same looks for the same insect in each picture, and others for others:
/// stripes by its size, on a small picture of its own.
fn look_of(found: &TruthBox) -> Appearance {
    const SIDE: u32 = 24;
    let dark = [found.width_px, found.height_px].map(|side_px| side_px.to_bits());
    let shade = |pixel: u32| {
        let bit = (pixel % SIDE + pixel / SIDE) % 32;
        let is_dark = dark.iter().any(|bits| bits >> bit & 1 == 1);
        if is_dark {
            [40, 35, 30]
        } else {
            [205, 190, 70]
        }
    };
    let picture = Picture {
        width_px: SIDE,
        height_px: SIDE,
        rgb: (0..SIDE * SIDE).flat_map(shade).collect(),
    };
    let middle = Detection {
        x_px: 4.0,
        y_px: 4.0,
        width_px: 16.0,
        height_px: 16.0,
        score: 1.0,
        class: 0,
    };
    appearance(&picture, &middle)
}

/// The detector of one boot.
#[derive(Debug)]
pub struct SimDetector {
    knowledge: Knowledge,
    tally: Arc<Tally>,
    chance: Chance,
    model: ModelRef,
}

impl SimDetector {
    /// A detector that knows what the camera knows.
    #[must_use]
    pub fn new(knowledge: Knowledge, tally: Arc<Tally>, chance: Chance) -> Self {
        Self {
            knowledge,
            tally,
            chance,
            model: ModelRef {
                id: MODEL_ID.to_owned(),
                sha256: Sha256::of(MODEL_ID.as_bytes()),
                threshold: 0.5,
            },
        }
    }

    /// The same under the name of an offered model: one whose id begins with
    /// `slow` takes four times as long, one with `crash` fails at every look.
    #[must_use]
    pub fn named_model(mut self, id: String, sha256: Sha256) -> Self {
        self.model = ModelRef {
            id,
            sha256,
            threshold: 0.5,
        };
        self
    }
}

impl Detect for SimDetector {
    fn model(&self) -> ModelRef {
        self.model.clone()
    }

    fn last_took(&self) -> Option<Duration> {
        let is_slow = self.model.id.starts_with("slow");
        Some(Duration::from_secs(if is_slow { 4 } else { 1 }))
    }

    fn look(
        &mut self,
        asked: &Asked<'_>,
        keep_going: &mut dyn FnMut() -> bool,
    ) -> Result<Seen, LookError> {
        let jpeg = asked.jpeg;
        let sha256 = Sha256::of(jpeg);
        let is_poison = sha256.as_bytes().first().is_some_and(|byte| *byte == 0);
        if is_poison || self.chance.happens(0.01) {
            self.tally.add(|counts| counts.detector_faults += 1);
            return Err(LookError::Failed("out of memory in a tile".to_owned()));
        }
        if self.model.id.starts_with("crash") {
            return Err(LookError::Failed("a tile of another shape".to_owned()));
        }
        if !keep_going() {
            return Err(LookError::Failed("stopped".to_owned()));
        }
        if !jpeg.ends_with(&[0xff, 0xd9]) {
            return Err(LookError::Unreadable("the JPEG breaks off".to_owned()));
        }
        let shown = self.knowledge.of(&sha256);
        let before: Option<[u8; 4]> = asked.memory.and_then(|bytes| bytes.try_into().ok());
        let before = before.map(u32::from_le_bytes);
        // A picture of nothing tells nothing of the card.
        let card = shown.as_ref().map_or(before, |shown| Some(shown.card));
        let seen_card = match before {
            None => CardSeen::First,
            Some(_) if before == card => CardSeen::Same,
            Some(_) => CardSeen::New,
        };
        let is_dark = shown.is_none();
        let still = (seen_card == CardSeen::Same && !is_dark).then_some(0.0);
        Ok(Seen {
            boxes: shown.unwrap_or_default().boxes,
            class_names: vec!["insect".to_owned()],
            facts: LookFacts {
                tiles: TILES,
                tiles_run: if still.is_some() { 1 } else { TILES },
                whole: whole(seen_card, is_dark),
                is_half: false,
                shift_x_px: still,
                shift_y_px: still,
                card: seen_card,
                sharpness: 1.0,
                mean_luma: if is_dark { 0.0 } else { 120.0 },
                clipped_share: if is_dark { 1.0 } else { 0.0 },
                is_poor: false,
            },
            scene: None,
            memory: card.map_or_else(Vec::new, |card| card.to_le_bytes().to_vec()),
        })
    }
}

fn whole(card: CardSeen, is_dark: bool) -> Option<WholeBecause> {
    match card {
        _ if is_dark => Some(WholeBecause::Light),
        CardSeen::First => Some(WholeBecause::First),
        CardSeen::New => Some(WholeBecause::Card),
        CardSeen::Same => None,
    }
}
