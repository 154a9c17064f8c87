//! What each trap of the demo has to tell, so that its pages show what they
//! can tell apart.

use crate::devices::clock::Keeper;
use crate::world::spans::{Span, Spans};
use crate::world::{DAY_MS, HOUR_MS, Trouble, World};

/// What befell a trap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Story {
    /// Nothing: it works.
    Well,
    /// It was without power for two days, and its camera failed for one.
    Cuts,
    /// It restarted a day and a half ago and has not heard the time since.
    NoTime,
    /// It works until now and is never heard of again.
    Silent,
}

impl Story {
    /// The story of a trap by its place in the list.
    #[must_use]
    pub fn of(index: usize) -> Self {
        match index % 4 {
            0 => Self::Well,
            1 => Self::Cuts,
            2 => Self::NoTime,
            _ => Self::Silent,
        }
    }

    /// What keeps its time.
    #[must_use]
    pub fn keeper(self) -> Keeper {
        match self {
            Self::NoTime => Keeper::Nothing,
            Self::Well | Self::Cuts | Self::Silent => Keeper::Battery,
        }
    }

    /// The world in which it happens, the past ending at `now_ms`.
    #[must_use]
    pub fn world(self, seed: u64, trap: u32, (from_ms, now_ms): (i64, i64)) -> World {
        let season = Span {
            from_ms,
            until_ms: now_ms + 400 * DAY_MS,
        };
        let world = World::new(seed, trap, season, &Trouble::default());
        let mut world = world.where_it_is_summer(now_ms);
        world.power_cuts = Spans::default();
        world.radio_silence = Spans::default();
        world.camera_faults = Spans::default();
        world.climate_faults = Spans::default();
        let back = |from_hours: i64, until_hours: i64| {
            Spans::of(vec![Span {
                from_ms: now_ms - from_hours * HOUR_MS,
                until_ms: now_ms - until_hours * HOUR_MS,
            }])
        };
        match self {
            Self::Well => world.climate_faults = back(130, 118),
            Self::Cuts => {
                world.power_cuts = back(215, 167);
                world.camera_faults = back(80, 54);
            }
            Self::NoTime => {
                world.power_cuts = back(37, 36);
                world.radio_silence = back(36, -400 * 24);
            }
            Self::Silent => {}
        }
        world
    }
}
