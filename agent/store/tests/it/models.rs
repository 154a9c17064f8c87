//! Offered models in the ledger: every state that it can come into, and files
//! that are whole or not there, whenever the power fails.

use crate::trap::{LOSSES, Trap};
use trapline_store::{Assembled, Ledger, ModelFile, ModelRow, ModelStage, StoreError};
use trapline_wire::Sha256;
use trapline_wire::v1::ModelOffer;

const NETWORK: &[u8] = &[5; 10_000];
const PIECE_BYTES: usize = 4096;

fn offer(id: &str) -> (Vec<u8>, ModelOffer) {
    let manifest = format!("id = \"{id}\"").into_bytes();
    let offer = ModelOffer {
        id: id.to_owned(),
        sha256: Sha256::of(NETWORK),
        size_bytes: u64::try_from(NETWORK.len()).unwrap(),
        manifest_sha256: Sha256::of(&manifest),
        manifest_size_bytes: u64::try_from(manifest.len()).unwrap(),
    };
    (manifest, offer)
}

fn stages(ledger: &Ledger) -> Vec<(String, ModelStage)> {
    let rows = ledger.models().unwrap().into_iter();
    rows.map(|row| (row.offer.id, row.stage)).collect()
}

/// Fetches what is missing of the model, piece by piece, and gives it its place.
fn fetch(ledger: &mut Ledger, row: &ModelRow, manifest: &[u8]) -> Result<(), StoreError> {
    for (file, bytes) in [
        (ModelFile::Manifest, manifest),
        (ModelFile::Network, NETWORK),
    ] {
        loop {
            let here = ledger.model_bytes(row, file, Some("net.onnx"))?;
            let here_bytes = usize::try_from(here).unwrap_or(usize::MAX);
            let Some(rest) = bytes.get(here_bytes..).filter(|rest| !rest.is_empty()) else {
                break;
            };
            let piece = &rest[..rest.len().min(PIECE_BYTES)];
            ledger.keep_model_piece(row, file, here, piece)?;
        }
        assert_eq!(
            ledger.assemble_model(row, file, Some("net.onnx"))?,
            Assembled::Whole
        );
    }
    ledger.model_fetched(row.seq, 1)
}

fn offered_and_fetched(ledger: &mut Ledger) -> Result<ModelRow, StoreError> {
    let (manifest, offer) = offer("m-1");
    let row = ledger.offer_model(&offer, 1)?;
    if row.stage == ModelStage::Fetching {
        fetch(ledger, &row, &manifest)?;
    }
    Ok(row)
}

#[test]
fn a_fetch_goes_on_after_a_cut_at_every_operation() {
    let mut whole = Trap::new();
    let (mut ledger, _) = whole.open().unwrap();
    let before = whole.disk.operations();
    offered_and_fetched(&mut ledger).unwrap();
    let after = whole.disk.operations();
    drop(ledger);
    for cut in before + 1..=after {
        for loss in LOSSES {
            let mut trap = Trap::new();
            trap.disk.cut_at(cut);
            let (mut ledger, _) = trap.open().unwrap();
            assert!(
                offered_and_fetched(&mut ledger).is_err(),
                "{cut} was not reached"
            );
            drop(ledger);
            trap.disk.power_on(loss);
            let (mut ledger, _) = trap.open().unwrap();
            let row = offered_and_fetched(&mut ledger)
                .unwrap_or_else(|error| panic!("cut at {cut} with {loss:?}: {error}"));
            assert_eq!(stages(&ledger), [("m-1".to_owned(), ModelStage::Trying)]);
            assert_eq!(ledger.read_model_manifest(&row).unwrap(), offer("m-1").0);
        }
    }
}

#[test]
fn wrong_bytes_leave_nothing_behind() {
    let mut trap = Trap::new();
    let (mut ledger, _) = trap.open().unwrap();
    let (_, offer) = offer("m-1");
    let row = ledger.offer_model(&offer, 1).unwrap();
    let wrong = vec![6; NETWORK.len()];
    ledger
        .keep_model_piece(&row, ModelFile::Network, 0, &wrong)
        .unwrap();
    let done = ledger.assemble_model(&row, ModelFile::Network, Some("net.onnx"));
    let Assembled::Wrong(why) = done.unwrap() else {
        panic!("other bytes are not the model");
    };
    assert!(why.contains(&offer.sha256.to_string()), "{why}");
    let left = ledger.model_bytes(&row, ModelFile::Network, Some("net.onnx"));
    assert_eq!(left.unwrap(), 0, "the next fetch begins anew");
}

#[test]
fn models_take_over_and_come_back() {
    let mut trap = Trap::new();
    let (mut ledger, _) = trap.open().unwrap();
    let seq = |ledger: &mut Ledger, id: &str| ledger.offer_model(&offer(id).1, 1).unwrap().seq;
    let first = seq(&mut ledger, "m-1");
    assert_eq!(
        seq(&mut ledger, "m-1"),
        first,
        "the same offer changes nothing"
    );
    ledger.model_fetched(first, 2).unwrap();
    ledger.switch_model(first, 3).unwrap();
    ledger.settle_model(first, 4).unwrap();
    let second = seq(&mut ledger, "m-2");
    let third = seq(&mut ledger, "m-3");
    assert_eq!(
        stages(&ledger),
        [
            ("m-3".to_owned(), ModelStage::Fetching),
            ("m-2".to_owned(), ModelStage::Withdrawn),
            ("m-1".to_owned(), ModelStage::InUse),
        ]
    );
    ledger.switch_model(third, 5).unwrap();
    assert_eq!(ledger.model_starts(third).unwrap(), 1);
    assert_eq!(ledger.model_looked(third, true).unwrap().looks, 1);
    assert_eq!(ledger.model_looked(third, false).unwrap().failures, 1);
    ledger.refuse_model(third, "it is slower", 6).unwrap();
    let rows = ledger.models().unwrap();
    assert_eq!(
        (rows[0].stage, rows[0].reason.as_str()),
        (ModelStage::Refused, "it is slower")
    );
    assert_eq!(rows[2].stage, ModelStage::InUse, "the one before is back");
    let refused = ledger.offer_model(&offer("m-3").1, 7).unwrap();
    assert_eq!(refused.stage, ModelStage::Refused, "a refusal is for good");
    assert_eq!(seq(&mut ledger, "m-2"), second);
    assert_eq!(stages(&ledger)[0], ("m-2".to_owned(), ModelStage::Fetching));
    assert_eq!(ledger.withdraw_models(8).unwrap(), 1);
    assert_eq!(ledger.withdraw_models(9).unwrap(), 0);
    let steps = ledger.model_steps(100).unwrap();
    assert_eq!(steps.len(), 13, "{steps:?}");
    assert_eq!((steps[0].id.as_str(), steps[0].unix_ms), ("m-2", 8));
}

#[test]
fn files_that_nobody_needs_are_removed() {
    let mut trap = Trap::new();
    let (mut ledger, _) = trap.open().unwrap();
    let row = offered_and_fetched(&mut ledger).unwrap();
    let all = ledger.models().unwrap();
    ledger.sweep_models(&all).unwrap();
    assert!(ledger.read_model_manifest(&row).is_ok());
    ledger.sweep_models(&[]).unwrap();
    assert!(ledger.read_model_manifest(&row).is_err());
}
