//! A model that the server offers: fetched over a bad link, proved, tried,
//! watched, and taken back when it is no good; the ledger remembers.

use crate::devices::{Look, devices, seen};
use crate::server::{TestUplink, Way};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use trapline_agent::agent::{Agent, Nobody, Parts};
use trapline_agent::config::Config;
use trapline_agent::front::FrontDevices;
use trapline_agent::hands::Hands;
use trapline_agent::inspect::{Asked, Detect, LoadDetector, LookError, Seen};
use trapline_agent::models::Choice;
use trapline_agent::moment::wire_stamp;
use trapline_agent::power::PowerDevices;
use trapline_agent::probes::Probes;
use trapline_hal::Clock as _;
use trapline_store::{Ledger, ModelStage, OsDisk, View};
use trapline_wire::v1::{InspectionOutcome, ModelOffer, ModelRef, ModelState};
use trapline_wire::{LedgerId, Sha256};

const NETWORK: &[u8] = &[7; 50_000];

const SETTINGS: &str = "\
[camera]
kind = \"none\"
[schedule]
every = \"1m\"
[detector]
probation_pictures = 6
[sync]
retry_min = \"1s\"
retry_max = \"10s\"
piece_bytes_max = 4096
";

/// The manifest of a model, and the offer of it.
fn model(id: &str, network: &[u8]) -> (Vec<u8>, ModelOffer) {
    let sha256 = Sha256::of(network);
    let manifest = format!(
        "id = \"{id}\"\nfile = \"{id}.onnx\"\nsha256 = \"{sha256}\"\ntrained_on = \"nothing\"\n\
         licence = \"none\"\ncard = \"yellow sticky card\"\nclasses = [\"insect\"]\n\
         [input]\ntile_px = 512\nchannels = 3\nlayout = \"planar-rgb-u8\"\noverlap_px = 96\n\
         [output]\nstride_px = 8\n[thresholds]\nscore = 0.5\nscore_low = 0.2\nnms_iou = 0.5\n"
    )
    .into_bytes();
    let offer = ModelOffer {
        id: id.to_owned(),
        sha256,
        size_bytes: u64::try_from(network.len()).unwrap(),
        manifest_sha256: Sha256::of(&manifest),
        manifest_size_bytes: u64::try_from(manifest.len()).unwrap(),
    };
    (manifest, offer)
}

/// What a model is like once it is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nature {
    Good,
    /// Takes two seconds, the others one.
    Slow,
    /// Takes four seconds from its fourth look on.
    SlowLater,
    /// Fails at every look.
    Fails,
    /// Works on stored pictures, then panics.
    PanicsLater,
    /// Does not even load.
    Broken,
}

struct FakeModel {
    model: ModelRef,
    nature: Nature,
    looks: u32,
}

impl Detect for FakeModel {
    fn model(&self) -> ModelRef {
        self.model.clone()
    }

    fn look(
        &mut self,
        asked: &Asked<'_>,
        _keep_going: &mut dyn FnMut() -> bool,
    ) -> Result<Seen, LookError> {
        self.looks += 1;
        match self.nature {
            Nature::Fails => Err(LookError::Failed("a tile of the wrong shape".to_owned())),
            Nature::PanicsLater if self.looks > 3 => panic!("index out of bounds"),
            Nature::Good | Nature::Slow | Nature::SlowLater | Nature::PanicsLater => {
                Ok(seen(asked.memory))
            }
            Nature::Broken => panic!("it is never loaded"),
        }
    }

    fn last_took(&self) -> Option<Duration> {
        let took_s = match self.nature {
            Nature::Slow => 2,
            Nature::SlowLater if self.looks > 3 => 4,
            Nature::SlowLater
            | Nature::Good
            | Nature::Fails
            | Nature::PanicsLater
            | Nature::Broken => 1,
        };
        Some(Duration::from_secs(took_s))
    }
}

