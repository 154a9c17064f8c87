//! Sequences: the same from the same plan, with a truth that fits the frames.

use std::path::Path;
use trapline_detect::{Limits, jpeg};
use trapline_sim::plate::Size;
use trapline_sim::sequence::{self, Sequence, SequencePlan, Story};

fn plan(stories: &[Story]) -> SequencePlan {
    SequencePlan {
        frames: 72,
        seed: 5,
        size: Size {
            width_px: 96,
            height_px: 128,
        },
        every_minutes: 20,
        stories: stories.to_vec(),
        from: None,
    }
}

fn written(stories: &[Story]) -> (tempfile::TempDir, Sequence) {
    let folder = tempfile::tempdir().expect("a folder");
    let sequence = sequence::write(folder.path(), &plan(stories)).expect("a sequence");
    (folder, sequence)
}

fn luma(folder: &Path, file: &str) -> f64 {
    let bytes = std::fs::read(folder.join(file)).expect("a frame");
    let picture = jpeg::decode(&bytes, &Limits::default()).expect("a picture");
    let sum: f64 = picture.rgb.iter().map(|&byte| f64::from(byte)).sum();
    sum / picture.rgb.len() as f64
}

#[test]
fn a_plan_gives_the_same_frames_and_truth_each_time() {
    let (one, truth) = written(&Story::ALL);
    let (other, again) = written(&Story::ALL);
    assert_eq!(truth, again);
    assert_eq!(sequence::read(one.path()).unwrap(), truth);
    for frame in &truth.frames {
        let of =
            |folder: &tempfile::TempDir| std::fs::read(folder.path().join(&frame.file)).unwrap();
        assert_eq!(of(&one), of(&other), "{}", frame.file);
    }
}

#[test]
fn every_story_is_told() {
    let (folder, truth) = written(&Story::ALL);
    for story in Story::ALL {
        let is_told = truth
            .frames
            .iter()
            .any(|frame| frame.stories.contains(&story));
        assert!(is_told || story == Story::Walk, "{story:?}");
    }
    let gap = truth
        .frames
        .windows(2)
        .map(|pair| pair[1].minute - pair[0].minute)
        .max();
    assert_eq!(gap, Some(320));
    assert!(truth.frames.iter().any(|frame| frame.card == 1));
    for frame in truth.frames.iter().filter(|frame| frame.is_poor) {
        assert!(
            luma(folder.path(), &frame.file) < 12.0,
            "{} is dark",
            frame.file
        );
    }
    assert!(luma(folder.path(), &truth.frames[20].file) > 40.0);
}

#[test]
fn boxes_are_there_from_arrival_to_leave() {
    let (_folder, truth) = written(&Story::ALL);
    assert!(
        truth
            .insects
            .iter()
            .filter(|insect| !insect.is_present)
            .count()
            > 20
    );
    for (index, frame) in (0_u32..).zip(&truth.frames) {
        let there: Vec<u32> = frame.boxes.iter().map(|one| one.insect).collect();
        let expected = truth.insects.iter().filter(|insect| {
            insect.card == frame.card
                && insect.arrived <= index
                && insect.left.is_none_or(|left| index < left)
        });
        assert_eq!(
            there,
            expected.map(|insect| insect.id).collect::<Vec<_>>(),
            "{}",
            frame.file
        );
    }
}

#[test]
fn a_bump_moves_all_boxes_and_without_stories_nothing_moves() {
    let first_box = |truth: &Sequence, frame: usize| {
        let one = truth.frames[frame].boxes[0];
        (one.x_px, one.y_px)
    };
    let (_folder, still) = written(&[]);
    assert_eq!(first_box(&still, 0), first_box(&still, 71));
    let (_folder, bumped) = written(&[Story::Bump]);
    let ((x, y), (moved_x, moved_y)) = (first_box(&bumped, 0), first_box(&bumped, 71));
    assert!((x - moved_x).hypot(y - moved_y) > 8.0);
}
