//! Whether a look may leave things out: what is remembered, held against what is seen.

use std::borrow::Cow;

use crate::boxes::Detection;
use crate::change::align::{self, Alignment, Motion};
use crate::change::card::Region;
use crate::change::compare::{self, CELL, Changes};
use crate::change::flat::{Flat, floor};
use crate::change::grey::Grey;
use crate::look::{CardSeen, LookSettings, Memory, Quality, Scale, WholeBecause};

/// So many times brighter or darker is another light.
const LIGHT_TIMES: f32 = 2.0;
/// This much more of the picture black or white is another light, too.
const CLIPPED_MORE: f32 = 0.25;
/// So many times sharper or more blurred is another focus.
const FOCUS_TIMES: f32 = 1.5;
/// Below this correlation the alignment found nothing.
const LIKENESS_MIN: f32 = 0.3;
/// Share of the picture's longer side by which it may have moved, and radians by which it may have turned.
const MOVED_MAX: f32 = 0.05;
const TURNED_MAX: f32 = 0.02;
/// Share of the pixels that stand out, below which a picture shows nothing to align.
const EMPTY_SHARE: f32 = 0.0005;
/// How far a pixel stands out.
const STANDS_OUT: f32 = 0.12;
/// So many boxes are enough to tell by them whether the card is the same.
const BOXES_MIN: usize = 5;
/// No more of them are asked.
const BOXES_ASKED: usize = 200;
/// Correlation from which on an insect is still there.
const STILL_THERE: f32 = 0.45;
/// With fewer of the insects still there it is another card.
const STILL_THERE_SHARE: f32 = 0.35;
/// A share of changed cells above this is not worth planning windows for.
const CHANGED_MAX: f32 = 0.35;

/// So much of the region's margin is not searched for changes: there the wall begins. Leaves that blow right at the
/// card's edge still cost windows along it.
const BESIDE_PX: f32 = 64.0;

/// What is seen now, as far as it is compared.
pub(super) struct Scene {
    pub(super) width_px: u32,
    pub(super) height_px: u32,
    pub(super) scale: Scale,
    pub(super) model: [u8; 32],
    pub(super) quality: Quality,
    pub(super) flat: Flat,
}

/// What comes of it.
pub(super) struct Verdict {
    /// Why the look must be a whole one.
    pub(super) whole: Option<WholeBecause>,
    /// Where the card differs, if the look need not be whole.
    pub(super) changes: Option<Changes>,
    /// Pixels along one side of a pixel of the grey copy.
    pub(super) grey_factor: f32,
    /// The remembered boxes where they lie now, inside the picture.
    pub(super) known: Vec<Detection>,
    pub(super) shift_px: Option<(f32, f32)>,
    pub(super) card: CardSeen,
    /// The picture is much worse than the remembered one.
    pub(super) is_poor: bool,
    /// Looks since the last whole one.
    pub(super) looks: u32,
    /// Where the card lies; all of the picture where that is not known or not sure any more.
    pub(super) region: Region,
}

