//! The life of one trap through a season: boot, work, power cut, and again.

use super::Plan;
use crate::chance::Chance;
use crate::devices::camera::{Film, SimCamera};
use crate::devices::clock::{Keeper, SimClock};
use crate::devices::detector::{Knowledge, SimDetector};
use crate::devices::sensors::{SimAmbient, SimPower};
use crate::devices::{Scene, SharedScene, TrueTime};
use crate::evidence::{self, Known, TrapEvidence};
use crate::link::hub::Hub;
use crate::link::{SimLink, Surroundings};
use crate::power::{Cut, Ended, until_cut};
use crate::tally::Tally;
use crate::trace::Trace;
use crate::world::spans::{Span, Spans};
use crate::world::{DAY_MS, World};
use anyhow::Context as _;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::time::sleep_until;
use trapline_agent::agent::{Agent, Nobody, Parts};
use trapline_agent::capture::Devices;
use trapline_agent::capture::fittings::Fittings;
use trapline_agent::config::Config;
use trapline_agent::front::FrontDevices;
use trapline_agent::hands::Hands;
use trapline_agent::inspect::{Detect, LoadDetector};
use trapline_agent::moment::wire_stamp;
use trapline_agent::power::PowerDevices;
use trapline_agent::probes::Probes;
use trapline_hal::{Camera, Clock as _};
use trapline_store::disk::SimDisk;
use trapline_store::{Ledger, View};
use trapline_wire::{LedgerId, TrapKey};

/// What all traps of a season share.
#[derive(Debug, Clone)]
pub struct Yard {
    /// What is run.
    pub plan: Plan,
    /// The days of trouble.
    pub season: Span,
    /// When every agent is asked to stop.
    pub end_ms: i64,
    /// The true time.
    pub time: TrueTime,
    /// The server.
    pub hub: Arc<Hub>,
    /// Counts what goes wrong.
    pub tally: Arc<Tally>,
    /// Writes down what happens.
    pub trace: Arc<Trace>,
    /// Where ledgers and the server's data are.
    pub folder: PathBuf,
}

/// A trap and everything that survives its power cuts.
pub struct Life {
    yard: Yard,
    number: u32,
    name: String,
    scene: SharedScene,
    clock: SimClock,
    disk: SimDisk,
    folder: PathBuf,
    key: TrapKey,
    config: Arc<Config>,
    film: Film,
    knowledge: Knowledge,
    boots: u64,
    known_from_ms: Option<i64>,
}

