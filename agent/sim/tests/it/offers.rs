//! Models that are offered in a season of power cuts, lost answers and server
//! restarts: the good ones arrive, the bad ones are refused, and no law breaks.

#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    reason = "a test writes its models without caring for power cuts, and fails by panicking"
)]

use std::path::{Path, PathBuf};
use trapline_sim::evidence::TrapEvidence;
use trapline_sim::season::{self, Plan};
use trapline_store::{ModelRow, ModelStage};

/// The shipped model under another id, in a folder of its own.
fn model(folder: &Path, id: &str) -> PathBuf {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../detect/models");
    let text = std::fs::read_to_string(shipped.join("insect-2.toml")).expect("the manifest");
    let own = text.replacen("id = \"insect-2\"", &format!("id = \"{id}\""), 1);
    assert_ne!(own, text, "the id is replaced");
    let manifest = folder.join(format!("{id}.toml"));
    std::fs::write(&manifest, own).expect("a folder that can be written");
    let file = "insect-2.onnx";
    std::fs::copy(shipped.join(file), folder.join(file)).expect("the model file");
    manifest
}

fn found<'a>(models: &'a [ModelRow], id: &str) -> &'a ModelRow {
    let found = models.iter().find(|row| row.offer.id == id);
    found.unwrap_or_else(|| panic!("{id} was never heard of"))
}

#[test]
fn good_models_arrive_and_bad_ones_are_refused_whatever_the_link_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let of_models = tempfile::tempdir().expect("a folder");
    let mut plan = Plan::new(3, 6, 11);
    plan.trouble.power.every_hours = 9.0;
    plan.restarts.every_hours = 20.0;
    plan.models = ["good-1", "slow-1", "crash-1", "good-2"]
        .map(|id| model(of_models.path(), id))
        .to_vec();
    let season = season::run(&plan, folder.path(), &mut |_| {}).expect("the season can be run");
    let shown: Vec<String> = season
        .broken
        .iter()
        .take(20)
        .map(ToString::to_string)
        .collect();
    assert!(shown.is_empty(), "{}", shown.join("\n"));
    let counts = &season.counts;
    assert!(counts.lost_answers > 0 && counts.power_cuts() > 0 && counts.server_restarts > 0);
    for trap in &season.evidence {
        let slow = found(&trap.models, "slow-1");
        assert_eq!(slow.stage, ModelStage::Refused, "{}", trap.name);
        let crash = found(&trap.models, "crash-1");
        assert_eq!(crash.stage, ModelStage::Refused, "{}", trap.name);
        assert!(crash.reason.contains("stored picture"), "{}", crash.reason);
    }
    // The simulated detector fails now and then by itself, on any picture and with any model.
    let is_told = |trap: &TrapEvidence| {
        let reason = &found(&trap.models, "slow-1").reason;
        reason.contains("4000 ms a picture")
    };
    assert!(season.evidence.iter().any(is_told), "no trap timed slow-1");
    // For the same reason a good model may be refused too.
    let used = |id: &str| {
        let traps = season.evidence.iter();
        traps
            .filter(|trap| {
                let stage = found(&trap.models, id).stage;
                matches!(stage, ModelStage::InUse | ModelStage::Kept)
            })
            .count()
    };
    assert!(used("good-1") >= 1, "good-1 was used by nobody");
    assert!(used("good-2") >= 1, "good-2 was used by nobody");
    let looked_with = |id: &str| {
        let inspections = season
            .evidence
            .iter()
            .flat_map(|trap| trap.inspections.values());
        let rows = inspections.flatten();
        rows.filter(|row| row.record.model.id == id).count()
    };
    assert!(looked_with("good-2") > 20, "its detections carry its name");
    assert_eq!(looked_with("slow-1"), 0, "its trial leaves no records");
}
