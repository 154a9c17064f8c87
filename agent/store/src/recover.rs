//! Recovery: what a start does about the last power cut. Every step may be cut
//! off itself and is then done again by the next start.

use crate::error::StoreError;
use crate::image_files::{self, FOLDER_PICTURES};
use crate::ledger::Ledger;
use rusqlite::params;
use std::collections::BTreeMap;
use trapline_wire::v1::Stamp;

/// What the start found and did, in counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recovery {
    /// The ledger is new.
    pub created: bool,
    /// Shots that were cut off, now missed.
    pub shots_cut: u64,
    /// Unfinished files, removed.
    pub unfinished_removed: u64,
    /// Pictures that were never admitted, moved to `set_aside`.
    pub set_aside: u64,
    /// Older set-aside pictures, removed to stay within bounds.
    pub set_aside_removed: u64,
    /// Files of pruned pictures, removed.
    pub prunes_finished: u64,
    /// Pictures that are missing or cut short on the card and not on the server, now damaged.
    pub damaged: u64,
    /// Pictures that are missing on the card and safe on the server, now pruned.
    pub gone_but_safe: u64,
    /// Files among the pictures that are not of this ledger, left alone.
    pub strangers: u64,
}

impl Recovery {
    /// Whether there was nothing to do.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        *self
            == Self {
                strangers: self.strangers,
                ..Self::default()
            }
    }
}

/// A row whose picture should be on the card.
struct Expected {
    size_bytes: u64,
    is_safe: bool,
}

/// What one folder of pictures needs.
#[derive(Default)]
struct Findings {
    damaged: Vec<(u64, String)>,
    gone_but_safe: Vec<u64>,
}

pub(crate) fn recover(
    ledger: &mut Ledger,
    now: &Stamp,
    created: bool,
) -> Result<Recovery, StoreError> {
    let mut recovery = Recovery {
        created,
        unfinished_removed: image_files::clear_unfinished(ledger.disk(), ledger.layout())?,
        shots_cut: ledger.close_cut_shots(now)?,
        ..Recovery::default()
    };
    ledger.release_unmeasured()?;
    let last = last_capture(ledger)?;
    let mut folders = image_files::picture_folders(ledger.disk(), ledger.layout())?;
    // A folder that is gone altogether must be missed as well.
    folders.extend(folders_of_rows(ledger)?);
    folders.sort_unstable();
    folders.dedup();
    for folder in folders {
        let findings = check_folder(ledger, folder, last, &mut recovery)?;
        write_down(ledger, &findings)?;
        recovery.damaged += len(&findings.damaged);
        recovery.gone_but_safe += len(&findings.gone_but_safe);
    }
    recovery.set_aside_removed = image_files::bound_set_aside(ledger.disk(), ledger.layout())?;
    Ok(recovery)
}

fn check_folder(
    ledger: &Ledger,
    number: u64,
    last: u64,
    recovery: &mut Recovery,
) -> Result<Findings, StoreError> {
    let disk = ledger.disk();
    let folder = ledger.layout().picture_folder(number);
    let at = |error| StoreError::io(&folder, error);
    let mut expected = expected_in(ledger, number)?;
    let entries = if disk.size_bytes(&folder).map_err(at)?.is_some() {
        disk.list(&folder).map_err(at)?
    } else {
        Vec::new()
    };
    let mut findings = Findings::default();
    for entry in entries {
        let file = folder.join(&entry.name);
        let capture = image_files::capture_of(&entry.name)
            .filter(|capture| *capture == ledger.capture_id(capture.seq))
            .filter(|capture| capture.seq / FOLDER_PICTURES == number && !entry.is_folder);
        let Some(capture) = capture else {
            recovery.strangers += 1;
            continue;
        };
        match expected.remove(&capture.seq) {
            Some(row) if row.size_bytes == entry.size_bytes || row.is_safe => {}
            Some(row) => findings.damaged.push((
                capture.seq,
                image_files::wrong_size(entry.size_bytes, row.size_bytes),
            )),
            None if is_damaged(ledger, capture.seq)? => {}
            None if capture.seq > last || capture.seq == 0 => {
                image_files::set_aside(disk, ledger.layout(), &file)?;
                recovery.set_aside += 1;
            }
            None => {
                disk.remove(&file).map_err(at)?;
                recovery.prunes_finished += 1;
            }
        }
    }
    for (seq, row) in expected {
        if row.is_safe {
            findings.gone_but_safe.push(seq);
        } else {
            findings
                .damaged
                .push((seq, "the file is missing".to_owned()));
        }
    }
    Ok(findings)
}

fn write_down(ledger: &mut Ledger, findings: &Findings) -> Result<(), StoreError> {
    if findings.damaged.is_empty() && findings.gone_but_safe.is_empty() {
        return Ok(());
    }
    ledger.write(|transaction| {
        for (seq, reason) in &findings.damaged {
            transaction.execute(
                "UPDATE captures SET picture = 'damaged', picture_note = ?2
                 WHERE seq = ?1 AND picture = 'on_card'",
                params![seq, reason],
            )?;
        }
        for seq in &findings.gone_but_safe {
            transaction.execute(
                "UPDATE captures SET picture = 'pruned' WHERE seq = ?1 AND picture = 'safe'",
                [seq],
            )?;
        }
        Ok(())
    })
}

fn expected_in(ledger: &Ledger, number: u64) -> Result<BTreeMap<u64, Expected>, StoreError> {
    let from = number.saturating_mul(FOLDER_PICTURES);
    let until = from.saturating_add(FOLDER_PICTURES);
    ledger.read(|connection| {
        let mut statement = connection.prepare(
            "SELECT seq, size_bytes, picture = 'safe' FROM captures
             WHERE seq >= ?1 AND seq < ?2 AND picture IN ('on_card', 'safe')",
        )?;
        let mut rows = statement.query((from, until))?;
        let mut expected = BTreeMap::new();
        while let Some(row) = rows.next()? {
            expected.insert(
                row.get(0)?,
                Expected {
                    size_bytes: row.get(1)?,
                    is_safe: row.get(2)?,
                },
            );
        }
        Ok(expected)
    })
}

fn folders_of_rows(ledger: &Ledger) -> Result<Vec<u64>, StoreError> {
    ledger.read(|connection| {
        let mut statement = connection.prepare(
            "SELECT DISTINCT seq / ?1 FROM captures WHERE picture IN ('on_card', 'safe')",
        )?;
        let mut rows = statement.query([FOLDER_PICTURES])?;
        let mut folders = Vec::new();
        while let Some(row) = rows.next()? {
            folders.push(row.get(0)?);
        }
        Ok(folders)
    })
}

fn is_damaged(ledger: &Ledger, seq: u64) -> Result<bool, StoreError> {
    ledger.read(|connection| {
        Ok(connection.query_row(
            "SELECT count(*) FROM captures WHERE seq = ?1 AND picture = 'damaged'",
            [seq],
            |row| row.get::<_, u64>(0),
        )? > 0)
    })
}

fn last_capture(ledger: &Ledger) -> Result<u64, StoreError> {
    ledger.read(|connection| {
        Ok(
            connection.query_row("SELECT coalesce(max(seq), 0) FROM captures", [], |row| {
                row.get(0)
            })?,
        )
    })
}

fn len<T>(list: &[T]) -> u64 {
    u64::try_from(list.len()).unwrap_or(u64::MAX)
}
