//! The ledger against a model of sixty lines, over random days.

use crate::day;
use crate::laws;
use crate::trap::{LOSSES, Trap, detection, jpeg, new_capture, new_inspection, receipt, stamp};
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::test_runner::{Config, TestRunner};
use std::collections::BTreeMap;
use trapline_store::{BatchLimits, Found, Ledger, NextPicture, PassOver, PictureOrder};
use trapline_wire::v1::MissReason;
use trapline_wire::{CaptureId, Sha256};

#[derive(Debug, Clone)]
enum Step {
    Shoot,
    Miss,
    LeaveOpen,
    Inspect,
    SendRecords {
        records_max: usize,
    },
    SendPicture {
        newest: bool,
        fails: bool,
    },
    Prune,
    Restart,
    /// The power fails `after` operations later, within whatever comes next.
    Cut {
        after: u64,
        loss: usize,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::Shoot),
        1 => Just(Step::Miss),
        1 => Just(Step::LeaveOpen),
        3 => Just(Step::Inspect),
        3 => (1..9_usize).prop_map(|records_max| Step::SendRecords { records_max }),
        4 => any::<(bool, bool)>()
            .prop_map(|(newest, fails)| Step::SendPicture { newest, fails }),
        2 => Just(Step::Prune),
        1 => Just(Step::Restart),
        1 => (1..12_u64, 0..LOSSES.len()).prop_map(|(after, loss)| Step::Cut { after, loss }),
    ];
    proptest::collection::vec(step, 1..60)
}

/// What the ledger should say, kept in the plainest way.
#[derive(Debug, Default, PartialEq, Eq, Clone)]
struct Model {
    captures: BTreeMap<CaptureId, Copies>,
    open: u64,
    missed: u64,
}

#[derive(Debug, Default, PartialEq, Eq, Clone)]
struct Copies {
    sha256: Option<Sha256>,
    is_inspected: bool,
    has_record: bool,
    is_safe: bool,
    is_pruned: bool,
    failures: u32,
}

impl Model {
    fn count(&self, what: impl Fn(&Copies) -> bool) -> u64 {
        let counted = self.captures.values().filter(|copies| what(copies));
        u64::try_from(counted.count()).unwrap()
    }

    /// The picture that should go next.
    fn next(&self, newest: bool) -> Option<CaptureId> {
        let waiting = self
            .captures
            .iter()
            .filter(|(_, copies)| copies.has_record && !copies.is_safe);
        let key = |(id, copies): &(&CaptureId, &Copies)| {
            let seq = i64::try_from(id.seq).unwrap();
            (copies.failures, if newest { -seq } else { seq })
        };
        waiting.min_by_key(key).map(|(id, _)| *id)
    }

    fn compare(&self, ledger: &Ledger) {
        let summary = ledger.summary(0).unwrap();
        assert_eq!(summary.captures, self.count(|_| true));
        assert_eq!(summary.missed, self.missed);
        assert_eq!(summary.inspected, self.count(|copies| copies.is_inspected));
        let waiting = self.count(|copies| !copies.is_safe);
        assert_eq!(summary.pictures_waiting, waiting);
        let safe = self.count(|copies| copies.is_safe && !copies.is_pruned);
        assert_eq!(summary.pictures_safe, safe);
        assert_eq!(
            summary.pictures_pruned,
            self.count(|copies| copies.is_pruned)
        );
    }
}

struct Run {
    trap: Trap,
    ledger: Option<Ledger>,
    model: Model,
    number: u64,
}

impl Run {
    fn ledger(&mut self) -> &mut Ledger {
        self.ledger.as_mut().unwrap()
    }

