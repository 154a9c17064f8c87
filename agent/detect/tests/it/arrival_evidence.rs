//! How much must be seen of an insect until it counts.

use crate::arrival_stories::{Insect, Story, frame, insects, sighting};
use trapline_detect::arrivals::{Frame, Scene, scene};
use trapline_detect::{CardSeen, Picture};

#[test]
fn flicker_is_no_arrival_and_patience_makes_one() {
    let all = insects(16);
    let seen_with = |score: Option<f32>| {
        let mut next = frame(&all[..15]);
        next.sightings
            .extend(score.map(|score| sighting(&all[15], score)));
        next
    };
    let once = |scores: &[Option<f32>]| {
        let mut story = Story::with(&all[..15]);
        story.see_times(&frame(&all[..15]), 2);
        for score in scores {
            story.see(&seen_with(*score));
        }
        story.arrived()
    };
    assert_eq!(once(&[Some(0.9), None, None, None]), 0, "once");
    assert_eq!(once(&[Some(0.9), Some(0.9)]), 1, "twice");
    assert_eq!(
        once(&[Some(0.25), None, Some(0.25), None, Some(0.3), None]),
        0,
        "weak and seldom"
    );
    assert_eq!(once(&[Some(0.3); 9]), 0, "weak and always");
    assert_eq!(once(&[Some(0.4); 5]), 1, "nearly shown, and always");
    assert_eq!(
        once(&[Some(0.9), None, None, Some(0.3), None, None, None]),
        0,
        "strong and then weak"
    );
    assert_eq!(
        once(&[Some(0.9), Some(0.25), Some(0.25), Some(0.25)]),
        1,
        "continued by weak boxes"
    );
}

#[test]
fn carried_boxes_confirm_slowly() {
    let all = insects(11);
    let mut story = Story::with(&all[..10]);
    story.see(&frame(&all));
    let mut carried = frame(&all);
    for sighting in &mut carried.sightings {
        sighting.is_carried = true;
    }
    story.see(&carried);
    assert_eq!(story.arrived(), 0);
    story.see(&carried);
    assert_eq!(story.arrived(), 1);
}

/// The small copy of a card of 1400 by 1800 pixels with these insects.
fn card(insects: &[Insect]) -> Scene {
    let (width, height) = (1400_u16, 1800_u16);
    let mut rgb = [200, 190, 60].repeat(usize::from(width) * usize::from(height));
    for (at, pixel) in rgb.chunks_exact_mut(3).enumerate() {
        let (x, y) = (
            (at % usize::from(width)) as f32,
            (at / usize::from(width)) as f32,
        );
        let is_on = |insect: &Insect| {
            (x - insect.x_px).abs() < insect.length_px / 2.0
                && (y - insect.y_px).abs() < insect.length_px * 0.35
        };
        if insects.iter().any(is_on) {
            pixel.copy_from_slice(&[60, 55, 20]);
        }
    }
    scene(&Picture {
        width_px: width.into(),
        height_px: height.into(),
        rgb,
    })
}

#[test]
fn what_is_always_weak_counts_where_nothing_was_before() {
    let all = insects(16);
    let weak = |score: f32| -> Frame {
        let mut next = frame(&all[..15]);
        next.sightings.push(sighting(&all[15], score));
        next
    };
    let after = |first: &Scene, score: f32, times: usize| {
        let mut story = Story::with(&[]);
        let now = card(&all);
        story.see_scene(
            &Frame {
                card: CardSeen::New,
                ..frame(&all[..15])
            },
            Some(first),
        );
        for _ in 0..3 {
            story.see_scene(&frame(&all[..15]), Some(first));
        }
        for _ in 0..times {
            story.see_scene(&weak(score), Some(&now));
        }
        story.arrived()
    };
    let (bare, overlooked) = (card(&all[..15]), card(&all));
    assert_eq!(after(&bare, 0.3, 9), 1, "it came, and stays");
    assert_eq!(after(&bare, 0.3, 4), 0, "not yet");
    assert_eq!(after(&bare, 0.2, 9), 0, "hardly anything");
    assert_eq!(after(&overlooked, 0.3, 9), 0, "it was there");
    assert_eq!(after(&overlooked, 0.9, 9), 0, "it was there all the more");
}

#[test]
fn what_only_the_last_look_at_a_card_shows_counts_if_it_is_strong() {
    let all = insects(16);
    let once = |score: f32, is_still_there: bool| {
        let mut story = Story::with(&all[..15]);
        story.see_times(&frame(&all[..15]), 2);
        let mut last = frame(&all[..15]);
        last.sightings.push(sighting(&all[15], score));
        story.see(&last);
        if !is_still_there {
            story.see(&frame(&all[..15]));
        }
        story.see(&Frame {
            card: CardSeen::New,
            ..frame(&[])
        });
        story.arrived()
    };
    assert_eq!(once(0.7, true), 1);
    assert_eq!(once(0.5, true), 0, "shown, but not strong");
    assert_eq!(once(0.7, false), 0, "it was gone before the card was");
}
