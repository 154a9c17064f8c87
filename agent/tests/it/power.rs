//! The care of the power on fakes in virtual time: a battery that sinks, a
//! clock that jumps, and lying down with the power gone at any step.

#![expect(
    clippy::unwrap_in_result,
    reason = "a fake that breaks its own promise ends the test"
)]

use crate::devices::{JUNE_MS, TestClock, detector, devices};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use trapline_agent::agent::{Agent, Nobody, Parts};
use trapline_agent::config::Config;
use trapline_agent::front::FrontDevices;
use trapline_agent::hands::Hands;
use trapline_agent::health::Facts;
use trapline_agent::moment::wire_stamp;
use trapline_agent::power::{OpenWake, PowerDevices};
use trapline_agent::probes::Probes;
use trapline_hal::pi::rtc::KernelClocks;
use trapline_hal::pi::wake::{self, WakeBy};
use trapline_hal::rtc::BackupClock;
use trapline_hal::throttle::{Strains, Supply};
use trapline_hal::wake::{Armed, PowerCut, WakeAbility, WakeWhen};
use trapline_hal::{
    Clock as _, DeviceError, FaultKind, Power, PowerReading, SwitchOff, Volts, WakeSource,
};
use trapline_store::disk::{Loss, Lost, SimDisk};
use trapline_store::{Ledger, View};
use trapline_wire::LedgerId;
use trapline_wire::v1::{EffortOutcome, MissReason};

const JUNE_S: i64 = JUNE_MS / 1_000;

/// When the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dark {
    Never,
    AfterArming,
    BeforeTheOrder,
    AfterTheOrder,
}

/// What wakes the trap does not do as told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Nothing,
    /// The driver finds another time than it wrote.
    ReadsBack,
    /// It says a time that nobody asked for.
    SaysLater,
    /// The service manager refuses.
    Order,
    /// It takes the order, and nothing happens.
    NothingStops,
    /// Its driver panics.
    Panics,
}

#[derive(Debug)]
struct World {
    volts: Option<f64>,
    strains: &'static str,
    rtc_ahead_s: i64,
    rtc_is_lost: bool,
    rtc_set: u32,
    alarm_s: Option<i64>,
    said: Vec<String>,
    dark: Dark,
    is_dark: bool,
    wrong: Wrong,
}

/// A trap with a battery-backed clock that wakes it, and a card that forgets.
struct Trap {
    folder: tempfile::TempDir,
    settings: String,
    disk: SimDisk,
    clock: Arc<TestClock>,
    world: Arc<Mutex<World>>,
    /// The service manager stops the agent, or the power is gone.
    stops: Arc<Notify>,
}

struct Wired {
    world: Arc<Mutex<World>>,
    stops: Arc<Notify>,
    disk: SimDisk,
    clock: Arc<TestClock>,
}

impl Wired {
    fn copy(&self) -> Self {
        Self {
            world: Arc::clone(&self.world),
            stops: Arc::clone(&self.stops),
            disk: self.disk.clone(),
            clock: Arc::clone(&self.clock),
        }
    }

    fn go_dark(&self, world: &mut World) {
        world.is_dark = true;
        self.disk.cut_at(self.disk.operations() + 1);
        self.stops.notify_one();
    }
}

impl Power for Wired {
    fn read(&mut self) -> PowerReading {
        PowerReading {
            battery: self.world.lock().unwrap().volts.and_then(Volts::new),
            ..PowerReading::default()
        }
    }
}

impl Supply for Wired {
    fn strains(&mut self) -> Result<Strains, DeviceError> {
        Ok(Strains::parse(self.world.lock().unwrap().strains).unwrap())
    }
}

impl BackupClock for Wired {
    fn name(&self) -> String {
        "DS3231 (rtc0)".to_owned()
    }

    fn read(&mut self) -> Result<i64, DeviceError> {
        if self.world.lock().unwrap().rtc_is_lost {
            let why = "the DS3231 lost its time; replace its battery, then set it";
            return Err(DeviceError::new("clock", FaultKind::Transient, why));
        }
        let now_s = self.clock.stamp().unix_ms.div_euclid(1_000);
        Ok(now_s + self.world.lock().unwrap().rtc_ahead_s)
    }

