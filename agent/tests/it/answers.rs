//! What lost answers cost: questions, and not what was sent before.

use crate::devices::detector;
use crate::stages::Trap;
use trapline_store::{Found, Ledger, NewCapture, NewInspection, Returned, Worth};
use trapline_wire::Sha256;
use trapline_wire::v1::{
    CaptureSource, ClockQuality, DetectionRecord, ModelRef, ShotCause, ShotFacts, Stamp,
};

/// Bytes of the head of one request over HTTP, about.
const HEAD_BYTES: usize = 400;
const CAPTURES: u64 = 168;
const PICTURE_BYTES: usize = 50_000;

fn stamp(hour: u64) -> Stamp {
    Stamp {
        unix_ms: crate::devices::JUNE_MS - 3_600_000 * i64::try_from(CAPTURES - hour).unwrap(),
        quality: ClockQuality::Synced,
        boot_id: "b0000000-0000-4000-8000-000000000001".to_owned(),
        uptime_ms: hour * 3_600_000,
    }
}

/// A capture each hour of a week without a link, each with its boxes.
fn a_week(ledger: &mut Ledger) {
    for hour in 0..CAPTURES {
        let now = stamp(hour);
        let planned = ledger.open_shot(now.unix_ms, &now).unwrap();
        let capture = NewCapture {
            stamp: now.clone(),
            source: CaptureSource::Replayed {
                file_name: format!("{hour}.jpg"),
            },
            width_px: None,
            height_px: None,
            reading: None,
            cause: ShotCause::Schedule,
            shot: ShotFacts::default(),
            worth: Worth::Known(None),
        };
        let picture = hour.to_le_bytes().repeat(PICTURE_BYTES / 8);
        let admitted = ledger.admit(planned, capture, &picture);
        admitted.map_err(|Returned { error, .. }| error).unwrap();
        let fresh = ledger.next_fresh(1).unwrap().unwrap();
        let inspection = NewInspection {
            model: ModelRef {
                id: "m".to_owned(),
                sha256: Sha256::of(b"m"),
                threshold: 0.5,
            },
            stamp: now,
            took_ms: 1,
        };
        let seen = DetectionRecord {
            x_px: 1.5,
            y_px: 2.5,
            width_px: 9.5,
            height_px: 8.5,
            score: 0.75,
            class: "insect".to_owned(),
            track: None,
            carried: false,
        };
        let found = Found::boxes(vec![seen; 20]);
        ledger.record_detections(fresh, &inspection, found).unwrap();
    }
}

/// Bytes that the trap sent until all was there, heads of requests included.
async fn sent_bytes(loses_every_second: bool) -> usize {
    let mut trap = Trap::new(Vec::new());
    "[camera]\nkind = \"none\"\n[schedule]\nevery = \"24h\"\n".clone_into(&mut trap.settings);
    a_week(&mut trap.open_ledger());
    trap.uplink.held.lock().unwrap().loses_every_second = loses_every_second;
    trap.runs(7200, trap.agent(Vec::new(), detector(Vec::new())))
        .await;
    let held = trap.uplink.held.lock().unwrap();
    assert!(held.pictures.len() >= usize::try_from(CAPTURES).unwrap());
    assert_eq!(trap.summary().records_waiting, 0);
    assert_eq!(trap.summary().pictures_waiting, 0);
    held.body_bytes + HEAD_BYTES * held.requests
}

#[tokio::test(start_paused = true)]
async fn every_second_answer_lost_costs_a_twentieth_at_most() {
    let (good, lossy) = (sent_bytes(false).await, sent_bytes(true).await);
    assert!(good > usize::try_from(CAPTURES).unwrap() * PICTURE_BYTES);
    assert!(
        lossy > good,
        "lost answers cost something: {lossy} of {good}"
    );
    assert!(lossy * 100 <= good * 105, "{lossy} bytes instead of {good}");
}
