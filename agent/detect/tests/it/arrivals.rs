//! What holds for the tracker whatever it is shown.

use proptest::prelude::*;
use std::collections::BTreeSet;
use trapline_detect::arrivals::{
    Appearance, Change, Frame, SIGHTINGS_MAX, Settings, Sighting, TRACKS_MAX, TrackView, Tracker,
};
use trapline_detect::{CardSeen, Detection};

fn any_sighting() -> impl Strategy<Value = Sighting> {
    (
        0_u16..800,
        0_u16..800,
        4_u16..60,
        4_u16..60,
        20_u8..100,
        any::<(u8, bool)>(),
    )
        .prop_map(
            |(x, y, width, height, score, (darkness, is_carried))| Sighting {
                detection: Detection {
                    x_px: f32::from(x),
                    y_px: f32::from(y),
                    width_px: f32::from(width),
                    height_px: f32::from(height),
                    score: f32::from(score) / 100.0,
                    class: 0,
                },
                appearance: Appearance::plain(darkness),
                is_carried,
            },
        )
}

fn any_card() -> impl Strategy<Value = CardSeen> {
    prop_oneof![1 => Just(CardSeen::First), 12 => Just(CardSeen::Same), 1 => Just(CardSeen::New)]
}

/// So many pairs may give the card a turn, and turning rounds; all else is exact.
const TURN_FROM: usize = 6;

fn any_frame(sightings: usize) -> impl Strategy<Value = Frame> {
    let shift = proptest::option::of(
        (-40_i8..40, -40_i8..40).prop_map(|(x, y)| (f32::from(x), f32::from(y))),
    );
    (
        proptest::collection::vec(any_sighting(), 0..sightings),
        shift,
        any_card(),
        proptest::bool::weighted(0.15),
    )
        .prop_map(|(sightings, shift_px, card, is_poor)| Frame {
            sightings,
            shift_px,
            card,
            is_poor,
        })
}

/// Frames of which many repeat what the first ones showed, so that tracks live on.
fn any_frames() -> impl Strategy<Value = Vec<Frame>> {
    frames_with(25)
}

/// As [`any_frames`], with fewer than so many sightings each.
fn frames_with(sightings: usize) -> impl Strategy<Value = Vec<Frame>> {
    (
        proptest::collection::vec(any_frame(sightings), 1..6),
        proptest::collection::vec(0_usize..6, 1..20),
    )
        .prop_map(|(kinds, order)| {
            order
                .into_iter()
                .map(|kind| kinds[kind % kinds.len()].clone())
                .collect()
        })
}

fn views(frames: &[Frame]) -> Vec<Vec<Change>> {
    let mut tracker = Tracker::new(Settings::default());
    frames
        .iter()
        .map(|frame| tracker.observe(frame).changes)
        .collect()
}

proptest! {
    #[test]
    fn one_sighting_one_track(frames in any_frames()) {
        let mut tracker = Tracker::new(Settings::default());
        let mut told = BTreeSet::new();
        let mut number_max = 0;
        for (index, frame) in frames.iter().enumerate() {
            let seen = tracker.observe(frame);
            prop_assert_eq!(seen.frame, index as u64);
            prop_assert_eq!(seen.numbers.len(), frame.sightings.len());
            let numbers: Vec<u64> = seen.numbers.iter().flatten().copied().collect();
            let distinct: BTreeSet<u64> = numbers.iter().copied().collect();
            prop_assert_eq!(distinct.len(), numbers.len(), "no track has two sightings");
            for change in &seen.changes {
                let track = change.track();
                match change {
                    Change::New(_) => {
                        prop_assert!(track.number > number_max, "numbers are never reused");
                        prop_assert!(!frame.is_poor, "a poor frame starts nothing");
                        number_max = track.number;
                        told.insert(track.number);
                    }
                    Change::Updated(_) => prop_assert!(told.contains(&track.number) && track.end.is_none()),
                    Change::Ended(_) => prop_assert!(told.contains(&track.number) && track.end.is_some()),
                }
                let is_seen = track.end.is_none();
                prop_assert_eq!(is_seen, distinct.contains(&track.number));
                prop_assert!(track.first <= track.best && track.best <= track.last && track.last <= seen.frame);
            }
            let listed: Vec<TrackView> = tracker.tracks();
            prop_assert!(listed.windows(2).all(|pair| pair[0].number < pair[1].number));
        }
    }

    #[test]
    fn the_order_of_sightings_does_not_matter(frames in any_frames(), turn in 0_usize..25) {
        let turned: Vec<Frame> = frames.iter().cloned().map(|mut frame| {
            if !frame.sightings.is_empty() {
                let middle = turn % frame.sightings.len();
                frame.sightings.rotate_left(middle);
            }
            frame
        }).collect();
        prop_assert_eq!(views(&frames), views(&turned));
    }

    #[test]
    fn the_place_of_the_card_does_not_matter(frames in frames_with(TURN_FROM), x in -64_i8..64, y in -64_i8..64) {
        let moved: Vec<Frame> = frames.iter().cloned().map(|mut frame| {
            for sighting in &mut frame.sightings {
                sighting.detection.x_px += f32::from(x);
                sighting.detection.y_px += f32::from(y);
            }
            frame
        }).collect();
        let counts = |frames: &[Frame]| -> Vec<Vec<(u64, u32, bool)>> {
            views(frames).iter().map(|changes| changes.iter().map(|change| {
                let track = change.track();
                (track.number, track.seen, track.is_confirmed)
            }).collect()).collect()
        };
        prop_assert_eq!(counts(&frames), counts(&moved));
    }

    #[test]
    fn a_saved_tracker_goes_on_as_if_never_saved(frames in any_frames()) {
        let mut kept = Tracker::new(Settings::default());
        let mut saved = kept.clone();
        for frame in &frames {
            let text = serde_json::to_string(&saved).unwrap();
            saved = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(kept.observe(frame), saved.observe(frame));
        }
        prop_assert_eq!(kept, saved);
    }
}

