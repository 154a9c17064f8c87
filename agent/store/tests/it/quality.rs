//! What a picture is worth: its record waits for it, and never for ever.

use crate::trap::{Trap, jpeg, new_capture, stamp};
use trapline_store::{BatchLimits, Ledger, NewCapture, Worth};
use trapline_wire::CaptureId;
use trapline_wire::v1::{PictureFlaw, PictureQuality, ShotCause, ShotFacts};

fn dark() -> PictureQuality {
    PictureQuality {
        sharpness: 0.3,
        mean_luma: f32::NAN,
        flaws: vec![PictureFlaw::Dark],
        ..PictureQuality::default()
    }
}

fn take(ledger: &mut Ledger, minute: i64) -> CaptureId {
    let planned = ledger.open_shot(minute * 60_000, &stamp(minute)).unwrap();
    let new = NewCapture {
        cause: ShotCause::Trigger,
        shot: ShotFacts {
            gain: Some(f64::INFINITY),
            exposure_us: Some(40),
            ..ShotFacts::default()
        },
        worth: Worth::Later,
        ..new_capture(minute)
    };
    let bytes = jpeg(u64::try_from(minute).unwrap());
    ledger.admit(planned, new, &bytes).unwrap()
}

fn sent(ledger: &Ledger) -> Vec<CaptureId> {
    let outgoing = ledger.outgoing(BatchLimits::default()).unwrap();
    outgoing.batch().captures.iter().map(|one| one.id).collect()
}

#[test]
fn a_record_waits_until_its_picture_was_measured() {
    let mut trap = Trap::new();
    let (mut ledger, _) = trap.open().unwrap();
    assert_eq!(ledger.next_capture_id().unwrap().seq, 1);
    let first = take(&mut ledger, 1);
    assert_eq!(sent(&ledger), []);
    ledger.record_quality(first, Some(&dark())).unwrap();
    assert_eq!(sent(&ledger), [first]);
    let outgoing = ledger.outgoing(BatchLimits::default()).unwrap();
    let record = &outgoing.batch().captures[0];
    assert_eq!(record.cause, Some(ShotCause::Trigger));
    let shot = record.shot.clone().unwrap();
    assert_eq!((shot.gain, shot.exposure_us), (None, Some(40)));
    assert_eq!(record.flaws(), [PictureFlaw::Dark]);
    // What was said once stays, because it may be on the server.
    ledger.record_quality(first, None).unwrap();
    assert_eq!(
        ledger.recent_quality(3).unwrap()[0].as_ref().unwrap().flaws,
        [PictureFlaw::Dark]
    );
    // Neither a failed write nor a cut keeps a record for ever.
    let second = take(&mut ledger, 2);
    let third = take(&mut ledger, 3);
    ledger.record_quality(third, None).unwrap();
    assert_eq!(sent(&ledger), [third, second, first]);
    let fourth = take(&mut ledger, 4);
    assert_eq!(sent(&ledger), [third, second, first]);
    drop(ledger);
    let (ledger, _) = trap.open().unwrap();
    assert_eq!(sent(&ledger), [fourth, third, second, first]);
    let worth = ledger.recent_quality(4).unwrap();
    assert_eq!(
        worth.iter().map(Option::is_some).collect::<Vec<_>>(),
        [false, false, false, true]
    );
}

#[test]
fn pictures_from_before_they_were_measured_are_carried_on() {
    let mut trap = Trap::new();
    let file = trap.path().join("ledger.sqlite");
    let connection = rusqlite::Connection::open(&file).unwrap();
    for schema in [
        include_str!("../../schema/0001.sql"),
        include_str!("../../schema/0002.sql"),
        include_str!("../../schema/0003.sql"),
        include_str!("../../schema/0004.sql"),
        "INSERT INTO ledger VALUES (1, '7f3a9c21', 1, 'rtc', 'boot', 1);
         INSERT INTO captures (unix_ms, clock, boot_id, uptime_ms, source, source_name,
                               sha256, size_bytes, picture, record)
         VALUES (1000, 'rtc', 'boot', 1, 'camera', 'imx708', zeroblob(32), 3, 'pruned', 'stored'),
                (2000, 'rtc', 'boot', 2, 'simulated', '', zeroblob(32), 3, 'pruned', 'waiting');
         PRAGMA application_id = 1416782192; PRAGMA user_version = 4;",
    ] {
        connection.execute_batch(schema).unwrap();
    }
    drop(connection);
    let (mut ledger, _) = trap.open().unwrap();
    assert_eq!(sent(&ledger).len(), 1);
    let third = take(&mut ledger, 3);
    ledger.record_quality(third, Some(&dark())).unwrap();
    let rows = ledger.captures(None, 10).unwrap();
    let causes: Vec<_> = rows.iter().map(|row| row.record.cause).collect();
    assert_eq!(causes, [None, None, Some(ShotCause::Trigger)]);
    assert_eq!(rows[0].record.quality, None);
    assert_eq!(ledger.recent_quality(10).unwrap().len(), 3);
}
