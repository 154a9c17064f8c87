//! What a trap that proved who it is hears.

use super::names::{free_name, tidy_name};
use super::{Row, enlist, find, insert, make_room, note};
use crate::db::cards::{self, Device, Standing};
use crate::db::tokens::{self, Useless};
use crate::db::traps::trap_id;
use crate::problem::{Failure, Refused, refuse};
use axum::http::StatusCode;
use rusqlite::{Transaction, named_params};
use trapline_wire::v1::{EnrolAnswer, EnrolRequest};

pub(super) fn answer(
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
