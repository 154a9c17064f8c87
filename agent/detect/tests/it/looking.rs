//! Looks with a memory: what is run, what is carried over, and what is noticed.

use trapline_detect::{
    CardSeen, Detection, Detector, Look, LookSettings, Memory, Picture, Scale, WholeBecause,
};

use crate::card;

const WIDTH_PX: u32 = 1100;
const HEIGHT_PX: u32 = 900;
/// Flies at uneven places, so that no motion but the true one fits.
const FLIES: [(i32, i32); 9] = [
    (90, 110),
    (310, 75),
    (560, 140),
    (940, 95),
    (170, 420),
    (700, 380),
    (1010, 520),
    (330, 760),
    (790, 820),
];

fn with(flies: &[(i32, i32)]) -> Picture {
    card::with_insects(WIDTH_PX, HEIGHT_PX, flies)
}

/// A trap: the detector and what it remembers, which goes through bytes as on a real one.
struct Trap {
    detector: Detector,
    memory: Option<Memory>,
    settings: LookSettings,
}

impl Trap {
    /// A trap that has looked at the card once.
    fn before(flies: &[(i32, i32)]) -> (Self, Look) {
        let mut trap = Self {
            detector: Detector::embedded().unwrap(),
            memory: None,
            settings: LookSettings::default(),
        };
        let look = trap.look(&with(flies));
        assert_eq!(look.whole, Some(WholeBecause::First));
        assert_eq!(look.card, CardSeen::First);
        (trap, look)
    }

    fn look(&mut self, picture: &Picture) -> Look {
        let memory = self.memory.take();
        let looked = self
            .detector
            .look(picture, memory, &self.settings, &mut |_| true);
        let (look, memory) = looked.unwrap();
        self.memory = Memory::from_bytes(&memory.to_bytes());
        assert_eq!(self.memory.as_ref(), Some(&memory));
        assert_eq!(look.detections.len(), look.carried.len());
        assert!(look.tiles_run <= look.tiles, "{look:?}");
        look
    }
}

fn boxes_at(look: &Look, x: i32, y: i32) -> Vec<&Detection> {
    let is_near = |found: &&Detection| {
        let middle_x = found.x_px + found.width_px / 2.0;
        let middle_y = found.y_px + found.height_px / 2.0;
        (middle_x - x as f32).abs() < 16.0 && (middle_y - y as f32).abs() < 16.0
    };
    look.detections.iter().filter(is_near).collect()
}

#[test]
fn an_unchanged_card_costs_nothing() {
    let (mut trap, first) = Trap::before(&FLIES);
    let again = trap.look(&with(&FLIES));
    assert_eq!((again.whole, again.tiles_run), (None, 0));
    assert!(again.work_share.abs() < 1e-6);
    assert_eq!(again.card, CardSeen::Same);
    assert!(again.carried.iter().all(|&carried| carried));
    assert_eq!(again.detections.len(), first.detections.len());
    for (x, y) in FLIES {
        assert_eq!(boxes_at(&again, x, y).len(), 1, "{x}, {y}");
    }
}

#[test]
fn a_new_fly_is_found_and_one_that_left_is_gone() {
    let (mut trap, _) = Trap::before(&FLIES);
    let mut flies = FLIES.to_vec();
    flies.push((520, 610));
    let look = trap.look(&with(&flies));
    assert_eq!(look.whole, None);
    assert!(look.tiles_run == 1 && look.work_share < 0.2, "{look:?}");
    for &(x, y) in &flies {
        assert_eq!(boxes_at(&look, x, y).len(), 1, "{x}, {y}");
    }
    let (left_x, left_y) = flies.remove(5);
    let look = trap.look(&with(&flies));
    assert_eq!(look.whole, None);
    assert!(boxes_at(&look, left_x, left_y).is_empty());
    for &(x, y) in &flies {
        assert_eq!(boxes_at(&look, x, y).len(), 1, "{x}, {y}");
    }
}

#[test]
fn boxes_follow_a_card_that_moved() {
    let (mut trap, _) = Trap::before(&FLIES);
    let moved: Vec<(i32, i32)> = FLIES.iter().map(|&(x, y)| (x + 9, y - 6)).collect();
    let look = trap.look(&with(&moved));
    let (right_px, down_px) = look.shift_px.unwrap();
    assert!(
        (right_px - 9.0).abs() < 1.0 && (down_px + 6.0).abs() < 1.0,
        "{look:?}"
    );
    for (x, y) in moved {
        assert_eq!(boxes_at(&look, x, y).len(), 1, "{x}, {y}");
    }
}

#[test]
fn other_flies_are_another_card() {
    let (mut trap, _) = Trap::before(&FLIES);
    let others: Vec<(i32, i32)> = FLIES
        .iter()
        .map(|&(x, y)| (1100 - y, 950 - x / 2 - y / 3))
        .collect();
    let look = trap.look(&with(&others));
    assert_eq!(
        (look.whole, look.card),
        (Some(WholeBecause::Card), CardSeen::New)
    );
    assert_eq!(look.shift_px, None);
    let clean = trap.look(&with(&[]));
    assert_eq!(
        (clean.whole, clean.card),
        (Some(WholeBecause::Card), CardSeen::New)
    );
}