/// Natures of models by the order of their loading; the built-in one is always good.
fn load(offered: Nature) -> LoadDetector {
    // A reload of the same model, as after its trial, goes on where it was.
    let looks = Arc::new(Mutex::new(0));
    Box::new(move |choice: &Choice| {
        let Some(sha256) = choice.sha256 else {
            return Ok(Box::new(FakeModel {
                model: model_ref("built-in", Sha256::of(b"built-in")),
                nature: Nature::Good,
                looks: 0,
            }));
        };
        if offered == Nature::Broken {
            return Err("its input is 1x3x64x64 U8, but its manifest means 512".to_owned());
        }
        let manifest = std::fs::read_to_string(choice.manifest.as_ref().unwrap()).unwrap();
        assert!(manifest.starts_with("id = \"other-1\""), "{manifest}");
        let network = choice
            .manifest
            .as_ref()
            .unwrap()
            .with_file_name("other-1.onnx");
        assert_eq!(Sha256::of(&std::fs::read(network).unwrap()), sha256);
        let mut loads = looks.lock().unwrap();
        *loads += 1;
        Ok(Box::new(FakeModel {
            model: model_ref("other-1", sha256),
            nature: offered,
            looks: if *loads > 1 { 3 } else { 0 },
        }))
    })
}

fn model_ref(id: &str, sha256: Sha256) -> ModelRef {
    ModelRef {
        id: id.to_owned(),
        sha256,
        threshold: 0.5,
    }
}

struct Trap {
    folder: tempfile::TempDir,
    clock: Arc<crate::devices::TestClock>,
    settings: String,
    uplink: TestUplink,
}

impl Trap {
    /// A trap with a model offered to it.
    fn offered(ways: Vec<Way>) -> Self {
        let trap = Self {
            folder: tempfile::tempdir().unwrap(),
            clock: Arc::new(crate::devices::TestClock::new()),
            settings: SETTINGS.to_owned(),
            uplink: TestUplink::new(ways),
        };
        let (manifest, offer) = model("other-1", NETWORK);
        let mut held = trap.uplink.held.lock().unwrap();
        held.files.insert(offer.manifest_sha256, manifest);
        held.files.insert(offer.sha256, NETWORK.to_vec());
        held.offer = Some(offer);
        drop(held);
        trap
    }

    async fn runs(&self, seconds: u64, load_detector: LoadDetector) {
        let now = wire_stamp(&self.clock.stamp());
        let disk = Arc::new(OsDisk);
        let (ledger, _) =
            Ledger::open(self.folder.path(), disk, || LedgerId(0x7f3a_9c21), &now).unwrap();
        let agent = Agent::from_parts(Parts {
            config: Arc::new(Config::from_text("test", &self.settings).unwrap()),
            clock: Arc::clone(&self.clock) as _,
            ledger,
            hands: Hands::Inline,
            devices: devices(Vec::new()),
            load_detector,
            power: PowerDevices::default(),
            thermal: None,
            front: FrontDevices::default(),
            probes: Probes::default(),
            uplink: Some(Box::new(self.uplink.clone())),
            chance: Box::new(|| 0.5),
            outside: Box::new(Nobody),
        });
        // Before the last shot, which else may or may not come first.
        let over = tokio::time::sleep(Duration::from_secs(seconds - 5));
        agent.run(over).await.unwrap();
    }

    fn stage(&self) -> ModelStage {
        let rows = view(self.folder.path()).models().unwrap();
        rows[0].stage
    }

    /// What the last heartbeat says of the offer.
    fn told(&self) -> ModelState {
        let held = self.uplink.held.lock().unwrap();
        let last = held.heartbeats.last().unwrap();
        last.model_offer.as_ref().unwrap().state.clone()
    }

    fn refusal(&self) -> String {
        let told = self.told();
        let ModelState::Refused { reason } = told else {
            panic!("{told:?}");
        };
        reason
    }

    fn running(&self) -> String {
        let held = self.uplink.held.lock().unwrap();
        held.heartbeats.last().unwrap().model.clone().unwrap()
    }

    /// Pictures that were looked at; the test is about models only if none is lost.
    fn seen(&self) -> usize {
        let held = self.uplink.held.lock().unwrap();
        let seen = |outcome: &&InspectionOutcome| matches!(outcome, InspectionOutcome::Seen { .. });
        held.inspections.values().filter(seen).count()
    }
}

