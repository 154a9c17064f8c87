//! What the shutter does with cameras, lamps and supplies that fail and hang.

use super::*;
use crate::config::Config;
use crate::hands::Hands;
use crate::moment::wire_stamp;
use std::sync::{Arc, Mutex};
use trapline_hal::lamp::PutOut;
use trapline_hal::lines::Level;
use trapline_hal::pi::clock::SystemClock;
use trapline_hal::{Clock as _, DeviceError, FaultKind, FrameSource, ShotFacts};
use trapline_store::{Ledger, OsDisk};
use trapline_wire::LedgerId;

const KEPT: Wish = Wish {
    only_to_look: false,
    lamp: LampUse::AsUsual,
};

/// What happened, in order.
#[derive(Clone, Default)]
struct Record(Arc<Mutex<Vec<String>>>);

impl Record {
    fn add(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Works,
    /// Fails so many times, then works.
    Fails(u32),
    Absent,
    Hangs,
}

fn hang() -> ! {
    loop {
        std::thread::park();
    }
}

struct FakeCamera {
    record: Record,
    mood: Arc<Mutex<Mood>>,
    remarks: Vec<String>,
}

impl Camera for FakeCamera {
    fn shoot(&mut self, _settings: &ShotSettings) -> Result<Frame, DeviceError> {
        self.record.add("shoot");
        let mut mood = self
            .mood
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let kind = match *mood {
            Mood::Works | Mood::Fails(0) => {
                return Ok(Frame {
                    jpeg: b"\xff\xd8\xff".to_vec(),
                    source: FrameSource::Simulated,
                    facts: ShotFacts::default(),
                });
            }
            Mood::Fails(left) => {
                *mood = Mood::Fails(left - 1);
                FaultKind::Transient
            }
            Mood::Absent => FaultKind::Absent,
            Mood::Hangs => {
                drop(mood);
                hang()
            }
        };
        Err(DeviceError::new("camera", kind, "no frame"))
    }

    fn remarks(&self) -> &[String] {
        &self.remarks
    }
}

struct FakeLamp {
    record: Record,
    mood: Mood,
}

impl Light for FakeLamp {
    fn on(&mut self, _level: Level, max_on_ms: u64) -> Result<PutOut, DeviceError> {
        match self.mood {
            Mood::Hangs => hang(),
            Mood::Works => self.record.add(format!("lit {max_on_ms}")),
            Mood::Fails(_) | Mood::Absent => {
                return Err(DeviceError::new("lamp", FaultKind::Absent, "no line"));
            }
        }
        Ok(PutOut::Now)
    }

    fn off(&mut self) -> Result<PutOut, DeviceError> {
        self.record.add("dark");
        Ok(PutOut::Now)
    }

    fn tend(&mut self) -> Result<(), DeviceError> {
        self.record.add("tended");
        Ok(())
    }
}

struct FakeSupply(Record);

impl Supply for FakeSupply {
    fn on(&mut self) -> Result<(), DeviceError> {
        Ok(())
    }

    fn cycle(&mut self) -> Result<(), DeviceError> {
        self.0.add("power off and on");
        Ok(())
    }
}

struct Bench {
    shutter: Shutter,
    record: Record,
    mood: Arc<Mutex<Mood>>,
    desk: Desk,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new(lamp: Option<Mood>, has_supply: bool, remarks: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let line = if lamp.is_some() {
            "[lamp]\nline = \"GPIO18\"\nlead = \"1s\""
        } else {
            ""
        };
        let settings = format!("[camera]\nkind = \"none\"\ndeadline = \"10s\"\n{line}\n");
        let config = Arc::new(Config::from_text("test", &settings).unwrap());
        let clock = Arc::new(SystemClock::new());
        let now = wire_stamp(&clock.stamp());
        let disk = Arc::new(OsDisk);
        let (ledger, _) = Ledger::open(folder.path(), disk, || LedgerId(7), &now).unwrap();
        let desk = Desk::new(config, clock, Hands::Inline, ledger);
        let record = Record::default();
        let mood = Arc::new(Mutex::new(Mood::Works));
        let light = |mood| -> Box<dyn Light> {
            let record = record.clone();
            Box::new(FakeLamp { record, mood })
        };
        let supply: Option<Box<dyn Supply>> = if has_supply {
            Some(Box::new(FakeSupply(record.clone())))
        } else {
            None
        };
        let mut fittings = Fittings {
            flash: lamp.map(light),
            camera_supply: supply,
            camera_recovers: true,
            ..Fittings::default()
        };
        let remarks: Vec<String> = remarks.iter().map(|&text| text.to_owned()).collect();
        let (seen, its_mood) = (record.clone(), Arc::clone(&mood));
        let open_camera: OpenCamera = Box::new(move |_resume_after| {
            seen.add("open");
            if *its_mood.lock().unwrap() == Mood::Hangs {
                hang();
            }
            Ok(Box::new(FakeCamera {
                record: seen.clone(),
                mood: Arc::clone(&its_mood),
                remarks: remarks.clone(),
            }))
        });
        let shutter = Shutter::new(desk.clone(), open_camera, &mut fittings);
        Self {
            shutter,
            record,
            mood,
            desk,
            _folder: folder,
        }
    }

    fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    async fn shoots(&mut self) -> Result<Frame, String> {
        self.shutter.take_picture(KEPT).await
    }

