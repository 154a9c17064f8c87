//! Pictures that do not get through, by the server's fault or the card's: the
//! others go, and so does all news.

use crate::devices::{JUNE_MS, TestClock, detector, jpeg};
use crate::stages::Trap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;
use trapline_agent::moment::wire_stamp;
use trapline_hal::Clock as _;
use trapline_store::disk::SimDisk;
use trapline_store::{Ledger, NewCapture, Worth};
use trapline_wire::Sha256;
use trapline_wire::v1::{CaptureSource, ShotCause, ShotFacts};

fn file_of(trap: &Trap, number: u64) -> PathBuf {
    let name = format!("pictures/0/7f3a9c21-{number:08}.jpg");
    trap.folder.path().join(name)
}

#[tokio::test(start_paused = true)]
async fn a_picture_that_the_server_refuses_lets_the_others_go() {
    let trap = Trap::new(Vec::new());
    trap.uplink.held.lock().unwrap().refuses = vec![Sha256::of(&jpeg(2))];
    trap.runs(290, trap.agent(Vec::new(), detector(Vec::new())))
        .await;
    let held = trap.uplink.held.lock().unwrap();
    assert_eq!((held.captures.len(), held.pictures.len()), (5, 4));
    assert!(
        held.requests < 60,
        "{} requests in five minutes",
        held.requests
    );
    assert_eq!(trap.summary().pictures_waiting, 1);
}

#[tokio::test(start_paused = true)]
async fn a_picture_that_the_card_does_not_give_back_holds_nothing_up() {
    let disk = SimDisk::new();
    let mut trap = Trap::with_disk(disk.clone());
    trap.settings.push_str("[detector]\nenabled = false\n");
    let file = file_of(&trap, 2);
    disk.set_readable(&file, false);
    let agent = trap.agent(Vec::new(), detector(Vec::new()));
    let health = Arc::clone(&agent.desk().health);
    let held = Arc::clone(&trap.uplink.held);
    let story = async {
        sleep(Duration::from_secs(890)).await;
        {
            let held = held.lock().unwrap();
            assert_eq!((held.captures.len(), held.pictures.len()), (15, 14));
            let last = held.heartbeats.last().unwrap();
            assert_eq!((last.records_waiting, last.pictures_waiting), (0, 1));
            let fault = last.faults.iter().find(|fault| fault.part == "pictures");
            let words = &fault.unwrap().message;
            assert!(words.contains("7f3a9c21-00000002"), "{words}");
        }
        let read = format!("read {}", file.display());
        let reads = disk.log().iter().filter(|line| **line == read).count();
        assert_eq!(reads, 1, "in a quarter of an hour");
        disk.set_readable(&file, true);
        sleep(Duration::from_secs(3600)).await;
        let held = held.lock().unwrap();
        assert_eq!(
            held.pictures.len(),
            held.captures.len(),
            "it was tried again"
        );
        assert!(!health.facts().faults.contains_key("pictures"));
    };
    agent.run(story).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_block_that_wears_out_during_an_upload_is_no_end() {
    let disk = SimDisk::new();
    let trap = Trap::with_disk(disk.clone());
    let held = Arc::clone(&trap.uplink.held);
    held.lock().unwrap().loses_pieces = true;
    let story = async {
        sleep(Duration::from_secs(30)).await;
        disk.set_readable(&file_of(&trap, 1), false);
        held.lock().unwrap().loses_pieces = false;
        sleep(Duration::from_secs(260)).await;
        let held = held.lock().unwrap();
        assert_eq!((held.captures.len(), held.pictures.len()), (5, 4));
    };
    let agent = trap.agent(Vec::new(), detector(Vec::new()));
    agent.run(story).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn thousands_of_refused_pictures_rest_like_one() {
    let mut trap = Trap::with_disk(SimDisk::new());
    trap.settings.push_str("[detector]\nenabled = false\n");
    fill(&mut trap.open_ledger(), 1100);
    trap.uplink.held.lock().unwrap().refuses_all = true;
    trap.runs(890, trap.agent(Vec::new(), detector(Vec::new())))
        .await;
    let held = trap.uplink.held.lock().unwrap();
    // One question and one upload for each picture, and what is said each minute.
    assert!(held.requests < 2 * 1115 + 100, "{} requests", held.requests);
    assert_eq!(held.captures.len(), 1115);
}

/// Takes so many pictures before the agent starts.
pub(crate) fn fill(ledger: &mut Ledger, pictures: u16) {
    for number in 1..=pictures {
        let stamp = wire_stamp(&TestClock::new().stamp());
        let new = NewCapture {
            stamp: stamp.clone(),
            source: CaptureSource::Simulated,
            width_px: None,
            height_px: None,
            reading: None,
            cause: ShotCause::Schedule,
            shot: ShotFacts::default(),
            worth: Worth::Known(None),
        };
        let due_ms = JUNE_MS - 86_400_000 + i64::from(number);
        let planned = ledger.open_shot(due_ms, &stamp).unwrap();
        ledger.admit(planned, new, &number.to_be_bytes()).unwrap();
    }
}