    fn set(&mut self, unix_s: i64) -> Result<(), DeviceError> {
        let mut world = self.world.lock().unwrap();
        assert_eq!(unix_s, self.clock.stamp().unix_ms.div_euclid(1_000));
        world.rtc_ahead_s = 0;
        world.rtc_is_lost = false;
        world.rtc_set += 1;
        Ok(())
    }
}

impl WakeSource for Wired {
    fn ability(&self) -> WakeAbility {
        WakeAbility {
            name: "DS3231".to_owned(),
            when: WakeWhen::At {
                ahead_s_max: 27 * 86_400,
            },
            cut: PowerCut::ByItself,
        }
    }

    fn arm(&mut self, at_unix_s: i64, _now_unix_s: i64) -> Result<Armed, DeviceError> {
        let mut world = self.world.lock().unwrap();
        world.said.push(format!("arm {}", at_unix_s - JUNE_S));
        let wakes_unix_s = match world.wrong {
            Wrong::ReadsBack => {
                let why = "DS3231 was told to wake at noon and says midnight";
                return Err(DeviceError::new("wake", FaultKind::Broken, why));
            }
            Wrong::Panics => {
                drop(world);
                panic!("index out of bounds in the driver")
            }
            Wrong::SaysLater => at_unix_s + 3_600,
            Wrong::Nothing | Wrong::Order | Wrong::NothingStops => at_unix_s,
        };
        world.alarm_s = Some(wakes_unix_s);
        if world.dark == Dark::AfterArming {
            self.go_dark(&mut world);
        }
        Ok(Armed {
            wakes_unix_s,
            by: "DS3231".to_owned(),
        })
    }

    fn disarm(&mut self) -> Result<(), DeviceError> {
        let mut world = self.world.lock().unwrap();
        if !world.is_dark {
            world.said.push("disarm".to_owned());
            world.alarm_s = None;
        }
        Ok(())
    }

    fn cut_power(&mut self) -> Result<(), DeviceError> {
        Ok(())
    }
}

impl SwitchOff for Wired {
    fn order(&mut self) -> Result<(), DeviceError> {
        let mut world = self.world.lock().unwrap();
        assert!(
            !world.is_dark,
            "the ledger did not notice that the power is gone"
        );
        if world.dark == Dark::BeforeTheOrder {
            self.go_dark(&mut world);
            return Ok(());
        }
        world.said.push("order".to_owned());
        if world.dark == Dark::AfterTheOrder {
            self.go_dark(&mut world);
            return Ok(());
        }
        match world.wrong {
            Wrong::Order => {
                let why = "`systemctl poweroff` ended with exit status: 1: Access denied";
                return Err(DeviceError::new("power", FaultKind::Broken, why));
            }
            Wrong::NothingStops => {}
            Wrong::Nothing | Wrong::ReadsBack | Wrong::SaysLater | Wrong::Panics => {
                self.stops.notify_one();
            }
        }
        Ok(())
    }
}

impl Trap {
    fn new(every: &str, power: &str) -> Self {
        let settings = format!(
            "[camera]\nkind = \"none\"\n[detector]\nenabled = false\n\
             [schedule]\nevery = \"{every}\"\n\
             [power]\nbattery = \"lead-acid-12v\"\nrun_dir = \"/nowhere/trapline\"\n{power}\n"
        );
        Self {
            folder: tempfile::tempdir().unwrap(),
            settings,
            disk: SimDisk::new(),
            clock: Arc::new(TestClock::new()),
            world: Arc::new(Mutex::new(World {
                volts: Some(12.5),
                strains: "throttled=0x0",
                rtc_ahead_s: 0,
                rtc_is_lost: false,
                rtc_set: 0,
                alarm_s: None,
                said: Vec::new(),
                dark: Dark::Never,
                is_dark: false,
                wrong: Wrong::Nothing,
            })),
            stops: Arc::default(),
        }
    }

    fn sleeper() -> Self {
        Self::new("1h", "lie_down = true\nwake = \"rtc\"\nlinger = \"1m\"")
    }

    fn set(&self, change: impl FnOnce(&mut World)) {
        change(&mut self.world.lock().unwrap());
    }

    fn wired(&self) -> Wired {
        Wired {
            world: Arc::clone(&self.world),
            stops: Arc::clone(&self.stops),
            disk: self.disk.clone(),
            clock: Arc::clone(&self.clock),
        }
    }

    fn agent(&self) -> Agent {
        let wake = self.wired();
        self.agent_woken_by(Box::new(move |_on_s| Ok(Box::new(wake.copy()) as _)))
    }

