//! What a detector is asked, what it gives back, and the real one.

use super::LookError;
use crate::stage::in_full;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Duration;
use trapline_detect::arrivals::{Appearance, Scene, appearance, scene};
use trapline_detect::look::{self, LookSettings, Memory, Scale};
use trapline_detect::{Detection, Detector, Limits, jpeg};
use trapline_wire::Sha256;
use trapline_wire::v1::{CardSeen, DetectionRecord, LookFacts, ModelRef, WholeBecause};

/// Pixels in, boxes out, whatever the model.
pub trait Detect: Send {
    /// The model, as every record of it names it.
    fn model(&self) -> ModelRef;

    /// What the network calculates with, as in `int8, neon`; `None` where there is no network.
    fn arithmetic(&self) -> Option<String> {
        None
    }

    /// Looks at a JPEG file; asks between pieces of work whether to go on.
    ///
    /// # Errors
    /// [`LookError`] says whether another try could help.
    fn look(
        &mut self,
        asked: &Asked<'_>,
        keep_going: &mut dyn FnMut() -> bool,
    ) -> Result<Seen, LookError>;

    /// How long the last look took, if the detector knows that better than the
    /// clock: a simulated one does its work in no time.
    fn last_took(&self) -> Option<Duration> {
        None
    }
}

/// One look that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The picture file.
    pub jpeg: &'a [u8],
    /// What was remembered of the picture before; anything that cannot be read
    /// makes the look a whole one.
    pub memory: Option<&'a [u8]>,
    /// How to look.
    pub settings: LookSettings,
}

impl<'a> Asked<'a> {
    /// A look at one picture alone.
    #[must_use]
    pub fn alone(jpeg: &'a [u8]) -> Self {
        Self {
            jpeg,
            memory: None,
            settings: LookSettings::default(),
        }
    }
}

/// What a look gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// The boxes, best first.
    pub boxes: Vec<SeenBox>,
    /// The names of the model's classes.
    pub class_names: Vec<String>,
    /// How the picture was looked at; whether it is poor is for the caller to say.
    pub facts: LookFacts,
    /// A small copy of the picture, which tells what came from what was
    /// overlooked; without it nothing counts as overlooked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scene: Option<Scene>,
    /// What to remember for the next look; binary, so it travels on its own.
    #[serde(skip)]
    pub memory: Vec<u8>,
}

/// One box.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SeenBox {
    /// Left edge.
    pub x_px: f32,
    /// Top edge.
    pub y_px: f32,
    /// Width.
    pub width_px: f32,
    /// Height.
    pub height_px: f32,
    /// Confidence, 0 to 1.
    pub score: f32,
    /// Number of the class in `class_names`.
    pub class: u16,
    /// Taken over from the picture before.
    pub carried: bool,
    /// What is in it.
    pub appearance: Appearance,
}

impl SeenBox {
    /// The box as the detector knows it.
    #[must_use]
    pub fn detection(&self) -> Detection {
        Detection {
            x_px: self.x_px,
            y_px: self.y_px,
            width_px: self.width_px,
            height_px: self.height_px,
            score: self.score,
            class: self.class,
        }
    }
}

impl Seen {
    /// The name of a class.
    #[must_use]
    pub fn class_name(&self, class: u16) -> String {
        self.class_names
            .get(usize::from(class))
            .cloned()
            .unwrap_or_else(|| class.to_string())
    }

    /// The boxes as they are recorded, in their order; `tracks` are their tracks' numbers.
    #[must_use]
    pub fn records(&self, tracks: &[Option<u64>]) -> Vec<DetectionRecord> {
        let tracks = tracks.iter().copied().chain(std::iter::repeat(None));
        self.boxes
            .iter()
            .zip(tracks)
            .map(|(found, track)| DetectionRecord {
                x_px: found.x_px,
                y_px: found.y_px,
                width_px: found.width_px,
                height_px: found.height_px,
                score: found.score,
                class: self.class_name(found.class),
                track,
                carried: found.carried,
            })
            .collect()
    }
}

