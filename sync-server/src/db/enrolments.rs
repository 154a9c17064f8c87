//! Traps that ask to be enrolled, and what becomes of them.
//!
//! A key pair has one row for ever. Whatever it asks again, whether its answer
//! got lost or it doubts, the row answers; so a use of a token is counted once.

mod answer;
mod names;

use super::{Db, digest};
use crate::problem::{Failure, Refused, refuse};
use axum::http::StatusCode;
use names::{free_name, is_taken, tidy_name};
use rusqlite::{OptionalExtension as _, Transaction, named_params};
use trapline_wire::v1::{EnrolAnswer, EnrolRequest};
use trapline_wire::{EnrolCode, Sha256};

/// Traps that wait for a person; more are sent away until some are decided.
const PENDING_MAX: i64 = 500;
/// One that asks no more is forgotten after this.
const PENDING_KEPT_MS: i64 = 30 * 24 * 3600 * 1000;

/// A trap that waits, as people are shown it.
#[derive(Debug, serde::Serialize)]
pub(crate) struct PendingListed {
    pub(crate) code: String,
    pub(crate) wished_name: String,
    pub(crate) latitude_deg: Option<f64>,
    pub(crate) longitude_deg: Option<f64>,
    pub(crate) agent_version: String,
    pub(crate) peer: String,
    pub(crate) asked_ms: i64,
    pub(crate) last_ms: i64,
}

/// What a person's decision came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decided {
    /// It is a trap now, with this id and name.
    Accepted { trap: String, name: String },
    /// Nobody with this code waits.
    Unknown,
    /// Two wait with the same code, which does not happen by itself: neither is accepted.
    Several,
    /// A trap in use has that name.
    NameTaken,
}

struct Row {
    number: i64,
    key_sha256: Sha256,
    trap_id: String,
    wished_name: String,
    code: String,
    state: String,
    trap: Option<i64>,
}

impl Db {
    /// Answers a trap that proved who it is.
    pub(crate) fn enrol(
        &mut self,
        request: &EnrolRequest,
        peer: &str,
        now_ms: i64,
    ) -> Result<EnrolAnswer, Failure> {
        let transaction = self.write()?;
        let answer = answer::answer(&transaction, request, peer, now_ms)?;
        transaction.commit()?;
        Ok(answer)
    }

