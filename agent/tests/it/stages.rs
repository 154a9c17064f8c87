//! The whole agent on fakes in virtual time: what becomes of a shot when a
//! part fails, and what the server ends up with.

use crate::devices::{JUNE_MS, Look, Shot, TestClock, detector, devices, jpeg};
use crate::server::{TestUplink, Way};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use trapline_agent::agent::{Agent, Nobody, Outside, Parts};
use trapline_agent::config::Config;
use trapline_agent::front::FrontDevices;
use trapline_agent::hands::Hands;
use trapline_agent::inspect::LoadDetector;
use trapline_agent::moment::wire_stamp;
use trapline_agent::power::PowerDevices;
use trapline_agent::probes::Probes;
use trapline_agent::sync::uplink::UplinkError;
use trapline_hal::Clock as _;
use trapline_store::disk::SimDisk;
use trapline_store::{Disk, Ledger, OsDisk, Summary, View};
use trapline_wire::v1::{EffortOutcome, InspectionOutcome, MissReason};
use trapline_wire::{LedgerId, Sha256};

const SETTINGS: &str = "\
[camera]
kind = \"none\"
deadline = \"10s\"
[schedule]
every = \"1m\"
[sync]
retry_min = \"1s\"
retry_max = \"10s\"
piece_bytes_max = 4096
";

/// One trap with a folder that outlives its agents.
pub(crate) struct Trap {
    pub(crate) folder: tempfile::TempDir,
    clock: Arc<TestClock>,
    pub(crate) settings: String,
    disk: Arc<dyn Disk>,
    pub(crate) uplink: TestUplink,
}

impl Trap {
    pub(crate) fn new(ways: Vec<Way>) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock: Arc::new(TestClock::new()),
            settings: SETTINGS.to_owned(),
            disk: Arc::new(OsDisk),
            uplink: TestUplink::new(ways),
        }
    }

    /// A trap with a server on which all goes well, and another card.
    pub(crate) fn with_disk(disk: SimDisk) -> Self {
        Self {
            disk: Arc::new(disk),
            ..Self::new(Vec::new())
        }
    }

    pub(crate) fn agent(&self, shots: Vec<Shot>, load_detector: LoadDetector) -> Agent {
        self.watched_agent(shots, load_detector, Box::new(Nobody))
    }

    fn watched_agent(
        &self,
        shots: Vec<Shot>,
        load_detector: LoadDetector,
        outside: Box<dyn Outside>,
    ) -> Agent {
        Agent::from_parts(Parts {
            load_detector,
            outside,
            ..self.parts(shots)
        })
    }

    /// An agent with a front, whose detector works.
    pub(crate) fn fitted_agent(
        &self,
        shots: Vec<Shot>,
        front: FrontDevices,
        probes: Probes,
    ) -> Agent {
        Agent::from_parts(Parts {
            front,
            probes,
            ..self.parts(shots)
        })
    }

    fn parts(&self, shots: Vec<Shot>) -> Parts {
        Parts {
            config: Arc::new(Config::from_text("test", &self.settings).unwrap()),
            clock: Arc::clone(&self.clock) as _,
            ledger: self.open_ledger(),
            hands: Hands::Inline,
            devices: devices(shots),
            load_detector: detector(Vec::new()),
            thermal: None,
            power: PowerDevices::default(),
            front: FrontDevices::default(),
            probes: Probes::default(),
            uplink: Some(Box::new(self.uplink.clone())),
            chance: Box::new(|| 0.5),
            outside: Box::new(Nobody),
        }
    }

    pub(crate) fn open_ledger(&self) -> Ledger {
        let now = wire_stamp(&self.clock.stamp());
        let disk = Arc::clone(&self.disk);
        let opened = Ledger::open(self.folder.path(), disk, || LedgerId(0x7f3a_9c21), &now);
        opened.unwrap().0
    }

    /// Runs an agent for so many seconds and stops it in good order.
    pub(crate) async fn runs(&self, seconds: u64, agent: Agent) {
        let over = tokio::time::sleep(Duration::from_secs(seconds));
        agent.run(over).await.unwrap();
    }

    pub(crate) fn summary(&self) -> Summary {
        summary(self.folder.path())
    }
}

