//! The devices of a simulated trap, and what they share: the true time, the
//! world, the card in front of the camera.

pub mod camera;
pub mod clock;
pub mod detector;
pub mod sensors;

use crate::chance::Chance;
use crate::plate::{CardNumber, Insect, Plate, Size, TruthBox};
use crate::world::{HOUR_MS, World};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// The time that nobody in the simulation but the world knows.
#[derive(Debug, Clone)]
pub enum TrueTime {
    /// It goes on as the runtime's clock does.
    Running {
        /// UTC in milliseconds at `start`.
        from_ms: i64,
        /// When it was started.
        start: Instant,
    },
    /// It stands until somebody moves it on.
    Hand(Arc<AtomicI64>),
}

impl TrueTime {
    /// It is `from_ms` now, and goes on as the runtime's clock does.
    #[must_use]
    pub fn starting_at(from_ms: i64) -> Self {
        Self::Running {
            from_ms,
            start: Instant::now(),
        }
    }

    /// It is `now_ms` until [`set`](Self::set).
    #[must_use]
    pub fn by_hand(now_ms: i64) -> Self {
        Self::Hand(Arc::new(AtomicI64::new(now_ms)))
    }

    /// Moves a time on that stands; a running one minds nobody.
    pub fn set(&self, now_ms: i64) {
        if let Self::Hand(time) = self {
            time.store(now_ms, Ordering::SeqCst);
        }
    }

    /// UTC in milliseconds.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        match self {
            Self::Running { from_ms, start } => {
                let gone_ms = i64::try_from(start.elapsed().as_millis()).unwrap_or(i64::MAX);
                from_ms.saturating_add(gone_ms)
            }
            Self::Hand(time) => time.load(Ordering::SeqCst),
        }
    }

    /// The moment of a time; now, for a time that stands.
    #[must_use]
    pub fn instant(&self, unix_ms: i64) -> Instant {
        match self {
            Self::Running { from_ms, start } => {
                let ahead_ms = u64::try_from(unix_ms.saturating_sub(*from_ms)).unwrap_or(0);
                *start + std::time::Duration::from_millis(ahead_ms)
            }
            Self::Hand(_) => Instant::now(),
        }
    }
}

/// Where a simulated trap stands and what hangs in front of its camera.
#[derive(Debug)]
pub struct Scene {
    /// Its number, from 1.
    pub trap: u32,
    /// Its world.
    pub world: World,
    /// The time.
    pub time: TrueTime,
    size: Size,
    seed: u64,
    /// How much larger insects are than on a whole card in view.
    zoom: f32,
    card: Mutex<Option<Card>>,
}

/// The card that hangs now, with everything that has stuck to it.
#[derive(Debug)]
struct Card {
    number: u32,
    hung_ms: i64,
    plate: Plate,
    insects: Vec<(i64, Insect)>,
    /// Hours whose insects are in the list.
    until_hour: i64,
}

impl Scene {
    /// The scene of a trap that takes pictures of this size.
    #[must_use]
    pub fn new(seed: u64, trap: u32, world: World, time: TrueTime, size: Size) -> Self {
        Self {
            trap,
            world,
            time,
            size,
            seed,
            zoom: 1.0,
            card: Mutex::default(),
        }
    }

    /// The same scene with a smaller card, so that insects take as many pixels
    /// in a small picture as they do on a whole card in a large one.
    #[must_use]
    pub fn small_card(mut self) -> Self {
        let long_px = f32::from(self.size.width_px.max(self.size.height_px));
        self.zoom = (2048.0 / long_px).clamp(1.0, 2.5);
        self
    }

    /// A stream of chance of this trap.
    #[must_use]
    pub fn chance(&self, path: &[u64]) -> Chance {
        let mut whole = vec![u64::from(self.trap)];
        whole.extend_from_slice(path);
        Chance::new(self.seed, &whole)
    }

    /// What the camera sees now: the JPEG file and the true boxes in it.
    ///
    /// # Errors
    /// When the picture cannot be written as JPEG, in words.
    pub fn picture(&self, shot: u64, quality: u8) -> Result<(Vec<u8>, Vec<TruthBox>), String> {
        let now_ms = self.time.now_ms();
        let mut held = self.lock();
        let (number, hung_ms) = self.world.card(now_ms);
        if held.as_ref().is_none_or(|card| card.number != number) {
            *held = Some(self.hang(number, hung_ms));
        }
        let Some(card) = held.as_mut() else {
            return Err("no card hangs".to_owned());
        };
        let this_hour = now_ms.div_euclid(HOUR_MS);
        while card.until_hour <= this_hour {
            let newly = self.world.arrivals(card.until_hour);
            let on_this_card = newly
                .into_iter()
                .filter(|(at_ms, _)| *at_ms >= card.hung_ms);
            card.insects.extend(on_this_card);
            card.until_hour += 1;
        }
        let there: Vec<Insect> = card
            .insects
            .iter()
            .filter(|(at_ms, _)| *at_ms <= now_ms)
            .map(|(_, insect)| Insect {
                length: insect.length * self.zoom,
                ..insect.clone()
            })
            .collect();
        let light = self.world.weather(now_ms).light(shot);
        card.plate
            .shoot(&there, &light, quality)
            .map_err(|error| error.to_string())
    }

    fn hang(&self, number: u32, hung_ms: i64) -> Card {
        let plate = Plate::hang(
            CardNumber {
                seed: self.seed,
                trap: self.trap,
                card: number,
            },
            self.size,
        );
        Card {
            number,
            hung_ms,
            plate,
            insects: Vec::new(),
            until_hour: hung_ms.div_euclid(HOUR_MS),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Card>> {
        self.card.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A scene as its devices hold it.
pub type SharedScene = Arc<Scene>;
