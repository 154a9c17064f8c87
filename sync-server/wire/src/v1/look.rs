//! How a picture was looked at: how much of it the network ran on, and what
//! was seen of the card and of the picture's worth.

use serde::{Deserialize, Serialize};

/// How a picture was looked at. What was not looked at again is the same as in
/// the picture before, and its boxes are marked `carried`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LookFacts {
    /// Tiles of the whole picture.
    pub tiles: u32,
    /// Tiles that the network ran on.
    pub tiles_run: u32,
    /// Why it ran on all of them; absent for a look that left tiles out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole: Option<WholeBecause>,
    /// The network saw the picture at half its resolution, so small insects are missed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_half: bool,
    /// Where the middle of the picture before lies in this one, right, pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift_x_px: Option<f32>,
    /// As `shift_x_px`, down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift_y_px: Option<f32>,
    /// Whether this is the card of the picture before.
    pub card: CardSeen,
    /// Strength of the finest detail against the mean brightness; comparable
    /// between pictures of one camera only.
    pub sharpness: f32,
    /// Mean brightness, from 0 (black) to 255 (white).
    pub mean_luma: f32,
    /// Share of the picture that is quite black or quite white, 0 to 1.
    pub clipped_share: f32,
    /// The picture is too dark, bright or blurred to prove that an insect is not there.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_poor: bool,
}

/// Why the network ran on the whole picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WholeBecause {
    /// Nothing was remembered.
    First,
    /// It was asked for.
    Asked,
    /// It was time.
    Due,
    /// The picture had another size, or was looked at in another scale.
    Size,
    /// Another model.
    Model,
    /// Much darker or brighter than the picture before.
    Light,
    /// Much sharper or more blurred than the picture before.
    Focus,
    /// The card or the camera moved too far.
    Moved,
    /// Another card.
    Card,
    /// Too much had changed for leaving anything out.
    Many,
    /// Every look of this trap is a whole one.
    Ungated,
    /// A reason that only a newer version knows.
    #[serde(other)]
    Other,
}

/// Whether a picture shows the card of the picture before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardSeen {
    /// Nothing was remembered to compare it with.
    First,
    /// As far as can be seen.
    Same,
    /// Another one.
    New,
}

pub(super) fn is_false(value: &bool) -> bool {
    !value
}
