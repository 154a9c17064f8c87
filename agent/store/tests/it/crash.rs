//! The power fails at every single operation, and the card loses what was not
//! synced in every way it can.

use crate::day::{self, OnError};
use crate::laws;
use crate::planted::Planted;
use crate::trap::{LOSSES, Trap};
use std::fs;
use std::io;
use trapline_store::disk::{Loss, SimDisk};

/// The numbers of those operations of the last run that change something; a
/// cut before a mere look is the same as a cut before the next change.
pub(crate) fn changes(disk: &SimDisk) -> Vec<u64> {
    let log = disk.log();
    assert_eq!(u64::try_from(log.len()).unwrap(), disk.operations());
    let looks = ["read ", "list ", "look at ", "free bytes ", "lock "];
    log.iter()
        .zip(1..)
        .filter(|(line, _)| !looks.iter().any(|look| line.starts_with(look)))
        .map(|(_, number)| number)
        .collect()
}

fn changes_of_a_day() -> Vec<u64> {
    let mut trap = Trap::new();
    day::live(&mut trap, OnError::Stop);
    let changes = changes(&trap.disk);
    assert!(changes.len() > 80, "the day is too short: {changes:?}");
    changes
}

/// Lives the day until the cut and comes back with what the card still holds.
pub(crate) fn live_until(planted: Planted, cut: u64, loss: Loss) -> Trap {
    let mut trap = Trap::with(planted);
    trap.disk.cut_at(cut);
    day::live(&mut trap, OnError::Stop);
    assert!(trap.disk.is_off(), "operation {cut} was not reached");
    trap.disk.power_on(loss);
    trap
}

pub(crate) fn recover_and_check(trap: &mut Trap, told: &str) {
    let (ledger, recovery) = trap
        .open()
        .unwrap_or_else(|error| panic!("{told}: {error}"));
    // A file goes only after its row, so a cut never leaves a row that misses its file.
    assert_eq!((recovery.damaged, recovery.gone_but_safe), (0, 0), "{told}");
    laws::check(trap, &ledger);
    drop(ledger);
    let (mut ledger, again) = trap.open().unwrap();
    assert!(
        again.is_quiet(),
        "{told}: the second recovery found {again:?}"
    );
    for number in 100..103 {
        day::prove_usable(trap, &mut ledger, number);
    }
    drop(ledger);
    let (ledger, _) = trap.open().unwrap();
    laws::check(trap, &ledger);
}

#[test]
fn every_promise_survives_a_cut_at_every_operation() {
    for cut in changes_of_a_day() {
        for loss in LOSSES {
            let mut trap = live_until(Planted::Nothing, cut, loss);
            recover_and_check(&mut trap, &format!("cut at {cut} with {loss:?}"));
        }
    }
}

/// The second cut falls into the recovery from the first.
fn cut_recovery_too(loss: Loss) {
    for cut in changes_of_a_day() {
        let mut trap = live_until(Planted::Nothing, cut, loss);
        let card = trap.disk.copy();
        let database = trap.path().join("ledger.sqlite");
        let rows = fs::read(&database).ok();
        let promised = trap.promised.clone();
        trap.disk = card.copy();
        drop(trap.open().unwrap());
        for second in changes(&trap.disk) {
            trap.disk = card.copy();
            trap.promised = promised.clone();
            put_back(&database, rows.as_deref());
            trap.disk.cut_at(second);
            assert!(trap.open().is_err(), "operation {second} was not reached");
            trap.disk.power_on(loss);
            recover_and_check(
                &mut trap,
                &format!("cut at {cut} and at {second} of recovery"),
            );
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test puts the database back as it was before the second cut"
)]
fn put_back(database: &std::path::Path, rows: Option<&[u8]>) {
    match rows {
        Some(rows) => fs::write(database, rows).unwrap(),
        None => drop(fs::remove_file(database)),
    }
}

#[test]
fn recovery_may_be_cut_off_when_all_unsynced_is_lost() {
    cut_recovery_too(LOSSES[1]);
}

#[test]
fn recovery_may_be_cut_off_when_half_is_lost() {
    cut_recovery_too(LOSSES[2]);
}

#[test]
fn a_card_that_refuses_once_breaks_nothing() {
    let mut trap = Trap::new();
    day::live(&mut trap, OnError::GoOn);
    for number in 1..=trap.disk.operations() {
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::Other] {
            let mut trap = Trap::new();
            trap.disk.fail_at(number, kind);
            day::live(&mut trap, OnError::GoOn);
            recover_and_check(&mut trap, &format!("operation {number} fails: {kind}"));
        }
    }
}