/// Holds the picture against the memory.
pub(super) fn judge(
    memory: Option<&Memory>,
    now: &Scene,
    settings: &LookSettings,
    score: f32,
) -> Verdict {
    let nothing = Verdict {
        whole: Some(WholeBecause::First),
        changes: None,
        grey_factor: Grey::factor(now.width_px, now.height_px) as f32,
        known: Vec::new(),
        shift_px: None,
        card: CardSeen::First,
        is_poor: false,
        looks: memory.map_or(0, |memory| memory.looks),
        region: Region::whole(now.width_px, now.height_px),
    };
    let Some(memory) = memory else {
        return nothing;
    };
    if (memory.width_px, memory.height_px) != (now.width_px, now.height_px) {
        return Verdict {
            whole: Some(WholeBecause::Size),
            ..nothing
        };
    }
    let seen = Seen::of(memory, now);
    let (before, flat) = (&seen.before, seen.now.as_ref());
    let light = has_other_light(&memory.quality, &now.quality);
    // Bare paper has no edges by which a focus could be told.
    let has_edges = !is_empty(before) && !is_empty(flat);
    let focus = has_edges && has_other_focus(&memory.quality, &now.quality);
    let is_poor = (light || focus) && is_worse(&memory.quality, &now.quality);
    let pose = Pose::of(before, flat);
    let card = if is_poor || !is_other_card(memory, before, flat, &pose, score) {
        CardSeen::Same
    } else {
        CardSeen::New
    };
    let because = [
        (settings.whole, WholeBecause::Asked),
        (!settings.gated, WholeBecause::Ungated),
        (memory.model != now.model, WholeBecause::Model),
        (memory.scale != now.scale, WholeBecause::Size),
        (card == CardSeen::New, WholeBecause::Card),
        (light, WholeBecause::Light),
        (focus, WholeBecause::Focus),
        (pose.is_far(flat), WholeBecause::Moved),
        (memory.looks >= settings.whole_every, WholeBecause::Due),
    ];
    let whole = because
        .iter()
        .find(|(holds, _)| *holds)
        .map(|&(_, because)| because);
    let factor = nothing.grey_factor;
    let shift_px = pose.shift_px(factor).filter(|_| card == CardSeen::Same);
    let region = region_now(memory, whole, shift_px, now);
    let verdict = Verdict {
        whole,
        shift_px,
        card,
        is_poor,
        region,
        ..nothing
    };
    if whole.is_some() {
        return verdict;
    }
    let changes = changes_on(&region, &seen, &pose.motion, now);
    Verdict {
        whole: (changes.share() > CHANGED_MAX).then_some(WholeBecause::Many),
        known: carried(memory, &pose.motion, factor),
        changes: Some(changes),
        ..verdict
    }
}

/// Where the remembered region lies now; all of the picture when the card has to be found anew.
fn region_now(
    memory: &Memory,
    whole: Option<WholeBecause>,
    shift_px: Option<(f32, f32)>,
    now: &Scene,
) -> Region {
    let (width_px, height_px) = (now.width_px, now.height_px);
    match whole {
        Some(WholeBecause::Card | WholeBecause::Moved) => Region::whole(width_px, height_px),
        _ => memory
            .region
            .shifted(shift_px.unwrap_or_default(), width_px, height_px),
    }
}

/// Where the card differs; what changed beside it is none of its changes.
fn changes_on(region: &Region, seen: &Seen<'_>, motion: &Motion, now: &Scene) -> Changes {
    let mut changes = compare::compare(&seen.before, &seen.now, motion);
    if region.is_whole(now.width_px, now.height_px) {
        return changes;
    }
    let factor = Grey::factor(now.width_px, now.height_px) as f32;
    let card = region.inside(BESIDE_PX, [now.width_px as f32, now.height_px as f32]);
    changes.keep(|column, row| {
        let middle = |cell: usize| (cell as f32 + 0.5) * CELL as f32 * factor;
        card.has(middle(column), middle(row))
    });
    changes
}

/// Both pictures' cards, without what is beside them: leaves in the wind are no motion of the card.
struct Seen<'a> {
    before: Flat,
    now: Cow<'a, Flat>,
}

impl<'a> Seen<'a> {
    fn of(memory: &Memory, now: &'a Scene) -> Self {
        let before = Flat::of(&memory.grey);
        let region = memory.region;
        if region.is_whole(now.width_px, now.height_px) {
            return Self {
                before,
                now: Cow::Borrowed(&now.flat),
            };
        }
        let region = region.resized(1.0 / memory.grey.factor as f32);
        let span = |from: f32, to: f32| floor(from.max(0.0))..floor(to.max(0.0)) + 1;
        let (columns, rows) = (
            span(region.left, region.right),
            span(region.top, region.bottom),
        );
        Self {
            before: before.only(columns.clone(), rows.clone()),
            now: Cow::Owned(now.flat.only(columns, rows)),
        }
    }
}

fn has_other_light(before: &Quality, now: &Quality) -> bool {
    let (darker, brighter) = (
        before.mean_luma.min(now.mean_luma),
        before.mean_luma.max(now.mean_luma),
    );
    brighter > LIGHT_TIMES * darker + 1.0
        || (before.clipped_share - now.clipped_share).abs() > CLIPPED_MORE
}

