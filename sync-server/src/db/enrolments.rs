//! Traps that ask to be enrolled, and what becomes of them.
//!
//! A key pair has one row for ever. Whatever it asks again, whether its answer
//! got lost or it doubts, the row answers; so a use of a token is counted once.

use super::cards::{self, Device, Standing};
use super::tokens::{self, Useless};
use super::traps::trap_id;
use super::{Db, digest};
use crate::problem::{Failure, Refused, refuse};
use axum::http::StatusCode;
use rusqlite::{OptionalExtension as _, Transaction, named_params};
use trapline_wire::v1::{EnrolAnswer, EnrolRequest};
use trapline_wire::{EnrolCode, Sha256};

/// Traps that wait for a person; more are sent away until some are decided.
const PENDING_MAX: i64 = 500;
/// One that asks no more is forgotten after this.
const PENDING_KEPT_MS: i64 = 30 * 24 * 3600 * 1000;
const NAME_CHARS_MAX: usize = 80;

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
        let answer = answer(&transaction, request, peer, now_ms)?;
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

fn answer(
    transaction: &Transaction<'_>,
    request: &EnrolRequest,
    peer: &str,
    now_ms: i64,
) -> Result<EnrolAnswer, Failure> {
    let row = match find(transaction, request)? {
        Some(row) => row,
        None => {
            make_room(transaction, now_ms)?;
            insert(transaction, request, now_ms)?;
            find(transaction, request)?
                .ok_or_else(|| Failure::Broken("an enrolment is not where it was put".to_owned()))?
        }
    };
    if row.key_sha256 != request.key_sha256 {
        return Err(refuse(
            StatusCode::CONFLICT,
            "other_key",
            "this trap was known with another key of its own: `trapline-agent enrol --anew` at \
             the trap makes it a new one",
        ));
    }
    note(transaction, row.number, request, peer, now_ms)?;
    let row = Row {
        wished_name: request.name.as_deref().map(tidy_name).unwrap_or_default(),
        ..row
    };
    if let Some(trap) = row.trap {
        return enrolled(transaction, trap, request, now_ms);
    }
    if let Some(token) = &request.token {
        let (token, prefix) =
            tokens::use_up(transaction, &token.fingerprint(), now_ms)?.map_err(useless)?;
        let name = free_name(transaction, &row, &prefix)?;
        let trap = enlist(transaction, &row, &name, (Some(token), ""), now_ms)?;
        return enrolled(transaction, trap, request, now_ms);
    }
    if row.state == "dismissed" {
        return Err(refuse(
            StatusCode::FORBIDDEN,
            "dismissed",
            "somebody dismissed this trap on the server: put a token on its card, or run \
             `trapline-agent enrol --anew` at the trap and accept its new code",
        ));
    }
    Ok(EnrolAnswer::Pending {
        code: request.public_key.code(),
    })
}

/// What a trap hears that is one.
fn enrolled(
    transaction: &Transaction<'_>,
    trap: i64,
    request: &EnrolRequest,
    now_ms: i64,
) -> Result<EnrolAnswer, Failure> {
    let (id, name, is_revoked): (String, String, bool) = transaction.query_row(
        "SELECT id, name, revoked_ms IS NOT NULL FROM traps WHERE number = :trap",
        named_params! { ":trap": trap },
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    if is_revoked {
        return Err(refuse(
            StatusCode::FORBIDDEN,
            "revoked",
            "this trap was revoked on the server: `trapline-agent enrol --anew` at the trap makes \
             it a new one, which a token or a person lets in",
        ));
    }
    let device = device_of(request);
    if let Some(original) = &request.copied_from {
        cards::hold(transaction, trap, original, now_ms)?;
    }
    let mut standing = cards::meet(transaction, trap, &device, now_ms)?;
    if request.replaces_card && standing != Standing::Holder {
        if device.card.is_empty() {
            return Err(refuse(
                StatusCode::CONFLICT,
                "no_card",
                "this trap cannot read its card's number, so the server cannot tell it from a \
                 copy: decide on the server (`trapline-server enrol resolve`)",
            ));
        }
        cards::hand_over(transaction, trap, &device.card, "the trap")?;
        standing = Standing::Holder;
    }
    if standing == Standing::Holder {
        cards::settled(transaction, trap, &device.card)?;
    }
    Ok(match (standing, standing.complaint()) {
        (Standing::Anew, _) => EnrolAnswer::Anew {},
        (_, Some(message)) => EnrolAnswer::Parked {
            message: message.to_owned(),
        },
        (_, None) => EnrolAnswer::Enrolled {
            trap: trap_id(&id)?,
            name,
        },
    })
}

fn device_of(request: &EnrolRequest) -> Device {
    Device {
        card: request.hardware.card.clone().unwrap_or_default(),
        board: request.hardware.board.clone().unwrap_or_default(),
        // A boot says nothing here: the same request may come late.
        boot: String::new(),
    }
}

fn useless(why: Useless) -> Failure {
    let (error, message) = match why {
        Useless::Unknown => (
            "bad_token",
            "this server does not know the token: copy it again, or make a new one with \
             `trapline-server enrol`",
        ),
        Useless::Revoked => (
            "token_revoked",
            "the token was revoked: make a new one with `trapline-server enrol`",
        ),
        Useless::Expired => (
            "token_expired",
            "the token has expired: make a new one with `trapline-server enrol`",
        ),
        Useless::UsedUp => (
            "token_used_up",
            "the token has enrolled as many traps as it may: make a new one with \
             `trapline-server enrol --uses N`",
        ),
    };
    Failure::Refused(Refused {
        status: StatusCode::FORBIDDEN,
        error,
        message: message.to_owned(),
        retry_after_s: None,
    })
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

/// The wished name, or one that begins with `prefix`; made different from all in use.
fn free_name(transaction: &Transaction<'_>, row: &Row, prefix: &str) -> Result<String, Failure> {
    let wished = &row.wished_name;
    if wished.is_empty() {
        let prefix = if prefix.is_empty() { "trap" } else { prefix };
        for number in 1..100_000 {
            let name = format!("{prefix}-{number:02}");
            if !is_taken(transaction, &name)? {
                return Ok(name);
            }
        }
    }
    let short: String = row.code.chars().take(4).collect();
    for name in [wished.clone(), format!("{wished} {short}")] {
        if !is_taken(transaction, &name)? {
            return Ok(name);
        }
    }
    Ok(format!("{wished} {}", row.trap_id))
}

fn is_taken(transaction: &Transaction<'_>, name: &str) -> Result<bool, Failure> {
    Ok(transaction.query_row(
        "SELECT EXISTS (SELECT 1 FROM traps WHERE name = :name AND revoked_ms IS NULL)",
        named_params! { ":name": name },
        |row| row.get(0),
    )?)
}

/// A name as the server keeps names, whatever a trap wishes for.
fn tidy_name(wished: &str) -> String {
    let one_line = wished.split_whitespace().collect::<Vec<_>>().join(" ");
    let letters = one_line.chars().filter(|letter| !letter.is_control());
    // The code may have to fit behind it.
    letters.take(NAME_CHARS_MAX - 10).collect()
}
