//! The law of agreement: records of the trap and of the server side by side.

use super::Court;
use std::collections::{BTreeMap, BTreeSet};
use trapline_store::RecordState;
use trapline_wire::read;
use trapline_wire::v1::{InspectionRecord, TrackRecord};

impl Court<'_> {
    pub(super) fn agreement(&self) -> Vec<String> {
        let mut found = Vec::new();
        self.compare_captures(&mut found);
        let records = self.trap.efforts.iter().map(|row| {
            let record = &row.record;
            let words = format!(
                "{} {} {} {:?}",
                record.due_ms, record.last_due_ms, record.shots, record.outcome
            );
            (record.id.to_string(), &row.record_state, words)
        });
        let shown = self.trap.server.efforts.iter().map(|row| {
            let words = format!(
                "{} {} {} {:?}",
                row.due_ms, row.last_due_ms, row.shots, row.outcome
            );
            (row.id.clone(), words)
        });
        compare("effort", records.collect(), shown.collect(), &mut found);
        let records = self.trap.readings.iter().map(|row| {
            let r = &row.record;
            let values = (
                r.temperature_c,
                r.humidity_percent,
                r.light_lux,
                r.battery_v,
            );
            let words = format!("{} {values:?}", r.stamp.unix_ms);
            (r.id.to_string(), &row.record_state, words)
        });
        let shown = self
            .trap
            .server
            .readings
            .iter()
            .map(|r: &read::ReadingRow| {
                let values = (
                    r.temperature_c,
                    r.humidity_percent,
                    r.light_lux,
                    r.battery_v,
                );
                (r.id.clone(), format!("{} {values:?}", r.taken_ms))
            });
        compare("reading", records.collect(), shown.collect(), &mut found);
        self.compare_tracks(&mut found);
        found
    }

    /// A track that waits may be told again on the trap; what the server has
    /// is then an older revision.
    fn compare_tracks(&self, found: &mut Vec<String>) {
        let shown: BTreeMap<String, &TrackRecord> = self
            .trap
            .server
            .tracks
            .iter()
            .map(|row| (row.track.id.to_string(), &row.track))
            .collect();
        if shown.len() != self.trap.server.tracks.len() {
            found.push("a track is on the server twice".to_owned());
        }
        let known: BTreeSet<String> = self
            .trap
            .tracks
            .iter()
            .map(|row| row.record.id.to_string())
            .collect();
        for id in shown.keys().filter(|id| !known.contains(*id)) {
            found.push(format!(
                "the server has track {id}, which the trap does not know"
            ));
        }
        for row in &self.trap.tracks {
            let id = row.record.id;
            match (&row.record_state, shown.get(&id.to_string())) {
                (RecordState::Refused(why), _) => {
                    found.push(format!("the server refused track {id}: {why}"));
                }
                (RecordState::Stored, there) if there.copied() != Some(&row.record) => {
                    found.push(format!(
                        "track {id} is {:?} here and {there:?} on the server",
                        row.record
                    ));
                }
                (_, Some(there)) if there.revision > row.record.revision => {
                    found.push(format!("the server has a later revision of track {id}"));
                }
                (RecordState::Stored | RecordState::Waiting, _) => {}
            }
        }
    }

    fn compare_captures(&self, found: &mut Vec<String>) {
        for row in &self.trap.captures {
            let id = row.record.id;
            if let RecordState::Refused(why) = &row.record_state {
                found.push(format!("the server refused capture {id}: {why}"));
            }
            let Some(detail) = self.on_server.get(&id).and_then(|list| list.first()) else {
                continue;
            };
            if detail.picture != row.record.picture || detail.stamp != row.record.stamp {
                found.push(format!("capture {id} differs on the server"));
            }
            let none = Vec::new();
            let looks = self.trap.inspections.get(&id).unwrap_or(&none);
            let waits = looks
                .iter()
                .filter(|look| look.record_state == RecordState::Waiting);
            let waits: Vec<&InspectionRecord> = waits.map(|look| &look.record).collect();
            for look in looks {
                if let RecordState::Refused(why) = &look.record_state {
                    found.push(format!("the server refused an inspection of {id}: {why}"));
                }
                let is_there = detail.inspections.contains(&look.record);
                if look.record_state == RecordState::Stored && !is_there {
                    found.push(format!(
                        "an inspection of capture {id} is not on the server"
                    ));
                }
            }
            let count = detail.inspections.len();
            if count > looks.len() || count + waits.len() < looks.len() {
                found.push(format!(
                    "capture {id} has {count} inspections on the server, {} on the trap",
                    looks.len()
                ));
            }
        }
    }
}

/// Compares the records of one kind by id and content.
fn compare(
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
