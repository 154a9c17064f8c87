//! What happens in a sequence, and when: a script from a seed.

use super::SequencePlan;
use crate::chance::Chance;
use serde::{Deserialize, Serialize};

/// Something that happens to a card or its camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Story {
    /// The mount gives with the day's heat: a few pixels to and fro.
    Drift,
    /// Sun, clouds, the shadow of a pole that crosses the card, a flash at night.
    Light,
    /// Somebody knocks against the trap: it is shifted and turned from then on.
    Bump,
    /// A technician hangs up a new card.
    NewCard,
    /// Hours without a picture.
    Gap,
    /// Dark frames at night.
    LampFailure,
    /// Rain takes some insects off.
    Wash,
    /// Insects that are not quite stuck.
    Walk,
}

impl Story {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Drift,
        Self::Light,
        Self::Bump,
        Self::NewCard,
        Self::Gap,
        Self::LampFailure,
        Self::Wash,
        Self::Walk,
    ];
}

/// One frame of the script.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Moment {
    pub(crate) minute: u32,
    pub(crate) card: u32,
    /// Where the card has moved to, and by how much it is turned around the picture's middle.
    pub(crate) x_px: f32,
    pub(crate) y_px: f32,
    pub(crate) turn: f32,
    pub(crate) is_dark: bool,
    pub(crate) has_weather: bool,
    pub(crate) stories: Vec<Story>,
}

/// The whole script.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Script {
    pub(crate) moments: Vec<Moment>,
}

const GAP_MINUTES: u32 = 300;
/// Sequences start at five in the morning; the lamp fails for two frames before midnight and one after.
const DARK_MINUTES: [std::ops::Range<u32>; 2] = [1090..1130, 1260..1280];

impl Script {
    pub(crate) fn new(plan: &SequencePlan) -> Self {
        let mut chance = Chance::new(plan.seed, &[41]);
        let tells = |story| plan.stories.contains(&story);
        let at = |percent: u32| (plan.frames * percent / 100).max(1);
        let (bump_at, gap_at, wash_at, new_card_at) = (at(30), at(42), at(62), at(75));
        let side = |chance: &mut Chance| if chance.happens(0.5) { 1.0 } else { -1.0 };
        let bump = [
            side(&mut chance) * chance.near(12.0, 40.0),
            side(&mut chance) * chance.near(8.0, 30.0),
            side(&mut chance) * chance.near(0.3, 0.7_f32).to_radians(),
        ];
        let hang = [chance.near(-20.0, 20.0), chance.near(-20.0, 20.0)];
        let mut minute = 0;
        let mut moments = Vec::new();
        for frame in 0..plan.frames {
            let mut stories = Vec::new();
            if frame > 0 {
                minute += plan.every_minutes;
            }
            if tells(Story::Gap) && frame == gap_at {
                minute += GAP_MINUTES;
                stories.push(Story::Gap);
            }
            let is_new = tells(Story::NewCard) && frame >= new_card_at;
            let mut place = [0.0; 3];
            if tells(Story::Drift) {
                stories.push(Story::Drift);
                let [day, hours] =
                    [1440.0, 190.0].map(|period| std::f32::consts::TAU * minute as f32 / period);
                place[0] += 3.5 * day.sin() + 0.8 * hours.sin();
                place[1] += 2.5 * (1.0 - day.cos()) + 0.6 * hours.cos();
            }
            if tells(Story::Bump) && frame >= bump_at && !is_new {
                for (part, moved) in place.iter_mut().zip(bump) {
                    *part += moved;
                }
            }
            if is_new {
                place[0] += hang[0];
                place[1] += hang[1];
            }
            let is_dark = tells(Story::LampFailure)
                && DARK_MINUTES
                    .iter()
                    .any(|span| span.contains(&(minute % 1440)));
            let happens = [
                (Story::Light, true),
                (Story::Bump, frame == bump_at),
                (Story::NewCard, frame == new_card_at),
                (Story::LampFailure, is_dark),
                (Story::Wash, frame == wash_at),
            ];
            stories.extend(
                happens
                    .into_iter()
                    .filter(|(story, now)| *now && tells(*story))
                    .map(|(story, _)| story),
            );
            moments.push(Moment {
                minute,
                card: u32::from(is_new),
                x_px: place[0],
                y_px: place[1],
                turn: place[2],
                is_dark,
                has_weather: tells(Story::Light),
                stories,
            });
        }
        Self { moments }
    }

    /// First and last frame of a card, if it ever hangs.
    pub(crate) fn frames_of(&self, card: u32) -> Option<(u32, u32)> {
        let frames = (0_u32..)
            .zip(&self.moments)
            .filter(|(_, moment)| moment.card == card);
        let mut frames = frames.map(|(frame, _)| frame);
        let first = frames.next()?;
        Some((first, frames.last().unwrap_or(first)))
    }
}
