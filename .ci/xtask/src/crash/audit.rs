//! The audit: every picture that the camera had, every capture of the trap and every capture of the server, held against
//! each other and against the files of both by hash.

use super::ask::Researcher;
use super::sha256;
use crate::process;
use crate::trap::{self, Server, Trap, USER};
use anyhow::{Context as _, Result};
use std::collections::BTreeMap;
use std::path::Path;

const PASSWORD: &str = "looks-at-the-end";

/// What was found.
#[derive(Default)]
pub(super) struct Found {
    /// Captures that were looked at.
    pub(super) captures: usize,
    /// Of these: gone from the card, because the server has them.
    pub(super) pruned: usize,
    pub(super) lost: u64,
    pub(super) duplicated: u64,
    pub(super) differing: u64,
    /// Each with its words.
    pub(super) problems: Vec<String>,
}

impl Found {
    fn lost(&mut self, problem: String) {
        self.lost += 1;
        self.problems.push(format!("lost: {problem}"));
    }

    fn duplicated(&mut self, problem: String) {
        self.duplicated += 1;
        self.problems.push(format!("duplicated: {problem}"));
    }

    fn differing(&mut self, problem: String) {
        self.differing += 1;
        self.problems.push(format!("differing: {problem}"));
    }
}

/// A capture in a table.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    id: String,
    sha256: String,
    /// Where its picture is, in the words of the table.
    picture: String,
}

pub(super) fn audit(images: &Path, trap: &Trap, server: &Server, folder: &Path) -> Result<Found> {
    let export = folder.join("export");
    process::output(trap.command(&["export"]).arg(&export))?;
    let text = std::fs::read_to_string(export.join("captures.csv"))?;
    let here = rows(&text, ["capture", "sha256", "picture"])?;
    server.add_user(USER, PASSWORD)?;
    let researcher = Researcher::log_in(&server.url, USER, PASSWORD)?;
    let text = researcher.get("/api/v1/captures.csv")?;
    let there = rows(&text, ["capture_id", "sha256", "picture_state"])?;
    let mut found = compare(&here, &there);
    taken_once(images, &here, &mut found)?;
    for row in &here {
        match std::fs::read(server.blob(&row.sha256)) {
            Ok(stored) if sha256(&stored) == row.sha256 => {}
            Ok(_) => found.differing(format!("the file of {} on the server", row.id)),
            Err(_) => found.lost(format!("the file of {} is not on the server", row.id)),
        }
        let copied = std::fs::read(export.join("pictures").join(format!("{}.jpg", row.id)));
        match (row.picture.as_str(), copied) {
            ("pruned", Err(_)) => {}
            (_, Ok(bytes)) if sha256(&bytes) == row.sha256 => {}
            (state, _) => {
                found.differing(format!("the file of {} on the card is `{state}`", row.id));
            }
        }
    }
    Ok(found)
}

/// The two tables against each other.
fn compare(here: &[Row], there: &[Row]) -> Found {
    let mut found = Found {
        captures: here.len(),
        pruned: here.iter().filter(|row| row.picture == "pruned").count(),
        ..Found::default()
    };
    let mut on_server: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in there {
        on_server.entry(&row.id).or_default().push(row);
    }
    let mut seen = BTreeMap::new();
    for row in here {
        if seen.insert(row.id.as_str(), ()).is_some() {
            found.duplicated(format!("the trap has {} twice", row.id));
        }
        match on_server.remove(row.id.as_str()).as_deref() {
            Some([other]) if other.sha256 != row.sha256 => {
                found.differing(format!("{} has another hash on the server", row.id));
            }
            Some([other]) if !["stored", "unreadable"].contains(&other.picture.as_str()) => {
                found.lost(format!("the picture of {} is `{}`", row.id, other.picture));
            }
            Some([_]) => {}
            Some(_) => found.duplicated(format!("the server has {} more than once", row.id)),
            None => found.lost(format!("the server does not have {}", row.id)),
        }
    }
    for id in on_server.keys() {
        found.duplicated(format!("the server has {id}, which the trap does not know"));
    }
    found
}

/// Each picture of the camera's folder is one capture.
fn taken_once(images: &Path, here: &[Row], found: &mut Found) -> Result<()> {
    let mut taken: BTreeMap<&str, u32> = BTreeMap::new();
    for row in here {
        *taken.entry(&row.sha256).or_default() += 1;
    }
    for file in trap::jpegs(images)? {
        let hash = sha256(&std::fs::read(&file)?);
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        match taken.remove(hash.as_str()) {
            Some(1) => {}
            Some(times) => found.duplicated(format!("{name} was captured {times} times")),
            None => found.lost(format!("{name} was never captured")),
        }
    }
    for hash in taken.keys() {
        found.differing(format!("a capture of no picture: {hash}"));
    }
    Ok(())
}

/// The rows of a table; names and hashes in our tables hold no comma.
fn rows(table: &str, columns: [&str; 3]) -> Result<Vec<Row>> {
    let mut lines = table.lines();
    let headings: Vec<_> = lines.next().unwrap_or_default().split(',').collect();
    let place = |column: &str| {
        let place = headings.iter().position(|heading| *heading == column);
        place.with_context(|| format!("the table has no column `{column}`"))
    };
    let [id, sha256, picture] = columns;
    let (id, sha256, picture) = (place(id)?, place(sha256)?, place(picture)?);
    let row = |line: &str| {
        let cells: Vec<_> = line.split(',').collect();
        let cell = |place: usize| cells.get(place).copied().unwrap_or_default().to_owned();
        Row {
            id: cell(id),
            sha256: cell(sha256),
            picture: cell(picture),
        }
    };
    Ok(lines.map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "id,sha256,size_bytes,state\na,00ff,3,stored\nb,11ee,4,stored\n";

    fn table() -> Vec<Row> {
        rows(TABLE, ["id", "sha256", "state"]).unwrap()
    }

    #[test]
    fn rows_are_found_by_their_headings() {
        assert_eq!(table()[1].sha256, "11ee");
        assert!(rows(TABLE, ["id", "sha256", "colour"]).is_err());
    }

    #[test]
    fn equal_tables_have_no_problem() {
        let found = compare(&table(), &table());
        assert_eq!((found.captures, found.problems.len()), (2, 0));
    }

    #[test]
    fn what_is_lost_twice_or_different_is_counted_as_such() {
        let mut there = table();
        there[1].sha256 = "22dd".to_owned();
        there.push(Row {
            id: "c".to_owned(),
            ..there[0].clone()
        });
        let first = there.remove(0);
        let found = compare(&table(), &there);
        assert_eq!((found.lost, found.duplicated, found.differing), (1, 1, 1));
        there.extend([first.clone(), first]);
        assert_eq!(compare(&table(), &there).duplicated, 2);
    }

    #[test]
    fn a_record_without_its_picture_is_lost() {
        let mut there = table();
        there[0].picture = "on_trap".to_owned();
        assert_eq!(compare(&table(), &there).lost, 1);
    }
}
