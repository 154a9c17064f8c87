//! One look at a picture, with what is remembered of the last one.

use serde::{Deserialize, Serialize};

use crate::boxes::Detection;
use crate::detector::{DetectError, Detector, Progress};
use crate::jpeg::Picture;

pub mod memory;

pub use memory::Memory;

/// How a picture is to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LookSettings {
    /// Run everything, whatever is remembered.
    pub whole: bool,
    /// Full resolution, or half of it in a hurry.
    pub scale: Scale,
    /// `false`: every look is a whole one.
    pub gated: bool,
    /// After this many looks in a row that were not whole, one is.
    pub whole_every: u32,
}

impl Default for LookSettings {
    fn default() -> Self {
        Self {
            whole: false,
            scale: Scale::Full,
            gated: true,
            whole_every: 24,
        }
    }
}

/// The resolution at which the network looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// As the picture is.
    #[default]
    Full,
    /// Two by two pixels become one: a quarter of the work, and the small insects are missed.
    Half,
}

/// Why a look ran the network on the whole picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WholeBecause {
    /// Nothing is remembered.
    First,
    /// The caller asked for it.
    Asked,
    /// It was time.
    Due,
    /// The picture has another size, or is looked at in another scale.
    Size,
    /// Another model.
    Model,
    /// Much darker or brighter than the last picture.
    Light,
    /// Much sharper or more blurred than the last picture.
    Focus,
    /// The card or the camera moved too far.
    Moved,
    /// Another card.
    Card,
    /// Too much changed for leaving anything out.
    Many,
    /// Gating is off.
    Ungated,
}

/// Whether this is the card of the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardSeen {
    /// Nothing is remembered to compare it with.
    First,
    /// As far as can be seen.
    Same,
    /// Another one.
    New,
}

/// What the picture is worth, measured on a small grey copy of it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Quality {
    /// Strength of the finest detail against its mean brightness; comparable between pictures of one camera only.
    pub sharpness: f32,
    /// Mean brightness, from 0 (black) to 255 (white).
    pub mean_luma: f32,
    /// Share of the picture that is quite black or quite white, from 0 to 1.
    pub clipped_share: f32,
}

/// What one look found.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// Boxes inside the picture, best first, in its own pixels whatever the scale.
    pub detections: Vec<Detection>,
    /// As long as `detections`: whether the box was taken over from the last picture instead of looked for.
    pub carried: Vec<bool>,
    /// Tiles of the whole picture.
    pub tiles: u32,
    /// Tiles that the network ran on.
    pub tiles_run: u32,
    /// Why all of them; `None` for a look that left tiles out.
    pub whole: Option<WholeBecause>,
    /// Where the last picture's middle lies now, right and down; `None` if there is none or it cannot be told.
    pub shift_px: Option<(f32, f32)>,
    /// Whether this is the card of the last look.
    pub card: CardSeen,
    /// What the picture is worth.
    pub quality: Quality,
}

impl Detector {
    /// Finds the insects of a picture, and runs the network only where it differs from the remembered one; what is
    /// returned with the boxes is to be given to the next look at the same trap.
    ///
    /// # Errors
    /// [`DetectError`]; the memory is then lost, and the next look is a whole one.
    pub fn look(
        &self,
        picture: &Picture,
        memory: Option<Memory>,
        settings: &LookSettings,
        keep_going: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<(Look, Memory), DetectError> {
        let detections = self.detect_with(picture, keep_going)?;
        let looks = memory.as_ref().map_or(0, |memory| memory.looks);
        let whole = match (settings.gated, memory) {
            (false, _) => WholeBecause::Ungated,
            (true, None) => WholeBecause::First,
            (true, Some(_)) if settings.whole => WholeBecause::Asked,
            (true, Some(_)) => WholeBecause::Due,
        };
        let tiles = 1;
        let look = Look {
            carried: vec![false; detections.len()],
            detections,
            tiles,
            tiles_run: tiles,
            whole: Some(whole),
            shift_px: None,
            card: CardSeen::First,
            quality: Quality::default(),
        };
        Ok((
            look,
            Memory {
                looks: looks.saturating_add(1),
            },
        ))
    }
}
