//! The card's first picture: what is in it already did not arrive.

use serde::{Deserialize, Serialize};

use super::pose::Pose;
use super::spotting::placed;
use super::track::{Placed, Spotted};
use super::{Scene, Tracker};

/// The card's first picture, and how it lies on the card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FirstLook {
    pub(super) pose: Pose,
    pub(super) scene: Scene,
}

impl Tracker {
    /// How this card looked at first; stays the same until another card hangs.
    #[must_use]
    pub fn first_look(&self) -> Option<&FirstLook> {
        self.first_look.as_ref()
    }

    /// A saved tracker with the first look that belongs to it; one that makes no sense is left out.
    #[must_use]
    pub fn with_first_look(mut self, first_look: Option<FirstLook>) -> Self {
        self.first_look = first_look.filter(|first| first.pose.is_sane());
        self
    }

    /// Whether the card's first picture shows it already.
    pub(super) fn was_there(&self, seen: &Spotted, scene: Option<&Scene>) -> Option<bool> {
        let first = self.first_look.as_ref()?;
        let here = placed(&seen.detection, &Pose::HOME);
        let [x_px, y_px] = first
            .pose
            .inverse()
            .apply([seen.placed.x_px, seen.placed.y_px]);
        let there = Placed { x_px, y_px, ..here };
        scene?.was_there(&here, &first.scene, &there)
    }
}
