//! Pictures that are drawn to have one flaw each, and files that are no pictures.

use super::*;

const WIDTH: u16 = 480;
const HEIGHT: u16 = 360;

/// A yellow card with dark insects; `edge` is how many pixels their outline is wide.
fn card(light: f32, tint: [f32; 3], edge: u16) -> Vec<u8> {
    let pixel = |x: u16, y: u16| {
        let (x, y) = (f32::from(x % 60) - 30.0, f32::from(y % 60) - 30.0);
        let out = (x.hypot(y) - 12.0) / f32::from(edge) + 0.5;
        let luma = 25.0 + 165.0 * out.clamp(0.0, 1.0);
        [1.0, 0.9, 0.6].map(|part| luma * part * light)
    };
    let rgb: Vec<u8> = (0..HEIGHT)
        .flat_map(|y| (0..WIDTH).map(move |x| pixel(x, y)))
        .flat_map(|colour| {
            [0, 1, 2].map(|place: usize| {
                let value = colour[place] * tint[place];
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "clamped"
                )]
                let value = value.clamp(0.0, 255.0) as u8;
                value
            })
        })
        .collect();
    encoded(&rgb, jpeg_encoder::ColorType::Rgb)
}

fn encoded(pixels: &[u8], colour: jpeg_encoder::ColorType) -> Vec<u8> {
    let mut jpeg = Vec::new();
    jpeg_encoder::Encoder::new(&mut jpeg, 90)
        .encode(pixels, WIDTH, HEIGHT, colour)
        .unwrap();
    jpeg
}

fn plain(light: f32) -> Measured {
    measure(&card(light, [1.0; 3], 2)).unwrap()
}

/// As many pictures of a good day as there must be.
fn day() -> Vec<Measured> {
    vec![plain(1.0); RECENT_MIN]
}

#[test]
fn a_good_picture_has_no_flaw() {
    let good = plain(1.0);
    assert_eq!(good.flaws(&[]), []);
    assert_eq!(good.flaws(&day()), []);
    assert_eq!(plain(0.5).flaws(&day()), [], "half of the light");
    assert!((45.0..60.0).contains(&good.hue_degrees), "{good:?}");
    assert!((0.3..0.5).contains(&good.cast), "{good:?}");
}

#[test]
fn each_flaw_is_found_alone() {
    let of = |jpeg: &[u8]| measure(jpeg).unwrap().flaws(&day());
    assert_eq!(of(&card(0.15, [1.0; 3], 2)), [Flaw::Dark]);
    assert_eq!(of(&card(2.5, [1.0; 3], 2)), [Flaw::Overexposed]);
    assert_eq!(of(&card(1.0, [1.0; 3], 30)), [Flaw::Blurred]);
    assert_eq!(of(&card(1.0, [0.5, 0.7, 1.6], 2)), [Flaw::Cast]);
    assert_eq!(of(&card(0.02, [1.0; 3], 2)), [Flaw::Covered]);
    let grey = vec![90; usize::from(WIDTH) * usize::from(HEIGHT)];
    assert_eq!(
        of(&encoded(&grey, jpeg_encoder::ColorType::Luma)),
        [Flaw::Covered]
    );
}

#[test]
fn blur_and_colour_need_something_to_compare_with() {
    let soft = measure(&card(1.0, [1.0; 3], 12)).unwrap();
    let blue = measure(&card(1.0, [0.5, 0.7, 1.6], 2)).unwrap();
    assert_eq!((soft.flaws(&[]), blue.flaws(&[])), (vec![], vec![]));
    assert_eq!(soft.flaws(&day()), [Flaw::Blurred]);
    // Dark and covered ones say nothing of focus and light.
    let night = vec![plain(0.1); 50];
    assert_eq!((soft.flaws(&night), blue.flaws(&night)), (vec![], vec![]));
}

#[test]
fn what_stays_so_becomes_the_measure() {
    let soft = measure(&card(1.0, [1.0; 3], 12)).unwrap();
    let lamp = measure(&card(1.0, [0.5, 0.7, 1.6], 2)).unwrap();
    let mut recent = vec![plain(1.0); 72];
    let mut poor = 0;
    while !soft.flaws(&recent).is_empty() {
        recent.remove(0);
        recent.push(soft);
        poor += 1;
    }
    assert_eq!(poor, 70);
    // A lamp by night and the sun by day are both known after the first night.
    recent = vec![plain(1.0); 72];
    for _ in 0..9 {
        assert_eq!(lamp.flaws(&recent), [Flaw::Cast]);
        recent.remove(0);
        recent.push(lamp);
    }
    assert_eq!(
        (lamp.flaws(&recent), plain(1.0).flaws(&recent)),
        (vec![], vec![])
    );
}

#[test]
fn files_that_are_no_pictures_are_refused_in_words() {
    let whole = card(1.0, [1.0; 3], 2);
    for length in (0..whole.len() / 2).step_by(97) {
        // The end may be missing without anybody noticing, the beginning may not.
        let words = measure(&whole[..length]).map_err(|error| error.to_string());
        assert!(words.is_ok() || words.is_err_and(|words| !words.is_empty()));
    }
    assert!(matches!(
        measure(b"no picture"),
        Err(PictureError::NotAJpeg { .. })
    ));
    let mut huge = whole;
    let frame = huge
        .windows(2)
        .position(|pair| pair == [0xFF, 0xC0])
        .unwrap();
    huge[frame + 5..frame + 9].fill(0xFF);
    assert!(matches!(measure(&huge), Err(PictureError::TooLarge { .. })));
}