    fn restart(&mut self) {
        self.ledger = None;
        let (ledger, _) = self.trap.open().unwrap();
        self.ledger = Some(ledger);
        self.model.missed += std::mem::take(&mut self.model.open);
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Shoot => self.shoot(),
            Step::Miss => {
                let planned = self.ledger().open_shot(1, &stamp(1)).unwrap();
                let missed = self
                    .ledger()
                    .miss(planned, MissReason::Camera, "", &stamp(1));
                missed.unwrap();
                self.model.missed += 1;
            }
            Step::LeaveOpen => {
                let _dropped = self.ledger().open_shot(1, &stamp(1)).unwrap();
                self.model.open += 1;
            }
            Step::Inspect => self.inspect(),
            Step::SendRecords { records_max } => self.send_records(*records_max),
            Step::SendPicture { newest, fails } => self.send_picture(*newest, *fails),
            Step::Prune => self.prune(),
            Step::Restart => self.restart(),
            Step::Cut { after, loss } => self.cut(*after, *loss),
        }
    }

    fn shoot(&mut self) {
        self.number += 1;
        let bytes = jpeg(self.number);
        let planned = self.ledger().open_shot(1, &stamp(1)).unwrap();
        let id = self
            .ledger()
            .admit(planned, new_capture(1), &bytes)
            .unwrap();
        let copies = Copies {
            sha256: Some(Sha256::of(&bytes)),
            ..Copies::default()
        };
        assert_eq!(self.model.captures.insert(id, copies), None);
        self.trap.promised.admitted.insert(id, bytes);
    }

    fn inspect(&mut self) {
        let fresh = self.ledger().next_fresh(100).unwrap();
        let mut fresh_rows = self.model.captures.iter_mut();
        let expected = fresh_rows.find(|(_, copies)| !copies.is_inspected);
        assert_eq!(
            fresh.as_ref().map(trapline_store::Fresh::capture),
            expected.as_ref().map(|(id, _)| **id),
            "oldest first"
        );
        if let (Some(fresh), Some((_, copies))) = (fresh, expected) {
            copies.is_inspected = true;
            let found = vec![detection(0.9)];
            let ledger = self.ledger.as_mut().unwrap();
            ledger
                .record_detections(fresh, &new_inspection(1), Found::boxes(found))
                .unwrap();
        }
    }

    fn send_records(&mut self, records_max: usize) {
        let limits = BatchLimits {
            records_max,
            ..BatchLimits::default()
        };
        let outgoing = self.ledger().outgoing(limits).unwrap();
        let captures = outgoing.batch().captures.iter().map(|record| record.id);
        self.trap.promised.records_on_server.extend(captures);
        self.ledger().mark_records_stored(&outgoing, &[]).unwrap();
        for record in &outgoing.batch().captures {
            self.model.captures.get_mut(&record.id).unwrap().has_record = true;
        }
    }

    fn send_picture(&mut self, newest: bool, fails: bool) {
        let order = if newest {
            PictureOrder::NewestFirst
        } else {
            PictureOrder::OldestFirst
        };
        let expected = self.model.next(newest);
        match self
            .ledger()
            .next_picture(order, &PassOver::default())
            .unwrap()
        {
            NextPicture::Ready(picture) => {
                let id = picture.capture();
                assert_eq!(Some(id), expected);
                let copies = self.model.captures.get_mut(&id).unwrap();
                assert_eq!(Some(picture.sha256()), copies.sha256);
                let ledger = self.ledger.as_mut().unwrap();
                if fails {
                    copies.failures += 1;
                    ledger.picture_failed(picture, "refused").unwrap();
                } else {
                    copies.is_safe = true;
                    self.trap.promised.on_server.insert(picture.sha256());
                    let proof = receipt(picture.sha256(), picture.size_bytes());
                    ledger.mark_received(picture, &proof).unwrap();
                }
            }
            NextPicture::Nothing => assert_eq!(expected, None),
            NextPicture::Damaged { capture, reason }
            | NextPicture::Unreadable {
                capture, reason, ..
            } => panic!("{capture}: {reason}"),
        }
    }

    fn prune(&mut self) {
        let mut rows = self.model.captures.iter_mut();
        let expected =
            rows.find(|(_, copies)| copies.is_safe && copies.has_record && !copies.is_pruned);
        let ledger = self.ledger.as_mut().unwrap();
        let prunable = ledger.prunable(1).unwrap();
        assert_eq!(
            prunable.first().map(|prunable| prunable.capture),
            expected.as_ref().map(|(id, _)| **id)
        );
        if let Some((id, copies)) = expected {
            ledger.prune(*id).unwrap();
            copies.is_pruned = true;
        }
    }

    /// A shot is cut off somewhere; whatever the ledger says afterwards must
    /// obey the laws, and the model learns from it how far the shot got.
    fn cut(&mut self, after: u64, loss: usize) {
        self.number += 1;
        let disk = self.trap.disk.clone();
        disk.cut_at(disk.operations() + after);
        let bytes = jpeg(self.number);
        if let Ok(planned) = self.ledger().open_shot(1, &stamp(1)) {
            drop(self.ledger().admit(planned, new_capture(1), &bytes));
        }
        self.ledger = None;
        disk.power_on(LOSSES[loss]);
        self.restart();
        let ledger = self.ledger.as_ref().unwrap();
        laws::check(&self.trap, ledger);
        for row in ledger.captures(None, 10_000).unwrap() {
            let known = self.model.captures.entry(row.record.id);
            known.or_insert_with(|| Copies {
                sha256: Some(row.record.picture.sha256),
                ..Copies::default()
            });
        }
        self.model.missed = ledger.summary(0).unwrap().missed;
    }
}

#[test]
fn random_days_agree_with_the_model() {
    let mut runner = TestRunner::new(Config {
        cases: 60,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&steps(), |steps| {
        let mut trap = Trap::new();
        let ledger = Some(trap.open().unwrap().0);
        let mut run = Run {
            trap,
            ledger,
            model: Model::default(),
            number: 0,
        };
        for step in &steps {
            run.step(step);
            run.model.compare(run.ledger.as_ref().unwrap());
        }
        run.restart();
        laws::check(&run.trap, run.ledger.as_ref().unwrap());
        let mut ledger = run.ledger.take().unwrap();
        day::prove_usable(&mut run.trap, &mut ledger, 1000);
        Ok(())
    });
    outcome.unwrap();
}
