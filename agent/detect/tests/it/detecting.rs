//! The shipped detector on drawn cards.

use trapline_detect::{DetectError, Detection, Detector, Picture, Progress};

use crate::card;

/// Every fly has exactly one box around it, with its middle near the fly's, and nothing else has one that is shown.
///
/// Drawn flies are paler than real ones, so a fly's own box may score a little below the shown threshold.
fn check_flies(detector: &Detector, width_px: u32, height_px: u32, flies: &[(i32, i32)]) {
    let picture = card::with_insects(width_px, height_px, flies);
    let shown = detector.model().thresholds.score;
    let mut found = detector.detect(&picture).unwrap();
    for &(x, y) in flies {
        let (of_this_fly, others) = found.into_iter().partition(|detection| {
            let middle_x = detection.x_px + detection.width_px / 2.0;
            let middle_y = detection.y_px + detection.height_px / 2.0;
            (middle_x - x as f32).abs() < 16.0 && (middle_y - y as f32).abs() < 16.0
        });
        let of_this_fly: Vec<Detection> = of_this_fly;
        found = others;
        let [detection] = of_this_fly.as_slice() else {
            panic!("{of_this_fly:?} for the fly at {x}, {y} of {width_px} x {height_px}");
        };
        assert!(detection.score > shown - 0.15, "{detection:?}");
        assert!(
            (20.0..50.0).contains(&detection.length_px()),
            "{detection:?}"
        );
    }
    found.retain(|detection| detection.score >= shown);
    assert!(
        found.is_empty(),
        "boxes without a fly on {width_px} x {height_px}: {found:?}"
    );
}

#[test]
fn each_drawn_fly_gets_one_box_wherever_tiles_meet() {
    let detector = Detector::embedded().unwrap();
    check_flies(&detector, 300, 200, &[]);
    check_flies(&detector, 300, 200, &[(60, 100), (200, 80)]);
    check_flies(&detector, 97, 131, &[(40, 60)]);
    // Tiles of a wide picture meet all along it: walk a fly across the seams.
    for step in 0..4 {
        let flies: Vec<(i32, i32)> = (0..9)
            .map(|fly| (60 + fly * 90 + step * 23, 70 + fly % 3 * 50))
            .collect();
        check_flies(&detector, 913, 263, &flies);
    }
    check_flies(
        &detector,
        263,
        700,
        &[(100, 90), (130, 300), (60, 415), (200, 505), (140, 620)],
    );
}

#[test]
fn a_picture_always_gives_the_same_boxes_inside_it() {
    let detector = Detector::embedded().unwrap();
    let picture = card::with_insects(700, 260, &[(3, 100), (690, 250), (350, 130)]);
    let found = detector.detect(&picture).unwrap();
    assert_eq!(found, detector.detect(&picture).unwrap());
    assert!(found.is_sorted_by(|a, b| a.score >= b.score), "best first");
    let low = detector.model().thresholds.score_low;
    for detection in &found {
        let Detection {
            x_px,
            y_px,
            width_px,
            height_px,
            score,
            class,
        } = *detection;
        assert!(
            x_px >= 0.0 && y_px >= 0.0 && width_px > 0.0 && height_px > 0.0,
            "{detection:?}"
        );
        assert!(
            x_px + width_px <= 700.01 && y_px + height_px <= 260.01,
            "{detection:?}"
        );
        assert!((low..=1.0).contains(&score) && class == 0, "{detection:?}");
    }
}

#[test]
fn a_caller_can_stop_between_tiles() {
    let detector = Detector::embedded().unwrap();
    let picture = card::with_insects(900, 100, &[]);
    let mut told = Vec::new();
    let all = detector.detect_with(&picture, &mut |progress| {
        told.push(progress);
        true
    });
    assert!(all.is_ok());
    let tiles = told[0].tiles;
    let expected: Vec<Progress> = (1..=tiles)
        .map(|tiles_done| Progress { tiles_done, tiles })
        .collect();
    assert_eq!(told, expected);
    assert!(tiles > 1);
    let stopped = detector.detect_with(&picture, &mut |_| false);
    assert!(
        matches!(stopped, Err(DetectError::Stopped { tiles_done: 1, .. })),
        "{stopped:?}"
    );
}

#[test]
fn a_picture_that_lies_about_its_size_is_refused() {
    let detector = Detector::embedded().unwrap();
    for (width_px, height_px, size_bytes) in [
        (10, 10, 299),
        (10, 10, 301),
        (0, 10, 0),
        (u32::MAX, u32::MAX, 3),
    ] {
        let picture = Picture {
            width_px,
            height_px,
            rgb: vec![0; size_bytes],
        };
        let refused = detector.detect(&picture);
        assert!(
            matches!(refused, Err(DetectError::Picture { .. })),
            "{refused:?}"
        );
    }
}

#[test]
fn threads_may_share_a_detector() {
    let detector = Detector::embedded().unwrap();
    let picture = card::with_insects(120, 120, &[(60, 60)]);
    let here = detector.detect(&picture).unwrap();
    let there =
        std::thread::scope(|scope| scope.spawn(|| detector.detect(&picture)).join().unwrap())
            .unwrap();
    assert_eq!(here, there);
    assert_eq!(
        format!("{detector:?}"),
        format!("Detector({})", detector.model().id)
    );
}
