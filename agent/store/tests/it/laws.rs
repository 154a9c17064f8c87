//! The laws of the ledger, checked against what it has promised.

use crate::trap::Trap;
use std::collections::BTreeSet;
use trapline_store::{CaptureRow, Disk as _, InspectionState, Ledger, PictureState, RecordState};
use trapline_wire::Sha256;
use trapline_wire::v1::{EffortOutcome, InspectionOutcome};

/// Checks every law on an open ledger right after recovery.
pub(crate) fn check(trap: &Trap, ledger: &Ledger) {
    let promised = &trap.promised;
    assert_eq!(
        Some(ledger.id()),
        promised.ledger,
        "the ledger keeps its id"
    );
    promised_pictures_are_there(trap, ledger);
    let captures = ledger.captures(None, 10_000).unwrap();
    let mut files_expected = BTreeSet::new();
    for (row, seq) in captures.iter().zip(1..) {
        let id = row.record.id;
        assert_eq!(id.seq, seq, "captures are numbered without gaps");
        match &row.picture {
            PictureState::OnCard | PictureState::Safe => {
                let bytes = ledger.picture(id).expect("a row stands for its file");
                assert_eq!(Sha256::of(&bytes), row.record.picture.sha256);
                files_expected.insert(format!("{id}.jpg"));
            }
            PictureState::Damaged(reason) => panic!("a cut alone damages nothing: {id} {reason}"),
            PictureState::Pruned => {}
        }
        let on_server = promised.on_server.contains(&row.record.picture.sha256);
        assert!(
            on_server || row.picture == PictureState::OnCard,
            "{id} is {:?} and the server never had it",
            row.picture
        );
        assert!(
            row.record_state != RecordState::Stored || promised.records_on_server.contains(&id),
            "the record of {id} is `stored` and the server never had it"
        );
        let ends = ledger.inspections(id).unwrap().len();
        assert_eq!(ends, usize::from(row.inspection != InspectionState::Fresh));
    }
    followed_as_inspected(ledger, &captures);
    shots_are_closed_once(trap, ledger, captures.len());
    files_have_rows(trap, &files_expected);
}

fn promised_pictures_are_there(trap: &Trap, ledger: &Ledger) {
    let promised = &trap.promised;
    for (id, bytes) in &promised.admitted {
        let row = ledger
            .capture(*id)
            .unwrap()
            .expect("an admitted capture has a row");
        if row.picture != PictureState::Pruned {
            assert_eq!(&ledger.picture(*id).unwrap(), bytes, "{id} is whole");
            assert!(!promised.pruned.contains(id), "{id} came back");
        }
        if promised.safe.contains(id) {
            assert_ne!(row.picture, PictureState::OnCard, "{id} stays safe");
        }
        if promised.inspected.contains(id) {
            assert_ne!(
                row.inspection,
                InspectionState::Fresh,
                "{id} stays inspected"
            );
        }
        if promised.records_stored.contains(id) {
            assert_eq!(
                row.record_state,
                RecordState::Stored,
                "{id} is not sent again"
            );
        }
    }
}

/// The follower knows of a picture exactly when its inspection is there.
fn followed_as_inspected(ledger: &Ledger, captures: &[CaptureRow]) {
    let mut shown = Vec::new();
    for row in captures {
        for inspection in ledger.inspections(row.record.id).unwrap() {
            let InspectionOutcome::Seen { detections, .. } = &inspection.record.outcome else {
                continue;
            };
            for track in detections.iter().filter_map(|found| found.track) {
                shown.push((row.record.id, track));
            }
        }
    }
    let Some(followed) = ledger.followed().unwrap() else {
        assert_eq!(shown, [], "nothing is followed without a follower");
        return;
    };
    let last = u64::from_le_bytes(followed.state.try_into().unwrap());
    assert_eq!(u64::try_from(shown.len()).unwrap(), last + 1);
    assert_eq!(shown.last().map(|(id, _)| *id), Some(followed.capture));
    let tracks = ledger.tracks(None, 10_000).unwrap();
    assert_eq!(tracks.len(), 1, "one insect was followed");
    for track in tracks {
        assert!(shown.iter().all(|(_, seq)| *seq == track.record.id.seq));
        assert_eq!(Some(track.record.first), shown.first().map(|(id, _)| *id));
        let seen = usize::try_from(track.record.seen).unwrap();
        assert!(
            seen <= shown.len() && shown.len() < 2 * seen,
            "told in time"
        );
    }
}

fn shots_are_closed_once(trap: &Trap, ledger: &Ledger, captures: usize) {
    let efforts = ledger.efforts(None, 10_000).unwrap();
    let mut done = BTreeSet::new();
    for (row, seq) in efforts.iter().zip(1..) {
        // An open row would be left out and leave a gap.
        assert_eq!(row.record.id.seq, seq, "every shot is closed");
        if let EffortOutcome::Done { capture } = row.record.outcome {
            assert!(done.insert(capture), "{capture} ends two shots");
        }
    }
    assert_eq!(done.len(), captures, "every capture ends a shot");
    let closed: BTreeSet<_> = efforts.iter().map(|row| row.record.id).collect();
    assert!(
        trap.promised.opened.is_subset(&closed),
        "every opened shot is in the ledger"
    );
}

fn files_have_rows(trap: &Trap, expected: &BTreeSet<String>) {
    let pictures = trap.path().join("pictures");
    let mut found = BTreeSet::new();
    for folder in trap.disk.list(&pictures).unwrap() {
        let entries = trap.disk.list(&pictures.join(&folder.name)).unwrap();
        if folder.name == "tmp" {
            assert_eq!(entries, [], "nothing unfinished stays");
        }
        found.extend(entries.into_iter().map(|entry| entry.name));
    }
    assert_eq!(&found, expected, "the card holds the pictures of the rows");
}
