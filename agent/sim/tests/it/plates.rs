//! Pictures: the same from the same seed, with boxes where the insects are.

use proptest::prelude::*;
use trapline_sim::chance::Chance;
use trapline_sim::plate::folder::{self, FolderPlan};
use trapline_sim::plate::{CardNumber, Insect, Light, Plate, Size};

const SMALL: Size = Size {
    width_px: 96,
    height_px: 128,
};

fn light(sun_elevation_deg: f32) -> Light {
    Light {
        sun_elevation_deg,
        sun_way: 0.4,
        cloud: 0.3,
        shot: 11,
    }
}

fn number(seed: u64) -> CardNumber {
    CardNumber {
        seed,
        trap: 3,
        card: 1,
    }
}

fn insects(seed: u64, count: usize) -> Vec<Insect> {
    let mut chance = Chance::new(seed, &[]);
    (0..count).map(|_| Insect::draw(&mut chance)).collect()
}

#[test]
fn the_same_seed_draws_the_same_bytes_and_another_seed_others() {
    let there = insects(5, 12);
    let shoot = |seed| {
        let plate = Plate::hang(number(seed), SMALL);
        plate.shoot(&there, &light(30.0), 85).expect("a picture")
    };
    assert_eq!(shoot(1), shoot(1));
    assert_ne!(shoot(1).0, shoot(2).0);
}

#[test]
fn night_is_darker_than_day_around_the_card() {
    let plate = Plate::hang(number(1), SMALL);
    let corner = |sun| {
        let (jpeg, _) = plate.shoot(&[], &light(sun), 90).expect("a picture");
        let picture = trapline_detect::jpeg::decode(&jpeg, &trapline_detect::Limits::default())
            .expect("our own JPEG");
        picture
            .rgb
            .iter()
            .take(9)
            .map(|&p| u32::from(p))
            .sum::<u32>()
    };
    assert!(corner(-30.0) * 2 < corner(40.0));
}

#[test]
fn a_folder_of_plates_is_complete() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = FolderPlan {
        count: 5,
        size: SMALL,
        seed: 3,
        every_minutes: 180,
    };
    let shown = folder::write(folder.path(), &plan).expect("written");
    let read = |name: &str| std::fs::read(folder.path().join(name)).expect("a file");
    let truth: serde_json::Value = serde_json::from_slice(&read("truth.json")).expect("JSON");
    let on_last = truth["annotations"].as_array().expect("a list").iter();
    let on_last = on_last.filter(|found| found["image_id"] == 4).count();
    assert_eq!(on_last, shown);
    assert!(shown > 5, "{shown}");
    let table = String::from_utf8(read("readings.csv")).expect("text");
    assert_eq!(table.lines().count(), 6);
    assert!(read("plate-00004.jpg").starts_with(&[0xff, 0xd8]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn boxes_lie_in_the_picture(seed in 0_u64..1_000_000, count in 0_usize..40, wide in 16_u16..200, high in 16_u16..200) {
        let size = Size { width_px: wide, height_px: high };
        let plate = Plate::hang(number(seed), size);
        let (_, boxes) = plate.shoot(&insects(seed, count), &light(20.0), 70).expect("a picture");
        prop_assert_eq!(boxes.len(), count);
        for found in boxes {
            prop_assert!(found.x_px >= 0.0 && found.y_px >= 0.0);
            prop_assert!(found.width_px >= 0.0 && found.height_px >= 0.0);
            prop_assert!(found.x_px + found.width_px <= f32::from(wide) + 0.01);
            prop_assert!(found.y_px + found.height_px <= f32::from(high) + 0.01);
        }
    }
}
