//! Insects followed over pictures: between the detector, which knows one
//! picture, and the ledger, which keeps what came of it.
//!
//! After each look the tracker is shown the boxes, and what it then knows is
//! written with the inspection in one transaction, so a power cut leaves both
//! or neither. A picture that was given up is not shown: nobody looked. A
//! picture that is older than the last one shown, or a look that could not be
//! read, never counts a second time.
//!
//! With the boxes comes a small copy of the picture. The tracker keeps that of
//! the card's first good picture, and what was dark there already did not
//! arrive, however late the detector finds it. The copy is most of the state:
//! up to 88 kB of text, beside about 500 bytes for each insect.
//!
//! Two things only this place decides:
//!
//! - **Another model** sees other insects on the same card. What it finds new in
//!   its first picture was [`Present`](TrackOrigin::Present), not arrived.
//! - **A state that cannot be read** (of another version, or spoilt) starts a new
//!   tracker, for which everything on the card is present.

use crate::inspect::Seen;
use trapline_detect::arrivals::{
    Change, End, FirstLook, Frame, Origin, Settings, Sighting, TrackView, Tracker, is_poor,
};
use trapline_detect::look::{self, Quality};
use trapline_store::{Followed, Following, Found, TrackNow};
use trapline_wire::CaptureId;
use trapline_wire::v1::{CardSeen, LookFacts, ModelRef, TrackBox, TrackEnd, TrackOrigin};

/// The follower at one moment; a picture makes the next one of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Follower {
    tracker: Tracker,
    is_anew: bool,
    last: Option<CaptureId>,
    model: Option<trapline_wire::Sha256>,
}

impl Follower {
    /// Goes on where the ledger says, or starts anew.
    #[must_use]
    pub fn resume(followed: Option<&Followed>, settings: Settings) -> Self {
        let known = followed.and_then(|followed| {
            let tracker: Tracker = serde_json::from_slice(&followed.state).ok()?;
            let of_card = followed.of_card.as_slice();
            let first_look: Option<FirstLook> = match of_card {
                [] => None,
                of_card => serde_json::from_slice(of_card).ok()?,
            };
            Some(tracker.with_first_look(first_look))
        });
        let is_anew = known.is_none();
        if let Some(followed) = followed.filter(|_| is_anew) {
            log::warn!(
                "what was known of the insects up to capture {} cannot be read: they are \
                 followed anew, and none of those on the card counts as an arrival",
                followed.capture
            );
        }
        Self {
            tracker: known.unwrap_or_else(|| Tracker::new(settings)),
            is_anew,
            last: followed.map(|followed| followed.capture),
            model: followed
                .filter(|_| !is_anew)
                .map(|followed| followed.model_sha256),
        }
    }

    /// What must be remembered of the card, if that is another than what is remembered already.
    fn of_card_after(&self, next: &Self) -> Option<Vec<u8>> {
        let first_look = next.tracker.first_look();
        let is_known = !self.is_anew && self.tracker.first_look() == first_look;
        (!is_known).then(|| serde_json::to_vec(&first_look).unwrap_or_default())
    }

    /// Shows a picture. Returns what is to be recorded, and the follower after
    /// it, which holds once that is committed.
    #[must_use]
    pub fn after(&self, capture: CaptureId, model: &ModelRef, seen: &Seen) -> (Found, Self) {
        let mut facts = seen.facts;
        facts.is_poor = is_poor(&Quality {
            sharpness: facts.sharpness,
            mean_luma: facts.mean_luma,
            clipped_share: facts.clipped_share,
        });
        if self.last.is_some_and(|last| capture <= last) {
            let found = Found {
                detections: seen.records(&[]),
                look: Some(facts),
                following: None,
            };
            return (found, self.clone());
        }
        let mut next = self.clone();
        next.is_anew = false;
        next.last = Some(capture);
        next.model = Some(model.sha256);
        let shown = frame(seen, &facts);
        let observed = next.tracker.observe_scene(&shown, seen.scene.as_ref());
        facts.is_poor |= observed.is_doubtful;
        let is_other_model = self.model.is_some_and(|before| before != model.sha256);
        let tracks = observed
            .changes
            .iter()
            .map(|change| told(change, seen, is_other_model))
            .collect();
        let found = Found {
            detections: seen.records(&observed.numbers),
            look: Some(facts),
            following: Some(Following {
                is_anew: self.is_anew,
                frame: observed.frame,
                is_new_card: facts.card == CardSeen::New,
                tracks,
                state: serde_json::to_vec(&next.tracker).unwrap_or_default(),
                of_card: self.of_card_after(&next),
            }),
        };
        (found, next)
    }
}

fn frame(seen: &Seen, facts: &LookFacts) -> Frame {
    Frame {
        sightings: seen
            .boxes
            .iter()
            .map(|found| Sighting {
                detection: found.detection(),
                appearance: found.appearance,
                is_carried: found.carried,
            })
            .collect(),
        shift_px: facts.shift_x_px.zip(facts.shift_y_px),
        card: match facts.card {
            CardSeen::First => look::CardSeen::First,
            CardSeen::Same => look::CardSeen::Same,
            CardSeen::New => look::CardSeen::New,
        },
        is_poor: facts.is_poor,
    }
}

fn told(change: &Change, seen: &Seen, is_other_model: bool) -> TrackNow {
    let track: &TrackView = change.track();
    let was_there = is_other_model && matches!(change, Change::New(_));
    let place = track.best_box;
    TrackNow {
        number: track.number,
        first: track.first,
        last: track.last,
        best: track.best,
        best_box: TrackBox {
            x_px: place.x_px,
            y_px: place.y_px,
            width_px: place.width_px,
            height_px: place.height_px,
        },
        score: track.score,
        class: seen.class_name(track.class),
        seen: track.seen,
        origin: match track.origin {
            Origin::Arrived if !was_there => TrackOrigin::Arrived,
            Origin::Arrived | Origin::Present => TrackOrigin::Present,
        },
        is_confirmed: track.is_confirmed,
        could_be: track.maybe_number,
        end: track.end.map(|end| match end {
            End::Gone => TrackEnd::Gone,
            End::CardChanged => TrackEnd::CardChanged,
        }),
    }
}
