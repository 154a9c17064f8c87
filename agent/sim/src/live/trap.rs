//! One trap of the demo: its real stages, stepped by hand through the past.

use super::quick_disk::QuickDisk;
use super::{Board, Done, LivePlan, Story};
use crate::devices::camera::{Film, SimCamera};
use crate::devices::clock::SimClock;
use crate::devices::detector::Knowledge;
use crate::devices::sensors::{SimAmbient, SimPower};
use crate::devices::{Scene, SharedScene, TrueTime};
use crate::tally::Tally;
use crate::world::{DAY_MS, HOUR_MS, World};
use anyhow::Context as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use trapline_agent::asks::ShotCause;
use trapline_agent::capture::fittings::Fittings;
use trapline_agent::capture::{Capture, Devices};
use trapline_agent::config::{Access, Config};
use trapline_agent::desk::Desk;
use trapline_agent::hands::Hands;
use trapline_agent::inspect::{Asked, Detect, Inspect, LookError, Seen, load_model};
use trapline_agent::models::Choice;
use trapline_agent::moment::wire_stamp;
use trapline_agent::stage::{Next, Stage, StageError};
use trapline_agent::sync::Sync;
use trapline_agent::sync::http::{HttpUplink, Says};
use trapline_hal::{Camera, Clock as _};
use trapline_store::Ledger;
use trapline_wire::v1::ModelRef;
use trapline_wire::{LedgerId, TrapKey};

/// Captures of the past that are sent together.
const SENT_TOGETHER: u32 = 8;
/// A server that is not there is asked again this often when the end has come.
const LAST_TRIES: u32 = 20;

/// A trap of the demo.
pub(super) struct LiveTrap {
    index: usize,
    story: Story,
    scene: SharedScene,
    clock: SimClock,
    time: TrueTime,
    folder: PathBuf,
    config: Arc<Config>,
    model: Model,
    /// The stages of this boot; `None` while the trap is off.
    stages: Option<Stages>,
    plan: LivePlan,
}

/// The stages of one boot.
struct Stages {
    desk: Desk,
    capture: Capture,
    inspect: Inspect,
    sync: Sync,
}

/// The one detector that all boots of a trap use: loading it takes time.
#[derive(Clone)]
struct Model(Arc<Mutex<Box<dyn Detect>>>);

impl Detect for Model {
    fn model(&self) -> ModelRef {
        let model = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        model.model()
    }

    fn look(
        &mut self,
        asked: &Asked<'_>,
        keep_going: &mut dyn FnMut() -> bool,
    ) -> Result<Seen, LookError> {
        let mut model = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        model.look(asked, keep_going)
    }
}

impl LiveTrap {
    pub(super) fn new(
        plan: &LivePlan,
        index: usize,
        name: &str,
        key: &TrapKey,
    ) -> anyhow::Result<Self> {
        let now_ms = (plan.now_ms)();
        let from_ms = now_ms - i64::from(plan.days) * DAY_MS;
        let number = u32::try_from(index + 1)?;
        let story = Story::of(index);
        let world: World = story.world(plan.seed, number, (from_ms, now_ms));
        let time = TrueTime::by_hand(from_ms);
        let scene = Scene::new(plan.seed, number, world, time.clone(), plan.size).small_card();
        let scene = Arc::new(scene);
        let folder = plan.folder.join(name);
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        let config = Arc::new(config_of(plan, name, key)?);
        let clock = SimClock::new(Arc::clone(&scene), story.keeper());
        let model = load_model(None).map_err(|why| anyhow::anyhow!("no detector: {why}"))?;
        let model = Model(Arc::new(Mutex::new(model)));
        let mut trap = Self {
            index,
            story,
            scene,
            clock,
            time,
            folder,
            config,
            model,
            stages: None,
            plan: plan.clone(),
        };
        trap.boot()?;
        Ok(trap)
    }

