//! What can happen to a card, each as a story: a list of insects, and what the camera sees of them.

use trapline_detect::arrivals::{
    Appearance, Change, End, Frame, LookNote, Observation, Origin, Scene, Settings, Sighting,
    TrackView, Tracker, arrivals_between,
};
use trapline_detect::{CardSeen, Detection};

/// An insect on the card: the middle of its box, length, darkness.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Insect {
    pub(crate) x_px: f32,
    pub(crate) y_px: f32,
    pub(crate) length_px: f32,
    pub(crate) darkness: u8,
}

/// Insects scattered over a card of 1100 x 1600 pixels, no two closer than 80 pixels.
pub(crate) fn insects(count: u32) -> Vec<Insect> {
    (0..count)
        .map(|index| {
            let (row, column) = (index / 12, index % 12);
            let mixed = index.wrapping_mul(2_654_435_761).rotate_left(9);
            Insect {
                x_px: 120.0 + column as f32 * 90.0 + (mixed % 10) as f32,
                y_px: 120.0 + row as f32 * 90.0 + (mixed / 16 % 10) as f32,
                length_px: 20.0 + (mixed / 256 % 30) as f32,
                darkness: 100 + u8::try_from(mixed / 4096 % 150).unwrap(),
            }
        })
        .collect()
}

pub(crate) fn sighting(insect: &Insect, score: f32) -> Sighting {
    let length_px = insect.length_px;
    Sighting {
        detection: Detection {
            x_px: insect.x_px - length_px / 2.0,
            y_px: insect.y_px - length_px * 0.35,
            width_px: length_px,
            height_px: length_px * 0.7,
            score,
            class: 0,
        },
        appearance: Appearance::plain(insect.darkness),
        is_carried: false,
    }
}

pub(crate) fn frame(insects: &[Insect]) -> Frame {
    Frame {
        sightings: insects.iter().map(|insect| sighting(insect, 0.8)).collect(),
        shift_px: None,
        card: CardSeen::Same,
        is_poor: false,
    }
}

/// The same card after it was pushed and turned around its middle.
fn pushed(insects: &[Insect], x_px: f32, y_px: f32, degrees: f32) -> Vec<Insect> {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let turned = |insect: &Insect| {
        let (x, y) = (insect.x_px - 650.0, insect.y_px - 900.0);
        Insect {
            x_px: 650.0 + cos * x - sin * y + x_px,
            y_px: 900.0 + sin * x + cos * y + y_px,
            ..*insect
        }
    };
    insects.iter().map(turned).collect()
}

/// A tracker, and the latest view of every track that it ever told of.
pub(crate) struct Story {
    tracker: Tracker,
    pub(crate) tracks: Vec<TrackView>,
}

impl Story {
    /// Begins with two looks at these insects.
    pub(crate) fn with(insects: &[Insect]) -> Self {
        let mut story = Self {
            tracker: Tracker::new(Settings::default()),
            tracks: Vec::new(),
        };
        story.see_times(&frame(insects), 2);
        story
    }

    pub(crate) fn see(&mut self, frame: &Frame) -> Observation {
        self.see_scene(frame, None)
    }

    pub(crate) fn see_scene(&mut self, frame: &Frame, scene: Option<&Scene>) -> Observation {
        // As on a trap, where the tracker lives in a file between two looks.
        let text = serde_json::to_string(&self.tracker).unwrap();
        let of_card = serde_json::to_string(&self.tracker.first_look()).unwrap();
        let tracker: Tracker = serde_json::from_str(&text).unwrap();
        self.tracker = tracker.with_first_look(serde_json::from_str(&of_card).unwrap());
        let observation = self.tracker.observe_scene(frame, scene);
        for change in &observation.changes {
            let track = *change.track();
            match change {
                Change::New(_) => self.tracks.push(track),
                Change::Updated(_) | Change::Ended(_) => {
                    let known = self
                        .tracks
                        .iter_mut()
                        .find(|known| known.number == track.number);
                    *known.expect("told of before") = track;
                }
            }
        }
        observation
    }

    pub(crate) fn see_times(&mut self, frame: &Frame, times: usize) {
        for _ in 0..times {
            self.see(frame);
        }
    }

