//! Which sighting is which track: by place, by a few steps, or perhaps from far away.

use super::assign::{self, Edge};
use super::track::{Spotted, Track};

/// Evidence from which on a track may walk: one good sighting will do.
const WALKING: f32 = 0.4;
/// How unlike a box may be that is taken for a walker's new one.
const UNLIKE_MAX: f32 = 0.20;
/// As above for an insect that was sure and seen in the last frame, and a box a short way off: that one is lost and
/// another found beside it in the same frame says more than looks, which change with the legs and with what the card
/// shows beneath it.
const UNLIKE_BESIDE_MAX: f32 = 0.40;
/// A good pair in place.
const FULL: f32 = 1000.0;

/// Pairs (track, sighting) of boxes where a box was before, one to one; gone tracks take part with less weight.
pub(super) fn in_place(tracks: &[Track], spotted: &[Spotted]) -> Vec<(usize, usize)> {
    let mut edges = Vec::new();
    let shelf = Shelf::new(spotted);
    for (index, track) in tracks.iter().enumerate() {
        for sighting in shelf.near(track.placed.x_px, track.placed.length_px()) {
            if let Some(seen) = spotted.get(sighting)
                && let Some(weight) = weight_in_place(track, seen)
            {
                edges.push(Edge {
                    track: index,
                    sighting,
                    weight,
                });
            }
        }
    }
    assign::pairs(&edges)
}

/// Place tells most, then size, then looks.
fn weight_in_place(track: &Track, seen: &Spotted) -> Option<i64> {
    let (one, other) = (&track.placed, &seen.placed);
    let reach_px = (4.0 + 0.35 * one.length_px().min(other.length_px())).min(40.0);
    let distance_px = one.distance_px(other);
    let overlap = one.as_box().iou(&other.as_box());
    if distance_px > reach_px && overlap < 0.3 {
        return None;
    }
    let growth = (other.length_px().max(1.0) / one.length_px().max(1.0))
        .ln()
        .abs();
    if growth > 1.2 {
        return None;
    }
    let apart = (distance_px / reach_px).min(1.0);
    let weight = FULL
        - 450.0 * apart * apart
        - 200.0 * growth.min(1.0)
        - 150.0 * track.appearance.distance(&seen.appearance)
        - if track.is_live() { 0.0 } else { 100.0 }
        - if track.view.class == seen.detection.class {
            0.0
        } else {
            50.0
        };
    Some(whole(weight))
}

/// Pairs of tracks that lost their box with the last frame and like boxes a few lengths away, one to one.
pub(super) fn walkers(
    tracks: &[Track],
    spotted: &[Spotted],
    pairs: &[(usize, usize)],
) -> Vec<(usize, usize)> {
    let taken = Taken::new(tracks.len(), spotted.len(), pairs);
    let mut edges = Vec::new();
    let shelf = Shelf::new(spotted);
    for (index, track) in tracks.iter().enumerate() {
        let is_walking = track.is_live() && track.evidence >= WALKING && track.missed <= 1;
        if taken.tracks.get(index) == Some(&true) || !is_walking {
            continue;
        }
        let reach_px = (10.0 + 3.0 * track.placed.length_px()).min(120.0);
        for sighting in shelf.near(track.placed.x_px, reach_px) {
            let Some(seen) = spotted.get(sighting) else {
                continue;
            };
            let is_free = taken.sightings.get(sighting) == Some(&false) && !seen.is_carried;
            let distance_px = track.placed.distance_px(&seen.placed);
            if !is_free || distance_px > reach_px {
                continue;
            }
            let is_beside = distance_px <= 0.5 * reach_px;
            let unlike_max = if is_beside && track.view.is_confirmed && track.missed == 0 {
                UNLIKE_BESIDE_MAX
            } else {
                UNLIKE_MAX
            };
            if let Some(unlike) = unlike_turned(track, seen, unlike_max) {
                let weight = whole(FULL - 400.0 * distance_px / reach_px - 400.0 * unlike);
                edges.push(Edge {
                    track: index,
                    sighting,
                    weight,
                });
            }
        }
    }
    assign::pairs(&edges)
}

/// How unlike two boxes are that may be turned, if they can be one insect at all.
fn unlike_turned(track: &Track, seen: &Spotted, unlike_max: f32) -> Option<f32> {
    let size = |width_px: f32, height_px: f32| width_px.hypot(height_px).max(1.0);
    let (one, other) = (&track.placed, &seen.placed);
    let growth = (size(one.width_px, one.height_px) / size(other.width_px, other.height_px))
        .ln()
        .abs();
    let unlike = track.appearance.distance_turned(&seen.appearance) + 0.3 * growth;
    (growth < 0.35 && unlike < unlike_max && track.view.class == seen.detection.class)
        .then_some(unlike)
}

/// Indices of confirmed tracks that lost their box just now.
pub(super) fn vanished(tracks: &[Track]) -> Vec<usize> {
    let is_lost = |track: &Track| {
        track.is_live() && track.view.is_confirmed && (1..=2).contains(&track.missed)
    };
    let lost = tracks
        .iter()
        .enumerate()
        .filter(|(_, track)| is_lost(track));
    lost.map(|(index, _)| index).collect()
}

/// Tracks that a new box far away could be; each is given away once.
pub(super) struct Jumps(Vec<usize>);

impl Jumps {
    pub(super) fn new(vanished: Vec<usize>) -> Self {
        Self(vanished)
    }

    pub(super) fn take(&mut self, tracks: &[Track], seen: &Spotted) -> Option<u64> {
        let candidates = self.0.iter().enumerate().filter_map(|(place, &index)| {
            let track = tracks.get(index)?;
            let unlike = unlike_turned(track, seen, 0.15)?;
            Some((unlike, place, track.view.number))
        });
        let (_, place, number) = candidates.min_by(|(a, ..), (b, ..)| a.total_cmp(b))?;
        self.0.remove(place);
        Some(number)
    }
}

struct Taken {
    tracks: Vec<bool>,
    sightings: Vec<bool>,
}

impl Taken {
    fn new(tracks: usize, sightings: usize, pairs: &[(usize, usize)]) -> Self {
        let mut taken = Self {
            tracks: vec![false; tracks],
            sightings: vec![false; sightings],
        };
        for &(track, sighting) in pairs {
            for (entries, index) in [(&mut taken.tracks, track), (&mut taken.sightings, sighting)] {
                if let Some(entry) = entries.get_mut(index) {
                    *entry = true;
                }
            }
        }
        taken
    }
}

/// Sightings from left to right, so that a track looks at its neighbourhood alone.
struct Shelf(Vec<(f32, usize, f32)>);

impl Shelf {
    fn new(spotted: &[Spotted]) -> Self {
        let mut shelf: Vec<_> = spotted
            .iter()
            .enumerate()
            .map(|(index, seen)| (seen.placed.x_px, index, seen.placed.length_px()))
            .collect();
        shelf.sort_by(|(a, i, _), (b, j, _)| a.total_cmp(b).then(i.cmp(j)));
        Self(shelf)
    }

    /// All sightings whose middle is at most `reach_px` left or right.
    fn near(&self, x_px: f32, reach_px: f32) -> impl Iterator<Item = usize> {
        let start = self.0.partition_point(|(x, ..)| *x < x_px - reach_px);
        let near = self
            .0
            .iter()
            .skip(start)
            .take_while(move |(x, ..)| *x <= x_px + reach_px);
        near.map(|(_, index, _)| *index)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "between 1 and 1000")]
fn whole(weight: f32) -> i64 {
    weight.clamp(1.0, FULL) as i64
}
