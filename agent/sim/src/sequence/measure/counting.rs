//! A tracker, and what its tracks are in truth.

use super::{matches, minute};
use crate::sequence::{Sequence, SequenceFrame, SequenceInsect, Story};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use trapline_detect::arrivals::{
    Count, Frame, LookNote, Origin, Scene, Settings, TrackView, Tracker, arrivals_between,
};

/// Hours of an interval in the report.
const INTERVAL_HOURS: u32 = 6;

/// What the tracks of one tracker amount to.
#[derive(Debug, Clone, Serialize)]
pub struct Arrivals {
    /// The whole time, hours that have a frame, in intervals.
    pub intervals: Vec<Interval>,
    /// The first day as one interval.
    pub day: Interval,
    /// Everything as one interval.
    pub total: Interval,
    /// Insects that were counted though they had been there or were counted before.
    pub doubles: Vec<Double>,
    /// Counted tracks that are no insect.
    pub false_arrivals: u32,
    /// Insects that the detector sees and nobody counted.
    pub missed: u32,
}

/// Arrivals in a span of time.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Interval {
    /// First hour.
    pub from_hour: u32,
    /// The hour after the last.
    pub until_hour: u32,
    /// Insects that came.
    pub truth: u32,
    /// Of these, insects that the detector finds on whole looks, most of the time.
    pub truth_seen: u32,
    /// Counted.
    pub counted: u32,
    /// At least.
    pub low: u32,
    /// At most.
    pub high: u32,
}

impl Interval {
    /// How far the count is off, in percent of the insects that the detector can see.
    #[must_use]
    pub fn error_percent(&self) -> f64 {
        error_percent(self.counted, self.truth_seen)
    }

    /// How far the count is off, in percent of all insects that came.
    #[must_use]
    pub fn error_of_all_percent(&self) -> f64 {
        error_percent(self.counted, self.truth)
    }
}

fn error_percent(counted: u32, truth: u32) -> f64 {
    (f64::from(counted) - f64::from(truth)) / f64::from(truth.max(1)) * 100.0
}

/// An insect that was counted once too often.
#[derive(Debug, Clone, Serialize)]
pub struct Double {
    /// The insect.
    pub insect: u32,
    /// The frame of the wrong arrival.
    pub frame: u64,
    /// What happened last before it, within six frames; `none` if nothing did.
    pub after: String,
}

/// Keeps the tracks of one tracker and the truth about them.
pub(super) struct Book {
    tracker: Tracker,
    tracks: BTreeMap<u64, TrackView>,
    notes: Vec<LookNote>,
    /// Track, insect: frames together.
    votes: BTreeMap<u64, BTreeMap<u32, u32>>,
    /// Good frames in which an insect was found, with whatever score.
    found: BTreeMap<u32, u32>,
    /// Good frames in which it was there.
    there: BTreeMap<u32, u32>,
}

