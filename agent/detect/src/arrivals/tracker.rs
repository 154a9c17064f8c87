//! The tracker: what it remembers, and what one frame does to it.

use serde::{Deserialize, Serialize};

use super::first_look::FirstLook;
use super::pose::{self, Pose};
use super::spotting::{in_order, placed};
use super::track::{STRONG, Spotted, Track};
use super::{
    Change, End, Frame, Observation, Origin, Scene, Settings, TRACKS_MAX, TrackView, matching,
    state,
};
use crate::look::CardSeen;

/// A shift of the picture beyond this is no shift of a card.
const SHIFT_MAX_PX: f32 = 1000.0;
/// So many doubtful frames in a row are believed: it was no moment's darkness.
const DOUBTFUL_MAX: u32 = 3;

/// All insects of one trap's card, from frame to frame. Save it as JSON between frames; reading checks it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "state::Saved")]
pub struct Tracker {
    pub(super) settings: Settings,
    pub(super) frames: u64,
    pub(super) next_number: u64,
    /// From the last picture to the card.
    pub(super) pose: Pose,
    /// Good frames of this card so far.
    pub(super) good_frames: u32,
    /// Doubtful frames in a row.
    pub(super) doubtful: u32,
    /// By number, with those that are gone.
    pub(super) tracks: Vec<Track>,
    /// How this card looked at its first good frame, if a scene came with it. It is large and changes only with the
    /// card, so it is kept beside the rest.
    #[serde(skip_serializing)]
    pub(super) first_look: Option<FirstLook>,
}

/// What became of the frame's sightings.
struct Sorted {
    /// (track, sighting), by index.
    pairs: Vec<(usize, usize)>,
    /// As `pairs`, of tracks that walked.
    walked: Vec<(usize, usize)>,
}

/// What a frame is worth.
struct Credit {
    is_new_card: bool,
    /// Nothing may be concluded from what it does not show.
    is_doubtful: bool,
}

