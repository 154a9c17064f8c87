//! Less care when the trap has little left: pictures wait for a cool processor,
//! and are taken all the same.

use crate::devices::{TestClock, detector, devices};
use crate::server::TestUplink;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use trapline_agent::agent::{Agent, Nobody, Parts};
use trapline_agent::config::Config;
use trapline_agent::front::FrontDevices;
use trapline_agent::hands::Hands;
use trapline_agent::moment::wire_stamp;
use trapline_agent::power::PowerDevices;
use trapline_agent::probes::Probes;
use trapline_hal::{ChipCelsius, Clock as _, Thermal};
use trapline_store::{Ledger, OsDisk};
use trapline_wire::LedgerId;

struct TestThermal(Arc<AtomicU32>);

impl Thermal for TestThermal {
    fn soc(&mut self) -> Option<ChipCelsius> {
        ChipCelsius::new(f64::from(self.0.load(Ordering::Relaxed)))
    }
}

#[tokio::test(start_paused = true)]
async fn a_hot_processor_makes_pictures_wait_and_a_cool_one_takes_them_up() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(TestClock::new());
    let now = wire_stamp(&clock.stamp());
    let (ledger, _) = Ledger::open(folder.path(), Arc::new(OsDisk), || LedgerId(7), &now).unwrap();
    let celsius = Arc::new(AtomicU32::new(85));
    let uplink = TestUplink::new(Vec::new());
    let settings = "[camera]\nkind = \"none\"\n[schedule]\nevery = \"1m\"\n";
    let agent = Agent::from_parts(Parts {
        config: Arc::new(Config::from_text("test", settings).unwrap()),
        clock,
        ledger,
        hands: Hands::Inline,
        devices: devices(Vec::new()),
        load_detector: detector(Vec::new()),
        power: PowerDevices::default(),
        thermal: Some(Box::new(TestThermal(Arc::clone(&celsius)))),
        front: FrontDevices::default(),
        probes: Probes::default(),
        uplink: Some(Box::new(uplink.clone())),
        chance: Box::new(|| 0.5),
        outside: Box::new(Nobody),
    });
    let health = Arc::clone(&agent.desk().health);
    let seen = Arc::clone(&uplink.held);
    let story = async {
        tokio::time::sleep(Duration::from_secs(290)).await;
        let facts = health.facts();
        let why = facts.less_care.clone().unwrap();
        assert!(why.contains("85 °C"), "{why}");
        assert!(facts.faults.contains_key("detector_care"));
        {
            let held = seen.lock().unwrap();
            assert_eq!((held.captures.len(), held.pictures.len()), (5, 5));
            assert!(held.inspections.is_empty(), "pictures wait");
        }
        celsius.store(40, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_secs(130)).await;
        let facts = health.facts();
        assert_eq!((facts.less_care, facts.soc_c), (None, Some(40.0)));
        assert!(!facts.faults.contains_key("detector_care"));
        let held = seen.lock().unwrap();
        assert_eq!(
            held.inspections.len(),
            held.captures.len(),
            "all were looked at"
        );
    };
    agent.run(story).await.unwrap();
}
