//! Installations with a RAUC that is a shell script: it knows one signature.

use super::*;
use crate::update::rauc::Rauc;

struct Card {
    folder: tempfile::TempDir,
}

impl Card {
    /// A card whose running slot is confirmed.
    fn new() -> Self {
        let card = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        std::fs::create_dir_all(ready_dir(&card.place().dir)).unwrap();
        permission::confirm("A", &card.place().run_dir).unwrap();
        let script = r#"#!/bin/sh
cd "$(dirname "$0")" || exit 1
for file; do :; done
grep -q signed "$file" || { echo "signature verification failed: unknown issuer" >&2; exit 1; }
case "$1" in
info) echo '{"compatible":"trapline","version":"0.2.0"}' ;;
install) echo "$*" >>calls; [ ! -e full ] || { echo "no space left on slot" >&2; exit 1; } ;;
esac
"#;
        let program = card.folder.path().join("rauc");
        write(&program, script);
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        card
    }

    fn place(&self) -> Place {
        Place {
            dir: self.folder.path().join("update"),
            run_dir: self.folder.path().join("run"),
            slot: "A".to_owned(),
            is_counted: false,
            takes_updates: true,
            rauc: Rauc::new(&self.folder.path().join("rauc")),
        }
    }

    fn lay(&self, text: &str) {
        write(&ready_dir(&self.place().dir).join("offered.raucb"), text);
    }

    fn record(&self) -> Record {
        Record::read(&self.place().dir).unwrap()
    }

    fn installs(&self) -> usize {
        let calls = std::fs::read_to_string(self.folder.path().join("calls"));
        calls.unwrap_or_default().lines().count()
    }
}

#[expect(clippy::disallowed_methods, reason = "test files need no durability")]
fn write(file: &Path, text: &str) {
    std::fs::write(file, text).unwrap();
}

#[test]
fn a_bundle_that_was_laid_is_installed_once() {
    let card = Card::new();
    assert_eq!(waiting(&card.place(), 1).unwrap(), Outcome::Nothing);
    card.lay("signed");
    let version = "0.2.0".to_owned();
    let installed = Outcome::Installed { version };
    assert_eq!(waiting(&card.place(), 2).unwrap(), installed);
    let update = card.record().update.unwrap();
    assert_eq!(
        (update.version.as_str(), update.state),
        ("0.2.0", UpdateState::Installed)
    );
    assert_eq!(waiting(&card.place(), 3).unwrap(), Outcome::Nothing);
    // As from a stick that stays in its plug over the start.
    let stick = card.folder.path().join("stick");
    std::fs::create_dir(&stick).unwrap();
    write(&stick.join("trapline-0.2.0.raucb"), "signed");
    let again = brought(&card.place(), &stick, Again::No, 4).unwrap();
    assert!(matches!(again, Outcome::Known { .. }), "{again:?}");
    assert_eq!(card.installs(), 1);
}

#[test]
fn a_wrong_signature_is_refused_with_its_reason_and_not_tried_again() {
    let card = Card::new();
    card.lay("forged");
    let refused = waiting(&card.place(), 2).unwrap();
    let Outcome::Refused { reason, .. } = &refused else {
        panic!("{refused:?}");
    };
    assert!(reason.contains("its signature is not of a key"), "{reason}");
    let state = card.record().update.unwrap().state;
    assert!(matches!(state, UpdateState::Refused { .. }));
    card.lay("forged");
    assert_eq!(waiting(&card.place(), 3).unwrap(), refused);
    assert_eq!(
        bundles(&ready_dir(&card.place().dir)).unwrap(),
        [""; 0].map(PathBuf::from)
    );
    assert_eq!(card.installs(), 0);
}

#[test]
fn what_was_refused_is_tried_again_when_a_person_asks() {
    let card = Card::new();
    let full = card.folder.path().join("full");
    write(&full, "");
    card.lay("signed");
    let refused = waiting(&card.place(), 2).unwrap();
    assert!(matches!(&refused, Outcome::Refused { reason, .. } if reason.contains("no space")));
    std::fs::remove_file(full).unwrap();
    let file = card.folder.path().join("mine.raucb");
    write(&file, "signed");
    let still = brought(&card.place(), &file, Again::No, 3).unwrap();
    assert!(matches!(still, Outcome::Refused { .. }), "{still:?}");
    let now = brought(&card.place(), &file, Again::Yes, 4).unwrap();
    assert!(matches!(now, Outcome::Installed { .. }), "{now:?}");
    assert!(file.exists(), "a person's file stays");
}

#[test]
fn an_installation_that_is_cut_over_and_over_is_given_up() {
    let card = Card::new();
    let own = record_dir(&card.place().dir);
    for starts in 0..=STARTS_MAX {
        // What a cut leaves: the bundle is root's, and the record says that it is being installed.
        std::fs::create_dir_all(&own).unwrap();
        write(&own.join("offered.raucb"), "signed");
        let record = Record {
            install_starts: starts,
            update: Some(Update {
                version: "offered".to_owned(),
                sha256: hash(&own.join("offered.raucb")).unwrap().to_string(),
                state: UpdateState::Ready,
                since_ms: 1,
            }),
            ..Record::default()
        };
        record.keep(&card.place().dir).unwrap();
        let outcome = waiting(&card.place(), 2).unwrap();
        assert_eq!(
            matches!(outcome, Outcome::Installed { .. }),
            starts < STARTS_MAX,
            "{starts}: {outcome:?}"
        );
    }
}

#[test]
fn nothing_is_installed_over_the_slot_to_go_back_to() {
    let card = Card::new();
    card.lay("signed");
    let mut place = card.place();
    place.slot = "B".to_owned();
    let why = waiting(&place, 2).unwrap_err().to_string();
    assert!(why.contains("has to prove itself"), "{why}");
    let why = brought(&place, &ready_dir(&place.dir), Again::Yes, 2);
    assert!(why.is_err());
    assert_eq!(card.installs(), 0);
}
