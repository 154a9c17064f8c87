//! Reading a saved tracker without trust: a file can be cut, old, or made by somebody else.

use serde::Deserialize;

use super::pose::Pose;
use super::track::Track;
use super::{Settings, TRACKS_MAX, Tracker};

/// What was written, not yet checked.
#[derive(Deserialize)]
pub(super) struct Saved {
    settings: Settings,
    frames: u64,
    next_number: u64,
    pose: Pose,
    good_frames: u32,
    doubtful: u32,
    tracks: Vec<Track>,
}

/// What no tracker writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unsound {
    #[error("the saved tracker has more than {TRACKS_MAX} tracks")]
    TooMany,
    #[error("the saved tracker's track {number} does not fit the others or its own figures")]
    Track { number: u64 },
    #[error("the saved tracker's settings or pose make no sense")]
    Settings,
}

impl TryFrom<Saved> for Tracker {
    type Error = Unsound;

    fn try_from(saved: Saved) -> Result<Self, Unsound> {
        if saved.tracks.len() > TRACKS_MAX {
            return Err(Unsound::TooMany);
        }
        let settings = &saved.settings;
        if !(0.0..=1.0).contains(&settings.score) || !saved.pose.is_sane() {
            return Err(Unsound::Settings);
        }
        let mut above = 0;
        for track in &saved.tracks {
            let view = &track.view;
            let is_sound = view.number > above
                && view.number < saved.next_number
                && view.first <= view.best
                && view.best <= view.last
                && view.last < saved.frames
                && (0.0..=1.0).contains(&view.score)
                && (0.0..=100.0).contains(&track.evidence)
                && track.placed.is_sane();
            if !is_sound {
                return Err(Unsound::Track {
                    number: view.number,
                });
            }
            above = view.number;
        }
        Ok(Self {
            settings: saved.settings,
            frames: saved.frames,
            next_number: saved.next_number,
            pose: saved.pose,
            good_frames: saved.good_frames,
            doubtful: saved.doubtful.min(100),
            tracks: saved.tracks,
            first_look: None,
        })
    }
}
