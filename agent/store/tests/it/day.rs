//! A scripted day: every transition of the ledger at least once, with the
//! promises written down as they are given.

use crate::planted::Planted;
use crate::trap::{
    Trap, detection, following, jpeg, new_capture, new_inspection, new_reading, receipt, stamp,
};
use rusqlite::Connection;
use trapline_store::{
    BatchLimits, Found, Ledger, NextPicture, PassOver, PictureOrder, Planned, Returned, Span,
    StoreError,
};
use trapline_wire::v1::MissReason;
use trapline_wire::{CaptureId, Sha256};

/// What the day does about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnError {
    /// The power is off: the day is over.
    Stop,
    /// The card refused once: the agent goes on as well as it can.
    GoOn,
}

type Step = fn(&mut Trap, &mut Ledger) -> Result<(), StoreError>;

const MORNING: [Step; 12] = [
    |trap, ledger| shoot(trap, ledger, 1),
    |trap, ledger| shoot(trap, ledger, 2),
    |trap, ledger| inspect(trap, ledger, false),
    miss,
    span,
    |trap, ledger| shoot(trap, ledger, 3),
    |trap, ledger| inspect(trap, ledger, true),
    send_records,
    send_picture,
    fail_picture,
    send_picture,
    prune,
];

const EVENING: [Step; 6] = [
    |trap, ledger| shoot(trap, ledger, 4),
    send_records,
    receive_unasked,
    prune,
    |trap, ledger| inspect(trap, ledger, false),
    leave_open,
];

/// Lives through the day; the ledger is closed at its end.
pub(crate) fn live(trap: &mut Trap, on_error: OnError) {
    for part in [&MORNING[..], &EVENING[..]] {
        let mut ledger = match (trap.open(), on_error) {
            (Ok((ledger, _)), _) => ledger,
            (Err(_), OnError::Stop) => return,
            (Err(_), OnError::GoOn) => trap.open().expect("the card refused only once").0,
        };
        for step in part {
            if step(trap, &mut ledger).is_err() && on_error == OnError::Stop {
                return;
            }
        }
    }
}

/// One whole turn of a ledger that must work.
pub(crate) fn prove_usable(trap: &mut Trap, ledger: &mut Ledger, number: i64) {
    shoot(trap, ledger, number).expect("a shot is admitted");
    inspect(trap, ledger, false).expect("a picture is inspected");
    miss(trap, ledger).expect("a shot is missed");
    while !ledger.outgoing(BatchLimits::default()).unwrap().is_empty() {
        send_records(trap, ledger).expect("records are sent");
    }
    receive_unasked(trap, ledger).expect("a receipt is taken");
    send_picture(trap, ledger).expect("a picture is sent");
    prune(trap, ledger).expect("a picture is pruned");
}

fn shoot(trap: &mut Trap, ledger: &mut Ledger, minute: i64) -> Result<(), StoreError> {
    let planned = open(trap, ledger, minute)?;
    let bytes = jpeg(minute.unsigned_abs());
    match ledger.admit(planned, new_capture(minute), &bytes) {
        Ok(id) => {
            let before = trap.promised.admitted.insert(id, bytes);
            assert_eq!(before, None, "capture {id} was given twice");
            Ok(())
        }
        Err(Returned { token, error }) => {
            let reason = MissReason::Disk;
            drop(ledger.miss(token, reason, &error.to_string(), &stamp(minute)));
            Err(error)
        }
    }
}

fn open(trap: &mut Trap, ledger: &mut Ledger, minute: i64) -> Result<Planned, StoreError> {
    let planned = ledger.open_shot(stamp(minute).unix_ms, &stamp(minute))?;
    assert!(
        trap.promised.opened.insert(planned.id()),
        "shot {} was given twice",
        planned.id()
    );
    Ok(planned)
}

fn miss(trap: &mut Trap, ledger: &mut Ledger) -> Result<(), StoreError> {
    let planned = open(trap, ledger, 10)?;
    ledger.record_reading(&new_reading(10))?;
    ledger
        .miss(planned, MissReason::Camera, "no answer", &stamp(10))
        .map_err(|returned| returned.error)?;
    Ok(())
}

fn leave_open(trap: &mut Trap, ledger: &mut Ledger) -> Result<(), StoreError> {
    let _lost_with_the_power = open(trap, ledger, 11)?;
    Ok(())
}

fn span(trap: &mut Trap, ledger: &mut Ledger) -> Result<(), StoreError> {
    let off = Span {
        due_ms: stamp(12).unix_ms,
        last_due_ms: stamp(49).unix_ms,
        shots: 37,
    };
    let id = ledger.miss_span(off, MissReason::Off, "no power", &stamp(50))?;
    trap.promised.opened.insert(id);
    Ok(())
}

