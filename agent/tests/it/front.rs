//! The trap's front on fakes in virtual time: what people see and press, and
//! that no device of it, however broken, costs a picture.

#![expect(
    clippy::unwrap_in_result,
    reason = "a fake that breaks its own promise ends the test"
)]

use crate::devices::Shot;
use crate::stages::Trap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use trapline_agent::agent::Agent;
use trapline_agent::front::{FrontDevices, OpenInput, OpenOutput, OpenPanel};
use trapline_agent::probes::Probes;
use trapline_agent::screen::{Check, Verdict};
use trapline_hal::lines::{Edge, Input, Level, Output};
use trapline_hal::{Asleep, Canvas, DeviceError, FaultKind, Panel, PanelSize};

const FRONT: &str = "\
[camera]
kind = \"none\"
deadline = \"10s\"
[schedule]
every = \"1m\"
[button]
line = \"GPIO17\"
[led]
line = \"GPIO27\"
[display]
kind = \"ssd1306\"
sleep_after = \"30s\"
[trigger]
line = \"GPIO22\"
";

/// A panel that keeps a record and can be unplugged.
#[derive(Clone, Default)]
pub(crate) struct Glass(Arc<Mutex<Record>>);

#[derive(Default)]
struct Record {
    is_unplugged: bool,
    /// Each picture as text, with when it was shown; `None` is dark.
    seen: Vec<(Instant, Option<String>)>,
    tries: usize,
}

impl Glass {
    pub(crate) fn unplug(&self, is_unplugged: bool) {
        self.0.lock().unwrap().is_unplugged = is_unplugged;
    }

    fn is_dark(&self) -> bool {
        let record = self.0.lock().unwrap();
        record.seen.last().is_some_and(|(_, text)| text.is_none())
    }

    /// What stands there now.
    pub(crate) fn text(&self) -> String {
        let record = self.0.lock().unwrap();
        let last = record.seen.last().and_then(|(_, text)| text.clone());
        last.unwrap_or_default()
    }

    fn tries(&self) -> usize {
        self.0.lock().unwrap().tries
    }

    fn take(&self, text: Option<String>) -> Result<(), DeviceError> {
        let mut record = self.0.lock().unwrap();
        record.tries += 1;
        if record.is_unplugged {
            let why = "SSD1306 at I²C address 0x3c does not answer; check its four wires";
            return Err(DeviceError::new("display", FaultKind::Absent, why));
        }
        record.seen.push((Instant::now(), text));
        Ok(())
    }

    pub(crate) fn opener(&self) -> OpenPanel {
        let glass = self.clone();
        Box::new(move || Ok(Box::new(glass.clone())))
    }
}

impl Panel for Glass {
    fn size(&self) -> PanelSize {
        PanelSize::Oled128x64
    }

    fn asleep(&self) -> Asleep {
        Asleep::Dark
    }

    fn show(&mut self, canvas: &Canvas) -> Result<(), DeviceError> {
        self.take(Some(canvas.to_string()))
    }

    fn sleep(&mut self) -> Result<(), DeviceError> {
        self.take(None)
    }

    fn wake(&mut self) -> Result<(), DeviceError> {
        Ok(())
    }

    fn set_contrast(&mut self, _contrast: u8) {}
}

/// A line that is active in these spans, in milliseconds from its start.
struct Scripted {
    began: Instant,
    spans: Vec<(u64, u64)>,
}

impl Input for Scripted {
    fn is_active(&mut self) -> Result<bool, DeviceError> {
        let now_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap();
        let mut spans = self.spans.iter();
        Ok(spans.any(|(from, until)| (*from..*until).contains(&now_ms)))
    }

    fn next_edge(&mut self, _within_ms: u64) -> Result<Option<Edge>, DeviceError> {
        Ok(None)
    }
}