impl fmt::Debug for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Life")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Life {
    /// A new trap, enrolled on the server, not switched on yet.
    ///
    /// # Errors
    /// When its folder cannot be made or the server refuses it.
    pub fn new(yard: &Yard, number: u32) -> anyhow::Result<Self> {
        let name = format!("trap-{number:02}");
        let seed = yard.plan.seed;
        let world = world_of(yard, number);
        let scene = Scene::new(seed, number, world, yard.time.clone(), yard.plan.size);
        let scene = Arc::new(scene);
        let mut random = [0; 25];
        let mut chance = Chance::new(seed, &[u64::from(number), 1]);
        for byte in &mut random {
            *byte = u8::try_from(chance.below(256)).unwrap_or(0);
        }
        let key = TrapKey::from_random(&random);
        yard.hub.enrol(&name, &key)?;
        let folder = yard.folder.join(&name);
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        let disk = SimDisk::new();
        if has_small_card(number) {
            disk.set_free_bytes(Some(SMALL_CARD_BYTES));
        }
        let keeper = match number % 3 {
            0 => Keeper::Nothing,
            1 => Keeper::Card,
            _ => Keeper::Battery,
        };
        Ok(Self {
            yard: yard.clone(),
            number,
            config: Arc::new(config_of(yard, number, &name)?),
            name,
            clock: SimClock::new(Arc::clone(&scene), keeper),
            scene,
            disk,
            folder,
            key,
            film: Film::default(),
            knowledge: Knowledge::default(),
            boots: 0,
            known_from_ms: None,
        })
    }

    /// Lives from the first boot to the end of the season.
    ///
    /// # Errors
    /// When the ledger does not open again after a power cut, or does so in vain too often.
    pub async fn live(mut self) -> anyhow::Result<Self> {
        while !self.one_boot().await? {
            anyhow::ensure!(self.boots < 100_000, "{} boots for ever", self.name);
        }
        Ok(self)
    }

    /// What is left of the trap.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn evidence(self) -> anyhow::Result<TrapEvidence> {
        let view = View::open(&self.folder, Arc::new(self.disk.clone()))
            .with_context(|| format!("the ledger of {}", self.name))?;
        let known = Known {
            name: self.name,
            id: self.key.trap().clone(),
            schedule: self.config.schedule.clone(),
            known_from_ms: self.known_from_ms.unwrap_or(self.yard.season.from_ms),
            unset: self.clock.unset_spans(),
            ended_ms: self.yard.end_ms,
            film: self.film,
        };
        evidence::of_trap(&view, known)
    }

    /// From power on to power off; true when the season is over.
    async fn one_boot(&mut self) -> anyhow::Result<bool> {
        self.boots += 1;
        self.clock.power_on();
        self.yard.tally.add(|counts| counts.boots += 1);
        let mut chance = self.scene.chance(&[500, self.boots]);
        let now_ms = self.yard.time.now_ms();
        if self.known_from_ms.is_none() {
            self.known_from_ms = self.clock.knows_from();
        }
        let next = self.scene.world.power_cuts.next(now_ms);
        let cut = Cut::draw(&mut chance);
        let is_troubled = now_ms < self.yard.season.until_ms;
        if is_troubled && self.boots > 1 && chance.happens(0.15) {
            // Power that comes back in fits: the next cut falls into recovery.
            self.disk.cut_at(1 + chance.below(40));
        }
        let ledger = match self.open_ledger(&mut chance) {
            Ok(ledger) => ledger,
            Err(_) if self.disk.is_off() => {
                self.note("power lost while starting");
                self.yard.tally.add(|counts| counts.cuts_at_disk += 1);
                self.dark(Cut::AtDisk(0), now_ms + 20_000, &mut chance)
                    .await;
                return Ok(false);
            }
            Err(error) => {
                return Err(error).with_context(|| format!("the ledger of {}", self.name));
            }
        };
        let agent = Agent::from_parts(self.parts(ledger, &mut chance));
        let shutdown = sleep_until(self.yard.time.instant(self.yard.end_ms));
        let at_ms = next.map_or(self.yard.end_ms + DAY_MS, |span| span.from_ms);
        let ended = until_cut(
            agent.run(shutdown),
            (at_ms, cut),
            &self.yard.time,
            &self.disk,
        )
        .await;
        let now_ms = self.yard.time.now_ms();
        match ended {
            Ended::Itself(Ok(())) if now_ms >= self.yard.end_ms => Ok(true),
            Ended::Itself(ended) => {
                self.note(&format!("the agent ended: {ended:?}"));
                self.dark(Cut::Kill, now_ms + 10_000, &mut chance).await;
                Ok(false)
            }
            Ended::Dark => {
                let cut = if self.disk.is_off() {
                    Cut::AtDisk(0)
                } else {
                    cut
                };
                self.count(cut);
                let back_ms = match cut {
                    Cut::Kill => now_ms + 10_000,
                    Cut::AtTime | Cut::AtAwait(_) | Cut::AtDisk(_) => next
                        .map_or(0, |span| span.until_ms)
                        .min(self.yard.season.until_ms)
                        .max(now_ms + 20_000),
                };
                self.note(&format!("power lost: {cut:?}"));
                self.dark(cut, back_ms, &mut chance).await;
                Ok(false)
            }
        }
    }

    fn open_ledger(&self, chance: &mut Chance) -> Result<Ledger, trapline_store::StoreError> {
        let id = LedgerId(u32::try_from(chance.bits() >> 32).unwrap_or(1));
        let now = wire_stamp(&self.clock.stamp());
        let disk = Arc::new(self.disk.clone());
        let (ledger, recovery) = Ledger::open(&self.folder, disk, || id, &now)?;
        self.note(&format!("boots {} {recovery:?}", now.unix_ms));
        Ok(ledger)
    }

    fn parts(&self, ledger: Ledger, chance: &mut Chance) -> Parts {
        let camera = SimCamera::new(
            Arc::clone(&self.scene),
            self.film.clone(),
            self.knowledge.clone(),
            Arc::clone(&self.yard.tally),
        );
        let mut camera = Some(camera);
        let scene = Arc::clone(&self.scene);
        let (film, known) = (self.film.clone(), self.knowledge.clone());
        let tally = Arc::clone(&self.yard.tally);
        let open_camera = Box::new(move |_last: Option<&str>| {
            let camera = camera.take().unwrap_or_else(|| {
                SimCamera::new(
                    Arc::clone(&scene),
                    film.clone(),
                    known.clone(),
                    Arc::clone(&tally),
                )
            });
            Ok(Box::new(camera) as Box<dyn Camera>)
        });
        let around = Surroundings {
            scene: Arc::clone(&self.scene),
            hub: Arc::clone(&self.yard.hub),
            tally: Arc::clone(&self.yard.tally),
            trace: Arc::clone(&self.yard.trace),
            lossy: self.yard.plan.lossy,
            patience: self.config.sync.request_timeout,
        };
        let mut own = Chance::new(chance.bits(), &[]);
        Parts {
            config: Arc::clone(&self.config),
            clock: Arc::new(self.clock.clone()),
            ledger,
            hands: Hands::Inline,
            devices: Devices {
                open_camera,
                ambient: Box::new(SimAmbient::new(Arc::clone(&self.scene))),
                power: Box::new(SimPower::new(Arc::clone(&self.scene))),
                fittings: Fittings::default(),
            },
            load_detector: self.detector(chance),
            thermal: None,
            power: PowerDevices::default(),
            front: FrontDevices::default(),
            probes: Probes::default(),
            uplink: Some(Box::new(SimLink::new(
                around,
                self.key.clone(),
                Chance::new(chance.bits(), &[]),
            ))),
            chance: Box::new(move || own.unit()),
            outside: Box::new(Nobody),
        }
    }

    fn detector(&self, chance: &mut Chance) -> LoadDetector {
        let knowledge = self.knowledge.clone();
        let tally = Arc::clone(&self.yard.tally);
        let mut chance = Chance::new(chance.bits(), &[]);
        Box::new(move |choice| {
            let own = Chance::new(chance.bits(), &[]);
            let mut detector = SimDetector::new(knowledge.clone(), Arc::clone(&tally), own);
            if let (Some(id), Some(sha256)) = (choice.id.clone(), choice.sha256) {
                detector = detector.named_model(id, sha256);
            }
            Ok(Box::new(detector) as Box<dyn Detect>)
        })
    }

    /// The trap is off until `back_ms`, and its card has lost what it loses.
    async fn dark(&self, cut: Cut, back_ms: i64, chance: &mut Chance) {
        self.clock.power_off();
        let loss = cut.loss(chance);
        self.disk.power_on(loss);
        sleep_until(self.yard.time.instant(back_ms)).await;
    }

    fn count(&self, cut: Cut) {
        self.yard.tally.add(|counts| match cut {
            Cut::AtTime => counts.cuts_idle += 1,
            Cut::AtAwait(_) => counts.cuts_at_await += 1,
            Cut::AtDisk(_) => counts.cuts_at_disk += 1,
            Cut::Kill => counts.kills += 1,
        });
    }

    fn note(&self, words: &str) {
        let now_ms = self.yard.time.now_ms();
        self.yard.trace.note(now_ms, self.number, words);
    }
}