fn summary(folder: &Path) -> Summary {
    let view = View::open(folder, Arc::new(OsDisk)).unwrap();
    view.summary(i64::MIN).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_good_day_puts_everything_on_the_server() {
    let trap = Trap::new(Vec::new());
    trap.runs(290, trap.agent(Vec::new(), detector(Vec::new())))
        .await;
    let held = trap.uplink.held.lock().unwrap();
    assert_eq!((held.captures.len(), held.inspections.len()), (5, 5));
    assert_eq!((held.pictures.len(), held.readings.len()), (5, 5));
    assert_eq!(held.pictures[&Sha256::of(&jpeg(1))], jpeg(1));
    let summary = trap.summary();
    assert_eq!((summary.records_waiting, summary.pictures_waiting), (0, 0));
    assert_eq!((summary.pictures_safe, summary.missed), (5, 0));
    let faults = &held.heartbeats.last().unwrap().faults;
    assert_eq!(faults[0].part, "light");
}

#[tokio::test(start_paused = true)]
async fn lost_requests_and_lost_answers_change_nothing() {
    let ways = [
        Way::LosesRequest,
        Way::LosesAnswer,
        Way::Good,
        Way::LosesAnswer,
        Way::LosesRequest,
        Way::LosesAnswer,
        Way::LosesAnswer,
        Way::Miscounts,
        Way::LosesAnswer,
    ];
    let trap = Trap::new(ways.iter().cycle().take(27).cloned().collect());
    trap.runs(895, trap.agent(Vec::new(), detector(Vec::new())))
        .await;
    let held = trap.uplink.held.lock().unwrap();
    assert_eq!((held.captures.len(), held.pictures.len()), (15, 15));
    assert_eq!(held.effort.len(), 15);
    assert_eq!(trap.summary().pictures_safe, 15);
}

#[tokio::test(start_paused = true)]
async fn a_camera_that_fails_misses_shots_and_the_reason_is_kept() {
    let trap = Trap::new(Vec::new());
    let shots = vec![Shot::Fails, Shot::Panics, Shot::Works, Shot::Garbage];
    trap.runs(230, trap.agent(shots, detector(Vec::new())))
        .await;
    let held = trap.uplink.held.lock().unwrap();
    assert_eq!(held.missed(MissReason::Camera), 2);
    assert_eq!(
        held.captures.len(),
        2,
        "an unreadable picture is kept all the same"
    );
    let why = held.effort.values().find_map(|outcome| match outcome {
        EffortOutcome::Missed { detail, .. } => Some(detail.clone()),
        EffortOutcome::Done { .. } => None,
    });
    assert_eq!(why.unwrap(), "no frame from the sensor");
    // The climate of a missed shot is still worth knowing.
    assert_eq!(held.readings.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_picture_that_kills_the_detector_is_given_up_with_its_reason() {
    let trap = Trap::new(Vec::new());
    let looks = vec![Look::Panics, Look::Fails, Look::Panics];
    trap.runs(90, trap.agent(Vec::new(), detector(looks))).await;
    let held = trap.uplink.held.lock().unwrap();
    let InspectionOutcome::GaveUp { reason, attempts } = &held.inspections["7f3a9c21-00000001"]
    else {
        panic!("the first picture was given up");
    };
    assert_eq!(*attempts, 3);
    assert!(reason.contains("subtract with overflow"), "{reason}");
    let second = &held.inspections["7f3a9c21-00000002"];
    assert!(matches!(second, InspectionOutcome::Seen { detections, .. } if detections.len() == 1));
}

#[tokio::test(start_paused = true)]
async fn a_picture_that_nobody_can_read_is_tried_once() {
    let trap = Trap::new(Vec::new());
    trap.runs(30, trap.agent(Vec::new(), detector(vec![Look::Unreadable])))
        .await;
    let held = trap.uplink.held.lock().unwrap();
    let given_up = InspectionOutcome::GaveUp {
        reason: "the JPEG is cut off".to_owned(),
        attempts: 1,
    };
    assert_eq!(held.inspections["7f3a9c21-00000001"], given_up);
}

#[tokio::test(start_paused = true)]
async fn without_a_model_pictures_wait_and_everything_else_goes_on() {
    let trap = Trap::new(Vec::new());
    let agent = trap.agent(Vec::new(), Box::new(|_| Err("no such file".to_owned())));
    let health = Arc::clone(&agent.desk().health);
    trap.runs(90, agent).await;
    let summary = trap.summary();
    assert_eq!((summary.inspections_waiting, summary.pictures_safe), (2, 2));
    let fault = &health.facts().faults["detector"].message;
    assert!(
        fault.contains("no such file") && fault.contains("`detector.manifest`"),
        "{fault}"
    );
    trap.runs(1, trap.agent(Vec::new(), detector(Vec::new())))
        .await;
    assert_eq!(trap.summary().inspected, 2, "nothing was lost");
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_is_a_fault_with_its_remedy() {
    let refusal = Way::Says(UplinkError::BadKey("no such key".to_owned()));
    let trap = Trap::new(vec![refusal; 1000]);
    let agent = trap.agent(Vec::new(), detector(Vec::new()));
    let health = Arc::clone(&agent.desk().health);
    trap.runs(290, agent).await;
    let fault = health.facts().faults["server"].message.clone();
    assert!(fault.contains("`trapline-server trap add`"), "{fault}");
    let requests = trap.uplink.held.lock().unwrap().requests;
    assert!(
        (10..=70).contains(&requests),
        "{requests} requests in five minutes"
    );
    assert_eq!(trap.summary().captures, 5);
}

#[tokio::test(start_paused = true)]
async fn a_cut_in_the_middle_of_a_look_is_not_the_pictures_fault() {
    let trap = Trap::new(Vec::new());
    for _ in 0..5 {
        let agent = trap.agent(Vec::new(), detector(vec![Look::Fails, Look::Fails]));
        let cut = tokio::time::sleep(Duration::from_millis(1));
        tokio::select! {
            _ = agent.run(std::future::pending()) => unreachable!("nobody stops it"),
            () = cut => {}
        }
    }
    let summary = trap.summary();
    assert_eq!((summary.gave_up, summary.inspected), (0, 1), "{summary:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_for_patience_gets_it() {
    let busy = UplinkError::Unwell {
        status: 503,
        message: "restarting".to_owned(),
        retry_after: Some(Duration::from_secs(200)),
    };
    let trap = Trap::new(vec![Way::Says(busy)]);
    trap.runs(190, trap.agent(Vec::new(), detector(Vec::new())))
        .await;
    assert_eq!(trap.uplink.held.lock().unwrap().requests, 1);
    trap.runs(1, trap.agent(Vec::new(), detector(Vec::new())))
        .await;
    assert!(trap.uplink.held.lock().unwrap().requests > 1);
}

#[tokio::test(start_paused = true)]
async fn a_cut_at_any_moment_loses_nothing_that_was_admitted() {
    let trap = Trap::new(vec![Way::LosesAnswer; 20]);
    for cut_ms in [1, 5, 60_003, 1_234, 90_500, 61_000] {
        let agent = trap.agent(Vec::new(), detector(Vec::new()));
        let cut = tokio::time::sleep(Duration::from_millis(cut_ms));
        tokio::select! {
            biased;
            () = cut => {}
            _ = agent.run(std::future::pending()) => unreachable!("nobody stops it"),
        }
    }
    trap.runs(600, trap.agent(Vec::new(), detector(Vec::new())))
        .await;
    let summary = trap.summary();
    let held = trap.uplink.held.lock().unwrap();
    assert_eq!(
        u64::try_from(held.captures.len()).unwrap(),
        summary.captures
    );
    assert_eq!((summary.pictures_waiting, summary.records_waiting), (0, 0));
    assert!(
        held.captures
            .values()
            .all(|sha256| held.pictures.contains_key(sha256))
    );
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_forward_is_noticed_while_waiting() {
    let trap = Trap::new(Vec::new());
    let agent = trap.agent(Vec::new(), detector(Vec::new()));
    let clock = Arc::clone(&trap.clock);
    let over = async move {
        tokio::time::sleep(Duration::from_secs(70)).await;
        clock.jump_ms(3_600_000);
        tokio::time::sleep(Duration::from_secs(70)).await;
    };
    agent.run(over).await.unwrap();
    let summary = trap.summary();
    let missed = summary.missed_since.get(&MissReason::Clock).copied();
    assert!(
        missed.is_some_and(|shots| (58..=60).contains(&shots)),
        "{summary:?}"
    );
    assert!(wire_stamp(&trap.clock.stamp()).unix_ms > JUNE_MS + 3_600_000);
}

/// A service manager that writes down what it is told.
struct Diary {
    told: Arc<Mutex<Vec<(&'static str, u64)>>>,
    began: tokio::time::Instant,
}

impl Diary {
    fn write(&self, word: &'static str) {
        let at_s = self.began.elapsed().as_secs();
        self.told.lock().unwrap().push((word, at_s));
    }
}

impl Outside for Diary {
    fn ready(&mut self) {
        self.write("ready");
    }

    fn alive(&mut self) {
        self.write("alive");
    }

    fn alive_every(&self) -> Option<Duration> {
        Some(Duration::from_secs(15))
    }

    fn stopping(&mut self) {
        self.write("stopping");
    }
}

async fn diary_of(ways: Vec<Way>) -> Vec<(&'static str, u64)> {
    let trap = Trap::new(ways);
    let told = Arc::new(Mutex::new(Vec::new()));
    let diary = Diary {
        told: Arc::clone(&told),
        began: tokio::time::Instant::now(),
    };
    let agent = trap.watched_agent(Vec::new(), detector(Vec::new()), Box::new(diary));
    trap.runs(3590, agent).await;
    assert_eq!(trap.summary().captures, 60, "the other stages go on");
    std::mem::take(&mut *told.lock().unwrap())
}

#[tokio::test(start_paused = true)]
async fn the_watchdog_is_fed_while_all_is_well() {
    let told = diary_of(Vec::new()).await;
    assert_eq!(told.first(), Some(&("ready", 0)));
    assert_eq!(told.last(), Some(&("stopping", 3590)));
    let alive = told.iter().filter(|(word, _)| *word == "alive").count();
    assert_eq!(alive, 240);
}

#[tokio::test(start_paused = true)]
async fn the_watchdog_starves_when_a_stage_hangs() {
    let told = diary_of(vec![Way::Hangs]).await;
    let last = told.iter().rfind(|(word, _)| *word == "alive").unwrap();
    // Two request time-outs, two minutes for the ledger, half a minute of slack.
    assert!((200..=290).contains(&last.1), "fed until second {}", last.1);
}

#[tokio::test(start_paused = true)]
async fn a_full_card_takes_no_pictures_and_says_so() {
    let mut trap = Trap::new(Vec::new());
    let greedy = "[ledger]\nfree_bytes_min = 9_000_000_000_000_000_000\n";
    trap.settings.push_str(greedy);
    let agent = trap.agent(Vec::new(), detector(Vec::new()));
    let health = Arc::clone(&agent.desk().health);
    trap.runs(290, agent).await;
    let summary = trap.summary();
    let missed = summary.missed_since.get(&MissReason::Disk).copied();
    assert!(missed.is_some_and(|shots| shots >= 3), "{summary:?}");
    let fault = &health.facts().faults["space"].message;
    assert!(fault.contains("no more pictures are taken"), "{fault}");
    assert_eq!(summary.records_waiting, 0, "what happens is still told");
}