    /// Power on; the stages of the boot before are gone, and with them their lock on the ledger.
    fn boot(&mut self) -> anyhow::Result<()> {
        self.stages = None;
        self.clock.power_on();
        let stages = boot(
            &self.scene,
            &self.clock,
            (&self.folder, &self.config, &self.model),
        )?;
        self.stages = Some(stages);
        Ok(())
    }

    fn on(&mut self) -> anyhow::Result<&mut Stages> {
        self.stages.as_mut().context("the trap is off")
    }

    /// Two weeks, one slot after the other.
    pub(super) async fn tell_the_past(&mut self, board: &Board) -> anyhow::Result<()> {
        let mut unsent = 0;
        while !board.is_stopping() {
            let stages = self.on()?;
            step_all(&mut stages.capture).await?;
            step_all(&mut stages.inspect).await?;
            unsent += 1;
            if unsent >= SENT_TOGETHER {
                self.send(board).await;
                unsent = 0;
            }
            self.report(board, false).await?;
            // The past grows while it is told.
            if !self.sleep_until_due()? {
                break;
            }
        }
        self.time.set((self.plan.now_ms)());
        self.send(board).await;
        self.report(board, true).await
    }

    /// Moves the time on to the next shot, over a power cut if one comes before
    /// it; false when that lies in the future of everybody.
    fn sleep_until_due(&mut self) -> anyhow::Result<bool> {
        let believed_ms = self.clock.stamp().unix_ms;
        let facts = self.on()?.desk.health.facts();
        // A clock that runs a little slow needs a moment more.
        let wait_ms = facts
            .next_due_ms
            .map_or(HOUR_MS, |due_ms| due_ms - believed_ms);
        let now_ms = self.time.now_ms();
        let due_ms = now_ms + wait_ms.max(0) + 1_000;
        let cut = self.scene.world.power_cuts.next(now_ms);
        if let Some(cut) = cut.filter(|cut| cut.from_ms <= due_ms) {
            self.time.set(cut.from_ms);
            self.clock.power_off();
            self.time.set(cut.until_ms + 1);
            self.boot()?;
            return Ok(true);
        }
        let is_past = due_ms < (self.plan.now_ms)();
        if is_past {
            self.time.set(due_ms);
        }
        Ok(is_past)
    }

    /// A picture every few seconds until somebody stops it.
    pub(super) async fn go_on(&mut self, board: &Board) -> anyhow::Result<()> {
        let traps = u32::try_from(self.plan.traps.len().max(1))?;
        let mine = u32::try_from(self.index)?;
        // The traps take turns.
        let mut due = Instant::now() + self.plan.every * mine / traps;
        while !board.is_stopping() {
            if Instant::now() < due || self.story == Story::Silent {
                sleep(Duration::from_millis(100)).await;
                continue;
            }
            due += self.plan.every;
            let now_ms = (self.plan.now_ms)();
            self.time.set(now_ms);
            let shot_ms = self.clock.stamp().unix_ms;
            let every_ms = i64::try_from(self.plan.every.as_millis())?;
            let stages = self.on()?;
            let _in_the_ledger = stages.capture.shoot(shot_ms, ShotCause::Schedule).await?;
            let health = &stages.desk.health;
            health.note(|facts| facts.next_due_ms = Some(shot_ms + every_ms));
            step_all(&mut stages.inspect).await?;
            self.send(board).await;
            self.report(board, true).await?;
        }
        self.send_the_rest(board).await
    }

    /// Sends what can be sent now; a server that is away is tried again next time.
    async fn send(&mut self, board: &Board) {
        let Some(stages) = self.stages.as_mut() else {
            return;
        };
        if let Err(error) = step_all(&mut stages.sync).await
            && !board.is_stopping()
        {
            log::warn!("not sent yet: {}", error.in_full());
        }
    }