fn wild(value: f32) -> Sighting {
    Sighting {
        detection: Detection {
            x_px: value,
            y_px: -value,
            width_px: value,
            height_px: value,
            score: value,
            class: 9,
        },
        appearance: Appearance::plain(0),
        is_carried: true,
    }
}

#[test]
fn wild_numbers_are_left_out() {
    let mut tracker = Tracker::new(Settings::default());
    let mut frame = Frame {
        sightings: [f32::NAN, f32::INFINITY, -3.0, f32::MAX, 1e7]
            .map(wild)
            .to_vec(),
        shift_px: Some((f32::NAN, f32::INFINITY)),
        card: CardSeen::Same,
        is_poor: false,
    };
    let seen = tracker.observe(&frame);
    assert_eq!(seen.numbers, [None; 5]);
    frame.sightings.clear();
    frame.shift_px = Some((9e9, 1.0));
    tracker.observe(&frame);
    let text = serde_json::to_string(&tracker).unwrap();
    assert_eq!(serde_json::from_str::<Tracker>(&text).unwrap(), tracker);
}

#[test]
fn more_boxes_than_any_card_has_are_bounded() {
    let mut tracker = Tracker::new(Settings::default());
    for round in 0_u8..3 {
        let sightings = (0_u16..6000)
            .map(|index| {
                let mut sighting = wild(0.5);
                sighting.detection.x_px = f32::from(index % 100) * 40.0 + f32::from(round) * 19.0;
                sighting.detection.y_px = f32::from(index / 100) * 40.0;
                (sighting.detection.width_px, sighting.detection.height_px) = (12.0, 12.0);
                sighting.is_carried = false;
                sighting
            })
            .collect();
        let seen = tracker.observe(&Frame {
            sightings,
            shift_px: None,
            card: CardSeen::First,
            is_poor: false,
        });
        assert!(seen.numbers.iter().flatten().count() <= SIGHTINGS_MAX);
        assert!(tracker.tracks().len() <= TRACKS_MAX);
    }
}

#[test]
fn a_spoilt_file_is_refused_with_its_reason() {
    let mut tracker = Tracker::new(Settings::default());
    let mut sighting = wild(0.5);
    (sighting.detection.x_px, sighting.detection.y_px) = (100.0, 100.0);
    (sighting.detection.width_px, sighting.detection.height_px) = (20.0, 20.0);
    let frame = Frame {
        sightings: vec![sighting],
        shift_px: None,
        card: CardSeen::First,
        is_poor: false,
    };
    tracker.observe(&frame);
    let text = serde_json::to_string(&tracker).unwrap();
    assert!(serde_json::from_str::<Tracker>(&text).is_ok());
    for (sound, spoilt) in [
        ("\"next_number\":2", "\"next_number\":1"),
        ("\"number\":1", "\"number\":0"),
        ("\"frames\":1", "\"frames\":0"),
        ("\"cos\":1.0", "\"cos\":7.0"),
        ("\"evidence\":", "\"evidence\":-1e30,\"unknown\":"),
        ("\"best\":0", "\"best\":5"),
    ] {
        let changed = text.replacen(sound, spoilt, 1);
        assert_ne!(changed, text, "{sound} is in {text}");
        assert!(
            serde_json::from_str::<Tracker>(&changed).is_err(),
            "{spoilt}"
        );
    }
}
