//! One individual: what is known of it, its evidence and its end.
//!
//! Evidence is what confirms: a box of at least the shown score that the network found in this picture counts 1, a
//! weak one 0.4, one that was only carried over a quarter, and a good frame without it takes half away. So an insect
//! is confirmed at its second good sighting, and a box that flickers is not. A box that is always weak is dirt that is
//! seen that way for days, and never confirmed; unless the card's first picture shows that nothing was there, so that
//! something came, and it stays.

use serde::{Deserialize, Serialize};

use super::pose::Landmark;
use super::{Appearance, End, Origin, Settings, TrackView};
use crate::boxes::Detection;

/// Evidence that confirms a track.
const CONFIRMED: f32 = 1.5;
/// The share of the shown score that a confirmed track's best box has at least.
const NEARLY_SHOWN: f32 = 0.85;
/// The same, where the card's first picture shows a bare place: something came.
const CAME_SHOWN: f32 = 0.5;
/// Evidence that confirms what came but is always weak: about six sightings.
const CAME_CONFIRMED: f32 = 2.5;
/// As much more is needed for a box that lies on a known insect: it may be a second box on the same one.
const CROWDED: f32 = 1.0;
/// Above the shown score by this much a box is strong: hardly ever dirt, and never overlooked at a card's first look.
pub(super) const STRONG: f32 = 0.15;
/// No track collects more, so that an old one does not outlive its absence by far.
const EVIDENCE_MAX: f32 = 4.0;
/// After so many good frames without a sighting an unconfirmed track is over.
const UNCONFIRMED_GONE_AFTER: u32 = 3;

/// A box in card coordinates, by its middle.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Placed {
    pub(super) x_px: f32,
    pub(super) y_px: f32,
    pub(super) width_px: f32,
    pub(super) height_px: f32,
}

impl Placed {
    pub(super) fn length_px(&self) -> f32 {
        self.width_px.max(self.height_px)
    }

    pub(super) fn distance_px(&self, other: &Self) -> f32 {
        (self.x_px - other.x_px).hypot(self.y_px - other.y_px)
    }

    pub(super) fn landmark(&self) -> Landmark {
        Landmark {
            at: [self.x_px, self.y_px],
            length_px: self.length_px(),
        }
    }

    /// The same as a box with a corner, for what boxes can do.
    pub(super) fn as_box(&self) -> Detection {
        Detection {
            x_px: self.x_px - self.width_px / 2.0,
            y_px: self.y_px - self.height_px / 2.0,
            width_px: self.width_px,
            height_px: self.height_px,
            score: 1.0,
            class: 0,
        }
    }

    /// How much of this box the other one covers, from 0 to 1.
    pub(super) fn covered_by(&self, other: &Self) -> f32 {
        let own = self.as_box();
        own.shared_px2(&other.as_box()) / own.area_px2().max(1e-3)
    }

    pub(super) fn is_sane(&self) -> bool {
        [self.x_px, self.y_px].iter().all(|place| place.abs() < 1e6)
            && [self.width_px, self.height_px]
                .iter()
                .all(|side| (0.0..1e6).contains(side))
    }
}

/// A sighting on its card.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spotted {
    pub(super) placed: Placed,
    pub(super) detection: Detection,
    pub(super) appearance: Appearance,
    pub(super) is_carried: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Track {
    pub(super) view: TrackView,
    pub(super) placed: Placed,
    pub(super) appearance: Appearance,
    pub(super) evidence: f32,
    /// Good frames since the last sighting.
    pub(super) missed: u32,
    /// It began on top of a known insect.
    pub(super) is_crowded: bool,
    /// The card's first picture shows that nothing was there.
    #[serde(default)]
    pub(super) has_come: bool,
}

impl Track {
    pub(super) fn start(number: u64, frame: u64, spotted: &Spotted, origin: Origin) -> Self {
        Self {
            view: TrackView {
                number,
                first: frame,
                last: frame,
                best: frame,
                best_box: spotted.detection,
                score: spotted.detection.score,
                class: spotted.detection.class,
                seen: 0,
                origin,
                is_confirmed: false,
                maybe_number: None,
                end: None,
            },
            placed: spotted.placed,
            appearance: spotted.appearance,
            evidence: 0.0,
            missed: 0,
            is_crowded: false,
            has_come: false,
        }
    }

    /// Takes in a sighting. `is_moved` when it walked, so that its place is the new one at once.
    pub(super) fn see(
        &mut self,
        frame: u64,
        spotted: &Spotted,
        is_moved: bool,
        settings: &Settings,
    ) {
        let view = &mut self.view;
        view.last = frame;
        view.seen = view.seen.saturating_add(1);
        view.end = None;
        self.missed = 0;
        if spotted.detection.score > view.score {
            view.score = spotted.detection.score;
            view.best = frame;
            view.best_box = spotted.detection;
            view.class = spotted.detection.class;
        }
        // Boxes jitter by a pixel or two; a carried box says nothing new.
        let share = match (is_moved, spotted.is_carried) {
            (true, _) => 1.0,
            (false, true) => 0.0,
            (false, false) => 0.3,
        };
        let towards = |own: &mut f32, seen: f32| *own += (seen - *own) * share;
        towards(&mut self.placed.x_px, spotted.placed.x_px);
        towards(&mut self.placed.y_px, spotted.placed.y_px);
        towards(&mut self.placed.width_px, spotted.placed.width_px);
        towards(&mut self.placed.height_px, spotted.placed.height_px);
        if !spotted.is_carried {
            self.appearance = spotted.appearance;
        }
        let is_shown = spotted.detection.score >= settings.score;
        let gain = match (is_shown, spotted.is_carried) {
            (true, false) => 1.0,
            (false, false) => 0.4,
            (true, true) => 0.25,
            (false, true) => 0.1,
        };
        self.evidence = (self.evidence + gain).min(EVIDENCE_MAX);
        let needed = CONFIRMED + if self.is_crowded { CROWDED } else { 0.0 };
        let is_sure = |share: f32, needed: f32| {
            self.view.score >= share * settings.score && self.evidence >= needed
        };
        let is_sure = is_sure(NEARLY_SHOWN, needed)
            || self.has_come && is_sure(CAME_SHOWN, needed.max(CAME_CONFIRMED));
        self.view.is_confirmed |= is_sure && self.view.seen >= 2;
    }

    /// A good frame without it; says whether that ends it.
    pub(super) fn miss(&mut self, settings: &Settings) -> bool {
        self.missed = self.missed.saturating_add(1);
        self.evidence = (self.evidence - 0.5).max(0.0);
        let patience = if self.view.is_confirmed {
            settings.gone_after
        } else {
            UNCONFIRMED_GONE_AFTER
        };
        let is_over = self.is_live() && self.missed >= patience;
        if is_over {
            self.view.end = Some(End::Gone);
        }
        is_over
    }

    /// Whether it counts when its card is taken away. What the last frame showed for the first time can never be seen
    /// again: there a strong box alone will do.
    pub(super) fn is_sure_at_end(&self, settings: &Settings) -> bool {
        let is_strong = self.view.score >= settings.score + STRONG;
        self.view.is_confirmed || is_strong && self.missed == 0 && !self.is_crowded
    }

    pub(super) fn is_live(&self) -> bool {
        self.view.end.is_none()
    }

    /// Who is forgotten first when there is no more room; the smallest goes.
    pub(super) fn worth(&self) -> (bool, bool, u64, u64) {
        (
            self.is_live(),
            self.view.is_confirmed,
            self.view.last,
            self.view.number,
        )
    }
}