fn view(folder: &Path) -> View {
    View::open(folder, Arc::new(OsDisk)).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_good_model_is_fetched_tried_watched_and_used() {
    let trap = Trap::offered(Vec::new());
    trap.runs(1200, load(Nature::Good)).await;
    assert_eq!(trap.stage(), ModelStage::InUse);
    assert_eq!(
        (trap.told(), trap.running()),
        (ModelState::InUse, "other-1".to_owned())
    );
    assert_eq!(trap.seen(), 20, "every picture was looked at");
    let steps = view(trap.folder.path()).model_steps(10).unwrap();
    let stages: Vec<ModelStage> = steps.iter().rev().map(|step| step.stage).collect();
    let whole = [
        ModelStage::Fetching,
        ModelStage::Trying,
        ModelStage::Probation,
        ModelStage::InUse,
    ];
    assert_eq!(stages, whole);
    let held = trap.uplink.held.lock().unwrap();
    let said = held.heartbeats.iter().filter_map(|h| h.model_offer.clone());
    let words: Vec<ModelState> = said.map(|answer| answer.state).collect();
    assert!(words.contains(&ModelState::Trying));
    assert!(
        words
            .iter()
            .any(|state| matches!(state, ModelState::Probation { .. }))
    );
}

#[tokio::test(start_paused = true)]
async fn a_fetch_goes_on_after_lost_answers_and_restarts() {
    let lossy = [Way::Good, Way::Good, Way::LosesAnswer];
    let mut ways: Vec<Way> = lossy.iter().cycle().take(15).cloned().collect();
    ways.extend(vec![Way::LosesRequest; 500]);
    let trap = Trap::offered(ways);
    let fetched = || trap.uplink.held.lock().unwrap().fetched.clone();
    trap.runs(300, load(Nature::Good)).await;
    assert_eq!(
        trap.stage(),
        ModelStage::Fetching,
        "it was stopped on the way"
    );
    let first = fetched();
    trap.uplink.script.lock().unwrap().truncate(2);
    trap.runs(1800, load(Nature::Good)).await;
    assert_eq!(trap.stage(), ModelStage::InUse);
    let held = trap.uplink.held.lock().unwrap();
    let furthest = first
        .iter()
        .map(|(_, offset_bytes)| *offset_bytes)
        .max()
        .unwrap();
    let again = &held.fetched[first.len()];
    assert!(
        again.1 >= furthest,
        "{again:?} after {furthest}: nothing is fetched from the start"
    );
}

#[tokio::test(start_paused = true)]
async fn wrong_bytes_are_fetched_once_more_and_then_refused_for_good() {
    let trap = Trap::offered(Vec::new());
    let sha256 = Sha256::of(NETWORK);
    let wrong = vec![8; NETWORK.len()];
    trap.uplink.held.lock().unwrap().files.insert(sha256, wrong);
    trap.runs(600, load(Nature::Good)).await;
    let why = trap.refusal();
    assert!(why.contains(&sha256.to_string()), "{why}");
    assert_eq!(trap.running(), "built-in");
    let fetched = trap.uplink.held.lock().unwrap().fetched.clone();
    let from_start = fetched
        .iter()
        .filter(|piece| **piece == (sha256, 0))
        .count();
    assert_eq!(from_start, 2);
    // The right bytes, too late: the refusal is remembered.
    trap.uplink
        .held
        .lock()
        .unwrap()
        .files
        .insert(sha256, NETWORK.to_vec());
    trap.uplink.held.lock().unwrap().heartbeats.clear();
    trap.runs(300, load(Nature::Good)).await;
    assert_eq!(
        trap.uplink.held.lock().unwrap().fetched.len(),
        fetched.len()
    );
    assert_eq!(trap.refusal(), why);
    assert_eq!(trap.seen(), 15);
}

#[tokio::test(start_paused = true)]
async fn a_short_or_endless_file_never_becomes_a_model() {
    let trap = Trap::offered(Vec::new());
    let sha256 = Sha256::of(NETWORK);
    let short = NETWORK[..30_000].to_vec();
    trap.uplink.held.lock().unwrap().files.insert(sha256, short);
    trap.runs(600, load(Nature::Good)).await;
    assert_eq!(trap.stage(), ModelStage::Fetching);
    let held = trap.uplink.held.lock().unwrap();
    let fault = &held.heartbeats.last().unwrap().faults;
    let fault = fault.iter().find(|fault| fault.part == "model").unwrap();
    assert!(
        fault.message.contains("0 bytes of an offered file"),
        "{}",
        fault.message
    );
    assert!(
        held.fetched.len() < 30,
        "{} pieces: it is asked for ever more seldom",
        held.fetched.len()
    );
    assert_eq!(
        held.pictures.len(),
        10,
        "pictures go on their way all the same"
    );
}

#[tokio::test(start_paused = true)]
async fn a_manifest_of_another_model_is_refused() {
    let trap = Trap::offered(Vec::new());
    {
        let mut held = trap.uplink.held.lock().unwrap();
        let (manifest, _) = model("quite-another", NETWORK);
        let mut offer = held.offer.clone().unwrap();
        offer.manifest_sha256 = Sha256::of(&manifest);
        offer.manifest_size_bytes = u64::try_from(manifest.len()).unwrap();
        held.files.insert(offer.manifest_sha256, manifest);
        held.offer = Some(offer);
    }
    trap.runs(120, load(Nature::Good)).await;
    let why = trap.refusal();
    assert!(why.contains("quite-another"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_model_that_is_no_good_never_takes_over() {
    for (nature, expected) in [
        (Nature::Slow, "2000 ms a picture"),
        (Nature::Fails, "a tile of the wrong shape"),
        (Nature::Broken, "1x3x64x64"),
    ] {
        let trap = Trap::offered(Vec::new());
        trap.runs(600, load(nature)).await;
        let why = trap.refusal();
        assert!(why.contains(expected), "{nature:?}: {why}");
        assert_eq!((trap.running().as_str(), trap.seen()), ("built-in", 10));
        let held = trap.uplink.held.lock().unwrap();
        let faults = &held.heartbeats.last().unwrap().faults;
        assert!(
            faults.iter().any(|fault| fault.part == "model"),
            "{faults:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_model_that_turns_bad_on_probation_is_taken_back() {
    for (nature, expected) in [
        (Nature::PanicsLater, "2 of its first"),
        (Nature::SlowLater, "4000 ms a picture"),
    ] {
        let trap = Trap::offered(Vec::new());
        trap.runs(1200, load(nature)).await;
        let why = trap.refusal();
        assert!(why.contains(expected), "{nature:?}: {why}");
        assert_eq!(trap.running(), "built-in");
        assert_eq!(trap.seen(), 20, "no picture was lost to the bad model");
        let steps = view(trap.folder.path()).model_steps(10).unwrap();
        assert_eq!(steps[0].stage, ModelStage::Refused);
        assert_eq!(steps[1].stage, ModelStage::Probation);
    }
}

#[tokio::test(start_paused = true)]
async fn an_offer_that_is_taken_back_ends_the_fetch() {
    let trap = Trap::offered(Vec::new());
    trap.runs(5, load(Nature::Good)).await;
    trap.uplink.held.lock().unwrap().offer = None;
    trap.runs(120, load(Nature::Good)).await;
    assert!(matches!(
        trap.stage(),
        ModelStage::Withdrawn | ModelStage::InUse | ModelStage::Probation
    ));
}

#[tokio::test(start_paused = true)]
async fn a_trap_whose_settings_name_a_model_declines() {
    let mut trap = Trap::offered(Vec::new());
    trap.settings = SETTINGS.replace("[detector]\n", "[detector]\nmanifest = \"/a/model.toml\"\n");
    trap.runs(120, crate::devices::detector(vec![Look::Fails]))
        .await;
    let why = trap.refusal();
    assert!(why.contains("`detector.manifest`"), "{why}");
    assert!(trap.uplink.held.lock().unwrap().fetched.is_empty());
}