/// Opens a line with this script, which runs from now.
pub(crate) fn pressed(spans: &[(u64, u64)]) -> OpenInput {
    let began = Instant::now();
    let spans = spans.to_vec();
    Box::new(move || {
        Ok(Box::new(Scripted {
            began,
            spans: spans.clone(),
        }))
    })
}

/// What an LED was told.
#[derive(Clone, Default)]
struct Lamp(Arc<Mutex<Vec<bool>>>);

impl Output for Lamp {
    fn set(&mut self, level: Level) -> Result<(), DeviceError> {
        self.0.lock().unwrap().push(level.is_on());
        Ok(())
    }

    fn dims(&self) -> bool {
        false
    }
}

impl Lamp {
    fn opener(&self) -> OpenOutput {
        let lamp = self.clone();
        Box::new(move || Ok(Box::new(lamp.clone())))
    }
}

fn broken(device: &'static str) -> DeviceError {
    DeviceError::new(device, FaultKind::Absent, "it is not there; plug it in")
}

pub(crate) fn trap() -> Trap {
    let mut trap = Trap::new(Vec::new());
    let dir = trap.folder.path().display();
    trap.settings = format!("{FRONT}[ledger]\ndir = \"{dir}\"\n");
    trap
}

/// Runs the agent, and `story` beside it.
async fn live(trap: &Trap, agent: Agent, seconds: u64, story: impl Future<Output = ()>) {
    tokio::join!(trap.runs(seconds, agent), story);
}

#[tokio::test(start_paused = true)]
async fn the_display_shows_pages_goes_dark_and_wakes_by_the_button() {
    let (trap, glass) = (trap(), Glass::default());
    let front = FrontDevices {
        panel: Some(glass.opener()),
        button: Some(pressed(&[(5_000, 5_200), (100_000, 100_300)])),
        ..FrontDevices::default()
    };
    let agent = trap.fitted_agent(Vec::new(), front, Probes::default());
    let story = async {
        sleep(Duration::from_millis(4_900)).await;
        let first = glass.text();
        sleep(Duration::from_millis(500)).await;
        assert_ne!(glass.text(), first, "a press shows the next page");
        sleep(Duration::from_secs(60)).await;
        assert!(glass.is_dark(), "nobody pressed for half a minute");
        let tries = glass.tries();
        sleep(Duration::from_secs(30)).await;
        assert_eq!(glass.tries(), tries, "it is left alone");
        sleep(Duration::from_secs(5)).await;
        assert!(!glass.is_dark());
    };
    live(&trap, agent, 110, story).await;
    assert!(glass.is_dark(), "at the stop");
    assert_eq!(trap.summary().captures, 2);
}

#[tokio::test(start_paused = true)]
async fn an_unplugged_display_is_a_fault_that_costs_no_picture_and_ends_when_it_is_back() {
    let (trap, glass) = (trap(), Glass::default());
    glass.unplug(true);
    let front = FrontDevices {
        panel: Some(glass.opener()),
        ..FrontDevices::default()
    };
    let agent = trap.fitted_agent(Vec::new(), front, Probes::default());
    let desk = agent.desk().clone();
    let story = async {
        sleep(Duration::from_secs(250)).await;
        let facts = desk.health.facts();
        let words = &facts.faults["display"].message;
        assert!(words.contains("check its four wires"), "{words}");
        assert!(glass.tries() < 10, "{} tries", glass.tries());
        glass.unplug(false);
        desk.board.press();
        sleep(Duration::from_secs(1)).await;
        assert!(!desk.health.facts().faults.contains_key("display"));
        assert!(!glass.is_dark());
    };
    live(&trap, agent, 290, story).await;
    assert_eq!((trap.summary().captures, trap.summary().missed), (5, 0));
}

