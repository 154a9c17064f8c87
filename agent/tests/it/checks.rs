//! Self-test and departure check beside a running agent, by its desk and through
//! its door, with devices that work and devices that do not.

use crate::devices::Shot;
use crate::front::{Glass, pressed, trap};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::Notify;
use tokio::time::sleep;
use trapline_agent::door::{self, Question, SOCKET_FILE};
use trapline_agent::front::FrontDevices;
use trapline_agent::lent::Lent;
use trapline_agent::probes::{Probe, Probes};
use trapline_agent::screen::Verdict;
use trapline_agent::selftest::{Check, Outcome};
use trapline_agent::{depart, selftest};
use trapline_hal::{DeviceError, FaultKind, Power, PowerReading, Volts};

fn row<'a>(checks: &'a [Check], part: &str) -> &'a Check {
    let found = checks.iter().find(|check| check.part == part);
    found.unwrap_or_else(|| panic!("no row {part} in {checks:?}"))
}

fn sensor(part: &str, words: Result<&'static str, &'static str>) -> Probe {
    let read = Box::new(move || {
        words
            .map(str::to_owned)
            .map_err(|why| DeviceError::new("climate", FaultKind::Absent, why))
    });
    Probe::new(part, "check its plug", read)
}

/// A battery that gives these volts, one reading after the other, and then the last.
struct Sagging(Arc<Mutex<Vec<f64>>>);

impl Power for Sagging {
    fn read(&mut self) -> PowerReading {
        let mut volts = self.0.lock().unwrap();
        let now = if volts.len() > 1 {
            volts.remove(0)
        } else {
            volts[0]
        };
        PowerReading {
            battery: Volts::new(now),
            ..PowerReading::default()
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_part_has_its_own_row_and_its_own_remedy() {
    let (trap, glass) = (trap(), Glass::default());
    glass.unplug(true);
    let front = FrontDevices {
        panel: Some(glass.opener()),
        button: Some(pressed(&[])),
        ..FrontDevices::default()
    };
    let probes = Probes {
        parts: vec![
            sensor(
                "climate sht3x",
                Err("SHT3x does not answer; check its four wires"),
            ),
            sensor("light bh1750", Ok("812 lx")),
        ],
        ..Probes::default()
    };
    let agent = trap.fitted_agent(Vec::new(), front, probes);
    let desk = agent.desk().clone();
    let story = async {
        sleep(Duration::from_secs(20)).await;
        let report = selftest::selftest(&desk).await;
        assert!(!report.passed);
        let climate = row(&report.checks, "climate sht3x");
        assert_eq!(climate.outcome, Outcome::Failed);
        assert_eq!(climate.found, "SHT3x does not answer");
        assert_eq!(climate.remedy.as_deref(), Some("check its four wires"));
        assert_eq!(row(&report.checks, "light bh1750").found, "812 lx");
        assert_eq!(row(&report.checks, "display").outcome, Outcome::Failed);
        let button = row(&report.checks, "button");
        assert_eq!(button.found, "it can be read, and is not pressed");
        for part in ["camera", "card", "clock"] {
            assert_eq!(row(&report.checks, part).outcome, Outcome::Passed, "{part}");
        }
        for part in ["led", "trigger", "wake", "server", "model"] {
            assert_eq!(row(&report.checks, part).outcome, Outcome::Absent, "{part}");
        }
        let text = report.to_string();
        assert!(text.contains("✗ climate sht3x"), "{text}");
        assert!(text.contains("→ check its four wires"), "{text}");
        assert!(text.contains("– led"), "{text}");
    };
    tokio::join!(trap.runs(50, agent), story);
    assert_eq!(trap.summary().captures, 1, "a check keeps no picture");
}

#[tokio::test(start_paused = true)]
async fn a_battery_that_breaks_down_under_load_is_a_reason_to_stay() {
    let trap = trap();
    let volts = Arc::new(Mutex::new(vec![12.8, 12.7, 10.9]));
    let probes = Probes {
        battery: Some(Lent::of(Box::new(Sagging(volts)))),
        ..Probes::default()
    };
    let agent = trap.fitted_agent(Vec::new(), FrontDevices::default(), probes);
    let desk = agent.desk().clone();
    let story = async {
        sleep(Duration::from_secs(20)).await;
        // The planned shot goes first, so that the battery is read while the camera is waited for.
        sleep(Duration::from_millis(39_950)).await;
        let report = depart::depart(&desk).await;
        assert_eq!(report.verdict, Verdict::NotReady);
        let line = report.verdict_line();
        assert!(line.starts_with("not ready: "), "{line}");
        let battery = row(&report.checks, "battery");
        assert!(battery.found.contains("12.80 V"), "{battery:?}");
        assert!(report.checks.iter().any(|check| check.part == "light"));
    };
    tokio::join!(trap.runs(70, agent), story);
}

#[tokio::test(start_paused = true)]
async fn a_trap_without_a_picture_is_not_ready() {
    let trap = trap();
    let shots = vec![
        Shot::Works,
        Shot::Fails,
        Shot::Fails,
        Shot::Fails,
        Shot::Fails,
    ];
    let agent = trap.fitted_agent(shots, FrontDevices::default(), Probes::default());
    let desk = agent.desk().clone();
    let story = async {
        sleep(Duration::from_secs(10)).await;
        let report = depart::depart(&desk).await;
        assert_eq!(report.verdict, Verdict::NotReady);
        assert_eq!(row(&report.checks, "camera").outcome, Outcome::Failed);
    };
    tokio::join!(trap.runs(40, agent), story);
}

#[tokio::test]
async fn the_door_answers_its_owner_and_survives_everybody_else() {
    let trap = trap();
    let agent = trap.fitted_agent(Vec::new(), FrontDevices::default(), Probes::default());
    let desk = agent.desk().clone();
    let dir = trap.folder.path();
    let stop = Notify::new();
    let story = async {
        let mode = std::fs::metadata(dir.join(SOCKET_FILE))
            .unwrap()
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        for words in [&b"{\"ask\":\"shell\"}\n"[..], &[b'{'; 20_000], b""] {
            let mut stream = UnixStream::connect(dir.join(SOCKET_FILE)).await.unwrap();
            // It may hang up before everything is written.
            let _cut = stream.write_all(words).await;
            let _cut = stream.shutdown().await;
            let mut said = Vec::new();
            let _cut = stream.read_to_end(&mut said).await;
            assert!(said.len() < 100, "{} bytes", said.len());
        }
        let report: Option<selftest::Report> = door::ask(dir, Question::Selftest {}).await.unwrap();
        assert_eq!(
            row(&report.unwrap().checks, "camera").outcome,
            Outcome::Passed
        );
        let report: Option<depart::Report> = door::ask(dir, Question::Depart {}).await.unwrap();
        assert!(report.unwrap().checks.len() > 5);
        stop.notify_one();
    };
    let run = door::beside(&desk, dir, agent.run(stop.notified()));
    let (done, ()) = tokio::join!(run, story);
    done.unwrap();
    let nobody: Option<selftest::Report> = door::ask(dir, Question::Selftest {}).await.unwrap();
    assert_eq!(nobody, None, "the agent has stopped");
}