fn number_in(state: &[u8]) -> u64 {
    u64::from_le_bytes(state.try_into().expect("eight bytes"))
}

fn inspect(trap: &mut Trap, ledger: &mut Ledger, fails: bool) -> Result<(), StoreError> {
    let Some(fresh) = ledger.next_fresh(3)? else {
        return Ok(());
    };
    let capture = fresh.capture();
    let ended = if fails || fresh.exhausted() {
        ledger.give_up(fresh, &new_inspection(5), "not a JPEG")
    } else {
        let frame = match ledger.followed()? {
            None => 0,
            Some(last) => number_in(&last.state) + 1,
        };
        let mut found = Found::boxes(vec![detection(0.3), detection(0.9)]);
        found.detections[1].track = Some(1);
        found.following = Some(following(frame, 1));
        ledger.record_detections(fresh, &new_inspection(5), found)
    };
    ended?;
    trap.promised.inspected.insert(capture);
    Ok(())
}

fn send_records(trap: &mut Trap, ledger: &mut Ledger) -> Result<(), StoreError> {
    let outgoing = ledger.outgoing(BatchLimits::default())?;
    let captures = outgoing.batch().captures.iter().map(|record| record.id);
    if trap.planted != Planted::UnheardIsDelivered {
        trap.promised.records_on_server.extend(captures.clone());
    }
    ledger.mark_records_stored(&outgoing, &[])?;
    trap.promised.records_stored.extend(captures);
    Ok(())
}

fn send_picture(trap: &mut Trap, ledger: &mut Ledger) -> Result<(), StoreError> {
    let NextPicture::Ready(picture) =
        ledger.next_picture(PictureOrder::OldestFirst, &PassOver::default())?
    else {
        return Ok(());
    };
    let bytes = ledger.read_picture(&picture, 0, 10_000)?;
    assert_eq!(Sha256::of(&bytes), picture.sha256());
    if trap.planted == Planted::DeleteBeforeReceipt {
        delete_at_once(trap, ledger, picture.capture())?;
    }
    // From here on the server has it, whether or not the ledger learns of it.
    trap.promised.on_server.insert(picture.sha256());
    let proof = receipt(picture.sha256(), picture.size_bytes());
    let capture = picture.capture();
    ledger
        .mark_received(picture, &proof)
        .map_err(|returned| returned.error)?;
    trap.promised.safe.insert(capture);
    Ok(())
}

fn delete_at_once(
    trap: &mut Trap,
    ledger: &mut Ledger,
    capture: CaptureId,
) -> Result<(), StoreError> {
    call_safe(trap, capture);
    ledger.prune(capture)?;
    trap.promised.pruned.insert(capture);
    Ok(())
}

/// Past the ledger, which does not let itself be talked into it.
fn call_safe(trap: &Trap, capture: CaptureId) {
    let database = Connection::open(trap.path().join("ledger.sqlite")).expect("a database");
    let sql = "UPDATE captures SET picture = 'safe', received_ms = 1 WHERE seq = ?1";
    database.execute(sql, [capture.seq]).expect("a row");
}

fn fail_picture(_trap: &mut Trap, ledger: &mut Ledger) -> Result<(), StoreError> {
    match ledger.next_picture(PictureOrder::NewestFirst, &PassOver::default())? {
        NextPicture::Ready(picture) => ledger.picture_failed(picture, "checksum mismatch"),
        NextPicture::Damaged { .. } | NextPicture::Unreadable { .. } | NextPicture::Nothing => {
            Ok(())
        }
    }
}

/// The server has a picture already and says so in the reply to a sync.
fn receive_unasked(trap: &mut Trap, ledger: &mut Ledger) -> Result<(), StoreError> {
    let NextPicture::Ready(picture) =
        ledger.next_picture(PictureOrder::OldestFirst, &PassOver::default())?
    else {
        return Ok(());
    };
    trap.promised.on_server.insert(picture.sha256());
    let proof = receipt(picture.sha256(), picture.size_bytes());
    let capture = picture.capture();
    drop(picture);
    ledger.mark_safe_by_receipt(&proof)?;
    trap.promised.safe.insert(capture);
    Ok(())
}

fn prune(trap: &mut Trap, ledger: &mut Ledger) -> Result<(), StoreError> {
    for prunable in ledger.prunable(1)? {
        ledger.prune(prunable.capture)?;
        trap.promised.pruned.insert(prunable.capture);
    }
    Ok(())
}