    pub(crate) fn arrived(&self) -> usize {
        let counts = |track: &&TrackView| track.is_confirmed && track.origin == Origin::Arrived;
        self.tracks.iter().filter(counts).count()
    }

    #[track_caller]
    fn check(&self, arrived: usize, tracks: usize) {
        assert_eq!(
            (self.arrived(), self.tracks.len()),
            (arrived, tracks),
            "{:?}",
            self.tracks
        );
    }
}

#[test]
fn what_hangs_there_at_first_is_present_and_what_comes_arrives() {
    let all = insects(20);
    let mut story = Story::with(&all[..15]);
    story.check(0, 15);
    story.see_times(&frame(&all), 2);
    story.check(5, 20);
    assert!(
        story.tracks[..15]
            .iter()
            .all(|track| track.origin == Origin::Present && track.is_confirmed)
    );
    assert!(
        story.tracks[15..]
            .iter()
            .all(|track| track.first == 2 && track.seen == 2)
    );
}

#[test]
fn drift_adds_up_and_changes_nothing() {
    for told in [false, true] {
        let all = insects(30);
        let mut story = Story::with(&all);
        for step in 1_u8..60 {
            let mut next = frame(&pushed(
                &all,
                f32::from(step) * 1.5,
                f32::from(step) * -0.8,
                0.0,
            ));
            next.shift_px = told.then_some((1.5, -0.8));
            story.see(&next);
        }
        story.check(0, 30);
    }
}

#[test]
fn a_bump_counts_nobody_twice() {
    for (count, x_px, y_px, degrees) in [
        (60, 45.0, -30.0, 0.8),
        (60, -150.0, 90.0, -1.8),
        (12, 35.0, 10.0, 0.4),
        (4, 30.0, 0.0, 0.0),
    ] {
        let all = insects(count);
        let mut story = Story::with(&all);
        story.see_times(&frame(&pushed(&all, x_px, y_px, degrees)), 3);
        story.check(0, all.len());
        assert!(
            story.tracks.iter().all(|track| track.seen == 5),
            "{count} insects: {:?}",
            story.tracks
        );
    }
}

#[test]
fn few_insects_follow_the_shift_that_the_picture_tells() {
    let all = insects(2);
    let mut story = Story::with(&all);
    let mut next = frame(&pushed(&all, 70.0, 40.0, 0.0));
    next.shift_px = Some((70.0, 40.0));
    story.see(&next);
    story.check(0, 2);
}

#[test]
fn a_wrong_shift_is_overruled_by_the_boxes() {
    let all = insects(25);
    let mut story = Story::with(&all);
    let mut next = frame(&all);
    next.shift_px = Some((60.0, -44.0));
    story.see_times(&next, 4);
    story.check(0, 25);
}

#[test]
fn an_insect_that_was_hidden_is_the_same_one() {
    let all = insects(20);
    let mut story = Story::with(&all[..18]);
    story.see_times(&frame(&all), 3);
    for hidden in [2, 5, 9, 30] {
        story.see_times(&frame(&all[1..19]), hidden);
        story.see_times(&frame(&all), 2);
    }
    story.check(2, 20);
    assert_eq!(story.tracks[19].end, None, "back from being gone");
}

#[test]
fn what_is_covered_is_not_missed() {
    let all = insects(12);
    let mut story = Story::with(&all);
    let large = Insect {
        length_px: 70.0,
        darkness: 250,
        ..all[3]
    };
    let mut above = all;
    above[3] = large;
    above[3].x_px += 20.0;
    story.see_times(&frame(&above), 20);
    assert_eq!(story.tracks[3].end, None);
    story.check(1, 13);
}

#[test]
fn what_is_washed_off_is_gone_after_some_frames() {
    let all = insects(20);
    let mut story = Story::with(&all);
    story.see_times(&frame(&all[4..]), 5);
    assert!(story.tracks.iter().all(|track| track.end.is_none()));
    story.see(&frame(&all[4..]));
    let gone = story
        .tracks
        .iter()
        .filter(|track| track.end == Some(End::Gone))
        .count();
    assert_eq!(gone, 4);
    story.check(0, 20);
}