    fn agent_woken_by(&self, open_wake: OpenWake) -> Agent {
        let now = wire_stamp(&self.clock.stamp());
        let disk = Arc::new(self.disk.clone());
        let opened = Ledger::open(self.folder.path(), disk, || LedgerId(7), &now);
        let mut devices = devices(Vec::new());
        devices.power = Box::new(self.wired());
        let rtc = self.wired();
        Agent::from_parts(Parts {
            config: Arc::new(Config::from_text("test", &self.settings).unwrap()),
            clock: Arc::clone(&self.clock) as _,
            ledger: opened.unwrap().0,
            hands: Hands::Inline,
            devices,
            load_detector: detector(Vec::new()),
            thermal: None,
            front: FrontDevices::default(),
            probes: Probes::default(),
            power: PowerDevices {
                supply: Some(Box::new(self.wired())),
                open_rtc: Some(Box::new(move || Ok(Box::new(rtc.copy()) as _))),
                open_wake: Some(open_wake),
                off: Some(Box::new(self.wired())),
            },
            uplink: None,
            chance: Box::new(|| 0.5),
            outside: Box::new(Nobody),
        })
    }

    /// Runs until the trap lies down, for so many minutes at most; says whether
    /// it lay down, and what it knew at the end.
    async fn lives(&self, minutes: u64) -> (bool, Facts) {
        let agent = self.agent();
        let desk = agent.desk().clone();
        let mut lay_down = false;
        let over = async {
            tokio::select! {
                biased;
                () = self.stops.notified() => lay_down = true,
                () = tokio::time::sleep(Duration::from_secs(60 * minutes)) => {}
            }
        };
        if self.world.lock().unwrap().dark == Dark::Never {
            let facts = async {
                agent.run(over).await.unwrap();
                desk.health.facts()
            };
            let facts = facts.await;
            return (lay_down, facts);
        }
        // Dropping an agent is a power cut.
        tokio::select! {
            biased;
            () = over => {}
            done = agent.run(std::future::pending()) => panic!("the agent ended: {done:?}"),
        }
        (lay_down, desk.health.facts())
    }

    /// The next boot, so many seconds later, with what the card did not lose.
    fn boots_after(&mut self, seconds: i64) {
        let now_ms = self.clock.stamp().unix_ms;
        self.disk.power_on(Loss {
            bytes: Lost::Everything,
            names: Lost::Everything,
        });
        self.clock = Arc::new(TestClock::new());
        self.clock.jump_ms(now_ms - JUNE_MS + seconds * 1_000);
        self.set(|world| {
            world.dark = Dark::Never;
            world.is_dark = false;
            world.said.clear();
        });
    }

    fn said(&self) -> Vec<String> {
        self.world.lock().unwrap().said.clone()
    }

    fn view(&self) -> View {
        View::open(self.folder.path(), Arc::new(self.disk.clone())).unwrap()
    }

    fn captures(&self) -> u64 {
        self.view().summary(i64::MIN).unwrap().captures
    }

    fn missed(&self) -> BTreeMap<MissReason, u64> {
        self.view().summary(i64::MIN).unwrap().missed_since
    }
}

fn fault<'a>(facts: &'a Facts, part: &str) -> &'a str {
    let fault = facts.faults.get(part);
    fault.map_or("", |fault| fault.message.as_str())
}

#[tokio::test(start_paused = true)]
async fn a_battery_that_sinks_misses_shots_with_the_reason_until_it_is_charged() {
    let mut trap = Trap::new("1m", "");
    let (_, facts) = trap.lives(5).await;
    let battery = facts.battery.unwrap();
    assert!((battery.percent - 80.0).abs() < 1.0, "{battery:?}");
    assert_eq!(trap.captures(), 6);
    trap.set(|world| world.volts = Some(11.6));
    trap.boots_after(0);
    // The first reading of a start counts.
    let (_, facts) = trap.lives(10).await;
    assert_eq!(trap.captures(), 6);
    let refused = trap.missed()[&MissReason::Battery];
    assert!((10..=11).contains(&refused), "{refused}");
    assert!(fault(&facts, "charge").contains("below 20 %"), "{facts:?}");
    let rows = trap.view().efforts(None, 100).unwrap();
    let why = rows.iter().rev().find_map(|row| match &row.record.outcome {
        EffortOutcome::Missed { detail, .. } => Some(detail.clone()),
        _ => None,
    });
    let why = why.unwrap();
    assert!(why.starts_with("the battery is at 16 %"), "{why}");
    // It recovers without its load, which is no charge.
    trap.set(|world| world.volts = Some(11.7));
    trap.boots_after(0);
    trap.lives(5).await;
    assert_eq!(trap.captures(), 6);
    trap.set(|world| world.volts = Some(12.6));
    trap.boots_after(0);
    let (_, facts) = trap.lives(5).await;
    assert_eq!(trap.captures(), 11);
    assert_eq!(fault(&facts, "charge"), "");
}

