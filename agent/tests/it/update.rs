//! The trial of new software, with stages that work and stages that do not, and the
//! way of a bundle over a bad link, in virtual time.

use crate::devices::{Shot, detector};
use crate::server::Way;
use crate::stages::Trap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use trapline_agent::update::trial::{Report, camera_failed_before, prove};
use trapline_store::{Held, OsDisk};
use trapline_wire::Sha256;
use trapline_wire::v1::{UpdateOffer, UpdateState};

const LIMIT: Duration = Duration::from_mins(10);

#[tokio::test(start_paused = true)]
async fn one_picture_of_the_copy_proves_the_software_and_the_ledger_knows_nothing_of_it() {
    let trap = Trap::new(Vec::new());
    trap.runs(130, trap.agent(Vec::new(), detector(Vec::new())))
        .await;
    let before = trap.summary().captures;
    let held = Held::take(trap.folder.path(), Arc::new(OsDisk)).unwrap();
    // The trial's own trap is the copy.
    let copy = Trap::new(Vec::new());
    assert!(held.copy_rows(copy.folder.path()).unwrap());
    let began = Instant::now();
    let agent = copy.agent(Vec::new(), detector(Vec::new()));
    let capture = prove(agent, LIMIT, 0).await.unwrap();
    // A planned picture may have come first.
    assert!(
        capture.seq > before,
        "it goes on with the ledger's numbers: {capture}"
    );
    assert!(began.elapsed() < Duration::from_secs(60));
    assert_eq!(copy.summary().captures, capture.seq);
    assert_eq!(trap.summary().captures, before);
    let report = Report::of(Ok(capture), began.elapsed());
    assert!(report.passed && report.to_string().contains("proved itself"));
}

#[tokio::test(start_paused = true)]
async fn a_camera_that_comes_up_late_is_waited_for() {
    let trap = Trap::new(Vec::new());
    let script = [vec![Shot::Fails; 12], vec![Shot::Panics; 2]].concat();
    let agent = trap.agent(script, detector(Vec::new()));
    let capture = prove(agent, LIMIT, 0).await.unwrap();
    assert_eq!(trap.summary().captures, 1, "{capture}");
}

#[tokio::test(start_paused = true)]
async fn without_a_picture_nothing_is_proved() {
    let trap = Trap::new(Vec::new());
    let began = Instant::now();
    let agent = trap.agent(vec![Shot::Fails; 5_000], detector(Vec::new()));
    let why = prove(agent, LIMIT, 0).await.unwrap_err();
    assert!(why.starts_with("no capture within 600 s: "), "{why}");
    assert!(why.contains("no frame from the sensor"), "{why}");
    assert!(!why.contains("before the update"), "{why}");
    let took = began.elapsed();
    assert!(took <= LIMIT + Duration::from_secs(30), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_camera_that_had_failed_before_is_named_as_the_reason() {
    let trap = Trap::new(Vec::new());
    let failing = || trap.agent(vec![Shot::Fails; 5_000], detector(Vec::new()));
    trap.runs(250, failing()).await;
    let before = camera_failed_before(&trap.open_ledger()).unwrap();
    assert!(before >= 3, "{before}");
    let why = prove(failing(), LIMIT, before).await.unwrap_err();
    assert!(
        why.contains("the camera had failed before the update"),
        "{why}"
    );
    assert!(why.contains("mend the camera"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_card_without_room_proves_nothing() {
    let disk = trapline_store::disk::SimDisk::new();
    let trap = Trap::with_disk(disk.clone());
    let agent = trap.agent(Vec::new(), detector(Vec::new()));
    disk.set_free_bytes(Some(0));
    let why = prove(agent, LIMIT, 0).await.unwrap_err();
    assert!(why.starts_with("no capture within 600 s"), "{why}");
    assert_eq!(trap.summary().captures, 0);
}

/// A trap with a folder of updates, and the offer of a bundle that the server has.
fn offered(ways: Vec<Way>, bundle: &[u8]) -> (Trap, UpdateOffer) {
    let mut trap = Trap::new(ways);
    let dir = trap.folder.path().join("update");
    std::fs::create_dir_all(dir.join("incoming")).unwrap();
    trap.settings += &format!(
        "[ledger]\nfree_bytes_min = 0\n[update]\ndir = {:?}\n",
        dir.display().to_string()
    );
    let offer = UpdateOffer {
        version: "0.2.0".to_owned(),
        sha256: Sha256::of(BUNDLE),
        size_bytes: u64::try_from(BUNDLE.len()).unwrap(),
    };
    let mut held = trap.uplink.held.lock().unwrap();
    held.files.insert(offer.sha256, bundle.to_vec());
    held.update = Some(offer.clone());
    drop(held);
    (trap, offer)
}

const BUNDLE: &[u8] = &[7; 50_000];

fn said(trap: &Trap) -> Option<UpdateState> {
    let held = trap.uplink.held.lock().unwrap();
    let last = held.heartbeats.last()?;
    last.update.clone().map(|update| update.state)
}

#[tokio::test(start_paused = true)]
async fn a_bundle_comes_over_a_bad_link_and_over_restarts() {
    let bad = [Way::Good, Way::LosesRequest, Way::LosesAnswer, Way::Good];
    let (trap, _) = offered(bad.iter().cloned().cycle().take(80).collect(), BUNDLE);
    for _ in 0..20 {
        trap.runs(400, trap.agent(Vec::new(), detector(Vec::new())))
            .await;
    }
    let ready = trap.folder.path().join("update/incoming/ready/0.2.0.raucb");
    assert_eq!(std::fs::read(ready).unwrap(), BUNDLE);
    assert_eq!(said(&trap), Some(UpdateState::Ready));
    let held = trap.uplink.held.lock().unwrap();
    let again = held.fetched.iter().filter(|(_, from)| *from == 0).count();
    assert!(again <= 3, "it begins anew {again} times");
    assert!(
        held.captures.len() > 60,
        "records went on: {}",
        held.captures.len()
    );
}

#[tokio::test(start_paused = true)]
async fn bytes_that_are_not_those_of_the_offer_are_refused_for_good() {
    let (trap, _) = offered(Vec::new(), &[8; 50_000]);
    trap.runs(900, trap.agent(Vec::new(), detector(Vec::new())))
        .await;
    let Some(UpdateState::Refused { reason }) = said(&trap) else {
        panic!("{:?}", said(&trap));
    };
    assert!(reason.contains("twice"), "{reason}");
    let fetched = trap.uplink.held.lock().unwrap().fetched.len();
    trap.runs(900, trap.agent(Vec::new(), detector(Vec::new())))
        .await;
    assert_eq!(trap.uplink.held.lock().unwrap().fetched.len(), fetched);
}

#[tokio::test(start_paused = true)]
async fn a_trap_with_one_system_says_so() {
    let (mut trap, _) = offered(Vec::new(), BUNDLE);
    trap.settings += "\n";
    trap.settings = trap
        .settings
        .replace("[update]", "# ")
        .replace("dir = ", "# dir = ");
    trap.runs(130, trap.agent(Vec::new(), detector(Vec::new())))
        .await;
    assert!(
        matches!(said(&trap), Some(UpdateState::Refused { reason }) if reason.contains("one system"))
    );
    assert_eq!(trap.uplink.held.lock().unwrap().fetched, []);
}
