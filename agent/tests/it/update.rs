//! The trial of new software, with stages that work and stages that do not, in
//! virtual time.

use crate::devices::{Shot, detector};
use crate::stages::Trap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use trapline_agent::update::trial::{Report, camera_failed_before, prove};
use trapline_store::{Held, OsDisk};

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
    assert_eq!(
        capture.seq,
        before + 1,
        "it goes on with the ledger's numbers"
    );
    assert!(began.elapsed() < Duration::from_secs(60));
    assert_eq!(copy.summary().captures, before + 1);
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
    assert!(why.starts_with("no capture within 600 s: "), "{why}");
    assert_eq!(trap.summary().captures, 0);
}
