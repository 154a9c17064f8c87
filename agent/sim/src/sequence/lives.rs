//! Which insects come to the cards of a sequence, where they walk, and when they go.

use super::story::{Script, Story};
use super::{Cards, Footprint, SequenceInsect, SequencePlan};
use crate::chance::Chance;
use crate::plate::Insect;
use crate::world::World;

/// Somewhat more insects come than to a usual trap, so that a day has enough to count.
const LURE: f64 = 1.6;
/// On a fresh card at its first frame.
const PRESENT: u32 = 4;
/// Tries to find a free place for an insect.
const TRIES: u32 = 60;

/// One insect's way.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Life {
    pub(crate) id: u32,
    card: u32,
    arrived: u32,
    left: Option<u32>,
    is_present: bool,
    /// Part of the photographed card itself.
    pub(crate) is_resident: bool,
    insect: Insect,
    /// From which frame on it is where.
    steps: Vec<(u32, f32, f32)>,
}

impl Life {
    pub(crate) fn is_there(&self, frame: u32, card: u32) -> bool {
        self.card == card && self.arrived <= frame && self.left.is_none_or(|left| frame < left)
    }

    /// The insect as it is in a frame.
    pub(crate) fn at(&self, frame: u32) -> Insect {
        let last = self.steps.iter().rev().find(|(from, ..)| *from <= frame);
        let mut insect = self.insect.clone();
        if let Some(&(_, across, along)) = last {
            (insect.across, insect.along) = (across, along);
        }
        insect
    }

    pub(crate) fn truth(&self) -> SequenceInsect {
        SequenceInsect {
            id: self.id,
            card: self.card,
            arrived: self.arrived,
            left: self.left,
            is_present: self.is_present,
        }
    }
}

/// The ids of the insects that belong to the cards themselves, card by card.
pub(crate) fn residents(lives: &[Life]) -> Vec<Vec<u32>> {
    let mut by_card: Vec<Vec<u32>> = Vec::new();
    for life in lives.iter().filter(|life| life.is_resident) {
        let card = usize::try_from(life.card).unwrap_or_default();
        by_card.resize(by_card.len().max(card + 1), Vec::new());
        if let Some(ids) = by_card.get_mut(card) {
            ids.push(life.id);
        }
    }
    by_card
}

/// Draws the lives of all insects, by id.
pub(crate) fn draw(
    plan: &SequencePlan,
    script: &Script,
    world: &World,
    start_ms: i64,
    cards: &impl Cards,
) -> Vec<Life> {
    let mut lives = Vec::new();
    let card_max = script
        .moments
        .iter()
        .map(|moment| moment.card)
        .max()
        .unwrap_or_default();
    for card in 0..=card_max {
        if let Some((first, last)) = script.frames_of(card) {
            let mut settling = Settling {
                card,
                cards,
                chance: Chance::new(plan.seed, &[42, card.into()]),
                taken: Vec::new(),
            };
            populate(&mut lives, &mut settling, [first, last], |frame| {
                expected(script, world, start_ms, frame)
            });
            let until = last + 1;
            if usize::try_from(until).is_ok_and(|until| until < script.moments.len()) {
                for life in lives.iter_mut().filter(|life| life.card == card) {
                    life.left = Some(until);
                }
            }
            go(&mut lives, plan, script, &mut settling);
        }
    }
    lives
}

/// How many insects are expected between the frame before and this one.
fn expected(script: &Script, world: &World, start_ms: i64, frame: u32) -> f64 {
    let minute = |frame: u32| {
        let moment = usize::try_from(frame)
            .ok()
            .and_then(|frame| script.moments.get(frame));
        moment.map_or(0, |moment| moment.minute)
    };
    let (from, until) = (minute(frame.saturating_sub(1)), minute(frame));
    let weather = world.weather(start_ms + i64::from(from + until) * 30_000);
    World::arrivals_per_hour(&weather) * LURE * f64::from(until - from) / 60.0
}

/// What is needed to find places on one card.
struct Settling<'a, C> {
    card: u32,
    cards: &'a C,
    chance: Chance,
    taken: Vec<Footprint>,
}