#[tokio::test(start_paused = true)]
async fn a_stuck_button_is_told_and_noticed_when_it_is_free() {
    let trap = trap();
    let front = FrontDevices {
        button: Some(pressed(&[(1_000, 150_000)])),
        ..FrontDevices::default()
    };
    let agent = trap.fitted_agent(Vec::new(), front, Probes::default());
    let desk = agent.desk().clone();
    let story = async {
        sleep(Duration::from_secs(40)).await;
        let facts = desk.health.facts();
        assert!(facts.faults["button"].message.contains("crushed cable"));
        sleep(Duration::from_secs(115)).await;
        assert!(!desk.health.facts().faults.contains_key("button"));
    };
    live(&trap, agent, 290, story).await;
    assert_eq!((trap.summary().captures, trap.summary().missed), (5, 0));
}

#[tokio::test(start_paused = true)]
async fn a_front_on_which_everything_fails_costs_no_picture() {
    let trap = trap();
    let front = FrontDevices {
        panel: Some(Box::new(|| Err(broken("display")))),
        button: Some(Box::new(|| Err(broken("button")))),
        led: Some(Box::new(|| Err(broken("led")))),
        trigger: Some(Box::new(|| Err(broken("trigger")))),
    };
    let agent = trap.fitted_agent(vec![Shot::Works], front, Probes::default());
    let desk = agent.desk().clone();
    let story = async {
        sleep(Duration::from_secs(200)).await;
        let faults = desk.health.facts().faults;
        for part in ["display", "button", "led", "trigger"] {
            assert!(faults.contains_key(part), "{part}");
        }
    };
    live(&trap, agent, 290, story).await;
    assert_eq!((trap.summary().captures, trap.summary().missed), (5, 0));
}

#[tokio::test(start_paused = true)]
async fn a_trigger_takes_pictures_out_of_turn_and_a_blocked_one_is_told() {
    let trap = trap();
    let front = FrontDevices {
        trigger: Some(pressed(&[(10_000, 10_500), (20_000, 900_000)])),
        ..FrontDevices::default()
    };
    let agent = trap.fitted_agent(Vec::new(), front, Probes::default());
    let desk = agent.desk().clone();
    let story = async {
        sleep(Duration::from_secs(59)).await;
        assert_eq!(trap.summary().captures, 3, "one planned and two triggered");
        sleep(Duration::from_secs(600)).await;
        assert!(desk.health.facts().faults.contains_key("trigger"));
        sleep(Duration::from_secs(300)).await;
        assert!(!desk.health.facts().faults.contains_key("trigger"));
    };
    live(&trap, agent, 965, story).await;
}

#[tokio::test(start_paused = true)]
async fn a_long_press_checks_and_the_verdict_is_on_display_and_led() {
    let (trap, glass, lamp) = (trap(), Glass::default(), Lamp::default());
    let front = FrontDevices {
        panel: Some(glass.opener()),
        button: Some(pressed(&[(70_000, 74_000)])),
        led: Some(lamp.opener()),
        trigger: None,
    };
    let agent = trap.fitted_agent(Vec::new(), front, Probes::default());
    let desk = agent.desk().clone();
    let story = async {
        sleep(Duration::from_secs(69)).await;
        assert!(glass.is_dark());
        sleep(Duration::from_secs(8)).await;
        let shown = desk.board.shown();
        let Some(Check::Over { verdict, found }) = shown.check else {
            panic!("no verdict: {:?}", shown.check);
        };
        // The pictures of these tests are nearly black, and their light sensor is not there.
        assert_eq!(verdict, Verdict::NotReady);
        let parts: Vec<&str> = found.iter().map(|found| found.part.as_str()).collect();
        assert_eq!(parts, ["exposure", "light"], "{found:?}");
        assert!(!glass.is_dark());
        insta::assert_snapshot!("verdict_on_the_display", glass.text());
    };
    live(&trap, agent, 80, story).await;
    let told = lamp.0.lock().unwrap().len();
    assert!(told > 20, "{told} changes of the LED");
    assert!(fault_free(&trap));
}

fn fault_free(trap: &Trap) -> bool {
    trap.summary().missed == 0
}
