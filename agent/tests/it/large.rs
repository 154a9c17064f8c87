//! What is too large for the way to the server: less goes at a time, and one
//! record that never fits holds up no other.

use crate::devices::{JUNE_MS, detector};
use crate::pictures::fill;
use crate::stages::Trap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;
use trapline_store::disk::SimDisk;
use trapline_store::{Found, Ledger, NewInspection};
use trapline_wire::Sha256;
use trapline_wire::v1::{ClockQuality, DetectionRecord, ModelRef, Stamp};

#[tokio::test(start_paused = true)]
async fn what_goes_through_is_learnt_once() {
    let trap = Trap::with_disk(SimDisk::new());
    fill(&mut trap.open_ledger(), 150);
    trap.uplink.held.lock().unwrap().body_bytes_max = Some(8000);
    trap.runs(290, trap.agent(Vec::new(), detector(Vec::new())))
        .await;
    let held = trap.uplink.held.lock().unwrap();
    assert_eq!((held.captures.len(), held.inspections.len()), (155, 155));
    assert!(held.oversized <= 8, "{} too large", held.oversized);
    assert_eq!(trap.summary().records_waiting, 0);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_never_fits_lets_the_others_go_and_is_tried_again() {
    let mut trap = Trap::with_disk(SimDisk::new());
    trap.settings = trap.settings.replace("\"1m\"", "\"1h\"");
    crowd(&mut trap.open_ledger());
    let held = Arc::clone(&trap.uplink.held);
    held.lock().unwrap().body_bytes_max = Some(30_000);
    let agent = trap.agent(Vec::new(), detector(Vec::new()));
    let story = async {
        sleep(Duration::from_mins(181)).await;
        {
            let mut held = held.lock().unwrap();
            assert!(held.captures.len() >= 4, "its capture and all others");
            assert_eq!(held.inspections.len(), held.captures.len() - 1);
            assert_eq!(held.pictures.len(), held.captures.len());
            assert!(held.oversized <= 8, "{} too large", held.oversized);
            let last = held.heartbeats.last().unwrap();
            let fault = last.faults.iter().find(|fault| fault.part == "records");
            let words = &fault.unwrap().message;
            assert!(words.contains("a proxy says so"), "{words}");
            assert_eq!(trap.summary().records_waiting, 1);
            held.body_bytes_max = None;
        }
        sleep(Duration::from_hours(7)).await;
        let held = held.lock().unwrap();
        assert_eq!(held.inspections.len(), held.captures.len());
        let faults = &held.heartbeats.last().unwrap().faults;
        assert!(faults.iter().all(|fault| fault.part != "records"));
    };
    agent.run(story).await.unwrap();
}

/// One picture with more insects than fit through a small proxy.
fn crowd(ledger: &mut Ledger) {
    fill(ledger, 1);
    let insect = DetectionRecord {
        x_px: 1.5,
        y_px: 2.0,
        width_px: 10.0,
        height_px: 12.0,
        score: 0.9,
        class: "insect".to_owned(),
        track: None,
        carried: false,
    };
    let looked = NewInspection {
        model: ModelRef {
            id: "test-1".to_owned(),
            sha256: Sha256::of(b"model"),
            threshold: 0.5,
        },
        stamp: Stamp {
            unix_ms: JUNE_MS,
            quality: ClockQuality::Synced,
            boot_id: "boot".to_owned(),
            uptime_ms: 1,
        },
        took_ms: 1,
    };
    let fresh = ledger.next_fresh(3).unwrap().unwrap();
    let found = Found::boxes(vec![insect; 1000]);
    ledger.record_detections(fresh, &looked, found).unwrap();
}