fn has_other_focus(before: &Quality, now: &Quality) -> bool {
    let (blurred, sharp) = (
        before.sharpness.min(now.sharpness),
        before.sharpness.max(now.sharpness),
    );
    sharp > FOCUS_TIMES * blurred
}

fn is_worse(before: &Quality, now: &Quality) -> bool {
    now.mean_luma * LIGHT_TIMES < before.mean_luma
        || now.sharpness * FOCUS_TIMES < before.sharpness
        || now.clipped_share > before.clipped_share + CLIPPED_MORE
}

/// How the card lies, and whether that could be told.
struct Pose {
    motion: Motion,
    likeness: f32,
    /// Both pictures show next to nothing, which is alike whatever the motion.
    is_empty: bool,
}

impl Pose {
    fn of(before: &Flat, now: &Flat) -> Self {
        if is_empty(before) && is_empty(now) {
            return Self {
                motion: Motion::rest(now),
                likeness: 0.0,
                is_empty: true,
            };
        }
        let Alignment { motion, likeness } = align::align(before, now);
        Self {
            motion,
            likeness,
            is_empty: false,
        }
    }

    fn is_told(&self) -> bool {
        self.likeness >= LIKENESS_MIN
    }

    fn is_far(&self, now: &Flat) -> bool {
        let Motion {
            right, down, turn, ..
        } = self.motion;
        let side = now.width.max(now.height) as f32;
        let is_far = right.abs().max(down.abs()) > MOVED_MAX * side || turn.abs() > TURNED_MAX;
        !self.is_empty && (is_far || !self.is_told())
    }

    fn shift_px(&self, factor: f32) -> Option<(f32, f32)> {
        let shift = (-self.motion.right * factor, -self.motion.down * factor);
        self.is_told().then_some(shift)
    }
}

fn is_empty(flat: &Flat) -> bool {
    let outstanding = flat
        .value
        .iter()
        .filter(|value| value.abs() > STANDS_OUT)
        .count();
    (outstanding as f32) < EMPTY_SHARE * flat.value.len() as f32
}

/// By the insects that were there, or, with too few of them, by whether the pictures have anything in common.
fn is_other_card(memory: &Memory, before: &Flat, now: &Flat, pose: &Pose, score: f32) -> bool {
    let factor = memory.grey.factor as f32;
    let asked = memory.boxes.iter().filter(|known| known.score >= score);
    let asked: Vec<&Detection> = asked.take(BOXES_ASKED).collect();
    if asked.len() < BOXES_MIN {
        return !pose.is_empty && !pose.is_told() && !is_empty(before);
    }
    let is_there = |known: &&&Detection| {
        let place = moved(known, &pose.motion, factor);
        let start = |at: f32| floor((at / factor - 1.0).max(0.0));
        let end = |at: f32| floor((at / factor).max(0.0)) + 2;
        let corner = (start(place.x_px), start(place.y_px));
        let far_corner = (
            end(place.x_px + place.width_px),
            end(place.y_px + place.height_px),
        );
        align::correlation(before, now, &pose.motion, corner, far_corner) >= STILL_THERE
    };
    let still_there = asked.iter().filter(is_there).count();
    (still_there as f32) < STILL_THERE_SHARE * asked.len() as f32
}

/// The remembered boxes where they lie now; those whose middle left the picture are gone.
fn carried(memory: &Memory, motion: &Motion, factor: f32) -> Vec<Detection> {
    let here = memory
        .boxes
        .iter()
        .map(|known| moved(known, motion, factor));
    here.filter_map(|known| crate::detector::clip_to(known, memory.width_px, memory.height_px))
        .collect()
}

/// A box follows its middle; so small a turn or zoom does not change its sides.
fn moved(known: &Detection, motion: &Motion, factor: f32) -> Detection {
    // The middle of a grey pixel lies half its side from its edge.
    let grey = |at: f32| at / factor - 0.5;
    let full = |at: f32| (at + 0.5) * factor;
    let (half_width, half_height) = (known.width_px / 2.0, known.height_px / 2.0);
    let (x, y) = motion.forth(
        grey(known.x_px + half_width),
        grey(known.y_px + half_height),
    );
    Detection {
        x_px: full(x) - half_width,
        y_px: full(y) - half_height,
        ..*known
    }
}