#[test]
fn a_lamp_that_fails_proves_nothing() {
    let all = insects(20);
    for is_told in [true, false] {
        let mut story = Story::with(&all[..18]);
        let dark = Frame {
            is_poor: is_told,
            ..frame(&all[..2])
        };
        story.see_times(&dark, 2);
        story.see_times(&frame(&all), 3);
        story.check(2, 20);
        assert!(story.tracks.iter().all(|track| track.end.is_none()));
    }
    let mut story = Story::with(&all);
    let noise = pushed(&all, 33.0, 51.0, 10.0);
    let poor = Frame {
        is_poor: true,
        ..frame(&noise)
    };
    story.see_times(&poor, 40);
    story.see_times(&frame(&all), 2);
    story.check(0, 20);
}

#[test]
fn a_new_card_begins_anew() {
    let old = insects(20);
    let mut story = Story::with(&old);
    let fresh: Vec<Insect> = pushed(&old[..6], 41.0, 17.0, 3.0);
    let first = Frame {
        card: CardSeen::New,
        ..frame(&fresh[..3])
    };
    story.see(&first);
    let changed = story
        .tracks
        .iter()
        .filter(|track| track.end == Some(End::CardChanged))
        .count();
    assert_eq!(changed, 20);
    story.see_times(&frame(&fresh[..3]), 1);
    story.check(0, 23);
    story.see_times(&frame(&fresh), 3);
    story.check(3, 26);
    assert_eq!(story.tracks.last().map(|track| track.number), Some(26));
}

#[test]
fn insects_in_their_places_prove_the_same_card() {
    let all = insects(20);
    let mut story = Story::with(&all);
    let mistaken = Frame {
        card: CardSeen::New,
        ..frame(&all)
    };
    story.see_times(&mistaken, 2);
    story.check(0, 20);
    assert!(story.tracks.iter().all(|track| track.end.is_none()));
}

#[test]
fn a_new_card_that_nobody_noticed_is_noticed_by_its_insects() {
    let all = insects(120);
    let mut story = Story::with(&all[..40]);
    let other: Vec<Insect> = all[60..90]
        .iter()
        .map(|insect| Insect {
            length_px: 61.0 - insect.length_px,
            x_px: insect.x_px + 37.0,
            ..*insect
        })
        .collect();
    story.see_times(&frame(&other), 4);
    assert_eq!(story.arrived(), 0);
    let changed = story
        .tracks
        .iter()
        .filter(|track| track.end == Some(End::CardChanged))
        .count();
    assert_eq!(changed, 40);
}

#[test]
fn a_walk_keeps_the_number_and_a_far_jump_is_doubtful() {
    let mut all = insects(20);

    let mut story = Story::with(&all);
    for _ in 0..6 {
        all[7].x_px += 28.0;
        all[7].y_px += 40.0;
        story.see(&frame(&all));
    }
    story.check(0, 20);
    // Over print, and with the legs spread, it looks another one; the place beside it says that it is not.
    all[7].x_px += 30.0;
    all[7].darkness -= 50;
    story.see_times(&frame(&all), 3);
    story.check(0, 20);
    all[7].x_px = 900.0;
    all[7].y_px = 1500.0;
    story.see_times(&frame(&all), 3);
    story.check(1, 21);
    let lost = story
        .tracks
        .iter()
        .find(|track| track.last + 3 < story.tracker.frames());
    assert_eq!(
        story.tracks[20].maybe_number,
        lost.map(|track| track.number)
    );
    assert!(lost.is_some());
    let looks: Vec<LookNote> = (0..story.tracker.frames())
        .map(|frame| LookNote {
            frame,
            is_poor: false,
            missing_before: 0,
        })
        .collect();
    let count = arrivals_between(&story.tracks, &looks, 0..story.tracker.frames());
    assert_eq!((count.low, count.counted, count.high), (0, 1, 2));
}

#[test]
fn two_that_lie_close_stay_two() {
    let mut all = insects(10);
    all.push(Insect {
        x_px: all[4].x_px + 9.0,
        y_px: all[4].y_px + 6.0,
        ..all[4]
    });
    let mut story = Story::with(&all);
    for step in 0_u8..20 {
        let sway = f32::from(step % 3) - 1.0;
        let mut swayed = all.clone();
        swayed[4].x_px += 2.0 * sway;
        swayed[10].x_px -= 2.0 * sway;
        story.see(&frame(&swayed));
    }
    story.check(0, 11);
}