/// The real detector.
struct Model {
    detector: Detector,
    model: ModelRef,
}

impl Detect for Model {
    fn model(&self) -> ModelRef {
        self.model.clone()
    }

    fn arithmetic(&self) -> Option<String> {
        Some(self.detector.arithmetic().to_owned())
    }

    fn look(
        &mut self,
        asked: &Asked<'_>,
        keep_going: &mut dyn FnMut() -> bool,
    ) -> Result<Seen, LookError> {
        let picture = jpeg::decode(asked.jpeg, &Limits::default())
            .map_err(|error| LookError::Unreadable(in_full(&error)))?;
        let memory = asked.memory.and_then(Memory::from_bytes);
        let settings = &asked.settings;
        let (look, memory) = self
            .detector
            .look(&picture, memory, settings, &mut |_| keep_going())
            .map_err(|error| LookError::Failed(in_full(&error)))?;
        let carried = look.carried.iter().copied().chain(std::iter::repeat(false));
        let boxes = look
            .detections
            .iter()
            .zip(carried)
            .map(|(found, carried)| SeenBox {
                x_px: found.x_px,
                y_px: found.y_px,
                width_px: found.width_px,
                height_px: found.height_px,
                score: found.score,
                class: found.class,
                carried,
                appearance: appearance(&picture, found),
            })
            .collect();
        Ok(Seen {
            boxes,
            class_names: self.detector.model().classes.clone(),
            facts: facts(&look, settings),
            scene: Some(scene(&picture)),
            memory: memory.to_bytes(),
        })
    }
}

fn facts(look: &look::Look, settings: &LookSettings) -> LookFacts {
    LookFacts {
        tiles: look.tiles,
        tiles_run: look.tiles_run,
        whole: look.whole.map(whole),
        is_half: settings.scale == Scale::Half,
        shift_x_px: look.shift_px.map(|(x_px, _)| x_px),
        shift_y_px: look.shift_px.map(|(_, y_px)| y_px),
        card: match look.card {
            look::CardSeen::First => CardSeen::First,
            look::CardSeen::Same => CardSeen::Same,
            look::CardSeen::New => CardSeen::New,
        },
        sharpness: look.quality.sharpness,
        mean_luma: look.quality.mean_luma,
        clipped_share: look.quality.clipped_share,
        is_poor: false,
    }
}

fn whole(because: look::WholeBecause) -> WholeBecause {
    use look::WholeBecause as Said;
    match because {
        Said::First => WholeBecause::First,
        Said::Asked => WholeBecause::Asked,
        Said::Due => WholeBecause::Due,
        Said::Size => WholeBecause::Size,
        Said::Model => WholeBecause::Model,
        Said::Light => WholeBecause::Light,
        Said::Focus => WholeBecause::Focus,
        Said::Moved => WholeBecause::Moved,
        Said::Card => WholeBecause::Card,
        Said::Many => WholeBecause::Many,
        Said::Ungated => WholeBecause::Ungated,
    }
}

/// Loads the built-in model, or the one beside `manifest`.
///
/// # Errors
/// What is wrong with the model, in words.
pub fn load_model(manifest: Option<&Path>) -> Result<Box<dyn Detect>, String> {
    let detector = match manifest {
        Some(path) => Detector::load(path),
        None => Detector::embedded(),
    };
    let detector = detector.map_err(|error| in_full(&error))?;
    let manifest = detector.model();
    let sha256: Sha256 = manifest
        .sha256
        .parse()
        .map_err(|error| format!("the manifest's SHA-256: {error}"))?;
    let model = ModelRef {
        id: manifest.id.clone(),
        sha256,
        threshold: manifest.thresholds.score,
    };
    Ok(Box::new(Model { detector, model }))
}