impl Book {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            tracker: Tracker::new(settings),
            tracks: BTreeMap::new(),
            notes: Vec::new(),
            votes: BTreeMap::new(),
            found: BTreeMap::new(),
            there: BTreeMap::new(),
        }
    }

    /// Shows a frame to the tracker.
    pub(super) fn take(&mut self, sequence: &Sequence, index: usize, frame: &Frame, scene: &Scene) {
        let observation = self.tracker.observe_scene(frame, Some(scene));
        for change in &observation.changes {
            self.tracks.insert(change.track().number, *change.track());
        }
        let before = minute(sequence, index.saturating_sub(1));
        let planned = (minute(sequence, index) - before) / sequence.every_minutes.max(1);
        self.notes.push(LookNote {
            frame: observation.frame,
            is_poor: frame.is_poor || observation.is_doubtful,
            missing_before: planned.saturating_sub(1),
        });
        let Some(truth) = sequence.frames.get(index) else {
            return;
        };
        let detections: Vec<_> = frame
            .sightings
            .iter()
            .map(|sighting| sighting.detection)
            .collect();
        let insects = matches(truth, &detections);
        for (track, insect) in observation.numbers.iter().zip(&insects) {
            if let (Some(track), Some(insect)) = (track, insect) {
                *self
                    .votes
                    .entry(*track)
                    .or_default()
                    .entry(*insect)
                    .or_default() += 1;
            }
        }
        if !truth.is_poor {
            for one in &truth.boxes {
                *self.there.entry(one.insect).or_default() += 1;
            }
            for insect in insects.iter().flatten().copied() {
                *self.found.entry(insect).or_default() += 1;
            }
        }
    }

    /// Insects that were found in at least half of the good frames that show them.
    pub(super) fn insects_seen(&self) -> BTreeSet<u32> {
        let found = |insect: &u32| self.found.get(insect).copied().unwrap_or_default();
        let seen = self
            .there
            .iter()
            .filter(|(insect, there)| found(insect) * 2 >= **there);
        seen.map(|(insect, _)| *insect).collect()
    }

    pub(super) fn arrivals(&self, sequence: &Sequence, seen: &BTreeSet<u32>) -> Arrivals {
        let hours = minute(sequence, sequence.frames.len().saturating_sub(1)) / 60 + 1;
        let starts = (0..hours).step_by(usize::try_from(INTERVAL_HOURS).unwrap_or(1));
        let interval = |from: u32, until: u32| self.interval(sequence, seen, [from, until]);
        let counted = || {
            let arrived =
                |track: &&TrackView| track.is_confirmed && track.origin == Origin::Arrived;
            self.tracks.values().filter(arrived)
        };
        let mut arrived: BTreeSet<u32> = BTreeSet::new();
        let mut doubles = Vec::new();
        let mut false_arrivals = 0;
        for track in counted() {
            let Some(insect) = self
                .insect_of(track.number)
                .and_then(|id| insect(sequence, id))
            else {
                false_arrivals += 1;
                continue;
            };
            if insect.is_present || !arrived.insert(insect.id) {
                doubles.push(Double {
                    insect: insect.id,
                    frame: track.first,
                    after: cause(&sequence.frames, track.first),
                });
            }
        }
        let missed = sequence.insects.iter().filter(|insect| {
            seen.contains(&insect.id) && !insect.is_present && !arrived.contains(&insect.id)
        });
        Arrivals {
            intervals: starts
                .map(|from| interval(from, from + INTERVAL_HOURS))
                .collect(),
            day: interval(0, 24),
            total: interval(0, hours),
            doubles,
            false_arrivals,
            missed: u32::try_from(missed.count()).unwrap_or(u32::MAX),
        }
    }

    /// The insect that most of the track's sightings show.
    fn insect_of(&self, track: u64) -> Option<u32> {
        let votes = self.votes.get(&track)?;
        let most = votes
            .iter()
            .max_by_key(|(insect, count)| (**count, std::cmp::Reverse(**insect)));
        most.map(|(insect, _)| *insect)
    }

    fn interval(
        &self,
        sequence: &Sequence,
        seen: &BTreeSet<u32>,
        [from_hour, until_hour]: [u32; 2],
    ) -> Interval {
        let first_from = |hour: u32| {
            let frames = sequence.frames.iter();
            let before = frames.take_while(|frame| frame.minute < hour * 60).count();
            before as u64
        };
        let frames = first_from(from_hour)..first_from(until_hour);
        let Count { counted, low, high } =
            arrivals_between(self.tracks.values(), &self.notes, frames.clone());
        let came = |insect: &&SequenceInsect| {
            !insect.is_present && frames.contains(&u64::from(insect.arrived))
        };
        let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let truth = || sequence.insects.iter().filter(came);
        Interval {
            from_hour,
            until_hour,
            truth: count(truth().count()),
            truth_seen: count(truth().filter(|insect| seen.contains(&insect.id)).count()),
            counted,
            low,
            high,
        }
    }
}

fn insect(sequence: &Sequence, id: u32) -> Option<&SequenceInsect> {
    sequence.insects.get(usize::try_from(id).ok()?)
}

/// The story that could be to blame for a wrong arrival.
fn cause(frames: &[SequenceFrame], frame: u64) -> String {
    let upto = usize::try_from(frame).unwrap_or(usize::MAX);
    let recent = frames.iter().take(upto.saturating_add(1)).rev().take(6);
    let is_event = |story: &&Story| !matches!(story, Story::Drift | Story::Light | Story::Walk);
    let event = recent.flat_map(|frame| &frame.stories).find(is_event);
    event.map_or_else(
        || "none".to_owned(),
        |story| format!("{story:?}").to_lowercase(),
    )
}