    fn fault(&self, part: &str) -> Option<String> {
        let facts = self.desk.health.facts();
        facts.faults.get(part).map(|fault| fault.message.clone())
    }
}

#[tokio::test(start_paused = true)]
async fn a_camera_that_fails_once_gives_its_picture_all_the_same() {
    let mut bench = Bench::new(None, false, &[]);
    bench.is(Mood::Fails(1));
    bench.shoots().await.unwrap();
    assert_eq!(bench.record.take(), ["open", "shoot", "shoot"]);
    assert_eq!(bench.fault("camera"), None);
}

#[tokio::test(start_paused = true)]
async fn all_is_tried_in_order_and_told() {
    let mut bench = Bench::new(None, true, &[]);
    bench.is(Mood::Fails(99));
    let why = bench.shoots().await.unwrap_err();
    let wanted = "no frame; tried in vain: once more, opened anew, without power for a moment";
    assert_eq!(why, wanted);
    assert_eq!(bench.fault("camera").as_deref(), Some(wanted));
    let power = "power off and on";
    let happened = [
        "open", "shoot", "shoot", "open", "shoot", power, "open", "shoot",
    ];
    assert_eq!(bench.record.take(), happened);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_not_there_is_asked_once_in_a_slot() {
    let mut bench = Bench::new(None, false, &[]);
    bench.is(Mood::Absent);
    assert_eq!(bench.shoots().await, Err("no frame".to_owned()));
    assert_eq!(bench.record.take(), ["open", "shoot"]);
}

#[tokio::test(start_paused = true)]
async fn after_five_slots_its_power_goes_first() {
    let mut bench = Bench::new(None, true, &[]);
    bench.is(Mood::Absent);
    for _ in 0..5 {
        assert!(bench.shoots().await.is_err());
    }
    bench.record.take();
    bench.is(Mood::Works);
    bench.shoots().await.unwrap();
    assert_eq!(bench.record.take(), ["power off and on", "open", "shoot"]);
    bench.shoots().await.unwrap();
    assert_eq!(bench.record.take(), ["shoot"], "and then no more");
}

#[tokio::test(start_paused = true)]
async fn the_lamp_is_lit_around_each_try() {
    let mut bench = Bench::new(Some(Mood::Works), false, &[]);
    bench.is(Mood::Fails(1));
    let began = Instant::now();
    bench.shoots().await.unwrap();
    assert_eq!(began.elapsed(), Duration::from_secs(2), "its lead, twice");
    let happened = bench.record.take();
    let words: Vec<&str> = happened
        .iter()
        .map(|what| what.split(' ').next().unwrap())
        .collect();
    let wanted = ["open", "lit", "shoot", "dark", "lit", "shoot", "dark"];
    assert_eq!(words, wanted);
    assert_eq!(happened[1], "lit 6250", "lead, half of the time, and some");
}

#[tokio::test(start_paused = true)]
async fn a_look_in_the_dark_leaves_the_lamp_dark() {
    let mut bench = Bench::new(Some(Mood::Works), false, &[]);
    let dark = Wish {
        only_to_look: true,
        lamp: LampUse::Dark,
    };
    bench.shutter.take_picture(dark).await.unwrap();
    assert_eq!(bench.record.take(), ["open", "shoot"]);
}

#[tokio::test(start_paused = true)]
async fn a_lamp_that_fails_never_costs_the_picture() {
    let mut bench = Bench::new(Some(Mood::Absent), false, &[]);
    bench.shoots().await.unwrap();
    let said = bench.fault("lamp").unwrap();
    assert!(said.contains("taken without it"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_lamp_that_was_left_lit_is_put_out_when_it_is_looked_after() {
    let mut bench = Bench::new(Some(Mood::Works), false, &[]);
    bench.shutter.flash.light(Duration::from_secs(1)).await;
    bench.record.take();
    bench.shutter.tend().await;
    assert_eq!(bench.record.take(), ["dark", "tended"]);
}

#[tokio::test(start_paused = true)]
async fn what_the_camera_did_not_take_is_a_fault_until_it_does() {
    let mut bench = Bench::new(None, false, &["its focus stayed at 0 instead of 40"]);
    bench.shoots().await.unwrap();
    let said = bench.fault(REMARKS).unwrap();
    assert!(said.contains("stayed at 0"), "{said}");
    bench.shutter.note_remarks(&[]);
    assert_eq!(bench.fault(REMARKS), None);
}

#[tokio::test(start_paused = true)]
async fn camera_and_lamp_that_hang_cost_one_picture_and_no_more_time() {
    let mut bench = Bench::new(Some(Mood::Hangs), false, &[]);
    // Opened at once, because a thread that answers would race against virtual time.
    bench.shutter.ready().await.unwrap();
    bench.is(Mood::Hangs);
    bench.shutter.desk.hands = Hands::Threads;
    bench.shutter.flash.desk.hands = Hands::Threads;
    let began = Instant::now();
    let why = bench.shoots().await.unwrap_err();
    assert!(why.contains("tried in vain: opened anew"), "{why}");
    let deadline = bench.desk.config.camera.deadline;
    let limit = deadline + 2 * ANSWER_SLACK;
    assert!(began.elapsed() <= limit, "{:?}", began.elapsed());
    let lamp = bench.fault("lamp").unwrap();
    assert!(lamp.contains("does not answer"), "{lamp}");
}
