//! Poses found from landmarks, through drift, turns and strangers.

use super::*;

/// Places scattered without a pattern.
fn marks(count: u32) -> Vec<Landmark> {
    let scatter = |index: u32, salt: u32| {
        let mut mixed = index * 3 + salt * 1009 + 1;
        for _ in 0..3 {
            mixed = (mixed ^ (mixed >> 15)).wrapping_mul(2_246_822_519);
        }
        (mixed >> 8) as f32 / (1_u32 << 24) as f32
    };
    (0..count)
        .map(|index| Landmark {
            at: [
                200.0 + 1100.0 * scatter(index, 1),
                200.0 + 1600.0 * scatter(index, 99),
            ],
            length_px: 20.0 + 40.0 * scatter(index, 7),
        })
        .collect()
}

#[test]
fn a_bump_with_a_turn_is_found() {
    for (count, x_px, y_px, degrees) in [
        (40, 70.0, -35.0, 1.2),
        (150, -120.0, 60.0, -1.7),
        (8, 30.0, 20.0, 0.0),
        (60, 2.0, 1.0, 0.1),
    ] {
        let known = marks(count);
        let bump =
            Pose::shift(x_px, y_px).after(&Pose::turn(f32::to_radians(degrees), 700.0, 900.0));
        let seen: Vec<Landmark> = known
            .iter()
            .map(|mark| Landmark {
                at: bump.apply(mark.at),
                ..*mark
            })
            .collect();
        let found = align(&known, &seen, &[Pose::HOME]);
        assert!(found.pairs * 10 >= known.len() * 9, "{count}: {found:?}");
        for (place, mark) in known.iter().zip(&seen) {
            let [x, y] = found.pose.apply(mark.at);
            assert!(
                (x - place.at[0]).hypot(y - place.at[1]) < 2.0,
                "{count}: {found:?}"
            );
        }
    }
}

#[test]
fn without_pairs_nothing_moves() {
    let far: Vec<Landmark> = marks(30)
        .into_iter()
        .map(|mark| Landmark {
            length_px: mark.length_px * 9.0,
            ..mark
        })
        .collect();
    assert_eq!(align(&marks(30), &far, &[Pose::HOME]).pose, Pose::HOME);
    assert_eq!(align(&[], &far, &[]).pairs, 0);
    assert_eq!(align(&far, &[], &[Pose::HOME]).pose, Pose::HOME);
}

#[test]
fn poses_chain() {
    let one = Pose::turn(0.3, 10.0, 20.0);
    let other = Pose::shift(5.0, -7.0);
    let point = [3.0, 4.0];
    let [x, y] = other.after(&one).apply(point);
    let [expected_x, expected_y] = other.apply(one.apply(point));
    assert!((x - expected_x).abs() < 1e-4 && (y - expected_y).abs() < 1e-4);
    let [x, y] = one.inverse().apply(one.apply(point));
    assert!((x - 3.0).abs() < 1e-4 && (y - 4.0).abs() < 1e-4);
    let [x, y] = one.apply([10.0, 20.0]);
    assert!(
        (x - 10.0).abs() < 1e-4 && (y - 20.0).abs() < 1e-4,
        "the middle of a turn stays"
    );
}