#[tokio::test(start_paused = true)]
async fn a_dip_under_a_lamp_refuses_nothing() {
    let trap = Trap::new("1m", "");
    let dips = async {
        for minute in 0..20 {
            let volts = if minute % 5 == 3 { 11.3 } else { 12.4 };
            trap.set(|world| world.volts = Some(volts));
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
    };
    let (_, _) = tokio::join!(trap.lives(20), dips);
    assert_eq!(trap.missed(), BTreeMap::new());
}

#[tokio::test(start_paused = true)]
async fn strains_and_a_clock_that_jumps_are_said_and_pictures_go_on() {
    let mut trap = Trap::new("10m", "");
    trap.settings.push_str("[clock]\nset_rtc = false\n");
    trap.set(|world| world.strains = "throttled=0x50005");
    let jumps = async {
        tokio::time::sleep(Duration::from_secs(25 * 60)).await;
        trap.set(|world| world.rtc_ahead_s = -7_200);
    };
    let ((_, facts), ()) = tokio::join!(trap.lives(59), jumps);
    let supply = fault(&facts, "supply");
    assert!(supply.contains("thicker cable"), "{supply}");
    assert_eq!(facts.strains.len(), 2);
    let rtc = fault(&facts, "rtc");
    assert!(rtc.contains("went back by"), "{rtc}");
    assert_eq!(facts.rtc.unwrap().ahead_s, -7_200);
    assert_eq!((trap.captures(), trap.missed()), (6, BTreeMap::new()));
    assert_eq!(trap.world.lock().unwrap().rtc_set, 0);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_clock_is_set_by_a_time_that_is_known() {
    let trap = Trap::new("10m", "");
    trap.set(|world| world.rtc_ahead_s = 400);
    let (_, facts) = trap.lives(59).await;
    assert_eq!(trap.world.lock().unwrap().rtc_set, 1);
    assert_eq!(facts.rtc.unwrap().ahead_s, 0);
    assert_eq!(facts.faults.get("rtc"), None);
}

#[tokio::test(start_paused = true)]
async fn it_lies_down_between_pictures_and_wakes_for_each() {
    let mut trap = Trap::sleeper();
    let (lay_down, facts) = trap.lives(59).await;
    assert!(lay_down, "{facts:?}");
    // Somebody had switched it on, so it stays up a while first; up 70 s before the shot.
    assert_eq!(trap.said(), ["arm 3530", "order"]);
    assert!(trap.clock.stamp().uptime_ms >= 15 * 60_000);
    assert_eq!(facts.wakes_ms, Some((JUNE_S + 3_530) * 1_000));
    for hour in 1..4 {
        let wakes_s = trap.world.lock().unwrap().alarm_s.unwrap();
        let asleep_s = wakes_s - trap.clock.stamp().unix_ms / 1_000;
        trap.boots_after(asleep_s);
        let (lay_down, _) = trap.lives(20).await;
        assert!(lay_down, "hour {hour}");
        let arm = format!("arm {}", 3_530 + hour * 3_600);
        assert_eq!(trap.said(), [arm.as_str(), "order"], "hour {hour}");
        assert!(trap.clock.stamp().uptime_ms < 5 * 60_000, "hour {hour}");
    }
    assert_eq!((trap.captures(), trap.missed()), (4, BTreeMap::new()));
}

#[tokio::test(start_paused = true)]
async fn a_wake_that_is_not_proved_keeps_it_awake_and_says_so() {
    let cases = [
        (
            Wrong::ReadsBack,
            "wake",
            "says midnight; the trap stays awake",
        ),
        (Wrong::SaysLater, "wake", "the trap stays awake"),
        (Wrong::Panics, "wake", "does not answer"),
        (Wrong::Order, "power", "Access denied; the trap stays awake"),
        (Wrong::NothingStops, "power", "did not in 90s"),
    ];
    for (wrong, part, words) in cases {
        let trap = Trap::sleeper();
        trap.set(|world| world.wrong = wrong);
        let (lay_down, facts) = trap.lives(179).await;
        assert!(!lay_down, "{wrong:?}");
        let said = fault(&facts, part);
        assert!(said.contains(words), "{wrong:?}: {:?}", facts.faults);
        assert_eq!(
            (trap.captures(), trap.missed()),
            (3, BTreeMap::new()),
            "{wrong:?}"
        );
        assert_eq!(trap.world.lock().unwrap().alarm_s, None, "{wrong:?}");
        assert_eq!(facts.wakes_ms, None, "{wrong:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_power_may_go_at_any_step_of_lying_down() {
    for dark in [Dark::AfterArming, Dark::BeforeTheOrder, Dark::AfterTheOrder] {
        let mut trap = Trap::sleeper();
        trap.set(|world| world.dark = dark);
        let (_, _) = trap.lives(59).await;
        assert!(trap.world.lock().unwrap().is_dark, "{dark:?}");
        // Somebody plugs it in again at ten past one; the shot of one o'clock is still taken.
        let now_s = trap.clock.stamp().unix_ms / 1_000;
        trap.boots_after(JUNE_S + 3_600 + 600 - now_s);
        let (lay_down, facts) = trap.lives(40).await;
        assert!(lay_down, "{dark:?}: {facts:?}");
        assert_eq!(trap.said(), ["arm 7130", "order"], "{dark:?}");
        assert_eq!(
            (trap.captures(), trap.missed()),
            (2, BTreeMap::new()),
            "{dark:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_battery_shuts_down_only_where_it_may() {
    let mut trap = Trap::new("1h", "");
    trap.set(|world| world.volts = Some(11.4));
    let (lay_down, facts) = trap.lives(120).await;
    assert!(!lay_down && trap.said().is_empty());
    assert!(fault(&facts, "charge").contains("below 10 %"));
    trap.settings.push_str("off_when_empty = true\n");
    trap.boots_after(60);
    let (lay_down, _) = trap.lives(120).await;
    assert!(lay_down);
    let said = trap.said();
    assert!(said[0].starts_with("arm") && said[1] == "order", "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_lost_its_time_is_set() {
    let trap = Trap::new("10m", "");
    trap.set(|world| world.rtc_is_lost = true);
    let (_, facts) = trap.lives(59).await;
    assert_eq!(trap.world.lock().unwrap().rtc_set, 1);
    assert_eq!(facts.faults.get("rtc"), None);
    assert_eq!(facts.rtc.unwrap().ahead_s, 0);
}

#[tokio::test(start_paused = true)]
async fn the_alarm_of_the_kernels_clock_is_written_and_read_back() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("sys/class/rtc/rtc0");
    std::fs::create_dir_all(&folder).unwrap();
    // It was never set, and the alarm is so many seconds from what it says.
    for (file, text) in [
        ("name", "rtc-pcf85063 1-0051\n"),
        ("since_epoch", "946684800\n"),
        ("wakealarm", ""),
    ] {
        #[expect(clippy::disallowed_methods, reason = "test files need no durability")]
        std::fs::write(folder.join(file), text).unwrap();
    }
    let trap = Trap::sleeper();
    let clocks = KernelClocks::under(root.path(), "hwclock");
    let by = WakeBy::Rtc(Some("pcf85063".to_owned()));
    let agent = trap.agent_woken_by(Box::new(move |on_s| wake::open(&by, &clocks, on_s)));
    let over = async {
        tokio::select! {
            biased;
            () = trap.stops.notified() => {}
            () = tokio::time::sleep(Duration::from_secs(3_500)) => {}
        }
    };
    let desk = agent.desk().clone();
    agent.run(over).await.unwrap();
    assert_eq!(trap.said(), ["order"], "{:?}", desk.health.facts().faults);
    let alarm = std::fs::read_to_string(folder.join("wakealarm")).unwrap();
    let ahead_s = alarm.trim().parse::<i64>().unwrap() - 946_684_800;
    let now_s = trap.clock.stamp().unix_ms / 1_000;
    assert!((JUNE_S + 3_530 - now_s).abs_diff(ahead_s) <= 1, "{alarm}");
}
