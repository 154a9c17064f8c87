//! Starts of a card with two slots, with a RAUC that is a shell script over a folder.

use super::*;
use crate::update::record::{incoming_dir, leave_trial};
use crate::update::trial::Report;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

/// What the script keeps of a slot: content, and `good` or `bad`.
struct Card {
    folder: tempfile::TempDir,
    boots: u32,
}

impl Card {
    fn new() -> Self {
        let card = Self {
            folder: tempfile::tempdir().unwrap(),
            boots: 0,
        };
        std::fs::create_dir_all(incoming_dir(&card.dir())).unwrap();
        card.holds("A", "", "good");
        card.holds("B", "", "bad");
        let script = r#"#!/bin/sh
cd "$(dirname "$0")" || exit 1
echo "$*" >>calls
[ -e broken ] && { echo "no such bus" >&2; exit 1; }
[ "$2" = --detailed ] || exit 0
one() {
  printf '{"rootfs.%s":{"bootname":"%s","state":"inactive","boot_status":"%s",' "$1" "$1" "$(cat "$1.status")"
  printf '"slot_status":{"bundle":{"version":"%s"},"checksum":{"sha256":%s}}}}' "$(cat "$1.version")" "$(cat "$1.content")"
}
printf '{"slots":['; one A; printf ,; one B; printf ']}'
"#;
        let program = card.folder.path().join("rauc");
        write(&program, script);
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        card
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("update")
    }

    fn holds(&self, slot: &str, version: &str, status: &str) {
        let content = if version.is_empty() {
            "null".to_owned()
        } else {
            format!("\"{version}\"")
        };
        for (what, text) in [
            ("version", version),
            ("content", &content),
            ("status", status),
        ] {
            write(&self.folder.path().join(format!("{slot}.{what}")), text);
        }
    }

    /// What an installation leaves.
    fn installed(&self, version: &str) {
        self.holds("B", version, "good");
        let mut record = self.record();
        record.update = Some(Update {
            version: version.to_owned(),
            sha256: format!("bundle of {version}"),
            state: UpdateState::Installed,
            since_ms: 1,
        });
        record.keep(&self.dir()).unwrap();
    }

    fn record(&self) -> Record {
        Record::read(&self.dir()).unwrap()
    }

    /// A start of this slot.
    fn boot(&mut self, slot: &str) -> Place {
        self.boots += 1;
        let run_dir = self.folder.path().join(format!("run-{}", self.boots));
        Place {
            dir: self.dir(),
            run_dir,
            slot: slot.to_owned(),
            is_counted: true,
            takes_updates: true,
            rauc: Rauc::new(&self.folder.path().join("rauc")),
        }
    }

    fn calls(&self) -> Vec<String> {
        let file = self.folder.path().join("calls");
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let _none = std::fs::remove_file(file);
        let marks = text.lines().filter(|line| line.contains("mark"));
        marks.map(str::to_owned).collect()
    }
}

#[expect(clippy::disallowed_methods, reason = "test files need no durability")]
fn write(file: &Path, text: &str) {
    std::fs::write(file, text).unwrap();
}

fn may_upgrade(place: &Place) -> bool {
    let upgrade = permission::upgrade(Some(&place.slot), &place.run_dir);
    upgrade == trapline_store::Upgrade::Allowed
}

#[test]
fn a_fresh_card_has_nothing_to_go_back_to_and_holds_no_trial() {
    let mut card = Card::new();
    // Both slots may hold the same system from the start.
    card.holds("B", "", "good");
    for _ in 0..3 {
        let place = card.boot("A");
        assert_eq!(settle(&place, 5).unwrap(), Settled::Good);
        assert!(may_upgrade(&place));
        assert_eq!(card.calls(), ["status mark-good booted"]);
    }
    assert_eq!(card.record().current.as_deref(), Some("A"));
}

#[test]
fn a_new_slot_is_good_after_its_trial_and_not_before() {
    let mut card = Card::new();
    settle(&card.boot("A"), 5).unwrap();
    card.installed("0.2.0");
    card.calls();
    let place = card.boot("B");
    assert_eq!(settle(&place, 6).unwrap(), Settled::Trial);
    assert!(permission::is_trial_wanted(&place.run_dir) && !may_upgrade(&place));
    assert_eq!(card.calls(), [""; 0]);
    confirm(&place, 7).unwrap();
    assert!(may_upgrade(&place));
    assert_eq!(card.calls(), ["status mark-good booted"]);
    let record = card.record();
    assert_eq!(record.update.unwrap().state, UpdateState::Confirmed);
    assert_eq!(record.current.as_deref(), Some("B"));
    assert_eq!(settle(&card.boot("B"), 8).unwrap(), Settled::Good);
}