/// A card that a few days without signal fill up.
const SMALL_CARD_BYTES: u64 = 1_200_000;

fn has_small_card(number: u32) -> bool {
    number.is_multiple_of(4)
}

/// The world of a trap; one in four hangs in a valley without signal for days.
fn world_of(yard: &Yard, number: u32) -> World {
    let season = yard.season;
    let mut world = World::new(yard.plan.seed, number, season, &yard.plan.trouble);
    if has_small_card(number) {
        let long = (season.until_ms - season.from_ms) / 3;
        let valley = Span {
            from_ms: season.from_ms + long,
            until_ms: season.from_ms + 2 * long,
        };
        world.radio_silence = Spans::of(vec![valley]);
    }
    world
}

fn config_of(yard: &Yard, number: u32, name: &str) -> anyhow::Result<Config> {
    let windows = if number % 5 == 2 {
        r#"["04:30..11:00", "19:00..01:00"]"#
    } else {
        "[]"
    };
    let piece_bytes_max = if number % 2 == 1 { 4096 } else { 1_048_576 };
    let quota_bytes = if number.is_multiple_of(2) {
        1_000_000
    } else {
        8_000_000_000_u64
    };
    let every_s = yard.plan.every.as_secs().max(1);
    let text = format!(
        "[trap]\nname = \"{name}\"\n\
         [ledger]\ndir = \"/sim\"\nquota_bytes = {quota_bytes}\nfree_bytes_min = 0\n\
         [schedule]\nevery = \"{every_s}s\"\nwindows = {windows}\nutc_offset = \"+02:00\"\n\
         [camera]\nkind = \"none\"\n\
         [power]\nbattery = \"lead-acid-12v\"\n\
         [sync]\npiece_bytes_max = {piece_bytes_max}\n"
    );
    Config::from_text("the simulation", &text).map_err(|problems| anyhow::anyhow!("{problems}"))
}
