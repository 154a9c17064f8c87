//! Cards before walls, and what is no card.

use super::*;

const WIDTH_PX: u32 = 1200;
const HEIGHT_PX: u32 = 900;
const YELLOW: [u8; 3] = [225, 190, 30];
const BARK: [u8; 3] = [120, 92, 66];
const PLASTER: [u8; 3] = [170, 172, 175];

/// A picture of paper before a wall; the light falls off to the right, and both are rough.
fn scene(paper: [u8; 3], wall: [u8; 3], is_paper: impl Fn(u32, u32) -> bool) -> Picture {
    let places = (0..HEIGHT_PX).flat_map(|y| (0..WIDTH_PX).map(move |x| (x, y)));
    let rgb = places.flat_map(|(x, y)| {
        let grain = (x.wrapping_mul(7919) ^ y.wrapping_mul(104_729)) % 23;
        let light = 130 - x / 20 + grain;
        let colour = if is_paper(x, y) { paper } else { wall };
        colour.map(|value| u8::try_from(u32::from(value) * light / 140).unwrap_or(u8::MAX))
    });
    Picture {
        width_px: WIDTH_PX,
        height_px: HEIGHT_PX,
        rgb: rgb.collect(),
    }
}

fn is_whole(picture: &Picture) -> bool {
    Region::of(picture).is_whole(WIDTH_PX, HEIGHT_PX)
}

#[test]
fn a_card_before_a_wall_is_found_with_its_margin() {
    let is_card = |x: u32, y: u32| (300..800).contains(&x) && (200..760).contains(&y);
    for wall in [BARK, PLASTER, [60, 95, 50]] {
        let region = Region::of(&scene(YELLOW, wall, is_card));
        for (side, edge) in [(region.left, 300.0), (region.top, 200.0)] {
            assert!((edge - 80.0..edge - 48.0).contains(&side), "{region:?}");
        }
        for (side, edge) in [(region.right, 800.0), (region.bottom, 760.0)] {
            assert!((edge + 48.0..edge + 80.0).contains(&side), "{region:?}");
        }
    }
}

#[test]
fn a_card_that_runs_out_of_the_picture_or_is_turned_is_never_cut() {
    let runs_out = |x: u32, y: u32| (300..800).contains(&x) && y >= 200;
    let region = Region::of(&scene(YELLOW, BARK, runs_out));
    assert!(
        region.bottom >= HEIGHT_PX as f32 && region.left > 200.0,
        "{region:?}"
    );
    let turned = |x: u32, y: u32| {
        (300 + y / 8..800 + y / 8).contains(&x) && (200 + x / 8..760 + x / 8).contains(&y)
    };
    let region = Region::of(&scene(YELLOW, BARK, turned));
    for y in 0..HEIGHT_PX {
        for x in (0..WIDTH_PX).filter(|&x| turned(x, y)) {
            assert!(region.has(x as f32, y as f32), "{x}, {y}: {region:?}");
        }
    }
}

#[test]
fn insects_and_a_shadow_end_no_card() {
    let is_card = |x: u32, y: u32| (300..800).contains(&x) && (200..760).contains(&y);
    let mut picture = scene(YELLOW, BARK, is_card);
    for (at, pixel) in (0_u32..).zip(picture.rgb.chunks_exact_mut(3)) {
        let (x, y) = (at % WIDTH_PX, at / WIDTH_PX);
        let is_insect = is_card(x, y)
            && (x / 40 + y / 30) % 3 == 0
            && (x % 40).abs_diff(20) < 12
            && y % 30 < 20;
        if is_insect {
            pixel.copy_from_slice(&[40, 34, 28]);
        } else if x + y < 900 {
            pixel.iter_mut().for_each(|value| *value /= 2);
        }
    }
    let region = Region::of(&picture);
    assert!(region.left < 300.0 && region.top < 200.0, "{region:?}");
    assert!(region.right > 800.0 && region.bottom > 760.0, "{region:?}");
}

#[test]
fn what_cannot_be_told_is_the_whole_picture() {
    let is_card = |x: u32, y: u32| (300..800).contains(&x) && (200..760).contains(&y);
    assert!(
        is_whole(&scene(YELLOW, BARK, |_, _| true)),
        "the card fills the picture"
    );
    assert!(
        is_whole(&scene([200, 203, 206], PLASTER, is_card)),
        "white on plaster"
    );
    assert!(
        is_whole(&scene(BARK, PLASTER, |x, _| x < 700)),
        "a wall beside a wall"
    );
    assert!(
        is_whole(&scene(YELLOW, BARK, |x, y| x.abs_diff(600)
            + y.abs_diff(450)
            < 60)),
        "a flower"
    );
    let small = Picture {
        width_px: 4,
        height_px: 2,
        rgb: vec![9; 24],
    };
    assert!(Region::of(&small).is_whole(4, 2));
}

#[test]
fn a_white_card_before_wood_is_found() {
    let is_card = |x: u32, y: u32| (300..900).contains(&x) && (150..760).contains(&y);
    assert!(!is_whole(&scene([220, 222, 225], [150, 95, 50], is_card)));
}

#[test]
fn a_region_moves_with_its_card_and_keeps_what_was_found() {
    let region = Region {
        left: 200.0,
        top: 0.0,
        right: 700.0,
        bottom: 800.0,
    };
    let moved = region.shifted((30.5, -12.0), WIDTH_PX, HEIGHT_PX);
    let sides = [moved.left, moved.top, moved.right, moved.bottom];
    for (side, wanted) in sides.into_iter().zip([230.5, 0.0, 730.5, 788.0]) {
        assert!((side - wanted).abs() < 1e-3, "{moved:?}");
    }
    assert!(
        region
            .shifted((1000.0, 0.0), WIDTH_PX, HEIGHT_PX)
            .is_whole(WIDTH_PX, HEIGHT_PX)
    );
    let fly = Detection {
        x_px: 900.0,
        y_px: 400.0,
        width_px: 30.0,
        height_px: 20.0,
        score: 0.9,
        class: 0,
    };
    let [beside, far] = [720.0, 1000.0].map(|x_px| Detection { x_px, ..fly });
    let held = region.checked(&[beside, far], WIDTH_PX, HEIGHT_PX);
    assert!(held.right > 750.0 && held.right < 1000.0, "{held:?}");
    let misled = region.checked(&[far, beside, far], WIDTH_PX, HEIGHT_PX);
    assert!(misled.is_whole(WIDTH_PX, HEIGHT_PX));
    let picture = Picture {
        width_px: WIDTH_PX,
        height_px: HEIGHT_PX,
        rgb: Vec::new(),
    };
    assert_eq!(region.pixels(&picture, 512, 8), (200, 0, 512, 800));
}