#[test]
fn an_update_that_failed_is_taken_back_with_its_reason_and_not_started_again() {
    let mut card = Card::new();
    settle(&card.boot("A"), 5).unwrap();
    card.installed("0.2.0");
    for _ in 0..3 {
        let place = card.boot("B");
        assert_eq!(settle(&place, 6).unwrap(), Settled::Trial);
        let report = Report::of(
            Err("no capture within 600 s".to_owned()),
            Duration::from_mins(10),
        );
        leave_trial(&place.dir, &report).unwrap();
        trial_ended(&place, "exit-code").unwrap();
        assert!(!may_upgrade(&place));
    }
    card.calls();
    let place = card.boot("A");
    assert_eq!(settle(&place, 9).unwrap(), Settled::Good);
    assert!(may_upgrade(&place));
    assert_eq!(
        card.calls(),
        ["status mark-bad rootfs.B", "status mark-good booted"]
    );
    let record = card.record();
    let reason = "no capture within 600 s".to_owned();
    assert_eq!(
        record.update.as_ref().unwrap().state,
        UpdateState::Returned { reason }
    );
    assert!(record.refusal("bundle of 0.2.0").is_some());
    assert_eq!(settle(&card.boot("A"), 10).unwrap(), Settled::Good);
    assert_eq!(card.calls(), ["status mark-good booted"]);
}

#[test]
fn a_trial_without_a_word_is_told_as_such() {
    let mut card = Card::new();
    settle(&card.boot("A"), 5).unwrap();
    card.installed("0.2.0");
    let place = card.boot("B");
    settle(&place, 6).unwrap();
    trial_ended(&place, "success").unwrap();
    assert_eq!(card.record().trial_failure, None);
    trial_ended(&place, "timeout").unwrap();
    settle(&card.boot("A"), 7).unwrap();
    let reason = "its trial did not end in time".to_owned();
    let state = card.record().update.unwrap().state;
    assert_eq!(state, UpdateState::Returned { reason });
}

#[test]
fn a_kernel_that_never_came_up_is_told_too() {
    let mut card = Card::new();
    settle(&card.boot("A"), 5).unwrap();
    card.installed("0.2.0");
    card.holds("B", "0.2.0", "bad");
    settle(&card.boot("A"), 7).unwrap();
    let state = card.record().update.unwrap().state;
    assert!(
        matches!(state, UpdateState::Returned { reason } if reason.contains("did not come up"))
    );
}

#[test]
fn an_update_by_hand_is_tried_as_well() {
    let mut card = Card::new();
    settle(&card.boot("A"), 5).unwrap();
    card.holds("B", "0.3.0", "good");
    let place = card.boot("B");
    assert_eq!(settle(&place, 6).unwrap(), Settled::Trial);
    confirm(&place, 7).unwrap();
    let update = card.record().update.unwrap();
    assert_eq!(
        (update.version.as_str(), update.state),
        ("0.3.0", UpdateState::Confirmed)
    );
}

#[test]
fn starts_that_a_weak_battery_cut_do_not_bring_the_old_system_back_for_good() {
    let mut card = Card::new();
    settle(&card.boot("A"), 5).unwrap();
    card.installed("0.2.0");
    let place = card.boot("B");
    settle(&place, 6).unwrap();
    confirm(&place, 7).unwrap();
    card.calls();
    for _ in 0..SENT_BACK_MAX {
        let place = card.boot("A");
        assert_eq!(settle(&place, 8).unwrap(), Settled::Restart);
        assert!(!may_upgrade(&place));
        assert_eq!(card.calls(), ["status mark-active rootfs.B"]);
    }
    assert_eq!(settle(&card.boot("A"), 9).unwrap(), Settled::Good);
    assert_eq!(card.record().current.as_deref(), Some("A"));
}

#[test]
fn a_slot_whose_starts_nobody_counts_is_never_started_over_and_over() {
    let mut card = Card::new();
    settle(&card.boot("A"), 5).unwrap();
    card.holds("B", "0.3.0", "good");
    let mut place = card.boot("B");
    place.is_counted = false;
    assert_eq!(settle(&place, 6).unwrap(), Settled::Good);
    write(&card.folder.path().join("broken"), "");
    let mut place = card.boot("A");
    place.is_counted = false;
    assert_eq!(settle(&place, 6).unwrap(), Settled::Good);
    assert!(may_upgrade(&place));
}

#[test]
fn the_good_slot_starts_without_asking_rauc() {
    let mut card = Card::new();
    settle(&card.boot("A"), 5).unwrap();
    card.calls();
    let mut place = card.boot("A");
    place.is_counted = false;
    assert_eq!(settle(&place, 6).unwrap(), Settled::Good);
    assert!(may_upgrade(&place) && card.calls().is_empty());
    // After an update that did not come up there is something to write down.
    card.installed("0.2.0");
    let mut place = card.boot("A");
    place.is_counted = false;
    assert_eq!(settle(&place, 7).unwrap(), Settled::Good);
    assert_eq!(
        card.calls(),
        ["status mark-bad rootfs.B", "status mark-good booted"]
    );
}

#[test]
fn a_card_that_takes_no_updates_starts_without_rauc() {
    let mut card = Card::new();
    let mut place = card.boot("A");
    (place.is_counted, place.takes_updates) = (false, false);
    assert_eq!(settle(&place, 6).unwrap(), Settled::Good);
    assert!(may_upgrade(&place) && !card.folder.path().join("calls").exists());
}

#[test]
fn without_rauc_only_a_slot_that_was_good_goes_on() {
    let mut card = Card::new();
    settle(&card.boot("A"), 5).unwrap();
    write(&card.folder.path().join("broken"), "");
    assert_eq!(settle(&card.boot("A"), 6).unwrap(), Settled::Good);
    let why = settle(&card.boot("B"), 6).unwrap_err().to_string();
    assert!(
        why.contains("not known to be good") && why.contains("no such bus"),
        "{why}"
    );
}