#[test]
fn a_failed_lamp_is_no_new_card_and_does_not_blot_out_the_memory() {
    let (mut trap, _) = Trap::before(&FLIES);
    let mut dark = with(&FLIES);
    for value in &mut dark.rgb {
        *value /= 12;
    }
    for _ in 0..3 {
        let look = trap.look(&dark);
        assert_eq!(
            (look.whole, look.card),
            (Some(WholeBecause::Light), CardSeen::Same)
        );
    }
    let look = trap.look(&with(&FLIES));
    assert_eq!((look.whole, look.tiles_run), (None, 0));
    for (x, y) in FLIES {
        assert_eq!(boxes_at(&look, x, y).len(), 1, "{x}, {y}");
    }
    // A lamp that stays dark is how this trap's pictures are.
    let reasons: Vec<Option<WholeBecause>> = (0..9).map(|_| trap.look(&dark).whole).collect();
    assert_eq!(reasons.last(), Some(&None), "{reasons:?}");
}

#[test]
fn whole_looks_come_when_they_are_due_or_asked_for() {
    let (mut trap, _) = Trap::before(&FLIES);
    let picture = with(&FLIES);
    trap.settings.whole_every = 2;
    let reasons: Vec<Option<WholeBecause>> = (0..4).map(|_| trap.look(&picture).whole).collect();
    assert_eq!(reasons, [None, None, Some(WholeBecause::Due), None]);
    trap.settings.whole = true;
    assert_eq!(trap.look(&picture).whole, Some(WholeBecause::Asked));
    trap.settings.whole = false;
    trap.settings.gated = false;
    assert_eq!(trap.look(&picture).whole, Some(WholeBecause::Ungated));
    trap.settings.gated = true;
    let smaller = card::with_insects(WIDTH_PX, HEIGHT_PX - 100, &FLIES);
    assert_eq!(trap.look(&smaller).whole, Some(WholeBecause::Size));
}

#[test]
fn half_the_scale_gives_boxes_of_the_whole_picture() {
    let (mut trap, full) = Trap::before(&FLIES);
    trap.settings.scale = Scale::Half;
    let half = trap.look(&with(&FLIES));
    assert_eq!(half.whole, Some(WholeBecause::Size));
    assert!(half.tiles < full.tiles);
    for found in &half.detections {
        assert!(
            found.x_px + found.width_px <= WIDTH_PX as f32 + 0.1,
            "{found:?}"
        );
        assert!(
            found.y_px + found.height_px <= HEIGHT_PX as f32 + 0.1,
            "{found:?}"
        );
    }
    assert_eq!(trap.look(&with(&FLIES)).tiles_run, 0);
}

/// The card on a board, before leaves that `wind` blows about.
fn before_leaves(flies: &[(i32, i32)], wind: u32) -> Picture {
    let mut picture = with(flies);
    for (at, pixel) in (0_u32..).zip(picture.rgb.chunks_exact_mut(3)) {
        let (x, y) = (at % WIDTH_PX, at / WIDTH_PX);
        let is_within = |around: u32| {
            (200 - around..800 + around).contains(&x) && (150 - around..700 + around).contains(&y)
        };
        let is_dark = (x + wind * 13 + (y + wind * 7) / 5) % 183 < 90;
        let grain = u8::try_from((x ^ y) % 20).unwrap();
        if is_within(0) {
            continue;
        }
        let colour = match (is_within(60), is_dark) {
            (true, _) => [120, 100, 80],
            (false, true) => [30, 60, 25],
            (false, false) => [60, 110, 50],
        };
        pixel.copy_from_slice(&colour.map(|value: u8| value + grain));
    }
    picture
}

#[test]
fn what_moves_beside_the_card_costs_nothing() {
    let flies = [
        (260, 200),
        (310, 420),
        (560, 240),
        (700, 380),
        (480, 610),
        (740, 640),
    ];
    let mut trap = Trap::before(&FLIES).0;
    trap.memory = None;
    let first = trap.look(&before_leaves(&flies, 0));
    assert_eq!(
        (first.whole, first.tiles_run),
        (Some(WholeBecause::First), first.tiles)
    );
    let again = trap.look(&before_leaves(&flies, 1));
    assert_eq!((again.whole, again.tiles_run), (None, 0));
    let mut more = flies.to_vec();
    more.push((420, 300));
    let look = trap.look(&before_leaves(&more, 2));
    assert!(look.whole.is_none() && look.tiles_run == 1, "{look:?}");
    for &(x, y) in &more {
        assert_eq!(boxes_at(&look, x, y).len(), 1, "{x}, {y}");
    }
    trap.settings.whole = true;
    let asked = trap.look(&before_leaves(&more, 3));
    assert!(
        asked.tiles_run < asked.tiles && asked.work_share < 1.0,
        "{asked:?}"
    );
    for &(x, y) in &more {
        assert_eq!(boxes_at(&asked, x, y).len(), 1, "{x}, {y}");
    }
}