    async fn send_the_rest(&mut self, board: &Board) -> anyhow::Result<()> {
        step_all(&mut self.on()?.inspect).await?;
        for _ in 0..LAST_TRIES {
            self.send(board).await;
            self.report(board, true).await?;
            let waiting = self.summary().await?.pictures_waiting;
            if waiting == 0 {
                break;
            }
            sleep(Duration::from_millis(500)).await;
        }
        Ok(())
    }

    async fn summary(&mut self) -> anyhow::Result<trapline_store::Summary> {
        let books = &self.on()?.desk.books;
        Ok(books.with(|ledger| ledger.summary(i64::MAX)).await?)
    }

    async fn report(&mut self, board: &Board, past_told: bool) -> anyhow::Result<()> {
        let summary = self.summary().await?;
        let done = Done {
            captures: summary.captures,
            on_server: summary.pictures_safe + summary.pictures_pruned,
            missed: summary.missed,
            past_told: u64::from(past_told),
        };
        board.put(self.index, done);
        Ok(())
    }
}

/// Steps a stage until it wants to rest.
async fn step_all<S: Stage>(stage: &mut S) -> Result<(), StageError> {
    while stage.step().await? == Next::Again {}
    Ok(())
}

fn boot(
    scene: &SharedScene,
    clock: &SimClock,
    (folder, config, model): (&PathBuf, &Arc<Config>, &Model),
) -> anyhow::Result<Stages> {
    let now_ms = scene.time.now_ms();
    let mut chance = scene.chance(&[700, now_ms.unsigned_abs()]);
    let id = LedgerId(u32::try_from(chance.bits() >> 32).unwrap_or(1));
    let now = wire_stamp(&clock.stamp());
    let (ledger, _) = Ledger::open(folder, Arc::new(QuickDisk), || id, &now)
        .context("the ledger does not open")?;
    let desk = Desk::new(
        Arc::clone(config),
        Arc::new(clock.clone()),
        Hands::Inline,
        ledger,
    );
    let camera_scene = Arc::clone(scene);
    let open_camera = Box::new(move |_last: Option<&str>| {
        let camera = SimCamera::new(
            Arc::clone(&camera_scene),
            Film::default(),
            Knowledge::default(),
            Arc::new(Tally::default()),
        );
        Ok(Box::new(camera.steady()) as Box<dyn Camera>)
    });
    let devices = Devices {
        open_camera,
        ambient: Box::new(SimAmbient::new(Arc::clone(scene))),
        power: Box::new(SimPower::new(Arc::clone(scene))),
        fittings: Fittings::default(),
    };
    let model = model.clone();
    let load = Box::new(move |_choice: &Choice| Ok(Box::new(model.clone()) as Box<dyn Detect>));
    let server = config.server.as_ref().context("no server is named")?;
    let Access::Key(key) = &server.access else {
        anyhow::bail!("no key is named");
    };
    let uplink = HttpUplink::new(&server.url, key, &Says::default(), &config.sync);
    let uplink = uplink.map_err(|why| anyhow::anyhow!(why))?;
    Ok(Stages {
        capture: Capture::new(desk.clone(), devices),
        inspect: Inspect::new(desk.clone(), load),
        sync: Sync::new(desk.clone(), Some(Box::new(uplink))),
        desk,
    })
}

fn config_of(plan: &LivePlan, name: &str, key: &TrapKey) -> anyhow::Result<Config> {
    let text = format!(
        "[trap]\nname = {name:?}\n\
         [ledger]\ndir = \"demo\"\nfree_bytes_min = 0\n\
         [schedule]\nevery = \"{}m\"\nwindows = [\"03:00..21:00\"]\n\
         [camera]\nkind = \"none\"\n\
         [server]\nurl = {:?}\nkey = {:?}\n",
        plan.past_every_minutes,
        plan.server,
        key.reveal()
    );
    Config::from_text("the demo", &text).map_err(|problems| anyhow::anyhow!("{problems}"))
}