impl<C: Cards> Settling<'_, C> {
    fn is_free(&self, foot: &Footprint) -> bool {
        self.taken.iter().all(|other| {
            let apart_px = (foot.x_px - other.x_px).hypot(foot.y_px - other.y_px);
            apart_px > 0.6 * (foot.length_px + other.length_px) + 6.0
        })
    }

    /// An insect in a free place, if there is one.
    fn settle(&mut self) -> Option<Insect> {
        for _ in 0..TRIES {
            let insect = Insect::draw(&mut self.chance);
            if let Some(foot) = self.cards.footprint(self.card, &insect)
                && self.is_free(&foot)
            {
                self.taken.push(foot);
                return Some(insect);
            }
        }
        None
    }
}

fn populate<C: Cards>(
    lives: &mut Vec<Life>,
    settling: &mut Settling<'_, C>,
    [first, last]: [u32; 2],
    expected: impl Fn(u32) -> f64,
) {
    let card = settling.card;
    let life = |id: usize, arrived: u32, insect: Insect| Life {
        id: u32::try_from(id).unwrap_or(u32::MAX),
        card,
        arrived,
        left: None,
        is_present: arrived == first,
        is_resident: false,
        insect,
        steps: Vec::new(),
    };
    for [x_px, y_px, width_px, height_px] in settling.cards.residents(card) {
        settling.taken.push(Footprint {
            x_px: x_px + width_px / 2.0,
            y_px: y_px + height_px / 2.0,
            length_px: width_px.max(height_px),
            length: 0.0,
        });
        let insect = Insect::draw(&mut settling.chance);
        lives.push(Life {
            is_resident: true,
            ..life(lives.len(), first, insect)
        });
    }
    for frame in first..=last {
        let count = if frame == first {
            PRESENT
        } else {
            settling.chance.poisson(expected(frame))
        };
        for _ in 0..count {
            if let Some(insect) = settling.settle() {
                lives.push(life(lives.len(), frame, insect));
            }
        }
    }
}

/// Lets the rain take some off, and some walk.
fn go<C: Cards>(
    lives: &mut [Life],
    plan: &SequencePlan,
    script: &Script,
    settling: &mut Settling<'_, C>,
) {
    let washed_at = (0_u32..)
        .zip(&script.moments)
        .find(|(_, moment)| moment.stories.contains(&Story::Wash));
    let card = settling.card;
    if let Some((frame, _)) = washed_at {
        for life in lives.iter_mut().filter(|life| {
            !life.is_resident && life.is_there(frame, card) && life.arrived + 2 < frame
        }) {
            if settling.chance.happens(0.08) {
                life.left = Some(frame);
            }
        }
    }
    if plan.stories.contains(&Story::Walk) {
        for life in lives
            .iter_mut()
            .filter(|life| life.card == card && !life.is_resident)
        {
            if settling.chance.happens(0.05) {
                walk(life, settling);
            }
        }
    }
}

/// A few frames after its arrival it goes some steps, as long as there is room.
fn walk<C: Cards>(life: &mut Life, settling: &mut Settling<'_, C>) {
    let start = life.arrived + 3 + u32::try_from(settling.chance.below(6)).unwrap_or_default();
    let heading = settling.chance.near(0.0, std::f32::consts::TAU);
    let (mut across, mut along) = (life.insect.across, life.insect.along);
    let Some(home) = settling.cards.footprint(life.card, &life.insect) else {
        return;
    };
    settling.taken.retain(|foot| *foot != home);
    for frame in start..start + 6 {
        // A step is half its own length to a whole one; cards are about 0.56 times as wide as long.
        let step = home.length * settling.chance.near(0.5, 1.1);
        let next = Insect {
            across: across + step * heading.cos() / 0.56,
            along: along + step * heading.sin(),
            ..life.insect.clone()
        };
        match settling.cards.footprint(life.card, &next) {
            Some(foot) if settling.is_free(&foot) => {
                (across, along) = (next.across, next.along);
                life.steps.push((frame, across, along));
            }
            _ => break,
        }
    }
    let last = Insect {
        across,
        along,
        ..life.insect.clone()
    };
    settling
        .taken
        .extend(settling.cards.footprint(life.card, &last));
}