impl Tracker {
    /// A tracker that has seen nothing.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            frames: 0,
            next_number: 1,
            pose: Pose::HOME,
            good_frames: 0,
            doubtful: 0,
            tracks: Vec::new(),
            first_look: None,
        }
    }

    /// How many frames it has seen; the number of the next frame.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// The tracks of this card, in the order of their numbers, with those that are gone.
    #[must_use]
    pub fn tracks(&self) -> Vec<TrackView> {
        self.tracks.iter().map(|track| track.view).collect()
    }

    /// Takes in one frame without a scene: what the detector overlooked at first is then taken for an arrival.
    pub fn observe(&mut self, frame: &Frame) -> Observation {
        self.observe_scene(frame, None)
    }

    /// Takes in one frame and the small copy of its picture.
    pub fn observe_scene(&mut self, frame: &Frame, scene: Option<&Scene>) -> Observation {
        let number = self.frames;
        self.frames = self.frames.saturating_add(1);
        let order = in_order(frame);
        let mut changes = Vec::new();

        let mut spotted = self.place(frame, &order);
        let mut sorted = self.sort(&spotted);
        let Credit {
            is_new_card,
            is_doubtful,
        } = self.credit(frame, &spotted, &sorted);
        if is_new_card {
            changes.extend(self.change_card());
            spotted = self.place(frame, &order);
            sorted = self.sort(&spotted);
        }
        let proves = !frame.is_poor && !is_doubtful;
        if !proves {
            sorted.walked.clear();
        }

        let mut numbers = vec![None; frame.sightings.len()];
        let mut tell = |sighting: usize, track: u64| {
            if let Some(entry) = order
                .get(sighting)
                .and_then(|&index| numbers.get_mut(index))
            {
                *entry = Some(track);
            }
        };
        for (pairs, is_moved) in [(&sorted.pairs, false), (&sorted.walked, true)] {
            for &(track, sighting) in pairs {
                if let (Some(track), Some(seen)) =
                    (self.tracks.get_mut(track), spotted.get(sighting))
                {
                    track.see(number, seen, is_moved, &self.settings);
                    tell(sighting, track.view.number);
                    changes.push(Change::Updated(track.view));
                }
            }
        }
        if proves {
            self.withdraw_doubts();
            let ended = self.miss(&sorted, &spotted);
            changes.extend(ended.into_iter().map(Change::Ended));
            for (sighting, view) in self.start(number, &sorted, &spotted, scene) {
                tell(sighting, view.number);
                changes.push(Change::New(view));
            }
            if self.good_frames == 0 {
                let pose = self.pose;
                self.first_look = scene.cloned().map(|scene| FirstLook { pose, scene });
            }
            self.good_frames = self.good_frames.saturating_add(1);
        }
        changes.sort_by_key(|change| change.track().number);
        Observation {
            frame: number,
            changes,
            numbers,
            is_doubtful,
        }
    }

    /// Whether the frame shows another card, or may not be believed; enough doubtful ones in a row are.
    fn credit(&mut self, frame: &Frame, spotted: &[Spotted], sorted: &Sorted) -> Credit {
        let mut is_new_card = frame.card == CardSeen::New && !self.is_surely_same(spotted, sorted);
        let mut is_doubtful = !is_new_card && !frame.is_poor && self.is_doubtful(sorted);
        if is_doubtful {
            self.doubtful += 1;
        } else if !frame.is_poor {
            self.doubtful = 0;
        }
        if is_doubtful && self.doubtful >= DOUBTFUL_MAX {
            let is_shown = |one: &&Spotted| one.detection.score >= self.settings.score;
            is_new_card = spotted.iter().filter(is_shown).count() >= 5 && spotted.len() >= 8;
            is_doubtful = false;
        }
        Credit {
            is_new_card,
            is_doubtful,
        }
    }

    /// Moves the pose along with the picture and lays the sightings on the card.
    fn place(&mut self, frame: &Frame, order: &[usize]) -> Vec<Spotted> {
        let shift = frame
            .shift_px
            .filter(|(x, y)| x.abs() <= SHIFT_MAX_PX && y.abs() <= SHIFT_MAX_PX);
        let shifted = shift.map_or(self.pose, |(x, y)| self.pose.after(&Pose::shift(-x, -y)));
        let sightings: Vec<_> = order
            .iter()
            .filter_map(|&index| frame.sightings.get(index))
            .collect();
        let mut known: Vec<_> = self
            .tracks
            .iter()
            .filter(|track| track.is_live() && (track.view.is_confirmed || track.missed == 0))
            .map(|track| track.placed.landmark())
            .collect();
        // In picture pixels: the pose is what is looked for.
        let mut seen: Vec<_> = sightings
            .iter()
            .map(|sighting| placed(&sighting.detection, &Pose::HOME).landmark())
            .collect();
        for marks in [&mut known, &mut seen] {
            marks.sort_by(|a, b| b.length_px.total_cmp(&a.length_px));
        }
        let found = pose::align(&known, &seen, &[shifted, self.pose]);
        let is_fitting = found.pairs * 2 >= known.len().min(seen.len());
        self.pose = if is_fitting && found.pose.is_sane() {
            found.pose
        } else {
            shifted
        };
        sightings
            .into_iter()
            .map(|sighting| Spotted {
                placed: placed(&sighting.detection, &self.pose),
                detection: sighting.detection,
                appearance: sighting.appearance,
                is_carried: sighting.is_carried,
            })
            .collect()
    }

    fn sort(&self, spotted: &[Spotted]) -> Sorted {
        let pairs = matching::in_place(&self.tracks, spotted);
        let walked = matching::walkers(&self.tracks, spotted, &pairs);
        Sorted { pairs, walked }
    }

    /// Most known insects have their box: whatever the picture looks like, this is no new card.
    fn is_surely_same(&self, spotted: &[Spotted], sorted: &Sorted) -> bool {
        let known = self.expected().count();
        let found = sorted
            .pairs
            .iter()
            .filter(|(track, _)| self.is_expected(*track))
            .count();
        known >= 8 && found * 10 >= known * 6 && found * 10 >= spotted.len() * 5
    }

    /// Almost nothing known was seen: rather darkness, or something before the lens, than all insects gone at once.
    fn is_doubtful(&self, sorted: &Sorted) -> bool {
        let known = self.expected().count();
        let found = sorted
            .pairs
            .iter()
            .filter(|(track, _)| self.is_expected(*track))
            .count();
        known >= 3 && found * 10 <= known * 3
    }

    fn expected(&self) -> impl Iterator<Item = &Track> {
        self.tracks
            .iter()
            .filter(|track| track.is_live() && track.view.is_confirmed)
    }

    fn is_expected(&self, track: usize) -> bool {
        self.tracks
            .get(track)
            .is_some_and(|track| track.is_live() && track.view.is_confirmed)
    }

    fn change_card(&mut self) -> Vec<Change> {
        let ended = std::mem::take(&mut self.tracks)
            .into_iter()
            .filter(Track::is_live)
            .map(|track| {
                Change::Ended(TrackView {
                    end: Some(End::CardChanged),
                    is_confirmed: track.is_sure_at_end(&self.settings),
                    ..track.view
                })
            });
        self.pose = Pose::HOME;
        self.good_frames = 0;
        self.first_look = None;
        self.doubtful = 0;
        ended.collect()
    }

    /// Who could be the insect that walked far, and is back in its place, was not it.
    fn withdraw_doubts(&mut self) {
        let there: Vec<u64> = self
            .tracks
            .iter()
            .filter(|track| track.is_live() && track.missed == 0)
            .map(|track| track.view.number)
            .collect();
        let last = self.frames.saturating_sub(1);
        for track in &mut self.tracks {
            let is_back = track
                .view
                .maybe_number
                .is_some_and(|other| there.binary_search(&other).is_ok());
            if is_back && track.view.last == last {
                track.view.maybe_number = None;
            }
        }
    }

    /// All tracks that were not seen, except those that another insect covers, are missed.
    fn miss(&mut self, sorted: &Sorted, spotted: &[Spotted]) -> Vec<TrackView> {
        let mut is_seen = vec![false; self.tracks.len()];
        for &(track, _) in sorted.pairs.iter().chain(&sorted.walked) {
            if let Some(entry) = is_seen.get_mut(track) {
                *entry = true;
            }
        }
        let mut ended = Vec::new();
        for (track, is_seen) in self.tracks.iter_mut().zip(is_seen) {
            let is_hidden = || {
                spotted
                    .iter()
                    .any(|other| track.placed.covered_by(&other.placed) >= 0.5)
            };
            if !is_seen && !is_hidden() && track.miss(&self.settings) {
                ended.push(track.view);
            }
        }
        ended
    }

    /// Every sighting without a track starts one.
    fn start(
        &mut self,
        frame: u64,
        sorted: &Sorted,
        spotted: &[Spotted],
        scene: Option<&Scene>,
    ) -> Vec<(usize, TrackView)> {
        let mut is_taken = vec![false; spotted.len()];
        for &(_, sighting) in sorted.pairs.iter().chain(&sorted.walked) {
            if let Some(entry) = is_taken.get_mut(sighting) {
                *entry = true;
            }
        }
        let vanished = matching::vanished(&self.tracks);
        let mut jumps = matching::Jumps::new(vanished);
        let mut started = Vec::new();
        for (sighting, seen) in spotted.iter().enumerate() {
            if is_taken.get(sighting) == Some(&true) || !self.has_room() {
                continue;
            }
            let is_weak = seen.detection.score < self.settings.score + STRONG;
            let is_settling = self.good_frames < self.settings.settling_frames;
            let shown_first = self.was_there(seen, scene);
            let was_there = shown_first.unwrap_or(is_settling && is_weak);
            let origin = if self.good_frames == 0 || was_there {
                Origin::Present
            } else {
                Origin::Arrived
            };
            let mut track = Track::start(self.next_number, frame, seen, origin);
            track.has_come = shown_first == Some(false);
            track.is_crowded = spotted.iter().zip(&is_taken).any(|(other, &is_known)| {
                is_known
                    && (seen.placed.covered_by(&other.placed) >= 0.6
                        || other.placed.covered_by(&seen.placed) >= 0.6)
            });
            if origin == Origin::Arrived {
                track.view.maybe_number = jumps.take(&self.tracks, seen);
            }
            track.see(frame, seen, false, &self.settings);
            self.next_number = self.next_number.saturating_add(1);
            started.push((sighting, track.view));
            self.tracks.push(track);
        }
        started
    }

    /// Makes room by forgetting a track that is gone, or a live one that is not confirmed.
    fn has_room(&mut self) -> bool {
        if self.tracks.len() < TRACKS_MAX {
            return true;
        }
        let last = self.frames.saturating_sub(1);
        let forgettable = self.tracks.iter().enumerate().filter(|(_, track)| {
            track.view.last < last && !(track.is_live() && track.view.is_confirmed)
        });
        let oldest = forgettable
            .min_by_key(|(_, track)| track.worth())
            .map(|(index, _)| index);
        oldest.map(|index| self.tracks.remove(index)).is_some()
    }
}
