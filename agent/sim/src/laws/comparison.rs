//! Records of the trap and of the server side by side.

use std::collections::{BTreeMap, BTreeSet};
use trapline_store::RecordState;

/// Compares the records of one kind by id and content.
pub(super) fn compare(
    kind: &str,
    records: Vec<(String, &RecordState, String)>,
    shown: Vec<(String, String)>,
    found: &mut Vec<String>,
) {
    let total = shown.len();
    let shown: BTreeMap<String, String> = shown.into_iter().collect();
    if shown.len() != total {
        found.push(format!(
            "{} {kind} records are on the server twice",
            total - shown.len()
        ));
    }
    let known: BTreeSet<&String> = records.iter().map(|(id, _, _)| id).collect();
    for id in shown.keys().filter(|id| !known.contains(id)) {
        found.push(format!(
            "the server has {kind} {id}, which the trap does not know"
        ));
    }
    for (id, state, words) in &records {
        match (state, shown.get(id)) {
            (RecordState::Refused(why), _) => {
                found.push(format!("the server refused {kind} {id}: {why}"));
            }
            (RecordState::Stored, None) => {
                found.push(format!(
                    "{kind} {id} counts as stored and is not on the server"
                ));
            }
            (_, Some(there)) if there != words => {
                found.push(format!(
                    "{kind} {id} is `{words}` here and `{there}` on the server"
                ));
            }
            (RecordState::Stored | RecordState::Waiting, _) => {}
        }
    }
}