    /// Traps that wait for a person, those that asked last first.
    pub(crate) fn pending(&self) -> Result<Vec<PendingListed>, Failure> {
        let mut statement = self.connection.prepare(
            "SELECT code, wished_name, latitude_deg, longitude_deg, agent_version, peer,
                 asked_ms, last_ms
             FROM enrolments WHERE state = 'pending' ORDER BY last_ms DESC, number LIMIT 500",
        )?;
        let rows = statement.query_map([], |row| {
            let code: String = row.get(0)?;
            Ok(PendingListed {
                code: code
                    .parse::<EnrolCode>()
                    .map_or(code, |code| code.to_string()),
                wished_name: row.get(1)?,
                latitude_deg: row.get(2)?,
                longitude_deg: row.get(3)?,
                agent_version: row.get(4)?,
                peer: row.get(5)?,
                asked_ms: row.get(6)?,
                last_ms: row.get(7)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Accepts the trap that waits with this code, under `name` or the one it wished for.
    pub(crate) fn accept(
        &mut self,
        code: &EnrolCode,
        name: Option<&str>,
        by: &str,
        now_ms: i64,
    ) -> Result<Decided, Failure> {
        let transaction = self.write()?;
        let mut rows = waiting(&transaction, code)?;
        let Some(row) = rows.pop() else {
            return Ok(Decided::Unknown);
        };
        if !rows.is_empty() {
            return Ok(Decided::Several);
        }
        let name = match name {
            Some(name) if is_taken(&transaction, name)? => return Ok(Decided::NameTaken),
            Some(name) => name.to_owned(),
            None => free_name(&transaction, &row, "")?,
        };
        enlist(&transaction, &row, &name, (None, by), now_ms)?;
        transaction.commit()?;
        let trap = row.trap_id;
        Ok(Decided::Accepted { trap, name })
    }

    /// Sends away the trap that waits with this code; false when none does.
    pub(crate) fn dismiss(&mut self, code: &EnrolCode, by: &str) -> Result<bool, Failure> {
        let dismissed = self.connection.execute(
            "UPDATE enrolments SET state = 'dismissed', decided_by = :by
             WHERE code = :code AND state = 'pending'",
            named_params! { ":by": by, ":code": code.bare() },
        )?;
        Ok(dismissed > 0)
    }
}

fn find(transaction: &Transaction<'_>, request: &EnrolRequest) -> Result<Option<Row>, Failure> {
    let found = transaction
        .query_row(
            "SELECT number, key_sha256, trap_id, wished_name, code, state, trap
             FROM enrolments WHERE public_key = :key",
            named_params! { ":key": request.public_key.as_bytes() },
            row_of,
        )
        .optional()?;
    Ok(found)
}

fn row_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        number: row.get(0)?,
        key_sha256: digest(row.get(1)?),
        trap_id: row.get(2)?,
        wished_name: row.get(3)?,
        code: row.get(4)?,
        state: row.get(5)?,
        trap: row.get(6)?,
    })
}

/// Those that wait with this code; two at most are looked for.
fn waiting(transaction: &Transaction<'_>, code: &EnrolCode) -> Result<Vec<Row>, Failure> {
    let mut statement = transaction.prepare(
        "SELECT number, key_sha256, trap_id, wished_name, code, state, trap
         FROM enrolments WHERE code = :code AND state = 'pending' LIMIT 2",
    )?;
    let rows = statement.query_map(named_params! { ":code": code.bare() }, row_of)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn make_room(transaction: &Transaction<'_>, now_ms: i64) -> Result<(), Failure> {
    transaction.execute(
        "DELETE FROM enrolments WHERE state = 'pending' AND last_ms < :before",
        named_params! { ":before": now_ms - PENDING_KEPT_MS },
    )?;
    let waiting: i64 = transaction.query_row(
        "SELECT count(*) FROM enrolments WHERE state = 'pending'",
        [],
        |row| row.get(0),
    )?;
    if waiting < PENDING_MAX {
        return Ok(());
    }
    Err(Failure::Refused(Refused {
        status: StatusCode::TOO_MANY_REQUESTS,
        error: "slow_down",
        message: "too many traps wait to be accepted: decide about them on the server".to_owned(),
        retry_after_s: Some(3600),
    }))
}

fn insert(
    transaction: &Transaction<'_>,
    request: &EnrolRequest,
    now_ms: i64,
) -> Result<(), Failure> {
    let trap = request.public_key.trap();
    let inserted = transaction.execute(
        "INSERT INTO enrolments
             (public_key, key_sha256, trap_id, code, state, wished_name, card, board,
              agent_version, peer, asked_ms, last_ms)
         SELECT :public, :key, :trap, :code, 'pending', '', '', '', '', '', :now, :now
         WHERE NOT EXISTS (SELECT 1 FROM traps WHERE id = :trap)
         ON CONFLICT (trap_id) DO NOTHING",
        named_params! {
            ":public": request.public_key.as_bytes(), ":key": request.key_sha256.as_bytes(),
            ":trap": trap.as_str(), ":code": request.public_key.code().bare(), ":now": now_ms,
        },
    )?;
    if inserted == 1 {
        return Ok(());
    }
    Err(refuse(
        StatusCode::CONFLICT,
        "id_taken",
        "another trap has this trap's id already: `trapline-agent enrol --anew` at the trap draws \
         another one",
    ))
}

/// Keeps what the trap last said of itself.
fn note(
    transaction: &Transaction<'_>,
    number: i64,
    request: &EnrolRequest,
    peer: &str,
    now_ms: i64,
) -> Result<(), Failure> {
    transaction.execute(
        "UPDATE enrolments SET wished_name = :name, latitude_deg = :north, longitude_deg = :east,
             card = :card, board = :board, agent_version = :version, peer = :peer, last_ms = :now
         WHERE number = :number",
        named_params! {
            ":name": request.name.as_deref().map(tidy_name).unwrap_or_default(),
            ":north": request.place.map(|place| place.latitude_deg),
            ":east": request.place.map(|place| place.longitude_deg),
            ":card": request.hardware.card.as_deref().unwrap_or_default(),
            ":board": request.hardware.board.as_deref().unwrap_or_default(),
            ":version": request.agent_version, ":peer": peer, ":now": now_ms, ":number": number,
        },
    )?;
    Ok(())
}

/// Makes it a trap with this name; `by` is the token or the person who let it in.
fn enlist(
    transaction: &Transaction<'_>,
    row: &Row,
    name: &str,
    by: (Option<i64>, &str),
    now_ms: i64,
) -> Result<i64, Failure> {
    transaction.execute(
        "INSERT INTO traps (id, name, key_sha256, added_ms) VALUES (:id, :name, :key, :now)",
        named_params! {
            ":id": row.trap_id, ":name": name,
            ":key": row.key_sha256.as_bytes(), ":now": now_ms,
        },
    )?;
    let trap = transaction.last_insert_rowid();
    transaction.execute(
        "UPDATE enrolments SET state = 'enrolled', trap = :trap, token = :token, decided_by = :by
         WHERE number = :number",
        named_params! { ":trap": trap, ":token": by.0, ":by": by.1, ":number": row.number },
    )?;
    log::info!(trap = row.trap_id.as_str(); "trap {name:?} ({}) is enrolled", row.trap_id);
    Ok(trap)
}
